"""Collections page by page: `$filter`, `$search`, `$orderby`, `$select`, `$expand`, `$top`, `$count`, and an opaque nextLink.

Rules are those of graph.md section 2.2; how an object looks is the entity's business.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from ..ask import Ask
from ..tenant.lags import View
from ..tenant.tables import Table
from ..wire import Answer, Record, Refusal, bad_request
from .entities import Entity
from .filters import Filter, parse_filter
from .search import parse_search

DEFAULT_PAGE = 100
LARGEST_PAGE = 999
SIGN_IN_PAGE = 500
SORTABLE = frozenset({"displayName", "userPrincipalName", "createdDateTime", "mailNickname", "mail"})

Test = Callable[[Record], bool]


def selected(ask: Ask) -> list[str] | None:
    """The properties asked for; None if the default set is."""
    text = ask.query.get("$select")
    return [name.strip() for name in text.split(",") if name.strip()] if text else None


def page_size(ask: Ask, largest: int = LARGEST_PAGE) -> int:
    """The page asked for; 400 above Microsoft's largest."""
    text = ask.query.get("$top")
    if text is None:
        return DEFAULT_PAGE
    if not text.isdigit() or not 0 < int(text) <= largest:
        raise bad_request(f"Invalid page size specified: '{text}'. Must be between 1 and {largest} inclusive.")
    return int(text)


def expanded(ask: Ask, entity: Entity) -> list[str]:
    """What `$expand` brings along; 400 for what cannot be expanded."""
    names = [name.partition("(")[0].strip() for name in ask.query.get("$expand", "").split(",") if name.strip()]
    for name in names:
        if name not in entity.expands:
            message = f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type '{entity.type}'."
            raise bad_request(message, code="BadRequest")
    return names


def one(ask: Ask, entity: Entity, record: Record) -> Record:
    """One object as a reader asked for it."""
    names = selected(ask)
    entity.check_selected(ask.tenant, names, collection=False)
    return entity.show_expanded(ask.tenant, record, names, expanded(ask, entity))


def collection(ask: Ask, entity: Entity) -> Answer:
    """One page of all objects of a kind."""
    refuse_unsupported(ask, "$skip", "$apply")
    names, brought = selected(ask), expanded(ask, entity)
    entity.check_selected(ask.tenant, names, collection=True)
    tests, chosen = _tests(ask, entity)
    slow = "signInActivity" in (names or ()) or "signInActivity" in ask.query.get("$filter", "")
    size, start, table = page_size(ask, SIGN_IN_PAGE if slow else LARGEST_PAGE), _start(ask), entity.table(ask.tenant)
    found: list[Record] = []
    following = None
    for place, record in _candidates(ask, table, chosen, start, tests):
        if len(found) == size:
            following = place
            break
        found.append(entity.show_expanded(ask.tenant, record, names, brought))
    return answer(ask, found, following, _count(ask, entity, table, chosen, tests))


def count(ask: Ask, entity: Entity) -> Answer:
    """How many objects there are, as plain text; an advanced query (section 2.2)."""
    if not eventual(ask):
        raise unsupported_query("$count requests need the header ConsistencyLevel: eventual.")
    tests, chosen = _tests(ask, entity)
    table = entity.table(ask.tenant)
    number = sum(1 for _, record in _places(table, chosen, 0) if all(test(record) for test in tests))
    return Answer(200, str(number), {"Content-Type": "text/plain"})


def related(ask: Ask, records: Sequence[Record], show: Callable[[Record, Sequence[str] | None], Any]) -> Answer:
    """One page of objects that are in a list already. References are shown as addresses, as Microsoft describes them."""
    size, names, start = page_size(ask), selected(ask), _start(ask)
    if "$filter" in ask.query:
        chosen = parse_filter(ask.query["$filter"])
        records = [record for record in records if chosen.matches(record)]
    found = [show(record, names) for record in records[start : start + size]]
    following = start + size if start + size < len(records) else None
    counted = len(records) if ask.query.get("$count") == "true" and eventual(ask) and not start else None
    return answer(ask, found, following, counted)


def eventual(ask: Ask) -> bool:
    """Whether the lagging index of advanced queries may be asked."""
    return ask.headers.get("consistencylevel", "").lower() == "eventual"


def unsupported_query(message: str) -> Refusal:
    """400 Request_UnsupportedQuery."""
    return bad_request(message, code="Request_UnsupportedQuery")


def refuse_unsupported(ask: Ask, *names: str) -> None:
    """400 for a query option this collection does not have."""
    for name in names:
        if name in ask.query:
            raise bad_request(f"The query option '{name}' is not supported.", code="Request_UnsupportedQuery")


