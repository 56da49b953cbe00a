"""Types of groups: security groups that stand one inside the other, Microsoft 365 groups side by side, and what each can do."""

from __future__ import annotations

from typing import Any

import pytest
from tests.scenarios.stage import Stage, actions, proves, roles
from tests.scenarios.tenant import DOMAIN

from rollbook.errors import ProfileInvalid

LEVELS = {"location": {}, "grade": {}}
EVERYBODY = {"Maria Papadaki", "Jan Kowalski", "Nikos Vasilakis"}


def two_grades(stage: Stage, **hierarchy: Any) -> None:
    """A house with two grades and a teacher of both, a head who teaches nobody, and the hierarchy of everybody."""
    stage.school.klass("7A", teachers=["Nikos Vasilakis"], students=["Maria Papadaki"])
    stage.school.klass("8B", teachers=["Nikos Vasilakis"], students=["Jan Kowalski"])
    stage.school.is_of("7A", location="House", grade="7th grade").is_of("8B", location="House", grade="8th grade")
    stage.school.employee("Omar Haddad", sourced_id="head", location="Elsewhere")
    users = actions(employee="Create, Update") | roles(employee={"licences": [{"sku": "STANDARDWOFFPACK_FACULTY"}]})
    stage.profile(users=users, hierarchies={"general": {"levels": LEVELS, **hierarchy}})


def unified(**more: Any) -> dict[str, Any]:
    """The settings of a hierarchy of Microsoft 365 groups, owned by the head."""
    return {"group_type": "unified", "owners": ["head"], **more}


@proves("P92", "P95")
def test_security_groups_are_what_permissions_are_given_to_and_have_no_mailbox(stage: Stage):
    two_grades(stage)

    stage.synchronise()

    group = stage.tenant.group("House / 7th grade")
    assert (group.kind, group.mail) == ("security", None)
    assert stage.tenant.graph("GET", f"/groups/{group.object_id}").json()["securityEnabled"]
    assert stage.tenant.groups_of("unified") == set()


@proves("P94", "P94a")
def test_security_groups_stand_one_inside_the_other_with_people_in_their_deepest_ones_only(stage: Stage):
    two_grades(stage)

    stage.synchronise()

    assert stage.tenant.nested("House") == {"House / 7th grade", "House / 8th grade"}
    assert stage.tenant.people("House") == set()
    assert stage.tenant.people("House / 7th grade") == {"Maria Papadaki", "Nikos Vasilakis"}
    assert stage.tenant.everybody_in("House") == EVERYBODY


@proves("P94", "P94b")
def test_unified_groups_stand_side_by_side_with_everybody_of_what_lies_below(stage: Stage):
    two_grades(stage, **unified())

    stage.synchronise()

    assert stage.tenant.nested("House") == set()
    assert stage.tenant.people("House") - {"Omar Haddad"} == EVERYBODY
    assert stage.tenant.people("House / 7th grade") - {"Omar Haddad"} == {"Maria Papadaki", "Nikos Vasilakis"}


@proves("P94a", "P94b")
def test_both_kinds_of_groups_are_of_the_same_people(stage: Stage):
    two_grades(stage)
    stage.synchronise()
    names = stage.tenant.groups_of("security")
    before = {name: stage.tenant.everybody_in(name) for name in names}
    stage.profile(hierarchies={"general": unified()})

    stage.synchronise()

    flat = [group for group in stage.tenant.every_group() if group.kind == "unified"]
    assert {group.name for group in flat} == names
    owner_added = {"Omar Haddad"}
    assert {g.name: stage.tenant.people(g.object_id) | owner_added for g in flat} == {
        name: people | owner_added for name, people in before.items()
    }


@proves("P93", "P96")
def test_unified_groups_can_be_written_to_by_e_mail(stage: Stage):
    two_grades(stage, **unified())

    stage.synchronise()

    group = stage.tenant.group("House / 7th grade")
    assert group.kind == "unified"
    assert group.mail == f"{group.nickname}@{DOMAIN}"


@proves("P96a")
def test_unified_groups_are_private_and_owned_by_whom_a_setting_names(stage: Stage):
    two_grades(stage, **unified())

    stage.synchronise()

    for name in ("House", "House / 7th grade", "House / 8th grade"):
        assert stage.tenant.group(name).visibility == "Private"
        assert stage.tenant.owners(name) == {"Omar Haddad"}


@proves("P96a")
def test_unified_groups_without_an_owner_are_refused_when_the_profile_is_saved(stage: Stage):
    with pytest.raises(ProfileInvalid, match=r"hierarchies\.general\.owners"):
        two_grades(stage, group_type="unified")


