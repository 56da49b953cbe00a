"""The transport cut at every request boundary in turn: before a request took effect or after, once or from then on."""

from __future__ import annotations

from chaos.bed import Bed, Unsettled, faults
from chaos.cases import Ended
from chaos.scenes import PHASES, scenes
from chaos.tap import AFTER, BEFORE

ONCE, DEAD = "once", "dead"
BEYOND = 2
"""Boundaries after the last one that was counted, because lanes may send a request more or less."""


def names() -> list[str]:
    """Every case."""
    return [
        f"cut-{phase}-{number}-{side}-{how}"
        for phase in PHASES
        for number in range(1, scenes()[phase].requests + BEYOND + 1)
        for side, how in ((BEFORE, ONCE), (AFTER, ONCE), (AFTER, DEAD))
    ]


def play(name: str) -> Ended:
    """One case. Where the connection stays dead, somebody mends it after the synchronization gave up."""
    _, phase, number, side, how = name.split("-")
    scene = scenes()[phase]
    bed = scene.begin()
    bed.tap.cuts[int(number)] = side
    if how == DEAD:
        bed.tap.dead_from = int(number) + 1
    said: list[str] = []
    try:
        said += bed.settle(mend=lambda: _mended(bed))
        found = tuple(faults(bed, scene.wanted))
    except Unsettled as unsettled:
        found = (str(unsettled), *faults(bed, scene.wanted))
    return Ended(name, found, len(said), (f"{side} request {number}",), tuple(said))


def _mended(bed: Bed) -> None:
    bed.tap.dead_from = None