def _tests(ask: Ask, entity: Entity) -> tuple[list[Test], Filter | None]:
    """What a record has to pass, and the filter for finding it quickly; 400 where an advanced query is not announced."""
    tests: list[Test] = [entity.belongs] if entity.belongs is not None else []
    chosen = parse_filter(ask.query["$filter"]) if "$filter" in ask.query else None
    advanced = chosen is not None and (chosen.advanced or "$orderby" in ask.query)
    if entity.directory and advanced and not (eventual(ask) and ask.query.get("$count") == "true"):
        raise unsupported_query(
            "The specified filter needs the header ConsistencyLevel: eventual and the query option $count=true."
        )
    if chosen is not None:
        tests.append(chosen.matches)
    if "$search" in ask.query:
        if not entity.search or not eventual(ask):
            raise unsupported_query("Request with $search query parameter only works with ConsistencyLevel: eventual.")
        tests.append(parse_search(ask.query["$search"], entity.search))
    return tests, chosen


def _candidates(
    ask: Ask, table: Table, chosen: Filter | None, start: int, tests: Sequence[Test]
) -> Iterator[tuple[int, Record]]:
    """Records that pass, from a place on; sorted if that was asked for, and then a place is a rank."""
    if "$orderby" not in ask.query:
        yield from ((n, r) for n, r in _places(table, chosen, start) if all(test(r) for test in tests))
        return
    name, _, direction = ask.query["$orderby"].strip().partition(" ")
    if name not in SORTABLE or direction.lower() not in ("", "asc", "desc"):
        raise unsupported_query(f"Sorting by '{ask.query['$orderby']}' is not supported.")
    passing = [record for _, record in _places(table, chosen, 0) if all(test(record) for test in tests)]
    passing.sort(key=lambda record: str(record.get(name) or "").casefold(), reverse=direction.lower() == "desc")
    yield from enumerate(passing[start:], start=start)


def _places(table: Table, chosen: Filter | None, start: int) -> Iterator[tuple[int, Record]]:
    """Records that may match with their places: by index where the filter demands values, else all."""
    keys: Iterable[str] | None = None
    if chosen is not None and chosen.demands is not None:
        name, values = chosen.demands
        hits = [[value] if name == "id" else table.find(name, value) for value in dict.fromkeys(values)]
        keys = None if None in hits else [key for found in hits for key in found or ()]
    if keys is None and chosen is not None and chosen.begins is not None:
        keys = table.beginning(*chosen.begins)
    if keys is None:
        yield from table.from_position(start)
        return
    placed = [
        (table.position(key), record)
        for key in dict.fromkeys(keys)
        if key in table and (record := table.seen(key, View.LIST)) is not None and table.position(key) >= start
    ]
    yield from sorted(placed, key=lambda entry: entry[0])


def _count(ask: Ask, entity: Entity, table: Table, chosen: Filter | None, tests: Sequence[Test]) -> int | None:
    """`@odata.count`, on the first page only and only for advanced queries."""
    if ask.query.get("$count") != "true" or "$skiptoken" in ask.query or (entity.directory and not eventual(ask)):
        return None
    if not tests:
        return len(table)
    return sum(1 for _, record in _places(table, chosen, 0) if all(test(record) for test in tests))


def _start(ask: Ask) -> int:
    token = ask.query.get("$skiptoken")
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()).removeprefix(b"page-"))
    except ValueError:
        raise bad_request("The specified page token value is invalid.", code="Directory_ExpiredPageToken") from None


def link(ask: Ask, without: Sequence[str], **more: str) -> str:
    """The address that was asked, without some query options and with others: nextLink and deltaLink."""
    kept = {name: value for name, value in ask.query.items() if name not in without}
    kept |= {f"${name}": value for name, value in more.items()}
    query = "&".join(f"{quote(name, safe='$')}={quote(value, safe=chr(39) + '(),/:@')}" for name, value in kept.items())
    return f"{ask.base}{ask.path}?{query}"


def answer(ask: Ask, found: list[Any], following: int | None, counted: int | None) -> Answer:
    """A page with what leads to the next one."""
    body: Record = {"@odata.context": f"{ask.base}/$metadata#{ask.path.strip('/')}"}
    if counted is not None:
        body["@odata.count"] = counted
    if following is not None:
        token = base64.urlsafe_b64encode(b"page-%d" % following).decode()
        body["@odata.nextLink"] = link(ask, ("$skiptoken",), skiptoken=token)
    body["value"] = found
    return Answer(200, body)
