"""Planning, approving, applying and proving: what a person, the command line or a schedule may do with runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from django.db import transaction

from rollbook.acts.actor import Actor
from rollbook.acts.connections import Opened, connection_of, opened
from rollbook.acts.failing import watched
from rollbook.acts.profiles import profile_in_force
from rollbook.acts.show import Show
from rollbook.acts.tenants import planned_with
from rollbook.apply import pace
from rollbook.apply.approval import FIRST_RUN, Approval, approve, cleared, due, needs_person, waivable
from rollbook.apply.executor import apply_changes, unchecked
from rollbook.apply.preconditions import close_drifted
from rollbook.apply.proof import Proof
from rollbook.apply.recover import recover
from rollbook.clock import Clock
from rollbook.errors import InputRefused, Stop
from rollbook.plan.changes import ChangeVerdict, Plan
from rollbook.plan.guards import REGISTER
from rollbook.profiles import parse
from rollbook.store import approvals, freezes, leases, mirror, proofs, protection, quarantine, runs, scopes, seen, trail
from rollbook.store.budget import Urgency
from rollbook.store.effects import remember_effects
from rollbook.store.journal import StoreJournal, unasked
from rollbook.store.memory import InstituteRegister, TenantMemory
from rollbook.store.models import PARTS, Connection, Institute, ProfileVersion, Run
from rollbook.sync import TEAM, Scope, TenantReader, View, absences, draft, prove_again, prove_view

USER_WRITERS = frozenset({"User.ReadWrite.All", "Directory.ReadWrite.All"})
"""Whoever holds one of these may change any account that is not protected."""


def nobody_told(run: Run) -> None:
    """Nobody is told that the run begins to be applied."""


@dataclass(slots=True)
class Session:
    """One synchronization of one institute with its tenant, from the first look to the proof."""

    institute: Institute
    connection: Connection
    tenant: Opened
    scope: Scope
    memory: TenantMemory
    lease: leases.Lease
    actor: Actor
    clock: Clock
    show: Show
    reading: mirror.Reading | None = None  # the one the newest plan was made of, if it held the whole tenant
    looked: dict[str, Any] = field(default_factory=dict)  # how far the newest plan saw (Run.looked)
    kind: Run.Scope = Run.Scope.EVERYTHING
    may_go_on: Callable[[], None] = unasked  # asked before every batch; raises Interrupted
    entering: Callable[[Run], None] = nobody_told  # told when a run begins to be applied
    aside: bool = False  # whether it goes between two batches of a larger run, which is left as it is

    def plan(self, reader: TenantReader | None = None) -> tuple[Plan, View]:
        """The plan, and what it was made from; stores nothing but reserved links, what it saw of linked accounts and of leavers.

        The tenant is read anew, or as `reader` has it.

        A plan as of a day to come tells what would be: nobody has left because of it.
        """
        began = self.clock.now()
        self.looked = self.looked or scopes.horizon(self.institute, self.connection.tenant)
        register = InstituteRegister(self.institute)
        plan, view = draft(self.scope, register, self.memory, reader or self.tenant.reader, self.show.tell)
        self.reading = mirror.Reading(view.actual.users.filter(~pl.col("deleted")), began)
        mirror.end_claims(self.connection.tenant, self.reading)
        mirror.see(self.connection.tenant, self.reading)
        self.note_leaving(view)
        return plan, view

    def note_leaving(self, view: View) -> None:
        """Remember who has left; a look at a day to come says nothing of it."""
        if self.scope.as_of <= self.clock.now().astimezone(ZoneInfo(self.institute.time_zone)).date():
            self.memory.note_leaving(*absences(view, self.scope))

    def save(self, plan: Plan, purpose: Run.Purpose = Run.Purpose.SYNCHRONIZATION) -> Run:
        """The plan as a stored run."""
        version = ProfileVersion.objects.get(pk=self.scope.profile_version)
        tenant, actor, now = self.connection.tenant, self.actor.name, self.clock.now()
        run = runs.save_plan(plan, tenant, self.institute, version, actor, now, purpose, self.kind, self.looked)
        if purpose == Run.Purpose.SYNCHRONIZATION and plan.held.height and not plan.first_run:
            approvals.settle(run, cleared(plan, approvals.of_run(run)))
        if run.scope not in PARTS:  # what a part finds, or somebody agrees to of it, says nothing of the whole register
            doubted = REGISTER in {objection.code for objection in plan.objections}
            seen.note_register(run, plan.register, believed=not doubted)
        self._trail("run.planned", run, {"fingerprint": run.fingerprint, **plan.counts})
        return run

    def approve(self, run: Run, plan: Plan, fingerprint: str | None) -> None:
        """Let go what may: what no guard holds, what somebody agreed to before, and everything if `fingerprint` is this plan's.

        Raises ApprovalDue if nothing may go, or somebody agreed to another content. The rest waits, and is left out by `apply`.
        """
        given = approvals.of_run(run)
        if fingerprint:
            agreed = approve(plan, Approval(fingerprint, self.actor.name, role=self.actor.role))
            agreed = replace(agreed, waived=waivable(plan))
            if not given or agreed.waived - frozenset().union(*(each.waived for each in given)):
                approvals.save(run, agreed, self.clock.now())
                given.append(agreed)
                self._trail("run.approved", run, {"fingerprint": run.fingerprint, "waived": needs_person(plan)})
        may = cleared(plan, given)
        if (FIRST_RUN in needs_person(plan) and not given) or (may.going.is_empty() and may.waiting.height):
            raise due(plan, may.waiting, run.number)
        approvals.settle(run, may)
        if run.scope not in PARTS and any(REGISTER in each.waived for each in given):
            seen.note_register(run, seen.register_rows(self.institute), believed=True)

    def apply(self, run: Run, *, planned_now: bool = True) -> None:
        """Carry out the run's open changes. Raises Stop, with the run left to be taken up again, if nothing can succeed.

        Unless the plan was made just now, each change is first compared with the tenant as it is by then: what somebody changed
        meanwhile is not overwritten. Raises Frozen, before anything is begun, if the connection is frozen.
        """
        freezes.require_thawed(self.connection)
        run.state = Run.State.APPLYING
        run.started_at = run.started_at or self.clock.now()
        run.stopped = None
        run.save(update_fields=["state", "started_at", "stopped"])
        if self.tenant.budget is not None:
            self.tenant.budget.urgency = urgency_of(run)
        self.show.note(pace.sentence(self.bound(runs.load_changes(run)), self.clock.now(), self.institute.time_zone))
        self.entering(run)
        journal = StoreJournal(run, self.lease, self.clock, may_go_on=self.may_go_on)
        reader, marked = self.tenant.reader, self.connection.mark_property
        if not planned_now:
            journal.close_made()
        before = unchecked if planned_now else partial(close_drifted, journal, reader, journal.attempted())
        try:
            apply_changes(journal, self.tenant.writer, reader, self.clock, marked, self.show.progress, before)
        except Stop as stop:
            run.stopped = quarantine.notice_of(stop)
            run.save(update_fields=["stopped"])
            self._trail("run.stopped", run, {"code": stop.code, "request_id": stop.request_id})
            raise
        finally:
            self._remember(run)
        self._protect(run)
        with transaction.atomic():
            if run.purpose != Run.Purpose.SYNCHRONIZATION:  # of these no proof says how many are where
                seen.follow(run)
            run.state = Run.State.APPLIED
            run.save(update_fields=["state"])
        scopes.applied(run, self.scope.profile)

    def give_up(self, run: Run) -> None:
        """End a run that was begun: what Microsoft did of it is learnt, what is left is not done, and the next look finds it again."""
        journal = StoreJournal(run, self.lease, self.clock)
        recover(journal, self.tenant.reader)
        self._remember(run)
        left = journal.open_changes()["seq"].to_list()
        journal.close(left, ChangeVerdict.LATER)
        run.state, run.finished_at = Run.State.APPLIED, self.clock.now()
        run.save(update_fields=["state", "finished_at"])
        scopes.applied(run, self.scope.profile)
        self._trail("run.given_up", run, {"left": len(left)})

    def bound(self, changes: pl.DataFrame) -> pace.Bound:
        """How soon the open changes can be done at most; no matter where the tenant has no quotas."""
        budget = self.tenant.budget
        return pace.NONE if budget is None else pace.bound_of(changes, budget.level)

    def _protect(self, run: Run) -> None:
        """Whoever Microsoft would not let us change, although we may change accounts, is left alone from now on."""
        if self.tenant.reader.granted().isdisjoint(USER_WRITERS):
            return
        refused = protection.remember_refused(run, self.clock.now())
        if refused:
            self._trail("accounts.protected", run, {"count": len(refused), "object_ids": refused})

    def _remember(self, run: Run) -> None:
        """Remember what the run did to accounts, as far as it came."""
        self.believe(run)
        mirror.follow(run, self.clock.now())
        remember_effects(run, self.scope.profile.users.names.keep_days)

    def believe(self, run: Run) -> None:
        """Remember the accounts of the newest reading.

        What it no longer holds is forgotten only now, and not while somebody has to look whether the run's reading left it out.
        """
        if self.reading is not None and not approvals.doubts_reading(run):
            mirror.forget_absent(self.connection.tenant, self.reading)
            mirror.see(self.connection.tenant, self.reading)

    def prove(self, run: Run, plan: Plan, view: View) -> Proof:
        """The proof, remembered with the run: from the reading the plan was made of if nothing had to be done, else a new one."""
        self.show.tell("proof")
        carried_out = replace(plan, changes=runs.load_changes(run))
        if nothing_done(plan):
            proof = prove_view(carried_out, view, self.scope)
        else:
            proof = prove_again(carried_out, view, self.scope, self.memory, self.tenant.reader, self.clock.sleep)
        return self.proven(run, proof)

    def proven(self, run: Run, proof: Proof) -> Proof:
        """The proof, remembered with the run, which is finished unless something of it waits for approval."""
        proven = Run.State.PROVEN if proof.holds else Run.State.NOT_PROVEN
        run.state = Run.State.APPROVAL_DUE if approvals.unapproved(run) else proven
        run.proof = proof.as_json()
        run.finished_at = self.clock.now()
        with transaction.atomic():
            proofs.save_proof(run, proof)
            if not approvals.doubts_reading(run):
                there = proof.groups.filter("there")
                if run.scope in PARTS:  # of other groups only relations of the people it is about were read
                    there = there.filter(pl.col("purpose") == TEAM)
                seen.see_groups(run.tenant, there.select(link="team", relations="actual"))
            if run.scope not in PARTS:
                run.looked |= seen.managed(run.tenant, self.institute)
            run.save(update_fields=["state", "proof", "finished_at", "looked"])
        self._trail("run.proven", run, proof.as_json())
        return proof

    def _trail(self, action: str, run: Run, content: dict[str, Any]) -> None:
        trail.append(
            actor_kind=self.actor.kind,
            actor=self.actor.name,
            place=self.actor.place,
            action=action,
            at=self.clock.now(),
            content={"run": run.number, **content},
            institute=self.institute,
        )


def urgency_of(run: Run) -> Urgency:
    """How much a run leaves of shared quotas for others: nothing where somebody waits for chosen people."""
    if run.scope == Run.Scope.PEOPLE:
        return Urgency.PERSON
    return Urgency.FIRST if run.first_run else Urgency.DELTA


def nothing_done(plan: Plan) -> bool:
    """Whether a plan had nothing to carry out."""
    return plan.counts["changes"] == plan.counts["newly_waiting"]


@contextmanager
def session(
    institute: Institute,
    as_of: dt.date,
    actor: Actor,
    clock: Clock,
    show: Show | None = None,
    purpose: Connection.Purpose = Connection.Purpose.MAIN,
    holder: str | None = None,
) -> Iterator[Session]:
    """A Session that holds the tenant while the block runs, for `holder` or this process. Raises TenantBusy if another one does."""
    connection = connection_of(institute, purpose)
    version = profile_in_force(institute, as_of)
    settings = planned_with(institute, parse(version.document), purpose)
    scope = Scope(connection.tenant.tid, settings, version.pk, as_of)
    memory = TenantMemory(connection.tenant, institute, version.profile, clock.now())
    lease = leases.acquire(connection.tenant, clock.now(), holder)
    try:
        with watched(connection, actor, clock), opened(connection, clock) as tenant:
            yield Session(institute, connection, tenant, scope, memory, lease, actor, clock, show or Show())
    finally:
        leases.release(lease)


@dataclass(frozen=True, slots=True)
class Synchronized:
    """A finished synchronization."""

    run: Run
    plan: Plan
    proof: Proof


def synchronize(session: Session, fingerprint: str | None) -> Synchronized:
    """Plan, apply and prove. A run that was cut off is finished first. Raises ApprovalDue where a person has to agree to everything.

    Where a guard holds only a part, the rest is applied and proven, and the run goes on waiting for approval.
    """
    freezes.require_thawed(session.connection)
    finish_unfinished(session)
    plan, view = session.plan()
    run = session.save(plan)
    session.approve(run, plan, fingerprint)
    session.apply(run)
    return Synchronized(run, plan, session.prove(run, plan, view))


def finish_unfinished(session: Session) -> Run | None:
    """Take up the run that was killed or stopped, if there is one: it was approved, so it is finished as it was planned."""
    run = None if session.aside else runs.unfinished(session.connection.tenant, session.institute)
    if run is not None:
        session.show.tell(f"run {run.number} goes on")
        session.apply(run, planned_now=False)
    return run


def apply_run(session: Session, run: Run, fingerprint: str | None) -> Synchronized:
    """Apply exactly the stored plan of `run`, and prove the result: all of it if somebody approves it by its fingerprint.

    Without one, what was approved before and what no guard holds.
    """
    plan = applied_as_stored(session, run, fingerprint)
    # Desired and actual are read anew: what is proven is the tenant as it is now.
    _, view = session.plan()
    session.believe(run)
    return Synchronized(run, plan, session.prove(run, plan, view))


def applied_as_stored(session: Session, run: Run, fingerprint: str | None) -> Plan:
    """The stored plan of `run`, applied as `apply_run` says. InputRefused if there is nothing left to apply, Frozen if nothing may be."""
    freezes.require_thawed(session.connection)
    require_open(run)
    plan = runs.load_plan(run)
    session.approve(run, plan, fingerprint)
    session.apply(run, planned_now=False)
    return plan


def require_open(run: Run) -> None:
    """Raises InputRefused if there is nothing left to apply of a run."""
    if run.state in (Run.State.PLANNED, Run.State.APPROVAL_DUE, Run.State.APPLYING):
        return
    newer = run.looked.get("superseded_by")
    raise InputRefused(
        f"Run {run.number} is {run.get_state_display().lower()}; there is nothing left to apply."
        if newer is None
        else f"Run {run.number} is superseded by run {newer}, whose plan counts instead; there is nothing left to apply.",
        remedy="Make a new plan with `rollbook plan`."
        if newer is None
        else f"`rollbook show {newer}` tells of that one.",
    )
