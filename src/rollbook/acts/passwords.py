"""First passwords that wait: who has one, and how they are handed over on slips or in a table. Once, then they are gone.

The file is safe on the disk before the passwords are deleted, so that a crash in between leaves them in both places. The trail
says which links, never who or what.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from django.db import transaction

from rollbook.acts.connections import connection_of
from rollbook.acts.profiles import Author, profile_in_force, slots
from rollbook.desired.languages import latin
from rollbook.errors import InputRefused
from rollbook.handover import slip as slips
from rollbook.handover.file import draft
from rollbook.handover.sheet import Paper, sheet
from rollbook.handover.slip import Section, Slip, Undrawable, Wording
from rollbook.handover.table import table
from rollbook.profiles import parse, running
from rollbook.roster.selection import Wanted, chosen
from rollbook.store import passwords as stored
from rollbook.store.models import Connection, Institute
from rollbook.store.rosters import read_roster
from rollbook.store.vault import Vault

DEPARTED = "No longer in the register"

SIGN_IN = {
    "global": "www.office.com",
    "us_gov_l4": "portal.office365.us",
    "us_gov_l5": "portal.apps.mil",
    "china": "portal.partner.microsoftonline.cn",
}
"""Where people sign in, by the tenant's cloud."""

COLUMNS = ("sourced_id", "name", "class", "user_name")


@dataclass(frozen=True, slots=True)
class Request:
    """Whose passwords are meant, on which day where the institute is, and who asks."""

    institute: Institute
    wanted: Wanted
    day: dt.date
    author: Author

    @property
    def school(self) -> str:
        """What the institute is called; a class may be taught in a school below it."""
        return self.institute.name

    @property
    def connection(self) -> Connection:
        """How the institute reaches its tenant; InputRefused if it does not."""
        return connection_of(self.institute)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody whose password waits, and since when. `klass` is 0 where the section is no class."""

    secret: int
    link: int
    person: str
    name: str
    section: str
    school: str
    klass: int
    since: dt.datetime
    claimable_until: dt.datetime | None
    changing: bool


@dataclass(frozen=True, slots=True)
class Handed:
    """How many were handed over in how many sections; names no typeface has; a sentence for everybody who was left out."""

    count: int
    sections: int
    undrawable: tuple[Undrawable, ...]
    left_out: tuple[str, ...]


def waiting(request: Request) -> list[Waiting]:
    """Everybody who is meant and whose password waits, by class and name. Nothing of it is secret."""
    found = stored.waiting(request.connection.tenant, request.institute)
    meant = chosen(read_roster(request.institute), request.wanted, request.day)
    rows = found.join(meant, on="person", how="left" if request.wanted.everybody else "inner")
    named = rows.with_columns(
        pl.col("section").fill_null(DEPARTED), pl.col("klass").fill_null(0), pl.col("school").fill_null(request.school)
    )
    ordered = sorted(named.iter_rows(named=True), key=_order)
    return [_waiting(row) for row in ordered]


def _order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Classes first, then what is no class; people by family name, then given name."""
    names = (slips.sorting(row["family"]), slips.sorting(row["given"]), row["sourced_id"])
    return (row["klass"] == 0, slips.natural(row["section"]), row["klass"], *names)


def _waiting(row: Mapping[str, Any]) -> Waiting:
    values = {name: row[name] for name in ("secret", "link", "klass", "since", "claimable_until", "changing")}
    values |= {name: slips.written(row[name]) for name in ("section", "school")}
    return Waiting(person=row["sourced_id"], name=slips.written(f"{row['given']} {row['family']}"), **values)


