"""What guards judge a plan by, gathered from desired, actual and what is remembered. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from rollbook.directory.desired import Desired
from rollbook.directory.state import Relation, State
from rollbook.plan.changes import ChangeVerdict, Kind
from rollbook.plan.context import SIZES, Context, Guarding
from rollbook.plan.guards import Evidence
from rollbook.plan.match import Matched


def evidence_of(
    changes: pl.DataFrame,
    desired: Desired,
    actual: State,
    matched: Matched,
    context: Context,
    groups_open: pl.DataFrame,
) -> Evidence:
    """The evidence about these changes (schema CHANGES). What was seen counts only as far as the plan is about it.

    `groups_open` [team] are the groups whose memberships are managed.
    """
    guarding = context.guarding
    members = actual.memberships.filter(pl.col("relation") == int(Relation.MEMBER))
    crowds = members.group_by("team").agg(members=pl.len()).cast(pl.Schema(SIZES))
    accounts = guarding.accounts.join(desired.state.users, on="link", how="semi")
    seen = guarding.groups.join(context.group_links.select("link", "object_id"), on="link").drop_nulls("object_id")
    groups = seen.join(desired.state.groups, on="link", how="semi")
    teams = desired.state.groups.filter(pl.col("purpose") == "team")
    lost = groups.join(actual.groups, on="object_id", how="anti")
    read = groups.join(lost, on="link", how="anti")
    if context.beyond is not None:
        crowds = pl.concat([crowds, context.beyond.sizes]).unique("team", keep="last")
        read = read.filter("team")  # of other groups only relations of some people were read
    managed = _managed(guarding, actual.memberships.join(groups_open, on="team", how="semi"), matched, teams)
    return Evidence(
        managed=managed,
        members=crowds,
        # What is no longer there is, of a part too, compared with all there is.
        accounts=accounts.height if guarding.whole else max(accounts.height, managed["users"]),
        groups=groups.height if guarding.whole else max(groups.height, managed["teams"]),
        lost_accounts=accounts.join(actual.users, on="object_id", how="anti").height,
        lost_groups=lost.height,
        sizes=_sizes(read, actual),
        teams=teams["link"],
        left=_left(changes, seen, desired, context, teams["link"]),
        register=guarding.register,
        applied=guarding.applied,
    )


def _managed(guarding: Guarding, memberships: pl.DataFrame, matched: Matched, teams: pl.DataFrame) -> Mapping[str, int]:
    """Everything that is managed: as it was read, or as it is remembered where only a part of it was looked at."""
    ours = pl.concat(
        [matched.groups.join(teams, on="link", how="semi"), guarding.groups.filter("team")], how="diagonal"
    )
    there = {
        "users": matched.users.height,
        "memberships": memberships.drop_nulls("user").height,
        "teams": ours["link"].n_unique(),  # those that are left are managed until they are
    }
    if guarding.whole:
        return there
    return {what: max(count, guarding.managed.get(what, 0)) for what, count in there.items()}


def _sizes(groups: pl.DataFrame, actual: State) -> pl.DataFrame:
    """[link, before, now] of groups that are there: how many owners and members they held, and hold."""
    now = actual.memberships.group_by(link="team").agg(now=pl.len())
    sizes = groups.select("link", before="relations").join(now, on="link", how="left")
    return sizes.select("link", "before", pl.col("now").fill_null(0).cast(pl.Int64))


def _left(changes: pl.DataFrame, seen: pl.DataFrame, desired: Desired, context: Context, teams: pl.Series) -> pl.Series:
    """Links of teams that were last seen with people and in which nobody belongs any more, of the academic periods that are wanted.

    Of a part of the school only those are told that the plan itself clears; what it is not about is not left.
    """
    periods = context.group_links.filter(pl.col("link").is_in(teams.implode())).select("period").unique()
    there = context.group_links.join(periods, on="period", how="semi", nulls_equal=True)
    peopled = seen.filter("team", pl.col("relations") > 0).join(there, on="link", how="semi")
    abandoned = peopled.join(desired.reasons, left_on="link", right_on="team", how="anti")
    if not context.guarding.whole:
        clearing = changes.filter(
            pl.col("kind") == int(Kind.REMOVE_MEMBER), pl.col("verdict") == int(ChangeVerdict.PLANNED)
        )
        abandoned = abandoned.join(clearing, left_on="link", right_on="subject", how="semi")
    return abandoned["link"]
