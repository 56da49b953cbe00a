"""Real workers over a real emulated tenant: killed, stopped, frozen and told to pause in the middle of a run. Nothing twice, nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.apply.wire import connected, control, users_of
from tests.store.world import ACTOR, deliver
from tests.world import School

from rollbook.acts import approvals
from rollbook.acts import jobs as acts
from rollbook.acts.approvals import Choice
from rollbook.acts.jobs import Wanted
from rollbook.acts.profiles import Author
from rollbook.acts.working import KINDS, Desk
from rollbook.clock import SystemClock
from rollbook.errors import Stop
from rollbook.plan.changes import ChangeVerdict
from rollbook.store import jobs
from rollbook.store.models import Institute, Job, PersonRecord, Profile, Run, TenantLease, Worker
from rollbook.store.runs import verdict_counts

pytestmark = pytest.mark.kill

CLOCK = SystemClock()
Kind, State = Job.Kind, Job.State
CLASSES, PUPILS = 12, 20
EVERYBODY = CLASSES * PUPILS + CLASSES


def a_large_school(more: int = 0) -> School:
    """So many classes that a run lasts for some seconds; the last of them has so many pupils more."""
    school = School()
    for number in range(CLASSES):
        names = [f"Pupil No{number}x{n}" for n in range(PUPILS + (more if number == CLASSES - 1 else 0))]
        school = school.klass(f"{number} Maths", teachers=[f"Teacher No{number}"], students=names)
    return school


class Workers:
    """Worker processes over this test's store."""

    def __init__(self, home: Path, url: str) -> None:
        self._home, self._url = home, url
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        root = Path(__file__).parents[2]
        environment = {
            **os.environ,
            "DATABASE_URL": self._url,
            "PYTHONPATH": os.pathsep.join((str(root / "src"), str(root))),
        }
        with (self._home / f"worker-{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "rollbook", "worker", "--json"], env=environment, stdout=log, stderr=log
            )
        self.processes.append(process)
        return process

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()


@pytest.fixture
def workers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workers]:
    """On the database the test is for; those left over are killed."""
    url = (
        request.getfixturevalue("postgres_store")
        if "postgres_store" in request.fixturenames
        else f"sqlite:///{request.getfixturevalue('sqlite_store')}"
    )
    # The engine's file lies in the installation's folder, which all tests of a process share.
    for left in Path(os.environ["ROLLBOOK_HOME"]).glob("jobs.sqlite3*"):
        left.unlink()
    found = Workers(tmp_path, url)
    yield found
    found.end()


def wait(what: Callable[[], Any], seconds: float = 90) -> Any:
    """What `what` returns, as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, list(Job.objects.values_list("kind", "state", "notice"))
        time.sleep(0.02)
    return found


def state_of(job: Job, *states: State) -> Callable[[], bool]:
    return lambda: Job.objects.get(pk=job.pk).state in states


def prepared(school: School, tenant: Any) -> Institute:
    """Connected, with a profile that begins nothing by itself."""
    institute = connected(school, tenant)
    Profile.objects.update(enabled_at=None)
    return institute


def agreed(institute: Institute) -> Job:
    """The first synchronization planned by a worker, agreed to, and in the queue to be applied."""
    Profile.objects.update(enabled_at=CLOCK.now())
    job = acts.ask(institute, Wanted(Kind.EVERYTHING), ACTOR, CLOCK)
    wait(state_of(job, State.APPROVAL_DUE))
    job.refresh_from_db()
    approvals.agree(job.run, Choice(everything=True), Author(ACTOR, CLOCK))
    return acts.ask_to_apply(job.run, ACTOR, CLOCK)


def applying(job: Job) -> Callable[[], bool]:
    """Whether the job's run has sent something."""
    return lambda: (
        Job.objects.get(pk=job.pk).state == State.APPLYING and bool(Job.objects.get(pk=job.pk).progress.get("done"))
    )


