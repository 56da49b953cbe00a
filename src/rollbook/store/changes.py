"""The changes of a run as lines for people: selected in the database, named and put into sentences a page at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from rollbook.apply.approval import FIRST_RUN, NEEDED
from rollbook.plan.changes import ChangeVerdict, Kind
from rollbook.plan.sentences import HOLDS, VERDICTS, sentence
from rollbook.store.approvals import why_held
from rollbook.store.models import Answer, Change, Intent, Run
from rollbook.store.runs import labels

CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Line:
    """One change as people read it. `kind` and `verdict` are words; `answer` is what Microsoft said, if it refused.

    `hold` is why it waits for approval, or was not applied although Microsoft would have.
    """

    seq: int
    kind: str
    verdict: str
    sentence: str
    reason: str
    answer: str
    hold: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """Some changes of a run, in their order of application."""

    run: Run
    rows: QuerySet[Change]
    count: int

    def lines(self, offset: int = 0, limit: int | None = None) -> Iterator[Line]:
        """The lines from `offset` on, at most `limit`."""
        end = self.count if limit is None else min(self.count, offset + limit)
        said = answers(self.run)
        held = why_held(self.run)
        for start in range(offset, end, CHUNK):
            part = list(self.rows[start : min(end, start + CHUNK)])
            links = {c.subject for c in part} | {c.object for c in part if c.object is not None}
            named = labels(self.run.tenant, sorted(links))
            for change in part:
                yield _line(change, named, said, _hold(change, held, self.run))


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


def _hold(change: Change, held: Mapping[int, str], run: Run) -> str:
    """Why a change is not applied that Microsoft would take: what waits says for what, the first thing that applies."""
    verdict = ChangeVerdict(change.verdict)
    if verdict != ChangeVerdict.UNAPPROVED:
        return VERDICTS.get(verdict, "")
    code = held.get(change.seq) or (FIRST_RUN if run.first_run else NEEDED)
    return f"{VERDICTS[verdict]}: {HOLDS[code]}"


def _line(change: Change, named: dict[int, str], said: dict[int, str], hold: str) -> Line:
    subject = named.get(change.subject) or f"#{change.subject}"
    other = "" if change.object is None else named.get(change.object) or f"#{change.object}"
    told = sentence(change.kind, change.cause, subject, other, change.day)
    kind, verdict = Kind(change.kind).name.lower(), ChangeVerdict(change.verdict).name.lower()
    return Line(change.seq, kind, verdict, told.act, told.reason, said.get(change.seq, ""), hold)


def answers(run: Run) -> dict[int, str]:
    """What Microsoft said about changes that were not carried out, by seq; a request's answer holds for all its changes."""
    refused = (int(ChangeVerdict.LATER), int(ChangeVerdict.NEVER))
    failed = (
        Answer.objects.filter(run=run, verdict__in=refused).exclude(message="").values_list("number", "code", "message")
    )
    said = {number: f"{message} ({code})" if code else message for number, code, message in failed}
    intents = Intent.objects.filter(run=run, number__in=list(said)).values_list("number", "seqs")
    return {int(seq): said[number] for number, seqs in intents for seq in seqs.split(",")}
