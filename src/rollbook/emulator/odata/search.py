"""`$search` as directory objects know it: `"displayName:mar"` clauses joined by AND and OR, matching beginnings of words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ..wire import Record, bad_request

_CLAUSE = re.compile(r'\s*"(?:([A-Za-z]+):)?([^"]*)"\s*')
_WORDS = re.compile(r"[^\W_]+")


def parse_search(text: str, searchable: Sequence[str]) -> Callable[[Record], bool]:
    """The predicate of a `$search`; 400 for what is none, or names a property that cannot be searched."""
    groups: list[list[Callable[[Record], bool]]] = [[]]
    at = 0
    while at < len(text):
        found = _CLAUSE.match(text, at)
        if found is None:
            raise bad_request('Syntax error in $search: clauses are written as "property:value".')
        groups[-1].append(_clause(found[1], found[2], searchable))
        at = found.end()
        joint = re.compile(r"(AND|OR)\b").match(text, at)
        if joint is None and at < len(text):
            raise bad_request("Syntax error in $search: clauses are joined by AND or OR.")
        if joint is not None:
            at = joint.end()
            if joint[1] == "OR":
                groups.append([])
    if not all(groups):
        raise bad_request("Syntax error in $search: a clause is missing.")
    return lambda record: any(all(clause(record) for clause in group) for group in groups)


def _clause(name: str | None, value: str, searchable: Sequence[str]) -> Callable[[Record], bool]:
    if name is not None and name not in searchable:
        raise bad_request(f"Property '{name}' cannot be searched. Searchable are: {', '.join(searchable)}.")
    wanted = [word.casefold() for word in _WORDS.findall(value)]
    names = (name,) if name is not None else tuple(searchable)

    def matches(record: Record) -> bool:
        words = [word for each in names for word in _WORDS.findall(str(record.get(each) or "").casefold())]
        return bool(wanted) and all(any(word.startswith(part) for word in words) for part in wanted)

    return matches
