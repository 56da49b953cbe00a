"""Whereabouts: the locations of people who neither learn nor teach; parents are where their children are."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from rollbook.desired.current import among
from rollbook.desired.paths import in_classes, in_places, together
from rollbook.profiles import Level
from rollbook.roster.tables import Roster
from rollbook.roster.vocabulary import UserType

NOWHERE = pl.lit(None, dtype=pl.Int64).alias("location")


def whereabouts(
    roster: Roster, present: pl.DataFrame, inside: Mapping[UserType, pl.DataFrame], registered: pl.DataFrame
) -> pl.DataFrame:
    """[person, location] of those of `present` [person, user_type] who are not `inside` [person, klass] any class.

    Parents are at the locations of their children who are `registered` [person], others at those of their affiliations. A person
    may be at several; whoever is at none has one row, with null.
    """
    busy = pl.concat([rows.select("person") for rows in inside.values()])
    others = present.join(busy, on="person", how="anti")
    parents = others.filter(pl.col("user_type") == UserType.PARENT.value).select("person")
    with_children = _of_children(roster, parents, inside[UserType.STUDENT], registered)
    rest = others.join(with_children, on="person", how="anti")
    own = _of_affiliations(roster, rest.select("person"))
    nowhere = rest.join(own, on="person", how="anti").select("person", NOWHERE)
    return pl.concat([with_children, own, nowhere])


def _of_affiliations(roster: Roster, people: pl.DataFrame) -> pl.DataFrame:
    placed = roster.affiliations.select("person", "location").drop_nulls()
    return placed.join(people, on="person", how="semi").unique()


def _of_children(
    roster: Roster, parents: pl.DataFrame, enrolments: pl.DataFrame, registered: pl.DataFrame
) -> pl.DataFrame:
    """[person, location]: where the classes of their children are, of children without any where their affiliation is."""
    families = roster.guardianships.join(parents, left_on="parent", right_on="person", how="semi").join(
        registered, left_on="child", right_on="person", how="semi"
    )
    children = families.select(person="child").unique()
    learning = enrolments.filter(among("person", children))
    resting = children.join(learning, on="person", how="anti")
    resting_at = _of_affiliations(roster, resting)
    at = (Level.LOCATION,)
    standing = (in_classes(roster, at, UserType.STUDENT, children, learning), in_places(roster, at, resting_at))
    found = together(at, standing)
    places = found.people.join(found.paths, on="path").select(child="person", location=Level.LOCATION)
    return families.join(places, on="child").select("location", person="parent").select("person", "location").unique()