@dataclass(frozen=True, slots=True)
class Ready:
    """People to whom something can be handed, with their user names; and a sentence for each of the others."""

    people: tuple[Waiting, ...]
    user_names: Mapping[int, str]
    left_out: tuple[str, ...]

    @property
    def secrets(self) -> list[int]:
        """Keys of the stored secrets."""
        return [each.secret for each in self.people]

    @property
    def links(self) -> list[int]:
        """The links of the people: what the trail says of them."""
        return [each.link for each in self.people]

    def handed(self, undrawable: list[Undrawable]) -> Handed:
        """All of them, handed over."""
        sections = {(each.klass, each.section) for each in self.people}
        return Handed(len(self.people), len(sections), tuple(undrawable), self.left_out)

    def sections(self, secrets: Mapping[int, str], language: str) -> list[Section]:
        """Slips by class; `secrets` are what is handed over, by key of the stored secret."""
        found: dict[tuple[int, str, str], list[Slip]] = {}
        for each in self.people:
            plain = "" if slips.in_latin_letters(each.name) else latin(each.name, language)
            slip = Slip(each.person, each.name, plain, self.user_names[each.link], secrets[each.secret])
            found.setdefault((each.klass, each.section, each.school), []).append(slip)
        return [Section(title, school, tuple(made)) for (_, title, school), made in found.items()]

    def table(self, secrets: Mapping[int, str], *columns: str, more: tuple[str, ...] = ()) -> bytes:
        """The same as a table, with `columns` for the secret and for the values of `more`."""
        rows = (
            (each.person, each.name, each.section, self.user_names[each.link], secrets[each.secret], *more)
            for each in self.people
        )
        return table((*COLUMNS, *columns), rows)


def ready(request: Request) -> Ready:
    """Who of those who are meant can be handed something. Raises InputRefused if nobody can."""
    found = waiting(request)
    names = stored.user_names(request.connection.tenant, [each.link for each in found])
    left_out = [
        f"{each.name} ({each.person}) is left out: "
        + ("a new password is being set; `rollbook sync` finishes that." if each.changing else "no user name is known.")
        for each in found
        if each.changing or each.link not in names
    ]
    people = tuple(each for each in found if not each.changing and each.link in names)
    if not people:
        raise InputRefused(
            " ".join(["Nobody who is meant has a password waiting.", *left_out]),
            remedy="`rollbook passwords list` says who has one, `rollbook passwords new` sets new ones.",
        )
    return Ready(people, names, tuple(left_out))


def print_slips(request: Request, path: Path, paper: Paper = Paper.A4) -> Handed:
    """A PDF of slips by class at `path`; the passwords are gone from the store afterwards."""
    meant = ready(request)
    wording = slips.passwords(sign_in(request.connection), request.day)
    content, undrawable = pdf(meant, _passwords(meant), request, wording, paper)
    _hand_over(request, meant, path, content, "slips")
    return meant.handed(undrawable)


def write_table(request: Request, path: Path) -> Handed:
    """A CSV file with the passwords at `path`; they are gone from the store afterwards."""
    meant = ready(request)
    _hand_over(request, meant, path, meant.table(_passwords(meant), "password"), "table")
    return meant.handed([])


def _passwords(meant: Ready) -> dict[int, str]:
    vault = Vault()
    return {secret: vault.decrypt(text) for secret, text in stored.ciphertexts(meant.secrets).items()}


def pdf(
    meant: Ready, secrets: Mapping[int, str], request: Request, wording: Wording, paper: Paper
) -> tuple[bytes, list[Undrawable]]:
    """The slips, and the names on them that no typeface has."""
    sections, undrawable = slips.drawable(meant.sections(secrets, _language(request)))
    return sheet(sections, wording, paper), undrawable


def _language(request: Request) -> str:
    """How names are written in Latin letters: as the profile that runs says."""
    if running(slots(request.institute), request.day) is None:
        return "any"
    return parse(profile_in_force(request.institute, request.day).document).users.names.language


def sign_in(connection: Connection) -> str:
    """Where people of the tenant sign in; an emulated one has its own place."""
    return connection.login_url if connection.tenant.emulated else SIGN_IN[connection.tenant.cloud]


def _hand_over(request: Request, meant: Ready, path: Path, content: bytes, way: str) -> None:
    """The file first, then the passwords deleted: whatever happens in between, nothing is lost.

    Raises InputRefused, without a file, if one of the passwords was handed over or replaced meanwhile.
    """
    draft(path, content).publish()
    with transaction.atomic():
        if stored.forget(meant.secrets) == len(meant.secrets):
            note = {"way": way, "count": len(meant.people), "links": meant.links}
            request.author.note(request.institute, "passwords.handed_over", note)
            return
        transaction.set_rollback(True)
    path.unlink()
    raise changed_meanwhile()


def changed_meanwhile() -> InputRefused:
    """Somebody else was quicker."""
    return InputRefused(
        "Some of these passwords were handed over or replaced at this moment; nothing was handed over here.",
        remedy="Look with `rollbook passwords list`, and run the command again.",
    )
