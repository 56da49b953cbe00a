"""What workers look at every second: schedules, registers that changed, moments that come, workers that died."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

import pytest
from tests.apply.wire import connected, set_profile, synchronized
from tests.store.world import ACTOR, NOW, Frozen, a_school, deliver

from rollbook.acts.freeze import freeze, thaw
from rollbook.acts.jobs import Wanted, ask
from rollbook.acts.profiles import Author
from rollbook.acts.ticking import Chore, Ticker
from rollbook.clock import Clock
from rollbook.store import jobs
from rollbook.store.models import Connection, Institute, Job, Profile, ProfileVersion, Tenant, Worker

State = Job.State


class Moving(Frozen):
    """A clock that is set."""

    def __init__(self) -> None:
        super().__init__()
        self.at = NOW

    def now(self) -> dt.datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def later(self, **span: float) -> None:
        self.at += dt.timedelta(**span)


class Noted:
    """Remembers what the engine would be told."""

    def __init__(self) -> None:
        self.turns: list[tuple[int, int, int]] = []
        self.dead: list[str] = []

    def give(self, job: int, turn: int, tenant: int) -> None:
        self.turns.append((job, turn, tenant))

    def take_over(self, workers: Sequence[str]) -> list[str]:
        self.dead += workers
        return []


class Play:
    def __init__(self, chores: Sequence[Chore] = ()) -> None:
        self.clock, self.engine = Moving(), Noted()
        self.ticker = Ticker(self.engine, "me", 4, self.clock, chores)

    def tick(self) -> list[str]:
        """Kinds and causes of the jobs that are asked for by this look."""
        before = set(Job.objects.values_list("pk", flat=True))
        self.ticker.tick()
        return [f"{job.kind} {job.cause}" for job in Job.objects.exclude(pk__in=before).order_by("pk")]

    def settle(self) -> None:
        """Whatever waits has been done."""
        Job.objects.update(state=State.FINISHED)


@pytest.fixture
def institute(sqlite_store, tenant) -> Institute:
    found = connected(a_school(), tenant)
    synchronized(found)
    Profile.objects.update(enabled_at=NOW - dt.timedelta(days=3))
    return found


def another_school(like: Institute, number: int) -> None:
    """One more school with a profile that runs, and a tenant of its own."""
    school = Institute.objects.create(
        organisation=like.organisation, sourced_id=f"more-{number}", name="More", time_zone="UTC"
    )
    tenant = Tenant.objects.create(organisation=like.organisation, tid=f"tid-{number}", name="More", emulated=True)
    version = ProfileVersion.objects.order_by("-pk")[0]
    profile = Profile.objects.create(
        institute=school, name="Suggested", enabled_at=NOW - dt.timedelta(days=3), ever_enabled=True
    )
    ProfileVersion.objects.create(
        profile=profile, number=1, document=version.document, author=version.author, saved_at=version.saved_at
    )
    known = Connection.objects.get(institute=like)
    known.pk, known.public_id, known.institute, known.tenant = None, uuid.uuid4(), school, tenant
    known.save()


@pytest.fixture
def play() -> Play:
    return Play()


def test_each_time_of_a_schedule_comes_once_and_a_missed_one_once(institute, play):
    assert play.tick() == ["full schedule"]  # the look at what changed collapses into it
    play.settle()
    assert play.tick() == ["changed schedule"]
    play.settle()
    assert play.tick() == []

    play.clock.later(hours=2)
    assert play.tick() == ["changed schedule"]
    play.settle()
    play.clock.later(hours=11)
    assert play.tick() == ["changed schedule"]


def test_several_workers_ask_no_more_than_one(institute, play):
    play.tick()
    other = Play()

    assert other.tick() == []


def test_what_was_missed_before_the_profile_was_enabled_is_not_made_up(institute, play):
    Profile.objects.update(enabled_at=NOW + dt.timedelta(minutes=1))
    play.clock.later(minutes=5)

    assert play.tick() == []


def test_a_change_in_the_register_starts_one_for_each_state_of_it(institute, play):
    play.tick()
    play.settle()
    play.tick()
    play.settle()

    deliver(a_school(5))
    assert play.tick() == ["changed register"]
    assert play.tick() == []
    play.settle()  # say it failed: the same state is not asked for again by itself
    assert play.tick() == []
    deliver(a_school(6))
    assert play.tick() == ["changed register"]


def test_only_on_creation_asks_for_new_people_alone(institute, play):
    play.tick()
    play.settle()
    play.tick()
    play.settle()
    set_profile(institute, starts={"on_change": "creation"})
    synchronized(institute)

    renamed = a_school()
    renamed.people["Pupil No1"]["given_name"] = "Renamed"
    deliver(renamed)
    assert play.tick() == []
    deliver(a_school(5))
    assert play.tick() == ["people register"]
    assert len(Job.objects.get(kind="people").people) == 2


def test_a_frozen_connection_is_left_alone_and_what_it_stopped_goes_on_once_it_is_thawed(institute, play):
    freeze(institute, "inspection", Author(ACTOR, play.clock))
    assert play.tick() == []

    job = ask(institute, Wanted(Job.Kind.CHANGED), ACTOR, play.clock)
    Job.objects.filter(pk=job.pk).update(state=State.PAUSED, notice={"code": "Frozen"})
    play.tick()
    job.refresh_from_db()
    assert job.state == State.PAUSED

    thaw(institute, Author(ACTOR, play.clock))
    play.tick()
    job.refresh_from_db()
    assert job.state == State.QUEUED


def test_a_job_that_rests_is_taken_up_when_its_moment_has_come(institute, play):
    play.tick()
    job = Job.objects.get()
    Job.objects.filter(pk=job.pk).update(state=State.WAITING, wake_at=NOW + dt.timedelta(minutes=5), given_at=None)
    play.clock.later(minutes=4)
    play.tick()
    assert Job.objects.get(pk=job.pk).state == State.WAITING

    play.clock.later(minutes=1)
    play.tick()
    assert Job.objects.get(pk=job.pk).state == State.QUEUED
    play.settle()
    Job.objects.filter(pk=job.pk).update(state=State.QUEUED)
    play.tick()
    assert play.engine.turns[-1] == (job.pk, 2, job.tenant_id)


def test_a_turn_that_nobody_began_is_given_again(institute, play):
    play.tick()
    play.clock.later(seconds=11)
    play.tick()

    assert len(play.engine.turns) == 2
    assert len(set(play.engine.turns)) == 1


def test_what_a_dead_worker_had_is_taken_over_by_who_sees_it_first(institute, play):
    jobs.seen("dead", 4, NOW - dt.timedelta(minutes=1))

    play.tick()

    assert play.engine.dead == ["dead"]
    assert list(Worker.objects.values_list("name", flat=True)) == ["me"]


def test_an_institute_that_is_not_connected_starts_nothing(institute, play):
    Connection.objects.update(state=Connection.State.DISCONNECTED)

    assert play.tick() == []


def test_chores_are_done_as_often_as_they_say(institute):
    done: list[float] = []
    play = Play([Chore("count", 60, lambda clock: done.append(clock.monotonic()))])

    for _ in range(5):
        play.tick()
        play.clock.later(seconds=30)

    assert len(done) == 3


def test_a_chore_that_fails_keeps_nobody_from_the_others(institute):
    done: list[str] = []

    def failing(clock: Clock) -> None:
        raise ValueError("a defect")

    play = Play([Chore("broken", 1, failing), Chore("sound", 1, lambda clock: done.append("sound"))])
    assert play.tick() == ["full schedule"]

    assert done == ["sound"]


def test_a_look_costs_the_same_however_many_schools_there_are(institute, play):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    play.tick()
    play.settle()
    play.tick()
    play.settle()
    with CaptureQueriesContext(connection) as alone:
        play.ticker.tick()

    for number in range(3):
        another_school(institute, number)
    play.ticker.tick()
    play.settle()
    play.ticker.tick()
    play.settle()
    with CaptureQueriesContext(connection) as beside:
        play.ticker.tick()
    assert len({job.institute_id for job in Job.objects.all()}) == 4
    assert len(beside) == len(alone)
