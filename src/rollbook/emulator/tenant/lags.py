"""Eventual consistency: how long a write stays unseen, apart for each way of looking (graph.md section 13.15).

Microsoft gives no figures; these are chosen, seeded, and scale with the delays (docs/emulator-fidelity.md). Every look draws
anew, so that a later look may see less than an earlier one, as documented. Uniqueness is never delayed.
"""

from __future__ import annotations

import random
from enum import Enum


class View(Enum):
    """A way of looking at the tenant, with the longest time in tenant seconds a write may stay unseen by it."""

    BY_ID = 4.0
    LIST = 12.0
    LINKS = 6.0
    DELTA = 30.0
    LICENCES = 20.0
    CONSENT = 120.0


LONGEST = max(view.value for view in View)


class Lags:
    """Draws the lag of every look; none at all if the factor is None."""

    def __init__(self, seed: int, factor: float | None) -> None:
        self.active = factor is not None
        self._factor = factor or 0.0
        self._draw = random.Random(f"lags-{seed}")  # noqa: S311 - has to be repeatable

    @property
    def longest(self) -> float:
        """After this many tenant seconds everybody sees everything."""
        return LONGEST * self._factor

    def of(self, view: View) -> float:
        """How many tenant seconds this look is behind: mostly little, seldom much."""
        return view.value * self._factor * self._draw.random() ** 3 if self.active else 0.0

    def chance(self, share: float) -> bool:
        """Whether something that happens in this share of all cases happens now; never without lags."""
        return self.active and self._draw.random() < share
