"""Guards, approval in parts, drift and freezing, as an administrator meets them: a school, a plan that goes too far, a tenant."""

from __future__ import annotations

import pytest
from tests.apply.wire import control
from tests.scenarios.stage import Stage
from tests.store.world import ACTOR

from rollbook.acts.approvals import Choice, agree, may_go, refuse, waiting_run
from rollbook.acts.freeze import freeze, frozen, thaw
from rollbook.acts.runs import apply_run, synchronize
from rollbook.acts.show import Show
from rollbook.errors import ApprovalDue, Frozen
from rollbook.plan.changes import ChangeVerdict
from rollbook.store.changes import select
from rollbook.store.models import Run
from rollbook.store.runs import verdict_counts
from rollbook.store.seen import guarding

PUPILS = [f"Pupil {n}" for n in range(1, 9)]


def a_running_school(stage: Stage) -> Stage:
    stage.school.teacher("Nikos Vasilakis", "7A Maths").teacher("Nikos Vasilakis", "7A Art")
    for name in PUPILS:
        stage.school.student(name, "7A Maths")
    stage.synchronise()
    return stage


def newest() -> Run:
    run = Run.objects.order_by("-number").first()
    assert run is not None
    return run


def told(run: Run, verdict: ChangeVerdict) -> set[str]:
    return {f"{line.sentence}; {line.hold}" for line in select(run, verdict=verdict).lines()}


def test_what_exceeds_a_limit_waits_and_everything_else_goes_ahead_at_once(stage):
    a_running_school(stage)
    for name in PUPILS[:3]:
        stage.school.leaves(name)
    stage.school.student("Zoe New", "7A Maths")

    with stage.opened() as session:
        done = synchronize(session, None)

    assert stage.tenant.account("Zoe New").enabled
    assert "Zoe New" in stage.tenant.members("7A Maths")
    assert all(stage.tenant.account(name).enabled for name in PUPILS)
    assert (done.run.state, done.proof.holds) == ("approval_due", True)
    assert "Pupil 1 may no longer sign in; waits for approval: many accounts would be disabled" in told(
        done.run, ChangeVerdict.UNAPPROVED
    )

    # Two are let go one by one, the third is refused.
    decided = agree(done.run, Choice(people=(stage.school.people["Pupil 1"]["sourced_id"],)), stage.author)
    assert (decided.going, decided.waiting) == (2, 4)
    refuse(done.run, Choice(people=(stage.school.people["Pupil 3"]["sourced_id"],)), "is on leave", stage.author)
    with stage.opened() as session:
        apply_run(session, done.run, None)
    assert [stage.tenant.account(name).enabled for name in PUPILS[:3]] == [False, True, True]

    # The next synchronization asks about the second alone, which is within every limit; the third is not asked again.
    with stage.opened() as session:
        done = synchronize(session, None)
    assert [stage.tenant.account(name).enabled for name in PUPILS[:3]] == [False, False, True]
    assert done.run.state == "proven"
    assert verdict_counts(done.run)[ChangeVerdict.DECLINED] == 2


def test_a_refusal_can_be_taken_back(stage):
    a_running_school(stage)
    for name in PUPILS[:3]:
        stage.school.leaves(name)
    with stage.opened() as session, pytest.raises(ApprovalDue):
        synchronize(session, None)
    run = waiting_run(stage.institute(), None)
    assert refuse(run, Choice(everything=True), "", stage.author).declined == 6

    assert agree(run, Choice(people=(stage.school.people["Pupil 2"]["sourced_id"],)), stage.author).going == 2
    assert may_go(run).declined.len() == 4


def test_of_a_first_run_a_single_pupil_is_let_in_and_the_rest_goes_on_waiting_as_a_first_run(stage):
    stage.school.teacher("Nikos Vasilakis", "7A Maths")
    for name in PUPILS[:2]:
        stage.school.student(name, "7A Maths")
    with stage.opened() as session, pytest.raises(ApprovalDue, match="first run"):
        synchronize(session, None)
    run = newest()
    agree(run, Choice(people=(stage.school.people["Pupil 1"]["sourced_id"],)), stage.author)

    with stage.opened() as session:
        apply_run(session, run, None)

    assert stage.tenant.members("7A Maths") == {"Nikos Vasilakis", "Pupil 1"}
    with stage.opened() as session, pytest.raises(ApprovalDue, match="first run"):
        synchronize(session, None)


