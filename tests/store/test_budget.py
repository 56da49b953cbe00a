"""What is left of Microsoft's quotas: lent in blocks, shared by workers, kept between runs, and left for those in a hurry."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.apply.wire import connected
from tests.store.world import NOW, a_school

from rollbook.emulator import Config, Emulator
from rollbook.graph.protocol import Request
from rollbook.graph.quotas import APP_WRITES, WRITES
from rollbook.graph.throttle import Throttle
from rollbook.store.budget import StoreBudget, Urgency
from rollbook.store.models import Connection, Tenant


class At:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> dt.datetime:
        return NOW + dt.timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def connections(store) -> list[Connection]:
    """Two tenants of one application."""
    with Emulator(Config(quota_scale=None, delays=None)) as tenant:
        institute = connected(a_school(), tenant)
    first = Connection.objects.get()
    other = Tenant.objects.create(organisation=institute.organisation, tid="tid-2", name="Other", emulated=True)
    return [first, Connection(tenant=other, client_id=first.client_id)]


def test_workers_share_what_is_of_the_application_and_each_tenant_has_its_own(connections):
    clock = At()
    one, two = (StoreBudget(connection, clock, Urgency.PERSON) for connection in connections)

    assert one.lease(APP_WRITES, 34_000) == 34_000
    assert two.lease(APP_WRITES, 1_000) == pytest.approx(APP_WRITES.burst - 34_000)
    assert one.lease(WRITES, 2_900) == 2_900
    assert two.lease(WRITES, 2_900) == 2_900
    assert one.lease(APP_WRITES, 1_000) == 0
    clock.seconds = 3
    assert one.lease(APP_WRITES, 1_000) == pytest.approx(350)


def test_the_next_run_finds_the_quota_as_the_one_before_left_it(connections):
    clock, request, sent = At(), Request("POST", "/users"), []
    for _ in range(2):
        throttle = Throttle.documented(StoreBudget(connections[0], clock))
        count = 0
        while throttle.ready_at(request, clock.seconds) <= clock.seconds:
            throttle.take(request, clock.seconds)
            count += 1
        throttle.give_back()
        sent.append(count)
        clock.seconds += 10

    assert sent == [int(WRITES.burst), 200]


def test_a_person_is_served_before_what_changed_and_that_before_a_first_synchronization(connections):
    clock = At()
    first, delta, person = (StoreBudget(connections[0], clock, urgency) for urgency in reversed(Urgency))

    first.lease(APP_WRITES, 1e6)
    assert first.lease(APP_WRITES, 100) == 0
    assert delta.lease(APP_WRITES, 100) == 100
    delta.lease(APP_WRITES, 1e6)
    assert delta.lease(APP_WRITES, 100) == 0
    assert person.lease(APP_WRITES, 100) == 100


def test_a_clock_that_went_back_brings_nothing_back_and_what_was_not_used_comes_back(connections):
    clock = At()
    budget = StoreBudget(connections[0], clock)
    budget.lease(WRITES, 1e6)
    clock.seconds = -3_600
    assert budget.lease(WRITES, 10) == 0
    budget.give_back(WRITES, 7)
    assert budget.level(WRITES) == pytest.approx(7)
