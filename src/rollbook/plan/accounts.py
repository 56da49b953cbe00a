"""Differences of accounts: who gets one, which change, which are disabled or enabled again, who is licensed."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from rollbook.directory.desired import Desired
from rollbook.directory.state import MAPPED, State
from rollbook.plan.changes import Cause, Kind
from rollbook.plan.context import Context
from rollbook.plan.match import Matched, beside_actual, is_ours
from rollbook.plan.naming import pick
from rollbook.plan.rows import rows, together, values, waits
from rollbook.profiles import Profile

CREATED_WITH = (*MAPPED, "account_enabled", "usage_location", "user_principal_name", "mail_nickname")


@dataclass(frozen=True, slots=True)
class Accounts:
    """The changes of accounts, and who can be put into a team afterwards: [user, enabled, licensed]."""

    changes: pl.DataFrame
    usable: pl.DataFrame


def diff_accounts(desired: Desired, actual: State, matched: Matched, context: Context, profile: Profile) -> Accounts:
    """What has to change so that the accounts are as desired. Nothing of an unlinked account is ever changed."""
    everybody = desired.state.users.join(desired.people.drop("user_type"), on="link")
    unmapped = everybody.join(desired.unmapped, on="link", how="semi").filter("present")
    wanted = everybody.join(unmapped, on="link", how="anti")
    unclear = matched.changes.filter(pl.col("kind") == int(Kind.LINK_USER)).filter(pl.col("after").is_null())
    linked = beside_actual(wanted, actual.users, matched.users)
    ours, foreign = linked.filter(is_ours()), linked.filter(~is_ours())
    guarded = ours.filter(pl.col("protected_now"))
    there = ours.join(guarded, on="link", how="anti")
    gone = wanted.join(matched.users, on="link", how="semi").join(linked, on="link", how="anti")
    absent = (
        wanted.join(matched.users, on="link", how="anti")
        .join(unclear.select(link="subject"), on="link", how="anti")
        .filter("present")
    )
    creating, nameless = _creations(absent, desired.user_names, actual, context, profile)
    changes = together(
        [
            rows(creating, Kind.CREATE_USER, Cause.NO_ACCOUNT, after=values(*CREATED_WITH)),
            waits(nameless, Kind.CREATE_USER, Cause.NO_NAME),
            waits(gone.filter("present"), Kind.UPDATE_USER, Cause.ACCOUNT_GONE),
            waits(foreign, Kind.UPDATE_USER, Cause.FOREIGN_MARK),
            _updates(there, profile),
            waits(unmapped, Kind.UPDATE_USER, Cause.MAPPING_FAILED),
            _enabling(there),
            _licensing(there, creating, desired.people, context),
            _left_alone(guarded, profile, desired.people, context),
        ]
    )
    return Accounts(changes, _usable(there, guarded, creating))


def _left_alone(guarded: pl.DataFrame, profile: Profile, people: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Protected accounts to which something would have been done wait instead, whatever it was."""
    wishes = (_updates(guarded, profile), _enabling(guarded), _licensing(guarded, guarded.clear(), people, context))
    subjects = pl.concat([wish.select(link="subject") for wish in wishes]).unique()
    return waits(guarded.join(subjects, on="link", how="semi"), Kind.UPDATE_USER, Cause.PROTECTED)


