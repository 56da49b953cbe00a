"""Leaving and coming back, names and licences over real HTTP: what the emulated tenant holds afterwards."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.apply.wire import (
    account_of,
    connected,
    control,
    faults,
    members_of,
    set_profile,
    synchronized,
    synchronized_on,
    users_of,
)
from tests.store.world import a_school, deliver
from tests.world import AUTUMN

from rollbook.plan.changes import ChangeVerdict
from rollbook.store.models import LicenceGrant, NameReservation
from rollbook.store.runs import verdict_counts

MATHS = "7A Maths"
WEEK = dt.timedelta(days=7)
GOOD = {ChangeVerdict.DONE, ChangeVerdict.WAITS}


def settled(done):
    return set(verdict_counts(done.run)) <= GOOD


def test_graces_before_disabling_and_before_the_licence_is_taken_back(store, tenant):
    school = a_school(20)
    institute = connected(school, tenant)
    set_profile(institute, users__leaving={"disable_days": 7, "unlicense": True, "unlicense_days": 90})
    synchronized(institute)
    deliver(school.leaves("Pupil No1"))

    synchronized(institute)
    assert account_of(tenant, "Pupil No1")["accountEnabled"]
    assert "Pupil No1" not in members_of(tenant, MATHS)

    synchronized_on(institute, AUTUMN + WEEK)
    left = account_of(tenant, "Pupil No1")
    assert (left["accountEnabled"], len(left["assignedLicenses"])) == (False, 1)

    done = synchronized_on(institute, AUTUMN + dt.timedelta(days=90))
    assert account_of(tenant, "Pupil No1")["assignedLicenses"] == []
    assert LicenceGrant.objects.count() == 20
    assert settled(done)

    school.people["Pupil No1"]["active"] = True
    deliver(school)
    synchronized_on(institute, AUTUMN + dt.timedelta(days=100))
    back = account_of(tenant, "Pupil No1")
    assert (back["accountEnabled"], len(back["assignedLicenses"])) == (True, 1)
    assert "Pupil No1" in members_of(tenant, MATHS)


def test_a_preview_of_a_day_to_come_makes_nobody_a_leaver(sqlite_store, tenant):
    school = a_school(20)
    institute = connected(school, tenant)
    set_profile(institute, users__leaving={"disable_days": 7})
    synchronized(institute)
    school.enrolments[0]["end"] = AUTUMN + 20 * WEEK
    deliver(school)

    from tests.apply.wire import opened, session
    from tests.store.world import ACTOR, Frozen

    with session(institute, AUTUMN + 21 * WEEK, ACTOR, Frozen()) as coming:
        assert coming.plan()[0].counts["changes"] > 0
    with opened(institute) as now:
        assert now.plan()[0].counts["changes"] == 0


@pytest.mark.parametrize("when", [None, "close-before", "close-after"])
def test_an_account_deleted_by_hand_is_restored_once_whatever_happens_to_the_answer(sqlite_store, tenant, when):
    institute = connected(a_school(), tenant)
    synchronized(institute)
    known = account_of(tenant, "Pupil No1")
    control(tenant, "/delete", {"user": known["id"]})
    if when:
        faults(tenant, {"match": "POST /directory/deletedItems", "kind": when})

    done = synchronized(institute)

    assert account_of(tenant, "Pupil No1")["id"] == known["id"]
    assert "Pupil No1" in members_of(tenant, MATHS)
    assert len(users_of(tenant)) == 4
    assert settled(done)
    assert synchronized(institute).plan.counts["changes"] == 0


def test_a_restored_account_whose_name_was_taken_comes_back_under_another(sqlite_store, tenant):
    institute = connected(a_school(), tenant)
    synchronized(institute)
    known = account_of(tenant, "Pupil No1")
    control(tenant, "/delete", {"user": known["id"]})
    control(
        tenant, "/seed", {"users": [{"userPrincipalName": known["userPrincipalName"], "displayName": "Somebody else"}]}
    )

    synchronized(institute)

    local, _, domain = known["userPrincipalName"].partition("@")
    assert account_of(tenant, "Pupil No1")["userPrincipalName"] == f"{local}2@{domain}"


@pytest.mark.parametrize("when", [None, "close-before", "close-after"])
def test_a_renamed_person_signs_in_with_the_new_name_and_the_old_one_is_kept_free(store, tenant, when):
    school = a_school()
    institute = connected(school, tenant)
    set_profile(institute, users__names={"rename_on_change": True, "keep_days": 30})
    synchronized(institute)
    before = account_of(tenant, "Pupil No1")
    school.people["Pupil No1"]["family_name"] = "Renamed"
    deliver(school)
    if when:
        faults(tenant, {"match": f"PATCH /users/{before['id']}", "kind": when})

    done = synchronized(institute)

    after = account_of(tenant, "Pupil Renamed")
    assert after["id"] == before["id"]
    assert after["userPrincipalName"].startswith("pupil.renamed@")
    kept = dict(NameReservation.objects.filter(namespace="user", until__isnull=False).values_list("folded", "until"))
    assert kept == {before["userPrincipalName"].lower(): AUTUMN + dt.timedelta(days=30)}
    assert settled(done)
    assert synchronized(institute).plan.counts["changes"] == 0


def skus_of(tenant):
    return {sku["skuPartNumber"]: sku for sku in tenant.directory.skus.values()}


def test_service_plans_are_switched_off_and_on_again(sqlite_store, tenant):
    school = a_school()
    institute = connected(school, tenant)
    sku = skus_of(tenant)["STANDARDWOFFPACK_STUDENT"]
    plan = sku["servicePlans"][0]
    licence = {"sku": sku["skuPartNumber"], "plans_off": [plan["servicePlanName"]]}
    set_profile(institute, users__roles__student={"licences": [licence]})
    synchronized(institute)
    held = account_of(tenant, "Pupil No1")["assignedLicenses"]
    assert held == [{"skuId": sku["skuId"], "disabledPlans": [plan["servicePlanId"]]}]

    set_profile(institute, users__roles__student={"licences": [licence | {"plans_off": []}]})
    done = synchronized(institute)
    assert account_of(tenant, "Pupil No1")["assignedLicenses"][0]["disabledPlans"] == []
    assert settled(done)
    assert synchronized(institute).plan.counts["changes"] == 0


@pytest.mark.parametrize(
    "fault",
    [
        None,
        {"match": "PATCH /groups.uniqueName", "kind": "close-after"},
        {"match": "POST /groups/.*/assignLicense", "kind": "close-after"},
        {"match": "PATCH /groups/", "kind": "close-after"},
    ],
    ids=["undisturbed", "group", "licence", "members"],
)
def test_licences_come_through_a_group_and_classes_follow_once_microsoft_gave_them(sqlite_store, tenant, fault):
    school = a_school(25)
    institute = connected(school, tenant)
    set_profile(institute, users__licences_by_group=True)
    if fault:
        faults(tenant, fault)

    first = synchronized(institute)
    second = synchronized(institute)

    assert settled(first)
    assert settled(second)
    assert len(members_of(tenant, "Licences: student, The School")) == 25
    states = [user["licenseAssignmentStates"] for user in users_of(tenant)]
    assert all(len(each) == 1 and each[0]["assignedByGroup"] for each in states)
    assert len(members_of(tenant, MATHS)) == 26
    assert synchronized(institute).plan.counts["changes"] == 0


def test_whoever_left_loses_the_licence_of_the_group_after_the_grace_and_strangers_stay_in_it(sqlite_store, tenant):
    school = a_school(25)
    institute = connected(school, tenant)
    set_profile(institute, users__licences_by_group=True, users__leaving={"unlicense": True, "unlicense_days": 30})
    synchronized(institute)
    synchronized(institute)
    control(
        tenant,
        "/seed",
        {"users": [{"userPrincipalName": f"guest.speaker@{tenant.directory.domain}", "displayName": "Guest Speaker"}]},
    )
    group = "Licences: student, The School"
    key = next(each["id"] for each in tenant.directory.groups.values() if each["displayName"] == group)
    control(tenant, "/people", {"group": key, "user": account_of(tenant, "Guest Speaker")["id"]})
    deliver(school.leaves("Pupil No1"))

    synchronized(institute)
    assert "Pupil No1" in members_of(tenant, group)
    synchronized_on(institute, AUTUMN + dt.timedelta(days=30))

    assert "Pupil No1" not in members_of(tenant, group)
    assert "Guest Speaker" in members_of(tenant, group)
    assert account_of(tenant, "Pupil No1")["assignedLicenses"] == []


def test_a_tenant_without_group_licensing_says_so(sqlite_store):
    from rollbook.emulator import Config, Emulator

    with Emulator(Config(quota_scale=None, delays=None, group_licensing=False)) as plain:
        institute = connected(a_school(1), plain)
        set_profile(institute, users__licences_by_group=True)
        done = synchronized(institute)
    assert ChangeVerdict.NEVER in verdict_counts(done.run)
