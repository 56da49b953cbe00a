"""Checks across the records of a Roster: what is accepted, but somebody should look at. Vectorised; no loop over people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from rollbook.roster.findings import Finding, Severity
from rollbook.roster.tables import Roster

Files = dict[str, str]
"""Which file a table was read from, for the finding's place."""


@dataclass(frozen=True, slots=True)
class Check:
    """One look at a roster: `rows` [line, value] are what it found in `table`; {value} in the message is the row's value."""

    code: str
    table: str
    column: str
    rows: Callable[[Roster], pl.DataFrame]
    message: str
    remedy: str


def check(roster: Roster, files: Files) -> list[Finding]:
    """Every finding of every check, in a stable order."""
    return [
        Finding(
            Severity.WARNING,
            look.code,
            files[look.table],
            line or 0,
            look.column,
            value or "",
            look.message.format(value=value),
            look.remedy,
        )
        for look in CHECKS
        for line, value in look.rows(roster).select("line", "value").iter_rows()
    ]


def _idle(roster: Roster, user_type: str, occupied: pl.DataFrame) -> pl.DataFrame:
    """Active people of a user type who do not occur in `occupied`."""
    alike = roster.affiliations.filter(pl.col("user_type") == user_type)
    return (
        roster.people.filter("active")
        .join(alike, on="person", how="semi")
        .join(occupied, on="person", how="anti")
        .select("line", value="sourced_id")
    )


def _classes_without_teacher(roster: Roster) -> pl.DataFrame:
    busy = roster.classes.join(roster.enrolments, on="klass", how="semi")
    return busy.join(roster.teachings, on="klass", how="anti").select("line", value="sourced_id")


def _taught_and_teaching(roster: Roster) -> pl.DataFrame:
    return (
        roster.enrolments.join(roster.teachings.select("person", "klass"), on=["person", "klass"], how="semi")
        .join(roster.people.select("person", value="sourced_id"), on="person", how="left")
        .select("line", "value")
    )


def _repeated_memberships(roster: Roster) -> pl.DataFrame:
    # One integer a pair finds the few that meet twice; only those are compared whole.
    pairs = roster.enrolments.select(pair=pl.col("person") * (1 << 32) + pl.col("klass"))["pair"]
    twice = roster.enrolments.filter(pairs.is_duplicated()) if pairs.n_unique() < pairs.len() else roster.enrolments[:0]
    whole = pl.struct("person", "klass", "begin", "end")
    return twice.filter(~whole.is_first_distinct()).select("line", value="sourced_id")


CHECKS: tuple[Check, ...] = (
    Check(
        "student-in-no-class",
        "people",
        "sourcedId",
        lambda roster: _idle(roster, "student", roster.enrolments),
        "The student {value} is enrolled in no class.",
        "Enrol the student, or expect an account without teams.",
    ),
    Check(
        "teacher-of-no-class",
        "people",
        "sourcedId",
        lambda roster: _idle(roster, "teacher", roster.teachings),
        "The teacher {value} teaches no class.",
        "Assign a class, or expect an account without teams.",
    ),
    Check(
        "class-without-teacher",
        "classes",
        "sourcedId",
        _classes_without_teacher,
        "The class {value} has students but no teacher.",
        "Name a teacher; until then no team is made for it.",
    ),
    Check(
        "taught-and-teaching",
        "enrolments",
        "role",
        _taught_and_teaching,
        "{value} is student and teacher of the same class.",
        "One of the two is probably a mistake; the teaching counts.",
    ),
    Check(
        "enrolment-repeated",
        "enrolments",
        "sourcedId",
        _repeated_memberships,
        "The enrolment {value} says the same as an earlier one.",
        "Nothing needs to be done; it counts once.",
    ),
)
