"""Relations between objects, both ways: members and owners of groups, members of administrative units, classes of schools.

Knows ids and the numbers of changes; which relation is allowed is decided by the calls.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping

from .changes import Changes
from .lags import View

Entry = tuple[int, float, str, str]
"""Number and time of a change, source, target."""
LONGEST_LOG = 100_000
_NOTHING: Mapping[str, int] = {}


class Links:
    """One kind of relation from sources (groups) to targets (users, groups)."""

    def __init__(self, kind: str, changes: Changes) -> None:
        self.kind = kind
        self._changes = changes
        self._targets: dict[str, dict[str, int]] = {}
        self._sources: dict[str, dict[str, None]] = {}
        self._gone: dict[str, dict[str, int]] = {}
        self._log: list[Entry] | None = None
        self._floor = 0
        self._recent: dict[str, list[tuple[float, str, bool]]] = {}
        self._count = 0

    @property
    def traces(self) -> str:
        """The kind under which cut relations are kept for delta."""
        return f"{self.kind}-cut"

    def of(self, source: str) -> Mapping[str, int]:
        """Targets of a source with the numbers of the changes that tied them, oldest first."""
        return self._targets.get(source, _NOTHING)

    def to(self, target: str) -> Iterable[str]:
        """Sources that lead to a target."""
        return tuple(self._sources.get(target, ()))

    def __len__(self) -> int:
        """How many relations there are."""
        return self._count

    def rows(self) -> Iterator[tuple[str, str, str, int]]:
        """Every relation, as the file keeps it."""
        yield from ((self.kind, s, t, number) for s, targets in self._targets.items() for t, number in targets.items())

    def trace_rows(self) -> Iterator[tuple[str, str, str, int]]:
        """The trace of every relation that was cut, as the file keeps it."""
        yield from ((self.traces, s, t, number) for s, targets in self._gone.items() for t, number in targets.items())

    def seen(self, source: str) -> Iterable[str]:
        """Targets of a source as a reader sees them, who may be a little behind."""
        recent = self._recent.get(source)
        if not recent:
            return self.of(source)
        now, lag = self._changes.now(), self._changes.lags.of(View.LINKS)
        if now - recent[-1][0] > self._changes.lags.longest:
            del self._recent[source]
            return self.of(source)
        targets = dict(self.of(source))
        for at, target, tied in reversed(recent):
            if now - at >= lag:
                break
            if tied:
                targets.pop(target, None)
            else:
                targets[target] = 0
        return targets

    def tie(self, source: str, target: str) -> None:
        """Make a relation, remembered for the journal and the baseline."""
        sequence = self._changes.following()
        self._changes.link(self.kind, source, target, sequence, self.of(source))
        gone = self._gone.get(source)
        if gone is not None and gone.pop(target, None) is not None:
            self._changes.trace(self.traces, source, target, None)
        self.load(source, target, sequence)
        self._note(sequence, source, target, tied=True)

    def load(self, source: str, target: str, sequence: int) -> None:
        """Put a relation that is kept already."""
        targets = self._targets.setdefault(source, {})
        self._count += target not in targets
        targets[target] = sequence
        self._sources.setdefault(target, {})[source] = None

    def load_trace(self, source: str, target: str, sequence: int) -> None:
        """Put the trace of a relation that was cut."""
        self._gone.setdefault(source, {})[target] = sequence

    def cut(self, source: str, target: str) -> None:
        """End a relation at once; nothing happens when there is none."""
        if target not in self.of(source):
            return
        sequence = self._changes.following()
        self._changes.link(self.kind, source, target, None, self.of(source))
        self._changes.trace(self.traces, source, target, sequence)
        self._gone.setdefault(source, {})[target] = sequence
        self._count -= 1
        del self._targets[source][target]
        del self._sources[target][source]
        if not self._targets[source]:
            del self._targets[source]
        if not self._sources[target]:
            del self._sources[target]
        self._note(sequence, source, target, tied=False)

    def cut_all(self, key: str) -> None:
        """End every relation from and to an object, because it is gone."""
        for target in tuple(self.of(key)):
            self.cut(key, target)
        for source in self.to(key):
            self.cut(source, key)

    def _note(self, sequence: int, source: str, target: str, *, tied: bool) -> None:
        if self._log is not None:
            self._log.append((sequence, self._changes.now(), source, target))
            if len(self._log) > LONGEST_LOG + 2 * self._count:
                half = len(self._log) // 2
                self._floor = self._log[half - 1][0]
                del self._log[:half]
        if self._changes.lags.active:
            self._recent.setdefault(source, []).append((self._changes.now(), target, tied))

    def changed_since(self, sequence: int) -> list[Entry]:
        """Number, time, source and target of every relation tied or cut after a change, in order."""
        if self._log is None:
            # Only who asks for delta pays for the log.
            self._log, self._floor = [], self._changes.sequence
        older: list[Entry] = []
        if sequence < self._floor:
            tables = (self._targets, self._gone)
            held = ((n, s, t) for tied in tables for s, ts in tied.items() for t, n in ts.items())
            older = [
                (n, 0.0, s, t) for n, s, t in sorted(entry for entry in held if sequence < entry[0] <= self._floor)
            ]
        return older + self._log[bisect_right(self._log, sequence, key=lambda entry: entry[0]) :]

    def difference(self, source: str, sequence: int) -> tuple[list[str], list[str]]:
        """Targets tied after a change, and targets cut after it, of one source."""
        tied = [target for target, number in self.of(source).items() if number > sequence]
        cut = [target for target, number in self._gone.get(source, _NOTHING).items() if number > sequence]
        return tied, cut
