"""Collections page by page: `$filter`, `$select`, `$top`, `$count`, and an opaque nextLink (graph.md section 2.2)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from urllib.parse import quote

from ..ask import Ask
from ..tenant.tables import Table
from ..wire import Answer, Record, bad_request
from .filters import Filter, parse_filter

DEFAULT_PAGE = 100
LARGEST_PAGE = 999

Show = Callable[[Record, Sequence[str] | None], Record]


def selected(ask: Ask) -> list[str] | None:
    """The properties asked for; None if the default set is."""
    text = ask.query.get("$select")
    return [name.strip() for name in text.split(",") if name.strip()] if text else None


def pick(record: Record, names: Sequence[str]) -> Record:
    """These properties of a record; null where it has none, as Graph shows them. The id is always there."""
    return {"id": record["id"], **{name: record.get(name) for name in names if not name.startswith("_")}}


def page_size(ask: Ask) -> int:
    """The page asked for; 400 above Microsoft's largest."""
    text = ask.query.get("$top")
    if text is None:
        return DEFAULT_PAGE
    if not text.isdigit() or not 0 < int(text) <= LARGEST_PAGE:
        raise bad_request(f"Invalid page size specified: '{text}'. Must be between 1 and {LARGEST_PAGE} inclusive.")
    return int(text)


def table_page(ask: Ask, table: Table, show: Show, only: Callable[[Record], bool] | None = None) -> Answer:
    """One page of a table's records."""
    chosen = parse_filter(ask.query["$filter"]) if "$filter" in ask.query else None
    start = _start(ask)
    found: list[Record] = []
    size, names = page_size(ask), selected(ask)
    following = None
    for place, record in _candidates(table, chosen, start):
        if (only is None or only(record)) and (chosen is None or chosen.matches(record)):
            if len(found) == size:
                following = place
                break
            found.append(show(record, names))
    return _answer(ask, found, following, _count(ask, table, chosen, only))


def list_page(ask: Ask, records: Sequence[Record], show: Show) -> Answer:
    """One page of records that are in a list already."""
    size, names, start = page_size(ask), selected(ask), _start(ask)
    found = [show(record, names) for record in records[start : start + size]]
    following = start + size if start + size < len(records) else None
    return _answer(ask, found, following, len(records) if _counts(ask) else None)


def _candidates(table: Table, chosen: Filter | None, start: int) -> Iterator[tuple[int, Record]]:
    """Records that may match with their places: by index where the filter demands one value, else all."""
    if chosen is not None and chosen.demands is not None:
        keys = table.find(*chosen.demands)
        if keys is not None:
            yield from sorted(_placed(table, keys, start), key=lambda entry: entry[0])
            return
    yield from table.from_position(start)


def _placed(table: Table, keys: Iterable[str], start: int) -> Iterator[tuple[int, Record]]:
    for key in keys:
        record = table.get(key)
        if record is not None and table.position(key) >= start:
            yield table.position(key), record


def _counts(ask: Ask) -> bool:
    wanted = ask.query.get("$count") == "true"
    return wanted and ask.headers.get("consistencylevel", "").lower() == "eventual" and "$skiptoken" not in ask.query


def _count(ask: Ask, table: Table, chosen: Filter | None, only: Callable[[Record], bool] | None) -> int | None:
    """`@odata.count`, on the first page only and only for advanced queries."""
    if not _counts(ask):
        return None
    return sum(1 for r in table.values() if (only is None or only(r)) and (chosen is None or chosen.matches(r)))


def _start(ask: Ask) -> int:
    token = ask.query.get("$skiptoken")
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()).removeprefix(b"page-"))
    except ValueError:
        raise bad_request("The specified page token value is invalid.", code="Directory_ExpiredPageToken") from None


def _answer(ask: Ask, found: list[Record], following: int | None, count: int | None) -> Answer:
    body: Record = {"@odata.context": f"{ask.base}/$metadata#{ask.path.strip('/')}"}
    if count is not None:
        body["@odata.count"] = count
    if following is not None:
        token = base64.urlsafe_b64encode(b"page-%d" % following).decode()
        kept = {name: value for name, value in ask.query.items() if name != "$skiptoken"} | {"$skiptoken": token}
        query = "&".join(
            f"{quote(name, safe='$')}={quote(value, safe=chr(39) + '(),/:@')}" for name, value in kept.items()
        )
        body["@odata.nextLink"] = f"{ask.base}{ask.path}?{query}"
    body["value"] = found
    return Answer(200, body)
