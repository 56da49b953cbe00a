"""Faults on demand: a refusal, a delay, or a connection that ends before or after the write took effect. Also inside a batch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .wire import Refusal


@dataclass(slots=True)
class Fault:
    """What happens to the next `times` calls whose method and path match: `kind` is status, latency, close-before, close-after."""

    pattern: re.Pattern[str]
    kind: str
    times: int
    status: int
    retry_after: int | None
    seconds: float

    @classmethod
    def read(cls, given: dict[str, Any]) -> Fault:
        """A fault from its JSON form; `ValueError` where it makes no sense."""
        kind = given.get("kind", "status")
        if kind not in ("status", "latency", "close-before", "close-after"):
            raise ValueError(f"no such kind of fault: {kind}")
        return cls(
            re.compile(given["match"]),
            kind,
            int(given.get("times", 1)),
            int(given.get("status", 503)),
            given.get("retry_after"),
            float(given.get("seconds", 0)),
        )


class CloseConnection(Exception):
    """The connection has to end without an answer."""


class Faults:
    """The faults that are waiting to happen."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def set(self, faults: list[Fault]) -> None:
        """Replace all waiting faults."""
        self._waiting = list(faults)

    def take(self, call: str) -> Fault | None:
        """The first waiting fault that matches "METHOD /path", used up by one."""
        for fault in self._waiting:
            if fault.pattern.search(call):
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None


CODES = {429: "TooManyRequests", 503: "ServiceUnavailable", 500: "InternalServerError", 504: "GatewayTimeout"}


def refusal(fault: Fault) -> Refusal:
    """The refusal a status fault is answered with."""
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return Refusal(
        fault.status, CODES.get(fault.status, "UnknownError"), "A fault that was asked for.", headers=headers
    )
