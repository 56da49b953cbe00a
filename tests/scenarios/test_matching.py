"""Matching users: how people and accounts that are there already find each other, once, and what holds from then on."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from tests.scenarios.stage import Stage, actions, proves
from tests.scenarios.tenant import made_by_others

from rollbook.acts import profiles

BY = ["sis_number", "username", "email"]


def by(name: str) -> dict[str, Any]:
    """The settings of users that match by this property."""
    return {"match": name}


def maria(stage: Stage) -> None:
    """A student the register knows by number, user name and e-mail."""
    stage.school.student("Maria Papadaki", "7A", sis_number="S1", username="mpapa", email="maria@sample-school.example")


THE_ONE = {
    "sis_number": made_by_others("someone", employee_id="S1"),
    "username": made_by_others("mpapa"),
    "email": made_by_others("maria"),
}
"""For each property the account it finds."""


def is_found_by(stage: Stage, name: str) -> None:
    """The one account that this property of the student finds is linked to her, and another one is left alone."""
    maria(stage)
    stage.tenant_holds(THE_ONE[name], made_by_others("another"))
    stage.profile(users=by(name))
    user_name = THE_ONE[name]["userPrincipalName"]

    done = stage.synchronise()

    assert (
        "Maria Papadaki is linked to the account that is already there: the match property names exactly this one"
        in done.told
    )
    assert stage.tenant.account(user_name).name == "Maria Papadaki"
    assert stage.tenant.names() == {"Maria Papadaki", "another"}


@proves("P59", "P59a", "P62")
def test_an_account_with_the_persons_number_is_linked_and_kept(stage: Stage):
    is_found_by(stage, "sis_number")


@proves("P59", "P59a", "P60")
def test_an_account_whose_user_name_is_a_students_e_mail_is_linked_and_kept(stage: Stage):
    is_found_by(stage, "email")


@proves("P59", "P59a", "P61")
def test_an_account_with_the_persons_user_name_is_linked_and_kept(stage: Stage):
    is_found_by(stage, "username")


@proves("P62")
def test_where_nothing_is_matched_everybody_gets_an_account_of_their_own(stage: Stage):
    maria(stage)
    stage.tenant_holds(THE_ONE["sis_number"], THE_ONE["email"])
    stage.profile(users=by("nothing"))

    stage.synchronise()

    assert stage.tenant.user_names() == {"someone", "maria", "maria.papadaki"}


@proves("P59")
def test_whoever_is_not_found_gets_an_account(stage: Stage):
    maria(stage)
    stage.tenant_holds(made_by_others("someone", employee_id="S2"))

    stage.synchronise()

    assert stage.tenant.names() == {"someone", "Maria Papadaki"}


@proves("P59b")
def test_two_accounts_with_the_persons_number_wait_for_somebody_to_choose_and_no_third_is_made(stage: Stage):
    maria(stage)
    stage.tenant_holds(made_by_others("old", employee_id="S1"), made_by_others("new", employee_id="s1"))

    done = stage.synchronise()

    assert "several match; choose one" in done.reason("Maria Papadaki")
    assert stage.tenant.names() == {"old", "new"}


@proves("P59b")
def test_two_people_with_one_number_wait_rather_than_share_an_account(stage: Stage):
    maria(stage)
    stage.school.student("Jan Kowalski", "7A", sis_number="S1")
    stage.tenant_holds(made_by_others("someone", employee_id="S1"))

    done = stage.synchronise()

    assert "several match" in done.reason("Maria Papadaki")
    assert "several match" in done.reason("Jan Kowalski")
    assert stage.tenant.names() == {"someone"}


@proves("P59d")
def test_an_account_that_is_linked_to_somebody_else_already_is_a_conflict(stage: Stage):
    maria(stage)
    stage.tenant_holds(made_by_others("someone", employee_id="S1"))
    stage.synchronise()

    stage.school.student("Jan Kowalski", "7A", sis_number="S1")
    done = stage.synchronise()

    assert "belongs to somebody else already" in done.reason("Jan Kowalski")
    assert stage.tenant.names() == {"Maria Papadaki"}


@proves("P59e")
@pytest.mark.parametrize("name", BY)
def test_a_guest_is_never_matched_by_whatever_property(stage: Stage, name: str):
    maria(stage)
    stage.tenant_holds(THE_ONE[name] | {"displayName": "The guest", "userType": "Guest"})
    stage.profile(users=by(name))

    stage.synchronise()

    assert stage.tenant.names() == {"The guest", "Maria Papadaki"}


def leaves_a_namesake_alone(stage: Stage, name: str) -> None:
    """An account made of the student's first and last name, about which nothing else fits, stays a stranger's."""
    maria(stage)
    stage.tenant_holds(made_by_others("maria.papadaki", "Maria Papadaki"))
    stage.profile(users=by(name))
    before = stage.tenant.account("maria.papadaki")

    stage.synchronise()

    assert stage.tenant.user_names() == {"maria.papadaki", "maria.papadaki2"}
    assert stage.tenant.account("maria.papadaki") == before


@proves("P59g")
@pytest.mark.parametrize("name", ["sis_number", "email"])
def test_a_stranger_of_the_same_name_is_left_alone(stage: Stage, name: str):
    leaves_a_namesake_alone(stage, name)


@proves("P59g", "P61")
def test_a_stranger_of_the_same_name_is_left_alone_also_when_matching_by_user_name(stage: Stage):
    leaves_a_namesake_alone(stage, "username")


@proves("P59g")
def test_two_students_of_the_same_name_get_an_account_each(stage: Stage):
    maria(stage)
    stage.school.student("Maria  Papadaki", "7A", given_name="Maria", family_name="Papadaki")

    stage.synchronise()

    numbers = {account.user_name.partition("@")[0]: account["employee_id"] for account in stage.tenant.accounts()}
    assert numbers == {"maria.papadaki": "S1", "maria.papadaki2": "S2"}


@proves("P60a")
def test_teachers_and_employees_found_by_e_mail_wait_for_a_person_and_students_do_not(stage: Stage):
    maria(stage)
    stage.school.teacher("Nikos Vasilakis", "7A", email="nikos@sample-school.example")
    stage.school.employee("Omar Haddad", email="omar@sample-school.example")
    stage.tenant_holds(*(made_by_others(name) for name in ("maria", "nikos", "omar")))
    stage.profile(users=by("email"))

    done = stage.synchronise()

    for name in ("Nikos Vasilakis", "Omar Haddad"):
        assert "link staff by hand" in done.reason(name)
    assert stage.tenant.names() == {"Maria Papadaki", "nikos", "omar"}


@proves("P60b")
def test_a_student_who_gives_an_administrators_address_is_not_linked_to_that_account(stage: Stage):
    stage.school.teacher("Nikos Vasilakis", "7A")
    stage.school.student("Maria Papadaki", "7A", email="head@sample-school.example")
    stage.tenant_holds(made_by_others("head", "The head", id="head"))
    stage.tenant.control("role", principal="head")
    stage.profile(users=by("email"))

    done = stage.synchronise()

    assert done.reason("Maria Papadaki")
    assert "The head" not in stage.tenant.members("7A")


@proves("P63")
@pytest.mark.parametrize("name", ["sis_number", "email"])
def test_once_linked_the_same_account_is_kept_whatever_is_changed_in_it(stage: Stage, name: str):
    maria(stage)
    stage.tenant_holds(THE_ONE[name])
    stage.profile(users=by(name))
    stage.synchronise()
    linked = stage.tenant.account("Maria Papadaki").object_id
    stage.tenant.control(
        "edit",
        user=linked,
        set={"userPrincipalName": "renamed@sample-school.example", "displayName": "X", "mail": None},
    )
    stage.school.changes("Maria Papadaki", sis_number="S99", email="new@home.example", family_name="Makri")

    stage.synchronise()

    account = stage.tenant.account("Maria Makri")
    assert (account.object_id, account.user_name) == (linked, "renamed@sample-school.example")
    assert len(stage.tenant.accounts()) == 1


@proves("P63")
def test_an_account_we_made_is_known_by_its_id_too(stage: Stage):
    maria(stage)
    stage.synchronise()
    made = stage.tenant.account("Maria Papadaki").object_id
    stage.tenant.control(
        "edit", user=made, set={"userPrincipalName": "renamed@sample-school.example", "employeeId": "X"}
    )

    stage.synchronise()

    assert [(account.object_id, account["employee_id"]) for account in stage.tenant.accounts()] == [(made, "S1")]


@proves("P63", "P63a")
def test_another_profile_uses_the_same_links_and_does_not_match_again(stage: Stage):
    maria(stage)
    stage.tenant_holds(THE_ONE["sis_number"])
    stage.synchronise()
    copied = profiles.copy(stage.profile_named("Suggested"), "Next", dt.date(2026, 11, 1), None, None, stage.author)
    profiles.enable(copied, stage.author)
    stage.tenant.control("edit", user="someone@sample-school.example", set={"employeeId": "somebody else's"})

    stage.on("2026-11-01").synchronise()

    assert stage.tenant.account("someone")["employee_id"] == "S1"
    assert len(stage.tenant.accounts()) == 1


@proves("P63b")
def test_a_linked_account_that_was_deleted_waits_and_its_owner_gets_no_second_one(stage: Stage):
    maria(stage)
    stage.synchronise()
    stage.tenant.control("delete", user="maria.papadaki@sample-school.example", forever=True)

    done = stage.synchronise()

    assert "no longer in the tenant; restore it at Microsoft, or `rollbook link unlink`" in done.reason(
        "Maria Papadaki"
    )
    assert stage.tenant.accounts() == []


@proves("P63g")
def test_an_account_that_carries_somebody_elses_mark_is_a_conflict_and_touched_in_no_way(stage: Stage):
    maria(stage)
    stage.synchronise()
    made = stage.tenant.account("Maria Papadaki").object_id
    (mark,) = [name for name in stage.tenant.running.directory.users.get(made) if name.startswith("extension_")]
    stage.tenant.control("edit", user=made, set={mark: "somebody else's"})
    stage.school.leaves("Maria Papadaki")

    done = stage.synchronise()

    assert "does not carry our mark" in done.reason("Maria Papadaki")
    assert done.writes == 0
    assert stage.tenant.account("Maria Papadaki").enabled


@proves("P59", "P51a")
def test_people_of_a_type_without_create_are_matched_all_the_same(stage: Stage):
    stage.school.employee("Omar Haddad", sis_number="S7").employee("Ines Costa", sis_number="S8")
    stage.tenant_holds(made_by_others("omar", employee_id="S7"))
    stage.profile(users=actions(employee="Update"))

    stage.synchronise()

    assert stage.tenant.names() == {"Omar Haddad"}
