"""When a request may go: Microsoft's quotas as token buckets, and the pauses it asks for (graph.md section 9).

Pure: time comes in as a number. Shared by the reader's and the writer's threads. What Microsoft says of its own count
(`x-ms-throttle-limit-percentage`) wins over ours, so that a run slows down before it is refused: others may draw on the same quota.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rollbook.graph.protocol import Answer, Request
from rollbook.graph.quotas import SHARED, UNITS_LARGE, Draw, Quota, Scope, draws, units_quota

PERCENTAGE = "x-ms-throttle-limit-percentage"
"""0.8 to 1.8, told above 80 % only; from 1.0 on requests are rejected (section 9.2)."""

AGAIN = 1.0
"""Seconds after which a budget that had nothing to lend is asked again."""


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

    def ready_at(self, now: float, cost: float = 1.0) -> float:
        """When so many tokens are there; more than it ever holds are there when it is full."""
        self._fill(now)
        missing = min(cost, self.burst) - self.level
        return now if missing <= 0 else now + missing / self.rate

    def take(self, now: float, cost: float = 1.0) -> None:
        """Use tokens up."""
        self._fill(now)
        self.level -= cost

    def lower(self, now: float, level: float) -> None:
        """No more than `level` is left; below zero it has to come back first."""
        self._fill(now)
        self.level = min(self.level, level)

    def _fill(self, now: float) -> None:
        self.level = min(self.burst, self.level + max(0.0, now - self.at) * self.rate)
        self.at = max(self.at, now)


class Budget(Protocol):
    """Lends blocks of the quotas that several workers share."""

    def lease(self, quota: Quota, wanted: float) -> float:
        """How much of what is wanted may be used by this worker; it is taken from the others at once."""
        ...

    def give_back(self, quota: Quota, left: float) -> None:
        """Return what was lent and not used."""
        ...


@dataclass(slots=True)
class Lent:
    """What is left of the blocks a budget lent to this worker."""

    quota: Quota
    budget: Budget
    level: float = 0.0
    refused_at: float | None = None

    def ready_at(self, now: float, cost: float) -> float:
        """Now, if as much is there or was lent; else when to ask again."""
        if self.level >= cost:
            return now
        if self.refused_at is not None and now < self.refused_at + AGAIN:
            return self.refused_at + AGAIN
        self.level += self.budget.lease(self.quota, max(cost, block(self.quota)))
        self.refused_at = None if self.level >= cost else now
        return now if self.level >= cost else now + AGAIN

    def take(self, cost: float) -> None:
        """Use it up."""
        self.level -= cost


def block(quota: Quota) -> float:
    """How much of a shared quota is lent at once: what comes back in a few seconds. What a killed worker had is lost, so it is little."""
    return max(1.0, round(min(5 * quota.rate, quota.size / 50)))


class Throttle:
    """When a request may go. `unlimited()` is for a tenant without quotas."""

    def __init__(self, *, limited: bool, budget: Budget | None = None, users: int | None = None) -> None:
        self._limited = limited
        self._budget = budget
        self._units = UNITS_LARGE if users is None else units_quota(users)
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._lent: dict[str, Lent] = {}
        self._paused: dict[tuple[str, str], float] = {}
        self._paused_until = 0.0
        # Lanes and reading threads draw from the same buckets.
        self._lock = threading.RLock()

    @classmethod
    def documented(cls, budget: Budget | None = None) -> Throttle:
        """Microsoft's quotas of one application in one tenant; what several workers share is lent by `budget`."""
        return cls(limited=True, budget=budget)

    @classmethod
    def unlimited(cls) -> Throttle:
        """No quotas; pauses that are asked for are kept all the same."""
        return cls(limited=False)

    def tenant_has(self, users: int) -> None:
        """Small tenants may be read more slowly (section 9.2)."""
        self._units = units_quota(users)

    def ready_at(self, request: Request, now: float, count: int = 1) -> float:
        """The earliest moment at which `count` requests like this one may go, or as many as ever may at once."""
        with self._lock:
            moments = [now, self._paused_until]
            for draw in self._draws(request):
                moments.append(self._paused.get((draw.quota.name, draw.each), 0.0))
                if draw.quota.scope != Scope.APPLICATION:
                    moments.append(self._bucket(draw, now).ready_at(now, draw.cost * count))
                # What is lent is asked for last, and only once it could be used.
            if max(moments) <= now:
                moments += [lent.ready_at(now, cost * count) for lent, cost in self._lenders(request)]
            return max(moments)

    def take(self, request: Request, now: float) -> None:
        """Count a request that goes now."""
        with self._lock:
            for draw in self._draws(request):
                if draw.quota.scope != Scope.APPLICATION:
                    self._bucket(draw, now).take(now, draw.cost)
            for lent, cost in self._lenders(request):
                lent.take(cost)

    def admit(self, requests: Sequence[Request], now: float) -> float:
        """Count these reads, which go together, and return when they may go."""
        with self._lock:
            due = now
            for request in requests:
                due = max(due, self.ready_at(request, now))
                self.take(request, now)
            return due

    def pause(self, until: float, request: Request | None = None) -> None:
        """Microsoft rejected a request of ours: rejected calls count as usage, so nothing like it goes before `until`."""
        with self._lock:
            if request is None or not self._limited:
                self._paused_until = max(self._paused_until, until)
                return
            for draw in self._draws(request):
                key = (draw.quota.name, draw.each)
                self._paused[key] = max(self._paused.get(key, 0.0), until)

    def told(self, request: Request, answer: Answer, now: float) -> None:
        """Take over Microsoft's own count of the quotas this request draws from, where it has used up more than we know of."""
        text = answer.header(PERCENTAGE)
        if not self._limited or text is None or not text.replace(".", "", 1).isdigit():
            return
        left = 1 - float(text)
        with self._lock:
            # It is told of the quota in which most is used, without its name: for us, that is the one with least left.
            own = [draw for draw in self._draws(request) if draw.quota.scope == Scope.OURS]
            fullest = min(own, key=lambda draw: self._bucket(draw, now).level / draw.quota.burst)
            self._bucket(fullest, now).lower(now, left * fullest.quota.size)

    def family(self, request: Request) -> tuple[tuple[str, str], ...]:
        """What requests have in common that draw from the same quotas."""
        return tuple((draw.quota.name, draw.each) for draw in self._draws(request))

    def _draws(self, request: Request) -> Iterable[Draw]:
        if not self._limited:
            return ()
        return [Draw(self._units, draw.cost) if draw.quota is UNITS_LARGE else draw for draw in draws(request)]

    def _lenders(self, request: Request) -> list[tuple[Lent, float]]:
        """Whom this request draws on that lends in blocks, and how much."""
        if self._budget is None or not self._limited:
            return []
        shared = [draw for draw in draws(request) if draw.quota in SHARED]
        return [(self._lent.setdefault(draw.quota.name, Lent(draw.quota, self._budget)), draw.cost) for draw in shared]

    def give_back(self) -> None:
        """Return what was lent and not used."""
        with self._lock:
            for lent in self._lent.values():
                lent.budget.give_back(lent.quota, max(0.0, lent.level))
            self._lent.clear()

    def _bucket(self, draw: Draw, now: float) -> Bucket:
        key = (draw.quota.name, draw.each)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(draw.quota.rate, draw.quota.burst)
            bucket.at = now
        return bucket
