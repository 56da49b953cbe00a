"""A profile's mappings over the emulated tenant: written when the account is made, kept in step, or left alone afterwards."""

from __future__ import annotations

from dataclasses import replace

from tests.apply.wire import connected, control, synchronized, users_of
from tests.store.world import ACTOR, Frozen, a_school, deliver

from rollbook.acts import profiles
from rollbook.acts.profiles import Author
from rollbook.profiles import parse


def map_to(institute, **rows):
    """The institute's profile, saved with these mappings."""
    profile = profiles.find(institute, "Suggested")
    exported = profiles.exported(profile)
    document = exported.profile.model_dump(mode="json")
    document["users"]["mappings"] |= rows
    profiles.save(profile, replace(exported, profile=parse(document)), Author(ACTOR, Frozen()))


def titles(tenant):
    return {user["displayName"]: user.get("jobTitle") for user in users_of(tenant)}


def test_mapped_properties_are_written_with_the_account_and_need_no_second_request(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    map_to(
        institute,
        job_title={"type": "expression", "value": "{{ user_type|title }} {{ id }}"},
        city={"type": "static", "value": "Athens", "casing": "upper"},
    )
    synchronized(institute)

    held = {user["displayName"]: (user["jobTitle"], user["city"]) for user in users_of(tenant)}
    assert held == {"Nikos Vasilakis": ("Teacher p1", "ATHENS"), "Pupil No0": ("Student p2", "ATHENS")}
    counted = control(tenant, "/counters")
    assert counted["writes"] == counted["least_writes"]
    assert synchronized(institute).plan.counts["changes"] == 0


def test_what_counts_on_creation_only_is_left_alone_afterwards_and_the_rest_kept_in_step(sqlite_store, tenant):
    school = a_school(1)
    institute = connected(school, tenant)
    phone = {"value": "phone"}
    map_to(institute, job_title=phone | {"on_creation_only": True}, department=phone)
    for person in school.people.values():
        person["phone"] = "first"
    deliver(school)
    synchronized(institute)
    for person in school.people.values():
        person["phone"] = "second"
    deliver(school)
    synchronized(institute)

    assert set(titles(tenant).values()) == {"first"}
    assert {user["department"] for user in users_of(tenant)} == {"second"}
