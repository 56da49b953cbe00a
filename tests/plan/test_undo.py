"""Undoing a run: what it did is put back where nobody changed it since, and the rest is said."""

from __future__ import annotations

import datetime as dt
import json
from copy import deepcopy

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.plan.test_owners import needed
from tests.plan.test_plan_properties import CLASSES, school_of
from tests.world import AUTUMN, School, Tenant, told

from rollbook.plan.changes import Cause, ChangeVerdict, Kind
from rollbook.plan.reverse import ARCHIVING, ATTRIBUTES, LICENSING, RELATIONS, SIGN_IN, STAYS, STRANGERS
from rollbook.plan.sentences import sentence

LATER = AUTUMN + dt.timedelta(days=90)


def a_school() -> School:
    return School().klass("7A Maths", teachers=["Nikos Vasilakis"], students=["Maria Papadaki", "Jan Kowalski"])


def synchronised(school: School) -> Tenant:
    tenant = Tenant()
    tenant.apply(tenant.plan(school))
    return tenant


def waiting(plan) -> dict[tuple[str, int], Cause]:
    rows = plan.changes.filter(pl.col("verdict") == int(ChangeVerdict.WAITS)).select("kind", "subject", "cause")
    return {(Kind(kind).name, subject): Cause(cause) for kind, subject, cause in rows.iter_rows()}


def test_an_undone_day_leaves_accounts_and_teams_as_they_were_in_the_morning():
    school = a_school()
    tenant = synchronised(school)
    morning = deepcopy((tenant.users, tenant.groups, sorted(map(str, tenant.memberships))))
    school.leaves("Jan Kowalski").drops("Jan Kowalski", "7A Maths")
    school.people["Maria Papadaki"]["family_name"] = "Papadaki-Ng"
    plan = tenant.plan(school, LATER)
    assert {line.split()[0] for line in told(plan)} >= {"DISABLE_USER", "UPDATE_USER", "REMOVE_MEMBER"}
    tenant.apply(plan)

    tenant.apply(tenant.undo(plan))

    assert (tenant.users, tenant.groups, sorted(map(str, tenant.memberships))) == morning


def test_what_a_first_run_made_stays_without_sign_in_licences_and_people_but_for_the_last_owner():
    school, tenant = a_school(), Tenant()
    plan = tenant.plan(school)
    tenant.apply(plan)

    undone = tenant.undo(plan)
    tenant.apply(undone)

    assert [user["account_enabled"] for user in tenant.users] == [False] * 3
    assert [user["licences"] for user in tenant.users] == [[]] * 3
    teacher = school.people["Nikos Vasilakis"]["person"]
    assert {row["user"] for row in tenant.memberships} == {teacher}
    assert Cause.LAST_OWNER in waiting(undone).values()
    assert {Cause.STAYS} == {cause for (kind, _), cause in waiting(undone).items() if kind.startswith("CREATE")}


def said(plan) -> set[str]:
    rows = plan.changes.filter(pl.col("cause") == int(Cause.UNDONE)).select("kind", "cause", "subject")
    return {str(sentence(kind, cause, f"#{subject}")) for kind, cause, subject in rows.iter_rows()}


def test_undoing_says_who_loses_a_licence_and_who_gets_one_back():
    school, tenant = a_school(), Tenant()
    first = tenant.plan(school)
    tenant.apply(first)
    jan = school.people["Jan Kowalski"]["person"]
    taking = tenant.undo(first)

    tenant.apply(taking)
    giving = tenant.undo(taking)

    assert f"UNLICENSE_USER {jan}" in told(taking)
    assert f"#{jan} loses the licence: the run that did the opposite is undone" in said(taking)
    assert f"LICENSE_USER {jan}" in told(giving)
    assert f"#{jan} gets back the licences there were before: the run that did the opposite is undone" in said(giving)


def test_what_somebody_changed_since_is_left_as_it_is_and_said():
    school = a_school()
    tenant = synchronised(school)
    maria = school.people["Maria Papadaki"]
    maria["family_name"] = "Ng"
    plan = tenant.plan(school)
    tenant.apply(plan)
    account = next(u for u in tenant.users if u["object_id"] == tenant.links[maria["person"]]["object_id"])
    account["surname"] = "Ng-Papadaki"

    undone = tenant.undo(plan)
    tenant.apply(undone)

    assert (account["surname"], account["display_name"]) == ("Ng-Papadaki", "Maria Papadaki")
    assert waiting(undone) == {("UPDATE_USER", maria["person"]): Cause.CHANGED_SINCE}


