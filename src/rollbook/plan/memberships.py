"""Differences of memberships: the smallest set of relations to add and to remove. Nobody is removed and added again.

A relation is packed into one integer (team, user, relation), so that a million of them compare by one anti-join each way.
"""

from __future__ import annotations

import polars as pl

from rollbook.directory.state import Relation
from rollbook.plan.changes import Cause, Kind
from rollbook.plan.rows import rows, together, waits
from rollbook.profiles import Profile

USER_BITS = 31
"""Link ids are row ids of one table; two thousand million of them are beyond any tenant's object limit (300,000)."""


def packed() -> pl.Expr:
    """One integer a relation: team above 32 bits, then user, then the relation in the lowest bit."""
    user = pl.col("user").cast(pl.Int64)
    return (pl.col("team") * (1 << (USER_BITS + 1)) + user * 2 + pl.col("relation").cast(pl.Int64)).alias("packed")


def difference(desired: pl.DataFrame, actual: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is desired and not there, and what is there and not desired; both keep their columns."""
    left, right = desired.with_columns(packed()), actual.with_columns(packed())
    return (
        left.join(right.select("packed"), on="packed", how="anti").drop("packed"),
        right.join(left.select("packed"), on="packed", how="anti").drop("packed"),
    )


def diff_memberships(reasons: pl.DataFrame, actual: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    """The changes of memberships (schema ROWS).

    `reasons` [team, user, relation, teaching, day] is desired, restricted to people and classes that are there or are being
    made; `actual` [team, user, relation] is what the tenant holds, user null for people who are not in the register: those
    are left alone.
    """
    adding, unwanted = difference(reasons, actual.drop_nulls("user").select("team", "user", "relation"))
    removing = unwanted.clear() if profile.enrolments.keep_previous else unwanted
    removing, kept = _spare_last_owners(removing, adding, actual)
    owner = pl.col("relation") == int(Relation.OWNER)
    return together(
        [
            rows(
                adding,
                pl.when(owner).then(int(Kind.ADD_OWNER)).otherwise(int(Kind.ADD_MEMBER)),
                pl.when("teaching").then(int(Cause.TEACHING_CURRENT)).otherwise(int(Cause.ENROLMENT_CURRENT)),
                subject="team",
                object="user",
                day="day",
            ),
            _removals(removing),
            waits(kept, Kind.REMOVE_OWNER, Cause.LAST_OWNER, subject="team", object="user"),
        ]
    )


def _removals(removing: pl.DataFrame) -> pl.DataFrame:
    owner = pl.col("relation") == int(Relation.OWNER)
    return rows(
        removing,
        pl.when(owner).then(int(Kind.REMOVE_OWNER)).otherwise(int(Kind.REMOVE_MEMBER)),
        pl.when(owner).then(int(Cause.TEACHING_ENDED)).otherwise(int(Cause.ENROLMENT_ENDED)),
        subject="team",
        object="user",
    )


def _spare_last_owners(
    removing: pl.DataFrame, adding: pl.DataFrame, actual: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Removals without those that would leave a team ownerless, and the owners [team, user] who stay until another comes.

    Microsoft refuses to remove the last owner (graph.md section 5.2); whoever stays as owner also stays as member.
    """
    owner = pl.col("relation") == int(Relation.OWNER)
    leaving = removing.filter(owner)
    staying = pl.concat(
        [
            actual.filter(owner).join(leaving, on=["team", "user", "relation"], how="anti").select("team"),
            adding.filter(owner).select("team"),
        ]
    ).unique()
    spared = (
        leaving.join(staying, on="team", how="anti")
        .sort("team", "user")
        .unique("team", keep="first", maintain_order=True)
        .select("team", "user")
    )
    return removing.join(spared, on=["team", "user"], how="anti"), spared
