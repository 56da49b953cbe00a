"""The last requests, each with what became of it and why it was refused: what an administrator of an emulator looks at first."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from .clock import iso
from .wire import Record

KEPT = 5_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One call: number, tenant time, application, method, path with query, status, and code and message of a refusal."""

    number: int
    at: float
    app: str
    method: str
    address: str
    status: int
    code: str
    reason: str

    def as_json(self) -> Record:
        """As the control call tells it."""
        return {
            "number": self.number,
            "at": iso(self.at),
            "app": self.app,
            "method": self.method,
            "address": self.address,
            "status": self.status,
            "code": self.code,
            "reason": self.reason,
        }


class Transcript:
    """The last KEPT calls."""

    def __init__(self) -> None:
        self._rows: deque[tuple[int, float, str, str, str, int, str, str]] = deque(maxlen=KEPT)
        self._number = 0

    def note(self, at: float, app: str, method: str, address: str, status: int, code: str, reason: str) -> None:
        """One more call."""
        self._number += 1
        self._rows.append((self._number, at, app, method, address, status, code, reason))

    def clear(self) -> None:
        """Forget all of them."""
        self._rows.clear()

    def latest(self, limit: int, *, refused: bool = False) -> Iterator[Entry]:
        """The newest calls first, all or only those that were refused."""
        for row in reversed(self._rows):
            if limit <= 0:
                return
            if not refused or row[5] >= 400:
                limit -= 1
                yield Entry(*row)
