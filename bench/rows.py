"""A measured row: name, value, unit, the bound measured beside it, their ratio, the target, and whether it holds."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """`ratio` is value / bound; it holds if `ratio` is at most `target` (or at least, for a floor)."""

    name: str
    value: float
    unit: str
    bound: float
    target: float
    floor: bool = False

    @property
    def ratio(self) -> float:
        """How many times the bound."""
        return self.value / self.bound

    @property
    def holds(self) -> bool:
        """Whether the target is met."""
        return self.ratio >= self.target if self.floor else self.ratio <= self.target

    def as_json(self) -> dict[str, object]:
        """The row as `make bench` prints it."""
        entries = asdict(self)
        del entries["floor"]
        entries |= {"value": round(self.value, 4), "bound": round(self.bound, 4)}
        return entries | {"ratio": round(self.ratio, 3), "holds": self.holds}


def seconds(work: Callable[[], object], repeats: int = 5, before: Callable[[], object] = lambda: None) -> float:
    """The median time of `work`, in seconds, after one run that is not counted; `before` is run, untimed, before each."""
    before()
    work()
    times = []
    for _ in range(repeats):
        before()
        gc.collect()
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
