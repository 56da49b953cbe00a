"""Cases by name, played in a process that has an installation of its own."""

from __future__ import annotations

import logging
import traceback

from chaos import installation
from chaos.cases import Ended


def begin() -> None:
    """What a process that plays cases needs."""
    installation.begin()
    logging.disable(logging.ERROR)


def play(name: str) -> Ended:
    """The case of this name, played; a crash of the product or of the play is a fault too."""
    from chaos import cuts, kills, storms

    short = {"kills": 2, "people": 60, "deliveries": 2}
    try:
        match name.split("-")[0]:
            case "cut":
                return cuts.play(name)
            case "kill":
                return kills.play(name, **short) if name.endswith("short") else kills.play(name)
            case _:
                return storms.play(name)
    except Exception:
        return Ended(name, (traceback.format_exc(),), 0)


def cut_names() -> list[str]:
    """Every request boundary, by name."""
    from chaos import cuts

    return cuts.names()
