"""Leaving and coming back: what happens to somebody's sign-in and licences, and when; and what an administrator did meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from tests.scenarios.stage import Done, Stage, actions, proves
from tests.scenarios.tenant import made_by_others

from rollbook.store.models import Link

MARIA = "maria.papadaki@sample-school.example"


def leaving(**graces: Any) -> dict[str, Any]:
    """The settings of users with these graces."""
    return {"leaving": graces}


def a_class(stage: Stage) -> None:
    """A class with its teacher and one student, with their accounts and their team."""
    stage.school.teacher("Nikos Vasilakis", "7A").student("Maria Papadaki", "7A")
    stage.synchronise()


@proves("P50a")
def test_with_a_grace_a_student_who_left_is_out_of_the_team_at_once_but_may_sign_in_until_it_is_over(stage: Stage):
    stage.profile(users=leaving(disable_days=30))
    a_class(stage)
    stage.school.leaves("Maria Papadaki")

    stage.synchronise()
    assert stage.tenant.members("7A") == {"Nikos Vasilakis"}
    stage.on("2026-10-30").synchronise()
    assert stage.tenant.account("Maria Papadaki").enabled
    stage.on("2026-10-31").synchronise()

    assert not stage.tenant.account("Maria Papadaki").enabled


@proves("P50a")
def test_a_grace_counts_from_the_last_day_in_the_register_if_it_says_one(stage: Stage):
    stage.profile(users=leaving(disable_days=30))
    a_class(stage)
    stage.school.stops("Maria Papadaki", "7A", "2026-11-01")

    stage.on("2026-11-20").synchronise()
    assert stage.tenant.account("Maria Papadaki").enabled
    stage.on("2026-12-01").synchronise()

    assert not stage.tenant.account("Maria Papadaki").enabled


@proves("P50a")
def test_whoever_comes_back_within_the_grace_never_loses_the_sign_in_and_has_a_whole_one_next_time(stage: Stage):
    stage.profile(users=leaving(disable_days=30))
    a_class(stage)
    stage.school.leaves("Maria Papadaki")
    stage.synchronise()
    stage.school.returns("Maria Papadaki")
    stage.on("2026-10-20").synchronise()

    stage.school.leaves("Maria Papadaki")
    stage.on("2026-11-10").synchronise()
    stage.on("2026-12-09").synchronise()

    assert stage.tenant.account("Maria Papadaki").enabled


@proves("P50a", "P50b")
def test_unless_something_else_is_chosen_a_leaver_is_disabled_at_once_and_keeps_the_licence(stage: Stage):
    a_class(stage)
    stage.school.leaves("Maria Papadaki")
    stage.synchronise()
    assert not stage.tenant.account("Maria Papadaki").enabled

    stage.on("2028-10-01").synchronise()

    assert stage.tenant.account("Maria Papadaki").licences == ("student",)


@proves("P50b", "P50d")
def test_a_student_who_left_in_may_keeps_the_licence_for_ninety_days_and_gets_the_account_back_in_september(
    stage: Stage,
):
    stage.school.opens("2027-2028", "2027-09-01", "2028-07-01")
    stage.profile(users=leaving(unlicense=True))
    a_class(stage)
    stage.school.leaves("Maria Papadaki")
    stage.on("2027-05-03").synchronise()
    stage.on("2027-07-31").synchronise()
    account = stage.tenant.account("Maria Papadaki")
    assert (account.enabled, account.licences) == (False, ("student",))
    stage.on("2027-08-01").synchronise()
    assert stage.tenant.account("Maria Papadaki").licences == ()

    stage.school.klass("8A", teachers=["Nikos Vasilakis"], year="2027-2028")
    stage.school.returns("Maria Papadaki").joins("Maria Papadaki", "8A")
    stage.on("2027-09-01").synchronise()

    back = stage.tenant.account("Maria Papadaki")
    assert (back.object_id, back.enabled, back.licences) == (account.object_id, True, ("student",))
    assert stage.tenant.members("8A") == {"Nikos Vasilakis", "Maria Papadaki"}


@proves("P50b", "P65f")
def test_a_licence_that_somebody_else_gave_is_not_taken_from_a_leaver(stage: Stage):
    stage.profile(users=leaving(unlicense=True, unlicense_days=7))
    a_class(stage)
    stage.tenant.give_licence("Maria Papadaki", "staff")
    stage.school.leaves("Maria Papadaki")
    stage.synchronise()

    stage.on("2026-10-08").synchronise()

    assert stage.tenant.account("Maria Papadaki").licences == ("staff",)


@proves("P50e")
def test_an_account_somebody_deleted_is_restored_with_its_id_while_its_owner_is_in_the_school(stage: Stage):
    a_class(stage)
    before = stage.tenant.account("Maria Papadaki")
    stage.tenant.control("delete", user=MARIA)

    done = stage.synchronise()

    assert (
        "Maria Papadaki's deleted account is restored: was deleted at Microsoft, but is current in the register"
        in done.told
    )
    assert stage.tenant.account("Maria Papadaki").object_id == before.object_id
    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "Maria Papadaki"}


@proves("P50e", "P50d")
def test_a_leaver_whose_account_was_deleted_gets_it_back_on_coming_back_and_not_before(stage: Stage):
    a_class(stage)
    before = stage.tenant.account("Maria Papadaki")
    stage.school.leaves("Maria Papadaki")
    stage.synchronise()
    stage.tenant.control("delete", user=MARIA)
    stage.on("2026-10-02").synchronise()
    assert stage.tenant.names() == {"Nikos Vasilakis"}

    stage.school.returns("Maria Papadaki")
    stage.on("2026-10-15").synchronise()

    back = stage.tenant.account("Maria Papadaki")
    assert (back.object_id, back.enabled) == (before.object_id, True)


@proves("P50e", "P63f")
def test_a_deleted_account_is_found_by_our_mark_even_if_the_link_to_it_was_lost(stage: Stage):
    a_class(stage)
    before = stage.tenant.account("Maria Papadaki")
    stage.tenant.control("delete", user=MARIA)
    Link.objects.all().delete()

    stage.synchronise()

    assert stage.tenant.account("Maria Papadaki").object_id == before.object_id


@proves("P50e")
@pytest.mark.parametrize("match", ["sis_number", "username", "email"])
def test_a_deleted_account_of_somebody_else_is_never_taken_for_a_persons_whatever_is_matched(stage: Stage, match: str):
    stage.school.student("Maria Papadaki", "7A", username="maria", email="maria@sample-school.example")
    stage.tenant_holds(made_by_others("maria", "Maria Papadaki", employee_id="S1"))
    deleted = stage.tenant.account("maria").object_id
    stage.tenant.control("delete", user=deleted)
    stage.profile(users={"match": match})

    stage.synchronise()

    assert stage.tenant.account("Maria Papadaki").object_id != deleted


def stays_deleted(stage: Stage) -> Done:
    """Somebody's account was deleted, and neither Create nor Update is on: what the next synchronization says of it."""
    stage.school.student("Maria Papadaki", "7A")
    stage.synchronise()
    stage.tenant.control("delete", user=MARIA)
    stage.profile(users=actions(student="Deactivate, SSO"))
    done = stage.synchronise()
    assert stage.tenant.names() == set()
    return done


