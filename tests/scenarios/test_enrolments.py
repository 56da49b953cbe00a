"""Enrolments: what each kind of person is in a team, from when to when, and for whom an account is made or a place kept."""

from __future__ import annotations

import pytest
from tests.scenarios.stage import Stage, actions, proves
from tests.scenarios.tenant import made_by_others

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


@proves("P80")
@pytest.mark.parametrize("chosen", ["owner", "member"])
def test_students_can_be_owners_too_as_in_a_team_of_adults(stage: Stage, chosen: str):
    a_class(stage)
    stage.profile(enrolments={"student": chosen})

    stage.synchronise()

    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "Maria Papadaki"}
    assert ("Maria Papadaki" in stage.tenant.owners("7A")) == (chosen == "owner")


@proves("P80")
def test_a_class_of_more_people_than_fit_into_one_request_is_filled(stage: Stage):
    pupils = {f"Pupil {number}" for number in range(45)}
    stage.profile(users={"roles": {"student": {"licences": []}}})
    stage.school.klass("7A", teachers=["Nikos Vasilakis"], students=sorted(pupils))

    stage.synchronise()

    assert stage.tenant.members("7A") == pupils | {"Nikos Vasilakis"}


@proves("P81")
def test_teachers_are_owners_of_a_team_and_members_too(stage: Stage):
    a_class(stage)

    stage.synchronise()

    assert stage.tenant.owners("7A") == {"Nikos Vasilakis"}
    assert "Nikos Vasilakis" in stage.tenant.members("7A")


@proves("P82", "P36")
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


def taken_out(stage: Stage) -> list[str]:
    """Removals from the members of groups that were asked for."""
    return [call for call in stage.tenant.writes() if call.startswith("DELETE") and "/members/" in call]


@proves("P82a", "P82b")
def test_whoever_is_to_be_an_owner_becomes_one_without_leaving_the_team(stage: Stage):
    a_class(stage)
    stage.school.teacher("Eleni Demetriou").teaches("Eleni Demetriou", "7A", kind="assistant")
    stage.profile(enrolments={"teachers": {"assistant": "member"}})
    stage.synchronise()
    assert stage.tenant.owners("7A") == {"Nikos Vasilakis"}
    stage.profile(enrolments={"teachers": {"assistant": "owner"}})

    done = stage.synchronise()

    assert stage.tenant.owners("7A") == {"Nikos Vasilakis", "Eleni Demetriou"}
    assert (done.changes, taken_out(stage)) == (1, [])


@proves("P82a", "P82b")
@pytest.mark.parametrize("activated", [False, True], ids=["locked", "open"])
def test_whoever_is_to_be_a_member_only_is_an_owner_no_longer_and_stays_in_the_team(stage: Stage, activated: bool):
    a_class(stage)
    stage.school.teacher("Eleni Demetriou").teaches("Eleni Demetriou", "7A", kind="assistant")
    stage.synchronise()
    if activated:
        stage.tenant.activates("7A")
    stage.profile(enrolments={"teachers": {"assistant": "member"}})

    stage.synchronise()

    assert stage.tenant.owners("7A") == {"Nikos Vasilakis"}
    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "Eleni Demetriou", "Maria Papadaki"}
    assert taken_out(stage) == []
    if activated:
        assert stage.tenant.roster("7A")["Eleni Demetriou"] == "member"
    assert stage.synchronise().changes == 0


@proves("P82b")
def test_a_second_look_at_an_unchanged_school_sends_nothing(stage: Stage):
    a_class(stage)
    stage.synchronise()

    again = stage.synchronise()

    assert (again.changes, again.writes) == (0, 0)


@proves("P82b")
def test_an_enrolment_that_is_delivered_anew_under_another_id_moves_nobody(stage: Stage):
    a_class(stage)
    stage.synchronise()
    stage.school.drops("Maria Papadaki", "7A").joins("Maria Papadaki", "7A", "2026-09-15")
    stage.school.enrolments[-1]["sourced_id"] = "another"

    again = stage.synchronise()

    assert (again.changes, again.writes) == (0, 0)
    assert "Maria Papadaki" in stage.tenant.members("7A")


@proves("P82c")
def test_a_student_who_changes_class_is_in_one_team_until_that_day_and_then_in_the_other(stage: Stage):
    a_class(stage)
    stage.school.klass("7B", teachers=["Eleni Demetriou"])
    stage.profile(users={"lead_days": 0})
    stage.synchronise()
    stage.school.moves("Maria Papadaki", "7A", "7B", on="2027-01-11")

    stage.on("2027-01-10").synchronise()
    assert "Maria Papadaki" in stage.tenant.members("7A")
    assert "Maria Papadaki" not in stage.tenant.members("7B")

    done = stage.on("2027-01-11").synchronise()
    assert "Maria Papadaki" not in stage.tenant.members("7A")
    assert "Maria Papadaki" in stage.tenant.members("7B")
    assert done.changes == 2


@proves("P82c")
def test_within_the_lead_days_a_student_who_is_to_change_class_is_in_both_teams(stage: Stage):
    a_class(stage)
    stage.school.klass("7B", teachers=["Eleni Demetriou"])
    stage.school.moves("Maria Papadaki", "7A", "7B", on="2027-01-11")

    stage.on("2027-01-04").synchronise()

    assert "Maria Papadaki" in stage.tenant.members("7A")
    assert "Maria Papadaki" in stage.tenant.members("7B")


