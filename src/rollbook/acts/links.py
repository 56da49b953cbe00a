"""Links by hand: looked at, set, undone. Nothing is written at Microsoft; who, when, from what to what is remembered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from django.db import transaction

from rollbook.acts.connections import connection_of
from rollbook.acts.desk import Desk
from rollbook.acts.linking import OBJECTS, WANTED, Judged, judged
from rollbook.acts.teams_known import find, known, names
from rollbook.errors import InputRefused
from rollbook.store import links, mirror
from rollbook.store.identities import read_subjects
from rollbook.store.links import By
from rollbook.store.models import Account, Connection, Decision, Institute, Link, LinkHistory

OBJECT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Subject:
    """A person of the register, or a class (what its team holds), and what the school's records call it."""

    kind: str
    key: int
    period: int
    sourced_id: str


def find_subject(institute: Institute, text: str, kind: str) -> Subject:
    """The person of this sourced id or SIS number, or the class or group of a hierarchy that `teams_known.find` finds.

    InputRefused if there is none, or several. Of teams of several academic periods the newest is meant, unless the text says which.
    """
    if kind == Link.Kind.TEAM:
        rows = known(institute)
        teams = rows.filter(pl.col("kind") == kind)
        # A group of a hierarchy is meant only by what no team is called.
        team = find(teams if names(teams, text) else rows, text, newest=True)
        return Subject(team.kind, team.subject, team.period, team.sourced_id or team.key)
    people = read_subjects(institute, kind)
    found = people.filter(pl.col("sourced_id") == text)
    found = found if found.height else people.filter(pl.col("number") == text)
    if found.is_empty():
        raise InputRefused(
            f"{institute.name} has no person with the sourced id or SIS number {text!r}.", remedy="Check the spelling."
        )
    if found.height > 1:
        ids = ", ".join(found["sourced_id"].to_list())
        raise InputRefused(f"Several have the SIS number {text!r}.", remedy=f"Name one by its sourced id: {ids}.")
    subject, period, sourced_id, _ = found.row(0)
    return Subject(kind, subject, period, sourced_id)


def find_objects(desk: Desk, text: str, kind: str) -> pl.DataFrame:
    """The object of this object id or name, as a frame of at most one row (schema directory.state.USERS or GROUPS)."""
    reader, is_id = desk.reader, bool(OBJECT_ID.fullmatch(text))
    if kind == Link.Kind.USER:
        return desk.look([text] if is_id else [], [] if is_id else [text])
    return reader.groups_by_id([text]) if is_id else reader.groups_by_nickname([text])


