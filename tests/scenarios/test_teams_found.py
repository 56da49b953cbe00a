"""Teams that are there already: how one is found, once, and known by its id from then on."""

from __future__ import annotations

import pytest
from tests.scenarios.stage import Stage, proves
from tests.scenarios.tenant import group_made_by_others, made_by_others
from tests.scenarios.two_classes import expression, named, two_classes


def a_class_is_there(stage: Stage, **more: str) -> None:
    """A class group that somebody else made, with its teacher."""
    stage.tenant_holds(
        made_by_others("nikos", "Nikos Vasilakis", employee_id="S1"),
        group_made_by_others(
            "Maths (old)",
            "class",
            mailNickname="maths",
            owners=["nikos"],
            members=["nikos"],
            visibility="HiddenMembership",
            **more,
        ),
    )


@proves("P78")
def test_a_class_that_is_there_is_found_by_its_external_id_and_goes_on(stage: Stage):
    two_classes(stage)
    a_class_is_there(stage, externalId="c1")

    stage.synchronise()

    assert stage.tenant.teams() == {"7A Maths", "7B Maths"}
    assert stage.tenant.group("maths").name == "7A Maths"


@proves("P76")
def test_a_team_that_is_there_is_found_by_its_e_mail_and_goes_on(stage: Stage):
    two_classes(stage)
    a_class_is_there(stage)
    stage.profile(
        teams={"match": "email", "mappings": {"mail_nickname": expression("{{ subject if group == '7A' else code }}")}}
    )

    stage.synchronise()

    assert stage.tenant.teams() == {"7A Maths", "7B Maths"}
    assert stage.tenant.group("maths").name == "7A Maths"


@proves("P77", "P78a")
@pytest.mark.parametrize("kind", ["class", "unified"])
def test_a_team_that_is_there_is_found_by_its_name_whatever_kind_of_group_it_is_and_goes_on_as_that(
    stage: Stage, kind: str
):
    two_classes(stage)
    stage.tenant_holds(
        made_by_others("nikos", "Nikos Vasilakis", employee_id="S1"),
        group_made_by_others("7A Maths", kind, mailNickname="ours", owners=["nikos"], members=["nikos"], team=True),
    )
    stage.profile(teams={"match": "name"})

    stage.synchronise()

    assert [group.name for group in stage.tenant.every_group()].count("7A Maths") == 1
    assert stage.tenant.group("7A Maths").kind == kind
    assert stage.tenant.group("7A Maths").nickname == "ours"
    assert stage.tenant.members("7A Maths") == {"Nikos Vasilakis", "Maria Papadaki"}


@proves("P78")
def test_where_teams_are_not_matched_a_class_that_is_there_is_left_alone(stage: Stage):
    two_classes(stage)
    a_class_is_there(stage, externalId="c1")
    stage.profile(teams={"match": "nothing"})

    stage.synchronise()

    assert stage.tenant.teams() == {"7A Maths", "7B Maths"}
    assert stage.tenant.group("maths").name == "Maths (old)"


@proves("P78b")
def test_where_two_groups_are_called_so_nothing_is_made_or_changed_before_somebody_decides(stage: Stage):
    two_classes(stage)
    twice = [group_made_by_others("7A Maths", mailNickname=name) for name in ("first", "second")]
    stage.tenant_holds(*twice)
    stage.profile(teams={"match": "name"})

    done = stage.synchronise()

    assert stage.tenant.teams() == {"7B Maths"}
    assert [stage.tenant.members(name) for name in ("first", "second")] == [set(), set()]
    assert done.said("7A Maths", "several match; choose one")


@proves("P78b")
def test_a_group_that_is_the_team_of_another_class_already_is_not_taken_from_it(stage: Stage):
    two_classes(stage)
    stage.tenant_holds(group_made_by_others("7A", mailNickname="first"))
    stage.profile(teams={"match": "name", **named("{{ group }}")})
    stage.synchronise()
    before = stage.tenant.group("7A").object_id
    stage.school.is_taught("7A Art", group="7A", subject="Art")
    stage.school.klass("7A Art", teachers=["Eleni Demetriou"], students=["Anna Rossi"])

    done = stage.synchronise()

    assert stage.tenant.group("7A").object_id == before
    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "Maria Papadaki"}
    assert done.said("7A Art", "belongs to somebody else already")


@proves("P78b")
def test_a_team_we_made_is_the_team_of_what_it_was_made_for_whatever_else_is_called_so(stage: Stage):
    two_classes(stage)
    stage.profile(teams={"match": "name", **named("{{ group }}")})
    stage.synchronise()
    stage.school.is_taught("7A Art", group="7A", subject="Art")
    stage.school.klass("7A Art", teachers=["Eleni Demetriou"], students=["Anna Rossi"])

    stage.synchronise()

    called = [group for group in stage.tenant.every_group() if group.name == "7A"]
    assert len(called) == 2
    assert stage.synchronise().writes == 0


@proves("P79")
def test_once_linked_a_class_is_known_by_its_id_whatever_is_changed_in_it(stage: Stage):
    two_classes(stage)
    a_class_is_there(stage, externalId="c1")
    stage.synchronise()
    stage.tenant.edits("maths", displayName="Ours", externalId="X", mailNickname="ours")

    stage.synchronise()

    assert stage.tenant.teams() == {"7A Maths", "7B Maths"}
    assert stage.tenant.group("ours").name == "7A Maths"
