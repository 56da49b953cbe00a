"""What starts a synchronization by itself while a profile runs: its schedule, and changes in the register (product.md section 3).

The times of a schedule are numbered, so that each comes once however many workers look, and one that was missed is made up once. Every
so many minutes is counted in UTC, where no hour comes twice; the nightly one is a time of the institute's clock, one a day.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from rollbook.profiles.part import Part

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Starts(Part):
    """What starts a synchronization by itself, besides whoever asks for one."""

    every_minutes: int | None = Field(
        default=120,
        ge=5,
        le=1440,
        description=(
            "Minutes between two looks at whatever changed, in the register and at Microsoft; by default two hours, as often as most "
            "registers are delivered. Empty: never by itself."
        ),
    )
    full_at: dt.time | None = Field(
        default=dt.time(2, 30),
        description=(
            "When everything is looked at and the tenant read anew, once a day by the institute's clock, such as 02:30. It finds what "
            "the others missed. Empty: never by itself."
        ),
    )
    on_change: Literal["always", "creation", "never"] = Field(
        default="always",
        description=(
            "Whether a change in the register starts a synchronization of whom it concerns within seconds: always; only for people who "
            "have no account yet (creation); or never, so that it waits for the schedule."
        ),
    )


@dataclass(frozen=True, slots=True)
class Moment:
    """One time of a schedule: `name` is its own among all of an institute, `at` when it came."""

    name: str
    at: dt.datetime


def last_look(starts: Starts, now: dt.datetime) -> Moment | None:
    """The last time that came for a look at what changed."""
    if starts.every_minutes is None:
        return None
    length = dt.timedelta(minutes=starts.every_minutes)
    number = (now - EPOCH) // length
    return Moment(f"every-{starts.every_minutes}:{number}", EPOCH + number * length)


def last_full(starts: Starts, now: dt.datetime, zone: ZoneInfo) -> Moment | None:
    """The last time that came for a look at everything.

    Where the clock goes forward over it, it comes as much later as the clock went; where the hour comes twice, it is the first.
    """
    if starts.full_at is None:
        return None
    today = now.astimezone(zone).date()
    for day in (today, today - dt.timedelta(days=1)):
        at = dt.datetime.combine(day, starts.full_at, zone).astimezone(dt.UTC)
        if at <= now:
            return Moment(f"full:{day.isoformat()}", at)
    return None