def test_what_stands_for_another_account_since_is_left_alone():
    school = a_school()
    tenant = synchronised(school)
    jan = school.people["Jan Kowalski"]["person"]
    plan = tenant.plan(school.leaves("Jan Kowalski"), LATER)
    tenant.apply(plan)
    tenant.links[jan] |= {
        "object_id": tenant.account("jan@school.example", account_enabled=False),
        "adopted": True,
        "moved": True,
    }

    undone = tenant.undo(plan)

    assert waiting(undone)[("ENABLE_USER", jan)] == Cause.CHANGED_SINCE
    assert not [line for line in told(undone) if not line.startswith("waits") and str(jan) in line.split()]


def test_an_owner_the_run_added_stays_where_the_one_who_comes_back_cannot_act():
    school = a_school()
    tenant = synchronised(school)
    nikos = school.people["Nikos Vasilakis"]["person"]
    school.drops("Nikos Vasilakis", "7A Maths").klass("7A Maths", teachers=["Eleni Ng"])
    plan = tenant.plan(school)
    tenant.apply(plan)
    eleni = school.people["Eleni Ng"]["person"]
    able = tenant.undo(plan)
    tenant.users[nikos - 1]["account_enabled"] = False

    undone = tenant.undo(plan)

    # Undoing disables the account the run made, so that nobody could act either way: the one with an account is no worse.
    assert f"REMOVE_OWNER 10001 {eleni}" in told(able)
    assert needed(able, by=Kind.REMOVE_OWNER) == [f"ADD_OWNER 10001 {nikos}"]
    assert f"ADD_OWNER 10001 {nikos}" in told(undone)


def test_every_kind_of_change_is_undone_in_one_way():
    tables = [SIGN_IN, ATTRIBUTES, ARCHIVING, RELATIONS, STRANGERS, LICENSING, STAYS]

    assert sorted(kind for table in tables for kind in table) == sorted(Kind)


def test_what_is_so_already_is_no_change():
    school = a_school()
    tenant = synchronised(school)
    school.leaves("Jan Kowalski")
    plan = tenant.plan(school, LATER)
    tenant.apply(plan)
    tenant.apply(tenant.undo(plan))

    assert told(tenant.undo(plan)) == []


def test_protected_and_foreign_accounts_wait():
    school = a_school()
    tenant = synchronised(school)
    school.leaves("Jan Kowalski").leaves("Maria Papadaki")
    plan = tenant.plan(school, LATER)
    tenant.apply(plan)
    jan, maria = (school.people[name]["person"] for name in ("Jan Kowalski", "Maria Papadaki"))
    accounts = {user["object_id"]: user for user in tenant.users}
    accounts[tenant.links[jan]["object_id"]]["protected"] = True
    accounts[tenant.links[maria]["object_id"]]["mark"] = "somebody-else"

    told_by = waiting(tenant.undo(plan))

    assert told_by[("ENABLE_USER", jan)] == Cause.PROTECTED
    assert told_by[("ENABLE_USER", maria)] == Cause.FOREIGN_MARK


@given(CLASSES, CLASSES, st.sets(st.integers(0, 13)))
@settings(max_examples=examples(12), deadline=None)
def test_plan_and_undo_are_inverse_where_nothing_is_made(before, after, gone):
    """People and classes of the second day are those of the first: who is where, who may sign in and what they are called changes."""
    tenant, school = Tenant(), school_of(before + after)
    tenant.apply(tenant.plan(school))
    morning = deepcopy((tenant.users, tenant.groups, sorted(json.dumps(row) for row in tenant.memberships)))
    for number, row in enumerate(list(school.enrolments)):
        if number in gone:
            school.enrolments.remove(row)
    for number, (name, row) in enumerate(school.people.items()):
        if number in gone:
            row["active"] = False
        elif number + 1 in gone:
            row["given_name"] = name[::-1]
    plan = tenant.plan(school, LATER)
    tenant.apply(plan)

    undone = tenant.undo(plan)
    tenant.apply(undone)

    assert (tenant.users, tenant.groups, sorted(json.dumps(row) for row in tenant.memberships)) == morning
    assert waiting(undone) == {}


@given(CLASSES)
@settings(max_examples=examples(6), deadline=None)
def test_a_run_undone_and_done_again_leaves_nothing_to_do(rows):
    tenant, school = Tenant(), school_of(rows)
    plan = tenant.plan(school)
    tenant.apply(plan)
    tenant.apply(tenant.undo(plan))

    tenant.apply(tenant.plan(school))

    assert tenant.plan(school).counts["changes"] == 0
