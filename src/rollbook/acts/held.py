"""Enrolments held back by the sync start date: who is, released, and held again. What was released stays so over deliveries.

Releasing writes nothing at Microsoft: the next synchronization finds somebody who is missing in a team and adds them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from django.db import transaction

from rollbook.acts.connections import opened
from rollbook.acts.profiles import Author, profile_in_force
from rollbook.desired.held import gives_students_teams, held_enrolments
from rollbook.desired.teams import team_classes
from rollbook.handover.slip import natural, sorting, written
from rollbook.profiles import Profile, parse
from rollbook.roster.selection import Wanted, among
from rollbook.roster.tables import Roster
from rollbook.store import groupings, links, releases, scopes
from rollbook.store.models import Connection, Institute, Link
from rollbook.store.rosters import read_roster
from rollbook.sync import read_memberships


@dataclass(frozen=True, slots=True)
class Request:
    """Whose enrolments are meant, on which day where the institute is, and who asks."""

    institute: Institute
    wanted: Wanted
    day: dt.date
    author: Author


@dataclass(frozen=True, slots=True)
class HeldEnrolment:
    """Somebody who is not added to the team of a class by themselves. `person` and `klass` are sourced ids."""

    person: str
    name: str = field(repr=False)
    klass: str
    title: str
    begin: dt.date
    since: dt.date
    in_team: bool | None = None  # whether the person is in its team already; None where nobody looked

    @property
    def reason(self) -> str:
        """Why it is held."""
        return f"The enrolment began on {self.begin}, before the sync start date {self.since}."

    @property
    def remedy(self) -> str:
        """What to do to have the person in the team."""
        return f"Release it with: rollbook release {self.person}"


@dataclass(frozen=True, slots=True)
class Held:
    """What is held of those who are meant, by class and name; `since` is the sync start date of the profile that runs.

    `why_nothing` says why the list is empty, and is empty itself if it is not.
    """

    profile: str
    since: dt.date | None
    enrolments: tuple[HeldEnrolment, ...]
    why_nothing: str

    @property
    def people(self) -> int:
        """How many people they are of."""
        return len({each.person for each in self.enrolments})


@dataclass(frozen=True, slots=True)
class Changed:
    """How many enrolments were released, or are held again, and of how many people; if none were released, why."""

    enrolments: int
    people: int
    why_nothing: str = ""


def held(request: Request, *, look: bool = False) -> Held:
    """Everything that is held of those who are meant, and if nothing is, why. InputRefused if no profile runs that day.

    With `look`, Microsoft is asked who is in their team already, if a tenant is connected; TenantError if it does not answer.
    """
    version = profile_in_force(request.institute, request.day)
    name, profile, roster = version.profile.name, parse(version.document), read_roster(request.institute)
    since = profile.enrolments.sync_start_date
    found = _held(request, roster, profile)
    if since is None or found.is_empty():
        return Held(name, since, (), _why_nothing(request, name, profile))
    seated = _seated(request, roster, profile, found) if look else found.with_columns(in_team=UNKNOWN)
    rows = sorted(_named(seated, roster).iter_rows(named=True), key=_order)
    return Held(name, since, tuple(_enrolment(row, since) for row in rows), "")


def _held(request: Request, roster: Roster, profile: Profile) -> pl.DataFrame:
    rows = held_enrolments(roster, profile, request.day, releases.released(request.institute))
    return among(rows, roster, request.wanted, request.day)


UNKNOWN = pl.lit(None, dtype=pl.Boolean)


def _seated(request: Request, roster: Roster, profile: Profile, found: pl.DataFrame) -> pl.DataFrame:
    """`found` [person, klass, ...] with `in_team`: whether the group of the class's team holds the person at Microsoft now."""
    connection = Connection.objects.filter(institute=request.institute, purpose=Connection.Purpose.MAIN).first()
    if connection is None:
        return found.with_columns(in_team=UNKNOWN)
    tenant = connection.tenant
    users = links.held(tenant, Link.Kind.USER).drop_nulls("held").select("link", "subject", object_id="held")
    placed = groupings.placed(tenant, request.institute, Link.Kind.TEAM).drop_nulls("object_id")
    classes = team_classes(roster, profile.teams.create).join(found, on="klass", how="semi")
    teams = classes.join(placed.select("key", "period", "link", "object_id"), on=["key", "period"])
    with opened(connection, request.author.clock) as there:
        groups = teams.select("link", "object_id").unique(maintain_order=True)
        members = read_memberships(there.reader, users.select("link", "object_id"), groups)
    inside = (
        members.join(teams.select("klass", team="link"), on="team")
        .join(users.select(user="link", person="subject"), on="user")
        .select("person", "klass", in_team=pl.lit(value=True))
        .unique()
    )
    return found.join(inside, on=["person", "klass"], how="left").with_columns(pl.col("in_team").fill_null(value=False))


