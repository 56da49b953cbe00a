"""Enrolments: what each kind of person is in a team, and for whom it is made or kept. (More comes with the second half.)"""

from __future__ import annotations

import pytest
from tests.scenarios.stage import Stage, proves

OTHERS = ["assistant", "special_associate", "supervisor", "second_supervisor", "mentor"]


def a_class(stage: Stage) -> None:
    """A class with a teacher and a student."""
    stage.school.teacher("Nikos Vasilakis", "7A").student("Maria Papadaki", "7A")


@proves("P80")
def test_students_are_members_of_a_team(stage: Stage):
    a_class(stage)

    stage.synchronise()

    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "Maria Papadaki"}
    assert stage.tenant.owners("7A") == {"Nikos Vasilakis"}


@proves("P80")
def test_students_can_be_kept_out_of_teams(stage: Stage):
    a_class(stage)
    stage.profile(enrolments={"student": "none"})

    stage.synchronise()

    assert stage.tenant.members("7A") == {"Nikos Vasilakis"}
    assert stage.tenant.account("Maria Papadaki").enabled


@proves("P81")
def test_teachers_are_owners_of_a_team_and_members_too(stage: Stage):
    a_class(stage)

    stage.synchronise()

    assert stage.tenant.owners("7A") == {"Nikos Vasilakis"}
    assert "Nikos Vasilakis" in stage.tenant.members("7A")


@proves("P81")
def test_a_new_teacher_becomes_owner_before_the_old_one_leaves(stage: Stage):
    a_class(stage)
    stage.synchronise()
    stage.school.drops("Nikos Vasilakis", "7A").teacher("Eleni Demetriou", "7A")

    stage.synchronise()

    assert stage.tenant.owners("7A") == {"Eleni Demetriou"}
    assert stage.tenant.members("7A") == {"Eleni Demetriou", "Maria Papadaki"}


@proves("P82")
@pytest.mark.parametrize("chosen", ["owner", "member", "none"])
def test_every_other_teacher_type_is_owner_member_or_nothing_as_the_profile_says(stage: Stage, chosen: str):
    a_class(stage)
    for kind in OTHERS:
        stage.school.teacher(f"The {kind}").teaches(f"The {kind}", "7A", kind=kind)
    stage.profile(enrolments={"teachers": dict.fromkeys(OTHERS, chosen)})
    everyone = {f"The {kind}" for kind in OTHERS}

    stage.synchronise()

    assert stage.tenant.owners("7A") & everyone == (everyone if chosen == "owner" else set())
    assert stage.tenant.members("7A") & everyone == (everyone if chosen != "none" else set())


@proves("P82")
def test_unless_the_profile_says_otherwise_assistants_are_owners_and_the_other_types_are_nothing(stage: Stage):
    a_class(stage)
    for kind in OTHERS:
        stage.school.teacher(f"The {kind}").teaches(f"The {kind}", "7A", kind=kind)

    stage.synchronise()

    assert stage.tenant.owners("7A") == {"Nikos Vasilakis", "The assistant"}
    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "The assistant", "Maria Papadaki"}


@proves("P85")
def test_people_without_a_current_enrolment_get_an_account_that_is_disabled(stage: Stage):
    a_class(stage)
    stage.school.student("Jan Kowalski").teacher("Eleni Demetriou")

    stage.synchronise()

    assert {account.name: account.enabled for account in stage.tenant.accounts()} == {
        "Nikos Vasilakis": True,
        "Maria Papadaki": True,
        "Jan Kowalski": False,
        "Eleni Demetriou": False,
    }


@proves("P85")
def test_where_they_are_not_synchronized_they_get_no_account_and_those_who_have_one_keep_it_up_to_date(stage: Stage):
    a_class(stage)
    stage.school.student("Jan Kowalski", "7A")
    stage.synchronise()
    stage.profile(users={"without_enrolments": False})
    stage.school.drops("Jan Kowalski", "7A").changes("Jan Kowalski", given_name="Janek").student("Anna Rossi")

    stage.synchronise()

    assert stage.tenant.names() == {"Nikos Vasilakis", "Maria Papadaki", "Janek Kowalski"}
    assert not stage.tenant.account("Janek Kowalski").enabled


@proves("P86")
def test_unless_earlier_enrolments_are_kept_whoever_leaves_a_class_leaves_its_team(stage: Stage):
    a_class(stage)
    stage.school.klass("7B", teachers=["Nikos Vasilakis"])
    stage.synchronise()

    stage.school.drops("Maria Papadaki", "7A").joins("Maria Papadaki", "7B")
    stage.synchronise()

    assert stage.tenant.members("7A") == {"Nikos Vasilakis"}
    assert stage.tenant.members("7B") == {"Nikos Vasilakis", "Maria Papadaki"}


@proves("P86", "P87")
def test_where_earlier_enrolments_are_kept_people_are_added_to_teams_and_never_taken_out_or_made_less(stage: Stage):
    a_class(stage)
    stage.school.klass("7B", teachers=["Nikos Vasilakis"]).teacher("Eleni Demetriou", "7A")
    stage.profile(enrolments={"keep_previous": True})
    stage.synchronise()

    stage.school.drops("Maria Papadaki", "7A").joins("Maria Papadaki", "7B").drops("Eleni Demetriou", "7A")
    stage.synchronise()

    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "Maria Papadaki", "Eleni Demetriou"}
    assert stage.tenant.owners("7A") == {"Nikos Vasilakis", "Eleni Demetriou"}
    assert stage.tenant.members("7B") == {"Nikos Vasilakis", "Maria Papadaki"}
