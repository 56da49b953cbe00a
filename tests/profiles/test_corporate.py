"""What a corporate tenant means for a profile, as pure functions (product.md section 2)."""

from __future__ import annotations

from tests.profiles.making import profile_with

from rollbook.profiles import Actions, Hierarchies, corporate, parse, suggested
from rollbook.roster.vocabulary import UserType

NOTHING = Actions(create=False, update=False, deactivate=False, sso=False)
SSO_ALONE = Actions(create=False, update=False, deactivate=False, sso=True)


def others(profile):
    return {kind: actions for kind, actions in profile.users.actions.items() if kind != UserType.EMPLOYEE}


def test_employees_settings_are_shown_locked_with_the_domain_of_the_corporate_tenant():
    shown = corporate.locked(suggested(), "staff.example")

    assert shown.users.actions[UserType.EMPLOYEE] == SSO_ALONE
    assert shown.users.roles[UserType.EMPLOYEE].domain == "staff.example"
    assert others(shown) == others(suggested())
    assert parse(shown.model_dump(mode="json")) == shown
    assert [(path.rpartition(".")[2], value) for path, value, _ in corporate.locks("staff.example")] == [
        ("create", "no"),
        ("update", "no"),
        ("deactivate", "no"),
        ("sso", "yes"),
        ("domain", "staff.example"),
    ]


def test_in_the_own_tenant_employees_are_not_managed_at_all():
    planned = corporate.in_own_tenant(suggested())

    assert planned.users.actions[UserType.EMPLOYEE] == NOTHING
    assert others(planned) == others(suggested())
    assert planned.teams == suggested().teams


def test_in_the_corporate_tenant_there_are_employees_alone_no_teams_and_no_hierarchies():
    levels = {"levels": {"grade": {}}}
    profile = profile_with(hierarchies={"general": levels, "student": levels, "teacher": levels})
    planned = corporate.in_corporate_tenant(profile)

    assert planned.users.actions == {kind: SSO_ALONE if kind == UserType.EMPLOYEE else NOTHING for kind in UserType}
    assert {role.licences for role in planned.users.roles.values()} == {()}
    assert planned.teams.create == "nothing"
    assert planned.hierarchies == Hierarchies()
    assert corporate.in_own_tenant(profile).hierarchies == profile.hierarchies
    assert planned.users.match == suggested().users.match


def test_what_disagrees_with_the_lock_is_named_and_corrected_and_nothing_else():
    document = suggested().model_dump(mode="json")
    document["users"]["actions"]["employee"] = {"create": True, "update": True, "deactivate": False, "sso": False}
    wrong = parse(document)

    assert [str(each) for each in corporate.disagreements(wrong)] == [
        "users.actions.employee.create: yes -> no",
        "users.actions.employee.update: yes -> no",
        "users.actions.employee.sso: no -> yes",
    ]
    right = corporate.agreeing(wrong)
    assert corporate.disagreements(right) == []
    assert right.users.roles == wrong.users.roles
    assert others(right) == others(wrong)
