"""Faults on demand or by chance: refusals, delays, connections that end before or after the write took effect, cut bodies."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Any

from .wire import Refusal

KINDS = ("status", "latency", "close-before", "close-after", "truncate")


@dataclass(slots=True)
class Fault:
    """What happens to calls whose "METHOD /path" matches.

    kind: one of KINDS. times: to how many of them. chance: with which likelihood, under the emulator's seed.
    status, code, retry_after: of a status fault. seconds: wall seconds of a latency fault.
    """

    pattern: re.Pattern[str]
    kind: str
    times: int
    chance: float
    status: int
    code: str
    retry_after: int | None
    seconds: float

    @classmethod
    def read(cls, given: dict[str, Any]) -> Fault:
        """A fault from its JSON form; `ValueError` where it makes no sense."""
        kind = given.get("kind", "status")
        if kind not in KINDS:
            raise ValueError(f"no such kind of fault: {kind}; there are {', '.join(KINDS)}")
        unknown = given.keys() - {"match", "kind", "times", "chance", "status", "code", "retry_after", "seconds"}
        if unknown:
            raise ValueError(f"a fault has no {sorted(unknown)[0]}")
        chance = float(given.get("chance", 1.0))
        if not 0 < chance <= 1:
            raise ValueError("the chance of a fault is above 0 and at most 1")
        status = int(given.get("status", 503))
        return cls(
            re.compile(given.get("match", "")),
            kind,
            int(given.get("times", 1 if chance == 1.0 else 1_000_000_000)),
            chance,
            status,
            str(given.get("code", CODES.get(status, "UnknownError"))),
            given.get("retry_after"),
            float(given.get("seconds", 0)),
        )

    def as_json(self) -> dict[str, Any]:
        """As the control call tells it."""
        return {"match": self.pattern.pattern, "kind": self.kind, "times": self.times, "chance": self.chance}


class CloseConnection(Exception):
    """The connection has to end without an answer."""


class Faults:
    """The faults that are waiting to happen."""

    def __init__(self, seed: int) -> None:
        self.waiting: list[Fault] = []
        self._seed = seed
        self._draw = random.Random(f"faults-{seed}")  # noqa: S311 - chance has to be repeatable

    def set(self, faults: list[Fault]) -> None:
        """Replace all waiting faults; chance begins anew."""
        self.waiting = list(faults)
        self._draw = random.Random(f"faults-{self._seed}")  # noqa: S311

    def take(self, call: str) -> Fault | None:
        """The first waiting fault that happens to "METHOD /path", used up by one."""
        for fault in self.waiting:
            if fault.pattern.search(call) and (fault.chance == 1.0 or self._draw.random() < fault.chance):
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return None


CODES = {
    409: "Directory_ConcurrencyViolation",
    429: "TooManyRequests",
    500: "InternalServerError",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}


def refusal(fault: Fault) -> Refusal:
    """The refusal a status fault is answered with."""
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return Refusal(fault.status, fault.code, "A fault that was asked for.", headers=headers)
