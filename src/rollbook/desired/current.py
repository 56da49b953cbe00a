"""Which enrolments, teachings and people count on a given day. Dates are the institute's own, half-open."""

from __future__ import annotations

import datetime as dt

import polars as pl

from rollbook.errors import InputRefused
from rollbook.profiles import Profile
from rollbook.roster.tables import USER_TYPE, Roster
from rollbook.roster.vocabulary import UserType


def academic_period(roster: Roster, profile: Profile, as_of: dt.date) -> int:
    """The key of the profile's school year: the one it names, else the one that holds `as_of`, else the nearest to it."""
    periods = roster.academic_periods
    if periods.is_empty():
        raise InputRefused(
            "The register has no academic period, so no enrolment can be current.",
            remedy="Deliver academicSessions.csv with a school year or terms.",
        )
    if profile.academic_period is not None:
        named = periods.filter(pl.col("sourced_id") == profile.academic_period)
        if named.is_empty():
            raise InputRefused(
                f"The profile names the academic period {profile.academic_period!r}, which the register does not have.",
                remedy="Choose one of: " + ", ".join(periods["sourced_id"].to_list()) + ".",
            )
        return int(named["period"][0])
    day = pl.lit(as_of)
    # Days outside a period, on either side: zero for the period that holds the day, so the nearest one sorts first.
    distance = pl.max_horizontal(
        (pl.col("begin") - day).dt.total_days(), (day - pl.col("end")).dt.total_days() + 1, pl.lit(0)
    ).fill_null(0)
    ordered = periods.with_columns(distance=distance).sort(
        ["distance", "begin", "period"], descending=[False, True, True]
    )
    return int(ordered["period"][0])


def _in_force(as_of: dt.date, lead_days: int) -> pl.Expr:
    """Begun or beginning within the lead, and not ended: the end day itself is outside."""
    begun = pl.col("begin").is_null() | (pl.col("begin") <= as_of + dt.timedelta(days=lead_days))
    not_ended = pl.col("end").is_null() | (pl.col("end") > as_of)
    return begun & not_ended


def current_enrolments(roster: Roster, profile: Profile, as_of: dt.date) -> pl.DataFrame:
    """Current enrolments of active students: [person, klass, begin]."""
    return _current(roster, roster.enrolments, profile, as_of).select("person", "klass", "begin")


def current_teachings(roster: Roster, profile: Profile, as_of: dt.date) -> pl.DataFrame:
    """Current teachings of active people: [person, klass, teacher_type, begin]."""
    return _current(roster, roster.teachings, profile, as_of).select("person", "klass", "teacher_type", "begin")


def _current(roster: Roster, rows: pl.DataFrame, profile: Profile, as_of: dt.date) -> pl.DataFrame:
    period = academic_period(roster, profile, as_of)
    classes = roster.classes.filter(pl.col("period") == period).select("klass")
    active = roster.people.filter("active").select("person")
    return (
        rows.filter(_in_force(as_of, profile.users.lead_days))
        .join(classes, on="klass", how="semi")
        .join(active, on="person", how="semi")
    )


def current_people(
    roster: Roster, enrolments: pl.DataFrame, teachings: pl.DataFrame, typed: pl.DataFrame
) -> pl.DataFrame:
    """The rows of `typed` [person, user_type] that are active and have what their type needs to be current.

    Students and teachers need an enrolment or teaching, parents a child that is current, employees nothing more
    (`Inst.Active-Has Enrolments`).
    """
    enrolled = pl.concat([enrolments.select("person"), teachings.select("person")]).unique()
    students = enrolments.select(child="person").unique()
    parents = roster.guardianships.join(students, on="child", how="semi").select(person="parent").unique()
    qualifying = pl.concat(
        [
            _of_type(enrolled, UserType.STUDENT),
            _of_type(enrolled, UserType.TEACHER),
            _of_type(parents, UserType.PARENT),
            _of_type(roster.people.select("person"), UserType.EMPLOYEE),
        ]
    )
    active = roster.people.filter("active").select("person")
    return typed.join(active, on="person", how="semi").join(qualifying, on=["person", "user_type"], how="semi")


def _of_type(people: pl.DataFrame, user_type: UserType) -> pl.DataFrame:
    return people.select("person", pl.lit(user_type.value, dtype=USER_TYPE).alias("user_type"))
