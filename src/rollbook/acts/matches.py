"""Matches to review: who waits for a person's decision, with the candidates; and the decision, which counts at the next plan."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from django.db import transaction

from rollbook.acts.connections import connection_of
from rollbook.acts.desk import Desk
from rollbook.acts.links import Linked, Subject, current, set_link
from rollbook.acts.teams_known import known as all_known
from rollbook.errors import InputRefused
from rollbook.plan.sentences import REASONS, WHY
from rollbook.store import decisions, links, scopes
from rollbook.store.identities import read_subjects
from rollbook.store.models import Connection, Decision, Due, Institute, Link
from rollbook.store.review import Pending, newest_run, pending
from rollbook.store.runs import labels


@dataclass(frozen=True, slots=True)
class Candidate:
    """An object that could be meant: its name (user name or nickname), what it shows itself as, and what speaks for and against it."""

    object_id: str
    name: str
    display_name: str
    why: Sequence[str]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A person, class or node of a hierarchy that waits for a decision. `called` is what the school calls it, `cause` a word.

    `reason` is a sentence, `command` is what to type to decide, but for the decision itself.
    """

    kind: str
    sourced_id: str
    number: str
    called: str
    cause: str
    reason: str
    candidates: Sequence[Candidate]
    command: str


def waiting(institute: Institute, purpose: Connection.Purpose = Connection.Purpose.MAIN) -> list[Waiting]:
    """Everybody and everything on *Matches to review* by the newest plan. InputRefused if there is no plan yet."""
    tenant = connection_of(institute, purpose).tenant
    run = newest_run(tenant, institute.pk)
    if run is None:
        raise InputRefused("There is no plan yet, so nothing was matched.", remedy="Make one with `rollbook plan`.")
    found = pending(run)
    called = labels(tenant, [entry.link.pk for entry in found])
    known = {kind.value: _known(institute, kind) for kind in (Link.Kind.USER, Link.Kind.TEAM, Link.Kind.NODE)}
    handles = dict(all_known(institute).select("subject", "handle").iter_rows()) if any(map(_of_group, found)) else {}
    return [_waiting(entry, called, known[entry.link.kind], handles) for entry in found]


def _of_group(entry: Pending) -> bool:
    return bool(entry.link.kind != Link.Kind.USER)


def _known(institute: Institute, kind: str) -> dict[int, tuple[str, str]]:
    rows = read_subjects(institute, kind).select("subject", "sourced_id", pl.col("number").fill_null(""))
    return {subject: (sourced_id or "", number) for subject, sourced_id, number in rows.iter_rows()}


def _waiting(
    entry: Pending, called: dict[int, str], known: dict[int, tuple[str, str]], handles: dict[int, str]
) -> Waiting:
    sourced_id, number = known.get(entry.link.subject, ("", ""))
    named = ["--class", handles.get(entry.link.subject, sourced_id)] if _of_group(entry) else [sourced_id]
    return Waiting(
        entry.link.kind,
        sourced_id,
        number,
        called.get(entry.link.pk, ""),
        entry.cause.name.lower(),
        REASONS[entry.cause].removeprefix("waits: "),
        [
            Candidate(c["object_id"], c["name"] or "", c["display_name"] or "", [WHY[word] for word in c["why"]])
            for c in entry.candidates
        ],
        shlex.join(["rollbook", "match", "decide", *named]),
    )


def decide_account(desk: Desk, who: Subject, account: str, reason: str = "") -> Linked:
    """This object is the one: linked at once, as by hand."""
    return set_link(desk, who, account, reason, action="match.decided")


def decide_without(desk: Desk, who: Subject, kind: Decision.Kind, reason: str = "") -> None:
    """None of the candidates is meant: NEW lets the next plan make an account, NOBODY leaves the person without one.

    InputRefused for whoever is linked already.
    """
    if (object_id := current(desk, who)) is not None:
        raise InputRefused(
            f"{who.sourced_id} is linked to {object_id}.", remedy="Undo the link first: rollbook link unlink."
        )
    author = desk.author
    subjects = pl.DataFrame({"subject": [who.key], "period": [who.period]})
    with transaction.atomic():
        (link,) = links.reserve(desk.tenant, desk.institute, who.kind, subjects)["link"]
        decisions.decide(desk.tenant, link, kind, author.actor.name, reason, author.clock.now())
        scopes.look_again(desk.institute, [link], author.clock.now().date(), Due.Kind.LINK)
        desk.changed("match.decided", {"kind": who.kind, "link": link, "decision": kind.value})
