"""Graph addresses taken apart: path segments, OData keys in brackets, query options, references to objects.

Knows spelling only: which segments exist is the business of the call table.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, unquote_plus

from .wire import bad_request

_KEYED = re.compile(r"^([^()]+)\((?:([A-Za-z]+)=)?'(.*)'\)$")
_CALLED = re.compile(r"^([^()]+)\(\)$")
_REFERENCE = re.compile(r"(?:directoryObjects|users|groups|classes)(?:/|\(')([^/?#')]+)(?:'\))?/?$", re.IGNORECASE)


def segments(path: str) -> list[str]:
    """The path cut into decoded segments.

    `teams('x')` reads as `teams`, `x`; an alternate key `groups(uniqueName='x')` as `groups`, `(uniqueName)`, `x`.
    """
    found: list[str] = []
    for raw in path.strip("/").split("/"):
        if "(" not in raw and "%28" not in raw:
            found.append(unquote(raw) if "%" in raw else raw)
            continue
        decoded = unquote(raw)
        if keyed := _KEYED.match(decoded):
            name, key, value = keyed.groups()
            found.extend([name, *([f"({key})"] if key else []), value.replace("''", "'")])
        elif called := _CALLED.match(decoded):
            found.append(called[1])
        else:
            found.append(decoded)
    return found


def query_options(query: str) -> dict[str, str]:
    """Query options by name, decoded; 400 when one is given twice, as OData demands.

    System options are recognised without their `$` and in any case, as Graph does.
    """
    options: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        name = unquote_plus(name)
        if name.startswith("$"):
            name = "$" + name[1:].lower()
        elif name.lower() in {"select", "filter", "top", "count", "skiptoken", "expand", "search", "orderby"}:
            name = "$" + name.lower()
        if name in options:
            raise bad_request(f"Query option '{name}' was specified more than once.", code="BadRequest")
        options[name] = unquote_plus(value)
    return options


def referenced_id(reference: object) -> str:
    """The object id inside an `@odata.id` or bind address; 400 when it is no address of a directory object."""
    if isinstance(reference, str) and (match := _REFERENCE.search(reference)):
        return unquote(match[1]).lower()
    raise bad_request("Invalid URL format specified in payload.", code="Request_BadRequest")
