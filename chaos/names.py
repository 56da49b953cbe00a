"""What the name of a random schedule says before it is played."""

from __future__ import annotations

import random

DOCUMENTED, KEPT = 0.35, 0.2
"""How likely a schedule is played in which tenant."""


def flavour(draw: random.Random) -> tuple[bool, bool]:
    """In which tenant a schedule is played: one with quotas, delays and lags, one that is kept in a file and started anew."""
    return draw.random() < DOCUMENTED, draw.random() < KEPT


def is_quick(name: str) -> bool:
    """Whether the schedule of this seed is played in a tenant that takes no time."""
    return flavour(random.Random(name)) == (False, False)
