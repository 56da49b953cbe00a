"""The changes of a run as lines for people: selected in the database, named and put into sentences a page at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from rollbook.apply.approval import FIRST_RUN, NEEDED
from rollbook.apply.verdicts import Told, told
from rollbook.plan.changes import Cause, ChangeVerdict, Kind
from rollbook.plan.sentences import HOLDS, VERDICTS, sentence, told_values
from rollbook.store.approvals import RefusedKey, said_of_refusals, why_held
from rollbook.store.bulk import read_frame, table_of
from rollbook.store.models import Answer, Change, ChangeDetail, Grouping, Intent, Link, Run
from rollbook.store.runs import LABELS, labels

CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Line:
    """One change as people read it. `kind` and `verdict` are words; `answer` is what Microsoft said, if it refused.

    `hold` is why it waits for approval, or was not applied although Microsoft would have. `told` is what an answer means, who acts and
    whether waiting helps; `request_id` is what Microsoft's support asks for.
    """

    seq: int
    kind: str
    verdict: str
    sentence: str
    reason: str
    answer: str
    hold: str = ""
    told: Told | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """Some changes of a run, in their order of application."""

    run: Run
    rows: QuerySet[Change]
    count: int

    def lines(self, offset: int = 0, limit: int | None = None) -> Iterator[Line]:
        """The lines from `offset` on, at most `limit`."""
        end = self.count if limit is None else min(self.count, offset + limit)
        said = heard(self.run)
        for start in range(offset, end, CHUNK):
            yield from lines_of(self.run, list(self.rows[start : min(end, start + CHUNK)]), said)


def select(run: Run, kind: Kind | None = None, verdict: ChangeVerdict | None = None, name: str = "") -> Selection:
    """The changes of this kind and verdict that concern a person or class whose name holds `name`."""
    rows = Change.objects.filter(run=run).order_by("seq")
    if kind is not None:
        rows = rows.filter(kind=int(kind))
    if verdict is not None:
        rows = rows.filter(verdict=int(verdict))
    if name:
        wanted = name.casefold()
        links = [link for link, label in labels(run.tenant).items() if wanted in label.casefold()]
        # Numbers of our own in the statement itself: as parameters, a common name would exceed what SQLite takes.
        listed = ", ".join(str(int(link)) for link in links) or "0"
        rows = rows.filter(
            RawSQL(  # noqa: S611 - integers only
                f'subject IN ({listed}) OR "object" IN ({listed})', [], BooleanField()
            )
        )
    return Selection(run, rows, rows.count())


@dataclass(frozen=True, slots=True)
class Sum:
    """How many changes of one kind there are in one part of the tenant, and how many more wait; `unapproved` of the first wait for
    somebody to agree.
    """

    part: str
    act: str
    acting: int
    waiting: int
    unapproved: int


PARTS = {
    Link.Kind.USER: "accounts",
    Link.Kind.TEAM: "teams",
    Link.Kind.NODE: "hierarchies",
    Link.Kind.LICENCE: "licence groups",
}
"""What kinds of link are called where their changes are summed up, in that order."""

SUMMED = {
    Kind.LINK_USER: "linked to the account that is there",
    Kind.RESTORE_USER: "restored",
    Kind.CREATE_USER: "made",
    Kind.UPDATE_USER: "updated",
    Kind.ENABLE_USER: "enabled",
    Kind.DISABLE_USER: "disabled",
    Kind.RENAME_USER: "renamed",
    Kind.SET_PASSWORD: "new password",
    Kind.LICENSE_USER: "licence given",
    Kind.UNLICENSE_USER: "licence taken back",
    Kind.CREATE_GROUP: "group made",
    Kind.LICENSE_GROUP: "licences changed",
    Kind.JOIN_LICENCE_GROUP: "people added",
    Kind.LEAVE_LICENCE_GROUP: "people taken out",
    Kind.LINK_GROUP: "linked to the group that is there",
    Kind.CREATE_CLASS: "class group made",
    Kind.CREATE_UNIFIED: "Microsoft 365 group made",
    Kind.UPDATE_CLASS: "class group updated",
    Kind.UPDATE_GROUP: "group updated",
    Kind.UNARCHIVE_TEAM: "taken back from the archive",
    Kind.ADD_OWNER: "owners added",
    Kind.ADD_MEMBER: "members added",
    Kind.CREATE_TEAM: "made a team",
    Kind.REMOVE_OWNER: "owners removed",
    Kind.REMOVE_MEMBER: "members removed",
    Kind.DEMOTE_OWNER: "owners become members",
    Kind.REMOVE_STRANGER: "strangers removed",
    Kind.RETURN_STRANGER: "strangers put back",
    Kind.ARCHIVE_TEAM: "archived",
}
"""What is done, as a table of sums says it; any other kind is called by its own words."""


def summed(run: Run) -> list[Sum]:
    """How many changes of each kind a run has, by what they are about and in the order of application."""
    # Of a first run that waits nothing was given a verdict of its own yet: all of it waits.
    whole = run.first_run and run.state == Run.State.APPROVAL_DUE
    unapproved = [int(ChangeVerdict.UNAPPROVED), *([int(ChangeVerdict.PLANNED)] if whole else [])]
    statement = (
        f"SELECT l.kind, c.kind, SUM(CASE WHEN c.verdict = {int(ChangeVerdict.WAITS)} THEN 1 ELSE 0 END), "
        f"SUM(CASE WHEN c.verdict IN ({', '.join(map(str, unapproved))}) THEN 1 ELSE 0 END), COUNT(*) "
        f"FROM {table_of(Change)} c JOIN {table_of(Link)} l ON l.id = c.subject WHERE c.run_id = %s GROUP BY l.kind, c.kind"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [run.pk])
        found = [(list(PARTS).index(Link.Kind(of)), Kind(kind), *counts) for of, kind, *counts in cursor]
    parts = list(PARTS.values())
    return [
        Sum(parts[of], SUMMED.get(kind, kind.label), every - waits, int(waits), int(held))
        for of, kind, waits, held, every in sorted(found)
    ]


TELLING = (Kind.UPDATE_USER, Kind.RENAME_USER, Kind.UPDATE_CLASS, Kind.UPDATE_GROUP)
"""Kinds of change whose values before and after are told."""


def _values(run: Run, changes: Sequence[Change]) -> dict[int, str]:
    """What is and will be, as a sentence tells it, by seq."""
    # Numbers of our own, in the statement itself: SQLite takes only so many parameters.
    listed = ", ".join(str(int(change.seq)) for change in changes if change.kind in TELLING) or "0"
    rows = ChangeDetail.objects.filter(
        RawSQL(f"seq IN ({listed})", [], BooleanField()),  # noqa: S611 - integers only
        run=run,
        before__isnull=False,
        after__isnull=False,
    )
    found = rows.values_list("seq", "before", "after")
    return {seq: told_values(json.loads(before or "{}"), json.loads(after or "{}")) for seq, before, after in found}


def _found(run: Run) -> dict[int, str]:
    """What somebody made of the values a plan had seen, as a sentence tells it, by seq of the changes that were left because of it."""
    rows = ChangeDetail.objects.filter(run=run, found__isnull=False).values_list("seq", "before", "found")
    return {seq: told_values(json.loads(before or "{}"), json.loads(found or "{}")) for seq, before, found in rows}


def lines_of(run: Run, changes: Sequence[Change], said: dict[int, Heard] | None = None) -> Iterator[Line]:
    """These changes of a run as lines; `said` is what Microsoft answered (heard), if it is known already."""
    said = heard(run) if said is None else said
    links = {c.subject for c in changes} | {c.object for c in changes if c.object is not None}
    named = labels(run.tenant, sorted(links)) | _told_apart(run, links)
    values = _values(run, changes) | _objects_gone(changes)
    held = why_held(run) if any(change.verdict == ChangeVerdict.UNAPPROVED for change in changes) else {}
    refused = said_of_refusals(run) if any(change.verdict == ChangeVerdict.DECLINED for change in changes) else {}
    drifted = _found(run) if any(change.verdict == ChangeVerdict.DRIFTED for change in changes) else {}
    for change in changes:
        yield _line(change, named, said, values.get(change.seq, ""), _hold(change, held, refused, drifted, run))


def _told_apart(run: Run, links: set[int]) -> dict[int, str]:
    """What a school calls those of these teams and groups of which others are called alike, with their ids."""
    groupings, listed = table_of(Grouping), ", ".join(str(int(link)) for link in sorted(links)) or "0"
    statement = (
        f"SELECT l.id, g.label || ' (' || g.sourced_id || ')' FROM {table_of(Link)} l JOIN {groupings} g ON g.id = l.subject "
        f"WHERE l.tenant_id = %s AND l.kind IN ('team', 'node') AND l.id IN ({listed}) AND g.sourced_id IS NOT NULL AND EXISTS "
        f"(SELECT 1 FROM {groupings} o WHERE o.institute_id = g.institute_id AND o.kind = g.kind AND o.period = g.period "
        "AND o.label = g.label AND o.id <> g.id)"
    )
    return dict(read_frame(statement, [run.tenant_id], LABELS).iter_rows())


GONE = (Cause.ACCOUNT_GONE, Cause.TEAM_GONE, Cause.GROUP_GONE)


def _objects_gone(changes: Sequence[Change]) -> dict[int, str]:
    """The object, as Microsoft calls it, that is no longer there, by the seq of the change that waits because of it."""
    waiting = {change.subject: change.seq for change in changes if change.cause in GONE}
    linked = Link.objects.filter(pk__in=waiting, object_id__isnull=False) if waiting else Link.objects.none()
    return {waiting[link]: f"object {object_id}" for link, object_id in linked.values_list("pk", "object_id")}


def _hold(
    change: Change, held: Mapping[int, str], refused: Mapping[RefusedKey, str], drifted: Mapping[int, str], run: Run
) -> str:
    """Why a change is not applied that Microsoft would take: what waits says for what, the first thing that applies."""
    verdict = ChangeVerdict(change.verdict)
    by = refused.get((change.kind, change.subject, change.object, change.cause, change.day))
    if verdict == ChangeVerdict.DECLINED and by:
        return f"{by}; asked again when its cause changes"
    if verdict == ChangeVerdict.DRIFTED and change.seq in drifted:
        return f"{VERDICTS[verdict]} ({drifted[change.seq]})"
    if verdict != ChangeVerdict.UNAPPROVED:
        return VERDICTS.get(verdict, "")
    code = held.get(change.seq) or (FIRST_RUN if run.first_run else NEEDED)
    return f"{VERDICTS[verdict]}: {HOLDS[code]}"


def _line(change: Change, named: dict[int, str], said: dict[int, Heard], values: str, hold: str) -> Line:
    subject = named.get(change.subject) or f"#{change.subject}"
    other = "" if change.object is None else named.get(change.object) or f"#{change.object}"
    act = sentence(change.kind, change.cause, subject, other, change.day)
    kind, verdict = Kind(change.kind).name.lower(), ChangeVerdict(change.verdict).name.lower()
    answer = said.get(change.seq, Heard())
    means = told(change.kind, change.verdict, answer.status, answer.code)
    reason = f"{act.reason} ({values})" if values else act.reason
    return Line(change.seq, kind, verdict, act.act, reason, answer.words, hold, means, answer.request_id)


@dataclass(frozen=True, slots=True)
class Heard:
    """What Microsoft answered: status and code, its words with the code, and what it calls the request."""

    status: int = 0
    code: str = ""
    words: str = ""
    request_id: str = ""


def answers(run: Run) -> dict[int, str]:
    """What Microsoft said about changes that were not carried out, by seq, in its own words."""
    return {seq: answer.words for seq, answer in heard(run).items() if answer.words}


def heard(run: Run) -> dict[int, Heard]:
    """The answers to changes that were not carried out, by seq; a request's answer holds for all its changes."""
    refused = (int(ChangeVerdict.LATER), int(ChangeVerdict.NEVER))
    failed = Answer.objects.filter(run=run, verdict__in=refused)
    by_number = {
        number: Heard(status, code, f"{words} ({code})" if code and words else words, request_id)
        for number, status, code, words, request_id in failed.values_list(
            "number", "status", "code", "message", "request_id"
        )
    }
    intents = Intent.objects.filter(run=run, number__in=list(by_number)).values_list("number", "seqs")
    return {int(seq): by_number[number] for number, seqs in intents for seq in seqs.split(",")}
