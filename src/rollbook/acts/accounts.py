"""What Microsoft gave goes back: who has which account, in which state, and why somebody has none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import polars as pl
from django.db.models import Max

from rollbook.acts.connections import connection_of, corporate_connection
from rollbook.acts.profiles import Author, newest, slots
from rollbook.acts.spreadsheet import as_csv
from rollbook.acts.tenants import as_it_counts
from rollbook.profiles import Profile, followed, parse
from rollbook.profiles.corporate import KEPT
from rollbook.roster.vocabulary import UserType
from rollbook.store import mirror
from rollbook.store.identities import read_people
from rollbook.store.links import linked_subjects
from rollbook.store.memory import InstituteRegister
from rollbook.store.models import Institute, Link, Run, Tenant
from rollbook.store.reasons import why_undone
from rollbook.store.review import newest_run

ACCOUNTS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "sourced_id": pl.String,
    "sis_number": pl.String,
    "user_type": pl.String,
    "user_name": pl.String,
    "mail": pl.String,
    "object_id": pl.String,
    "state": pl.String,  # active, disabled, waiting, none
    "why": pl.String,  # why somebody waits, or why an account is not as it should be
    "sso": pl.String,  # yes or no: whether the person may sign in to Rollbook with this account
}
"""What is exported, a row a person."""

STATES = ("active", "disabled", "waiting", "none")
UNSEEN = "linked; the next synchronization reads the account"


def settings_followed(institute: Institute, day: dt.date) -> Profile | None:
    """The settings that count between synchronizations (profiles.schedule.followed); None if no profile ever ran."""
    begun = Run.objects.filter(institute=institute, started_at__isnull=False)
    ran = dict(begun.values_list("profile_version__profile__name").annotate(Max("started_at")))
    slot = followed(slots(institute), day, ran)
    if slot is None:
        return None
    return as_it_counts(institute, parse(newest(institute.profiles.get(name=slot.name)).document))


def accounts(institute: Institute, day: dt.date, user_type: UserType | None = None) -> pl.DataFrame:
    """[person, link, every column of ACCOUNTS]: everybody in the register, and who left but still has an account, by sourced id."""
    counting = settings_followed(institute, day)
    profile = counting or Profile()
    people = _people(institute, profile)
    if user_type is not None:
        people = people.filter(pl.col("user_type") == user_type.value)
    known = _known(institute, people)
    linked = pl.col("object_id").is_not_null()
    why = pl.when(linked & pl.col("account_enabled").is_null() & pl.col("why").is_null()).then(pl.lit(UNSEEN))
    known = known.with_columns(why=why.otherwise("why"))
    known_enabled = pl.col("account_enabled")
    state = (
        pl.when(known_enabled)
        .then(pl.lit("active"))
        .when(known_enabled.is_not_null())
        .then(pl.lit("disabled"))
        .when(pl.col("why").is_not_null() & ~pl.col("none_planned").fill_null(value=False))
        .then(pl.lit("waiting"))
        .otherwise(pl.lit("none"))
    )
    allowed = [kind.value for kind, actions in profile.users.actions.items() if counting and actions.sso]
    sso = pl.when(linked & pl.col("user_type").is_in(allowed)).then(pl.lit("yes"))
    return (
        known.filter(pl.col("here") | linked)
        .with_columns(user_name="user_principal_name", state=state, sso=sso.otherwise(pl.lit("no")))
        .select("person", "link", *ACCOUNTS)
        .sort("sourced_id", "person")
    )


def _known(institute: Institute, people: pl.DataFrame) -> pl.DataFrame:
    """The people with link, account and reason; employees by the organisation's corporate tenant where there is one."""
    corporate = corporate_connection(institute)
    elsewhere = pl.lit(value=corporate is not None) & (pl.col("user_type") == KEPT.value)
    parts = [_known_in(institute, connection_of(institute).tenant, people.filter(~elsewhere))]
    if corporate is not None:
        parts.append(_known_in(institute, corporate.tenant, people.filter(elsewhere)))
    return pl.concat(parts)


def _known_in(institute: Institute, tenant: Tenant, people: pl.DataFrame) -> pl.DataFrame:
    return (
        people.join(linked_subjects(tenant, Link.Kind.USER).rename({"subject": "person"}), on="person", how="left")
        .join(mirror.known(tenant).drop("object_id"), on="link", how="left")
        .join(why_undone(newest_run(tenant, institute.pk)), on="link", how="left")
    )


def _people(institute: Institute, profile: Profile) -> pl.DataFrame:
    """[person, sourced_id, sis_number, user_type, here]: of several types the first that the profile's precedence names."""
    register = InstituteRegister(institute)
    roster, departed = register.read(), register.departed()
    order = {kind.value: rank for rank, kind in enumerate(profile.users.precedence)}
    here = roster.affiliations.select("person", pl.col("user_type").cast(pl.String), here=pl.lit(value=True))
    gone = departed.select("person", pl.col("user_type").cast(pl.String), here=pl.lit(value=False))
    rank = pl.col("user_type").replace_strict(order, return_dtype=pl.Int32)
    typed = pl.concat([here, gone]).sort(~pl.col("here"), rank).unique("person", keep="first", maintain_order=True)
    return read_people(institute).join(typed, on="person")


def exported(institute: Institute, day: dt.date, user_type: UserType | None, author: Author) -> tuple[str, int]:
    """All accounts as CSV text, and how many rows it has; noted in the trail, since it takes names out of here."""
    rows = accounts(institute, day, user_type).select(ACCOUNTS.keys())
    content = {"rows": rows.height, "user_type": user_type.value if user_type else None}
    author.note(institute, "accounts.exported", content)
    return as_csv(rows), rows.height
