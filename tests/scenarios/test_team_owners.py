"""Owners of teams: no team without one, who stays until somebody else comes, and who owns teams beside their teachers."""

from __future__ import annotations

import pytest
from tests.scenarios.stage import Stage, actions, proves, roles
from tests.scenarios.tenant import made_by_others

from rollbook.acts.lost_settings import lost
from rollbook.errors import ProfileInvalid


def a_class(stage: Stage) -> None:
    """A class with a teacher and a student."""
    stage.school.teacher("Nikos Vasilakis", "7A").student("Maria Papadaki", "7A")


@proves("P75b")
def test_a_class_without_a_teacher_waits_and_has_its_team_once_there_is_one(stage: Stage):
    stage.school.student("Maria Papadaki", "7A")

    done = stage.synchronise()

    assert stage.tenant.groups() == set()
    assert "no teacher yet" in done.reason("7A")

    stage.school.teacher("Nikos Vasilakis", "7A")
    stage.synchronise()
    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "Maria Papadaki"}


@proves("P75b")
@pytest.mark.parametrize("lacking", ["the sign-in", "a licence", "an account"])
def test_a_class_whose_teacher_cannot_own_a_team_yet_waits_and_has_it_afterwards(stage: Stage, lacking: str):
    a_class(stage)
    if lacking == "the sign-in":
        stage.tenant_holds(made_by_others("nikos", employee_id="S1", accountEnabled=False))
    elif lacking == "a licence":
        stage.profile(users=roles(teacher={"licences": []}))
    else:
        stage.profile(users=actions(teacher="Update"))

    done = stage.synchronise()

    assert stage.tenant.teams() == set()
    assert "no teacher of the class has an enabled account with a licence yet" in done.reason("7A")

    if lacking == "the sign-in":
        stage.tenant.control("edit", user=stage.tenant.account("nikos").object_id, set={"accountEnabled": True})
    elif lacking == "a licence":
        stage.tenant.give_licence("Nikos Vasilakis", "staff")
    else:
        stage.profile(users=actions(teacher="Create, Update"))
    stage.synchronise()
    assert stage.tenant.teams() == {"7A"}
    assert stage.tenant.owners("7A") == {"Nikos Vasilakis"}


@proves("P75b")
def test_a_standard_team_waits_for_its_teacher_like_a_class_team(stage: Stage):
    stage.school.student("Maria Papadaki", "7A")
    stage.profile(teams={"template": "standard"})

    assert "no teacher yet" in stage.synchronise().reason("7A")
    assert stage.tenant.groups() == set()


@proves("P75c")
def test_a_new_teacher_becomes_owner_before_the_old_one_leaves(stage: Stage):
    a_class(stage)
    stage.synchronise()
    stage.school.drops("Nikos Vasilakis", "7A").teacher("Eleni Demetriou", "7A")

    stage.synchronise()

    assert stage.tenant.owners("7A") == {"Eleni Demetriou"}
    assert stage.tenant.members("7A") == {"Eleni Demetriou", "Maria Papadaki"}


@proves("P75c")
def test_the_last_owner_stays_until_there_is_another_and_the_proof_says_why(stage: Stage):
    a_class(stage)
    stage.synchronise()
    stage.school.drops("Nikos Vasilakis", "7A")

    done = stage.synchronise()

    assert stage.tenant.owners("7A") == {"Nikos Vasilakis"}
    assert "is the last owner" in done.reason("7A no longer has the owner Nikos Vasilakis")
    assert done.proof_says("7A", "Nikos Vasilakis") == {"kept"}

    stage.school.teacher("Eleni Demetriou", "7A")
    stage.synchronise()
    assert stage.tenant.owners("7A") == {"Eleni Demetriou"}
    assert stage.tenant.members("7A") == {"Eleni Demetriou", "Maria Papadaki"}


