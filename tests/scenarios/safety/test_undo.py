"""A run undone over the emulated tenant: what it did is put back, what was changed since is left, and the next run does it again."""

from __future__ import annotations

from typing import Any

import pytest
from tests.scenarios.stage import Stage, licences, roles
from tests.scenarios.tenant import made_by_others

from rollbook.acts.undo import carry_out, propose_undo
from rollbook.errors import ApprovalDue, InputRefused
from rollbook.plan.changes import Cause, ChangeVerdict, Kind
from rollbook.plan.guards import READINGS
from rollbook.store.models import Change, Run
from rollbook.store.runs import verdict_counts


def undone(stage: Stage, number: int | None = None) -> Run:
    """The newest run (or the one of this number) undone, to which whoever asked agreed."""
    with stage.opened() as session:
        runs = Run.objects.order_by("-number")
        run = propose_undo(session, runs.get(number=number) if number else runs[0])
        carry_out(session, run, run.fingerprint)
    return run


def held_by(stage: Stage) -> dict[str, Any]:
    """All the tenant holds, but for when sessions were ended, which nobody takes back."""
    found = stage.tenant.everything()
    accounts = {
        key: (account.name, account.user_name, account.enabled, account.licences, properties | {"signed_out_at": None})
        for key, (account, properties) in found["accounts"].items()
    }
    return found | {"accounts": accounts}


def waiting(run: Run) -> set[tuple[Kind, Cause]]:
    rows = Change.objects.filter(run=run, verdict=int(ChangeVerdict.WAITS)).values_list("kind", "cause")
    return {(Kind(kind), Cause(cause)) for kind, cause in rows}


def a_year(stage: Stage) -> None:
    stage.school.teacher("Nikos Vasilakis", "7A Maths").teacher("Eleni Ng", "7A Maths")
    stage.school.student("Maria Papadaki", "7A Maths").student("Jan Kowalski", "7A Maths")
    stage.synchronise()


def test_a_day_is_undone_and_the_next_synchronization_does_it_again(stage: Stage):
    a_year(stage)
    before = held_by(stage)
    stage.school.changes("Maria Papadaki", family_name="Ng").stops("Jan Kowalski", "7A Maths", "2026-10-02")
    stage.school.leaves("Eleni Ng")
    stage.on("2026-10-05").synchronise()
    after = held_by(stage)
    assert after != before

    run = undone(stage)

    assert set(verdict_counts(run)) == {ChangeVerdict.DONE}
    assert held_by(stage) == before
    stage.synchronise()
    assert held_by(stage) == after


def test_what_a_first_run_made_is_shut_and_stays_and_undoing_that_opens_it_again(stage: Stage):
    a_year(stage)

    run = undone(stage)

    assert not any(stage.tenant.account(name).enabled for name in ("Maria Papadaki", "Nikos Vasilakis"))
    assert stage.tenant.account("Maria Papadaki").licences == ()
    assert len(stage.tenant.people("7A Maths")) == 1
    assert (Kind.CREATE_TEAM, Cause.STAYS) in waiting(run)
    assert (Kind.REMOVE_OWNER, Cause.LAST_OWNER) in waiting(run)
    with stage.opened() as session:
        plan, _ = session.plan()
    # It was we who took everybody out: no reading is doubted because of it.
    assert READINGS.isdisjoint(objection.code for objection in plan.objections)
    undone(stage)
    assert stage.tenant.account("Maria Papadaki").enabled
    assert stage.tenant.people("7A Maths") == {"Nikos Vasilakis", "Eleni Ng", "Maria Papadaki", "Jan Kowalski"}


def test_a_stranger_who_was_removed_comes_back_and_plans_are_off_as_before(stage: Stage):
    stage.tenant_holds(made_by_others("o.nobody", "Odd Nobody"))
    stage.profile(users=roles(student=licences("student")))
    a_year(stage)
    stage.tenant.joins("Odd Nobody", "7A Maths")
    stage.profile(
        users=roles(student=licences("student", plans_off=("SHAREPOINTWAC",))), enrolments={"remove_unknown": True}
    )
    before = stage.tenant.plans_off("Maria Papadaki")
    stage.synchronise()
    assert stage.tenant.plans_off("Maria Papadaki") != before
    assert "Odd Nobody" not in stage.tenant.people("7A Maths")

    undone(stage)

    assert stage.tenant.plans_off("Maria Papadaki") == before
    assert "Odd Nobody" in stage.tenant.people("7A Maths")


def test_a_run_that_changed_nothing_is_refused_and_an_undoing_waits_for_a_person(stage: Stage):
    a_year(stage)
    stage.synchronise()
    with stage.opened() as session:
        with pytest.raises(InputRefused, match="changed nothing"):
            propose_undo(session, Run.objects.order_by("-number")[0])
        run = propose_undo(session, Run.objects.order_by("-number")[1])
        with pytest.raises(ApprovalDue):
            carry_out(session, run, None)
