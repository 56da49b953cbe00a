"""The changes of a run as lines for people: selected in the database, named and put into sentences a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from rollbook.apply.verdicts import Told, told
from rollbook.plan.changes import ChangeVerdict, Kind
from rollbook.plan.sentences import sentence
from rollbook.store.models import Answer, Change, Intent, Run
from rollbook.store.runs import labels

CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Line:
    """One change as people read it. `kind` and `verdict` are words; `answer` is what Microsoft said, if it refused.

    `told` is what that means, who acts and whether waiting helps; `request_id` is what Microsoft's support asks for.
    """

    seq: int
    kind: str
    verdict: str
    sentence: str
    reason: str
    answer: str
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
            part = list(self.rows[start : min(end, start + CHUNK)])
            links = {c.subject for c in part} | {c.object for c in part if c.object is not None}
            named = labels(self.run.tenant, sorted(links))
            for change in part:
                yield _line(change, named, said)


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


def _line(change: Change, named: dict[int, str], heard: dict[int, Heard]) -> Line:
    subject = named.get(change.subject) or f"#{change.subject}"
    other = "" if change.object is None else named.get(change.object) or f"#{change.object}"
    act = sentence(change.kind, change.cause, subject, other, change.day)
    kind, verdict = Kind(change.kind).name.lower(), ChangeVerdict(change.verdict).name.lower()
    answer = heard.get(change.seq, Heard())
    means = told(change.kind, change.verdict, answer.status, answer.code)
    return Line(change.seq, kind, verdict, act.act, act.reason, answer.words, means, answer.request_id)


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
