"""Who is told how far an act is."""

from __future__ import annotations

from dataclasses import dataclass

from rollbook.apply.ports import Progress, silent
from rollbook.sync import Tell, quiet


@dataclass(frozen=True, slots=True)
class Show:
    """`tell` hears that a stage of unknown length begins, `progress` how much of a stage is done, `note` what is worth knowing."""

    tell: Tell = quiet
    progress: Progress = silent
    note: Tell = quiet


UNSEEN = Show()
