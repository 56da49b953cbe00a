"""Pruning: what nobody asks for any more goes, what is asked for stays; a school's months in miniature, on both databases."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.db import connection
from tests.store.world import ACTOR, NOW, Frozen, a_school, a_tenant, deliver

from rollbook.acts.chores import CHORES
from rollbook.acts.retention import prune, prune_once
from rollbook.acts.undo import propose_undo
from rollbook.errors import InputRefused
from rollbook.plan.changes import CHANGES, DETAILS, Cause, ChangeVerdict, Kind
from rollbook.store import outbox, retention, trail
from rollbook.store.bulk import insert_frame
from rollbook.store.history import done_about
from rollbook.store.keeping import NEWEST_RUNS, OPEN, SETTINGS, Keeping, expired, keeping
from rollbook.store.memory import TenantMemory
from rollbook.store.models import (
    Answer,
    Change,
    ChangeDetail,
    Delivery,
    Institute,
    Intent,
    Job,
    Notice,
    PersonRecord,
    ProfileVersion,
    Run,
    ScopeMark,
    Tenant,
    Trail,
)

PEOPLE, TEAM = range(1, 5), 900
RUNS, EVERY = 40, dt.timedelta(hours=12)
SHORT = {"ROLLBOOK_KEEP_QUIET_DAYS": "2", "ROLLBOOK_KEEP_CHANGE_DAYS": "8", "ROLLBOOK_KEEP_RUN_DAYS": "16"}
KEPT = keeping(SHORT)
NEWEST = 5


@dataclass(frozen=True)
class World:
    institute: Institute
    tenant: Tenant
    version: ProfileVersion

    def memory(self) -> TenantMemory:
        return TenantMemory(self.tenant, self.institute, self.version.profile, NOW)

    def asked(self) -> Any:
        """What the next plan asks of former runs."""
        memory = self.memory()
        told = done_about(self.tenant, [*PEOPLE, TEAM], NOW)
        last = told.group_by("kind", "subject", "object", maintain_order=True).last().sort(pl.all())
        guarding = memory.guarding()
        return memory.waited().rows(), memory.first_run(), guarding.applied, guarding.managed, last.rows()


def change(seq: int, kind: Kind, subject: int, other: int | None, verdict: ChangeVerdict) -> tuple[Any, ...]:
    cause = Cause.NO_SEATS if verdict == ChangeVerdict.WAITS else Cause.VALUES_DIFFER
    return seq, int(kind), subject, other, int(cause), None, None, None, int(verdict)


def a_run(world: World, number: int, at: dt.datetime, rows: list[tuple[Any, ...]], **facts: Any) -> Run:
    """A run as it was left, with its changes, values and journal."""
    kept = {"state": Run.State.PROVEN, "started_at": at, "finished_at": at, "register": {"people": number}, **facts}
    run = Run.objects.create(
        tenant=world.tenant,
        institute=world.institute,
        profile_version=world.version,
        number=number,
        as_of=at.date(),
        fingerprint="f",
        actor="tester",
        made_at=at,
        **kept,
    )
    frame = pl.DataFrame(rows, schema=pl.Schema(CHANGES), orient="row")
    insert_frame(Change, frame.with_columns(run_id=pl.lit(run.pk)))
    valued = [
        (row[0], row[2], '{"given_name": "Old"}', f'{{"given_name": "New{number}"}}') for row in rows if row[1] == 30
    ]
    details = pl.DataFrame(valued, schema=pl.Schema(DETAILS), orient="row")
    insert_frame(ChangeDetail, details.with_columns(run_id=pl.lit(run.pk)))
    Intent.objects.create(run=run, number=1, kind=30, seqs="1", sent_at=at)
    Answer.objects.create(run=run, number=1, verdict=int(ChangeVerdict.DONE), at=at)
    trail.append(actor_kind="test", actor="t", place="", action="run.proven", at=at, content={"run": number})
    return run


@pytest.fixture
def world(store: str, monkeypatch: pytest.MonkeyPatch) -> World:
    """Weeks of synchronizations, under settings as short: every second one carries something out, the others find nothing to do."""
    monkeypatch.setattr("rollbook.store.keeping.NEWEST_RUNS", NEWEST)
    for name, value in SHORT.items():
        monkeypatch.setenv(name, value)
    institute, _, _ = deliver(a_school())
    found = World(institute, a_tenant(institute), ProfileVersion.objects.get(profile__institute=institute))
    done, waits = ChangeVerdict.DONE, ChangeVerdict.WAITS
    for turn in range(RUNS):
        at = NOW - EVERY * (RUNS - turn)
        who = turn % len(PEOPLE) + 1
        rows = [change(seq, Kind.LICENSE_USER, seq, None, waits) for seq in range(1, 11)]
        if turn % 2 == 0:
            member = Kind.REMOVE_MEMBER if turn // len(PEOPLE) % 2 else Kind.ADD_MEMBER
            rows += [change(11, Kind.UPDATE_USER, who, None, done), change(12, member, TEAM, who, done)]
        a_run(found, turn + 1, at, rows)
    return found


def test_old_runs_are_forgotten_and_the_next_plan_asks_and_hears_the_same(world: World):
    approval = a_run(world, 1000, NOW - dt.timedelta(days=30), [], state=Run.State.APPROVAL_DUE, started_at=None)
    a_run(world, 1001, NOW - dt.timedelta(days=15), [], state=Run.State.SUPERSEDED, started_at=None, finished_at=None)
    for number in range(1002, 1002 + NEWEST):
        a_run(world, number, NOW, [change(1, Kind.LICENSE_USER, 1, None, ChangeVerdict.WAITS)])
    before, rows = world.asked(), Change.objects.count()

    counted = prune(ACTOR, Frozen(), dry=True)
    assert (Change.objects.count(), world.asked()) == (rows, before)
    done = prune(ACTOR, Frozen())

    assert world.asked() == before
    assert counted.pruned == done.pruned
    assert Change.objects.count() == rows - done.pruned.rows["changes"] < rows / 2
    old = Run.objects.filter(finished_at__lt=NOW - dt.timedelta(days=KEPT.change_days), number__lt=1000)
    assert not old.filter(pruned_at=None).exists()
    assert not Intent.objects.filter(run__in=old).exists()
    assert not Answer.objects.filter(run__in=old).exists()
    assert not ChangeDetail.objects.filter(run__in=old, before__isnull=False).exists()
    assert list(Run.objects.filter(number__in=[1000, 1001])) == [approval]
    recent = Run.objects.get(number=RUNS - 9)
    assert (recent.pruned_at, recent.changes.filter(verdict=int(ChangeVerdict.DONE)).count()) == (None, 2)
    assert trail.first_broken() is None
    assert Trail.objects.last().action == "store.pruned"
    prune_once(Frozen())
    assert prune(ACTOR, Frozen()).pruned == retention.Pruned()


def test_of_an_emptied_run_the_numbers_stay_and_it_cannot_be_undone(world: World, monkeypatch):
    prune(ACTOR, Frozen())
    run = Run.objects.get(number=1)

    assert run.register == {"people": 1}
    with pytest.raises(InputRefused, match="only the numbers are kept"):
        propose_undo(None, run)  # type: ignore[arg-type]


def test_an_ended_pruning_is_gone_on_with(world: World):
    class Killed(Exception):
        pass

    def dies() -> None:
        raise Killed

    with pytest.raises(Killed):
        retention.Pruning(KEPT, NOW, dry=False, pause=dies).carried_out()
    assert Intent.objects.filter(run__pruned_at__isnull=False).exists()
    prune(ACTOR, Frozen())

    emptied = Run.objects.exclude(pruned_at=None)
    assert not Intent.objects.filter(run__in=emptied).exists()
    assert not Change.objects.filter(run__in=emptied, verdict=int(ChangeVerdict.WAITS)).exists()


def test_the_numbers_of_runs_go_at_last_but_not_of_one_an_account_was_disabled_by(world: World):
    from rollbook.store.models import Link

    Link.objects.create(
        tenant=world.tenant,
        institute=world.institute,
        kind="user",
        subject=1,
        mark="m",
        disabled_by_run=Run.objects.get(number=2).pk,
    )
    for _ in range(2):
        prune(ACTOR, Frozen())

    # Of the odd ones, plans still ask who was put into the team last.
    assert not Run.objects.filter(number=4).exists()
    assert Run.objects.filter(number=2).exists()


def test_rows_a_delivery_replaced_and_its_findings_go_once_they_were_looked_at(store: str):
    school = a_school()
    institute, source, first = deliver(school)
    long_ago = NOW - dt.timedelta(days=100)
    maths = next(iter(school.people.values()))
    maths["given_name"] = "Another"
    _, _, second = deliver(school)
    Delivery.objects.update(received_at=long_ago, findings=[{"code": "x"}])
    mark = ScopeMark.objects.create(
        institute=institute,
        tenant=a_tenant(institute),
        profile_version=ProfileVersion.objects.get(profile__institute=institute),
        deliveries={str(source.pk): first.number},
        structure="s",
    )
    versions = PersonRecord.objects.filter(sourced_id=maths["sourced_id"])
    assert versions.count() == 2

    prune(ACTOR, Frozen())
    assert versions.count() == 2
    mark.deliveries = {str(source.pk): second.number}
    mark.save()
    prune(ACTOR, Frozen())

    assert [row.given_name for row in versions] == ["Another"]
    assert [delivery.findings for delivery in Delivery.objects.order_by("number")] == [[], [{"code": "x"}]]


def test_an_sqlite_file_becomes_smaller_by_it(sqlite_store):
    assert retention.shrinks()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE filler AS SELECT zeroblob(3000000) AS filling")
        cursor.execute("DROP TABLE filler")
    assert retention.free_space() > 0.5

    assert prune(ACTOR, Frozen()).free < 0.05


def test_settings_explain_themselves_and_refuse_what_is_no_number():
    assert keeping({"ROLLBOOK_KEEP_CHANGE_DAYS": "30"}).change_days == 30
    with pytest.raises(InputRefused, match="is no number of days"):
        keeping({"ROLLBOOK_KEEP_QUIET_DAYS": "soon"})
    assert {setting.name for setting in SETTINGS} == set(Keeping.__dataclass_fields__)


def runs(*rows: dict[str, Any]) -> pl.DataFrame:
    """Runs of a tenant, proven synchronizations of years ago unless a row says otherwise."""
    from rollbook.store.keeping import RUNS

    plain = {name: False for name, kind in RUNS.items() if kind == pl.Boolean}
    common = {
        **plain,
        "institute": 1,
        "profile": 1,
        "state": "proven",
        "synchronization": True,
        "begun": True,
        "proven": True,
        "acted": True,
        "changes": 10,
        "last": NOW - dt.timedelta(days=1000),
    }
    return pl.DataFrame(
        [{**common, "run": number, "number": number, **row} for number, row in enumerate(rows, start=1)],
        schema=pl.Schema(RUNS),
    )


def test_open_runs_and_the_newest_of_each_kind_are_kept_whatever_their_age():
    newer: list[dict[str, Any]] = [{}] * NEWEST_RUNS
    old = runs(
        *({"state": state} for state in OPEN),
        {"profile": 7},
        {"institute": 2},
        {"first_run": True, "profile": 9},
        {},
        *newer,
    )

    assert expired(old, keeping({}), NOW).emptied == [7]


def test_by_count_the_oldest_runs_give_way_first():
    fresh = {"last": NOW, "changes": 100}
    found = expired(runs(*[fresh] * (NEWEST_RUNS + 10)), replace(keeping({}), changes=100 * (NEWEST_RUNS + 4)), NOW)

    assert (found.gone, found.emptied) == ([], [1, 2, 3, 4, 5, 6])


def test_ended_jobs_go_but_what_says_that_something_was_asked_for_already_stays(store: str):
    institute, _, _ = deliver(a_school())
    common = {"institute": institute, "tenant": a_tenant(institute), "kind": "changed", "actor": "a", "asked_at": NOW}
    long_ago = {"since": NOW - dt.timedelta(days=200), **common}
    for number, cause in enumerate(("schedule", "schedule", "register")):
        Job.objects.create(**long_ago, state="finished", cause=cause, slot=f"slot-{number}")
    Job.objects.create(**long_ago, state="paused", cause="hand")
    Job.objects.create(**common, since=NOW, state="finished", cause="schedule")

    assert prune(ACTOR, Frozen()).pruned.rows == {"jobs": 2}
    assert sorted(Job.objects.values_list("cause", "state")) == [
        ("hand", "paused"),
        ("register", "finished"),
        ("schedule", "finished"),
    ]


def test_notices_that_ended_and_the_outbox_go_and_it_counts_on(store: str):
    institute, _, _ = deliver(a_school())
    long_ago = NOW - dt.timedelta(days=200)
    for number, ended in enumerate((long_ago, None)):
        facts = {"institute": institute, "kind": "job_failed", "cause": str(number), "raised_at": long_ago}
        Notice.objects.create(**facts, ended_at=ended)
        outbox.append(institute.pk, "notice.raised", {}, long_ago)

    assert prune(ACTOR, Frozen()).pruned.rows == {"notices": 1, "outboxs": 1}
    assert Notice.objects.get().ended_at is None
    assert outbox.newest(institute.pk) == 2


def test_a_worker_prunes_once_a_day_beside_its_other_work(sqlite_store: Path, monkeypatch: pytest.MonkeyPatch):
    done = threading.Event()
    monkeypatch.setattr("rollbook.acts.retention.prune", lambda *_: done.set())
    (chore,) = (each for each in CHORES if each.name == "prune")

    chore.work(Frozen())

    assert chore.seconds == 86_400
    assert done.wait(10)


def test_the_documentation_says_what_every_setting_is():
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    for s in SETTINGS:
        assert f"| `{s.variable}` | {s.default:,} {s.unit} | {s.meaning} | {s.why} |" in page
