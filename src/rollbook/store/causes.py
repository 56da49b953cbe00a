"""Causes of notices as the store knows them now: what is so, whoever did it and whether or not it was told before.

Each look is a fixed number of queries for all institutes together. What a synchronization that is under way will say anew is left
undecided: neither there nor gone.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection as database
from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from rollbook.apply.approval import FIRST_RUN, NEEDED
from rollbook.plan.changes import ChangeVerdict, Kind
from rollbook.store.bulk import among, table_of
from rollbook.store.models import (
    MANUAL,
    PARTS,
    AcademicPeriod,
    Change,
    Connection,
    Delivery,
    Hold,
    Institute,
    Job,
    Notice,
    NoticeChannel,
    Run,
    Source,
)
from rollbook.store.models.notices import LATE_AFTER
from rollbook.store.models.runs import NEVER

WARNED = (1, 7, 30)
"""Days before a credential expires at which it is told, each once."""

OF_RUNS = (Notice.Kind.NOT_PROVEN, Notice.Kind.CHANGES_REFUSED, Notice.Kind.APPROVAL_DUE, Notice.Kind.SEATS_SHORT)
"""Kinds whose causes are a synchronization's own, and begin with its tenant."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an institute is to be told something: `key` is the cause of a Notice, `content` is told with it."""

    institute: int
    kind: Notice.Kind
    key: str
    content: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Looked:
    """What is so; and the (institute, tenant) of which nothing can be said now, because a synchronization is under way."""

    causes: list[Cause]
    undecided: frozenset[tuple[int, int]]

    def leaves_open(self, notice: Notice) -> bool:
        """Whether nothing can be said now of the cause of a notice."""
        if notice.kind not in OF_RUNS:
            return False
        return (notice.institute_id, int(notice.cause.partition("/")[0])) in self.undecided


def look(now: dt.datetime) -> Looked:
    """Every cause there is now."""
    connections = _connections()
    undecided = frozenset((each.institute_id, each.tenant_id) for each in connections if _under_way(each, now))
    settled = [each for each in connections if (each.institute_id, each.tenant_id) not in undecided]
    causes = [cause for of in OF_CONNECTIONS for cause in of(settled if of in SETTLED else connections, now)]
    return Looked(causes + _of_registers(now), undecided)


def _connections() -> list[Any]:
    """Connections in use, each with the numbers of its newest run, and of the newest finished ones of everything and of a part."""
    runs = Run.objects.filter(
        tenant=OuterRef("tenant"), institute=OuterRef("institute"), purpose=Run.Purpose.SYNCHRONIZATION
    ).order_by("-number")
    finished = runs.filter(finished_at__isnull=False)
    found = Connection.objects.exclude(state=Connection.State.DISCONNECTED).select_related("institute", "tenant__lease")
    return list(
        found.annotate(
            newest=Subquery(runs.values("state")[:1]),
            newest_finished=Subquery(runs.values("finished_at")[:1]),
            whole=Subquery(finished.exclude(scope__in=PARTS).values("pk")[:1]),
            part=Subquery(finished.filter(scope__in=PARTS).values("pk")[:1]),
        )
    )


def _under_way(each: Any, now: dt.datetime) -> bool:
    """Whether a synchronization may be about to say something anew."""
    if each.newest in (Run.State.APPLYING, Run.State.APPLIED):
        return True
    lease = getattr(each.tenant, "lease", None)
    held = lease is not None and lease.holder and lease.expires_at is not None and lease.expires_at > now
    return bool(held and each.newest is not None and each.newest_finished is None)


def _runs_that_count(connections: Collection[Any]) -> list[Run]:
    """The newest finished run of everything of each connection, and that of a part if it is newer."""
    wanted = [number for each in connections for number in (each.whole, each.part) if number is not None]
    counting = {
        run.pk: run
        for run in Run.objects.filter(pk__in=wanted).only(
            "number", "institute_id", "tenant_id", "proof", "forecast", "finished_at"
        )
    }
    chosen = []
    for each in connections:
        whole, part = counting.get(each.whole), counting.get(each.part)
        chosen += [run for run in (whole,) if run is not None]
        chosen += [run for run in (part,) if run is not None and (whole is None or run.number > whole.number)]
    return chosen


