"""Runs and institutes in numbers, as pages show them: each a fixed number of queries, however large the school is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from rollbook.apply.whys import but_for
from rollbook.plan.changes import WAITING_FROM, Cause, ChangeVerdict, Kind
from rollbook.plan.sentences import REASONS
from rollbook.store.approvals import agreeable
from rollbook.store.freezes import said_of
from rollbook.store.models import (
    MANUAL,
    Affiliation,
    Change,
    Connection,
    Delivery,
    Institute,
    PersonRecord,
    Run,
    Source,
)
from rollbook.store.models.versioned import Versioned
from rollbook.store.proof_lines import told
from rollbook.store.proofs import read_deviations
from rollbook.words import counted

STAGES: dict[str, tuple[Kind, ...]] = {
    "Links": (Kind.LINK_USER, Kind.LINK_GROUP),
    "Accounts": (
        Kind.RESTORE_USER,
        Kind.CREATE_USER,
        Kind.UPDATE_USER,
        Kind.ENABLE_USER,
        Kind.DISABLE_USER,
        Kind.RENAME_USER,
    ),
    "Passwords": (Kind.SET_PASSWORD,),
    "Licences": (
        Kind.LICENSE_USER,
        Kind.UNLICENSE_USER,
        Kind.LICENSE_GROUP,
        Kind.JOIN_LICENCE_GROUP,
        Kind.LEAVE_LICENCE_GROUP,
    ),
    "Groups": (
        Kind.CREATE_GROUP,
        Kind.CREATE_CLASS,
        Kind.CREATE_UNIFIED,
        Kind.UPDATE_CLASS,
        Kind.UPDATE_GROUP,
    ),
    "Memberships": (
        Kind.ADD_OWNER,
        Kind.ADD_MEMBER,
        Kind.REMOVE_OWNER,
        Kind.REMOVE_MEMBER,
        Kind.DEMOTE_OWNER,
        Kind.REMOVE_STRANGER,
        Kind.RETURN_STRANGER,
    ),
    "Teams": (Kind.CREATE_TEAM, Kind.ARCHIVE_TEAM, Kind.UNARCHIVE_TEAM),
}
"""Kinds of change under the names people read."""

FAILED = (ChangeVerdict.LATER, ChangeVerdict.NEVER, ChangeVerdict.BLOCKED, ChangeVerdict.DRIFTED)
WAITING = (ChangeVerdict.WAITS, ChangeVerdict.UNAPPROVED, ChangeVerdict.DECLINED)
DEVIATIONS = 50


@dataclass(frozen=True, slots=True)
class Stage:
    """How many changes of one stage are done, wait, failed, and are still open."""

    name: str
    total: int
    done: int
    waiting: int
    failed: int

    @property
    def open(self) -> int:
        """Not decided yet."""
        return self.total - self.done - self.waiting - self.failed

    def _percent(self, count: int) -> float:
        return round(100 * count / self.total, 2)

    @property
    def bar(self) -> list[tuple[str, float, float]]:
        """The parts of the stage's bar: (what, begin, width) in percent."""
        parts, begin = [], 0.0
        for what, count in (("done", self.done), ("waits", self.waiting), ("failed", self.failed)):
            if count:
                parts.append((what, begin, self._percent(count)))
                begin += self._percent(count)
        return parts


def stages(run: Run) -> list[Stage]:
    """The stages of a run that have changes."""
    counted: defaultdict[int, dict[int, int]] = defaultdict(dict)
    rows = Change.objects.filter(run=run).values_list("kind", "verdict").annotate(count=Count("pk"))
    for kind, verdict, count in rows:
        counted[kind][verdict] = count
    found = []
    for name, kinds in STAGES.items():
        verdicts = [counted[int(kind)] for kind in kinds]
        total = sum(sum(each.values()) for each in verdicts)
        done = sum(each.get(int(ChangeVerdict.DONE), 0) for each in verdicts)
        waiting = sum(each.get(int(verdict), 0) for each in verdicts for verdict in WAITING)
        failed = sum(each.get(int(verdict), 0) for each in verdicts for verdict in FAILED)
        if total:
            found.append(Stage(name, total, done, waiting, failed))
    return found


def waiting_reasons(run: Run) -> list[tuple[str, int]]:
    """Why changes of a run wait, and how many for each reason."""
    waiting = Change.objects.filter(run=run, cause__gte=WAITING_FROM, verdict=int(ChangeVerdict.WAITS))
    rows = waiting.values_list("cause").annotate(count=Count("pk")).order_by("-count")
    return [(REASONS[Cause(cause)].removeprefix("waits: "), count) for cause, count in rows]


