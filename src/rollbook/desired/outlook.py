"""What a profile makes of the register, for somebody who looks before anything is made: teams, the tree of the structure, who is in them.

Nothing of a tenant is needed: what there is gets numbers of its own instead of links.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from rollbook.desired.build import Linked, Managed, in_teams
from rollbook.desired.hierarchies import BELONGING, NODES, ManagedNodes, managed_nodes
from rollbook.desired.memberships import settled
from rollbook.desired.node_groups import desired_groups
from rollbook.desired.teams import managed_teams, teams
from rollbook.directory.state import Relation
from rollbook.profiles import Level, Profile
from rollbook.roster.tables import Roster

Schema = Mapping[str, pl.DataType | type[pl.DataType]]

TEAMS: Schema = {
    "team": pl.Int64,  # a number of its own
    "key": pl.String,
    "period": pl.Int64,
    "sourced_id": pl.String,
    "code": pl.String,
    "name": pl.String,  # as the group will be called; what a school calls it where no mapping says
    "academic_period": pl.String,
    "begin": pl.Date,
    "kind": pl.String,  # class or unified
    "owners": pl.Int64,
    "members": pl.Int64,  # owners among them
    "held": pl.Int64,  # people the sync start date holds back
}

INSIDE: Schema = {"team": pl.Int64, "person": pl.Int64, "relation": pl.UInt8, "because": pl.String, "held": pl.Boolean}

PROBLEMS: Schema = {"of": pl.Int64, "target": pl.String, "problem": pl.String}


NO_NODES = ManagedNodes(pl.DataFrame(schema=pl.Schema(NODES)), pl.DataFrame(schema=pl.Schema(BELONGING)))


@dataclass(frozen=True, slots=True)
class TeamsToBe:
    """The teams (schema TEAMS) by period and name, who is in them (schema INSIDE), and mappings that fail (schema PROBLEMS)."""

    teams: pl.DataFrame
    inside: pl.DataFrame
    problems: pl.DataFrame


def teams_to_be(
    roster: Roster,
    profile: Profile,
    as_of: dt.date,
    people: pl.DataFrame,
    made: pl.DataFrame | None = None,
    released: pl.Series | None = None,
) -> TeamsToBe:
    """The teams on `as_of`; `people` are what managed_people returned, `made` [key, period] teams that are there already.

    `released` are keys of enrolments that the sync start date does not hold back any more.
    """
    managed = managed_teams(roster, profile, as_of, made)
    numbered = managed.teams.with_row_index("link", offset=1).with_columns(pl.col("link").cast(pl.Int64))
    links = numbered.select("key", "period", "link", mark=pl.lit(""))
    groups, _, problems = teams(roster, profile, managed, links)
    everybody = people.with_columns(link="person", mark=pl.lit(""))
    none = pl.Series([], dtype=pl.Int64)
    linked = Linked(everybody, links, released=none if released is None else released)
    present = everybody.filter("present").select("person", user="link")
    inside = settled(in_teams(roster, profile, as_of, Managed(managed, NO_NODES), linked, present))
    periods = roster.academic_periods.select("period", "begin", academic_period=pl.coalesce("title", "sourced_id"))
    named = (
        numbered.join(groups.select("link", "display_name", pl.col("kind").cast(pl.String)), on="link", how="left")
        .join(periods, on="period", how="left")
        .join(_counts(inside), left_on="link", right_on="team", how="left")
        .with_columns(
            pl.col("owners", "members", "held").fill_null(0),
            name=pl.coalesce("display_name", "label", "sourced_id", "key"),
            team="link",
        )
    )
    return TeamsToBe(
        named.select(TEAMS.keys()).cast(pl.Schema(TEAMS)).sort("begin", "period", "name", "team", nulls_last=True),
        inside.rename({"user": "person"}).select(INSIDE.keys()).cast(pl.Schema(INSIDE)),
        problems.rename({"link": "of"}).cast(pl.Schema(PROBLEMS)),
    )


def _counts(inside: pl.DataFrame) -> pl.DataFrame:
    owner, held = pl.col("relation") == int(Relation.OWNER), pl.col("held")
    return inside.group_by("team").agg(
        owners=(owner & ~held).sum().cast(pl.Int64),
        members=(~owner & ~held).sum().cast(pl.Int64),
        held=(~owner & held).sum().cast(pl.Int64),
    )


TREE: Schema = {
    **NODES,
    "people": pl.Int64,  # everybody in the node and below
    "direct": pl.Int64,  # those who are no deeper
    "called": pl.String,  # what its group will be called; null where the mapping fails
    "same_name": pl.Int64,  # how many groups of this tree are called so
}

HIERARCHIES = ("general", "student", "teacher")


@dataclass(frozen=True, slots=True)
class Tree:
    """The nodes (schema TREE), in the order they are read: each before what is below it; who belongs in them; failing mappings.

    `belonging` has the schema hierarchies.BELONGING, `problems` the schema PROBLEMS, by node.
    """

    nodes: pl.DataFrame
    belonging: pl.DataFrame
    problems: pl.DataFrame


def tree_to_be(roster: Roster, profile: Profile, as_of: dt.date, people: pl.DataFrame) -> Tree:
    """The nodes of all hierarchies of a profile on `as_of`; `people` are what managed_people returned."""
    managed = managed_nodes(roster, profile, as_of, people)
    links = managed.nodes.select("key", link=pl.col("node") + 1, mark=pl.lit(""))
    made = desired_groups(profile, managed, links)
    names = made.groups.select(node=pl.col("link") - 1, called="display_name")
    counted = (
        managed.counted()
        .join(names, on="node", how="left")
        .with_columns(
            pl.col("people", "direct").fill_null(0),
            same_name=pl.when(pl.col("called").is_not_null())
            .then(pl.len().over(pl.col("called").str.to_lowercase()))
            .otherwise(1),
        )
        .select(TREE.keys())
        .cast(pl.Schema(TREE))
    )
    return Tree(
        _as_read(counted),
        managed.belonging.cast(pl.Schema(BELONGING)),
        made.problems.select("target", "problem", of=pl.col("link") - 1)
        .select(PROBLEMS.keys())
        .cast(pl.Schema(PROBLEMS)),
    )


def _as_read(nodes: pl.DataFrame) -> pl.DataFrame:
    """The nodes by hierarchy, each before those below it, siblings by level and name."""
    levels = {level.value: place for place, level in enumerate(Level)}
    places: dict[int, tuple[object, ...]] = {}
    # From the top down, so that the place of what is above is known; there are few nodes, whatever the number of people.
    for row in nodes.sort("depth").iter_rows(named=True):
        above = places.get(row["parent"], (HIERARCHIES.index(row["hierarchy"]),))
        places[row["node"]] = (*above, levels[row["level"]], numbered_text(row["name"] or ""), row["node"])
    order = sorted(places, key=lambda node: places[node])
    ranks = pl.DataFrame({"node": order, "rank": range(len(order))}, schema={"node": pl.Int64, "rank": pl.Int64})
    return nodes.join(ranks, on="node").sort("rank").drop("rank")


def numbered_text(text: str) -> tuple[tuple[bool, int, str], ...]:
    """A name as it is sorted: 7A before 10A, numbers before letters, whatever its capitals are."""
    parts = re.findall(r"\d+|\D+", text.casefold())
    return tuple((False, int(part), "") if part.isdecimal() else (True, 0, part) for part in parts)
