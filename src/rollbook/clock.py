"""The only module of the product that imports time: what it is now, and how to wait.

Everything else receives a `Clock`, so that tests own time and never wait.
"""

from __future__ import annotations

import datetime as dt
import time
from typing import Protocol


class Clock(Protocol):
    """Now and sleep. `monotonic` counts seconds from an arbitrary start and never goes back."""

    def now(self) -> dt.datetime:
        """The current moment, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; for durations and due times."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> dt.datetime:
        """The current moment, aware, in UTC."""
        return dt.datetime.now(dt.UTC)

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment before the process started."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block this thread for `seconds`."""
        time.sleep(seconds)


class FasterClock:
    """Time that runs `speed` times as fast as the machine's, for an emulated tenant whose clock does (`emulator serve --speed`)."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._began = dt.datetime.now(dt.UTC)
        self._zero = time.monotonic()

    def now(self) -> dt.datetime:
        """The current moment of that time, aware, in UTC."""
        return self._began + dt.timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Seconds of that time since the clock was made."""
        return (time.monotonic() - self._zero) * self._speed

    def sleep(self, seconds: float) -> None:
        """Block this thread for `seconds` of that time."""
        time.sleep(seconds / self._speed)
