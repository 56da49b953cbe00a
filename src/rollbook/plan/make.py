"""The plan: all differences in the order they are applied, numbered, guarded, fingerprinted and frozen."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import polars as pl

from rollbook.directory.desired import Desired
from rollbook.directory.state import State
from rollbook.plan.accounts import Accounts, diff_accounts
from rollbook.plan.changes import CHANGES, DETAILS, ChangeVerdict, Kind, Plan
from rollbook.plan.context import Context
from rollbook.plan.declines import with_declined
from rollbook.plan.evidence import evidence_of
from rollbook.plan.groups import diff_groups
from rollbook.plan.guards import judge
from rollbook.plan.limits import beyond_limits
from rollbook.plan.match import Matched
from rollbook.plan.memberships import Limits, Rules, diff_memberships, remove_strangers, strangers
from rollbook.plan.nesting import only_once_replaced, weights
from rollbook.plan.owners import Acting
from rollbook.plan.rows import together
from rollbook.profiles import Profile

WAVES: dict[Kind, int] = {kind: int(kind) for kind in Kind} | {Kind.ADD_MEMBER: int(Kind.ADD_OWNER)}
"""Owners and members of one team go out in one request, so they stand together in the order."""


MAKERS = (Kind.CREATE_USER, Kind.CREATE_CLASS, Kind.CREATE_UNIFIED, Kind.CREATE_GROUP)
"""Kinds that make an object which other changes of the plan may need."""

OWNERS_LEAVING = (Kind.REMOVE_OWNER, Kind.REMOVE_MEMBER, Kind.DEMOTE_OWNER)
"""Kinds that take an owner out, which may need the addition of another one first."""


def make_plan(desired: Desired, actual: State, matched: Matched, context: Context, profile: Profile) -> Plan:
    """The plan that makes `actual` equal to `desired`, as far as nothing has to wait.

    `actual.memberships` are those of the matched groups, by link. Equal content gives an equal fingerprint.
    """
    accounts = diff_accounts(desired, actual, matched, context, profile)
    able = _with_around(accounts, context)
    groups = diff_groups(desired, actual, matched, able, context)
    nested = pl.concat([groups.open["team"], desired.unmanaged["link"]])
    usable = pl.concat([able.usable.select("user"), nested.alias("user").to_frame()])
    belonging = desired.reasons.join(usable, on="user", how="semi").join(groups.open, on="team", how="semi")
    ours = _ours(actual.memberships, usable, groups.open, desired.outside)
    unknown = _unknown(actual, matched, groups.open, context, profile)
    by_hand = actual.users.filter(pl.col("account_enabled"), ~pl.col("deleted"))["object_id"]
    limits = _limits(actual.memberships, unknown, desired.state.groups, context)
    rules = Rules(nested, limits, Acting(able.usable, by_hand), desired.outside)
    memberships = diff_memberships(belonging, ours, groups.open, rules, profile)
    moves = only_once_replaced(memberships.changes, actual.memberships, desired.reasons, nested)
    ordered = numbered(together([matched.changes, accounts.changes, groups.changes, moves, remove_strangers(unknown)]))
    asked = with_needs(ordered, memberships.relying)
    changes = with_declined(asked, ordered, context.guarding.declined)
    details = ordered.filter(pl.col("before").is_not_null() | pl.col("after").is_not_null()).select(DETAILS.keys())
    evidence = evidence_of(changes, desired, actual, matched, context, groups.open)
    judged = judge(changes, replace(evidence, weights=weights(changes, actual.memberships, nested)), profile.guards)
    return Plan(
        tenant=context.tenant,
        profile_version=context.profile_version,
        as_of=context.as_of,
        changes=changes,
        details=details.cast(pl.Schema(DETAILS)),
        objections=judged.objections,
        # Of what is wanted, whatever of it somebody refused meanwhile: a refusal takes no approval away.
        fingerprint=fingerprint(asked, details, context.tenant, context.profile_version),
        first_run=context.first_run,
        counts=_counts(changes, context.waited),
        forecast=accounts.forecast,
        held=judged.held,
        register=context.guarding.register,
    )


def _with_around(accounts: Accounts, context: Context) -> Accounts:
    """The accounts with those around the part a plan is about: they can own groups, too."""
    if context.beyond is None:
        return accounts
    return replace(accounts, usable=pl.concat([accounts.usable, context.beyond.around]))


def _crowds(context: Context) -> list[pl.DataFrame]:
    """Sizes of groups that were not read whole."""
    return [] if context.beyond is None else [context.beyond.sizes]


def _unknown(actual: State, matched: Matched, groups: pl.DataFrame, context: Context, profile: Profile) -> pl.DataFrame:
    """People no register knows [team, user_object_id], in teams they have to leave, if the profile wants that; keeping previous
    members wins over it.

    Whoever may be somebody of the register, because a match waits for a person, is nobody unknown.
    """
    if not profile.enrolments.remove_unknown or profile.enrolments.keep_previous:
        return actual.memberships.clear().select("team", "user_object_id")
    unclear = matched.changes.filter(pl.col("kind") == int(Kind.LINK_USER)).select(
        object_id=pl.col("before").str.extract_all(r'"object_id":"[^"]+"')
    )
    candidates = unclear["object_id"].explode().str.strip_prefix('"object_id":"').str.strip_suffix('"')
    linked = pl.concat([context.user_links["object_id"], matched.users["object_id"], candidates]).drop_nulls().unique()
    return strangers(actual.memberships, groups.filter(pl.col("purpose") == "team"), actual.users, linked)


def _limits(memberships: pl.DataFrame, unknown: pl.DataFrame, groups: pl.DataFrame, context: Context) -> Limits:
    """Microsoft's limits over what the tenant holds, without what ends and whoever is `unknown` and leaves, and what is added."""

    def beyond(adding: pl.DataFrame, ending: pl.DataFrame) -> pl.DataFrame:
        staying = memberships.join(ending, on=["team", "user", "relation"], how="anti").join(
            unknown, on=["team", "user_object_id"], how="anti"
        )
        return beyond_limits(adding, staying, groups, *_crowds(context))

    return beyond


