"""What changed: rows still to be kept, the order of all changes, and what the tenant was like at the baseline of the counters.

Knows old and new rows only; what a change costs is counted elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..wire import Record
from .journal import LinkRow, Row
from .lags import Lags

Targets = dict[str, frozenset[str]]
"""Kind of relation -> ids it led to."""


class Changes:
    """Numbers the changes of one tenant, collects its unsaved rows and remembers originals since the baseline."""

    def __init__(self, number: int, now: Callable[[], float], lags: Lags) -> None:
        self.number = number
        self.now = now
        self.lags = lags
        self.sequence = 0
        self.before: dict[tuple[str, str], Record | None] = {}
        self.links_before: dict[tuple[str, str], frozenset[str]] = {}
        self._records: dict[tuple[str, str], Record | None] = {}
        self._links: dict[tuple[str, str, str], int | None] = {}

    def following(self) -> int:
        """The number of the next change; numbers only grow, over restarts too."""
        self.sequence += 1
        return self.sequence

    def record(self, kind: str, key: str, old: Record | None, new: Record | None) -> None:
        """Note that a record became `new`; None on either side means absent."""
        self._records[kind, key] = new
        self.before.setdefault((kind, key), old)

    def link(self, kind: str, source: str, target: str, sequence: int | None, others: Iterable[str]) -> None:
        """Note a link made (its number) or cut (None); `others` are the targets of that source before the change."""
        self._links[kind, source, target] = sequence
        if (kind, source) not in self.links_before:
            self.links_before[kind, source] = frozenset(others)

    def trace(self, kind: str, source: str, target: str, sequence: int | None) -> None:
        """Note a row that is kept, but is no link: what delta has to tell about one that was cut."""
        self._links[kind, source, target] = sequence

    def unsaved(self) -> tuple[list[Row], list[LinkRow]]:
        """The rows to be committed."""
        rows: list[Row] = [(self.number, kind, key, body) for (kind, key), body in self._records.items()]
        links: list[LinkRow] = [(self.number, *triple, sequence) for triple, sequence in self._links.items()]
        return rows, links

    def saved(self) -> None:
        """Forget the unsaved rows, because they are kept now."""
        self._records.clear()
        self._links.clear()

    def new_baseline(self) -> None:
        """From here on, 'before' means now."""
        self.before.clear()
        self.links_before.clear()
