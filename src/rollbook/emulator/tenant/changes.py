"""What changed: rows still to be kept, and what the tenant was like at the baseline of the counters.

Knows old and new rows only; what a change costs is counted elsewhere.
"""

from __future__ import annotations

from ..wire import Record
from .journal import LinkRow, Row

Targets = dict[str, frozenset[str]]
"""Kind of relation -> ids it led to."""


class Changes:
    """Collects the unsaved rows of one tenant and remembers originals since the baseline."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.before: dict[tuple[str, str], Record | None] = {}
        self.links_before: dict[tuple[str, str], frozenset[str]] = {}
        self._records: dict[tuple[str, str], Record | None] = {}
        self._links: dict[tuple[str, str, str], tuple[float | None, float | None]] = {}

    def record(self, kind: str, key: str, old: Record | None, new: Record | None) -> None:
        """Note that a record became `new`; None on either side means absent."""
        self._records[kind, key] = new
        self.before.setdefault((kind, key), old)

    def link(
        self, kind: str, source: str, target: str, since: float | None, until: float | None, others: dict[str, object]
    ) -> None:
        """Note a link made (since) or cut (None); `others` are the links of that source before the change."""
        self._links[kind, source, target] = (since, until)
        if (kind, source) not in self.links_before:
            self.links_before[kind, source] = frozenset(others)

    def unsaved(self) -> tuple[list[Row], list[LinkRow]]:
        """The rows to be committed."""
        rows: list[Row] = [(self.number, kind, key, body) for (kind, key), body in self._records.items()]
        links: list[LinkRow] = [(self.number, *triple, *times) for triple, times in self._links.items()]
        return rows, links

    def saved(self) -> None:
        """Forget the unsaved rows, because they are kept now."""
        self._records.clear()
        self._links.clear()

    def new_baseline(self) -> None:
        """From here on, 'before' means now."""
        self.before.clear()
        self.links_before.clear()
