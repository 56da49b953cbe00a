"""Connecting: what holds once a school and its tenant are joined."""

from __future__ import annotations

import pytest
from tests.scenarios.stage import Calendar, Stage, proves

from rollbook.acts import register
from rollbook.acts.register import Typed
from rollbook.acts.runs import synchronize
from rollbook.errors import ApprovalDue, TenantBusy
from rollbook.store import leases
from rollbook.store.models import Connection, Trail


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

    assert "7A Art gains Maria Papadaki: enrolment began 2027-02-01" in then.told
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


@proves("P14k")
def test_somebody_added_by_hand_gets_an_account_and_a_class_like_anybody_else_and_keeps_both(stage: Stage):
    a_class(stage)
    stage.synchronise()
    zoe = Typed({"given_name": "Zoë", "family_name": "Laskari"}, ["student"], ["7A Maths"])

    register.add_person(stage.institute(), zoe, stage.author)
    stage.synchronise()
    assert stage.tenant.account("Zoë Laskari").licences == ("student",)
    stage.school.student("Jan Kowalski", "7A Maths")
    stage.synchronise()

    everybody = {"Nikos Vasilakis", "Maria Papadaki", "Zoë Laskari", "Jan Kowalski"}
    assert stage.tenant.members("7A Maths") == everybody
    assert all(account.enabled for account in stage.tenant.accounts())


@proves("P14k")
def test_what_is_corrected_by_hand_counts_more_than_a_delivery_until_it_is_taken_back(stage: Stage):
    a_class(stage)
    stage.synchronise()
    register.edit_person(stage.institute(), "p2", Typed({"preferred_given_name": "Mary"}), stage.author)
    stage.school.changes("Maria Papadaki", family_name="Makri")
    stage.synchronise()
    assert stage.tenant.names() == {"Nikos Vasilakis", "Mary Papadaki"}

    register.reset_person(stage.institute(), "p2", stage.author)
    stage.synchronise()

    assert stage.tenant.names() == {"Nikos Vasilakis", "Maria Makri"}


@proves("P14k")
def test_somebody_deactivated_by_hand_counts_as_having_left(stage: Stage):
    a_class(stage)
    stage.synchronise()

    register.deactivate_person(stage.institute(), "p2", stage.author)
    stage.synchronise()

    assert not stage.tenant.account("Maria Papadaki").enabled
    assert stage.tenant.members("7A Maths") == {"Nikos Vasilakis"}


@proves("P14k")
def test_enrolments_begin_and_end_by_hand(stage: Stage):
    a_class(stage)
    stage.school.teaches("Nikos Vasilakis", "7A Art")
    stage.synchronise()

    register.add_enrolment(stage.institute(), "p2", "7A Art", stage.author, stage.today)
    register.end_enrolment(stage.institute(), "p2", "7A Maths", stage.author, stage.today)
    stage.synchronise()

    assert stage.tenant.members("7A Art") == {"Nikos Vasilakis", "Maria Papadaki"}
    assert stage.tenant.members("7A Maths") == {"Nikos Vasilakis"}


@proves("P14k")
def test_the_trail_says_who_did_what_by_hand_and_names_nobody(stage: Stage):
    a_class(stage)
    stage.institute()
    register.edit_person(stage.institute(), "p2", Typed({"preferred_given_name": "Mary"}), stage.author)
    register.end_enrolment(stage.institute(), "p2", "7A Maths", stage.author, stage.today)

    entries = Trail.objects.filter(action__in=["person.edited", "enrolment.ended"]).order_by("pk")

    assert [(entry.action, entry.actor) for entry in entries] == [
        ("person.edited", "tester"),
        ("enrolment.ended", "tester"),
    ]
    assert not [entry for entry in entries if "Mar" in str(entry.content)]
