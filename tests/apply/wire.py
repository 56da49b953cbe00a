"""A school, a store and an emulated tenant over real HTTP: what the executor's tests play with."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from tests.store.world import ACTOR, Frozen, deliver
from tests.world import AUTUMN, School

from rollbook.acts.connections import Credentials, connect
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


def joined(institute: Institute, tenant: Any) -> Institute:
    """The institute, connected to the emulated tenant."""
    app = tenant.apps[0]
    given = Credentials(
        app["tenant"], app["client_id"], app["client_secret"], tenant.graph, tenant.login, emulated=True, quotas=False
    )
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
