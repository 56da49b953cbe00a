"""Groups that are taken out of other groups: who loses what the upper group gives; the guards weigh it, and some have to wait.

Members are texts here: links of ours, and object ids of whoever has none, which have letters and dashes in them.
"""

from __future__ import annotations

import polars as pl

from rollbook.directory.state import Relation
from rollbook.plan.changes import Cause, ChangeVerdict, Kind


def weights(changes: pl.DataFrame, memberships: pl.DataFrame, groups: pl.Series) -> pl.DataFrame:
    """[seq, people]: how many people each planned removal of a nested group takes out of the upper group, one at least.

    Whoever is in the upper group afterwards too, directly or through another nested group, loses nothing. `changes` has the schema
    CHANGES, `memberships` (schema directory.state.MEMBERSHIPS) is what the tenant holds, `groups` are links of groups.
    """
    planned = changes.filter(pl.col("verdict") == int(ChangeVerdict.PLANNED))
    taken_out = _taken_out(planned, groups)
    if taken_out.is_empty():
        return taken_out.select("seq", people=pl.lit(1, dtype=pl.Int64))
    counted = _losing(taken_out, planned, memberships, groups).group_by("seq").agg(people=pl.len().cast(pl.Int64))
    return taken_out.join(counted, on="seq", how="left").select("seq", pl.col("people").fill_null(1))


def only_once_replaced(
    changes: pl.DataFrame, memberships: pl.DataFrame, reasons: pl.DataFrame, groups: pl.Series
) -> pl.DataFrame:
    """`changes` (schema ROWS), in which no group is taken out of another while somebody in it would lose what is still theirs.

    Whoever belongs in the upper group, or in one below it, by `reasons` (schema directory.desired.REASONS), and would be out of it
    because their new place waits, keeps the old one: the removal waits.
    """
    numbered = changes.with_row_index("seq")
    planned = numbered.filter(pl.col("verdict") == int(ChangeVerdict.PLANNED))
    taken_out = _taken_out(planned, groups)
    if taken_out.is_empty():
        return changes
    desired = reasons.filter(pl.col("relation") == int(Relation.MEMBER), ~pl.col("held")).select(
        pl.col("team").cast(pl.String), member=pl.col("user").cast(pl.String)
    )
    nested = pl.concat([groups, reasons["team"]]).unique().cast(pl.String)
    theirs = _everybody(desired, taken_out["team"], nested)
    early = _losing(taken_out, planned, memberships, groups).join(
        theirs, left_on=["team", "member"], right_on=["group", "member"], how="semi"
    )
    waiting = pl.col("seq").is_in(early["seq"].unique().implode())
    return numbered.with_columns(
        verdict=pl.when(waiting).then(pl.lit(int(ChangeVerdict.WAITS), dtype=pl.UInt8)).otherwise("verdict"),
        cause=pl.when(waiting).then(pl.lit(int(Cause.NOT_REPLACED), dtype=pl.UInt8)).otherwise("cause"),
    ).drop("seq")


def _taken_out(planned: pl.DataFrame, groups: pl.Series) -> pl.DataFrame:
    """[seq, team, inner]: the removals of groups from groups."""
    leaving = planned.filter(pl.col("kind") == int(Kind.REMOVE_MEMBER), pl.col("object").is_in(groups.implode()))
    return leaving.select("seq", team=pl.col("subject").cast(pl.String), inner=pl.col("object").cast(pl.String))


def _losing(
    taken_out: pl.DataFrame, planned: pl.DataFrame, memberships: pl.DataFrame, groups: pl.Series
) -> pl.DataFrame:
    """[seq, team, inner, member]: who is out of the upper group after all that is planned, because of which removal."""
    nested = groups.cast(pl.String)
    before = memberships.filter(pl.col("relation") == int(Relation.MEMBER)).select(
        pl.col("team").cast(pl.String), member=pl.coalesce(pl.col("user").cast(pl.String), "user_object_id")
    )
    return taken_out.join(_everybody(before, taken_out["inner"], nested), left_on="inner", right_on="group").join(
        _everybody(_afterwards(before, planned), taken_out["team"], nested),
        left_on=["team", "member"],
        right_on=["group", "member"],
        how="anti",
    )


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
