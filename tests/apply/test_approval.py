"""Who has to agree before a plan is applied, and what an approval is good for."""

from __future__ import annotations

import pytest
from tests.world import School, Tenant

from rollbook.apply.approval import Approval, approve, needs_person
from rollbook.errors import ApprovalDue, Exit, InputRefused

MATHS = "7A Maths"


def a_school() -> School:
    return School().klass(MATHS, teachers=["Nikos Vasilakis"], students=[f"Pupil {n}" for n in range(1, 13)])


def test_the_first_run_always_waits_for_a_person():
    plan = Tenant().plan(a_school())

    with pytest.raises(ApprovalDue) as due:
        approve(plan, None)

    assert due.value.fingerprint == plan.fingerprint
    assert due.value.exit_code == Exit.APPROVAL_DUE
    assert plan.fingerprint in due.value.remedy


def test_an_approval_of_this_fingerprint_is_enough_and_remembers_who_gave_it():
    plan = Tenant().plan(a_school())

    approval = approve(plan, Approval(plan.fingerprint, actor="maria"))

    assert (approval.actor, approval.unattended) == ("maria", False)


def test_an_approval_of_another_fingerprint_does_not_apply_anything():
    with pytest.raises(ApprovalDue, match="the plan is now"):
        approve(Tenant().plan(a_school()), Approval("0" * 12, actor="maria"))


def test_an_approval_where_nothing_waits_is_said_as_that():
    school, tenant = a_school(), Tenant()
    tenant.apply(tenant.plan(school))

    with pytest.raises(InputRefused, match="nothing of it waits"):
        approve(tenant.plan(school), Approval("deadbeef", actor="maria"))


def test_a_small_later_plan_needs_nobody():
    school, tenant = a_school(), Tenant()
    tenant.apply(tenant.plan(school))

    plan = tenant.plan(
        school.drops("Pupil 1", MATHS).klass("7A Art", teachers=["Nikos Vasilakis"], students=["Pupil 1"])
    )

    assert needs_person(plan) == []
    assert approve(plan, None).unattended


@pytest.mark.parametrize(
    ("leavers", "guards"),
    [
        (1, []),
        (2, ["accounts-disabled", "members-removed"]),
        (8, ["accounts-disabled", "members-removed", "teams-emptied"]),
    ],
)
def test_many_leavers_wait_for_a_person_also_in_a_small_school(leavers, guards):
    school, tenant = a_school(), Tenant()
    tenant.apply(tenant.plan(school))
    for number in range(1, leavers + 1):
        school.leaves(f"Pupil {number}")

    assert needs_person(tenant.plan(school)) == guards


def test_a_plan_with_nothing_to_do_needs_nobody_even_the_first_time():
    assert needs_person(Tenant().plan(School())) == []
