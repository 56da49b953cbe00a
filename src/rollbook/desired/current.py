"""Which enrolments, teachings and people count on a given day. Dates are the institute's own, half-open."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from rollbook.errors import InputRefused
from rollbook.profiles import Profile
from rollbook.roster.tables import Roster
from rollbook.roster.vocabulary import UserType

END_OF_YEAR_DAYS = 14
"""An enrolment that ends this close to the last lessons of its school year ran to the year's end."""


@dataclass(frozen=True, slots=True)
class Counting:
    """What counts on one day under a profile, found once for everybody who asks.

    The frames are what `academic_periods`, `current_enrolments`, `current_teachings` and `registered` return.
    """

    periods: pl.DataFrame
    enrolments: pl.DataFrame
    teachings: pl.DataFrame
    registered: pl.DataFrame


def counting(roster: Roster, profile: Profile, as_of: dt.date) -> Counting:
    """The periods, enrolments, teachings and people that count on `as_of`."""
    years, here = academic_periods(roster, profile, as_of), registered(roster, as_of)
    classes = roster.classes.select("klass", "period").join(years, on="period").drop("period")
    lead = profile.users.lead_days
    enrolments, teachings = (
        _current(rows, here, classes, as_of, lead)
        for rows in (roster.enrolments.select("enrolment", *SPAN), roster.teachings.select("teacher_type", *SPAN))
    )
    return Counting(years, enrolments, teachings.select("person", "klass", "teacher_type", "begin"), here)


def among(key: str, rows: pl.DataFrame) -> pl.Expr:
    """Whether the column `key` is among that of `rows`: of many rows and few keys, sooner than by a semi-join."""
    return pl.col(key).is_in(rows[key].implode())


def academic_periods(roster: Roster, profile: Profile, as_of: dt.date) -> pl.DataFrame:
    """[period, closing, next_begin]: the school years that count on `as_of`; the profile's own, if it names one.

    Otherwise the one that holds the day, else the last one before it, else the first to come; and one that begins within the
    lead days. A year without any enrolment yet does not count, so that a year change never empties a school. `closing` is
    the day from which an end means the year's end; `next_begin` when the next year with enrolments begins, null if none.
    """
    periods = roster.academic_periods
    if periods.is_empty():
        raise InputRefused(
            "The register has no academic period, so no enrolment can be current.",
            remedy="Deliver academicSessions.csv with a school year or terms.",
        )
    taught = pl.concat([roster.enrolments["klass"].unique(), roster.teachings["klass"].unique()])
    busy = roster.classes.filter(pl.col("klass").is_in(taught.implode())).select("period").unique()
    used = periods.join(busy, on="period", how="semi")
    used = periods if used.is_empty() else used
    lessons = roster.marking_periods.group_by("period").agg(last=pl.col("end").max())
    chosen = _named(periods, profile) if profile.academic_period is not None else _around(used, profile, as_of)
    begins = used.select(next_begin="begin").drop_nulls()
    following = (
        chosen.select("period", "begin")
        .join_where(begins, pl.col("next_begin") > pl.col("begin"))
        .group_by("period")
        .agg(pl.col("next_begin").min())
    )
    last_day = pl.min_horizontal("end", "last")
    return (
        chosen.join(lessons, on="period", how="left")
        .join(following, on="period", how="left")
        .select("period", closing=last_day - pl.duration(days=END_OF_YEAR_DAYS), next_begin="next_begin")
        .sort("period")
    )


