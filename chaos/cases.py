"""A case: one story with one disturbance, named so that the name alone plays it again; and what came of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a case: what is wrong (nothing, if all is well), how many synchronizations it took, what happened."""

    case: str
    faults: tuple[str, ...]
    synchronizations: int
    happened: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
