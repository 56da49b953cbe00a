"""The emulator's one clock, which may run faster than the wall and be pushed forward.

Knows time only. Quotas, delays, tokens and time stamps all read this clock, so they keep their proportions.
"""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime


class Clock:
    """Seconds since 1970 as the emulated tenant sees them."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._started = time.time()
        self._ahead = 0.0

    def now(self) -> float:
        """The tenant's time in seconds since 1970; never behind a time it was told to have reached."""
        wall = time.time()
        return self._started + (wall - self._started) * self.speed + self._ahead

    def wall(self) -> float:
        """The wall clock, for what others judge by theirs."""
        return time.time()

    def advance(self, seconds: float) -> None:
        """Jump forward by that many tenant seconds."""
        self._ahead += seconds

    def catch_up(self, reached: float) -> None:
        """Make sure the clock is not behind `reached`: a restart must not travel back in time."""
        self._ahead += max(0.0, reached - self.now())

    def wall_seconds(self, seconds: float) -> int:
        """How many whole seconds a client on the wall clock has to wait for `seconds` of tenant time; at least 1."""
        return max(1, math.ceil(seconds / self.speed))


def iso(moment: float) -> str:
    """The moment as Graph writes it, UTC with a Z, to the second."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