@proves("P96a")
def test_unified_groups_whose_owner_has_no_account_wait_and_are_made_once_there_is_one(stage: Stage):
    two_grades(stage, **unified())
    stage.profile(users=actions(employee="Update"))

    done = stage.synchronise()

    assert stage.tenant.groups_of("unified") == set()
    assert any("no owner the profile names for these groups has an account" in line for line in done.waits)

    stage.profile(users=actions(employee="Create, Update"))
    stage.synchronise()
    assert stage.tenant.owners("House") == {"Omar Haddad"}


@proves("P97")
def test_unified_groups_can_be_teams_of_their_people(stage: Stage):
    two_grades(stage, **unified(make_team=True))

    stage.synchronise()

    assert {"House", "House / 7th grade"} <= stage.tenant.teams()
    assert stage.tenant.roster("House / 7th grade") == {
        "Omar Haddad": "owner",
        "Maria Papadaki": "member",
        "Nikos Vasilakis": "member",
    }


@proves("P97")
def test_a_security_group_cannot_be_a_team(stage: Stage):
    with pytest.raises(ProfileInvalid, match=r"hierarchies\.general\.make_team"):
        two_grades(stage, make_team=True)


@proves("P99", "P100")
@pytest.mark.parametrize("quiet", [True, False])
@pytest.mark.parametrize("hidden", [True, False])
def test_two_switches_keep_the_welcome_mail_back_and_the_group_out_of_outlook(stage: Stage, quiet: bool, hidden: bool):
    two_grades(stage, **unified(disable_welcome_email=quiet, hide_in_outlook=hidden))

    stage.synchronise()

    behaviours = stage.tenant.group("House").behaviours
    assert ("WelcomeEmailDisabled" in behaviours) == quiet
    assert ("HideGroupInOutlook" in behaviours) == hidden


@proves("P99")
def test_unless_the_profile_says_otherwise_nobody_is_greeted_and_outlook_shows_the_group(stage: Stage):
    two_grades(stage, **unified())

    stage.synchronise()

    assert stage.tenant.group("House").behaviours == {"WelcomeEmailDisabled"}


@proves("P100a")
def test_a_switch_that_is_changed_later_is_for_new_groups_and_leaves_those_that_are_there(stage: Stage):
    two_grades(stage, **unified())
    stage.synchronise()
    stage.profile(hierarchies={"general": {"hide_in_outlook": True}})
    stage.school.klass("9C", teachers=["Nikos Vasilakis"], students=["Anna Rossi"])
    stage.school.is_of("9C", location="House", grade="9th grade")

    stage.synchronise()

    assert "HideGroupInOutlook" not in stage.tenant.group("House").behaviours
    assert "HideGroupInOutlook" in stage.tenant.group("House / 9th grade").behaviours
    assert stage.synchronise().changes == 0


@proves("P93a")
def test_another_type_makes_new_groups_and_leaves_the_old_ones_as_they_are(stage: Stage):
    two_grades(stage)
    stage.synchronise()
    before = {group.object_id: stage.tenant.members(group.object_id) for group in stage.tenant.every_group()}
    stage.profile(hierarchies={"general": unified()})
    stage.school.drops("Maria Papadaki", "7A")

    stage.synchronise()

    old = {group.object_id for group in stage.tenant.every_group() if group.kind == "security"}
    assert {key: stage.tenant.members(key) for key in old} == {key: before[key] for key in old}
    assert stage.tenant.groups_of("unified") == stage.tenant.groups_of("security")
    (seventh,) = [g for g in stage.tenant.every_group() if (g.kind, g.name) == ("unified", "House / 7th grade")]
    assert "Maria Papadaki" not in stage.tenant.people(seventh.object_id)


@proves("P103b")
@pytest.mark.parametrize("kind", ["security", "unified"])
def test_a_path_longer_than_a_name_may_be_is_found_when_planning_and_stops_that_group_only(stage: Stage, kind: str):
    two_grades(stage, **(unified() if kind == "unified" else {}))
    stage.school.renames("grade", "8th grade", "8" * 255)

    done = stage.synchronise()

    assert {"House", "House / 7th grade"} <= stage.tenant.groups_of(kind)
    assert not any("8" * 255 in name for name in stage.tenant.groups())
    assert any("mapping gives no usable value" in line for line in done.waits)


@proves("P103b")
def test_unified_groups_are_never_put_into_one_another_which_microsoft_forbids(stage: Stage):
    two_grades(stage, **unified())
    stage.profile(hierarchies={"student": {"levels": LEVELS}})

    stage.synchronise()

    every = stage.tenant.every_group()
    assert all(not stage.tenant.nested(group.object_id) for group in every if group.kind != "security")
    assert not {group.name for group in every if group.kind == "unified"} & {
        inner for group in every for inner in stage.tenant.nested(group.object_id)
    }
