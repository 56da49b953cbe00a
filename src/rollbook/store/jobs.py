"""Jobs as rows: asked for, chosen one a tenant, moved from state to state; and the workers that are alive."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from rollbook.store import leases
from rollbook.store.models import Institute, Job, Run, Tenant, Worker

State = Job.State

WAITING = (State.QUEUED,)
UNDER_WAY = (State.PLANNING, State.APPLYING, State.STOPPING)
RESTING = (State.WAITING, State.QUARANTINED)
"""States that end by themselves at a moment."""

HELD = (State.PAUSED, State.APPROVAL_DUE)
"""States that only a person ends."""

ENDED = (State.FINISHED, State.FAILED, State.CANCELLED)

MOVES: Mapping[State, tuple[State, ...]] = {
    State.QUEUED: (State.PLANNING, State.APPLYING, State.CANCELLED, State.FAILED),
    State.PLANNING: (
        State.APPLYING,
        State.APPROVAL_DUE,
        State.FINISHED,
        State.FAILED,
        State.WAITING,
        State.QUARANTINED,
        State.STOPPING,
        State.PAUSED,
        State.CANCELLED,
        State.QUEUED,
    ),
    State.APPLYING: (
        State.FINISHED,
        State.APPROVAL_DUE,
        State.WAITING,
        State.PAUSED,
        State.STOPPING,
        State.FAILED,
        State.QUARANTINED,
        State.QUEUED,
    ),
    State.STOPPING: (
        State.CANCELLED,
        State.FAILED,
        State.FINISHED,
        State.QUARANTINED,
        State.APPROVAL_DUE,
        State.WAITING,
    ),
    State.APPROVAL_DUE: (State.QUEUED, State.CANCELLED, State.FINISHED),
    State.PAUSED: (State.QUEUED, State.STOPPING, State.CANCELLED),
    State.WAITING: (State.QUEUED, State.CANCELLED, State.FINISHED),
    State.QUARANTINED: (State.QUEUED, State.CANCELLED),
}
"""Which state may follow which; what is not here has ended."""

BROADER: Mapping[Job.Kind, tuple[Job.Kind, ...]] = {
    Job.Kind.CHANGED: (Job.Kind.CHANGED, Job.Kind.EVERYTHING, Job.Kind.FULL),
    Job.Kind.EVERYTHING: (Job.Kind.EVERYTHING, Job.Kind.FULL),
    Job.Kind.FULL: (Job.Kind.FULL,),
    Job.Kind.PEOPLE: (),
    Job.Kind.APPLY: (),
}
"""Which queued jobs do what is asked for, too."""

DISPATCHING = 7236002
"""The advisory lock under which jobs are given to the engine, on PostgreSQL."""


def queued_alike(institute: Institute, kind: Job.Kind, people: Sequence[int], run: Run | None) -> Job | None:
    """The queued job, of those not yet begun, that does what is asked for, or None."""
    queued = Job.objects.filter(institute=institute, state=State.QUEUED, run=run).order_by("pk")
    if kind in (Job.Kind.PEOPLE, Job.Kind.APPLY):
        return next((job for job in queued.filter(kind=kind) if job.people == list(people)), None)
    return queued.filter(kind__in=BROADER[kind]).first()


def one_at_a_time() -> None:
    """Of several workers that give jobs to the engine at once, one goes first; inside a transaction."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [DISPATCHING])


def give_next(now: dt.datetime) -> list[Job]:
    """The jobs whose turn it is from now on, one a tenant at most; each has to be given to the engine by its new `turn`.

    Chosen people go before what is larger: whoever asked for them waits.
    """
    with transaction.atomic():
        one_at_a_time()
        busy = Job.objects.filter(Q(state__in=UNDER_WAY) | Q(state=State.QUEUED, given_at__isnull=False))
        held = Job.objects.filter(state=State.PAUSED).values_list("tenant", flat=True)
        waiting = Job.objects.filter(state=State.QUEUED, given_at__isnull=True).exclude(
            tenant__in=busy.values_list("tenant", flat=True)
        )
        chosen: dict[int, Job] = {}
        paused = set(held)
        for job in waiting.order_by("asked_at", "pk").select_related("institute", "tenant"):
            small = job.kind == Job.Kind.PEOPLE
            if job.tenant_id in paused and not small:
                continue
            if job.tenant_id not in chosen or (small and chosen[job.tenant_id].kind != Job.Kind.PEOPLE):
                chosen[job.tenant_id] = job
        for job in chosen.values():
            job.turn, job.given_at = job.turn + 1, now
            job.save(update_fields=["turn", "given_at"])
    return list(chosen.values())


