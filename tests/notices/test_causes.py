"""What is told: once for each cause, again only when it comes back, on both databases."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.notices.world import State, Watched, changes, proof
from tests.store.world import NOW

from rollbook.acts.failing import set_expiry
from rollbook.acts.notice_words import told
from rollbook.acts.notices import mark_seen, open_notices
from rollbook.errors import InputRefused, Stop
from rollbook.plan.changes import ChangeVerdict, Kind
from rollbook.store import leases, quarantine
from rollbook.store.models import Delivery, Institute, Job, Notice, Outbox, Run


@pytest.fixture
def school(store: str) -> Watched:
    return Watched()


def sentences() -> list[str]:
    return [told(notice).said for notice in open_notices()]


def test_a_run_that_is_not_proven_is_told_once_and_its_end_too(school: Watched):
    school.run(State.NOT_PROVEN, proof=proof(missing=1, extra=3))
    assert school.told() == [("not_proven", {"run": 1, "missing": 1, "extra": 3})]
    assert sentences() == [
        "Run 1 is finished, but not proven: 1 membership is missing, 3 are there that should not be."
    ]

    # The same cause two hours later, in other numbers: not told again, but shown as it is.
    school.run(State.NOT_PROVEN, proof=proof(missing=2))
    assert school.told() == []
    assert open_notices().get().content["missing"] == 2

    school.run(State.PROVEN, proof=proof())
    assert school.over() == ["not_proven"]
    school.run(State.NOT_PROVEN, proof=proof(missing=1))
    assert len(school.told()) == 1
    assert Notice.objects.count() == 2
    assert list(Outbox.objects.order_by("sequence").values_list("sequence", "topic")) == [
        (1, "notice.raised"),
        (2, "notice.ended"),
        (3, "notice.raised"),
    ]


def test_a_part_that_is_proven_says_nothing_of_the_rest(school: Watched):
    school.run(State.NOT_PROVEN, proof=proof(missing=1), scope=Run.Scope.FULL)
    school.look()
    school.run(State.PROVEN, proof=proof(), scope=Run.Scope.CHANGED)
    assert school.over() == []

    school.run(State.PROVEN, proof=proof(), scope=Run.Scope.EVERYTHING)
    assert school.over() == ["not_proven"]
    school.run(State.NOT_PROVEN, proof=proof(extra=1), scope=Run.Scope.PEOPLE)
    assert [kind for kind, _ in school.told()] == ["not_proven"]
    school.run(State.PROVEN, proof=proof(), scope=Run.Scope.EVERYTHING)
    assert school.over() == ["not_proven"]


def test_what_microsoft_refused_is_told_by_kind_of_change(school: Watched):
    run = school.run(proof=proof())
    changes(run, (Kind.CREATE_USER, ChangeVerdict.NEVER), (Kind.ADD_MEMBER, ChangeVerdict.BLOCKED))
    assert school.told() == [("changes_refused", {"run": 1, "change": "create_user", "count": 1})]
    assert sentences() == ["Run 1: Microsoft refused 1 change (create user)."]

    more = school.run(proof=proof())
    changes(more, *[(Kind.CREATE_USER, ChangeVerdict.NEVER)] * 2, (Kind.LICENSE_USER, ChangeVerdict.NEVER))
    assert [content["change"] for _, content in school.told()] == ["license_user"]
    school.run(proof=proof())
    assert school.over() == ["changes_refused"] * 2


def test_a_plan_that_waits_is_told_by_what_holds_it_and_not_again_for_an_equal_one(school: Watched):
    objection = {"code": "accounts-disabled", "count": 12, "managed": 300, "limit": 10, "percent": 2.0}
    for number in (1, 2):
        Run.objects.filter(state=State.APPROVAL_DUE).update(state=State.SUPERSEDED)
        run = school.run(State.APPROVAL_DUE, proof=proof(), objections=[objection])
        changes(run, *[(Kind.DISABLE_USER, ChangeVerdict.UNAPPROVED)] * 12, held="accounts-disabled")
        assert len(school.told()) == (number == 1)

    assert sentences() == [
        "Run 2 waits for approval with 12 changes: 12 accounts would be disabled, of 300 managed: more than 10, so a person has to agree."
    ]
    run.state = State.PROVEN
    run.save()
    assert school.over() == ["approval_due"]


def test_while_a_synchronization_is_under_way_nothing_is_told_or_ended_that_it_may_say_anew(school: Watched):
    run = school.run(State.APPROVAL_DUE, finished=False, first_run=True, counts={"changes": 61})
    lease = leases.acquire(school.tenant, NOW, "a worker:1")
    assert school.told() == []
    leases.release(lease)
    assert school.told() == [("approval_due", {"run": 1, "code": "first-run", "count": 61, "objection": None})]

    # Somebody approved it, and it is being applied: what waits afterwards is known afterwards.
    run.state = State.APPLYING
    run.save()
    assert school.over() == []
    run.state, run.finished_at, run.proof = State.PROVEN, NOW, proof()
    run.save()
    assert school.over() == ["approval_due"]


def test_licences_that_run_short_are_told_licence_by_licence(school: Watched):
    entry = {"sku": "s1", "part": "STANDARDWOFFPACK_STUDENT", "needed": 120, "free": 100, "short": 20}
    school.run(proof=proof(), forecast=[entry, {**entry, "sku": "s2", "short": 0}])
    ((kind, content),) = school.told()

    assert (kind, content["part"], content["short"]) == ("seats_short", "STANDARDWOFFPACK_STUDENT", 20)
    assert "needed by 120, 100 are free, 20 people are left out" in sentences()[0]
    school.run(proof=proof(), forecast=[{**entry, "short": 0}])
    assert school.over() == ["seats_short"]


def test_a_connection_that_fails_is_told_once_until_the_reason_changes(school: Watched):
    for _ in range(3):
        quarantine.failed(school.connection, Stop("The secret has expired.", remedy="Make one.", code="A1"), NOW)
        school.look()
    assert Notice.objects.count() == 1
    assert open_notices().get().content["failures"] == 3

    quarantine.failed(school.connection, Stop("A policy refused us.", request_id="trace"), NOW)
    school.look()
    assert sentences() == ["The connection to Microsoft 365 fails: A policy refused us."]
    assert Notice.objects.get(replaced=True).content["code"] == "A1"
    # Machines get codes, not sentences.
    assert all("message" not in entry.payload["content"] for entry in Outbox.objects.all())

    quarantine.worked(school.connection)
    assert school.over() == ["quarantined"]


def test_a_credential_is_told_thirty_seven_and_one_day_before_each_once(school: Watched):
    set_expiry(school.connection, dt.date(2026, 11, 1), school.author.actor, school.clock)  # in 31 days
    days: list[int] = []
    for _ in range(33):
        days += [content["days"] for kind, content in school.told() if kind == "credential_expiring"]
        school.clock.on(days=1)

    assert days == [30, 7, 1]
    assert [notice.kind for notice in open_notices().filter(kind="credential_expiring")] == ["credential_expiring"]
    set_expiry(school.connection, dt.date(2027, 11, 1), school.author.actor, school.clock)
    assert "credential_expiring" in school.over()


def test_a_synchronization_that_failed_is_told_until_one_comes_to_its_end(school: Watched):
    def job(state: Job.State, **columns: object) -> None:
        common = {"cause": Job.Cause.SCHEDULE, "kind": Job.Kind.CHANGED, "asked_at": NOW, "since": NOW}
        Job.objects.create(tenant=school.tenant, institute=school.institute, state=state, **common, **columns)

    said = {"message": "No profile runs today.", "remedy": "Enable one.", "code": "", "request_id": ""}
    job(Job.State.FAILED, notice=said)
    assert [kind for kind, _ in school.told()] == ["job_failed"]
    assert sentences() == ["A synchronization came to no end: No profile runs today."]
    job(Job.State.FAILED, notice=said)
    job(Job.State.PLANNING)
    assert (school.told(), school.over()) == ([], [])
    job(Job.State.FINISHED)
    assert school.over() == ["job_failed"]


def test_a_register_that_is_not_delivered_is_told_while_school_is_on_only(school: Watched):
    def told_late() -> list[int]:
        return [content["days"] for kind, content in school.told() if kind == "register_late"]

    school.clock.on(days=7)
    assert told_late() == []
    school.clock.on(days=1)
    assert told_late() == [8]
    school.tell(late_after=20)
    assert school.over() == ["register_late"]

    # The school year of the world goes from 1 September to 30 June.
    school.tell(late_after=7)
    school.clock.at = dt.datetime(2027, 6, 30, 8, tzinfo=dt.UTC)
    assert len(told_late()) == 1
    school.clock.on(days=1)
    assert school.over() == ["register_late"]


def test_after_a_summer_the_days_count_from_the_first_day_of_school(school: Watched):
    Delivery.objects.update(received_at=dt.datetime(2026, 6, 20, tzinfo=dt.UTC))
    school.clock.at = dt.datetime(2026, 9, 8, 8, tzinfo=dt.UTC)
    assert school.told() == []
    school.clock.on(days=1)
    assert school.told() == [("register_late", {"source": "test", "days": 8, "received_on": "2026-06-20"})]


def test_a_delivery_that_waits_to_be_accepted_is_told(school: Watched):
    Delivery.objects.update(state=Delivery.State.STAGED)
    assert [kind for kind, _ in school.told()] == ["delivery_staged"]


def test_a_look_costs_as_many_queries_for_many_schools_as_for_one(school: Watched):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            school.look()
        return len(captured)

    school.run(State.NOT_PROVEN, proof=proof(missing=1))
    school.look()
    alone = queries()
    for number in range(20):
        school.run(State.PROVEN, proof=proof())
        Institute.objects.create(
            organisation=school.institute.organisation, sourced_id=f"more-{number}", name="More"
        ).sources.create(kind="test")
    school.look()
    assert queries() <= alone


def test_somebody_says_that_they_know(school: Watched):
    school.run(State.NOT_PROVEN, proof=proof(missing=1))
    school.look()
    number = open_notices().get().pk

    assert mark_seen(school.institute, [number], school.clock) == 1
    assert mark_seen(school.institute, [], school.clock) == 0
    with pytest.raises(InputRefused, match="no open notice"):
        mark_seen(school.institute, [number + 1], school.clock)


def test_several_processes_that_look_at_once_tell_a_cause_once(school: Watched):
    school.run(State.NOT_PROVEN, proof=proof(missing=1))
    together = threading.Barrier(4)

    def look() -> int:
        together.wait(30)
        try:
            return len(school.look().raised)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        raised = [each.result() for each in [pool.submit(look) for _ in range(4)]]

    assert sum(raised) == Outbox.objects.count() == Notice.objects.count() == 1