@proves("P50e")
def test_where_neither_create_nor_update_is_on_a_deleted_account_stays_deleted(stage: Stage):
    assert stays_deleted(stage).writes == 0


@proves("P50e", "P63b")
def test_a_deleted_account_that_is_not_restored_is_told(stage: Stage):
    assert "no longer in the tenant" in stays_deleted(stage).reason("Maria Papadaki")


@proves("P50g", "P50f")
def test_the_plan_shows_that_somebody_else_disabled_an_account_as_long_as_it_is_so(stage: Stage):
    a_class(stage)
    stage.tenant.control("edit", user=MARIA, set={"accountEnabled": False})

    assert "somebody else disabled the account; only they enable it again" in stage.synchronise().reason(
        "Maria Papadaki"
    )
    assert stage.on("2026-10-02").preview().reason("Maria Papadaki")
    stage.tenant.control("edit", user=MARIA, set={"accountEnabled": True})

    assert not stage.on("2026-10-03").synchronise().reason("Maria Papadaki")


@proves("P50h", "P50f")
def test_once_an_administrator_enabled_an_account_of_ours_and_disabled_it_again_it_is_theirs_to_enable(stage: Stage):
    a_class(stage)
    stage.school.leaves("Maria Papadaki")
    stage.synchronise()
    stage.profile(users=actions(student="Create, Update"))
    stage.tenant.control("edit", user=MARIA, set={"accountEnabled": True})
    stage.on("2026-10-02").synchronise()
    stage.tenant.control("edit", user=MARIA, set={"accountEnabled": False})

    stage.school.returns("Maria Papadaki")
    done = stage.on("2026-10-03").synchronise()

    assert "somebody else disabled the account" in done.reason("Maria Papadaki")
    assert not stage.tenant.account("Maria Papadaki").enabled
