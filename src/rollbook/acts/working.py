"""What a worker does with the turn of a job: the synchronization itself, and where the job is afterwards.

It may be killed at any moment and the turn taken up again, here or elsewhere: what was planned is stored, and what was sent stands in
the journal of its run. Waiting ends the turn and leaves the moment of the next one with the job, so that it holds nothing.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections

from rollbook.acts.failing import refuse_while_resting
from rollbook.acts.jobs import author_of, move, notice_of
from rollbook.acts.runs import Session, Synchronized, session
from rollbook.acts.scopes import (
    apply_planned,
    synchronize_changed,
    synchronize_chosen,
    synchronize_everything,
)
from rollbook.acts.show import Show
from rollbook.clock import Clock
from rollbook.errors import (
    ApprovalDue,
    Frozen,
    Interrupted,
    Later,
    LeaseLost,
    Resting,
    RollbookError,
    Stop,
    StoreUnusable,
    TenantBusy,
)
from rollbook.plan.changes import ChangeVerdict
from rollbook.store import jobs, leases, runs
from rollbook.store.models import Connection, Job, Run
from rollbook.store.setup import explained

log = structlog.get_logger()
State = Job.State

BEGUN = (Run.State.PLANNED, Run.State.APPROVAL_DUE, Run.State.APPLYING)
"""States of a run of which something may still be carried out."""

PAUSES = tuple(dt.timedelta(minutes=minutes) for minutes in (5, 15, 30, 60, 120))
"""How long a job waits for Microsoft after so many tries in a row; the last one holds for all that follow."""

BUSY = dt.timedelta(seconds=5)
"""When a job looks again whether its tenant is free, which somebody at a terminal holds."""

AWAY = 1.0
"""Seconds between two looks whether the database is there again."""

TOLD_EVERY = 0.5
"""Seconds between two moments at which it is remembered how far a job is."""

DEFECT = "A defect of Rollbook ended it; what was begun is taken up by the next one."

KINDS: Mapping[str, Callable[[Session, Job], Synchronized]] = {
    Job.Kind.EVERYTHING: lambda opened, job: synchronize_everything(opened, None),
    Job.Kind.FULL: lambda opened, job: synchronize_everything(opened, None, anew=True),
    Job.Kind.CHANGED: lambda opened, job: synchronize_changed(opened, None),
    Job.Kind.PEOPLE: lambda opened, job: synchronize_chosen(opened, job.people, None),
}


@dataclass(slots=True)
class Desk:
    """Where turns are taken: by which clock, and under which name the tenant is held."""

    clock: Clock
    name: str
    closing: bool = False
    turns: int = 0  # under way now
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def close(self) -> None:
        """No turn goes beyond its next batch."""
        self.closing = True

    def take_turn(self, number: int, turn: int) -> None:
        """Take the turn of a job; does nothing if it has been taken, or is somebody else's by now.

        A database that is away is waited for: what was sent until then stands in the journal, and the turn begins anew.
        """
        with self._counting:
            self.turns += 1
        try:
            while not self._taken(number, turn):
                if self.closing:
                    return
                self.clock.sleep(AWAY)
        finally:
            with self._counting:
                self.turns -= 1
            close_old_connections()

    def _taken(self, number: int, turn: int) -> bool:
        """Whether the turn has come to its end; not so if the database is away."""
        close_old_connections()
        try:
            job = Job.objects.select_related("institute", "tenant", "run").filter(pk=number, turn=turn).first()
            if job is None or job.state not in (State.QUEUED, *jobs.UNDER_WAY):
                return True
            if (
                job.worker not in ("", self.name)
                and job.state != State.QUEUED
                and jobs.is_alive(job.worker, self.clock.now())
            ):
                return True
            if jobs.claimed(job, self.name):
                with structlog.contextvars.bound_contextvars(job=job.pk, tenant=job.tenant.tid):
                    self._take(job)
        except (StoreUnusable, DatabaseError, InterfaceError) as error:
            log.warning("job: the database is away; it is tried again", job=number, error=type(error).__name__)
            return False
        return True

    def _take(self, job: Job) -> None:
        log.info("job: begins", kind=job.kind, state=job.state)
        try:
            if job.state == State.QUEUED:
                goes_on = job.run is not None and job.run.state == Run.State.APPLYING
                move(job, State.APPLYING if goes_on else State.PLANNING, self.clock)
            if job.cause != Job.Cause.HAND:
                refuse_while_resting(job.institute, self.clock)
            with explained():
                done = self._synchronize(job)
        except LeaseLost:
            # Whoever took the tenant over has the job, too.
            log.warning("job: taken over by another worker")
            return
        except StoreUnusable:
            raise
        except RollbookError as error:
            self._ended_by(job, error)
        except (DatabaseError, InterfaceError):
            raise
        except Exception as defect:
            # Whatever it is, the tenant must not wait for ever for a turn that nobody takes.
            log.exception("job: a defect of Rollbook")
            told = {
                "message": DEFECT,
                "remedy": "Please report it with the worker's log.",
                "code": type(defect).__name__,
            }
            move(job, State.FAILED, self.clock, notice=told, given_at=None, wish=Job.Wish.NONE)
        else:
            if done is None:
                move(job, State.CANCELLED, self.clock, wish=Job.Wish.NONE, given_at=None)
            else:
                self._ended_well(job, done)
        job.refresh_from_db()
        log.info("job: ends", state=job.state, run=job.run.number if job.run else None)

    def _synchronize(self, job: Job) -> Synchronized | None:
        """What was done; None if the run was wound up because somebody wants it stopped."""
        today = self.clock.now().astimezone(ZoneInfo(job.institute.time_zone)).date()
        told = _Told(job, self.clock)
        show = Show(told.tell, told.progress, told.tell)
        holder = leases.worker_name(self.name)
        with session(job.institute, today, author_of(job), self.clock, show, holder=holder) as opened:
            opened.may_go_on = partial(self._may_go_on, job)
            opened.entering = partial(self._entering, job)
            opened.aside = job.kind == Job.Kind.PEOPLE
            if job.wish == Job.Wish.STOP:
                if job.run is not None and job.run.state == Run.State.APPLYING:
                    opened.give_up(job.run)
                return None
            if job.run is not None and job.run.state in BEGUN:
                return apply_planned(opened, job.run, None)
            return KINDS[job.kind](opened, job)

    def _entering(self, job: Job, run: Run) -> None:
        """The run begins to be applied."""
        if job.state == State.PLANNING:
            move(job, State.APPLYING, self.clock, run=run)
        else:
            Job.objects.filter(pk=job.pk, turn=job.turn, worker=job.worker).update(run=run)
            job.run = run

    def _may_go_on(self, job: Job) -> None:
        """Raises Interrupted where the worker ends, somebody wants the job to pause or stop, or chosen people wait for its tenant."""
        wish = Job.objects.values_list("wish", flat=True).get(pk=job.pk)
        if wish:
            raise Interrupted(f"Somebody asked to {wish} it.", wish)
        if self.closing:
            raise Interrupted("The worker ends.", "yield")
        if job.kind != Job.Kind.PEOPLE and jobs.wanted(job.tenant_id):
            raise Interrupted("Chosen people go first.", "yield")

    def _ended_well(self, job: Job, done: Synchronized) -> None:
        verdicts = runs.verdict_counts(done.run)
        ended: dict[str, Any] = {"run": done.run, "given_at": None, "wish": Job.Wish.NONE, "progress": {}}
        if verdicts.get(ChangeVerdict.LATER):
            at = self.clock.now() + PAUSES[min(job.tries, len(PAUSES) - 1)]
            move(job, State.WAITING, self.clock, wake_at=at, tries=job.tries + 1, **ended)
        elif done.run.state == Run.State.APPROVAL_DUE:
            move(job, State.APPROVAL_DUE, self.clock, **ended)
        else:
            move(job, State.FINISHED, self.clock, tries=0, **ended)

    def _ended_by(self, job: Job, error: RollbookError) -> None:
        """Where a job is that something kept from its end."""
        log.warning("job: kept from its end", error=type(error).__name__, code=getattr(error, "code", ""))
        # Not whose it is, nor which turn: if another worker has it by now, what is said here must count for nothing.
        job.refresh_from_db(fields=["state", "run", "wish", "tries"])
        rest = next(rest for kind, rest in ENDINGS if isinstance(error, kind))
        state, after = rest(job, error, self.clock.now())
        if state == State.STOPPING:
            # What was begun is wound up at once: nobody else may have to do it.
            move(job, State.STOPPING, self.clock)
            self._take(job)
            return
        newest = job.run or Run.objects.filter(institute=job.institute, tenant=job.tenant).order_by("-number").first()
        run = newest if state == State.APPROVAL_DUE else job.run
        tries = job.tries + 1 if state in jobs.RESTING else job.tries
        move(
            job,
            state,
            self.clock,
            run=run,
            notice=None if state in (State.QUEUED, State.APPROVAL_DUE) else notice_of(error),
            wake_at=after,
            given_at=None,
            tries=tries,
            wish=Job.Wish.NONE,
        )


Rest = tuple[State, dt.datetime | None]


def _interrupted(job: Job, error: RollbookError, now: dt.datetime) -> Rest:
    assert isinstance(error, Interrupted)
    return {"pause": State.PAUSED, "stop": State.STOPPING, "yield": State.QUEUED}[error.why], None


def _resting(job: Job, error: RollbookError, now: dt.datetime) -> Rest:
    """A connection that fails is tried again when its quarantine says so."""
    connection = Connection.objects.filter(institute=job.institute, tenant=job.tenant).first()
    at = connection.retry_at if connection is not None else None
    return State.QUARANTINED, at or now + PAUSES[0]


def _later(job: Job, error: RollbookError, now: dt.datetime) -> Rest:
    return State.WAITING, now + PAUSES[min(job.tries, len(PAUSES) - 1)]


ENDINGS: tuple[tuple[type[RollbookError], Callable[[Job, RollbookError, dt.datetime], Rest]], ...] = (
    (ApprovalDue, lambda job, error, now: (State.APPROVAL_DUE, None)),
    (Interrupted, _interrupted),
    (Frozen, lambda job, error, now: (State.PAUSED, None)),
    (Resting, _resting),
    (Stop, _resting),
    (Later, _later),
    (TenantBusy, lambda job, error, now: (State.WAITING, now + BUSY)),
    (RollbookError, lambda job, error, now: (State.FAILED, None)),
)
"""Where a job is after an error; the first kind that fits decides."""


@dataclass(slots=True)
class _Told:
    """Remembers with the job how far it is."""

    job: Job
    clock: Clock
    at: float = field(default=float("-inf"))

    def tell(self, stage: str) -> None:
        """A stage of unknown length begins, or something is worth knowing."""
        self._remember({"stage": stage}, now=True)

    def progress(self, stage: str, done: int, total: int) -> None:
        """So much of a stage is done."""
        self._remember({"stage": stage, "done": done, "total": total}, now=done == total)

    def _remember(self, progress: dict[str, str | int], *, now: bool) -> None:
        if not now and self.clock.monotonic() < self.at + TOLD_EVERY:
            return
        self.at = self.clock.monotonic()
        job = self.job
        Job.objects.filter(pk=job.pk, turn=job.turn, worker=job.worker).update(progress=progress)
