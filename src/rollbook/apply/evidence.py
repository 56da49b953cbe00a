"""What a proof compares, gathered from the plan, the desired state and a reading of the tenant. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from rollbook.apply.proof import EXPECTED, GROUPS, STRANGERS, Evidence
from rollbook.directory.desired import Desired
from rollbook.directory.state import Relation
from rollbook.plan.changes import Cause, ChangeVerdict, Kind, Plan
from rollbook.profiles import Profile

LICENCE = "licence"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of the tenant: `memberships` (schema MEMBERSHIPS), `groups` (schema GROUPS) and `users` [link] that are linked."""

    memberships: pl.DataFrame
    groups: pl.DataFrame
    users: pl.DataFrame


def gathered(plan: Plan, desired: Desired, before: pl.DataFrame, now: Reading, profile: Profile) -> Evidence:
    """The evidence: everybody the register puts into a group, and everybody who is in one.

    `plan.changes` have the verdicts they have now; `before` (schema MEMBERSHIPS) is who was in the groups when it was made.
    """
    groups = _groups(desired, now.groups)
    expected = pl.concat(
        [desired.reasons.select(EXPECTED.keys()), _licensed(plan.changes, desired, before, groups)]
    ).cast(pl.Schema(EXPECTED))
    return Evidence(
        groups=groups,
        expected=expected.join(groups, on="team", how="semi"),
        actual=now.memberships.join(groups, on="team", how="semi"),
        accounts=now.users.select(user="link"),
        changes=plan.changes,
        strangers=_strangers(plan),
        unmanaged=desired.unmanaged["link"],
        outside=desired.outside,
        keep_previous=profile.enrolments.keep_previous,
    )


def _groups(desired: Desired, found: pl.DataFrame) -> pl.DataFrame:
    """All groups that are wanted (schema GROUPS); one in which nobody belongs any more only while it is there."""
    there = found.select(
        "link", there=pl.lit(value=True), name_now="display_name", has_team_now="has_team", kind_now="kind"
    )
    given_up = desired.emptied.select("link", given_up=pl.lit(value=True))
    beside = desired.state.groups.join(there, on="link", how="left").join(given_up, on="link", how="left")
    return (
        beside.with_columns(pl.col("there", "has_team_now", "given_up").fill_null(value=False))
        .filter(pl.col("there") | ~pl.col("given_up"))
        .select(
            "there",
            pl.col("purpose").cast(pl.String),
            team="link",
            name=pl.coalesce("display_name", "name_now"),
            kind=pl.coalesce("kind_now", "kind").cast(pl.String),
            wants_team="has_team",
            has_team=pl.col("has_team_now"),
        )
        .select(GROUPS.keys())
        .cast(pl.Schema(GROUPS))
    )


def _licensed(changes: pl.DataFrame, desired: Desired, before: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Who belongs in groups that carry licences: who was in them, with those who join and without those who leave.

    Whoever the plan left in them belongs there by its own rules; whoever finds no seat is expected too.
    """
    ours = groups.filter(pl.col("purpose") == LICENCE).select("team")
    planned = changes.filter(pl.col("verdict") != int(ChangeVerdict.WAITS))
    joining, leaving = (
        planned.filter(pl.col("kind") == int(kind)).select(team="subject", user="object")
        for kind in (Kind.JOIN_LICENCE_GROUP, Kind.LEAVE_LICENCE_GROUP)
    )
    inside = (
        before.filter(pl.col("relation") == int(Relation.MEMBER))
        .drop_nulls("user")
        .join(ours, on="team", how="semi")
        .select("team", "user")
        .join(leaving, on=["team", "user"], how="anti")
    )
    short = changes.filter(pl.col("cause") == int(Cause.NO_SEATS)).select(link="subject").unique()
    seatless = (
        desired.people.join(short, on="link", how="semi")
        .join(desired.licence_groups, on="user_type")
        .select(team="group", user="link")
    )
    return (
        pl.concat([inside, joining, seatless])
        .unique(maintain_order=True)
        .with_columns(relation=pl.lit(int(Relation.MEMBER), dtype=pl.UInt8), held=pl.lit(value=False))
        .select(EXPECTED.keys())
    )


def _strangers(plan: Plan) -> pl.DataFrame:
    """Whom each removal of somebody unknown is about (schema STRANGERS)."""
    leaving = plan.changes.filter(pl.col("kind") == int(Kind.REMOVE_STRANGER)).select("seq")
    return (
        plan.details.join(leaving, on="seq", how="semi")
        .select("seq", object_id=pl.col("after").str.json_path_match("$.object_id"))
        .cast(pl.Schema(STRANGERS))
    )
