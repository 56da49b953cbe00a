"""Connecting: what holds once a school and its tenant are joined."""

from __future__ import annotations

import pytest
from tests.scenarios.stage import Calendar, Stage, proves

from rollbook.acts.runs import synchronize
from rollbook.errors import ApprovalDue, TenantBusy
from rollbook.store import leases
from rollbook.store.models import Connection


def a_class(stage: Stage) -> None:
    """One class with a teacher and a student."""
    stage.school.teacher("Nikos Vasilakis", "7A Maths").student("Maria Papadaki", "7A Maths")


@proves("P14")
def test_whoever_is_new_in_the_register_has_an_account_a_licence_and_a_team_after_the_next_synchronization(
    stage: Stage,
):
    a_class(stage)
    stage.synchronise()
    assert stage.tenant.names() == {"Nikos Vasilakis", "Maria Papadaki"}

    stage.school.student("Jan Kowalski", "7A Maths")
    stage.synchronise()

    jan = stage.tenant.account("Jan Kowalski")
    assert jan.enabled
    assert jan.licences == ("student",)
    assert stage.tenant.members("7A Maths") == {"Nikos Vasilakis", "Maria Papadaki", "Jan Kowalski"}


@proves("P14", "P14j")
def test_a_second_synchronization_of_an_unchanged_school_writes_nothing(stage: Stage):
    a_class(stage)
    stage.synchronise()
    before = stage.tenant.everything()

    done = stage.synchronise()

    assert (done.changes, done.writes) == (0, 0)
    assert stage.tenant.everything() == before


@proves("P14e")
def test_a_preview_says_what_would_happen_to_whom_and_changes_nothing(stage: Stage):
    a_class(stage)

    seen = stage.preview()

    assert "Maria Papadaki gets an account: in the register, without an account" in seen.told
    assert "7A Maths becomes a team: the class group is not a team yet" in seen.told
    assert stage.tenant.names() == set()


@proves("P14e", "P47g")
def test_a_preview_of_another_day_shows_what_will_be_due_then(stage: Stage):
    a_class(stage)
    stage.synchronise()
    stage.school.joins("Maria Papadaki", "7A Art", begin="2027-02-01")

    assert not [line for line in stage.preview().told if "7A Art" in line]
    stage.school.teaches("Nikos Vasilakis", "7A Art", begin="2027-02-01")
    then = stage.on("2027-01-20").preview()

    assert "7A Art gained Maria Papadaki: enrolment began 2027-02-01" in then.told
    assert stage.tenant.teams() == {"7A Maths"}


@proves("P14g")
def test_while_one_synchronization_holds_the_tenant_another_is_told_who_does(stage: Stage):
    a_class(stage)
    stage.synchronise()
    tenant = Connection.objects.get().tenant
    held = leases.acquire(tenant, Calendar(stage.today).now(), "another-machine:1")

    with pytest.raises(TenantBusy, match="another-machine"):
        stage.synchronise()
    leases.release(held)

    assert stage.synchronise().changes == 0


@proves("P14h")
def test_a_plan_that_waits_for_approval_does_not_keep_the_tenant(stage: Stage):
    a_class(stage)
    with stage.opened() as session, pytest.raises(ApprovalDue):
        synchronize(session, None)

    assert stage.synchronise().writes > 0
