"""A school that is connected, its runs as they were left, and a clock that a test moves."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.store.world import ACTOR, NOW, Frozen, a_school, a_tenant, deliver

from rollbook.acts.channels import Wanted, set_channel
from rollbook.acts.connections import Credentials, remember
from rollbook.acts.notices import Changed, look_for_causes
from rollbook.acts.profiles import Author
from rollbook.plan.changes import ChangeVerdict, Kind
from rollbook.store.models import Change, Connection, Hold, Institute, Profile, Run, Tenant

State = Run.State


class Moving:
    """A clock that goes on when a test says so, and never waits."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> dt.datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.at += dt.timedelta(seconds=seconds)

    def on(self, **span: float) -> dt.datetime:
        self.at += dt.timedelta(**span)
        return self.at


class Watched:
    """An institute with a tenant, and what is told of it."""

    def __init__(self) -> None:
        self.clock = Moving()
        self.author = Author(ACTOR, self.clock)
        self.institute, self.source, self.delivery = deliver(a_school(2))
        given = Credentials("tid-1", "app", "secret", "http://127.0.0.1:1", "http://127.0.0.1:1", emulated=True)
        self.connection: Connection = remember(self.institute, a_tenant(self.institute), given, "mark", Frozen())
        self.tenant: Tenant = self.connection.tenant

    def look(self) -> Changed:
        return look_for_causes(self.clock)

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """What a look raises: kind and content."""
        return [(notice.kind, notice.content) for notice in self.look().raised]

    def over(self) -> list[str]:
        """The kinds a look ends."""
        return [notice.kind for notice in self.look().ended]

    def tell(self, **wanted: Any) -> str:
        """Set who is told; the webhook's secret, if it is new."""
        return set_channel(self.institute, Wanted(**wanted), self.author)[1]

    def run(self, state: State = State.PROVEN, *, finished: bool = True, **columns: Any) -> Run:
        """One more run, left in this state."""
        profile = Profile.objects.get(institute=self.institute)
        version = profile.versions.get()
        number = Run.objects.filter(tenant=self.tenant).count() + 1
        common: dict[str, Any] = {"as_of": dt.date(2026, 10, 1), "fingerprint": "f", "actor": "tester", "made_at": NOW}
        return Run.objects.create(
            tenant=self.tenant,
            institute=self.institute,
            profile_version=version,
            number=number,
            state=state,
            finished_at=NOW if finished else None,
            **(common | columns),
        )


def changes(run: Run, *rows: tuple[Kind, ChangeVerdict], held: str = "") -> None:
    """Changes of a run with their verdicts; those unapproved are held by a guard."""
    for seq, (kind, verdict) in enumerate(rows, start=1):
        Change.objects.create(run=run, seq=seq, kind=int(kind), subject=seq, cause=1, verdict=int(verdict))
        if held and verdict is ChangeVerdict.UNAPPROVED:
            Hold.objects.create(run=run, seq=seq, code=held)


def proof(missing: int = 0, extra: int = 0) -> dict[str, int]:
    return {"missing": missing, "extra": extra}


def another_institute(first: Institute) -> Institute:
    """An institute of the same organisation."""
    return Institute.objects.create(organisation=first.organisation, sourced_id="second", name="The Second School")
