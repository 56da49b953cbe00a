"""Who is meant by a class, a group or a person somebody names, and which class a person is listed under. Pure, set-based.

A class means its students: teachers and staff are named one by one, or are among everybody. A person is listed once: under
their homeroom, else under the first of their classes by title, both among the classes that were named if classes were.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from rollbook.errors import InputRefused
from rollbook.roster.tables import Roster
from rollbook.roster.vocabulary import ClassKind, LocationKind, UserType

STAFF, NO_CLASS = "Teachers and staff", "Without a class"

CHOSEN = {"person": pl.Int64, "klass": pl.Int64, "section": pl.String, "school": pl.String}
"""`klass` is the class a person is listed under, null where `section` is STAFF or NO_CLASS; `school` is where it is taught."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody named: classes and groups by sourced id, title or code; people by sourced id. Nothing: everybody."""

    classes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    people: tuple[str, ...] = ()

    @property
    def everybody(self) -> bool:
        """Whether nobody is left out."""
        return not (self.classes or self.groups or self.people)


def chosen(roster: Roster, wanted: Wanted, day: dt.date) -> pl.DataFrame:
    """Whom `wanted` means (schema CHOSEN), each once. Raises InputRefused where a name means nothing, or several classes."""
    placed = _placed(roster, day)
    keys = _classes(roster, wanted, day)
    named = placed if keys is None else placed.filter(pl.col("klass").is_in(list(keys)))
    students = named.unique("person", keep="first", maintain_order=True)
    if keys is not None and not wanted.people:
        return students.select(CHOSEN.keys())
    everybody = _everybody(roster, placed.unique("person", keep="first", maintain_order=True))
    if wanted.everybody:
        return everybody
    people = everybody.filter(pl.col("person").is_in(_people(roster, wanted.people)))
    if keys is None:
        return people
    return pl.concat([students.select(CHOSEN.keys()), people]).unique("person", keep="first", maintain_order=True)


def among(rows: pl.DataFrame, roster: Roster, wanted: Wanted, day: dt.date) -> pl.DataFrame:
    """Of `rows` [person, klass, ...] those `wanted` means: all of the people and all in the classes that were named.

    Raises InputRefused where a name means nothing, or several classes.
    """
    if wanted.everybody:
        return rows
    there = pl.col("klass").is_in(list(_classes(roster, wanted, day) or ()))
    return rows.filter(there | pl.col("person").is_in(_people(roster, wanted.people)))


def _going_on(roster: Roster, day: dt.date) -> pl.DataFrame:
    """Classes whose school year is not over, with `label`: the title, with the location or sourced id if several have it."""
    over = roster.academic_periods.filter(pl.col("end") <= day).select("period")
    classes = roster.classes.join(over, on="period", how="anti")
    there = pl.col("place").is_not_null() & (pl.len().over("title", "place") == 1)
    label = (
        pl.when(pl.len().over("title") == 1)
        .then("title")
        .when(there)
        .then(pl.format("{} - {}", "title", "place"))
        .otherwise(pl.format("{} - {}", "title", "sourced_id"))
    )
    department = pl.col("kind") == LocationKind.DEPARTMENT.value
    places = roster.locations.select("location", place="name", school=pl.when(~department).then("name"))
    return classes.join(places, on="location", how="left").with_columns(label=label).drop("place")


def _placed(roster: Roster, day: dt.date) -> pl.DataFrame:
    """[person, klass, section, school] of active people's enrolments that are not ended: homerooms first, then by title."""
    lasting = roster.enrolments.filter(pl.col("end").is_null() | (pl.col("end") > day)).select("person", "klass")
    homeroom = pl.col("kind") == ClassKind.HOMEROOM.value
    return (
        lasting.unique()
        .join(roster.people.filter("active"), on="person", how="semi")
        .join(_going_on(roster, day).select("klass", "label", "kind", "school"), on="klass")
        .with_columns(homeroom=homeroom)
        .sort("person", pl.col("homeroom").not_(), "label", "klass")
        .select("person", "klass", "school", section="label")
    )


def _everybody(roster: Roster, students: pl.DataFrame) -> pl.DataFrame:
    """Every person of the register with the class they are listed under, if they learn in one."""
    types = (UserType.TEACHER.value, UserType.EMPLOYEE.value)
    staff = roster.affiliations.filter(pl.col("user_type").cast(pl.String).is_in(types)).select("person").unique()
    return (
        roster.people.select("person")
        .join(students, on="person", how="left")
        .join(staff.with_columns(staff=pl.lit(value=True)), on="person", how="left")
        .with_columns(
            pl.coalesce("section", pl.when("staff").then(pl.lit(STAFF)).otherwise(pl.lit(NO_CLASS))).alias("section")
        )
        .select(CHOSEN.keys())
    )


def _people(roster: Roster, named: tuple[str, ...]) -> list[int]:
    found = roster.people.filter(pl.col("sourced_id").is_in(list(named))).select("sourced_id", "person")
    for name in named:
        if name not in found["sourced_id"]:
            raise InputRefused(
                f"The register has no person {name!r}.", remedy="Name somebody by the sourced id of the register."
            )
    return found["person"].to_list()


def _classes(roster: Roster, wanted: Wanted, day: dt.date) -> set[int] | None:
    """Keys of the classes that were named, those of named groups included; None if none was."""
    if not wanted.classes and not wanted.groups:
        return None
    classes = _going_on(roster, day)
    keys = {_one(classes.rename({"klass": "key"}), name, "class") for name in wanted.classes}
    groups = roster.groups.rename({"group": "key", "name": "title"}).with_columns(label="title")
    of_groups = [_one(groups, name, "group") for name in wanted.groups]
    return keys | set(classes.filter(pl.col("group").is_in(of_groups))["klass"])


def _one(among: pl.DataFrame, name: str, what: str) -> int:
    """The one of `among` [key, sourced_id, title, code, label] that is called so: by its sourced id, else by title or code."""
    exact = among.filter(pl.col("sourced_id") == name)
    folded = name.casefold()
    called = pl.any_horizontal(pl.col(c).str.to_lowercase() == folded for c in ("title", "code"))
    found = exact if exact.height else among.filter(called)
    if found.is_empty():
        raise InputRefused(
            f"The register has no {what} {name!r} now.", remedy=f"Name the {what} by its title, code or sourced id."
        )
    if found.height > 1:
        listed = found.sort("label", "sourced_id").select("sourced_id", "label")
        ids = ", ".join(f"{key} ({label})" for key, label in listed.iter_rows())
        raise InputRefused(
            f"There are {found.height} of the name {name!r}.", remedy=f"Name one by its sourced id: {ids}."
        )
    return int(found["key"][0])