def given(before: dt.datetime) -> QuerySet[Job]:
    """Jobs that were given to the engine before a moment and that nobody has begun, or that a worker has not ended."""
    return Job.objects.filter(given_at__lt=before, state__in=(State.QUEUED, *UNDER_WAY))


def claimed(job: Job, worker: str) -> bool:
    """Whether the turn of the job is this worker's from now on; whoever had it before has nothing to say about it any more."""
    if not Job.objects.filter(pk=job.pk, turn=job.turn).update(worker=worker):
        return False
    job.worker = worker
    return True


def regain(now: dt.datetime, patience: dt.timedelta) -> list[Job]:
    """The jobs whose workers are no more, each with a new turn; it has to be given to the engine."""
    there = Worker.objects.filter(seen_at__gte=now - patience).values("name")
    with transaction.atomic():
        one_at_a_time()
        lost = list(Job.objects.filter(state__in=UNDER_WAY, given_at__lt=now - patience).exclude(worker__in=there))
        for job in lost:
            job.turn, job.given_at = job.turn + 1, now
            job.save(update_fields=["turn", "given_at"])
    return lost


def due(now: dt.datetime) -> QuerySet[Job]:
    """Jobs that rest and whose moment has come."""
    return Job.objects.filter(state__in=RESTING, wake_at__lte=now)


def wanted(tenant: Tenant | int) -> bool:
    """Whether chosen people wait for a tenant that is busy with something larger."""
    return Job.objects.filter(tenant=tenant, state=State.QUEUED, kind=Job.Kind.PEOPLE, given_at__isnull=True).exists()


def moved(job: Job, state: State, now: dt.datetime, **values: Any) -> bool:
    """Whether the job came into the state, from one that may precede it; of two who move it at once one does."""
    allowed = [before for before, after in MOVES.items() if state in after]
    rows = Job.objects.filter(pk=job.pk, state__in=allowed, turn=job.turn, worker=job.worker)
    if not rows.update(state=state, since=now, row_version=F("row_version") + 1, **values):
        return False
    job.refresh_from_db()
    return True


def seen(name: str, slots: int, now: dt.datetime) -> None:
    """The worker of this name is alive."""
    Worker.objects.update_or_create(
        name=name,
        defaults={"seen_at": now, "slots": slots},
        create_defaults={"seen_at": now, "slots": slots, "began_at": now},
    )


def gone(name: str) -> None:
    """The worker of this name has ended: whoever looks next takes over what it left."""
    Worker.objects.filter(name=name).update(seen_at=dt.datetime.fromtimestamp(0, dt.UTC))


def dead(now: dt.datetime, patience: dt.timedelta) -> list[str]:
    """Workers that were not seen for so long."""
    return list(Worker.objects.filter(seen_at__lt=now - patience).values_list("name", flat=True))


def as_application(worker: str) -> str:
    """How a worker's sessions are called at PostgreSQL, which cuts longer names off."""
    return f"rollbook {worker}"[:63]


def disconnect(workers: Sequence[str]) -> int:
    """End the sessions of dead workers at PostgreSQL; how many there were.

    One that is frozen in the midst of a transaction keeps its locks for as long as its session lives.
    """
    if connection.vendor != "postgresql" or not workers:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = ANY(%s)",
            [[as_application(worker) for worker in workers]],
        )
        return len(cursor.fetchall())


def is_alive(name: str, now: dt.datetime) -> bool:
    """Whether the worker of this name was seen a moment ago."""
    return Worker.objects.filter(name=name, seen_at__gte=now - leases.PATIENCE).exists()


def alive(now: dt.datetime, patience: dt.timedelta) -> list[Worker]:
    """Workers that were seen within so long, in the order of their beginning."""
    return list(Worker.objects.filter(seen_at__gte=now - patience).order_by("began_at"))


def listed(institute: Institute | None = None, *, ended: bool = False, limit: int = 50) -> list[Job]:
    """Jobs in the order they are served, those under way first; the ended ones, newest first, only if asked for."""
    jobs = Job.objects.select_related("institute", "tenant", "run")
    if institute is not None:
        jobs = jobs.filter(institute=institute)
    open_ones = list(jobs.exclude(state__in=ENDED).order_by("asked_at", "pk"))
    open_ones.sort(key=lambda job: (job.state not in UNDER_WAY, job.kind != Job.Kind.PEOPLE))
    if not ended:
        return open_ones[:limit]
    return [*open_ones, *jobs.filter(state__in=ENDED).order_by("-since", "-pk")][:limit]
