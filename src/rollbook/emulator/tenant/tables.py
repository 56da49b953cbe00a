"""Tables of JSON records in memory, with an order that paging can rely on and indexes for quick `eq`.

Knows ids and values; refuses to know which records are right. Records are replaced, never altered in place, so an old
one stays what it was for whoever still holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..wire import Record
from .changes import Changes


class Index:
    """Folded value -> ids. One id is kept bare, because most values belong to one object."""

    def __init__(self) -> None:
        self._ids: dict[str, str | dict[str, None]] = {}

    def add(self, value: str, key: str) -> None:
        """Remember that the object `key` has this value."""
        folded = value.casefold()
        held = self._ids.get(folded)
        if held is None:
            self._ids[folded] = key
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
        elif held == key:
            del self._ids[folded]

    def find(self, value: str) -> tuple[str, ...]:
        """Ids of the objects with this value, in any case of letters."""
        held = self._ids.get(value.casefold())
        if held is None:
            return ()
        return (held,) if isinstance(held, str) else tuple(held)


class Table:
    """One kind of object: records by id, in order of creation."""

    def __init__(self, kind: str, changes: Changes, indexed: Iterable[str] = ()) -> None:
        self.kind = kind
        self._changes = changes
        self._rows: dict[str, Record] = {}
        self._order: list[str | None] = []
        self._position: dict[str, int] = {}
        self._indexes: dict[str, Index] = {name: Index() for name in indexed}

    def __len__(self) -> int:
        """How many records there are."""
        return len(self._rows)

    def __contains__(self, key: object) -> bool:
        """Whether an object has this id."""
        return key in self._rows

    def get(self, key: str) -> Record | None:
        """The record with this id, or None."""
        return self._rows.get(key)

    def values(self) -> Iterable[Record]:
        """All records; do not change the table meanwhile."""
        return self._rows.values()

    def put(self, key: str, record: Record) -> None:
        """Add or replace a record, remembered for the journal and the baseline."""
        self._changes.record(self.kind, key, self._rows.get(key), record)
        self.load(key, record)

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

    def one(self, name: str, value: str) -> Record | None:
        """The first object whose indexed property has this value, or None."""
        found = self.find(name, value)
        return self._rows[found[0]] if found else None

    def position(self, key: str) -> int:
        """The object's place in the order of creation."""
        return self._position[key]

    def from_position(self, start: int) -> Iterator[tuple[int, Record]]:
        """Records with their place, beginning at a place."""
        order, rows = self._order, self._rows
        for place in range(start, len(order)):
            key = order[place]
            if key is not None:
                yield place, rows[key]

    @staticmethod
    def _reindex(index: Index, key: str, old: Any, new: Any) -> None:
        if old is new or old == new:
            return
        if isinstance(old, str):
            index.discard(old, key)
        if isinstance(new, str):
            index.add(new, key)
