"""Planning, approving, applying and proving: what a person, the command line or a schedule may do with runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from django.db import transaction

from rollbook.acts.actor import Actor
from rollbook.acts.connections import Opened, connection_of, opened
from rollbook.acts.profiles import profile_in_force
from rollbook.acts.show import Show
from rollbook.acts.tenants import planned_with
from rollbook.apply import approval as approvals
from rollbook.apply.executor import apply_changes
from rollbook.apply.proof import Proof
from rollbook.clock import Clock
from rollbook.errors import InputRefused, Stop
from rollbook.plan.changes import Plan
from rollbook.profiles import parse
from rollbook.store import leases, mirror, proofs, protection, runs, scopes, trail
from rollbook.store.effects import remember_effects
from rollbook.store.journal import StoreJournal
from rollbook.store.memory import InstituteRegister, TenantMemory
from rollbook.store.models import Approval, Connection, Institute, ProfileVersion, Run
from rollbook.sync import Scope, TenantReader, View, absences, draft, prove_again, prove_view

USER_WRITERS = frozenset({"User.ReadWrite.All", "Directory.ReadWrite.All"})
"""Whoever holds one of these may change any account that is not protected."""


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

    def plan(self, reader: TenantReader | None = None) -> tuple[Plan, View]:
        """The plan, and what it was made from; stores nothing but reserved links, what it saw of linked accounts and of leavers.

        The tenant is read anew, or as `reader` has it.

        A plan as of a day to come tells what would be: nobody has left because of it.
        """
        began = self.clock.now()
        self.looked = self.looked or scopes.horizon(self.institute, self.connection.tenant)
        register = InstituteRegister(self.institute)
        plan, view = draft(self.scope, register, self.memory, reader or self.tenant.reader, self.show.tell)
        self.looked |= {"users": view.matched.users.height, "memberships": view.actual.memberships.height}
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
        self._trail("run.planned", run, {"fingerprint": run.fingerprint, **plan.counts})
        return run

    def approve(self, run: Run, plan: Plan, fingerprint: str | None) -> None:
        """Remember the approval under which the run is applied. Raises ApprovalDue if one is needed and none was given."""
        stored = run.approvals.filter(fingerprint=run.fingerprint).first()
        given = approvals.Approval(fingerprint, self.actor.name) if fingerprint else None
        if given is None and stored is not None:
            given = approvals.Approval(stored.fingerprint, stored.actor)
        agreed = approvals.approve(plan, given)
        if stored is None and not agreed.unattended:
            waived = [objection["code"] for objection in run.objections]
            Approval.objects.create(
                run=run, fingerprint=agreed.fingerprint, actor=agreed.actor, at=self.clock.now(), waived=waived
            )
            self._trail("run.approved", run, {"fingerprint": agreed.fingerprint, "waived": waived})

    def apply(self, run: Run) -> None:
        """Carry out the run's open changes. Raises Stop, with the run left to be taken up again, if nothing can succeed."""
        run.state = Run.State.APPLYING
        run.started_at = run.started_at or self.clock.now()
        run.stopped = None
        run.save(update_fields=["state", "started_at", "stopped"])
        journal = StoreJournal(run, self.lease, self.clock)
        reader, marked = self.tenant.reader, self.connection.mark_property
        try:
            apply_changes(journal, self.tenant.writer, reader, self.clock, marked, self.show.progress)
        except Stop as stop:
            run.stopped = {"message": stop.message, "remedy": stop.remedy, "code": stop.code}
            run.save(update_fields=["stopped"])
            self._trail("run.stopped", run, {"code": stop.code})
            raise
        finally:
            self._remember(run)
        self._protect(run)
        run.state = Run.State.APPLIED
        run.save(update_fields=["state"])
        scopes.applied(run, self.scope.profile)

    def _protect(self, run: Run) -> None:
        """Whoever Microsoft would not let us change, although we may change accounts, is left alone from now on."""
        if self.tenant.reader.granted().isdisjoint(USER_WRITERS):
            return
        refused = protection.remember_refused(run, self.clock.now())
        if refused:
            self._trail("accounts.protected", run, {"count": len(refused), "object_ids": refused})

    def _remember(self, run: Run) -> None:
        """Remember what the run did to accounts, as far as it came.

        What the reading no longer held is forgotten only now: a reading that left something out is not approved.
        """
        if self.reading is not None:
            mirror.forget_absent(self.connection.tenant, self.reading)
            mirror.see(self.connection.tenant, self.reading)
        mirror.follow(run, self.clock.now())
        remember_effects(run, self.scope.profile.users.names.keep_days)

    def prove(self, run: Run, plan: Plan, view: View) -> Proof:
        """The proof, remembered with the run: from the reading the plan was made of if nothing had to be done, else a new one."""
        self.show.tell("proof")
        if nothing_done(plan):
            proof = prove_view(plan, view, self.scope)
        else:
            carried_out = replace(plan, changes=runs.load_changes(run))
            proof = prove_again(carried_out, view, self.scope, self.memory, self.tenant.reader, self.clock.sleep)
        return self.proven(run, proof)

    def proven(self, run: Run, proof: Proof) -> Proof:
        """The proof, remembered with the run, which is finished."""
        run.state = Run.State.PROVEN if proof.holds else Run.State.NOT_PROVEN
        run.proof = proof.as_json()
        run.finished_at = self.clock.now()
        with transaction.atomic():
            run.save(update_fields=["state", "proof", "finished_at"])
            proofs.save_proof(run, proof)
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
) -> Iterator[Session]:
    """A Session that holds the tenant while the block runs. Raises TenantBusy if another process does."""
    connection = connection_of(institute, purpose)
    version = profile_in_force(institute, as_of)
    settings = planned_with(institute, parse(version.document), purpose)
    scope = Scope(connection.tenant.tid, settings, version.pk, as_of)
    memory = TenantMemory(connection.tenant, institute, version.profile)
    lease = leases.acquire(connection.tenant, clock.now())
    try:
        with opened(connection, clock) as tenant:
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
    """Plan, apply and prove. A run that was cut off is finished first. Raises ApprovalDue where a person has to agree."""
    finish_unfinished(session)
    plan, view = session.plan()
    run = session.save(plan)
    session.approve(run, plan, fingerprint)
    session.apply(run)
    return Synchronized(run, plan, session.prove(run, plan, view))


def finish_unfinished(session: Session) -> Run | None:
    """Take up the run that was killed or stopped, if there is one: it was approved, so it is finished as it was planned."""
    run = runs.unfinished(session.connection.tenant, session.institute)
    if run is not None:
        session.show.tell(f"run {run.number} goes on")
        session.apply(run)
    return run


def apply_run(session: Session, run: Run, fingerprint: str) -> Synchronized:
    """Apply exactly the stored plan of `run`, which somebody approved by its fingerprint, and prove the result."""
    plan = applied_as_stored(session, run, fingerprint)
    # Desired and actual are read anew: what is proven is the tenant as it is now.
    _, view = session.plan()
    return Synchronized(run, plan, session.prove(run, plan, view))


def applied_as_stored(session: Session, run: Run, fingerprint: str) -> Plan:
    """The stored plan of `run`, applied. InputRefused if there is nothing left to apply."""
    if run.state not in (Run.State.PLANNED, Run.State.APPROVAL_DUE, Run.State.APPLYING):
        raise InputRefused(
            f"Run {run.number} is {run.get_state_display().lower()}; there is nothing left to apply.",
            remedy="Make a new plan with `rollbook plan`.",
        )
    plan = runs.load_plan(run)
    session.approve(run, plan, fingerprint)
    session.apply(run)
    return plan