def test_what_somebody_changed_between_approval_and_applying_is_not_overwritten(stage):
    a_running_school(stage)
    for name in PUPILS[:3]:
        stage.school.leaves(name)
    with stage.opened() as session, pytest.raises(ApprovalDue):
        synchronize(session, None)
    run = newest()
    disabled = stage.tenant.account("Pupil 1").object_id
    stage.tenant.control("edit", user=disabled, set={"accountEnabled": False})

    with stage.opened() as session:
        apply_run(session, run, run.fingerprint)

    assert verdict_counts(run) == {ChangeVerdict.DONE: 5, ChangeVerdict.DRIFTED: 1}
    (line,) = told(run, ChangeVerdict.DRIFTED)
    assert line.startswith("Pupil 1 may no longer sign in; left as it is: somebody changed it in the tenant")


def test_what_somebody_made_of_a_value_after_the_plan_is_told(stage):
    a_running_school(stage)
    stage.school.changes("Pupil 1", family_name="Ng")
    with stage.opened() as session:
        plan, _ = session.plan()
        run = session.save(plan)
    account = stage.tenant.account("Pupil 1")
    stage.tenant.control("edit", user=account.object_id, set={"displayName": "The Pupil"})

    with stage.opened() as session:
        apply_run(session, run, None)

    (line,) = told(run, ChangeVerdict.DRIFTED)
    assert "(display name: Pupil 1 -> The Pupil)" in line


def test_a_plan_that_is_applied_in_the_same_run_costs_no_further_reads(stage):
    a_running_school(stage)
    stage.school.leaves("Pupil 1")
    with stage.opened() as session:
        plan, _ = session.plan()
        run = session.save(plan)
        session.approve(run, plan, None)
        control(stage.tenant.running, "/counters/reset", {})
        session.apply(run)
    counted = control(stage.tenant.running, "/counters")
    assert counted["reads"] == 0, counted


def test_a_reading_of_the_tenant_that_shrank_makes_nothing_and_takes_nothing_away(stage):
    a_running_school(stage).on("2026-10-02")
    for name in PUPILS[:5]:
        stage.tenant.control("delete", user=stage.tenant.account(name).object_id, forever=True)
    stage.school.leaves("Pupil 8").student("Zoe New", "7A Maths")

    with stage.opened() as session, pytest.raises(ApprovalDue, match="institute administrator"):
        synchronize(session, None)

    run = newest()
    known = guarding(run.tenant, run.institute).accounts.height
    decided = agree(run, Choice(everything=True), stage.author)
    assert (decided.going, decided.waiting, decided.doubted) == (0, 5, 3)  # two need what is doubted
    with stage.opened() as session, pytest.raises(ApprovalDue, match="really is as it was read") as due:
        apply_run(session, run, run.fingerprint)
    assert f"rollbook approve {run.number} --accept-reading" in (due.value.remedy or "")
    assert agree(run, Choice(reading=True), stage.author).waiting == 0
    with stage.opened() as session:
        apply_run(session, run, None)
    assert stage.tenant.account("Zoe New").enabled
    assert known - guarding(run.tenant, run.institute).accounts.height == 4


def test_a_frozen_connection_is_written_to_by_nobody_until_it_is_thawed(stage):
    a_running_school(stage)
    stage.school.student("Zoe New", "7A Maths")
    freeze(stage.institute(), "holidays", stage.author)

    with stage.opened() as session, pytest.raises(Frozen, match=f"frozen since .* by {ACTOR.name}: holidays"):
        synchronize(session, None)
    assert "Zoe New" not in {account.name for account in stage.tenant.accounts()}

    thaw(stage.institute(), stage.author)
    stage.synchronise()
    assert stage.tenant.account("Zoe New").enabled


def test_freezing_stops_a_run_that_is_going_on_and_it_is_taken_up_after_thawing(stage):
    a_running_school(stage)
    stage.school.student("Zoe New", "7A Maths")
    with stage.opened() as session:
        plan, _ = session.plan()
        run = session.save(plan)
        session.approve(run, plan, None)
        school, author = stage.institute(), stage.author
        session.show = Show(progress=lambda stage, done, total: frozen(school) or freeze(school, "", author))
        with pytest.raises(Frozen):
            session.apply(run)
    assert run.state == "applying"
    assert ChangeVerdict.PLANNED in verdict_counts(run)

    thaw(stage.institute(), stage.author)
    stage.synchronise()
    assert "Zoe New" in stage.tenant.members("7A Maths")