def objects_of(found: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Users or class groups as linking sees them (schema OBJECTS)."""
    if kind == Link.Kind.USER:
        return found.select("object_id", "mark", "guest", "protected", "restricted", name="user_principal_name").select(
            OBJECTS.keys()
        )
    no = pl.lit(value=False)
    return found.select("object_id", "mark", guest=no, protected=no, restricted=no, name="mail_nickname").select(
        OBJECTS.keys()
    )


@dataclass(frozen=True, slots=True)
class Linked:
    """What setting a link did: the object now, the one before, and what is worth saying about it."""

    name: str
    object_id: str
    before: str | None
    changed: bool
    notes: Sequence[str]


def set_link(
    desk: Desk, who: Subject, account: str, reason: str = "", *, take_over: bool = False, action: str = "link.set"
) -> Linked:
    """The person or class linked to this object, by object id or name. InputRefused with a sentence where that cannot be."""
    found = find_objects(desk, account, who.kind)
    row = (0, who.key, who.period, who.sourced_id, account, None, None, None)
    wanted = pl.DataFrame([row], schema=pl.Schema(WANTED), orient="row").with_columns(
        object_id=pl.lit(found["object_id"][0] if found.height else None, dtype=pl.String)
    )
    outcome = judged(desk, who.kind, wanted, objects_of(found, who.kind), take_over=take_over)
    if outcome.mistakes:
        raise InputRefused(f"{outcome.mistakes[0][1]}.", remedy="Nothing was changed.")
    before = current(desk, who)
    count = carry_out(desk, who.kind, outcome, found, reason, action)
    object_id = outcome.pairs["object_id"][0]
    return Linked(outcome.pairs["name"][0], object_id, before, bool(count), [said for _, said in outcome.notes])


def carry_out(desk: Desk, kind: str, outcome: Judged, found: pl.DataFrame, reason: str, action: str) -> int:
    """Bind what was judged and found right, in one transaction; how many links changed. `found` is what the tenant holds."""
    author, now = desk.author, desk.author.clock.now()
    by = By(author.actor.name, now, reason)
    with transaction.atomic():
        reserved = links.reserve(desk.tenant, desk.institute, kind, outcome.pairs)
        wanted = outcome.pairs.join(reserved, on=["subject", "period"]).select("link", "object_id", "object_mark")
        count = links.change(desk.tenant, desk.institute, kind, wanted, by)
        if count:
            content = {"kind": kind, "links": count}
            if wanted.height == 1:
                moved = links.history(wanted["link"][0])[-1]
                content |= {"link": moved.link_id, "object_id": moved.object_id, "before": moved.before}
            desk.changed(action, content)
            if kind == Link.Kind.USER:
                mirror.see(desk.tenant, mirror.Reading(found, now))
    return count


def current(desk: Desk, who: Subject) -> str | None:
    """The object id the person or class is linked to now."""
    return (
        Link.objects.filter(tenant=desk.tenant, kind=who.kind, subject=who.key, period=who.period)
        .values_list("object_id", flat=True)
        .first()
    )


def undo_link(desk: Desk, who: Subject, reason: str = "") -> str:
    """End a link; the object id it had. Nothing is deleted, and the pair is not linked by itself again."""
    link = Link.objects.filter(tenant=desk.tenant, kind=who.kind, subject=who.key, period=who.period).first()
    if link is None or link.object_id is None:
        raise InputRefused(f"{who.sourced_id} is not linked to anything.", remedy="Nothing needs to be done.")
    nothing = pl.DataFrame(
        [(link.pk, None, None)],
        schema={"link": pl.Int64, "object_id": pl.String, "object_mark": pl.String},
        orient="row",
    )
    by = By(desk.author.actor.name, desk.author.clock.now(), reason)
    with transaction.atomic():
        links.change(desk.tenant, desk.institute, who.kind, nothing, by)
        desk.changed("link.undone", {"kind": who.kind, "link": link.pk, "before": link.object_id})
    return link.object_id


LISTED = ("sourced_id", "number", "object_id", "name", "origin")


def listed(institute: Institute, kind: str, purpose: Connection.Purpose = Connection.Purpose.MAIN) -> pl.DataFrame:
    """[subject, every column of LISTED] of all links of the institute that hold an object, by sourced id; name null for classes."""
    tenant = connection_of(institute, purpose).tenant
    seen = mirror.known(tenant).select("link", name="user_principal_name")
    held = links.held(tenant, kind).filter((pl.col("institute") == institute.pk) & pl.col("held").is_not_null())
    known = read_subjects(institute, kind).drop("period")
    return (
        held.join(known, on="subject", how="left")
        .join(seen, on="link", how="left")
        .rename({"held": "object_id"})
        .select("subject", *LISTED)
        .sort("sourced_id", "subject", nulls_last=True)
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """One link with its account and its past."""

    link: Link | None
    account: Account | None
    history: Sequence[LinkHistory]
    decisions: Sequence[Decision]


def shown(institute: Institute, who: Subject, purpose: Connection.Purpose = Connection.Purpose.MAIN) -> Shown:
    """What is known of somebody's link; decisions are all there ever were, the oldest first."""
    tenant = connection_of(institute, purpose).tenant
    link = Link.objects.filter(tenant=tenant, kind=who.kind, subject=who.key, period=who.period).first()
    if link is None:
        return Shown(None, None, [], [])
    decided = list(link.decisions.order_by("at", "pk"))
    return Shown(link, Account.objects.filter(link=link).first(), links.history(link.pk), decided)
