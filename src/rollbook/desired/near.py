"""The part of a register that some people and classes depend on, read by points: what a scoped synchronization plans from.

Whoever is looked at brings their parents and children, the classes they are in, whatever makes one team with these, and everybody in
those teams; of everybody the whole of what the register says, so that each is seen as in a look at everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from rollbook.desired.teams import MADE, PARTS, team_classes
from rollbook.profiles import Profile
from rollbook.roster.tables import Roster

WHOLE = ("institutes", "locations", "academic_periods", "marking_periods", "grades")
"""Tables that are small whatever the size of the school, and are read whole."""


class Rows(Protocol):
    """A register that is asked by points; rows are those of the Roster's table of that name."""

    def whole(self, table: str) -> pl.DataFrame:
        """All rows of a small table."""
        ...

    def where(self, table: str, column: str, values: pl.Series) -> pl.DataFrame:
        """The rows in which the column has one of these values."""
        ...

    def witnesses(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Of each school year in which somebody learns or teaches: one such class, and one such enrolment, whoever's it is."""
        ...


@dataclass(frozen=True, slots=True)
class Seeds:
    """Where a scope begins: keys of people and of classes, and teams [key, period]."""

    people: pl.Series
    classes: pl.Series
    teams: pl.DataFrame


def seeds(people: Iterable[int] = (), classes: Iterable[int] = (), teams: Iterable[tuple[str, int]] = ()) -> Seeds:
    """Seeds of plain values."""
    return Seeds(
        pl.Series(list(people), dtype=pl.Int64),
        pl.Series(list(classes), dtype=pl.Int64),
        pl.DataFrame(list(teams), schema=MADE, orient="row"),
    )


@dataclass(frozen=True, slots=True)
class Near:
    """A part of a register: `people` are looked at in every respect, `classes` [klass, key, period] are those of whole teams."""

    roster: Roster
    people: pl.Series
    classes: pl.DataFrame


def with_parents(rows: Rows, people: pl.Series) -> pl.Series:
    """These people and their parents, whose accounts depend on them."""
    parents = rows.where("guardianships", "child", people)["parent"]
    return pl.concat([people, parents]).unique(maintain_order=True)


def owners_by_name(profile: Profile) -> set[str]:
    """Sourced ids of people a profile names as owners of groups they need not be in."""
    named = {owner.person for owner in profile.teams.extra_owners}
    return named.union(*(hierarchy.owners for _, hierarchy in profile.hierarchies))


def classes_of_teams(rows: Rows, profile: Profile, people: pl.Series, wanted: Seeds) -> pl.DataFrame:
    """[klass, key, period] of all classes of every team that these people are in by the register, or that is wanted."""
    mode = profile.teams.create
    inside = pl.concat([rows.where(table, "person", people)["klass"] for table in ("enrolments", "teachings")])
    own = rows.where("classes", "klass", pl.concat([inside, wanted.classes]).unique())
    found = pl.concat([own, *_of_keys(rows, wanted.teams)])
    for part in PARTS[mode][:1]:
        found = pl.concat([found, rows.where("classes", part, found[part].drop_nulls().unique())])
    found = found.unique("klass", maintain_order=True)
    held = Roster(
        classes=found,
        groups=rows.where("groups", "group", found["group"].drop_nulls().unique()),
        subjects=rows.where("subjects", "subject", found["subject"].drop_nulls().unique()),
    )
    keyed = team_classes(held, mode)
    asked = keyed.join(own.select("klass"), on="klass", how="semi").select(MADE.keys())
    return keyed.join(pl.concat([asked, wanted.teams]).unique(), on=["key", "period"], how="semi")


def _of_keys(rows: Rows, teams: pl.DataFrame) -> list[pl.DataFrame]:
    """The classes that teams of these keys can be made of; more than those."""
    named: dict[str, list[str]] = {"group": [], "subject": [], "class": []}
    for key in teams["key"]:
        kind, _, name = key.split("/")[1].partition(":")
        named[kind].append(name.replace("%2F", "/").replace("%25", "%"))
    ids = {kind: pl.Series(names, dtype=pl.String).unique() for kind, names in named.items()}
    return [
        rows.where("classes", "group", rows.where("groups", "sourced_id", ids["group"])["group"]),
        rows.where("classes", "subject", rows.where("subjects", "sourced_id", ids["subject"])["subject"]),
        rows.where("classes", "sourced_id", ids["class"]),
    ]


def gathered(rows: Rows, profile: Profile, people: pl.Series, classes: pl.DataFrame, company: pl.Series) -> Near:
    """All that is to be known of these people, of `classes` [klass, key, period], and of whoever is there or in `company`."""
    named = pl.Series(sorted(owners_by_name(profile) | {*profile.scope.people}), dtype=pl.String)
    crowd = [rows.where(table, "klass", classes["klass"])["person"] for table in ("enrolments", "teachings")]
    families = [rows.where("guardianships", column, people) for column in ("child", "parent")]
    everybody = pl.concat(
        [people, company, families[1]["child"], rows.where("people", "sourced_id", named)["person"], *crowd]
    ).unique()
    tables = {name: rows.where(name, "person", everybody) for name in ("people", "affiliations")}
    inside = {name: rows.where(name, "person", everybody) for name in ("enrolments", "teachings")}
    klasses = pl.concat([*(frame["klass"] for frame in inside.values()), classes["klass"]]).unique()
    known = rows.where("classes", "klass", klasses)
    there = tables["people"].select("person")
    inside = {
        name: frame.join(there, on="person", how="semi", maintain_order="left").join(
            known, on="klass", how="semi", maintain_order="left"
        )
        for name, frame in inside.items()
    }
    witnessing, witnessed = rows.witnesses()
    chosen = pl.Series(profile.scope.groups, dtype=pl.String)
    groups = [
        rows.where("groups", "group", known["group"].drop_nulls().unique()),
        rows.where("groups", "sourced_id", chosen),
    ]
    roster = Roster(
        **{name: rows.whole(name) for name in WHOLE},
        groups=pl.concat(groups).unique("group", maintain_order=True),
        subjects=rows.where("subjects", "subject", known["subject"].drop_nulls().unique()),
        classes=pl.concat([known, witnessing]).unique("klass", maintain_order=True).sort("klass"),
        class_markings=rows.where("class_markings", "klass", known["klass"]),
        people=tables["people"],
        affiliations=tables["affiliations"].join(there, on="person", how="semi", maintain_order="left"),
        guardianships=pl.concat(families).unique(maintain_order=True),
        enrolments=pl.concat([inside["enrolments"], witnessed]).unique("enrolment", maintain_order=True),
        teachings=inside["teachings"],
    )
    return Near(roster, people, classes)


@dataclass(frozen=True, slots=True)
class FrameRows:
    """A whole Roster asked as if by points."""

    roster: Roster

    def whole(self, table: str) -> pl.DataFrame:
        """All rows."""
        frame: pl.DataFrame = getattr(self.roster, table)
        return frame

    def where(self, table: str, column: str, values: pl.Series) -> pl.DataFrame:
        """The rows in which the column has one of these values."""
        return self.whole(table).filter(pl.col(column).is_in(values.implode()))

    def witnesses(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """As in Rows."""
        busy = self.roster.classes.join(self.roster.enrolments, on="klass", how="semi").unique(
            "period", keep="first", maintain_order=True
        )
        learning = self.roster.enrolments.join(busy, on="klass", how="semi")
        return busy, learning.unique("klass", keep="first", maintain_order=True)
