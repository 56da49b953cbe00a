"""A delivered school for storage tests, and an institute connected to a tenant."""

from __future__ import annotations

import datetime as dt

from tests.world import School, frame

from rollbook.acts.actor import Actor
from rollbook.acts.institutes import ensure_institute
from rollbook.clock import SystemClock
from rollbook.roster.tables import Roster
from rollbook.store.deliveries import Received, import_roster
from rollbook.store.models import Delivery, Institute, Source, Tenant

ACTOR = Actor("test", "tester")
NOW = dt.datetime(2026, 10, 1, 8, 0, tzinfo=dt.UTC)


class Frozen:
    """A clock that stands still and never waits."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> dt.datetime:
        return NOW

    def monotonic(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def a_school(students: int = 3) -> School:
    """One class of a teacher and some students."""
    return School().klass("7A Maths", teachers=["Nikos Vasilakis"], students=[f"Pupil No{n}" for n in range(students)])


def roster_of(school: School) -> Roster:
    """The school's roster, with its institute."""
    roster = school.roster()
    row = {"institute": 1, "sourced_id": "school", "line": 0, "name": "The School"}
    object.__setattr__(roster, "institutes", frame("institutes", [row]))
    return roster


def deliver(
    school: School, *, accepted: bool = False, kind: str = "test", precedence: int | None = None
) -> tuple[Institute, Source, Delivery]:
    """The school, delivered."""
    roster = roster_of(school)
    institute, source = ensure_institute(roster, kind, ACTOR, SystemClock())
    if precedence is not None:
        Source.objects.filter(pk=source.pk).update(precedence=precedence)
    received = Received("test", "usable", {}, [], NOW)
    return institute, source, import_roster(source, roster, received, accepted=accepted)


def a_tenant(institute: Institute) -> Tenant:
    """A tenant of the institute's organisation."""
    return Tenant.objects.create(organisation=institute.organisation, tid="tid-1", name="Tenant", emulated=True)
