"""Relations between objects, both ways: members and owners of groups, and who is on a team's roster.

Knows ids and times; which relation is allowed is decided by the calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .changes import Changes

_NOTHING: Mapping[str, Span] = {}


@dataclass(frozen=True, slots=True)
class Span:
    """From when a relation holds, and until when (None: open), in tenant seconds since 1970."""

    since: float
    until: float | None = None

    def holds(self, now: float) -> bool:
        """Whether the relation is in force at that moment."""
        return self.since <= now and (self.until is None or now < self.until)


class Links:
    """One kind of relation from sources (groups) to targets (users, groups)."""

    def __init__(self, kind: str, changes: Changes) -> None:
        self.kind = kind
        self._changes = changes
        self._targets: dict[str, dict[str, Span]] = {}
        self._sources: dict[str, dict[str, None]] = {}

    def of(self, source: str) -> Mapping[str, Span]:
        """Targets of a source with their spans, oldest first."""
        return self._targets.get(source, _NOTHING)

    def to(self, target: str) -> Iterable[str]:
        """Sources that lead to a target."""
        return tuple(self._sources.get(target, ()))

    def __len__(self) -> int:
        """How many relations there are."""
        return sum(map(len, self._targets.values()))

    def tie(self, source: str, target: str, span: Span) -> None:
        """Make or replace a relation, remembered for the journal and the baseline."""
        self._changes.link(self.kind, source, target, span.since, span.until, dict(self.of(source)))
        self.load(source, target, span)

    def load(self, source: str, target: str, span: Span) -> None:
        """Put a relation that is kept already."""
        self._targets.setdefault(source, {})[target] = span
        self._sources.setdefault(target, {})[source] = None

    def cut(self, source: str, target: str) -> None:
        """End a relation at once; nothing happens when there is none."""
        if target not in self.of(source):
            return
        self._changes.link(self.kind, source, target, None, None, dict(self.of(source)))
        del self._targets[source][target]
        del self._sources[target][source]
        if not self._targets[source]:
            del self._targets[source]
        if not self._sources[target]:
            del self._sources[target]

    def cut_all(self, key: str) -> None:
        """End every relation from and to an object, because it is gone."""
        for target in tuple(self.of(key)):
            self.cut(key, target)
        for source in self.to(key):
            self.cut(source, key)
