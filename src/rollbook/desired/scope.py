"""Which people and classes a profile is about: all, a chosen part of the school, and never what is left out one by one."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from rollbook.errors import InputRefused
from rollbook.profiles import Profile
from rollbook.roster.tables import Roster

LISTED = 12


@dataclass(frozen=True, slots=True)
class InScope:
    """[person] and [klass] a profile is about."""

    people: pl.DataFrame
    classes: pl.DataFrame


def in_scope(roster: Roster, profile: Profile) -> InScope:
    """The people and classes a profile is about.

    A chosen location (with what lies below it), grade or group stands for the people it is said of, for its classes, and for
    everybody who learns or teaches in them, so that a pilot's teams have their teachers; a chosen person brings the classes
    they are in. Parents come with their children.
    """
    people, classes = roster.people.select("person"), roster.classes.select("klass")
    if not profile.scope.everybody:
        people, classes = _chosen(roster, profile)
    named = profile.left_out
    out = roster.people.filter(pl.col("sourced_id").is_in(list(named.people))).select("person")
    closed = roster.classes.filter(pl.col("sourced_id").is_in(list(named.classes))).select("klass")
    return InScope(people.join(out, on="person", how="anti"), classes.join(closed, on="klass", how="anti"))


def _require_known(roster: Roster, profile: Profile) -> None:
    """InputRefused if the scope names a part the register does not have: a misspelt grade would mean nobody.

    A chosen person may have left the register since.
    """
    there = {
        "locations": (profile.scope.locations, roster.locations["sourced_id"]),
        "grades": (profile.scope.grades, roster.grades["name"]),
        "groups": (profile.scope.groups, roster.groups["sourced_id"]),
    }
    for kind, (chosen, known) in there.items():
        missing = sorted(set(chosen) - set(known))
        if missing:
            listed = ", ".join(sorted(known.drop_nulls().unique().head(LISTED)))
            raise InputRefused(
                f"The profile's scope names {missing[0]!r} among its {kind}, which the register does not have.",
                remedy=f"There are: {listed}.",
            )


def _chosen(roster: Roster, profile: Profile) -> tuple[pl.DataFrame, pl.DataFrame]:
    _require_known(roster, profile)
    places = below(roster, profile.scope.locations)
    grades = roster.grades.filter(pl.col("name").is_in(list(profile.scope.grades)))["grade"]
    groups = roster.groups.filter(pl.col("sourced_id").is_in(list(profile.scope.groups)))["group"]
    there = pl.col("location").is_in(places.implode()) | pl.col("grade").is_in(grades.implode())
    inside = pl.concat([roster.enrolments.select("person", "klass"), roster.teachings.select("person", "klass")])
    classes = roster.classes.filter(there | pl.col("group").is_in(groups.implode())).select("klass")
    single = roster.people.filter(pl.col("sourced_id").is_in(list(profile.scope.people))).select("person")
    people = pl.concat(
        [
            roster.affiliations.filter(there).select("person"),
            inside.join(classes, on="klass", how="semi").select("person"),
            single,
        ]
    ).unique()
    parents = roster.guardianships.join(people, left_on="child", right_on="person", how="semi").select(person="parent")
    with_theirs = pl.concat([classes, inside.join(single, on="person", how="semi").select("klass")]).unique()
    return pl.concat([people, parents]).unique(), with_theirs


def below(roster: Roster, chosen: tuple[str, ...]) -> pl.Series:
    """Keys of the chosen locations and of everything below them."""
    found = roster.locations.filter(pl.col("sourced_id").is_in(list(chosen))).select("location")
    step = found
    while step.height:
        children = roster.locations.join(step, left_on="parent", right_on="location", how="semi").select("location")
        step = children.join(found, on="location", how="anti")
        found = pl.concat([found, step])
    return found["location"]
