"""Limits of Microsoft that a plan would break, found before anything is sent (graph.md sections 5.3, 6.2 and 7).

What is there already and stays, whoever put it there, counts first; of what would be added too much, the first in the order of the links
goes ahead. Of a person only groups that are ours are counted: others are not read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import polars as pl

from rollbook.directory.state import Relation
from rollbook.plan.changes import Cause, ChangeVerdict, Kind, Plan

GROUPS_A_PERSON = 7_000
"""Microsoft 365 groups somebody may be a member of, and as many they may own."""

SECURITY_GROUPS_A_PERSON = 2_049
"""Security groups SharePoint counts for one person, those in which these are nested included."""

OWNERS_A_GROUP = 100
MEMBERS_A_TEAM = 25_000

MEMBERS_A_CLASS = 300
"""Above this, Assignments and the class notebook stop working; the team goes on."""

Schema = Mapping[str, pl.DataType | type[pl.DataType]]

BEYOND: Schema = {
    "team": pl.Int64,
    "user": pl.Int64,
    "relation": pl.UInt8,
    "cause": pl.UInt8,  # plan.changes.Cause: what is said of it
}
CROWDED: Schema = {"team": pl.Int64, "members": pl.Int64}

KEY = ["team", "user", "relation"]


def beyond_limits(
    adding: pl.DataFrame, staying: pl.DataFrame, groups: pl.DataFrame, *sizes: pl.DataFrame
) -> pl.DataFrame:
    """The relations of `adding` that Microsoft would refuse, or not make use of (schema BEYOND); each once.

    Both frames are [team, user, relation], nested groups among them; of `staying`, which is there already, user is null for whoever is
    not in the register. `groups` [link, kind, has_team] are those they are of, whatever they are for. `sizes`
    [team, members] are of groups of which not all relations are given: a full team takes nobody.
    """
    of = groups.select(team="link", kind="kind", has_team="has_team")
    known = pl.concat(
        [part.select(*KEY, new=pl.lit(new)).join(of, on="team") for part, new in ((staying, False), (adding, True))]
    )
    owner = pl.col("relation") == int(Relation.OWNER)
    unified = pl.col("kind").is_in(["class", "unified"])
    named = known.drop_nulls("user")
    found = [
        _after(known.filter(owner), "team", "user", OWNERS_A_GROUP, Cause.TOO_MANY_OWNERS),
        _after(known.filter(~owner, "has_team"), "team", "user", MEMBERS_A_TEAM, Cause.TOO_MANY_MEMBERS),
        *(
            _after(named.filter(unified, side), "user", "team", GROUPS_A_PERSON, Cause.TOO_MANY_GROUPS)
            for side in (owner, ~owner)
        ),
        _in_too_many_security_groups(named.filter(pl.col("kind") == "security", ~owner)),
    ]
    for given in sizes:
        full = given.filter(pl.col("members") >= MEMBERS_A_TEAM)
        found.append(
            _told(known.filter("new", ~owner, "has_team").join(full, on="team", how="semi"), Cause.TOO_MANY_MEMBERS)
        )
    return pl.concat(found).unique(KEY, keep="first", maintain_order=True).sort(KEY)


def _after(relations: pl.DataFrame, of: str, each: str, most: int, cause: Cause) -> pl.DataFrame:
    """New relations `of` one beyond its `most`, in the order of `each`; sorted only where there are so many."""
    crowded = relations.group_by(of).agg(count=pl.len()).filter(pl.col("count") > most).select(of)
    many = relations.join(crowded, on=of, how="semi").sort(of, "new", each)
    return _told(many.filter(pl.int_range(pl.len()).over(of) >= most, "new"), cause)


def _told(relations: pl.DataFrame, cause: Cause) -> pl.DataFrame:
    return relations.select(*KEY, pl.lit(int(cause)).alias("cause")).cast(pl.Schema(BEYOND))


def _in_too_many_security_groups(members: pl.DataFrame) -> pl.DataFrame:
    """New memberships in security groups with which somebody would be in too many, counting those around them.

    A first count takes what is around each group for distinct, so that only people who may be beyond the limit are looked at.
    """
    teams = members.select("team").unique()
    nested = members.join(teams.select(user="team"), on="user", how="semi")
    people = members.join(teams, left_on="user", right_on="team", how="anti")
    around = _around(nested)
    sizes = teams.select("team", size=pl.col("team").replace_strict({t: len(a) for t, a in around.items()}, default=1))
    doubtful = (
        people.join(sizes, on="team")
        .group_by("user")
        .agg(pl.col("size").sum())
        .filter(pl.col("size") > SECURITY_GROUPS_A_PERSON)
    )
    rows = people.join(doubtful, on="user", how="semi").sort("user", "new", "team").select("user", "team", "new")
    refused = list(_refused(rows.iter_rows(), around))
    pairs = pl.DataFrame(refused, schema={"user": pl.Int64, "team": pl.Int64}, orient="row")
    member = pl.lit(int(Relation.MEMBER), dtype=pl.UInt8).alias("relation")
    return _told(pairs.select("team", "user", member), Cause.TOO_MANY_GROUPS)


def _around(nested: pl.DataFrame) -> dict[int, frozenset[int]]:
    """For each nested group: itself and every group it is in, at whatever depth."""
    parents: dict[int, set[int]] = defaultdict(set)
    for inner, outer in nested.select("user", "team").iter_rows():
        parents[inner].add(outer)
    found: dict[int, frozenset[int]] = {}
    for group in parents:
        reached, ahead = {group}, [group]
        while ahead:
            further = parents.get(ahead.pop(), set()) - reached
            reached |= further
            ahead += further
        found[group] = frozenset(reached)
    return found


def _refused(rows: Iterable[tuple[int, int, bool]], around: Mapping[int, frozenset[int]]) -> Iterable[tuple[int, int]]:
    """The new ones of (user, team, new), in the order of users, that would bring a user beyond the limit."""
    inside: dict[int, set[int]] = defaultdict(set)
    for user, team, new in rows:
        more = inside[user] | around.get(team, frozenset((team,)))
        if new and len(more) > SECURITY_GROUPS_A_PERSON:
            yield user, team
        else:
            inside[user] = more


def crowded_classes(relations: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Class teams with so many members that Assignments stop working there (schema CROWDED): a warning, nothing is held back."""
    classes = groups.filter(pl.col("kind") == "class", "has_team").select(team="link")
    members = relations.filter(pl.col("relation") == int(Relation.MEMBER)).join(classes, on="team", how="semi")
    counted = members.group_by("team").agg(members=pl.len())
    return counted.filter(pl.col("members") > MEMBERS_A_CLASS).sort("team").cast(pl.Schema(CROWDED))


def members_afterwards(plan: Plan, memberships: pl.DataFrame) -> pl.DataFrame:
    """[team, user, relation] of all members once a plan was carried out, user null for whoever is not in the register.

    `memberships` (schema directory.state.MEMBERSHIPS) is what is there.
    """
    planned = plan.changes.filter(pl.col("verdict") == int(ChangeVerdict.PLANNED))
    ending = planned.filter(pl.col("kind") == int(Kind.REMOVE_MEMBER)).select(team="subject", user="object")
    leaving = plan.details.join(
        planned.filter(pl.col("kind") == int(Kind.REMOVE_STRANGER)), on="seq", how="semi"
    ).select(team="subject", user_object_id=pl.col("after").str.json_path_match("$.object_id"))
    staying = memberships.join(ending, on=["team", "user"], how="anti").join(
        leaving, on=["team", "user_object_id"], how="anti"
    )
    adding = planned.filter(pl.col("kind") == int(Kind.ADD_MEMBER)).select(
        team="subject", user="object", relation=pl.lit(int(Relation.MEMBER), dtype=pl.UInt8)
    )
    every = pl.concat([adding.select(KEY), staying.select(KEY)])
    return every.filter(pl.col("relation") == int(Relation.MEMBER))
