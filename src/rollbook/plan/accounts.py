"""Differences of accounts: who gets one, which change, come back, are disabled, enabled again or called differently."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from rollbook.directory.desired import Desired
from rollbook.directory.state import MAPPED, State
from rollbook.plan.changes import Cause, Forecast, Kind
from rollbook.plan.context import Context
from rollbook.plan.licence_groups import license_by_group
from rollbook.plan.licences import NOTHING, license_people, take_back, taken_back
from rollbook.plan.match import Matched, beside_actual, is_ours
from rollbook.plan.rows import rows, together, values, waits
from rollbook.plan.user_names import named, renames
from rollbook.profiles import Profile

CREATED_WITH = (*MAPPED, "account_enabled", "usage_location", "user_principal_name", "mail_nickname")


@dataclass(frozen=True, slots=True)
class Accounts:
    """The changes of accounts, who can be put into a team afterwards [user, enabled, licensed], and the forecast of seats."""

    changes: pl.DataFrame
    usable: pl.DataFrame
    forecast: tuple[Forecast, ...] = ()


@dataclass(frozen=True, slots=True)
class _People:
    """Everybody a plan is about, by what there is of them; existing accounts stand beside what they are now."""

    there: pl.DataFrame  # may be changed; deleted ones among them come back first
    guarded: pl.DataFrame  # never changed in any way
    absent: pl.DataFrame  # no account
    gone: pl.DataFrame  # linked to an account that is no longer there
    foreign: pl.DataFrame  # linked to an account with a mark that is not theirs
    unmapped: pl.DataFrame  # a mapping failed


def diff_accounts(desired: Desired, actual: State, matched: Matched, context: Context, profile: Profile) -> Accounts:
    """What has to change so that the accounts are as desired. Nothing of an unlinked account is ever changed."""
    people = _people(desired, actual, matched, context)
    creating, nameless, unwanted = _creations(people.absent, desired.user_names, actual, context, profile)
    writable = people.there.filter(~pl.col("on_premises_now"))
    enabled, disabled = _returned(writable), _left(writable, context, profile)
    if profile.users.licences_by_group:
        licensing = license_by_group(people.there, creating, desired, actual, matched, context, profile)
    else:
        licensing = license_people(people.there, creating, desired.licences, context, profile)
    taken = taken_back(people.there, context, profile)
    changes = together(
        [
            _restorations(writable, desired.user_names, actual, context, profile),
            rows(creating, Kind.CREATE_USER, Cause.NO_ACCOUNT, after=values(*CREATED_WITH)),
            waits(nameless, Kind.CREATE_USER, Cause.NO_NAME),
            waits(unwanted, Kind.CREATE_USER, Cause.CREATION_OFF),
            waits(people.gone, Kind.UPDATE_USER, Cause.ACCOUNT_GONE),
            waits(people.foreign, Kind.UPDATE_USER, Cause.FOREIGN_MARK),
            waits(people.unmapped, Kind.UPDATE_USER, Cause.MAPPING_FAILED),
            _updates(writable, profile),
            renames(writable.filter("update"), desired.user_names, actual, context, profile),
            rows(enabled, Kind.ENABLE_USER, Cause.RETURNED),
            rows(disabled, Kind.DISABLE_USER, Cause.LEFT, day="since"),
            waits(_disabled_elsewhere(writable), Kind.ENABLE_USER, Cause.DISABLED_ELSEWHERE),
            licensing.changes,
            take_back(taken),
            _left_alone(people.guarded, Cause.PROTECTED, desired, actual, context, profile),
            _kept_elsewhere(people.there, context, profile),
        ]
    )
    losing = pl.concat([taken.select("link", "sku"), licensing.ending]).unique()
    usable = _usable(
        people,
        creating,
        pl.concat([_switched(enabled, on=True), _switched(disabled, on=False)]),
        licensing.licensed,
        losing,
    )
    return Accounts(changes, usable, licensing.forecast)


def _people(desired: Desired, actual: State, matched: Matched, context: Context) -> _People:
    everybody = desired.state.users.join(desired.people, on="link")
    unmapped = everybody.join(desired.unmapped, on="link", how="semi").filter("present")
    wanted = everybody.join(unmapped, on="link", how="anti")
    unclear = matched.changes.filter(pl.col("kind") == int(Kind.LINK_USER)).filter(pl.col("after").is_null())
    linked = _since(beside_actual(wanted, actual.users, matched.users), context)
    back = pl.col("present") & pl.col("account_enabled") & (pl.col("create") | pl.col("update"))
    known = linked.filter(~pl.col("deleted_now") | (back & ~pl.col("on_premises_now")))
    untouchable = pl.col("protected_now") | pl.col("restricted_now")
    ours, foreign = known.filter(is_ours()), known.filter(~is_ours())
    unlinked = wanted.join(matched.users, on="link", how="anti").filter("present")
    lost = wanted.join(matched.users, on="link", how="semi").join(known, on="link", how="anti").filter("present")
    return _People(
        there=ours.filter(~untouchable),
        guarded=ours.filter(untouchable),
        absent=unlinked.join(unclear.select(link="subject"), on="link", how="anti"),
        gone=lost,
        foreign=foreign,
        unmapped=unmapped,
    )


def _since(linked: pl.DataFrame, context: Context) -> pl.DataFrame:
    """With the day from which graces count: when the person was first seen to have left, as far as anybody knows."""
    seen = context.user_links.select("link", "left_on")
    today = pl.lit(context.as_of)
    return linked.join(seen, on="link", how="left").with_columns(since=pl.coalesce("left_on", "ended", today))


def _creations(
    absent: pl.DataFrame, user_names: pl.DataFrame, actual: State, context: Context, profile: Profile
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Rows to be created, named; those for whom no name can be made; current people for whom none is to be made."""
    counted = absent if profile.users.without_enrolments else absent.filter("current")
    allowed = counted.filter("create")
    names = named(allowed, user_names, actual, context, profile)
    creating = allowed.join(names, on="link").with_columns(
        user_principal_name="name",
        mail_nickname=pl.col("name").str.split("@").list.first(),
        # No acts only where Deactivate is on.
        account_enabled=pl.col("account_enabled") | ~pl.col("deactivate"),
    )
    return (
        creating.sort("link"),
        allowed.join(names, on="link", how="anti"),
        absent.filter(~pl.col("create"), "current"),
    )


