"""Held enrolments: what began before the sync start date is not added by itself, and what becomes of it when it is let through."""

from __future__ import annotations

import pytest
from tests.scenarios.stage import Stage, proves

from rollbook.acts import held
from rollbook.roster.selection import Wanted


def a_class_of_late_comers(stage: Stage) -> None:
    """A class with a teacher; Maria since September, Jan since October; enrolments before the middle of September are held."""
    stage.school.teacher("Nikos Vasilakis", "7A").student("Maria Papadaki").student("Jan Kowalski")
    stage.school.joins("Maria Papadaki", "7A", "2026-09-01").joins("Jan Kowalski", "7A", "2026-09-28")
    stage.profile(enrolments={"sync_start_date": "2026-09-14"})


def of(stage: Stage, *people: str) -> held.Request:
    """A request about some people of the school, or about everybody."""
    wanted = Wanted(people=tuple(stage.school.people[name]["sourced_id"] for name in people))
    return held.Request(stage.connected(), wanted, stage.today, stage.author)


@proves("P83")
def test_whose_enrolment_began_before_the_day_is_not_added_and_whose_began_later_is(stage: Stage):
    a_class_of_late_comers(stage)

    done = stage.synchronise()

    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "Jan Kowalski"}
    assert done.said("7A", "Maria Papadaki", "held", "2026-09-01")


@proves("P83")
def test_the_day_itself_is_not_before_it(stage: Stage):
    a_class_of_late_comers(stage)
    stage.school.student("Anna Rossi").joins("Anna Rossi", "7A", "2026-09-14")

    stage.synchronise()

    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "Jan Kowalski", "Anna Rossi"}


@proves("P83")
def test_teachings_are_not_held_however_early_they_began(stage: Stage):
    a_class_of_late_comers(stage)

    stage.synchronise()

    assert stage.tenant.owners("7A") == {"Nikos Vasilakis"}


@proves("P83a")
def test_who_is_in_the_team_when_a_day_is_set_stays_until_the_enrolment_ends_and_leaves_as_usual(stage: Stage):
    a_class_of_late_comers(stage)
    stage.profile(enrolments={"sync_start_date": None})
    stage.synchronise()
    stage.profile(enrolments={"sync_start_date": "2026-09-14"})

    stage.synchronise()
    assert "Maria Papadaki" in stage.tenant.members("7A")

    stage.school.stops("Maria Papadaki", "7A", "2026-11-02")
    stage.on("2026-11-01").synchronise()
    assert "Maria Papadaki" in stage.tenant.members("7A")
    stage.on("2026-11-02").synchronise()
    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "Jan Kowalski"}


@proves("P83a")
def test_a_held_pupil_whom_somebody_put_into_the_team_by_hand_is_left_there(stage: Stage):
    a_class_of_late_comers(stage)
    stage.synchronise()
    stage.tenant.joins("Maria Papadaki", "7A")

    done = stage.synchronise()

    assert "Maria Papadaki" in stage.tenant.members("7A")
    assert done.writes == 0


@proves("P83b")
def test_a_held_enrolment_counts_for_the_account_its_licence_and_the_groups_of_hierarchies(stage: Stage):
    a_class_of_late_comers(stage)
    stage.school.is_of("7A", grade="7th grade")
    stage.profile(hierarchies={"student": {"levels": {"grade": {}}}})

    stage.synchronise()

    maria = stage.tenant.account("Maria Papadaki")
    assert (maria.enabled, maria.licences) == (True, ("student",))
    assert stage.tenant.members("7th grade (students)") == {"Maria Papadaki", "Jan Kowalski"}


@proves("P83c")
def test_what_is_held_is_listed_with_class_and_day_and_the_proof_does_not_call_it_missing(stage: Stage):
    a_class_of_late_comers(stage)
    done = stage.synchronise()

    (listed,) = held.held(of(stage)).enrolments

    assert (listed.name, listed.title) == ("Maria Papadaki", "7A")
    assert "2026-09-01" in listed.reason
    assert "2026-09-14" in listed.reason
    assert "missing" not in done.proof_says("7A", "Maria Papadaki")


@proves("P84")
def test_what_is_released_for_chosen_students_is_added_by_the_next_synchronization_and_nothing_else(stage: Stage):
    a_class_of_late_comers(stage)
    stage.school.student("Anna Rossi").joins("Anna Rossi", "7A", "2026-09-01")
    stage.synchronise()

    changed = held.release(of(stage, "Maria Papadaki"))
    assert (changed.enrolments, changed.people) == (1, 1)
    assert "Maria Papadaki" not in stage.tenant.members("7A")
    stage.synchronise()

    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "Jan Kowalski", "Maria Papadaki"}
    assert [each.name for each in held.held(of(stage)).enrolments] == ["Anna Rossi"]


@proves("P84a")
def test_a_release_is_remembered_over_deliveries_and_is_of_that_enrolment_alone(stage: Stage):
    a_class_of_late_comers(stage)
    stage.school.klass("7B", teachers=["Eleni Demetriou"])
    stage.synchronise()
    held.release(of(stage, "Maria Papadaki"))
    stage.synchronise()
    stage.school.joins("Maria Papadaki", "7B", "2026-09-02").student("Lena Berg", "7A")
    stage.school.changes("Maria Papadaki", given_name="Marie")

    stage.synchronise()

    assert "Marie Papadaki" in stage.tenant.members("7A")
    assert stage.tenant.members("7B") == {"Eleni Demetriou"}
    assert {(each.name, each.title) for each in held.held(of(stage)).enrolments} == {
        ("Marie Papadaki", "7B"),
        ("Lena Berg", "7A"),
    }


@proves("P84a")
@pytest.mark.parametrize("applied", [False, True], ids=["before it was added", "after it was added"])
def test_what_was_released_can_be_held_again(stage: Stage, applied: bool):
    a_class_of_late_comers(stage)
    stage.synchronise()
    held.release(of(stage, "Maria Papadaki"))
    if applied:
        stage.synchronise()

    assert held.hold_again(of(stage, "Maria Papadaki")).enrolments == 1
    stage.synchronise()

    # Whoever is in the team stays there: what is held is only not added.
    assert ("Maria Papadaki" in stage.tenant.members("7A")) == applied
