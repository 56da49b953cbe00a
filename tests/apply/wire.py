"""A school, a store and an emulated tenant over real HTTP: what the executor's tests play with."""

from __future__ import annotations

import datetime as dt
import json
import urllib.request
from dataclasses import replace
from typing import Any

from tests.profiles.making import profile_with
from tests.store.world import ACTOR, Frozen, deliver
from tests.world import AUTUMN, School

from rollbook.acts import profiles
from rollbook.acts.connections import Credentials, connect
from rollbook.acts.profiles import Author
from rollbook.acts.runs import Session, Synchronized, finish_unfinished, session
from rollbook.apply.approval import needs_person
from rollbook.clock import Clock
from rollbook.store.models import Institute


def control(tenant: Any, path: str, body: Any = None) -> Any:
    """Ask the emulator's control; without a body, read."""
    raw = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{tenant.control}{path}", data=raw, method="GET" if raw is None else "POST")
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def faults(tenant: Any, *wanted: dict[str, Any]) -> None:
    """These faults happen to the next calls that match."""
    control(tenant, "/faults", list(wanted))


def connected(school: School, tenant: Any) -> Institute:
    """The school's institute, connected to the emulated tenant."""
    institute, _, _ = deliver(school)
    return joined(institute, tenant)


def joined(institute: Institute, tenant: Any, *, quotas: bool = False) -> Institute:
    """The institute, connected to the emulated tenant, whose quotas are kept to where it has any."""
    app = tenant.apps[0]
    identity = (app["tenant"], app["client_id"], app["client_secret"], tenant.graph, tenant.login)
    given = Credentials(*identity, emulated=True, quotas=quotas)
    connect(institute, given, ACTOR, Frozen())
    control(tenant, "/counters/reset", {})
    return institute


def opened(institute: Institute, clock: Clock | None = None) -> Any:
    """A session as a test uses it."""
    return session(institute, AUTUMN, ACTOR, clock or Frozen())


def carried_out(open_session: Session) -> Synchronized:
    """Plan, agree to whatever it says, apply, prove."""
    finish_unfinished(open_session)
    plan, view = open_session.plan()
    run = open_session.save(plan)
    open_session.approve(run, plan, plan.fingerprint if needs_person(plan) else None)
    open_session.apply(run)
    return Synchronized(run, plan, open_session.prove(run, plan, view))


def synchronized(institute: Institute, clock: Clock | None = None) -> Synchronized:
    """One synchronization to which somebody agreed."""
    with opened(institute, clock) as open_session:
        return carried_out(open_session)


def users_of(tenant: Any) -> list[dict[str, Any]]:
    """All users the tenant holds but its administrator, as it keeps them."""
    return [user for user in tenant.directory.users.values() if not user["userPrincipalName"].startswith("admin@")]


def members_of(tenant: Any, name: str) -> list[str]:
    """Display names of the members of the one group of this name."""
    directory = tenant.directory
    (group,) = [group for group in directory.groups.values() if group["displayName"] == name]
    return sorted(directory.users.get(key)["displayName"] for key in directory.members.of(group["id"]))


def set_profile(institute: Institute, **settings: Any) -> None:
    """The institute's profile, saved with these settings named by their paths (tests/profiles/making.py)."""
    profile = profiles.find(institute, "Suggested")
    exported = profiles.exported(profile)
    changed = profile_with(exported.profile, **settings)
    profiles.save(profile, replace(exported, profile=changed), Author(ACTOR, Frozen()))


class Later(Frozen):
    """A clock that stands still on another day."""

    def __init__(self, day: dt.date) -> None:
        super().__init__()
        self._day = day

    def now(self) -> dt.datetime:
        return dt.datetime.combine(self._day, dt.time(8), dt.UTC)


def synchronized_on(institute: Institute, day: dt.date) -> Synchronized:
    """One synchronization on another day, to which somebody agreed."""
    with session(institute, day, ACTOR, Later(day)) as open_session:
        return carried_out(open_session)


def account_of(tenant: Any, name: str) -> dict[str, Any]:
    """The one account of this display name, as the tenant keeps it."""
    (found,) = [user for user in users_of(tenant) if user["displayName"] == name]
    return dict(found)
