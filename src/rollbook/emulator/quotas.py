"""Microsoft's quotas as token buckets (graph.md section 9): what is over them is answered 429 with Retry-After.

This first version keeps the three that one application in one tenant meets: identity writes, identity resource units, and
team creation. Rejected calls count as usage while throttled.
"""

from __future__ import annotations

from dataclasses import dataclass

from .clock import Clock
from .wire import Refusal


@dataclass(slots=True)
class Bucket:
    """`size` tokens in `seconds`; `rate` of them come back each second."""

    size: float
    seconds: float
    level: float
    at: float

    def take(self, cost: float, now: float) -> float:
        """Take `cost` tokens; returns 0, or the seconds until they are there."""
        rate = self.size / self.seconds
        self.level = min(self.size, self.level + (now - self.at) * rate)
        self.at = now
        self.level = max(-self.size * 0.1, self.level - cost)
        return 0.0 if self.level >= 0 else -self.level / rate


class Quotas:
    """The quotas of the one application in the one tenant; none of them if the scale is None."""

    def __init__(self, clock: Clock, scale: float | None) -> None:
        self._clock = clock
        self._on = scale is not None
        now, factor = clock.now(), scale or 1.0
        self.writes = Bucket(3_000 * factor, 150, 3_000 * factor, now)
        self.units = Bucket(8_000 * factor, 10, 8_000 * factor, now)
        self.teams = Bucket(10 * factor, 1, 10 * factor, now)

    def spend(self, method: str, kind: str, *, selects: bool) -> None:
        """Count one call; 429 if it is over a quota."""
        if not self._on:
            return
        now = self._clock.now()
        if method == "POST" and kind == "POST /teams":
            self._take(self.teams, 1, now, "WriteLimitExceeded", "Write")
        elif method != "GET":
            self._take(self.writes, 1, now, "WriteLimitExceeded", "Write")
        self._take(
            self.units, resource_units(method, kind, selects=selects), now, "ResourceUnitLimitExceeded", "ReadWrite"
        )

    def _take(self, bucket: Bucket, cost: float, now: float, information: str, scope: str) -> None:
        wait = bucket.take(cost, now)
        if wait:
            headers = {
                "Retry-After": str(self._clock.wall_seconds(wait)),
                "x-ms-throttle-information": information,
                "x-ms-throttle-scope": f"Tenant_Application/{scope}",
            }
            raise Refusal(429, "TooManyRequests", "Too many requests.", headers=headers)


UNITS = {
    "GET /users": 2,
    "GET /groups/{id}/{relation:members,owners}": 3,
    "GET /subscribedSkus": 3,
}


def resource_units(method: str, kind: str, *, selects: bool) -> int:
    """What a call costs: the table of section 9.2, one less with $select, never below one."""
    return max(1, UNITS.get(kind, 1) - (1 if selects and method == "GET" else 0))
