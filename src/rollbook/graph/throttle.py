"""Microsoft's quotas as token buckets, and the pauses it asks for (graph.md section 9). Pure: time comes in as a number.

The application-wide and tenant-wide quotas are not known to one run; they are felt through 429 and its Retry-After.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rollbook.graph.protocol import Request


@dataclass(slots=True)
class Bucket:
    """`rate` tokens a second, at most `burst` at once."""

    rate: float
    burst: float
    level: float = field(init=False)
    at: float = 0.0

    def __post_init__(self) -> None:
        """A bucket begins full."""
        self.level = self.burst

    def ready_at(self, now: float) -> float:
        """When the next token is there."""
        self._fill(now)
        return now if self.level >= 1 else now + (1 - self.level) / self.rate

    def take(self, now: float) -> None:
        """Use one token up."""
        self._fill(now)
        self.level -= 1

    def _fill(self, now: float) -> None:
        self.level = min(self.burst, self.level + max(0.0, now - self.at) * self.rate)
        self.at = max(self.at, now)


WRITES_PER_SECOND = 3_000 / 150
WRITE_BURST = 200.0
SUSTAINED = 0.83
"""Teams judges a sustained rate at about this share of the listed value (section 9.4)."""
TEAMS_PER_SECOND = 10 * SUSTAINED
TEAM_WRITES_PER_SECOND = 30 * SUSTAINED
"""Roles on rosters, archiving: what is written to a team, and not to its group (section 9.4)."""

_TEAM_CREATION = re.compile(r"^/teams$")
_TEAM_WRITE = re.compile(r"^/teams/")


class Throttle:
    """When a write may go. `unlimited()` is for a tenant without quotas."""

    def __init__(self, writes: Bucket | None, teams: Bucket | None, team_writes: Bucket | None = None) -> None:
        self._writes = writes
        self._teams = teams
        self._team_writes = team_writes
        self._paused_until = 0.0

    @classmethod
    def documented(cls) -> Throttle:
        """Microsoft's quotas of one application in one tenant."""
        return cls(
            Bucket(WRITES_PER_SECOND, WRITE_BURST),
            Bucket(TEAMS_PER_SECOND, TEAMS_PER_SECOND),
            Bucket(TEAM_WRITES_PER_SECOND, TEAM_WRITES_PER_SECOND),
        )

    @classmethod
    def unlimited(cls) -> Throttle:
        """No quotas; pauses that are asked for are kept all the same."""
        return cls(None, None)

    def ready_at(self, request: Request, now: float) -> float:
        """The earliest moment at which this request may go."""
        buckets = [bucket for bucket in self._buckets(request) if bucket is not None]
        return max([now, self._paused_until, *(bucket.ready_at(now) for bucket in buckets)])

    def take(self, request: Request, now: float) -> None:
        """Count a request that goes now."""
        for bucket in self._buckets(request):
            if bucket is not None:
                bucket.take(now)

    def pause(self, until: float) -> None:
        """Microsoft rejected a request of ours: rejected calls count as usage, so nothing goes before `until`."""
        self._paused_until = max(self._paused_until, until)

    def _buckets(self, request: Request) -> list[Bucket | None]:
        """What a request draws from: Teams has quotas of its own, everything else is written to the directory."""
        if request.method == "POST" and _TEAM_CREATION.match(request.path):
            return [self._teams]
        return [self._team_writes if _TEAM_WRITE.match(request.path) else self._writes]
