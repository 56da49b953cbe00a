"""Owners who leave a team, told as small school stories: who has to be there before they go."""

from __future__ import annotations

import polars as pl
import pytest
from tests.plan.test_plan_scenarios import MATHS, a_class, causes
from tests.world import School, Tenant, told

from rollbook.plan.changes import Cause, Kind
from rollbook.profiles import Profile, parse, suggested


def synchronised(school: School) -> Tenant:
    """A tenant that holds the school as it is."""
    tenant = Tenant()
    return tenant.apply(tenant.plan(school))


def needed(plan, *, by: Kind) -> list[str]:
    """What the changes of this kind need, in the words of `told`."""
    lines = dict(zip(plan.changes["seq"], told(plan), strict=True))
    return [lines[seq] for seq in plan.changes.filter(pl.col("kind") == int(by))["needs_object"].drop_nulls()]


def test_an_owner_who_leaves_needs_the_addition_of_the_one_who_follows_and_so_does_their_membership():
    school = a_class()
    tenant = synchronised(school)

    plan = tenant.plan(school.drops("Nikos Vasilakis", MATHS).klass(MATHS, teachers=["Eleni Demetriou"]))

    assert needed(plan, by=Kind.REMOVE_OWNER) == ["ADD_OWNER 10001 4"]
    assert needed(plan, by=Kind.REMOVE_MEMBER) == ["ADD_OWNER 10001 4"]


def test_an_owner_who_becomes_a_plain_member_needs_it_too():
    school = a_class()
    tenant = synchronised(school)
    school.teachings[0]["teacher_type"] = "mentor"
    roles = suggested().model_dump(mode="json")["enrolments"]["teachers"] | {"mentor": "member"}

    plan = tenant.plan(
        school.klass(MATHS, teachers=["Eleni Demetriou"]), profile=profile(enrolments={"teachers": roles})
    )

    assert needed(plan, by=Kind.DEMOTE_OWNER) == ["ADD_OWNER 10001 4"]


def test_students_and_owners_beside_whom_another_stays_need_nobody():
    school = a_class().klass(MATHS, teachers=["Olga Petrova"])
    tenant = synchronised(school)
    school.drops("Nikos Vasilakis", MATHS).drops("Jan Kowalski", MATHS).klass(MATHS, teachers=["Eleni Demetriou"])

    plan = tenant.plan(school)

    assert "REMOVE_OWNER 10001 1" in told(plan)
    assert needed(plan, by=Kind.REMOVE_OWNER) == needed(plan, by=Kind.REMOVE_MEMBER) == []


def profile(**overrides) -> Profile:
    """The suggested settings, with some replaced."""
    document = suggested().model_dump(mode="json")
    for name, value in overrides.items():
        document[name] = document[name] | value
    return parse(document)


def elsewhere(school: School) -> School:
    """Nikos teaches another class, so that his account and licence stay."""
    return school.klass("7A Art", teachers=["Nikos Vasilakis"])


def _disabled_elsewhere(school: School, tenant: Tenant) -> None:
    tenant.users[3]["account_enabled"] = False


def _without_a_licence(school: School, tenant: Tenant) -> None:
    tenant.users[3]["licences"] = []
    tenant.seats = 0


def _disabled_by_this_plan(school: School, tenant: Tenant) -> None:
    school.people["Olga Petrova"]["active"] = False


def test_one_who_leaves_and_cannot_act_is_not_kept_beside_another_who_cannot_either():
    school = a_class().klass(MATHS, teachers=["Olga Petrova"])
    tenant = synchronised(school)
    _without_a_licence(school, tenant)

    plan = tenant.plan(school.leaves("Nikos Vasilakis"))

    assert {"DISABLE_USER 1", "REMOVE_OWNER 10001 1", "REMOVE_MEMBER 10001 1"} <= set(told(plan))


@pytest.mark.parametrize("unable", [_disabled_elsewhere, _without_a_licence, _disabled_by_this_plan])
def test_a_second_owner_who_cannot_act_does_not_let_the_one_who_can_go(unable):
    school = a_class().klass(MATHS, teachers=["Olga Petrova"])
    tenant = synchronised(school)
    unable(school, tenant)

    plan = tenant.plan(elsewhere(school.drops("Nikos Vasilakis", MATHS)))

    assert "waits REMOVE_OWNER 10001 1" in told(plan)
    assert Cause.LAST_OWNER in causes(plan)
    assert "REMOVE_MEMBER 10001 1" not in told(plan)


def test_a_new_owner_without_a_licence_does_not_let_the_old_one_go():
    school = a_class()
    tenant = synchronised(school)
    tenant.seats = 0

    plan = tenant.plan(elsewhere(school.drops("Nikos Vasilakis", MATHS).klass(MATHS, teachers=["Eleni Demetriou"])))

    assert {"ADD_OWNER 10001 4", "waits REMOVE_OWNER 10001 1"} <= set(told(plan))


@pytest.mark.parametrize(("unlicense", "line"), [(False, "REMOVE_OWNER 10001 1"), (True, "waits REMOVE_OWNER 10001 1")])
def test_a_standing_owner_whose_licences_this_plan_takes_back_does_not_count(unlicense, line):
    school = a_class().klass(MATHS, teachers=["Olga Petrova"])
    tenant = synchronised(school)
    settings = profile(
        users={"leaving": {"disable_days": 365, "unlicense": unlicense, "unlicense_days": 0}},
        teams={"extra_owners": [{"person": school.people["Olga Petrova"]["sourced_id"]}]},
    )

    elsewhere(school.drops("Nikos Vasilakis", MATHS).drops("Olga Petrova", MATHS))

    plan = tenant.plan(school, profile=settings)

    assert line in told(plan)
    assert "DISABLE_USER 4" not in told(plan)


@pytest.mark.parametrize(("enabled", "line"), [(True, "REMOVE_OWNER 10001 1"), (False, "waits REMOVE_OWNER 10001 1")])
def test_an_owner_by_hand_counts_while_the_account_is_enabled(enabled, line):
    school = a_class()
    tenant = synchronised(school)
    head = tenant.account("head@school.example", account_enabled=enabled)
    tenant.memberships.append({"team": 10001, "user": None, "relation": 1, "user_object_id": head})

    assert line in told(tenant.plan(elsewhere(school.drops("Nikos Vasilakis", MATHS))))


def test_of_owners_who_all_leave_the_one_stays_who_can_act():
    school = a_class().klass(MATHS, teachers=["Olga Petrova"])
    tenant = synchronised(school)

    school.klass("7A Art", teachers=["Olga Petrova"]).leaves("Nikos Vasilakis").drops("Olga Petrova", MATHS)

    assert {"REMOVE_OWNER 10001 1", "waits REMOVE_OWNER 10001 4"} <= set(told(tenant.plan(school)))