def _ours(memberships: pl.DataFrame, users: pl.DataFrame, teams: pl.DataFrame, outside: pl.DataFrame) -> pl.DataFrame:
    """Memberships of teams that are ours; whoever's account is in doubt counts as a stranger, and is left alone.

    So does whoever is there outside the profile's scope.
    """
    known = users.with_columns(known=pl.lit(value=True))
    kept = memberships.join(teams, on="team", how="semi").join(known, on="user", how="left")
    if outside.height:
        beyond = outside.with_columns(beyond=pl.lit(value=True))
        kept = kept.join(beyond, on=["team", "user", "relation"], how="left")
        kept = kept.with_columns(known=pl.col("known") & pl.col("beyond").is_null()).drop("beyond")
    return kept.with_columns(pl.when("known").then("user").alias("user")).drop("known")


def numbered(found: pl.DataFrame) -> pl.DataFrame:
    """All rows in their order of application, numbered from 1; the order does not depend on the order of any input."""
    wave = pl.col("kind").replace_strict({int(k): w for k, w in WAVES.items()}, return_dtype=pl.Int32)
    return (
        found.sort(wave, "subject", "kind", "object", nulls_last=False)
        .with_row_index("seq", offset=1)
        .with_columns(pl.col("seq").cast(pl.Int32))
    )


def with_needs(ordered: pl.DataFrame, relying: pl.DataFrame) -> pl.DataFrame:
    """Each change beside the changes that make its subject and its object, if they are made by this plan.

    An owner who is `relying` [team, user, successor] on one this plan adds leaves only once that one was added.
    """
    planned = ordered.filter(pl.col("verdict") == int(ChangeVerdict.PLANNED))
    is_maker = pl.col("kind").is_in([int(kind) for kind in MAKERS])
    made = planned.filter(is_maker).select("seq", link="subject")
    needing = ordered.join(_successions(planned, relying), on="seq", how="left")
    return (
        needing.join(made.rename({"seq": "needs_subject"}), left_on="subject", right_on="link", how="left")
        .with_columns(pl.when(~is_maker).then("needs_subject").alias("needs_subject"))
        .join(made.rename({"seq": "needs_object"}), left_on="object", right_on="link", how="left")
        .with_columns(needs_object=pl.coalesce("needs_owner", "needs_object"))
        .sort("seq")
        .select(CHANGES.keys())
        .cast(pl.Schema(CHANGES))
    )


def _successions(planned: pl.DataFrame, relying: pl.DataFrame) -> pl.DataFrame:
    """[seq, needs_owner]: of changes that take an owner out, the addition of the one they rely on."""
    added = planned.filter(pl.col("kind") == int(Kind.ADD_OWNER)).select(
        needs_owner="seq", team="subject", successor="object"
    )
    leaving = planned.filter(pl.col("kind").is_in([int(kind) for kind in OWNERS_LEAVING]))
    return (
        leaving.select("seq", team="subject", user="object")
        .join(relying, on=["team", "user"])
        .join(added, on=["team", "successor"])
        .select("seq", "needs_owner")
    )


def fingerprint(changes: pl.DataFrame, details: pl.DataFrame, tenant: str, profile_version: int) -> str:
    """Twelve hexadecimal digits over every change, its values, the tenant and the profile version."""
    digest = hashlib.sha256(f"{tenant}\n{profile_version}\n".encode())
    digest.update(changes.write_csv().encode())
    digest.update(details.write_csv().encode())
    return digest.hexdigest()[:12]


def _counts(changes: pl.DataFrame, waited: pl.DataFrame) -> dict[str, int]:
    """changes: what is planned, and what newly waits; waiting: everything that waits, known or new. What somebody refused is neither."""
    changes = changes.filter(pl.col("verdict") != int(ChangeVerdict.DECLINED))
    waiting = changes.filter(pl.col("verdict") == int(ChangeVerdict.WAITS))
    known = waiting.join(waited, on=["kind", "subject", "object", "cause"], how="semi", nulls_equal=True)
    return {
        "changes": changes.height - known.height,
        "waiting": waiting.height,
        "newly_waiting": waiting.height - known.height,
    }
