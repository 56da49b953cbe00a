"""What Microsoft does later: rosters that follow their groups, licences that come with a group. Kept over restarts.

Knows times and names of errands; who does them registers here.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

from ..wire import Record
from .tables import Table

Errand = Callable[[Record], None]


class Agenda:
    """Errands of one tenant by the time they are due, in tenant seconds since 1970."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._due: list[tuple[float, int, str]] = []
        self._errands: dict[str, Errand] = {}
        self._number = 0

    def load(self) -> None:
        """Take up what the file kept."""
        for key, record in ((r["id"], r) for r in self._table.values()):
            self._push(record["_due"], key)

    def register(self, name: str, errand: Errand) -> None:
        """Who does the errands of this name."""
        self._errands[name] = errand

    def later(self, name: str, now: float, seconds: float, **what: Any) -> None:
        """Have an errand done after so many seconds; at once if there is no delay."""
        record: Record = {"_errand": name, **what}
        if seconds <= 0:
            self._errands[name](record)
            return
        self._number += 1
        key = f"{now:.6f}-{self._number}"
        self._table.put(key, {"id": key, "_due": now + seconds, **record})
        self._push(now + seconds, key)

    def catch_up(self, now: float) -> None:
        """Do everything that is due."""
        while self._due and self._due[0][0] <= now:
            _, _, key = heapq.heappop(self._due)
            record = self._table.get(key)
            if record is not None:
                self._table.drop(key)
                self._errands[record["_errand"]](record)

    def _push(self, due: float, key: str) -> None:
        heapq.heappush(self._due, (due, len(self._due), key))