def deviations(run: Run) -> list[dict[str, str]]:
    """The first deviations the run's proof found, faults first, with names instead of links; none where it is kept no longer."""
    return told(run, read_deviations(run, limit=DEVIATIONS)).to_dicts()


def verdict(run: Run) -> tuple[str, str]:
    """What a run's proof says, and how good that is: a word ("good", "warn", "bad") and a sentence."""
    numbers = run.proof or {}
    if numbers.get("missing") or numbers.get("extra"):
        return "bad", "The tenant does not equal the register."
    excepted = but_for(numbers, agreeable(run))
    if excepted:
        return "warn", f"The tenant equals the register but for {excepted}."
    return "good", "The tenant equals the register."


PURPOSES = {
    Run.Purpose.PASSWORDS: "new passwords",
    Run.Purpose.ARCHIVING: "teams into or out of the archive",
    Run.Purpose.UNDO: "what another run did, taken back",
}


def about(run: Run) -> str:
    """What a run was about, in words."""
    if run.purpose in PURPOSES:
        return PURPOSES[Run.Purpose(run.purpose)]
    people = len(run.looked.get("people", ()))
    told = {
        Run.Scope.EVERYTHING: "everybody",
        Run.Scope.FULL: "everybody, the tenant read anew",
        Run.Scope.CHANGED: f"what changed, with {counted(people, 'person', 'people')}",
        Run.Scope.PEOPLE: f"{counted(people, 'chosen person', 'chosen people')} and what depends on them",
    }
    return told[Run.Scope(run.scope)]


def last_runs(limit: int, institute: Institute | None = None) -> list[Run]:
    """The newest runs, of one institute or of all."""
    runs = Run.objects.select_related("institute", "tenant").order_by("-made_at", "-pk")
    if institute is not None:
        runs = runs.filter(institute=institute)
    return list(runs[:limit])


def people_by_type(institute: Institute) -> list[tuple[str, int]]:
    """How many people of each user type the register holds; somebody of two types counts in both."""
    counted: defaultdict[str, int] = defaultdict(int)
    sources = list(institute.sources.order_by("precedence", "pk"))
    here = _published(PersonRecord, *sources).filter(corrects=False)
    for rank, source in enumerate(sources):
        visible = _published(Affiliation, source)
        if len(sources) > 1:
            # Somebody a source says nothing more of is what a source of less precedence says.
            better = _published(Affiliation, *sources[:rank])
            visible = visible.filter(person__in=here.values("entity")).exclude(person__in=better.values("person"))
        for user_type, count in visible.values_list("user_type").annotate(count=Count("person", distinct=True)):
            counted[user_type] += count
    return sorted(counted.items())


def _published(model: type[Versioned], *sources: Source) -> QuerySet[Any]:
    """The rows of these sources that are visible."""
    visible = Q(pk__in=[])
    for source in sources:
        visible |= Q(source=source, since__lte=source.published, until__gt=source.published)
    return model._default_manager.filter(visible)


def delivered() -> QuerySet[Delivery]:
    """Deliveries of whole registers: edits by hand say nothing of what a school has in all."""
    return Delivery.objects.exclude(source__kind=MANUAL)


def institutes() -> list[dict[str, Any]]:
    """Every institute with its register in numbers, its tenant and whether that is frozen, and its newest run."""
    published = {
        d.source.institute_id: d
        for d in delivered().filter(state=Delivery.State.PUBLISHED).select_related("source").order_by("number")
    }
    main = Connection.objects.filter(purpose=Connection.Purpose.MAIN).select_related("tenant")
    connections = {connection.institute_id: connection for connection in main}
    corporate = Connection.objects.filter(purpose=Connection.Purpose.CORPORATE).values("tenant")
    runs = Run.objects.exclude(tenant__in=corporate)
    newest = {run.institute_id: run for run in runs.order_by("made_at", "pk").only(*_RUN_IN_SHORT)}
    return [
        {
            "institute": institute,
            "rows": published[institute.pk].rows if institute.pk in published else None,
            "tenant": connections[institute.pk].tenant if institute.pk in connections else None,
            "frozen": said_of(connections[institute.pk]) if institute.pk in connections else "",
            "run": newest.get(institute.pk),
        }
        for institute in Institute.objects.order_by("name")
    ]


_RUN_IN_SHORT = ("institute_id", "public_id", "number", "state", "made_at", "started_at", "finished_at")
