"""Jobs as rows: asked for, collapsed, one a tenant, moved from state to state, by one mover each."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.store.world import ACTOR, NOW, Frozen, a_school, a_tenant, deliver

from rollbook.acts import jobs as acts
from rollbook.acts.actor import Actor
from rollbook.acts.jobs import Wanted
from rollbook.apply.approval import Role
from rollbook.errors import InputRefused
from rollbook.store import jobs, trail
from rollbook.store.models import Connection, Institute, Job, Secret, Tenant, Trail

Kind, State = Job.Kind, Job.State
CLOCK = Frozen()


@pytest.fixture
def institute(store) -> Institute:
    found, _, _ = deliver(a_school())
    connect(found, a_tenant(found))
    return found


def connect(institute: Institute, tenant: Tenant) -> None:
    secret = Secret.objects.create(
        tenant=tenant, purpose=Secret.Purpose.CREDENTIAL, key_id="k", ciphertext=b"c", made_at=NOW
    )
    Connection.objects.create(
        institute=institute, tenant=tenant, secret=secret, client_id="app", graph_url="g", login_url="l", mark_property="m",
        state=Connection.State.CONNECTED,
    )  # fmt: skip


def ask(institute: Institute, kind: Kind, **wanted: object) -> Job:
    return acts.ask(institute, Wanted(kind, **wanted), ACTOR, CLOCK)


def test_equal_requests_collapse_and_larger_ones_take_smaller_ones_along(institute):
    full = ask(institute, Kind.FULL)

    assert ask(institute, Kind.CHANGED) == ask(institute, Kind.EVERYTHING) == ask(institute, Kind.FULL) == full
    assert ask(institute, Kind.PEOPLE, people=(1, 2)) == ask(institute, Kind.PEOPLE, people=(1, 2)) != full
    assert Job.objects.count() == 2


def test_a_smaller_one_does_not_do_for_a_larger_one(institute):
    assert ask(institute, Kind.CHANGED) != ask(institute, Kind.FULL)


def test_a_time_of_a_schedule_is_asked_for_once(institute):
    wanted = Wanted(Kind.FULL, Job.Cause.SCHEDULE, slot="full:2026-10-01")

    assert acts.ask_once(institute, wanted, acts.SCHEDULE, CLOCK) is not None
    assert acts.ask_once(institute, wanted, acts.SCHEDULE, CLOCK) is None


def test_a_tenant_has_one_turn_at_a_time_and_chosen_people_go_first(institute):
    large, people = ask(institute, Kind.EVERYTHING), ask(institute, Kind.PEOPLE, people=(1,))

    assert [job.pk for job in jobs.give_next(NOW)] == [people.pk]
    assert jobs.give_next(NOW) == []

    people.refresh_from_db()
    acts.move(people, State.PLANNING, CLOCK)
    assert jobs.give_next(NOW) == []
    acts.move(people, State.FINISHED, CLOCK)
    assert [job.pk for job in jobs.give_next(NOW)] == [large.pk]


def test_a_paused_tenant_still_serves_chosen_people(institute):
    large = ask(institute, Kind.EVERYTHING)
    Job.objects.filter(pk=large.pk).update(state=State.PAUSED)
    ask(institute, Kind.CHANGED)
    people = ask(institute, Kind.PEOPLE, people=(1,))

    assert [job.pk for job in jobs.give_next(NOW)] == [people.pk]


def test_tenants_are_served_beside_each_other(institute):
    other = Institute.objects.create(
        organisation=institute.organisation, sourced_id="other", name="Other", time_zone="UTC"
    )
    connect(other, Tenant.objects.create(organisation=institute.organisation, tid="tid-2", name="Two", emulated=True))
    first, second = ask(institute, Kind.FULL), ask(other, Kind.CHANGED)

    assert {job.pk for job in jobs.give_next(NOW)} == {first.pk, second.pk}


def test_of_two_who_move_a_job_one_does_and_the_trail_says_so(institute):
    job = ask(institute, Kind.FULL)
    twice = Job.objects.get(pk=job.pk)

    assert acts.move(job, State.CANCELLED, CLOCK)
    assert not acts.move(twice, State.PLANNING, CLOCK)

    told = list(Trail.objects.filter(action__startswith="job.").order_by("pk").values_list("action", flat=True))
    assert told == ["job.queued", "job.cancelled"]
    assert trail.first_broken() is None


def test_somebody_with_an_old_turn_moves_nothing(institute):
    ask(institute, Kind.FULL)
    (old,) = jobs.give_next(NOW)
    Job.objects.filter(pk=old.pk).update(turn=2)

    assert not acts.move(old, State.PLANNING, CLOCK)


@pytest.mark.parametrize("state", list(State))
def test_every_state_is_left_or_has_ended(state):
    assert (state in jobs.MOVES) != (state in jobs.ENDED)


def test_what_waits_is_cancelled_and_what_is_under_way_is_asked_to_stop(institute):
    waiting = ask(institute, Kind.FULL)
    assert acts.cancel(waiting, ACTOR, CLOCK).state == State.CANCELLED

    ask(institute, Kind.FULL)
    (begun,) = jobs.give_next(NOW)
    acts.move(begun, State.PLANNING, CLOCK)
    assert (acts.cancel(begun, ACTOR, CLOCK).state, begun.wish) == (State.PLANNING, "stop")
    with pytest.raises(InputRefused, match="nothing can be changed"):
        acts.cancel(waiting, ACTOR, CLOCK)


def test_only_what_is_under_way_is_paused_and_a_viewer_may_not(institute):
    job = ask(institute, Kind.FULL)

    with pytest.raises(InputRefused, match="only what is under way"):
        acts.pause(job, ACTOR, CLOCK)
    with pytest.raises(InputRefused, match="may not stop"):
        acts.cancel(job, Actor("person", "v", role=Role.VIEWER), CLOCK)


def test_a_worker_is_dead_once_it_was_not_seen_for_long(store):
    jobs.seen("one", 4, NOW)
    jobs.seen("two", 4, NOW + dt.timedelta(seconds=20))

    patience = dt.timedelta(seconds=15)
    later = NOW + dt.timedelta(seconds=20)
    assert jobs.dead(later, patience) == ["one"]
    assert [worker.name for worker in jobs.alive(later, patience)] == ["two"]
