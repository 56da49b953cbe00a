"""Tables of JSON records in memory: an order that paging can rely on, indexes for quick `eq`, and a log for delta.

Knows ids and values; refuses to know which records are right. Records are replaced, never altered in place, so an old
one stays what it was for whoever still holds it. Names that begin with an underscore are the emulator's own.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..wire import Record
from .changes import Changes
from .lags import View

Entry = tuple[int, float, str, frozenset[str] | None]
"""Number and time of a change, id, and the names that changed (None: all, or not known any more)."""


LONGEST_LOG = 10_000
"""A log of this length, and four changes for every object besides, is cut by half; older links are told whole objects."""


class Index:
    """Folded value -> ids. One id is kept bare, because most values belong to one object."""

    def __init__(self) -> None:
        self._ids: dict[str, str | dict[str, None]] = {}
        self._sorted: list[str] | None = None

    def add(self, value: str, key: str) -> None:
        """Remember that the object `key` has this value."""
        folded = value.casefold()
        held = self._ids.get(folded)
        if held is None:
            self._ids[folded] = key
            self._sorted = None
        elif isinstance(held, dict):
            held[key] = None
        elif held != key:
            self._ids[folded] = {held: None, key: None}

    def discard(self, value: str, key: str) -> None:
        """Forget it again."""
        folded = value.casefold()
        held = self._ids.get(folded)
        if isinstance(held, dict):
            held.pop(key, None)
            if not held:
                del self._ids[folded]
                self._sorted = None
        elif held == key:
            del self._ids[folded]
            self._sorted = None

    def find(self, value: str) -> tuple[str, ...]:
        """Ids of the objects with this value, in any case of letters."""
        held = self._ids.get(value.casefold())
        if held is None:
            return ()
        return (held,) if isinstance(held, str) else tuple(held)

    def beginning(self, begin: str) -> list[str]:
        """Ids of the objects whose value begins so."""
        if self._sorted is None:
            self._sorted = sorted(self._ids)
        folded = begin.casefold()
        found: list[str] = []
        for place in range(bisect_left(self._sorted, folded), len(self._sorted)):
            if not self._sorted[place].startswith(folded):
                break
            found += self.find(self._sorted[place])
        return found


class Table:
    """One kind of object: records by id, in order of creation."""

    def __init__(self, kind: str, changes: Changes, indexed: Iterable[str] = ()) -> None:
        self.kind = kind
        self._changes = changes
        self._rows: dict[str, Record] = {}
        self._order: list[str | None] = []
        self._position: dict[str, int] = {}
        self._indexes: dict[str, Index] = {name: Index() for name in indexed}
        self._log: list[Entry] | None = None
        self._floor = 0
        self._past: dict[str, list[tuple[float, Record | None]]] = {}

    def __len__(self) -> int:
        """How many records there are."""
        return len(self._rows)

    def __contains__(self, key: object) -> bool:
        """Whether an object has this id."""
        return key in self._rows

    def get(self, key: str) -> Record | None:
        """The record with this id as it is, or None."""
        return self._rows.get(key)

    def seen(self, key: str, view: View) -> Record | None:
        """The record as this look sees it, which may be a little behind."""
        if not self._past or key not in self._past:
            return self._rows.get(key)
        now, lag = self._changes.now(), self._changes.lags.of(view)
        past = self._past[key]
        if now - past[-1][0] > self._changes.lags.longest:
            del self._past[key]
            return self._rows.get(key)
        return next((old for at, old in past if now - at < lag), self._rows.get(key))

    def values(self) -> Iterable[Record]:
        """All records; do not change the table meanwhile."""
        return self._rows.values()

    def items(self) -> Iterable[tuple[str, Record]]:
        """All records by id."""
        return self._rows.items()

    def put(self, key: str, record: Record) -> None:
        """Add or replace a record, remembered for the journal, the baseline and delta."""
        old = self._rows.get(key)
        record["_seq"] = self._changes.following()
        self._changes.record(self.kind, key, old, record)
        self.load(key, record)
        self._note(key, old, record)

    def load(self, key: str, record: Record) -> None:
        """Put a record that is kept already."""
        old = self._rows.get(key)
        if old is None:
            self._position[key] = len(self._order)
            self._order.append(key)
        self._rows[key] = record
        for name, index in self._indexes.items():
            self._reindex(index, key, None if old is None else old.get(name), record.get(name))

    def drop(self, key: str) -> None:
        """Remove a record; its place in the order stays empty, so that open pages do not shift."""
        old = self._rows.pop(key)
        self._changes.record(self.kind, key, old, None)
        self._order[self._position.pop(key)] = None
        for name, index in self._indexes.items():
            self._reindex(index, key, old.get(name), None)
        self._changes.following()
        self._note(key, old, None)

    def _note(self, key: str, old: Record | None, new: Record | None) -> None:
        if self._log is not None:
            names = _differing(old, new) if old is not None and new is not None else None
            self._log.append((self._changes.sequence, self._changes.now(), key, names))
            if len(self._log) > LONGEST_LOG + 4 * len(self._rows):
                half = len(self._log) // 2
                self._floor = self._log[half - 1][0]
                del self._log[:half]
        if self._changes.lags.active:
            self._past.setdefault(key, []).append((self._changes.now(), old))

    def changed_since(self, sequence: int, removed: Callable[[], Iterable[tuple[int, str]]]) -> list[Entry]:
        """Every change after that one, in order; `removed` gives the numbers and ids of the objects that are gone."""
        if self._log is None:
            # Only who asks for delta pays for the log.
            self._log, self._floor = [], self._changes.sequence
        older: list[Entry] = []
        if sequence < self._floor:
            # From before the log began (a restart): told whole, a replay, as is documented.
            held = [(record["_seq"], key) for key, record in self._rows.items()]
            among = (entry for entry in (*held, *removed()) if sequence < entry[0] <= self._floor)
            older = [(number, 0.0, key, None) for number, key in sorted(among)]
        return older + self._log[bisect_right(self._log, sequence, key=lambda entry: entry[0]) :]

    def index(self, name: str) -> None:
        """Index one more property from now on."""
        if name in self._indexes:
            return
        index = self._indexes[name] = Index()
        for key, record in self._rows.items():
            self._reindex(index, key, None, record.get(name))

    def find(self, name: str, value: str) -> tuple[str, ...] | None:
        """Ids of objects whose indexed property has this value; None when the property is not indexed."""
        index = self._indexes.get(name)
        return None if index is None else index.find(value)

    def beginning(self, name: str, begin: str) -> list[str] | None:
        """Ids of objects whose indexed property begins so; None when the property is not indexed."""
        index = self._indexes.get(name)
        return None if index is None else index.beginning(begin)

    def one(self, name: str, value: str) -> Record | None:
        """The first object whose indexed property has this value, or None."""
        found = self.find(name, value)
        return self._rows[found[0]] if found else None

    def position(self, key: str) -> int:
        """The object's place in the order of creation."""
        return self._position[key]

    def from_position(self, start: int) -> Iterator[tuple[int, Record]]:
        """Records with their place as a list shows them, beginning at a place."""
        order, rows, past = self._order, self._rows, self._past
        for place in range(start, len(order)):
            key = order[place]
            if key is None:
                continue
            record = self.seen(key, View.LIST) if past else rows[key]
            if record is not None:
                yield place, record

    @staticmethod
    def _reindex(index: Index, key: str, old: Any, new: Any) -> None:
        if old is new or old == new:
            return
        if isinstance(old, str):
            index.discard(old, key)
        if isinstance(new, str):
            index.add(new, key)


def _differing(old: Record, new: Record) -> frozenset[str]:
    return frozenset(name for name in old.keys() | new.keys() if name != "_seq" and old.get(name) != new.get(name))
