"""What the teams' own rosters lack of their groups. Pure.

People are put into the group, and Microsoft follows in the team within hours, or a day; into a class team that no teacher has
activated yet it puts owners only (graph.md sections 7.1 and 7.3). Neither is a fault: both are pending.
"""

from __future__ import annotations

import polars as pl

from rollbook.apply.proof import DEVIATIONS
from rollbook.apply.whys import PENDING, Why
from rollbook.directory.state import Relation


def not_yet_in_team(members: pl.DataFrame, rosters: pl.DataFrame, classes: pl.Series) -> pl.DataFrame:
    """Everybody who is in a group and not, or not as owner, on the roster of its team (schema DEVIATIONS).

    `members` (schema directory.state.MEMBERSHIPS) are the people of the groups, `rosters` [team, user_object_id, owner] those of the
    teams that are there, `classes` the links of class teams. Of a team without a roster nothing is said.
    """
    key = ["team", "user_object_id", "relation"]
    on_roster = pl.concat(
        [
            _with_relation(rosters, Relation.MEMBER),
            _with_relation(rosters.filter("owner"), Relation.OWNER),
        ]
    )
    lacking = members.join(rosters.select("team").unique(), on="team", how="semi").join(on_roster, on=key, how="anti")
    opened = rosters.filter(~pl.col("owner")).select("team").unique()
    locked = pl.col("team").is_in(classes.implode()) & ~pl.col("team").is_in(opened["team"].implode())
    as_member = pl.col("relation") == int(Relation.MEMBER)
    why = pl.when(locked & as_member).then(pl.lit(Why.NOT_ACTIVATED.value)).otherwise(pl.lit(Why.ROSTER_PENDING.value))
    outside = pl.when(pl.col("user").is_null()).then("user_object_id")
    told = lacking.with_columns(
        object_id=outside, status=pl.lit(PENDING), why=why, cause=pl.lit(None), seq=pl.lit(None)
    )
    return told.select(DEVIATIONS.keys()).cast(pl.Schema(DEVIATIONS)).sort("team", "user", "object_id", "relation")


def _with_relation(rosters: pl.DataFrame, relation: Relation) -> pl.DataFrame:
    return rosters.select("team", "user_object_id", pl.lit(int(relation), dtype=pl.UInt8).alias("relation"))
