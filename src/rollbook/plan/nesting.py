"""Groups that are taken out of other groups: how many people lose what the upper group gives, which the guards weigh.

Members are texts here: links of ours, and object ids of whoever has none, which have letters and dashes in them.
"""

from __future__ import annotations

import polars as pl

from rollbook.directory.state import Relation
from rollbook.plan.changes import ChangeVerdict, Kind


def weights(changes: pl.DataFrame, memberships: pl.DataFrame, groups: pl.Series) -> pl.DataFrame:
    """[seq, people]: how many people each planned removal of a nested group takes out of the upper group, one at least.

    Whoever is in the upper group afterwards too, directly or through another nested group, loses nothing. `changes` has the schema
    CHANGES, `memberships` (schema directory.state.MEMBERSHIPS) is what the tenant holds, `groups` are links of groups.
    """
    planned = changes.filter(pl.col("verdict") == int(ChangeVerdict.PLANNED))
    leaving = planned.filter(pl.col("kind") == int(Kind.REMOVE_MEMBER), pl.col("object").is_in(groups.implode()))
    taken_out = leaving.select("seq", team=pl.col("subject").cast(pl.String), inner=pl.col("object").cast(pl.String))
    if taken_out.is_empty():
        return taken_out.select("seq", people=pl.lit(1, dtype=pl.Int64))
    nested = groups.cast(pl.String)
    before = memberships.filter(pl.col("relation") == int(Relation.MEMBER)).select(
        pl.col("team").cast(pl.String), member=pl.coalesce(pl.col("user").cast(pl.String), "user_object_id")
    )
    lost = (
        taken_out.join(_everybody(before, taken_out["inner"], nested), left_on="inner", right_on="group")
        .join(
            _everybody(_afterwards(before, planned), taken_out["team"], nested),
            left_on=["team", "member"],
            right_on=["group", "member"],
            how="anti",
        )
        .group_by("seq")
        .agg(people=pl.len().cast(pl.Int64))
    )
    return taken_out.join(lost, on="seq", how="left").select("seq", pl.col("people").fill_null(1))


def _afterwards(before: pl.DataFrame, planned: pl.DataFrame) -> pl.DataFrame:
    """Memberships [team, member] once the plan was carried out; whoever is not in the register is taken to stay."""
    adding, removing = (
        planned.filter(pl.col("kind") == int(kind)).select(
            team=pl.col("subject").cast(pl.String), member=pl.col("object").cast(pl.String)
        )
        for kind in (Kind.ADD_MEMBER, Kind.REMOVE_MEMBER)
    )
    return pl.concat([before.join(removing, on=["team", "member"], how="anti"), adding])


def _everybody(memberships: pl.DataFrame, groups: pl.Series, nested: pl.Series) -> pl.DataFrame:
    """[group, member]: everybody in each of these groups, at whatever depth; groups themselves are nobody."""
    is_group = pl.col("member").is_in(nested.implode())
    reached = groups.unique().alias("group").to_frame().with_columns(team="group")
    found, ahead = [memberships.select(pl.lit("").alias("group"), "member").clear()], reached
    while ahead.height:
        inside = ahead.join(memberships, on="team")
        found.append(inside.filter(~is_group).select("group", "member"))
        deeper = inside.filter(is_group).select("group", team="member").unique()
        ahead = deeper.join(reached, on=["group", "team"], how="anti")
        reached = pl.concat([reached, ahead])
    return pl.concat(found).unique()
