"""Scope: a careful start with a part of the school, and people and classes that are left alone one by one."""

from __future__ import annotations

from typing import Any

import pytest
from tests.scenarios.stage import Stage, proves
from tests.scenarios.tenant import made_by_others


def a_school_of_two_parts(stage: Stage) -> None:
    """Upper and Lower School, each with a grade, a class, its teacher and a student, and a location with its sourced id."""
    school = stage.school
    school.student("Maria Papadaki", "7A Maths", location="Lower School", grade="7th grade")
    school.student("Jan Kowalski", "10B Maths", location="Upper School", grade="10th grade")
    school.teacher("Nikos Vasilakis", "7A Maths").teacher("Eleni Demetriou", "10B Maths")
    school.is_taught("7A Maths", group="7A", subject="Maths").is_taught("10B Maths", group="10B", subject="Maths")
    school.is_of("7A Maths", location="Lower School", grade="7th grade")
    school.is_of("10B Maths", location="Upper School", grade="10th grade")


PILOTS: dict[str, dict[str, Any]] = {
    "a location": {"locations": ["location Lower School"]},
    "a grade": {"grades": ["7th grade"]},
    "a group": {"groups": ["group 7A"]},
    "two people": {"people": ["p1", "p3"]},
}


@proves("P15a")
@pytest.mark.parametrize("scope", PILOTS.values(), ids=PILOTS)
def test_a_pilot_has_the_accounts_and_teams_of_the_chosen_part_with_its_teachers_and_of_nobody_else(
    stage: Stage, scope: dict[str, Any]
):
    a_school_of_two_parts(stage)
    stage.profile(scope=scope)

    stage.synchronise()

    assert stage.tenant.names() == {"Maria Papadaki", "Nikos Vasilakis"}
    assert stage.tenant.teams() == {"7A Maths"}
    assert stage.tenant.members("7A Maths") == {"Maria Papadaki", "Nikos Vasilakis"}


@proves("P15a")
def test_an_account_outside_the_pilot_is_neither_matched_nor_changed_nor_disabled(stage: Stage):
    a_school_of_two_parts(stage)
    stage.tenant_holds(made_by_others("jan", "J. K.", employee_id="S2"))
    stage.profile(scope={"grades": ["7th grade"]})
    before = stage.tenant.account("jan")

    stage.synchronise()
    stage.school.leaves("Jan Kowalski")
    stage.synchronise()

    assert stage.tenant.account("jan") == before


@proves("P15a")
def test_when_the_pilot_is_over_the_rest_follows_and_the_first_part_stays_as_it_is(stage: Stage):
    a_school_of_two_parts(stage)
    stage.profile(scope={"grades": ["7th grade"]})
    stage.synchronise()
    pilot = stage.tenant.account("Maria Papadaki")

    stage.profile(scope={"grades": []})
    done = stage.synchronise()

    assert stage.tenant.names() == {"Maria Papadaki", "Jan Kowalski", "Nikos Vasilakis", "Eleni Demetriou"}
    assert stage.tenant.account("Maria Papadaki") == pilot
    assert not [line for line in done.told if "Maria" in line]


@proves("P15b")
def test_a_person_who_is_left_out_has_no_account_made_changed_or_disabled(stage: Stage):
    a_school_of_two_parts(stage)
    stage.profile(left_out={"people": ["p1"]})
    stage.synchronise()
    assert stage.tenant.names() == {"Jan Kowalski", "Nikos Vasilakis", "Eleni Demetriou"}

    stage.profile(left_out={"people": ["p2"]})
    stage.synchronise()
    before = stage.tenant.account("Jan Kowalski")
    stage.school.changes("Jan Kowalski", family_name="Nowak").drops("Jan Kowalski", "10B Maths")
    stage.synchronise()

    assert stage.tenant.account("Jan Kowalski") == before
    assert "Jan Kowalski" in stage.tenant.members("10B Maths")


@proves("P15b")
def test_a_class_that_is_left_out_becomes_no_team_and_keeps_its_people_if_it_is_one(stage: Stage):
    a_school_of_two_parts(stage)
    stage.profile(left_out={"classes": ["c1"]})
    stage.synchronise()
    assert stage.tenant.teams() == {"10B Maths"}

    stage.profile(left_out={"classes": ["c2"]})
    stage.school.drops("Jan Kowalski", "10B Maths").joins("Jan Kowalski", "7A Maths")
    stage.synchronise()

    assert stage.tenant.members("10B Maths") == {"Eleni Demetriou", "Jan Kowalski"}
    assert "Jan Kowalski" in stage.tenant.members("7A Maths")


@proves("P15e")
def test_the_first_run_tells_which_accounts_of_the_tenant_would_be_left_alone(stage: Stage):
    a_school_of_two_parts(stage)
    stage.tenant_holds(made_by_others("reception", "The reception"))

    assert stage.preview().left_alone == ("The reception",)