def _named(found: pl.DataFrame, roster: Roster) -> pl.DataFrame:
    """[person, given, family, klass, title, begin, in_team], sourced ids as keys; a title several of the classes have carries its own."""
    given, family = (
        pl.coalesce(f"preferred_{part}_name", f"{part}_name").fill_null("").alias(part) for part in ("given", "family")
    )
    called = pl.coalesce("title", "code", "sourced_id")
    alone = pl.len().over(called) == 1
    classes = (
        roster.classes.join(found, on="klass", how="semi")
        .with_columns(label=pl.when(alone).then(called).otherwise(pl.format("{} ({})", called, "sourced_id")))
        .select("klass", title="label", class_id="sourced_id")
    )
    people = roster.people.select("person", given, family, person_id="sourced_id")
    both = found.join(people, on="person").join(classes, on="klass")
    return both.select("given", "family", "title", "begin", "in_team", person="person_id", klass="class_id")


def _order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """By class, 7A before 10A; people by family name, then given name."""
    names = (sorting(row["family"]), sorting(row["given"]), row["person"])
    return (natural(row["title"]), row["klass"], *names, row["begin"])


def _enrolment(row: Mapping[str, Any], since: dt.date) -> HeldEnrolment:
    name, title = written(f"{row['given']} {row['family']}"), written(row["title"])
    return HeldEnrolment(row["person"], name, row["klass"], title, row["begin"], since, row["in_team"])


def _why_nothing(request: Request, name: str, profile: Profile) -> str:
    since = profile.enrolments.sync_start_date
    if since is None:
        return f"Nothing is held: the profile {name} has no sync start date (enrolments.sync_start_date)."
    if not gives_students_teams(profile):
        return f"Nothing is held: by the profile {name} no student is in a team."
    whose = "current enrolment" if request.wanted.everybody else "current enrolment of those named"
    return f"Nothing is held: every {whose} began on the sync start date {since} or later, or is released."


def release(request: Request) -> Changed:
    """Everything that is held of those who are meant is released; the next synchronization adds them."""
    version = profile_in_force(request.institute, request.day)
    profile, roster, author = parse(version.document), read_roster(request.institute), request.author
    keys = _held(request, roster, profile)["enrolment"]
    if keys.is_empty():
        return Changed(0, 0, _why_nothing(request, version.profile.name, profile))

    def let_through() -> pl.Series:
        return releases.release(request.institute, keys, author.actor.name, author.clock.now())

    return _change(request, roster, "enrolments.released", let_through)


def hold_again(request: Request) -> Changed:
    """What was released of those who are meant is not any more; of everybody, what is no longer in the register included."""
    roster = read_roster(request.institute)
    keys = releases.released(request.institute)
    if not request.wanted.everybody:
        own = roster.enrolments.join(keys.to_frame("enrolment"), on="enrolment", how="semi")
        keys = among(own, roster, request.wanted, request.day)["enrolment"]
    return _change(request, roster, "enrolments.held_again", lambda: releases.forget(request.institute, keys))


def _change(request: Request, roster: Roster, action: str, change: Callable[[], pl.Series]) -> Changed:
    """What `change` changed, with an entry in the trail that holds keys only."""
    with transaction.atomic():
        keys = change()
        if len(keys):
            request.author.note(request.institute, action, {"count": len(keys), "enrolments": keys.to_list()})
        whose = roster.enrolments.join(keys.to_frame("enrolment"), on="enrolment", how="semi")
        scopes.look_again(request.institute, whose["person"], request.day)
    return Changed(len(keys), whose["person"].n_unique())