@proves("P82d")
def test_a_substitute_owns_the_team_between_two_days_and_the_teacher_before_and_after(stage: Stage):
    a_class(stage)
    stage.school.teacher("Eleni Demetriou")
    stage.school.is_away("Nikos Vasilakis", "7A", "2026-11-02", "2027-02-01", instead="Eleni Demetriou")
    stage.profile(users={"lead_days": 0})
    owners = {}

    for morning in ("2026-11-01", "2026-11-02", "2027-01-31", "2027-02-01"):
        stage.on(morning).synchronise()
        owners[morning] = stage.tenant.owners("7A")

    assert owners == {
        "2026-11-01": {"Nikos Vasilakis"},
        "2026-11-02": {"Eleni Demetriou"},
        "2027-01-31": {"Eleni Demetriou"},
        "2027-02-01": {"Nikos Vasilakis"},
    }
    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "Maria Papadaki"}


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


@proves("P85a")
def test_employees_and_parents_need_no_enrolment_of_their_own_to_be_synchronized(stage: Stage):
    a_class(stage)
    stage.school.employee("Omar Haddad").parent("Eva Papadaki", of=["Maria Papadaki"]).student("Anna Rossi")
    everyone = actions(employee="Create, Update", parent="Create, Update")
    stage.profile(users=everyone | {"without_enrolments": False})

    stage.synchronise()

    assert stage.tenant.names() == {"Nikos Vasilakis", "Maria Papadaki", "Omar Haddad", "Eva Papadaki"}


@proves("P85a")
def test_an_account_that_is_there_keeps_its_sign_in_without_an_enrolment_where_deactivate_is_off(stage: Stage):
    a_class(stage)
    stage.tenant_holds(made_by_others("anna", "A. R.", employee_id="S3"))
    stage.school.student("Anna Rossi")
    stage.profile(users=actions(student="Create, Update") | {"without_enrolments": False})

    stage.synchronise()

    assert stage.tenant.account("anna").name == "Anna Rossi"
    assert stage.tenant.account("anna").enabled


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


@proves("P87", "P87a")
def test_who_is_kept_is_told_apart_in_the_proof_and_nobody_is_said_to_be_extra(stage: Stage):
    a_class(stage)
    stage.profile(enrolments={"keep_previous": True})
    stage.synchronise()
    stage.school.drops("Maria Papadaki", "7A")

    done = stage.synchronise()

    assert done.proof_says("7A", "Maria Papadaki") == {"kept"}
    assert "kept by rule" in next(why for _, who, _, why in done.deviations if who == "Maria Papadaki")


@proves("P87b")
def test_keeping_earlier_enrolments_keeps_nobody_in_the_groups_of_hierarchies(stage: Stage):
    a_class(stage)
    stage.school.klass("8B", teachers=["Eleni Demetriou"]).is_of("7A", grade="7th grade").is_of("8B", grade="8th grade")
    stage.profile(enrolments={"keep_previous": True}, hierarchies={"student": {"levels": {"grade": {}}}})
    stage.synchronise()
    stage.school.drops("Maria Papadaki", "7A").joins("Maria Papadaki", "8B")

    stage.synchronise()

    assert "Maria Papadaki" in stage.tenant.members("7A")
    assert stage.tenant.members("8th grade (students)") == {"Maria Papadaki"}
    assert stage.tenant.members("7th grade (students)") == set()


def a_guest_lecturer(stage: Stage) -> None:
    """A class whose team has somebody who is not in the register, put there by hand."""
    a_class(stage)
    stage.synchronise()
    stage.tenant_holds(made_by_others("vera", "Vera Lind"))
    stage.tenant.joins("vera", "7A")


@proves("P87c")
def test_people_who_were_added_by_hand_are_left_alone_and_shown(stage: Stage):
    a_guest_lecturer(stage)

    done = stage.synchronise()

    assert "Vera Lind" in stage.tenant.members("7A")
    assert done.changes == 0
    assert any(where == "7A" and "added by hand" in why for where, _, _, why in done.deviations)


@proves("P87c")
def test_somebody_of_the_register_who_was_added_by_hand_to_another_class_is_taken_out(stage: Stage):
    a_class(stage)
    stage.school.klass("7B", teachers=["Eleni Demetriou"], students=["Anna Rossi"])
    stage.synchronise()
    stage.tenant.joins("Anna Rossi", "7A")

    stage.synchronise()

    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "Maria Papadaki"}


@proves("P87d")
def test_people_who_are_not_in_the_register_are_removed_where_the_profile_says_so(stage: Stage):
    a_guest_lecturer(stage)
    stage.profile(enrolments={"remove_unknown": True})

    stage.synchronise()

    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "Maria Papadaki"}
    assert stage.tenant.account("vera").enabled


@proves("P87d")
def test_keeping_earlier_enrolments_goes_before_removing_people_who_are_not_in_the_register(stage: Stage):
    a_guest_lecturer(stage)
    stage.profile(enrolments={"remove_unknown": True, "keep_previous": True})

    stage.synchronise()

    assert "Vera Lind" in stage.tenant.members("7A")
