"""The plan: all differences in the order they are applied, numbered, guarded, fingerprinted and frozen."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import polars as pl

from rollbook.directory.desired import Desired
from rollbook.directory.state import Relation, State
from rollbook.plan.accounts import Accounts, diff_accounts
from rollbook.plan.changes import CHANGES, DETAILS, ChangeVerdict, Kind, Plan
from rollbook.plan.context import SIZES, Context
from rollbook.plan.groups import diff_groups
from rollbook.plan.guards import objections
from rollbook.plan.limits import beyond_limits
from rollbook.plan.match import Matched
from rollbook.plan.memberships import diff_memberships, remove_strangers
from rollbook.plan.rows import together
from rollbook.profiles import Profile

WAVES: dict[Kind, int] = {kind: int(kind) for kind in Kind} | {Kind.ADD_MEMBER: int(Kind.ADD_OWNER)}
"""Owners and members of one team go out in one request, so they stand together in the order."""


MAKERS = (Kind.CREATE_USER, Kind.CREATE_CLASS, Kind.CREATE_UNIFIED, Kind.CREATE_GROUP)
"""Kinds that make an object which other changes of the plan may need."""


def make_plan(desired: Desired, actual: State, matched: Matched, context: Context, profile: Profile) -> Plan:
    """The plan that makes `actual` equal to `desired`, as far as nothing has to wait.

    `actual.memberships` are those of the matched groups, by link. Equal content gives an equal fingerprint.
    """
    accounts = diff_accounts(desired, actual, matched, context, profile)
    groups = diff_groups(desired, actual, matched, _with_around(accounts, context), context)
    usable = pl.concat([accounts.usable.select("user"), groups.open.select(user="team"), *_around(context)])
    belonging = desired.reasons.join(usable, on="user", how="semi").join(groups.open, on="team", how="semi")
    beyond = beyond_limits(belonging.filter(~pl.col("held")), desired.state.groups, *_crowds(context))
    ours = _ours(actual.memberships, usable, groups.open)
    memberships = diff_memberships(belonging, ours, groups.open, beyond, profile)
    strangers = _strangers(actual, matched, groups.open, context, profile)
    ordered = _numbered(together([matched.changes, accounts.changes, groups.changes, memberships, strangers]))
    changes = _with_needs(ordered)
    details = ordered.filter(pl.col("before").is_not_null() | pl.col("after").is_not_null()).select(DETAILS.keys())
    managed = {
        "users": matched.users.height,
        "memberships": actual.memberships.drop_nulls("user").height,
    }
    sizes = actual.memberships.filter(pl.col("relation") == int(Relation.MEMBER)).group_by("team").agg(members=pl.len())
    if context.beyond is not None:
        managed = {**managed, **context.beyond.totals}
        sizes = pl.concat([sizes.cast(pl.Schema(SIZES)), context.beyond.sizes]).unique("team", keep="last")
    return Plan(
        tenant=context.tenant,
        profile_version=context.profile_version,
        as_of=context.as_of,
        changes=changes,
        details=details.cast(pl.Schema(DETAILS)),
        objections=objections(changes, managed, sizes),
        fingerprint=fingerprint(changes, details, context.tenant, context.profile_version),
        first_run=context.first_run,
        counts=_counts(changes, context.waited),
        forecast=accounts.forecast,
    )


def _around(context: Context) -> list[pl.DataFrame]:
    """[user] of people around the part a plan is about."""
    return [] if context.beyond is None else [context.beyond.around.select("user")]


def _with_around(accounts: Accounts, context: Context) -> Accounts:
    """The accounts with those around the part a plan is about: they can own groups, too."""
    if context.beyond is None:
        return accounts
    return replace(accounts, usable=pl.concat([accounts.usable, context.beyond.around]))


def _crowds(context: Context) -> list[pl.DataFrame]:
    """Sizes of groups that were not read whole."""
    return [] if context.beyond is None else [context.beyond.sizes]


def _strangers(
    actual: State, matched: Matched, groups: pl.DataFrame, context: Context, profile: Profile
) -> pl.DataFrame:
    """The removals of people no register knows from teams, if the profile wants them; keeping previous members wins over it.

    Whoever may be somebody of the register, because a match waits for a person, is nobody unknown.
    """
    if not profile.enrolments.remove_unknown or profile.enrolments.keep_previous:
        return together([])
    unclear = matched.changes.filter(pl.col("kind") == int(Kind.LINK_USER)).select(
        object_id=pl.col("before").str.extract_all(r'"object_id":"[^"]+"')
    )
    candidates = unclear["object_id"].explode().str.strip_prefix('"object_id":"').str.strip_suffix('"')
    linked = pl.concat([context.user_links["object_id"], matched.users["object_id"], candidates]).drop_nulls().unique()
    return remove_strangers(actual.memberships, groups.filter(pl.col("purpose") == "team"), actual.users, linked)


def _ours(memberships: pl.DataFrame, users: pl.DataFrame, teams: pl.DataFrame) -> pl.DataFrame:
    """Memberships of teams that are ours; whoever's account is in doubt counts as a stranger, and is left alone."""
    known = users.with_columns(known=pl.lit(value=True))
    kept = memberships.join(teams, on="team", how="semi").join(known, on="user", how="left")
    return kept.with_columns(pl.when("known").then("user").alias("user")).drop("known")


def _numbered(found: pl.DataFrame) -> pl.DataFrame:
    """All rows in their order of application, numbered from 1; the order does not depend on the order of any input."""
    wave = pl.col("kind").replace_strict({int(k): w for k, w in WAVES.items()}, return_dtype=pl.Int32)
    return (
        found.sort(wave, "subject", "kind", "object", nulls_last=False)
        .with_row_index("seq", offset=1)
        .with_columns(pl.col("seq").cast(pl.Int32))
    )


def _with_needs(ordered: pl.DataFrame) -> pl.DataFrame:
    """Each change beside the changes that make its subject and its object, if they are made by this plan."""
    planned = ordered.filter(pl.col("verdict") == int(ChangeVerdict.PLANNED))
    is_maker = pl.col("kind").is_in([int(kind) for kind in MAKERS])
    made = planned.filter(is_maker).select("seq", link="subject")
    return (
        ordered.join(made.rename({"seq": "needs_subject"}), left_on="subject", right_on="link", how="left")
        .with_columns(pl.when(~is_maker).then("needs_subject").alias("needs_subject"))
        .join(made.rename({"seq": "needs_object"}), left_on="object", right_on="link", how="left")
        .sort("seq")
        .select(CHANGES.keys())
        .cast(pl.Schema(CHANGES))
    )


def fingerprint(changes: pl.DataFrame, details: pl.DataFrame, tenant: str, profile_version: int) -> str:
    """Twelve hexadecimal digits over every change, its values, the tenant and the profile version."""
    digest = hashlib.sha256(f"{tenant}\n{profile_version}\n".encode())
    digest.update(changes.write_csv().encode())
    digest.update(details.write_csv().encode())
    return digest.hexdigest()[:12]


def _counts(changes: pl.DataFrame, waited: pl.DataFrame) -> dict[str, int]:
    """changes: what is planned, and what newly waits; waiting: everything that waits, known or new."""
    waiting = changes.filter(pl.col("verdict") == int(ChangeVerdict.WAITS))
    known = waiting.join(waited, on=["kind", "subject", "object", "cause"], how="semi", nulls_equal=True)
    return {
        "changes": changes.height - known.height,
        "waiting": waiting.height,
        "newly_waiting": waiting.height - known.height,
    }
