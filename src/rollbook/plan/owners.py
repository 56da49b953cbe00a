"""Owners who leave: who goes at once, who goes once another was added, and who stays because nobody else could act.

Microsoft refuses to remove the last owner (graph.md section 5.2), and a team whose owners cannot sign in is nobody's: only somebody
who can act is the next one.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from rollbook.directory.state import Relation


@dataclass(frozen=True, slots=True)
class Acting:
    """Who can act as an owner once this plan is carried out.

    `users` [user, enabled, licensed] are people of the register, `by_hand` the object ids of enabled accounts: of whoever is in no
    register, only that is known.
    """

    users: pl.DataFrame
    by_hand: pl.Series


@dataclass(frozen=True, slots=True)
class Succession:
    """What becomes of owners who leave: `spared` [team, user] stay, `relying` [team, user, successor] go once that one is added."""

    spared: pl.DataFrame
    relying: pl.DataFrame


def succession(
    leaving: pl.DataFrame, adding: pl.DataFrame, actual: pl.DataFrame, groups: pl.DataFrame, acting: Acting
) -> Succession:
    """What becomes of `leaving` [team, user]: owners of groups [team, has_team] that need one.

    `adding` [team, user] become owners by this plan, `actual` [team, user, user_object_id, relation] is what the tenant holds. Where
    nobody follows who can act, one of those who leave and can stays; where nobody follows at all, one of them whoever it is. If none
    of them can act, whoever remains is no worse.
    """
    at_stake = groups.join(leaving, on="team", how="semi").select("team", "has_team")
    owners = actual.filter(pl.col("relation") == int(Relation.OWNER)).join(leaving, on=["team", "user"], how="anti")
    there = _judged(owners.select("team", "user", "user_object_id"), at_stake, acting)
    coming = _judged(adding.select("team", "user", user_object_id=pl.lit(None, dtype=pl.String)), at_stake, acting)
    going = _judged(leaving.select("team", "user", user_object_id=pl.lit(None, dtype=pl.String)), at_stake, acting)
    nobody = pl.lit(None, dtype=pl.Int64)
    every = pl.concat([there.select("team", "able", successor=nobody), coming.select("team", "able", successor="user")])
    able = every.filter("able")
    no_worse = every.join(pl.concat([able, going.filter("able")], how="diagonal"), on="team", how="anti")
    others = pl.concat([able, no_worse]).drop("able")
    # Whoever is there already comes first: nobody waits for an addition then.
    next_one = others.sort("team", "successor", nulls_last=False).unique("team", keep="first", maintain_order=True)
    spared = (
        going.join(next_one, on="team", how="anti")
        .sort("team", ~pl.col("able"), "user")
        .unique("team", keep="first", maintain_order=True)
    )
    relying = going.join(next_one.drop_nulls("successor"), on="team").select("team", "user", "successor")
    return Succession(spared.select("team", "user"), relying)


def _judged(owners: pl.DataFrame, groups: pl.DataFrame, acting: Acting) -> pl.DataFrame:
    """The owners of these groups with `able`: enabled, and licensed where the group is a team (graph.md section 13.7)."""
    known = owners.join(groups, on="team").join(acting.users, on="user", how="left")
    return known.with_columns(
        able=pl.when(pl.col("enabled").is_null())
        .then(pl.col("user_object_id").is_in(acting.by_hand.implode()))
        .otherwise(pl.col("enabled") & (pl.col("licensed") | ~pl.col("has_team")))
        .fill_null(value=False)
    ).select("team", "user", "able")
