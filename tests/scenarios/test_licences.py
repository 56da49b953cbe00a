"""Licences: several of them with plans switched off, what is told beforehand, licences through groups, and whose they are."""

from __future__ import annotations

from tests.scenarios.stage import Stage, licences, proves, roles
from tests.scenarios.tenant import SEATS, made_by_others

FIRST_WITH_SEATS = {"licence_choice": "first_with_seats"}
STUDENTS, STAFF = "Licences: student, The School", "Licences: teacher, The School"


def a_class(stage: Stage, pupils: int = 1) -> None:
    """A class with its teacher and some students."""
    names = ["Maria Papadaki", *(f"Pupil {number}" for number in range(2, pupils + 1))]
    stage.school.klass("7A", teachers=["Nikos Vasilakis"], students=names)


def held(stage: Stage) -> dict[str, tuple[str, ...]]:
    """Who has which licences."""
    return {account.name: account.licences for account in stage.tenant.accounts()}


@proves("P65c")
def test_a_type_gets_every_licence_of_its_list_with_these_plans_off(stage: Stage):
    a_class(stage)
    stage.profile(users=roles(student=licences("student", "staff", plans_off=("SHAREPOINTWAC",))))

    stage.synchronise()

    assert held(stage)["Maria Papadaki"] == ("staff", "student")
    assert stage.tenant.plans_off("Maria Papadaki") == {"SHAREPOINTWAC"}
    assert stage.tenant.plans_off("Nikos Vasilakis") == set()


@proves("P65c")
def test_plans_follow_the_profile_where_it_names_them_and_are_left_as_they_are_where_it_does_not(stage: Stage):
    a_class(stage)
    stage.profile(users=roles(student=licences("student", plans_off=("SHAREPOINTWAC",))))
    stage.synchronise()
    stage.profile(users=roles(student=licences("student")))
    assert stage.synchronise().writes == 0
    assert stage.tenant.plans_off("Maria Papadaki") == {"SHAREPOINTWAC"}

    stage.profile(users=roles(student=licences("student", plans_off=())))
    stage.synchronise()

    assert stage.tenant.plans_off("Maria Papadaki") == set()


@proves("P65c", "P65b")
def test_of_licences_in_order_the_first_with_seats_is_given_and_whoever_has_one_keeps_it(stage: Stage):
    a_class(stage, pupils=SEATS["staff"] + 2)
    stage.profile(users=roles(teacher={"licences": []}, student=licences("staff", "student") | FIRST_WITH_SEATS))

    stage.synchronise()

    given = held(stage)
    assert given.pop("Nikos Vasilakis") == ()
    assert sorted(given.values()) == [("staff",)] * SEATS["staff"] + [("student",)] * 2
    assert stage.synchronise().changes == 0


@proves("P65d")
def test_before_anything_is_applied_it_is_told_how_many_are_needed_and_free_and_who_is_left_out(stage: Stage):
    a_class(stage, pupils=SEATS["student"] + 2)

    seen = stage.preview()

    told = {line.part: (line.needed, line.free, line.short) for line in seen.forecast}
    assert told == {
        "STANDARDWOFFPACK_STUDENT": (SEATS["student"] + 2, SEATS["student"], 2),
        "STANDARDWOFFPACK_FACULTY": (1, SEATS["staff"], 0),
    }
    assert len([line for line in seen.waits if "no free licence" in line]) == 2
    assert stage.tenant.names() == set()


@proves("P65d")
def test_once_everybody_has_a_licence_none_is_needed(stage: Stage):
    a_class(stage, pupils=3)
    stage.synchronise()

    told = {line.part: (line.needed, line.free) for line in stage.preview().forecast}

    assert told.get("STANDARDWOFFPACK_STUDENT", (0, 0))[0] == 0


@proves("P65e")
def test_licences_come_through_one_flat_group_a_type_and_the_class_follows_once_they_are_there(stage: Stage):
    a_class(stage, pupils=3)
    stage.profile(users={"licences_by_group": True})

    stage.synchronise()
    assert stage.tenant.members(STUDENTS) == {"Maria Papadaki", "Pupil 2", "Pupil 3"}
    assert stage.tenant.members(STAFF) == {"Nikos Vasilakis"}
    stage.synchronise()

    assert held(stage)["Maria Papadaki"] == ("student",)
    assert stage.tenant.teams() == {"7A"}
    assert stage.synchronise().changes == 0


@proves("P65e", "P50b")
def test_a_leaver_goes_from_the_licence_group_after_the_grace_and_somebody_added_by_hand_stays(stage: Stage):
    a_class(stage, pupils=3)
    stage.profile(users={"licences_by_group": True, "leaving": {"unlicense": True, "unlicense_days": 30}})
    stage.synchronise()
    stage.tenant_holds(made_by_others("speaker", "The speaker", usage_location="GR"))
    stage.tenant.joins("The speaker", STUDENTS)
    stage.school.leaves("Maria Papadaki")
    stage.synchronise()
    assert "Maria Papadaki" in stage.tenant.members(STUDENTS)

    stage.on("2026-10-31").synchronise()

    assert stage.tenant.members(STUDENTS) == {"Pupil 2", "Pupil 3", "The speaker"}
    assert held(stage)["Maria Papadaki"] == ()


@proves("P65f")
def test_when_the_profile_gives_another_licence_what_we_gave_is_replaced_and_what_others_gave_stays(stage: Stage):
    stage.tenant_holds(made_by_others("jan", employee_id="S9", usage_location="GR"))
    stage.tenant.give_licence("jan", "student")
    a_class(stage)
    stage.school.student("Jan Kowalski", "7A", sis_number="S9")
    stage.synchronise()

    stage.profile(users=roles(student=licences("staff")))
    stage.synchronise()

    assert held(stage)["Maria Papadaki"] == ("staff",)
    assert held(stage)["Jan Kowalski"] == ("staff", "student")


@proves("P65f", "P65b")
def test_nobody_loses_a_licence_before_there_is_a_seat_of_the_one_that_follows(stage: Stage):
    a_class(stage, pupils=SEATS["staff"] + 1)
    stage.profile(users=roles(teacher={"licences": []}))
    stage.synchronise()

    stage.profile(users=roles(student=licences("staff")))
    stage.synchronise()

    given = held(stage)
    assert given.pop("Nikos Vasilakis") == ()
    assert sorted(given.values()) == [("staff",)] * SEATS["staff"] + [("student",)]
