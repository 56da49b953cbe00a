"""Checks across the records of a Roster: what is accepted, but somebody should look at. Vectorised; no loop over people."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from rollbook.roster.findings import Finding, Severity
from rollbook.roster.tables import Roster

Files = dict[str, str]
"""Which file a table was read from, for the finding's place."""


def check(roster: Roster, files: Files) -> list[Finding]:
    """Every finding of every check, in a stable order."""
    return [finding for look in CHECKS for finding in look(roster, files)]


def _found(rows: pl.DataFrame, file: str, code: str, message: str, remedy: str, *, column: str = "") -> list[Finding]:
    """One warning a row of `rows` [line, value]; {value} in the message is the row's value."""
    return [
        Finding(Severity.WARNING, code, file, line or 0, column, value or "", message.format(value=value), remedy)
        for line, value in rows.select("line", "value").iter_rows()
    ]


def _students_in_no_class(roster: Roster, files: Files) -> list[Finding]:
    students = roster.affiliations.filter(pl.col("user_type") == "student")
    idle = (
        roster.people.filter("active")
        .join(students, on="person", how="semi")
        .join(roster.enrolments, on="person", how="anti")
        .select("line", value="sourced_id")
    )
    return _found(
        idle,
        files["people"],
        "student-in-no-class",
        "The student {value} is enrolled in no class.",
        "Enrol the student, or expect an account without teams.",
        column="sourcedId",
    )


def _teachers_of_no_class(roster: Roster, files: Files) -> list[Finding]:
    teachers = roster.affiliations.filter(pl.col("user_type") == "teacher")
    idle = (
        roster.people.filter("active")
        .join(teachers, on="person", how="semi")
        .join(roster.teachings, on="person", how="anti")
        .select("line", value="sourced_id")
    )
    return _found(
        idle,
        files["people"],
        "teacher-of-no-class",
        "The teacher {value} teaches no class.",
        "Assign a class, or expect an account without teams.",
        column="sourcedId",
    )


def _classes_without_teacher(roster: Roster, files: Files) -> list[Finding]:
    busy = roster.classes.join(roster.enrolments, on="klass", how="semi")
    alone = busy.join(roster.teachings, on="klass", how="anti").select("line", value="sourced_id")
    return _found(
        alone,
        files["classes"],
        "class-without-teacher",
        "The class {value} has students but no teacher.",
        "Name a teacher; until then no team is made for it.",
        column="sourcedId",
    )


def _taught_and_teaching(roster: Roster, files: Files) -> list[Finding]:
    both = (
        roster.enrolments.join(roster.teachings.select("person", "klass"), on=["person", "klass"], how="semi")
        .join(roster.people.select("person", value="sourced_id"), on="person", how="left")
        .select("line", "value")
    )
    return _found(
        both,
        files["enrolments"],
        "taught-and-teaching",
        "{value} is student and teacher of the same class.",
        "One of the two is probably a mistake; the teaching counts.",
        column="role",
    )


def _repeated_memberships(roster: Roster, files: Files) -> list[Finding]:
    # One integer a pair finds the few that meet twice; only those are compared whole.
    pairs = roster.enrolments.select(pair=pl.col("person") * (1 << 32) + pl.col("klass"))["pair"]
    if pairs.n_unique() == pairs.len():
        return []
    twice = roster.enrolments.filter(pairs.is_duplicated())
    whole = pl.struct("person", "klass", "begin", "end")
    repeated = twice.filter(~whole.is_first_distinct()).select("line", value="sourced_id")
    return _found(
        repeated,
        files["enrolments"],
        "enrolment-repeated",
        "The enrolment {value} says the same as an earlier one.",
        "Nothing needs to be done; it counts once.",
        column="sourcedId",
    )


CHECKS: tuple[Callable[[Roster, Files], list[Finding]], ...] = (
    _students_in_no_class,
    _teachers_of_no_class,
    _classes_without_teacher,
    _taught_and_teaching,
    _repeated_memberships,
)
