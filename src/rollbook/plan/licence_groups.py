"""Licences through groups: one flat security group a user type carries its products; people are its members.

Microsoft gives and takes the licences in the background, minutes later; so nobody counts as licensed because of a membership that
was only just asked for. A group of ours is ours entirely, its members are not: whoever was put in by hand stays.
"""

from __future__ import annotations

import polars as pl

from rollbook.directory.desired import Desired
from rollbook.directory.state import State, of_purpose
from rollbook.plan.changes import Cause, Kind
from rollbook.plan.context import Context
from rollbook.plan.licences import Licensing, forecast, grace_over, product, seats_for, wanted_people, wishes_of
from rollbook.plan.match import Matched
from rollbook.plan.rows import rows, together, values, waits
from rollbook.profiles import Profile

NO_DAY = pl.lit(None, dtype=pl.Date)


def _cause(cause: Cause) -> pl.Expr:
    return pl.lit(int(cause), dtype=pl.UInt8)


def license_by_group(
    there: pl.DataFrame,
    creating: pl.DataFrame,
    desired: Desired,
    actual: State,
    matched: Matched,
    context: Context,
    profile: Profile,
) -> Licensing:
    """What has to change so that the licence groups are there, carry their products, and hold the people who need them."""
    people = wanted_people(there, creating)
    wishes = wishes_of(people, desired.licences, profile)
    granted, short = seats_for(wishes.filter("missing"), context.seats)
    groups, gone = _groups(desired, actual, matched)
    inside = (
        people.filter(pl.col("licences").list.len() > 0)
        .join(short, on="link", how="anti")
        .join(desired.licence_groups, on="user_type")
        .join(gone, left_on="group", right_on="link", how="anti")
        .select("group", user="link")
    )
    members = (
        actual.memberships.drop_nulls("user")
        .join(desired.licence_groups, left_on="team", right_on="group", how="semi")
        .select("user", group="team")
    )
    joining = inside.join(members, on=["group", "user"], how="anti").sort("group", "user")
    leaving = _leaving(members.join(inside, on=["group", "user"], how="anti"), there, context, profile)
    return Licensing(
        changes=together(
            [
                groups,
                waits(gone, Kind.CREATE_GROUP, Cause.GROUP_GONE),
                rows(joining, Kind.JOIN_LICENCE_GROUP, Cause.NO_LICENCE, subject="group", object="user"),
                rows(leaving, Kind.LEAVE_LICENCE_GROUP, pl.col("cause"), subject="group", object="user", day="day"),
                waits(short, Kind.LICENSE_USER, Cause.NO_SEATS),
            ]
        ),
        licensed=people.filter(pl.col("has").list.len() > 0).select("link"),
        forecast=forecast(wishes, granted, desired.licences, context.seats),
        ending=_ending(leaving, inside, desired),
    )


def _ending(leaving: pl.DataFrame, inside: pl.DataFrame, desired: Desired) -> pl.DataFrame:
    """[link, sku]: what people lose who leave a licence group and belong in no other."""
    lost = leaving.join(inside, on="user", how="anti").select("group", link="user")
    return lost.join(desired.licence_groups, on="group").join(desired.licences, on="user_type").select("link", "sku")


def _groups(desired: Desired, actual: State, matched: Matched) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The changes of the groups themselves, and [link] of those that somebody deleted."""
    wanted = of_purpose(desired.state.groups, "licence").select(
        "link", "display_name", "description", "licences", "plans_off"
    )
    linked = matched.groups.select("link", "object_id")
    now = actual.groups.select("object_id", licences_now="licences", plans_off_now="plans_off")
    there = wanted.join(linked, on="link").join(now, on="object_id").drop("object_id")
    absent = wanted.join(there, on="link", how="anti")
    gone = absent.join(linked, on="link", how="semi").select("link")
    new = absent.join(linked, on="link", how="anti")
    nothing = pl.lit([], dtype=pl.List(pl.String))
    equipped = pl.concat([there, new.with_columns(licences_now=nothing, plans_off_now=nothing)])
    differing = equipped.filter(
        (pl.col("licences") != pl.col("licences_now")) | (pl.col("plans_off") != pl.col("plans_off_now"))
    )
    products = (
        desired.licences.join(desired.licence_groups, on="user_type")
        .sort("group", "rank")
        .group_by(link="group", maintain_order=True)
        .agg(add=product())
    )
    asked = (
        differing.join(products, on="link")
        .with_columns(licences="add", remove=pl.col("licences_now").list.set_difference("licences").list.sort())
        .sort("link")
    )
    before = pl.struct(licences="licences_now", plans_off="plans_off_now").struct.json_encode()
    return together(
        [
            rows(new, Kind.CREATE_GROUP, Cause.NO_GROUP, after=values("display_name", "description")),
            rows(asked, Kind.LICENSE_GROUP, Cause.GROUP_LICENCES, before=before, after=values("licences", "remove")),
        ]
    ), gone


def _leaving(surplus: pl.DataFrame, there: pl.DataFrame, context: Context, profile: Profile) -> pl.DataFrame:
    """[group, user, cause, day] of members who belong elsewhere now, or left long enough ago."""
    known = surplus.join(there.rename({"link": "user"}), on="user")
    moved = known.filter("account_enabled", "update").select(
        "group", "user", cause=_cause(Cause.LICENCE_CHANGED), day=NO_DAY
    )
    left = known.filter(grace_over(context, profile))
    gone = left.select("group", "user", cause=_cause(Cause.GRACE_OVER), day="since")
    return pl.concat([moved, gone]).sort("group", "user")
