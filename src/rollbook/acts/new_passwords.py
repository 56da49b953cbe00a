"""New first passwords for accounts that are there: a run whose plan is made from a selection, agreed to by whoever asked."""

from __future__ import annotations

import polars as pl

from rollbook.acts.runs import Session, finish_unfinished
from rollbook.errors import InputRefused
from rollbook.plan.changes import Plan
from rollbook.plan.passwords import Asked, plan_passwords
from rollbook.roster.selection import Wanted, chosen
from rollbook.store import runs
from rollbook.store.memory import InstituteRegister
from rollbook.store.models import Run
from rollbook.sync import USER


def propose(session: Session, wanted: Wanted) -> Run:
    """A stored run that sets new passwords for everybody who is meant and may get one; the others wait in it, with a reason.

    A run that was cut off is finished first, because it may be setting passwords itself.
    """
    if wanted.everybody:
        raise InputRefused("New passwords are set for people who are named.", remedy="Name a class, a group or people.")
    finish_unfinished(session)
    people = chosen(InstituteRegister(session.institute).read(), wanted, session.scope.as_of)
    if people.is_empty():
        raise InputRefused("Nobody is in what was named.", remedy="Name a class with students, or people.")
    return session.save(_plan(session, people), Run.Purpose.PASSWORDS)


def _plan(session: Session, people: pl.DataFrame) -> Plan:
    session.show.tell("tenant")
    subjects = people.select(subject="person", period=pl.lit(0, dtype=pl.Int64))
    marks = session.memory.reserve_links(USER, subjects).select("link", "mark")
    links = marks.join(session.memory.links(USER), on="link")
    reader = session.tenant.reader
    accounts = reader.users_and_roles(links["object_id"].drop_nulls().to_list())
    scope = session.scope
    asked = Asked(scope.tenant, scope.profile_version, scope.as_of, reader.facts().domains)
    return plan_passwords(links.sort("link"), accounts, asked)


def carry_out(session: Session, run: Run, fingerprint: str | None) -> None:
    """Set the passwords of a proposed run, or finish one that was cut off. Raises ApprovalDue without its fingerprint."""
    plan = runs.load_plan(run)
    session.approve(run, plan, fingerprint)
    session.apply(run, planned_now=False)
    run.finished_at = session.clock.now()
    run.save(update_fields=["finished_at"])


def withdraw(run: Run) -> None:
    """A proposed run that nobody wants is not carried out by anybody later."""
    Run.objects.filter(pk=run.pk, state__in=runs.WAITING_STATES).update(state=Run.State.SUPERSEDED)