def require_whole(tenant: Any, more: int = 0) -> None:
    """Everybody has one account, every class one team with all its people."""
    names = Counter(user["displayName"] for user in users_of(tenant))
    assert set(names.values()) == {1}
    assert len(names) == EVERYBODY + more
    held = control(tenant, "/state")
    assert (held["teams"], held["memberships"]) == (CLASSES, CLASSES * (PUPILS + 2) + more)


def require_little_twice(tenant: Any) -> None:
    """Only what was under way when a worker was killed may have been sent again, and was refused: a batch or two."""
    counters = control(tenant, "/counters")
    assert counters["writes"] <= counters["least_writes"] + 4 * 20


def test_a_first_synchronization_waits_for_approval_and_then_goes_on(sqlite_store, tenant, workers):
    institute = prepared(a_large_school(), tenant)
    workers.start()

    job = agreed(institute)
    wait(state_of(job, State.FINISHED))

    require_whole(tenant)
    assert Run.objects.get().state == Run.State.PROVEN


def test_a_killed_worker_leaves_nothing_undone_and_nothing_is_made_twice(sqlite_store, tenant, workers):
    institute = prepared(a_large_school(), tenant)
    first = workers.start()
    job = agreed(institute)
    wait(applying(job))
    first.kill()
    first.wait()
    assert Job.objects.get(pk=job.pk).state == State.APPLYING

    workers.start()
    wait(state_of(job, State.FINISHED))

    require_whole(tenant)
    require_little_twice(tenant)


def test_a_worker_that_is_told_to_end_lets_its_run_go_on_with_the_next(sqlite_store, tenant, workers):
    institute = prepared(a_large_school(), tenant)
    first = workers.start()
    job = agreed(institute)
    wait(applying(job))
    first.send_signal(signal.SIGTERM)
    assert first.wait(60) == 0
    assert Job.objects.get(pk=job.pk).state in (State.QUEUED, State.FINISHED)

    workers.start()
    wait(state_of(job, State.FINISHED))

    require_whole(tenant)


def test_chosen_people_are_served_between_two_batches_of_a_long_run(sqlite_store, tenant, workers):
    institute = prepared(a_large_school(), tenant)
    workers.start()
    long = agreed(institute)
    wait(applying(long))
    person = PersonRecord.objects.order_by("-entity").values_list("entity", flat=True)[0]
    short = acts.ask(institute, Wanted(Kind.PEOPLE, people=(person,)), ACTOR, CLOCK)

    wait(state_of(short, State.FINISHED))
    between = Job.objects.get(pk=long.pk)
    wait(state_of(long, State.FINISHED))

    assert between.state in (State.QUEUED, State.APPLYING)
    assert between.turn >= 2
    require_whole(tenant)


def test_a_paused_run_stays_where_it_is_until_it_is_resumed(sqlite_store, tenant, workers):
    institute = prepared(a_large_school(), tenant)
    workers.start()
    job = agreed(institute)
    wait(applying(job))
    acts.pause(Job.objects.get(pk=job.pk), ACTOR, CLOCK)
    wait(state_of(job, State.PAUSED))
    assert Run.objects.get().state == Run.State.APPLYING
    other = acts.ask(institute, Wanted(Kind.CHANGED), ACTOR, CLOCK)

    acts.resume(Job.objects.get(pk=job.pk), ACTOR, CLOCK)
    wait(state_of(job, State.FINISHED))
    wait(state_of(other, State.FINISHED))

    require_whole(tenant)


