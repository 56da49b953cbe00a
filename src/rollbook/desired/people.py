"""People of the register as accounts: who is managed, how the account should look, which licences belong to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from rollbook.desired import current
from rollbook.desired.scope import in_scope
from rollbook.directory.desired import LICENCES
from rollbook.directory.state import MAPPED, USERS
from rollbook.errors import InputRefused
from rollbook.profiles import Licence, Profile, Role
from rollbook.roster.tables import USER_TYPE, Roster
from rollbook.roster.vocabulary import UserType

ROLES: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "user_type": USER_TYPE,
    "domain": pl.String,
    "usage_location": pl.String,
}


@dataclass(frozen=True, slots=True)
class TenantFacts:
    """What a profile's choices are resolved against.

    `domains` are those new names may use; `skus` SKU ids by part number; `plans` ids of a SKU's service plans, by the SKU's id and
    their names.
    """

    default_domain: str
    domains: frozenset[str]
    country: str | None
    skus: Mapping[str, str]
    plans: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def managed_people(
    roster: Roster,
    profile: Profile,
    as_of: dt.date,
    departed: pl.DataFrame,
    counting: current.Counting | None = None,
) -> pl.DataFrame:
    """Everybody some action applies to: [person, user_type, present, current, ended, create, update, deactivate].

    `departed` [person, user_type] are people who were in the register once and no longer are; they count whatever the scope,
    since nobody can say any more where they belonged. A person of several types appears once, under the first type of the
    profile's precedence. `ended` is the last day on which an enrolment or teaching ended. `counting` is what counts on that day,
    if it is known already.
    """
    counting = counting or current.counting(roster, profile, as_of)
    about = in_scope(roster, profile).people
    named = roster.affiliations.select("person", "user_type")
    typed = _first_type(named, profile).join(about, on="person", how="semi")
    gone = _first_type(departed.select("person", "user_type"), profile).join(named, on="person", how="anti")
    active = counting.registered.with_columns(present=pl.lit(value=True))
    there = typed.join(active, on="person", how="semi")
    now = current.current_people(roster, counting.enrolments, counting.teachings, there)
    now = now.select("person", current=pl.lit(value=True))
    everybody = pl.concat([typed, gone]).join(active, on="person", how="left").join(now, on="person", how="left")
    return (
        everybody.with_columns(pl.col("present", "current").fill_null(value=False))
        .join(current.ended(roster, as_of), on="person", how="left")
        .join(_actions(profile), on="user_type")
        .sort("person")
    )


def _first_type(typed: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    rank = pl.col("user_type").cast(pl.Enum([t.value for t in profile.users.precedence]))
    return typed.sort(rank).filter(pl.col("person").is_first_distinct())


def _actions(profile: Profile) -> pl.DataFrame:
    """The actions grid as a frame, of the user types that are managed at all."""
    managed = {t: a for t, a in profile.users.actions.items() if a.managed}
    return pl.DataFrame(
        {
            "user_type": [t.value for t in managed],
            "create": [a.create for a in managed.values()],
            "update": [a.update for a in managed.values()],
            "deactivate": [a.deactivate for a in managed.values()],
        },
        schema={"user_type": USER_TYPE, "create": pl.Boolean, "update": pl.Boolean, "deactivate": pl.Boolean},
    )


def users(
    roster: Roster, profile: Profile, facts: TenantFacts, people: pl.DataFrame, values: pl.DataFrame
) -> pl.DataFrame:
    """The desired accounts (schema USERS), names of accounts still open. People who left are disabled and keep the rest.

    `values` [person, every mapped property] is what the mappings made; mail serves matching only.
    """
    roles = roles_of(profile, facts)
    licences = licences_of(profile, facts).group_by("user_type", maintain_order=True).agg(licences="sku")
    mails = roster.people.select("person", mail="email")
    of_type = people.join(roles, on="user_type", how="left").join(licences, on="user_type", how="left")
    named = of_type.join(mails, on="person", how="left").join(values, on="person", how="left")
    none = pl.lit(None, dtype=pl.String)
    frame = named.select(
        "link",
        none.alias("object_id"),
        none.alias("user_principal_name"),
        none.alias("mail_nickname"),
        "mail",
        *MAPPED,
        (pl.col("account_enabled") == "yes").fill_null(value=False).alias("account_enabled"),
        "usage_location",
        pl.when(pl.col("present") & (pl.col("account_enabled") == "yes"))
        .then("licences")
        .fill_null([])
        .alias("licences"),
        pl.lit([], dtype=pl.List(pl.String)).alias("plans_off"),
        "mark",
        pl.lit(value=False).alias("on_premises"),
        pl.lit(value=False).alias("guest"),
        pl.lit(value=False).alias("protected"),
        pl.lit(value=False).alias("deleted"),
        pl.lit(value=False).alias("restricted"),
    )
    return frame.cast(pl.Schema(USERS)).sort("link")


def roles_of(profile: Profile, facts: TenantFacts) -> pl.DataFrame:
    """[user_type, domain, usage_location] of the managed types, every choice resolved in the tenant."""
    rows = [
        {
            "user_type": user_type.value,
            "domain": _domain(user_type, role, facts),
            "usage_location": role.usage_location or facts.country,
        }
        for user_type, role in profile.users.roles.items()
        if profile.users.actions[user_type].managed
    ]
    return pl.DataFrame(rows, schema=pl.Schema(ROLES))


def licences_of(profile: Profile, facts: TenantFacts) -> pl.DataFrame:
    """What the managed types are licensed with (schema LICENCES), every name resolved in the tenant."""
    rows = [
        {
            "user_type": user_type.value,
            "rank": rank,
            "sku": _sku(user_type, licence, facts),
            "part": licence.sku,
            "plans": sorted(facts.plans.get(facts.skus[licence.sku], {}).values()),
            "plans_off": _plans_off(licence, facts),
            "first_only": role.licence_choice == "first_with_seats",
        }
        for user_type, role in profile.users.roles.items()
        if profile.users.actions[user_type].managed
        for rank, licence in enumerate(role.licences)
    ]
    return pl.DataFrame(rows, schema=pl.Schema(LICENCES))


def _domain(user_type: UserType, role: Role, facts: TenantFacts) -> str:
    domain = role.domain or facts.default_domain
    if domain not in facts.domains:
        raise InputRefused(
            f"The profile gives {user_type.value} accounts the domain {domain!r}, which is no verified, managed domain "
            "of this tenant that takes mail.",
            remedy="Choose one of: " + ", ".join(sorted(facts.domains)) + ".",
        )
    return domain


def _sku(user_type: UserType, licence: Licence, facts: TenantFacts) -> str:
    if licence.sku not in facts.skus:
        raise InputRefused(
            f"The profile gives {user_type.value} accounts the licence {licence.sku!r}, which this tenant does not have.",
            remedy="Choose one of: " + (", ".join(sorted(facts.skus)) or "none (the tenant has no licences)") + ".",
        )
    return facts.skus[licence.sku]


def _plans_off(licence: Licence, facts: TenantFacts) -> list[str] | None:
    """Ids of the plans that are off, in order; None where the profile does not say."""
    if licence.plans_off is None:
        return None
    known = facts.plans.get(facts.skus[licence.sku], {})
    unknown = [plan for plan in licence.plans_off if plan not in known]
    if unknown:
        raise InputRefused(
            f"The profile switches off {unknown[0]!r}, which is no service plan of the licence {licence.sku}.",
            remedy="Choose among: " + (", ".join(sorted(known)) or "none (it has no plans)") + ".",
        )
    return sorted(known[plan] for plan in licence.plans_off)