def _named(periods: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    named = periods.filter(pl.col("sourced_id") == profile.academic_period)
    if named.is_empty():
        raise InputRefused(
            f"The profile names the academic period {profile.academic_period!r}, which the register does not have.",
            remedy="Choose one of: " + ", ".join(periods["sourced_id"].to_list()) + ".",
        )
    return named


def _around(used: pl.DataFrame, profile: Profile, as_of: dt.date) -> pl.DataFrame:
    """The year that counts on a day, and the one that begins within the lead days."""
    begun = used.filter(pl.col("begin").is_null() | (pl.col("begin") <= as_of)).sort(
        "begin", "period", nulls_last=False
    )
    holding = begun.filter(pl.col("end").is_null() | (pl.col("end") > as_of))
    present = holding.tail(1) if holding.height else begun.tail(1)
    coming = used.filter(pl.col("begin") > as_of).sort("begin", "period")
    if present.is_empty():
        return coming.head(1)
    soon = coming.filter(pl.col("begin") <= as_of + dt.timedelta(days=profile.users.lead_days))
    return pl.concat([present, soon])


def _begun(as_of: dt.date, lead_days: int) -> pl.Expr:
    """Begun, or beginning within the lead."""
    return (pl.col("begin") <= as_of + dt.timedelta(days=lead_days)).fill_null(value=True)


def _lasting(as_of: dt.date) -> pl.Expr:
    """Not ended: the end day itself is outside."""
    return (pl.col("end") > as_of).fill_null(value=True)


def _over_summer(as_of: dt.date) -> pl.Expr:
    """What ran to the end of its school year goes on counting until the next one begins: a summer never empties a school."""
    between_years = pl.col("next_begin").is_null() | (pl.col("next_begin") > as_of)
    return (pl.col("end") >= pl.col("closing")).fill_null(value=False) & between_years


def current_enrolments(roster: Roster, profile: Profile, as_of: dt.date) -> pl.DataFrame:
    """Current enrolments of active students: [enrolment, person, klass, begin]."""
    return counting(roster, profile, as_of).enrolments


def current_teachings(roster: Roster, profile: Profile, as_of: dt.date) -> pl.DataFrame:
    """Current teachings of active people: [person, klass, teacher_type, begin]."""
    return counting(roster, profile, as_of).teachings


SPAN = ("person", "klass", "begin", "end")


def registered(roster: Roster, as_of: dt.date) -> pl.DataFrame:
    """[person] of everybody who is active and whose registration has not ended; the end day itself is outside."""
    ended = (pl.col("registration_end") <= as_of).fill_null(value=False)
    return roster.people.filter(pl.col("active") & ~ended).select("person")


def _current(
    rows: pl.DataFrame, here: pl.DataFrame, classes: pl.DataFrame, as_of: dt.date, lead_days: int
) -> pl.DataFrame:
    """The rows of people who are `here` [person] that count on a day; `classes` [klass, closing, next_begin] are of years that do."""
    begun, lasting = _begun(as_of, lead_days) & among("person", here), _lasting(as_of)
    # What lasts needs no look at its school year, and nearly everything does.
    running = rows.filter(begun & lasting & among("klass", classes))
    over = rows.filter(begun & ~lasting).join(classes, on="klass").filter(_over_summer(as_of)).select(rows.columns)
    return pl.concat([running, over]).drop("end")


def ended(roster: Roster, as_of: dt.date) -> pl.DataFrame:
    """[person, ended]: the last day on which an enrolment, a teaching or the registration of somebody ended, of those that did."""
    registrations = roster.people.select("person", end="registration_end")
    inside = (roster.enrolments.select("person", "end"), roster.teachings.select("person", "end"))
    return (
        pl.concat([registrations, *inside])
        .filter(pl.col("end") <= as_of)
        .group_by("person")
        .agg(ended=pl.col("end").max())
    )


def current_people(
    roster: Roster, enrolments: pl.DataFrame, teachings: pl.DataFrame, typed: pl.DataFrame
) -> pl.DataFrame:
    """The rows of `typed` [person, user_type], all of registered people, that have what their type needs to be current.

    Students and teachers need an enrolment or teaching, parents a child that is current, employees nothing more
    (`Inst.Active-Has Enrolments`).
    """
    learning = enrolments.select("person")
    taught = pl.concat([learning, teachings.select("person")])
    families = roster.guardianships.join(learning, left_on="child", right_on="person", how="semi")
    enough = {
        UserType.STUDENT: taught,
        UserType.TEACHER: taught,
        UserType.PARENT: families.select(person="parent"),
        UserType.EMPLOYEE: typed.select("person"),
    }
    return pl.concat(
        typed.filter(pl.col("user_type") == user_type.value).join(those, on="person", how="semi")
        for user_type, those in enough.items()
    )
