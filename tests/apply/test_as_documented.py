"""A synchronization against a tenant that keeps every documented quota, delay and lag, on a clock that runs fast."""

from __future__ import annotations

from typing import Any

from tests.apply.crafted import (
    EVERYBODY,
    LEVEL,
    MATHS,
    as_planned,
    crafted,
    every_kind,
    group_called,
    people_of,
    two_teachers,
    verdicts,
)
from tests.apply.wire import connected, control, joined, members_of, opened, set_profile, synchronized
from tests.store.world import Frozen, a_school

from rollbook.clock import FasterClock
from rollbook.emulator import Config, Emulator
from rollbook.plan.changes import Kind


class Moving(Frozen):
    """A clock that never waits: waiting moves the emulator's clock instead."""

    def __init__(self, tenant: Any) -> None:
        super().__init__()
        self._tenant = tenant

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        control(self._tenant, "/advance", {"seconds": seconds})


def test_quotas_delays_and_replication_are_lived_with_and_the_proof_holds(sqlite_store):
    with Emulator(Config(speed=400, seed=3)) as tenant:
        institute = connected(a_school(12), tenant)
        first = synchronized(institute, FasterClock(400))
        second = synchronized(institute, FasterClock(400))
        people = members_of(tenant, "7A Maths")

    assert first.proof.as_json()["missing"] == first.proof.as_json()["extra"] == 0
    assert second.plan.counts["changes"] == 0
    assert second.proof.holds
    assert len(people) == 13


def test_the_newer_kinds_of_change_live_with_quotas_delays_and_replication_too(sqlite_store):
    with Emulator(Config(seed=3)) as tenant:
        clock = Moving(tenant)
        institute = connected(two_teachers(), tenant)
        set_profile(institute, teams__create="group", teams__template="standard")
        synchronized(institute, clock)
        control(tenant, "/advance", {"seconds": 900})
        synchronized(institute, clock)
        control(tenant, "/advance", {"seconds": 900})
        admin = next(u["id"] for u in tenant.directory.users.values() if u["userPrincipalName"].startswith("admin@"))
        tenant.directory.members.tie(group_called(tenant, MATHS)["id"], admin)
        rows = every_kind(tenant)

        run = crafted(institute, *rows, clock=clock)

        # A group younger than 15 minutes may refuse to become a team: one tries, and all wait until it is old enough.
        assert set(verdicts(run).values()) == {"DONE"}
        assert clock.monotonic() > 900
        assert as_planned(tenant)


def test_a_group_that_was_just_made_is_nested_in_another_as_soon_as_microsoft_sees_it(sqlite_store):
    with Emulator(Config(quota_scale=None, seed=7)) as tenant:
        institute = connected(two_teachers(), tenant)
        synchronized(institute, Moving(tenant))
        rows = [row for row in every_kind(tenant) if row.kind in (Kind.CREATE_GROUP, Kind.ADD_MEMBER)][:6]
        control(tenant, "/counters/reset", {})

        run = crafted(institute, *rows, clock=Moving(tenant))

        assert set(verdicts(run).values()) == {"DONE"}
        assert people_of(tenant, EVERYBODY) == [LEVEL]
        # That links to new groups are refused at first is what this is about.
        assert any("PATCH /groups/{id}" in refused for refused in control(tenant, "/counters")["refused"])


def test_rosters_of_many_teams_are_read_within_the_quota_of_teams(sqlite_store):
    with Emulator(Config(quota_scale=None, delays=None)) as tenant:
        institute = connected(two_teachers(), tenant)
        synchronized(institute)
        joined(institute, tenant, quotas=True)
        directory, one = tenant.directory, group_called(tenant, MATHS)
        teams = [one["id"], *(f"00000000-0000-0000-0000-{n:012d}" for n in range(300))]
        for team in teams[1:]:
            directory.groups.put(team, {**one, "id": team, "mailNickname": team, "uniqueName": None})
            directory.rosters.put(team, {**directory.rosters.get(one["id"]), "id": team})
        control(tenant, "/quotas", {"scale": 1.0})
        control(tenant, "/counters/reset", {})
        clock = Moving(tenant)

        with opened(institute, clock) as session:
            rosters = session.tenant.reader.team_rosters(teams)
            archived = session.tenant.reader.archived(teams)
        refused = control(tenant, "/counters")["refused"]

    assert set(rosters["group_object_id"]) == set(teams)
    assert archived == frozenset()
    assert refused == {}
    assert 301 / 60 < sum(clock.slept) < 40