def _of_runs(connections: Collection[Any], now: dt.datetime) -> list[Cause]:
    """What finished runs left: people missing or extra, changes that were refused, licences short."""
    runs = _runs_that_count(connections)
    by_pk = {run.pk: run for run in runs}
    found = [
        Cause(
            run.institute_id,
            Notice.Kind.NOT_PROVEN,
            str(run.tenant_id),
            {"run": run.number, "missing": run.proof["missing"], "extra": run.proof["extra"]},
        )
        for run in runs
        if run.proof is not None and (run.proof["missing"] or run.proof["extra"])
    ]
    for pk, kind, count in _refused(by_pk):
        run = by_pk[pk]
        name = Kind(kind).name.lower()
        content = {"run": run.number, "change": name, "count": count}
        found.append(Cause(run.institute_id, Notice.Kind.CHANGES_REFUSED, f"{run.tenant_id}/{name}", content))
    found += [_short(run, entry) for run in runs for entry in run.forecast if entry["short"]]
    return found


def _short(run: Run, entry: Mapping[str, Any]) -> Cause:
    content = {"run": run.number, **{name: entry[name] for name in ("part", "needed", "free", "short")}}
    return Cause(run.institute_id, Notice.Kind.SEATS_SHORT, f"{run.tenant_id}/{entry['sku']}", content)


def _refused(runs: Collection[int]) -> list[tuple[int, int, int]]:
    """How many changes of each kind Microsoft refused: run, kind, count."""
    condition, parameters = among("run_id", runs)
    # The verdict is written out, so that both databases see that the index of refused changes holds all of them.
    statement = (
        f"SELECT run_id, kind, COUNT(*) FROM {table_of(Change)} "
        f"WHERE verdict = {NEVER} AND {condition} GROUP BY run_id, kind ORDER BY run_id, kind"
    )
    with database.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [(int(run), int(kind), int(count)) for run, kind, count in cursor.fetchall()]


def _awaited(connections: Collection[Any], now: dt.datetime) -> list[Cause]:
    """What waits for a person, by what holds it: one cause however often an equal or a similar plan is made anew."""
    within = {(each.institute_id, each.tenant_id) for each in connections}
    tenants = {tenant for _, tenant in within}
    due = Run.objects.filter(tenant__in=tenants, state=Run.State.APPROVAL_DUE).order_by("number")
    runs = [run for run in due if (run.institute_id, run.tenant_id) in within]
    held = _held([run.pk for run in runs if not run.first_run])
    found: list[Cause] = []
    for run in runs:
        objected = {entry["code"]: entry for entry in run.objections}
        codes = held.get(run.pk) or {code: int(entry["count"]) for code, entry in objected.items()}
        if run.first_run:
            codes = {FIRST_RUN: int(run.counts.get("changes", 0))}
            found += [_short(run, entry) for entry in run.forecast if entry["short"]]
        for code, count in codes.items():
            content = {"run": run.number, "code": code, "count": count, "objection": objected.get(code)}
            key = f"{run.tenant_id}/{run.purpose}/{code}"
            found.append(Cause(run.institute_id, Notice.Kind.APPROVAL_DUE, key, content))
    return found


def _held(runs: Collection[int]) -> dict[int, dict[str, int]]:
    """How many changes of these runs each guard still holds."""
    condition, parameters = among("h.run_id", runs)
    statement = (
        f"SELECT h.run_id, h.code, COUNT(*) FROM {table_of(Hold)} h "
        f"JOIN {table_of(Change)} c ON c.run_id = h.run_id AND c.seq = h.seq "
        f"WHERE {condition} AND c.verdict = %s AND h.code <> %s GROUP BY h.run_id, h.code"
    )
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    with database.cursor() as cursor:
        cursor.execute(statement, [*parameters, int(ChangeVerdict.UNAPPROVED), NEEDED])
        for run, code, count in cursor.fetchall():
            found[run][code] = count
    return found


def _failed(connections: Collection[Any], now: dt.datetime) -> list[Cause]:
    """Synchronizations that came to no end, until a later one did. What a failing connection keeps from its end is told as that."""
    ended = Job.objects.filter(
        tenant=OuterRef("tenant"),
        institute=OuterRef("institute"),
        state__in=(Job.State.FINISHED, Job.State.FAILED, Job.State.APPROVAL_DUE),
    ).order_by("-pk")
    of = Connection.objects.filter(pk__in=[each.pk for each in connections])
    newest = of.values_list(Subquery(ended.values("pk")[:1]), flat=True)
    found = []
    for job in Job.objects.filter(pk__in=list(newest), state=Job.State.FAILED):
        said = job.notice or {}
        content = {"job": str(job.public_id), **{name: said.get(name, "") for name in ("code", "message", "remedy")}}
        found.append(Cause(job.institute_id, Notice.Kind.JOB_FAILED, str(job.tenant_id), content))
    return found