def test_a_stopped_run_is_over_and_the_next_look_does_the_rest(sqlite_store, tenant, workers):
    institute = prepared(a_large_school(), tenant)
    workers.start()
    job = agreed(institute)
    wait(applying(job))
    acts.cancel(Job.objects.get(pk=job.pk), ACTOR, CLOCK)
    wait(state_of(job, State.CANCELLED))
    assert Run.objects.get().state == Run.State.APPLIED
    assert verdict_counts(Run.objects.get())[ChangeVerdict.LATER]

    rest = acts.ask(institute, Wanted(Kind.EVERYTHING), ACTOR, CLOCK)
    wait(state_of(rest, State.FINISHED, State.APPROVAL_DUE))
    rest.refresh_from_db()
    if rest.state == State.APPROVAL_DUE:
        approvals.agree(rest.run, Choice(everything=True), Author(ACTOR, CLOCK))
        rest = acts.ask_to_apply(rest.run, ACTOR, CLOCK)
        wait(state_of(rest, State.FINISHED))

    require_whole(tenant)


def test_a_second_worker_on_sqlite_is_refused_with_a_sentence(sqlite_store, tenant, workers):
    workers.start()
    wait(lambda: acts.workers(CLOCK))

    assert workers.start().wait(30) == 9


def test_three_workers_on_postgresql_take_over_from_a_killed_one(postgres_store, tenant, workers):
    institute = prepared(a_large_school(), tenant)
    first = workers.start()
    job = agreed(institute)
    wait(applying(job))
    first.kill()
    first.wait()
    for _ in range(2):
        workers.start()

    wait(state_of(job, State.FINISHED))

    require_whole(tenant)
    require_little_twice(tenant)


def test_a_frozen_worker_that_wakes_up_writes_nothing_more(postgres_store, tenant, workers):
    institute = prepared(a_large_school(), tenant)
    first = workers.start()
    job = agreed(institute)
    wait(applying(job))
    first.send_signal(signal.SIGSTOP)
    epoch = TenantLease.objects.get().epoch
    workers.start()
    wait(state_of(job, State.FINISHED))
    require_whole(tenant)
    writes = control(tenant, "/counters")["writes"]

    first.send_signal(signal.SIGCONT)
    deliver(a_large_school(more=1))  # the next look comes and goes while the woken one is there
    wait(lambda: len(users_of(tenant)) == EVERYBODY + 1)
    wait(lambda: not Job.objects.exclude(state__in=[State.FINISHED, State.CANCELLED]).exists())

    assert TenantLease.objects.get().epoch > epoch
    assert control(tenant, "/counters")["writes"] > writes
    require_whole(tenant, more=1)


def test_a_defect_ends_the_job_with_a_sentence_and_the_next_one_takes_its_run_up(sqlite_store, tenant, monkeypatch):
    institute = prepared(a_large_school(), tenant)
    Profile.objects.update(enabled_at=CLOCK.now())
    job = acts.ask(institute, Wanted(Kind.EVERYTHING), ACTOR, CLOCK)
    Worker.objects.create(name="here", slots=1, began_at=CLOCK.now(), seen_at=CLOCK.now())
    monkeypatch.setitem(KINDS, Kind.EVERYTHING, lambda opened, job: 1 // 0)
    (given,) = jobs.give_next(CLOCK.now())

    Desk(CLOCK, "here").take_turn(given.pk, given.turn)

    job.refresh_from_db()
    assert (job.state, job.notice["code"]) == (State.FAILED, "ZeroDivisionError")


def test_who_lost_a_job_has_nothing_to_say_about_how_it_ended(sqlite_store, tenant, monkeypatch):
    institute = prepared(a_large_school(), tenant)
    job = acts.ask(institute, Wanted(Kind.EVERYTHING), ACTOR, CLOCK)
    (given,) = jobs.give_next(CLOCK.now())

    def taken_over_and_then_failing(opened: object, mine: Job) -> None:
        Job.objects.filter(pk=mine.pk).update(turn=mine.turn + 1, worker="another")
        raise Stop("nothing answers")

    monkeypatch.setitem(KINDS, Kind.EVERYTHING, taken_over_and_then_failing)
    Profile.objects.update(enabled_at=CLOCK.now())
    Desk(CLOCK, "here").take_turn(given.pk, given.turn)

    job.refresh_from_db()
    assert (job.state, job.worker, job.notice) == (State.PLANNING, "another", None)
