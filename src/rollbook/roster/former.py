"""What the register said before a delivery, as far as the delivery is read by it. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from rollbook.roster.periods import YEAR

GROUPED = {"class_id": pl.String, "group_id": pl.String, "begin": pl.Date, "end": pl.Date}


@dataclass(frozen=True, slots=True)
class Former:
    """What was known before: nothing, by default.

    `classes` (schema GROUPED) are the groups classes had, with the dates of their school years; a class that is its own group
    stands there only if it should stay so. `years` (schema periods.YEAR) are all school years the register ever had. On `day`
    and later, enrolments that ended by then do not count; None: all count. Where groups are derived anew, classes do not `keep` theirs.
    """

    classes: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=GROUPED))
    years: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=YEAR))
    day: dt.date | None = None
    keep: bool = True


Recall = Callable[[str, str], Former]
"""What was known of an institute, asked by the roster format and the institute's sourced id."""


def nothing_known(_format: str, _institute: str) -> Former:
    """Nothing: a delivery that is looked at by itself."""
    return Former()