def _failing(connections: Collection[Any], now: dt.datetime) -> list[Cause]:
    """Connections in quarantine; another reason is another turn of the same matter."""
    found = []
    for each in connections:
        if each.failing_since is None:
            continue
        said = each.notice or {}
        reason = said.get("code") or hashlib.sha256(said.get("message", "").encode()).hexdigest()[:12]
        content = {
            **{name: said.get(name, "") for name in ("code", "request_id", "message", "remedy")},
            "failures": each.failures,
            "since": each.failing_since.isoformat(timespec="seconds"),
        }
        found.append(Cause(each.institute_id, Notice.Kind.QUARANTINED, f"{each.pk}#{reason}"[:128], content))
    return found


def _expiring(connections: Collection[Any], now: dt.datetime) -> list[Cause]:
    """Credentials that expire soon: each of the days before is another turn of the same matter."""
    found = []
    for each in connections:
        if each.expires_on is None:
            continue
        left = (each.expires_on - _today(each.institute.time_zone, now)).days
        warned = next((days for days in WARNED if left <= days), None)
        if warned is not None:
            day = each.expires_on.isoformat()
            content = {"expires_on": day, "days": max(left, 0)}
            found.append(
                Cause(each.institute_id, Notice.Kind.CREDENTIAL_EXPIRING, f"{each.pk}/{day}#{warned}", content)
            )
    return found


OF_CONNECTIONS: tuple[Callable[[Collection[Any], dt.datetime], list[Cause]], ...] = (
    _of_runs,
    _awaited,
    _failed,
    _failing,
    _expiring,
)
SETTLED = (_of_runs, _awaited)
"""Looks at what a synchronization that is under way may say anew."""


def _today(time_zone: str, now: dt.datetime) -> dt.date:
    return now.astimezone(ZoneInfo(time_zone)).date()


def _of_registers(now: dt.datetime) -> list[Cause]:
    """Sources that were not delivered for too long while school is on, and deliveries that wait to be accepted."""
    taken = Delivery.objects.filter(
        source=OuterRef("pk"), state__in=(Delivery.State.PUBLISHED, Delivery.State.STAGED)
    ).order_by("-number")
    newest = Source.objects.exclude(kind=MANUAL).values_list(Subquery(taken.values("pk")[:1]), flat=True)
    deliveries = list(
        Delivery.objects.filter(pk__in=list(newest)).select_related("source__institute").defer("findings")
    )
    found = [
        Cause(
            delivery.source.institute_id,
            Notice.Kind.DELIVERY_STAGED,
            f"{delivery.source_id}/{delivery.number}",
            {"source": delivery.source.kind, "delivery": delivery.number},
        )
        for delivery in deliveries
        if delivery.state == Delivery.State.STAGED
    ]
    return found + _late(deliveries, now)


def _late(deliveries: Collection[Delivery], now: dt.datetime) -> list[Cause]:
    limits = dict(NoticeChannel.objects.values_list("institute", "late_after"))

    def overdue(institute: Institute, since: dt.date) -> int:
        """Days since, if they are too many; else 0."""
        days = (_today(institute.time_zone, now) - since).days
        limit = limits.get(institute.pk, LATE_AFTER)
        return days if limit and days > limit else 0

    came = {each: _today(each.source.institute.time_zone, each.received_at) for each in deliveries}
    late = [each for each in deliveries if overdue(each.source.institute, came[each])]
    begins = _school_began([each.source.institute for each in late], now) if late else {}
    found = []
    for each in late:
        institute = each.source.institute
        if institute.pk not in begins:
            continue
        # Over a summer nobody delivers: the days count from the first day of school.
        days = overdue(institute, max(came[each], begins[institute.pk] or dt.date.min))
        if days:
            content = {"source": each.source.kind, "days": days, "received_on": came[each].isoformat()}
            found.append(Cause(institute.pk, Notice.Kind.REGISTER_LATE, str(each.source_id), content))
    return found


def _school_began(institutes: Collection[Any], now: dt.datetime) -> dict[int, dt.date | None]:
    """By institute, the day on which the academic period that is under way began (None: not said); others are left out."""
    today = {institute.pk: _today(institute.time_zone, now) for institute in institutes}
    periods: QuerySet[AcademicPeriod] = AcademicPeriod.objects.filter(
        Q(source__institute__in=today), since__lte=F("source__published"), until__gt=F("source__published")
    )
    found: dict[int, dt.date | None] = {}
    for institute, begin, end in periods.values_list("source__institute", "begin", "end"):
        if (begin is None or begin <= today[institute]) and (end is None or today[institute] < end):
            earlier = found.get(institute, begin)
            found[institute] = None if earlier is None or begin is None else min(earlier, begin)
    return found