def _creations(
    absent: pl.DataFrame, user_names: pl.DataFrame, actual: State, context: Context, profile: Profile
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows to be created, named; and those for whom no name can be made."""
    allowed = absent.filter("create")
    if not profile.users.without_enrolments:
        allowed = allowed.filter("current")
    based = allowed.join(user_names, on="link", how="left")
    nameless = based.filter(pl.col("base").is_null())
    candidates = based.drop_nulls("base").select("link", "base", suffix=pl.lit("@") + pl.col("domain"))
    # A name reserved for the same link is its own: a creation that was cut off gets it again.
    own = context.user_names.join(candidates, on="link", how="semi").unique("link", keep="first", maintain_order=True)
    others = context.user_names.join(own, on="link", how="anti")
    in_use = actual.users["user_principal_name"].str.to_lowercase()
    own = own.join(in_use.to_frame("folded"), on="folded", how="anti")
    taken = pl.concat([in_use, others["folded"], own["folded"]]).drop_nulls().unique()
    picked = pick(candidates.join(own, on="link", how="anti"), taken, "suffix")
    named = pl.concat([picked, own.select("link", name="folded")])
    creating = based.join(named, on="link").with_columns(
        user_principal_name=pl.col("name"), mail_nickname=pl.col("name").str.split("@").list.first()
    )
    return creating.sort("link"), nameless


def _updates(there: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    """Attributes that differ. A null in the register never clears anything; a usage location that is set stays.

    What a mapping sets on creation only is left alone.
    """
    kept_up = [name for name in MAPPED if not (row := profile.users.mappings.get(name)) or not row.on_creation_only]
    kept = there.filter(pl.col("update") & pl.col("present") & ~pl.col("on_premises_now"))
    first_country = pl.col("usage_location_now").fill_null(pl.col("usage_location"))
    targets = kept.with_columns(
        *(pl.coalesce(name, f"{name}_now").alias(name) for name in kept_up), usage_location=first_country
    )
    compared = (*kept_up, "usage_location")
    differing = targets.filter(pl.any_horizontal(pl.col(n).ne_missing(pl.col(f"{n}_now")) for n in compared))
    before = pl.struct(pl.col(f"{n}_now").alias(n) for n in compared).struct.json_encode()
    return rows(differing, Kind.UPDATE_USER, Cause.VALUES_DIFFER, before=before, after=values(*compared))


def _enabling(there: pl.DataFrame) -> pl.DataFrame:
    """Who is disabled because they left; who is enabled again because they returned and it was we who disabled them."""
    ours = there.filter(~pl.col("on_premises_now"))
    returned = ours.filter(
        pl.col("account_enabled")
        & ~pl.col("account_enabled_now")
        & pl.col("disabled_by_us")
        & (pl.col("create") | pl.col("update"))
        & pl.col("current")
    )
    left = ours.filter(~pl.col("account_enabled") & pl.col("account_enabled_now") & pl.col("deactivate"))
    return together([rows(returned, Kind.ENABLE_USER, Cause.RETURNED), rows(left, Kind.DISABLE_USER, Cause.LEFT)])


def _licensing(there: pl.DataFrame, creating: pl.DataFrame, people: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Licences that are missing, as long as seats last: teachers first, then employees, students, parents."""
    kept = there.filter("update").select("link", "licences", has="licences_now")
    made = creating.select("link", "licences", has=pl.lit([], dtype=pl.List(pl.String)))
    missing = (
        pl.concat([kept, made])
        .with_columns(sku=pl.col("licences").list.set_difference("has"))
        .explode("sku", empty_as_null=True)
        .drop_nulls("sku")
        .join(people.select("link", "user_type"), on="link")
        .sort("user_type", "link")
        .with_columns(place=pl.int_range(1, pl.len() + 1).over("sku"))
        .join(context.seats, on="sku", how="left")
    )
    short = missing.filter(pl.col("place") > pl.col("free").fill_null(0)).select("link").unique()
    granted = missing.join(short, on="link", how="anti").group_by("link").agg(pl.col("sku").sort().alias("licences"))
    return together(
        [
            rows(granted.sort("link"), Kind.LICENSE_USER, Cause.NO_LICENCE, after=values("licences")),
            waits(short.sort("link"), Kind.LICENSE_USER, Cause.NO_SEATS),
        ]
    )


def _usable(there: pl.DataFrame, guarded: pl.DataFrame, creating: pl.DataFrame) -> pl.DataFrame:
    """[user, enabled, licensed] of everybody who has an account or gets one now."""
    licensed = pl.col("licences").list.len() > 0
    return pl.concat(
        [
            there.select(
                user="link",
                enabled=pl.col("account_enabled") & (pl.col("account_enabled_now") | pl.col("disabled_by_us")),
                licensed=licensed | (pl.col("licences_now").list.len() > 0),
            ),
            guarded.select(user="link", enabled="account_enabled_now", licensed=pl.col("licences_now").list.len() > 0),
            creating.select(user="link", enabled="account_enabled", licensed=licensed),
        ]
    )
