"""Teams: what becomes a team, and how a class that is there already is found. (More comes with the page's second half.)"""

from __future__ import annotations

import pytest
from tests.scenarios.stage import Stage, proves
from tests.scenarios.tenant import made_by_others

from rollbook.errors import ProfileInvalid


def two_classes(stage: Stage) -> None:
    """Maths for group A and for group B, with one teacher and a student each."""
    stage.school.is_taught("7A Maths", group="7A", subject="Maths").is_taught("7B Maths", group="7B", subject="Maths")
    stage.school.klass("7A Maths", teachers=["Nikos Vasilakis"], students=["Maria Papadaki"])
    stage.school.klass("7B Maths", teachers=["Nikos Vasilakis"], students=["Jan Kowalski"])


@proves("P71")
def test_a_mode_there_is_none_of_is_refused(stage: Stage):
    with pytest.raises(ProfileInvalid, match=r"teams\.create"):
        stage.profile(teams={"create": "everything"})


@proves("P72")
def test_with_nothing_no_team_is_made_and_people_have_their_accounts_all_the_same(stage: Stage):
    two_classes(stage)
    stage.profile(teams={"create": "nothing"})

    stage.synchronise()

    assert stage.tenant.teams() == set()
    assert stage.tenant.names() == {"Nikos Vasilakis", "Maria Papadaki", "Jan Kowalski"}


@proves("P72")
def test_teams_that_are_there_are_left_alone_once_nothing_is_to_be_a_team(stage: Stage):
    two_classes(stage)
    stage.synchronise()
    stage.profile(teams={"create": "nothing"})
    stage.school.drops("Maria Papadaki", "7A Maths")

    stage.synchronise()

    assert stage.tenant.teams() == {"7A Maths", "7B Maths"}
    assert stage.tenant.members("7A Maths") == {"Nikos Vasilakis", "Maria Papadaki"}


@proves("P75")
def test_each_combination_of_group_and_subject_is_a_team_of_its_own(stage: Stage):
    two_classes(stage)
    stage.school.is_taught("7A Art", group="7A", subject="Art")
    stage.school.klass("7A Art", teachers=["Nikos Vasilakis"], students=["Maria Papadaki"])
    stage.profile(teams={"mappings": {"display_name": {"type": "expression", "value": "{{ subject }} {{ group }}"}}})

    stage.synchronise()

    assert stage.tenant.teams() == {"Maths 7A", "Maths 7B", "Art 7A"}
    assert stage.tenant.members("Maths 7A") == {"Nikos Vasilakis", "Maria Papadaki"}
    assert stage.tenant.members("Maths 7B") == {"Nikos Vasilakis", "Jan Kowalski"}
    assert stage.tenant.members("Art 7A") == {"Nikos Vasilakis", "Maria Papadaki"}


def a_class_is_there(stage: Stage, **more: str) -> None:
    """A class group that somebody else made, with its teacher."""
    stage.tenant_holds(made_by_others("nikos", "Nikos Vasilakis", employee_id="S1"))
    given = {"displayName": "Maths (old)", "mailNickname": "maths", "owners": ["nikos@sample-school.example"], **more}
    stage.tenant.control("seed", classes=[{**given, "members": given["owners"]}])


@proves("P78")
def test_a_class_that_is_there_is_found_by_its_external_id_and_goes_on(stage: Stage):
    two_classes(stage)
    a_class_is_there(stage, externalId="c1")

    stage.synchronise()

    assert stage.tenant.teams() == {"7A Maths", "7B Maths"}
    assert stage.tenant.running.directory.groups.one("mailNickname", "maths")["displayName"] == "7A Maths"


@proves("P78")
def test_where_teams_are_not_matched_a_class_that_is_there_is_left_alone(stage: Stage):
    two_classes(stage)
    a_class_is_there(stage, externalId="c1")
    stage.profile(teams={"match": "nothing"})

    stage.synchronise()

    assert stage.tenant.teams() == {"7A Maths", "7B Maths"}
    assert stage.tenant.running.directory.groups.one("mailNickname", "maths")["displayName"] == "Maths (old)"


@proves("P79")
def test_once_linked_a_class_is_known_by_its_id_whatever_is_changed_in_it(stage: Stage):
    two_classes(stage)
    a_class_is_there(stage, externalId="c1")
    stage.synchronise()
    stage.tenant.control("edit", group="maths", set={"displayName": "Ours", "externalId": "X", "mailNickname": "ours"})

    stage.synchronise()

    assert stage.tenant.teams() == {"7A Maths", "7B Maths"}
    assert stage.tenant.running.directory.groups.one("mailNickname", "ours")["displayName"] == "7A Maths"
