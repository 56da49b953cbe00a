"""The wire between Rollbook and the emulated tenant, on which requests are counted, cut, doubled, or make something happen.

The requests are real ones, over real HTTP; what is cut ends with its connection, as the emulator ends one. Calls are never two at
once (the emulator answers in one thread), so the same numbers meet the same requests as far as the client asks in the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rollbook.emulator.faults import CloseConnection

BEFORE, AFTER, TWICE = "before", "after", "twice"


@dataclass(slots=True)
class Tap:
    """Counts the requests of the product, sign-in among them, from 1.

    cuts: what happens to which request: its connection ends before or after it took effect, or it arrives twice. dead_from: from
    this request on every connection ends. happens: what somebody does just before a request.
    """

    seen: int = 0
    cuts: dict[int, str] = field(default_factory=dict)
    dead_from: int | None = None
    happens: dict[int, list[Callable[[], None]]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    def clear(self) -> None:
        """Nothing happens any more; counting begins anew."""
        self.seen, self.cuts, self.dead_from, self.happens = 0, {}, None, {}

    def attach(self, running: Any) -> None:
        """Stand before everything the emulator answers for the product."""
        graph, signin = running.application.graph, running.application.signin
        graph.answer = self._tapped(graph.answer)
        signin.answer = self._tapped(signin.answer)

    def _tapped(self, answer: Callable[..., Any]) -> Callable[..., Any]:
        def tapped(*asked: Any) -> Any:
            self.seen += 1
            for act in self.happens.pop(self.seen, ()):
                act()
            if self.dead_from is not None and self.seen >= self.dead_from:
                raise CloseConnection
            how = self.cuts.pop(self.seen, None)
            if how == BEFORE:
                raise CloseConnection
            given = answer(*asked)
            if how == TWICE:
                given = answer(*asked)
            if how == AFTER:
                raise CloseConnection
            return given

        return tapped
