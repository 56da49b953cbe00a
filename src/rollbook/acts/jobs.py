"""Asking for a synchronization, and what a person may do with one that was asked for. Nothing is carried out here: a worker does that.

The one place that moves jobs from state to state; each move is an entry of the trail.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from rollbook.acts.actor import Actor, require
from rollbook.acts.connections import connection_of
from rollbook.apply.approval import Role
from rollbook.clock import Clock
from rollbook.errors import InputRefused, RollbookError
from rollbook.store import jobs, leases, trail
from rollbook.store.models import Institute, Job, Run, Worker

State = Job.State

SCHEDULE = Actor("schedule", "schedule", "worker", Role.OPERATOR)
"""Who asks by itself: it may do what needs nobody's approval."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: everything, a part, or what may go of a stored plan; `slot` names which time of a schedule it is."""

    kind: Job.Kind
    cause: Job.Cause = Job.Cause.HAND
    people: tuple[int, ...] = ()
    run: Run | None = None
    slot: str | None = None


def ask(institute: Institute, wanted: Wanted, actor: Actor, clock: Clock) -> Job:
    """The job that does what is asked for: a new one, or one that waits already and does it too."""
    now = clock.now()
    with transaction.atomic():
        found = jobs.queued_alike(institute, wanted.kind, wanted.people, wanted.run)
        if found is not None:
            return found
        job = Job.objects.create(
            tenant=connection_of(institute).tenant,
            institute=institute,
            kind=wanted.kind,
            people=list(wanted.people),
            run=wanted.run,
            cause=wanted.cause,
            slot=wanted.slot,
            actor_kind=actor.kind,
            actor=actor.name,
            role=int(actor.role),
            asked_at=now,
            since=now,
        )
        note(job, clock, actor)
    return job


def ask_once(institute: Institute, wanted: Wanted, actor: Actor, clock: Clock) -> Job | None:
    """As `ask`, for one time of a schedule: None if that was asked for before, by whichever worker."""
    if Job.objects.filter(institute=institute, slot=wanted.slot).exists():
        return None
    try:
        with transaction.atomic():
            return ask(institute, wanted, actor, clock)
    except IntegrityError:
        # Another worker came first; the constraint decides which one.
        return None


def move(job: Job, state: State, clock: Clock, actor: Actor | None = None, **values: Any) -> bool:
    """Whether the job came into the state; the trail says so."""
    with transaction.atomic():
        if not jobs.moved(job, state, clock.now(), **values):
            return False
        note(job, clock, actor or author_of(job))
    return True


def author_of(job: Job) -> Actor:
    """Whoever asked for the job."""
    return Actor(job.actor_kind, job.actor, "worker", Role(job.role))


def note(job: Job, clock: Clock, actor: Actor) -> None:
    """The state the job is in now, as an entry of the trail."""
    content: dict[str, Any] = {
        "job": str(job.public_id),
        "kind": job.kind,
        "cause": job.cause,
        "run": job.run.number if job.run else None,
    }
    if job.notice:
        content["code"] = job.notice.get("code", "")
    trail.append(
        actor_kind=actor.kind,
        actor=actor.name,
        place=actor.place,
        action=f"job.{job.state}",
        at=clock.now(),
        content=content,
        institute=job.institute,
    )


def notice_of(error: RollbookError) -> dict[str, str]:
    """What is told of an error: what happened, what to do, and Microsoft's code and request id where it is Microsoft's."""
    return {
        "message": error.message,
        "remedy": error.remedy,
        "code": getattr(error, "code", "") or type(error).__name__,
        "request_id": getattr(error, "request_id", ""),
    }


def find(institute: Institute, name: str) -> Job:
    """The job of this number in the queue's list, or public id; InputRefused if there is none."""
    jobs_here = Job.objects.filter(institute=institute)
    if name.isdecimal():
        found = jobs_here.filter(pk=int(name)).first()
    else:
        try:
            found = jobs_here.filter(public_id=uuid.UUID(name)).first()
        except ValueError:
            found = None
    if found is None:
        raise InputRefused(f"There is no job {name}.", remedy="`rollbook queue --all` lists them.")
    return found


def cancel(job: Job, actor: Actor, clock: Clock) -> Job:
    """The job will not be done: one that waits is taken out of the queue; one that is under way stops at its next batch."""
    require(actor, Role.OPERATOR, "stop a synchronization")
    if job.state in jobs.UNDER_WAY or (job.state == State.QUEUED and job.given_at is not None):
        return _wish(job, Job.Wish.STOP, actor, clock)
    started = job.run is not None and job.run.state == Run.State.APPLYING
    if job.state == State.PAUSED and started:
        # What was begun is wound up by a worker: it knows what Microsoft did of it.
        Job.objects.filter(pk=job.pk).update(wish=Job.Wish.STOP)
        move(job, State.QUEUED, clock, actor, given_at=None)
        return job
    if not move(job, State.CANCELLED, clock, actor):
        raise _ended(job)
    return job


def pause(job: Job, actor: Actor, clock: Clock) -> Job:
    """The job pauses at its next batch, and nothing larger than chosen people begins in its tenant until it is resumed."""
    require(actor, Role.OPERATOR, "pause a synchronization")
    if job.state not in jobs.UNDER_WAY:
        raise InputRefused(
            f"Job {job.pk} is {job.get_state_display().lower()}; only what is under way can be paused.",
            remedy="`rollbook queue` lists what is under way.",
        )
    return _wish(job, Job.Wish.PAUSE, actor, clock)


def resume(job: Job, actor: Actor, clock: Clock) -> Job:
    """The job is in the queue again, and goes on where it was."""
    require(actor, Role.OPERATOR, "resume a synchronization")
    if job.state in jobs.UNDER_WAY and job.wish == Job.Wish.PAUSE:
        return _wish(job, Job.Wish.NONE, actor, clock)
    resumable = (State.PAUSED, State.WAITING, State.QUARANTINED, State.APPROVAL_DUE)
    if job.state not in resumable or not move(
        job, State.QUEUED, clock, actor, wish=Job.Wish.NONE, given_at=None, wake_at=None, notice=None
    ):
        raise _ended(job)
    return job


def ask_to_apply(run: Run, actor: Actor, clock: Clock) -> Job:
    """The job that carries out what may go of a run's plan: the one that waits for its approval, or a new one."""
    waiting = Job.objects.filter(run=run, state__in=(State.APPROVAL_DUE, State.PAUSED)).order_by("-pk").first()
    if waiting is not None:
        return resume(waiting, actor, clock)
    return ask(run.institute, Wanted(Job.Kind.APPLY, run=run), actor, clock)


def workers(clock: Clock) -> list[Worker]:
    """The workers that are alive."""
    return jobs.alive(clock.now(), leases.PATIENCE)


def _wish(job: Job, wish: Job.Wish, actor: Actor, clock: Clock) -> Job:
    with transaction.atomic():
        Job.objects.filter(pk=job.pk).update(wish=wish)
        trail.append(
            actor_kind=actor.kind,
            actor=actor.name,
            place=actor.place,
            action=f"job.wish_{wish or 'none'}",
            at=clock.now(),
            content={"job": str(job.public_id)},
            institute=job.institute,
        )
    job.refresh_from_db()
    return job


def _ended(job: Job) -> InputRefused:
    job.refresh_from_db()
    return InputRefused(
        f"Job {job.pk} is {job.get_state_display().lower()}; nothing can be changed about it any more.",
        remedy="Ask for a new one: `rollbook sync`.",
    )
