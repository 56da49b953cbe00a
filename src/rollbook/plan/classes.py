"""Differences of class teams: which groups and teams are made, which change, which wait for a teacher."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from rollbook.directory.desired import Desired
from rollbook.directory.state import Relation, State
from rollbook.plan.accounts import Accounts
from rollbook.plan.changes import Cause, Kind
from rollbook.plan.context import Context
from rollbook.plan.match import Matched, beside_actual, is_ours
from rollbook.plan.naming import pick
from rollbook.plan.rows import rows, together, values, waits

ATTRIBUTES = ("display_name", "description", "class_code")
CREATED_WITH = (*ATTRIBUTES, "external_id", "mail_nickname")


@dataclass(frozen=True, slots=True)
class Classes:
    """The changes of class teams, and which teams have a group to put people into afterwards: [team]."""

    changes: pl.DataFrame
    open: pl.DataFrame


def diff_classes(desired: Desired, actual: State, matched: Matched, accounts: Accounts, context: Context) -> Classes:
    """What has to change so that class groups and teams are as desired. No class is made before it has an owner."""
    wanted = desired.state.teams
    unclear = matched.changes.filter((pl.col("kind") == int(Kind.LINK_CLASS)) & pl.col("after").is_null())
    linked = beside_actual(wanted, actual.teams, matched.teams)
    dynamic, fixed = linked.filter("dynamic_now"), linked.filter(~pl.col("dynamic_now"))
    there, foreign = fixed.filter(is_ours()), fixed.filter(~is_ours())
    gone = wanted.join(matched.teams, on="link", how="semi").join(linked, on="link", how="anti")
    absent = wanted.join(matched.teams, on="link", how="anti").join(
        unclear.select(link="subject"), on="link", how="anti"
    )
    teacherless, hindered = _without_owner(desired.state, accounts)
    blocked = pl.concat([teacherless, hindered])
    creating = _named(absent.join(blocked, on="link", how="anti"), desired.nicknames, actual, context)
    unmade = pl.concat([absent.select("link"), there.filter(~pl.col("has_team_now")).select("link")])
    teams = pl.concat([creating.select("link"), there.filter(~pl.col("has_team_now")).select("link")])
    changes = together(
        [
            rows(creating, Kind.CREATE_CLASS, Cause.NO_CLASS, after=values(*CREATED_WITH)),
            rows(teams.join(blocked, on="link", how="anti").sort("link"), Kind.CREATE_TEAM, Cause.NO_TEAM),
            waits(unmade.join(teacherless, on="link", how="semi"), Kind.CREATE_TEAM, Cause.NO_TEACHER),
            waits(unmade.join(hindered, on="link", how="semi"), Kind.CREATE_TEAM, Cause.OWNERS_WAIT),
            waits(gone, Kind.UPDATE_CLASS, Cause.CLASS_GONE),
            waits(foreign, Kind.UPDATE_CLASS, Cause.FOREIGN_MARK),
            waits(dynamic, Kind.UPDATE_CLASS, Cause.DYNAMIC_GROUP),
            _updates(there),
        ]
    )
    return Classes(changes, pl.concat([creating.select(team="link"), there.select(team="link")]))


def _without_owner(desired: State, accounts: Accounts) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Classes nobody teaches, and classes whose teachers cannot be owners yet: [link] each."""
    owners = desired.memberships.filter(pl.col("relation") == int(Relation.OWNER)).select("team", "user")
    able = accounts.usable.filter(pl.col("enabled") & pl.col("licensed"))
    owned = owners.join(able, on="user", how="semi").select(link="team").unique()
    taught = owners.select(link="team").unique()
    every = desired.teams.select("link")
    return every.join(taught, on="link", how="anti"), taught.join(owned, on="link", how="anti")


def _named(creating: pl.DataFrame, nicknames: pl.DataFrame, actual: State, context: Context) -> pl.DataFrame:
    own = context.nicknames.join(creating, on="link", how="semi").unique("link", keep="first", maintain_order=True)
    in_use = actual.teams["mail_nickname"].str.to_lowercase()
    own = own.join(in_use.to_frame("folded"), on="folded", how="anti")
    taken = pl.concat([in_use, context.nicknames["folded"]]).drop_nulls().unique()
    candidates = creating.join(own, on="link", how="anti").select("link").join(nicknames, on="link")
    picked = pick(candidates.with_columns(suffix=pl.lit("")), taken, "suffix")
    named = pl.concat([picked, own.select("link", name="folded")])
    return creating.drop("mail_nickname").join(named.rename({"name": "mail_nickname"}), on="link").sort("link")


def _updates(there: pl.DataFrame) -> pl.DataFrame:
    targets = there.with_columns(*(pl.coalesce(name, f"{name}_now").alias(name) for name in ATTRIBUTES))
    differing = targets.filter(pl.any_horizontal(pl.col(n).ne_missing(pl.col(f"{n}_now")) for n in ATTRIBUTES))
    before = pl.struct(pl.col(f"{n}_now").alias(n) for n in ATTRIBUTES).struct.json_encode()
    return rows(differing, Kind.UPDATE_CLASS, Cause.VALUES_DIFFER, before=before, after=values(*ATTRIBUTES))