def _restorations(
    there: pl.DataFrame, user_names: pl.DataFrame, actual: State, context: Context, profile: Profile
) -> pl.DataFrame:
    """Softly deleted accounts that come back: under their old name, or under a new one where it was taken meanwhile."""
    deleted = there.filter("deleted_now")
    if deleted.is_empty():
        return together([])
    old = pl.col("user_principal_name_now").str.to_lowercase()
    in_use = actual.users.filter(~pl.col("deleted"))["user_principal_name"].str.to_lowercase()
    taken = deleted.filter(old.is_in(in_use.implode()))
    names = named(taken, user_names, actual, context, profile)
    shown = deleted.join(names, on="link", how="left").with_columns(user_principal_name="name").sort("link")
    return rows(shown, Kind.RESTORE_USER, Cause.DELETED, after=values("user_principal_name"))


def _updates(there: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    """Attributes that differ. A null in the register never clears anything; a usage location that is set stays.

    What a mapping sets on creation only is left alone.
    """
    kept_up = [name for name in MAPPED if not (row := profile.users.mappings.get(name)) or not row.on_creation_only]
    kept = there.filter(pl.col("update") & pl.col("present"))
    first_country = pl.col("usage_location_now").fill_null(pl.col("usage_location"))
    targets = kept.with_columns(
        *(pl.coalesce(name, f"{name}_now").alias(name) for name in kept_up), usage_location=first_country
    )
    compared = (*kept_up, "usage_location")
    differing = targets.filter(pl.any_horizontal(pl.col(n).ne_missing(pl.col(f"{n}_now")) for n in compared))
    before = pl.struct(pl.col(f"{n}_now").alias(n) for n in compared).struct.json_encode()
    return rows(differing, Kind.UPDATE_USER, Cause.VALUES_DIFFER, before=before, after=values(*compared))


def _wanted_back(there: pl.DataFrame) -> pl.DataFrame:
    """Disabled accounts of people who may sign in."""
    return there.filter(
        pl.col("account_enabled")
        & ~pl.col("account_enabled_now")
        & pl.col("present")
        & (pl.col("create") | pl.col("update"))
    )


def _returned(there: pl.DataFrame) -> pl.DataFrame:
    """Who is enabled again, because it was we who disabled them."""
    return _wanted_back(there).filter("disabled_by_us")


def _disabled_elsewhere(there: pl.DataFrame) -> pl.DataFrame:
    """Who stays disabled, because somebody else disabled them."""
    return _wanted_back(there).filter(~pl.col("disabled_by_us"))


def _left(there: pl.DataFrame, context: Context, profile: Profile) -> pl.DataFrame:
    """Who is disabled, because they left and the grace is over."""
    over = pl.col("since") + pl.duration(days=profile.users.leaving.disable_days) <= context.as_of
    return there.filter(~pl.col("account_enabled") & pl.col("account_enabled_now") & pl.col("deactivate") & over)


def _left_alone(
    guarded: pl.DataFrame, cause: Cause, desired: Desired, actual: State, context: Context, profile: Profile
) -> pl.DataFrame:
    """Protected accounts to which something would have been done wait instead, whatever it was."""
    if guarded.is_empty():
        return together([])
    licensing = license_people(guarded, guarded.clear(), desired.licences, context, profile)
    wishes = (
        _updates(guarded, profile),
        renames(guarded.filter("update"), desired.user_names, actual, context, profile),
        rows(_returned(guarded), Kind.ENABLE_USER, Cause.RETURNED),
        rows(_left(guarded, context, profile), Kind.DISABLE_USER, Cause.LEFT),
        licensing.changes,
        take_back(taken_back(guarded, context, profile)),
    )
    subjects = pl.concat([wish.select(link="subject") for wish in wishes]).unique()
    return waits(guarded.join(subjects, on="link", how="semi"), Kind.UPDATE_USER, cause)


def _kept_elsewhere(there: pl.DataFrame, context: Context, profile: Profile) -> pl.DataFrame:
    """Accounts kept by the school's own Active Directory that would have been changed, disabled or enabled."""
    synchronized = there.filter("on_premises_now")
    if synchronized.is_empty():
        return together([])
    wishes = (
        _updates(synchronized, profile).select(link="subject"),
        _returned(synchronized).select("link"),
        _left(synchronized, context, profile).select("link"),
    )
    return waits(
        synchronized.join(pl.concat(wishes).unique(), on="link", how="semi"), Kind.UPDATE_USER, Cause.ON_PREMISES
    )


def _switched(accounts: pl.DataFrame, *, on: bool) -> pl.DataFrame:
    return accounts.select("link", after=pl.lit(on))


def _usable(
    people: _People, creating: pl.DataFrame, switched: pl.DataFrame, licensed: pl.DataFrame, losing: pl.DataFrame
) -> pl.DataFrame:
    """[user, enabled, licensed] of everybody who has an account or gets one now, as this plan leaves them.

    `switched` [link, after] are enabled or disabled, `licensed` [link] have or get a licence, `losing` [link, sku] those they have.
    """
    lost = losing.group_by("link").agg(lost="sku")
    left = pl.col("licences_now").list.set_difference(pl.col("lost").fill_null(NOTHING)).list.len() > 0
    existing = pl.concat([people.there, people.guarded]).join(switched, on="link", how="left")
    given = licensed.with_columns(given=pl.lit(value=True))
    made = creating.join(given, on="link", how="left")
    return pl.concat(
        [
            existing.join(given, on="link", how="left")
            .join(lost, on="link", how="left")
            .select(
                user="link",
                enabled=pl.coalesce("after", "account_enabled_now"),
                licensed=left | (pl.col("given").fill_null(value=False) & pl.col("lost").is_null()),
            ),
            made.select(user="link", enabled="account_enabled", licensed=pl.col("given").fill_null(value=False)),
        ]
    )
