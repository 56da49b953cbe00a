"""The register by hand over a real tenant: what somebody says at the command line is what the next synchronization does."""

from __future__ import annotations

from tests.apply.wire import connected, members_of, synchronized, users_of
from tests.store.world import ACTOR, Frozen, a_school, deliver
from tests.world import AUTUMN

from rollbook.acts.profiles import Author
from rollbook.acts.register import (
    Typed,
    add_enrolment,
    add_person,
    deactivate_person,
    edit_person,
    end_enrolment,
    reset_person,
)

AUTHOR = Author(ACTOR, Frozen())


def enabled(tenant):
    return {user["displayName"]: user["accountEnabled"] for user in users_of(tenant)}


def test_somebody_added_by_hand_gets_an_account_and_a_class_and_loses_neither_to_the_next_delivery(store, tenant):
    institute = connected(a_school(2), tenant)
    synchronized(institute)
    add_person(institute, Typed({"given_name": "Zoë", "family_name": "Laskari"}, ["student"], ["7A Maths"]), AUTHOR)
    synchronized(institute)

    assert enabled(tenant)["Zoë Laskari"] is True
    assert "Zoë Laskari" in members_of(tenant, "7A Maths")

    deliver(a_school(2))
    assert synchronized(institute).plan.counts["changes"] == 0


def test_somebody_deactivated_is_disabled_and_enabled_again_when_the_delivery_counts_again(store, tenant):
    institute = connected(a_school(2), tenant)
    synchronized(institute)
    deactivate_person(institute, "p2", AUTHOR)
    synchronized(institute)

    assert enabled(tenant) == {"Nikos Vasilakis": True, "Pupil No0": False, "Pupil No1": True}
    assert "Pupil No0" not in members_of(tenant, "7A Maths")

    reset_person(institute, "p2", AUTHOR)
    synchronized(institute)
    assert enabled(tenant)["Pupil No0"] is True
    assert "Pupil No0" in members_of(tenant, "7A Maths")


def test_a_corrected_person_keeps_the_account_they_have(store, tenant):
    institute = connected(a_school(1), tenant)
    synchronized(institute)
    before = {user["id"] for user in users_of(tenant)}
    edit_person(institute, "p2", Typed({"preferred_given_name": "Polly"}), AUTHOR)

    assert synchronized(institute).plan.counts["changes"] == 1
    assert {user["id"] for user in users_of(tenant)} == before
    assert set(enabled(tenant)) == {"Nikos Vasilakis", "Polly No0"}


def test_an_enrolment_ended_by_hand_ends_the_membership_and_one_added_begins_it(store, tenant):
    institute = connected(a_school(2).klass("7A Art", students=["Pupil No0"], teachers=["Nikos Vasilakis"]), tenant)
    synchronized(institute)
    end_enrolment(institute, "p2", "7A Maths", AUTHOR, AUTUMN)
    add_enrolment(institute, "p3", "7A Art", AUTHOR, AUTUMN)
    synchronized(institute)

    assert members_of(tenant, "7A Maths") == ["Nikos Vasilakis", "Pupil No1"]
    assert members_of(tenant, "7A Art") == ["Nikos Vasilakis", "Pupil No0", "Pupil No1"]
