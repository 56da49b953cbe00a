"""A synchronization against a tenant that keeps every documented quota, delay and lag, on a clock that runs fast."""

from __future__ import annotations

from tests.apply.wire import connected, members_of, synchronized
from tests.store.world import a_school

from rollbook.clock import SystemClock
from rollbook.emulator import Config, Emulator


def test_quotas_delays_and_replication_are_lived_with_and_the_proof_holds(sqlite_store):
    with Emulator(Config(speed=400, seed=3)) as tenant:
        institute = connected(a_school(12), tenant)
        first = synchronized(institute, SystemClock())
        second = synchronized(institute, SystemClock())
        people = members_of(tenant, "7A Maths")

    assert first.proof.as_json()["missing"] == first.proof.as_json()["extra"] == 0
    assert second.plan.counts["changes"] == 0
    assert second.proof.holds
    assert len(people) == 13