@proves("P75c")
def test_of_two_owners_who_leave_at_once_one_stays(stage: Stage):
    a_class(stage)
    stage.school.teacher("Eleni Demetriou", "7A")
    stage.synchronise()
    stage.school.drops("Nikos Vasilakis", "7A").drops("Eleni Demetriou", "7A")

    stage.synchronise()

    assert len(stage.tenant.owners("7A")) == 1
    assert stage.tenant.owners("7A") < {"Nikos Vasilakis", "Eleni Demetriou"}


def two_campuses(stage: Stage) -> None:
    """A class in a school that lies within a campus, and one elsewhere; two heads who teach nobody."""
    school = stage.school.place("North").place("Lycee", within="North").place("Science", within="Lycee").place("South")
    school.klass("7A", teachers=["Nikos Vasilakis"], students=["Maria Papadaki"]).is_of("7A", location="Science")
    school.klass("8B", teachers=["Eleni Demetriou"], students=["Jan Kowalski"]).is_of("8B", location="South")
    school.employee("Omar Haddad", sourced_id="head").employee("Ines Costa", sourced_id="head of north")
    stage.profile(users=actions(employee="Create, Update"))


@proves("P75d")
def test_somebody_set_as_owner_owns_every_team_beside_its_teachers(stage: Stage):
    two_campuses(stage)
    stage.profile(teams={"extra_owners": [{"person": "head"}]})

    stage.synchronise()

    assert stage.tenant.owners("7A") == {"Nikos Vasilakis", "Omar Haddad"}
    assert stage.tenant.owners("8B") == {"Eleni Demetriou", "Omar Haddad"}
    assert "Omar Haddad" in stage.tenant.members("7A")


@proves("P75d")
def test_somebody_set_as_owner_for_a_location_owns_the_teams_of_what_lies_below_it_only(stage: Stage):
    two_campuses(stage)
    stage.profile(teams={"extra_owners": [{"location": "location North", "person": "head of north"}]})

    stage.synchronise()

    assert stage.tenant.owners("7A") == {"Nikos Vasilakis", "Ines Costa"}
    assert stage.tenant.owners("8B") == {"Eleni Demetriou"}


@proves("P75d")
def test_a_location_that_left_the_register_stops_nobody_and_is_said_and_cannot_be_named_anew(stage: Stage):
    two_campuses(stage)
    owners = [{"person": "head"}, {"location": "location Attic", "person": "head of north"}]
    stage.profile(teams={"extra_owners": owners})
    with pytest.raises(
        ProfileInvalid, match=r"teams\.extra_owners\.1\.location: the register has no location 'location Attic'"
    ):
        stage.institute()
    owners[1]["location"] = "location North"
    settings = stage.profile(teams={"extra_owners": owners})
    stage.synchronise()
    del stage.school.within["location", "North"]
    stage.school.place("Lycee")

    stage.synchronise()

    assert stage.tenant.owners("7A") == {"Nikos Vasilakis", "Omar Haddad"}
    assert [path for path, _ in lost(stage.institute(), settings)] == ["teams.extra_owners.1.location"]


@proves("P75d")
def test_whoever_is_no_longer_set_as_owner_leaves_the_teams(stage: Stage):
    two_campuses(stage)
    stage.profile(teams={"extra_owners": [{"person": "head"}]})
    stage.synchronise()
    stage.profile(teams={"extra_owners": []})

    stage.synchronise()

    assert stage.tenant.owners("7A") == {"Nikos Vasilakis"}
    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "Maria Papadaki"}


@proves("P75d", "P75b")
def test_a_class_without_a_teacher_has_its_team_where_somebody_is_set_as_owner(stage: Stage):
    two_campuses(stage)
    stage.school.drops("Nikos Vasilakis", "7A")
    stage.profile(
        teams={"extra_owners": [{"person": "head"}]},
        users=roles(employee={"licences": [{"sku": "STANDARDWOFFPACK_FACULTY"}]}),
    )

    stage.synchronise()

    assert stage.tenant.owners("7A") == {"Omar Haddad"}
    assert stage.tenant.members("7A") == {"Omar Haddad", "Maria Papadaki"}
