"""People of the register as accounts: who is managed, how the account should look, what it could be called."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from rollbook.desired import current
from rollbook.desired.names import local_parts, transliterated
from rollbook.directory.state import MAPPED, USERS
from rollbook.errors import InputRefused
from rollbook.profiles import Profile
from rollbook.profiles.document import Role
from rollbook.roster.tables import USER_TYPE, Roster
from rollbook.roster.vocabulary import UserType

ROLES: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "user_type": USER_TYPE,
    "domain": pl.String,
    "usage_location": pl.String,
    "licences": pl.List(pl.String),
}


@dataclass(frozen=True, slots=True)
class TenantFacts:
    """What a profile's choices are resolved against: domains that new names may use, country, SKU ids by part number."""

    default_domain: str
    domains: frozenset[str]
    country: str | None
    skus: Mapping[str, str]


def managed_people(roster: Roster, profile: Profile, as_of: dt.date, departed: pl.DataFrame) -> pl.DataFrame:
    """Everybody some action applies to: [person, user_type, present, current, create, update, deactivate].

    `departed` [person, user_type] are people who were in the register once and no longer are. A person of several types
    appears once, under the first type of the profile's precedence.
    """
    typed = _first_type(roster.affiliations.select("person", "user_type"), profile)
    gone = _first_type(departed.select("person", "user_type"), profile).join(typed, on="person", how="anti")
    active = roster.people.filter("active").select("person", present=pl.lit(value=True))
    enrolments = current.current_enrolments(roster, profile, as_of)
    teachings = current.current_teachings(roster, profile, as_of)
    now = current.current_people(roster, enrolments, teachings, typed).select("person", current=pl.lit(value=True))
    everybody = pl.concat([typed, gone]).join(active, on="person", how="left").join(now, on="person", how="left")
    return (
        everybody.with_columns(pl.col("present", "current").fill_null(value=False))
        .join(_actions(profile), on="user_type")
        .sort("person")
    )


def _first_type(typed: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    order = {t.value: rank for rank, t in enumerate(profile.users.precedence)}
    rank = pl.col("user_type").cast(pl.String).replace_strict(order, return_dtype=pl.Int32)
    return typed.sort(rank).unique(subset="person", keep="first", maintain_order=True)


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

    Not current but present: disabled if the type's Deactivate is on (AccountEnabled acts only through Deactivate).
    """
    roles = _roles(profile, facts)
    mails = roster.people.select("person", mail="email")
    named = people.join(values, on="person", how="left").join(mails, on="person", how="left")
    named = named.join(roles, on="user_type", how="left")
    none = pl.lit(None, dtype=pl.String)
    frame = named.select(
        "link",
        none.alias("object_id"),
        none.alias("user_principal_name"),
        none.alias("mail_nickname"),
        "mail",
        *MAPPED,
        (pl.col("current") | ~pl.col("deactivate")).alias("account_enabled"),
        "usage_location",
        pl.when("current").then(pl.col("licences")).otherwise(pl.lit([], dtype=pl.List(pl.String))).alias("licences"),
        "mark",
        pl.lit(value=False).alias("on_premises"),
        pl.lit(value=False).alias("guest"),
        pl.lit(value=False).alias("protected"),
        pl.lit(value=False).alias("restricted"),
    )
    return frame.cast(pl.Schema(USERS)).sort("link")


def _given() -> pl.Expr:
    return pl.coalesce("preferred_given_name", "given_name")


def _family() -> pl.Expr:
    return pl.coalesce("preferred_family_name", "family_name")


def name_bases(roster: Roster, profile: Profile, facts: TenantFacts, people: pl.DataFrame) -> pl.DataFrame:
    """Candidates for user names: [link, base, domain], base null where nothing usable could be made."""
    plain = roster.people.select("person", "username", "sis_number", given=_given(), family=_family())
    language = profile.users.language
    plain = plain.with_columns(transliterated(plain["given"], language), transliterated(plain["family"], language))
    shapes = {
        "given.family": pl.concat_str(["given", "family"], separator=".", ignore_nulls=True),
        "family.given": pl.concat_str(["family", "given"], separator=".", ignore_nulls=True),
        "username": pl.col("username").str.split("@").list.first(),
        "sis_number": pl.col("sis_number"),
    }
    plain = plain.select("person", raw=shapes[profile.users.user_name])
    plain = plain.with_columns(transliterated(plain["raw"], language)).with_columns(base=local_parts("raw"))
    return (
        people.filter("present")
        .join(plain, on="person", how="left")
        .join(_roles(profile, facts), on="user_type", how="left")
        .select("link", "base", "domain")
        .sort("link")
    )


def _roles(profile: Profile, facts: TenantFacts) -> pl.DataFrame:
    """[user_type, domain, usage_location, licences] with every choice resolved in the tenant."""
    rows = [
        {
            "user_type": user_type.value,
            "domain": _domain(user_type, role, facts),
            "usage_location": role.usage_location or facts.country,
            "licences": _licences(user_type, role, facts),
        }
        for user_type, role in profile.users.roles.items()
        if profile.users.actions[user_type].managed
    ]
    return pl.DataFrame(rows, schema=pl.Schema(ROLES))


def _domain(user_type: UserType, role: Role, facts: TenantFacts) -> str:
    domain = role.domain or facts.default_domain
    if domain not in facts.domains:
        raise InputRefused(
            f"The profile gives {user_type.value} accounts the domain {domain!r}, which is not a verified, managed domain "
            "of this tenant.",
            remedy="Choose one of: " + ", ".join(sorted(facts.domains)) + ".",
        )
    return domain


def _licences(user_type: UserType, role: Role, facts: TenantFacts) -> list[str]:
    if role.licence is None:
        return []
    if role.licence not in facts.skus:
        raise InputRefused(
            f"The profile gives {user_type.value} accounts the licence {role.licence!r}, which this tenant does not have.",
            remedy="Choose one of: " + (", ".join(sorted(facts.skus)) or "none (the tenant has no licences)") + ".",
        )
    return [facts.skus[role.licence]]
