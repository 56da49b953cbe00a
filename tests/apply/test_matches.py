"""Matches to review over the emulated tenant: listed with candidates, decided, and what the next synchronization makes of it."""

from __future__ import annotations

import pytest
from tests.apply.desk import account, desk, person
from tests.apply.wire import connected, control, opened, synchronized, users_of
from tests.emulator.client import Client
from tests.store.world import a_school

from rollbook.acts.links import find_subject, shown, undo_link
from rollbook.acts.matches import decide_account, decide_without, waiting
from rollbook.errors import InputRefused
from rollbook.plan.changes import Cause, ChangeVerdict
from rollbook.store.models import Decision, Trail


def causes(done):
    rows = done.plan.changes.filter(done.plan.changes["verdict"] == int(ChangeVerdict.WAITS))
    return {Cause(cause) for cause in rows["cause"]}


def two_marias(tenant):
    """An institute in whose tenant two accounts carry the number of the only pupil; both object ids."""
    institute = connected(a_school(1), tenant)
    return institute, account(tenant, "maria.a", employeeId="S2"), account(tenant, "maria.b", employeeId="S2")


def test_whoever_waits_is_listed_with_what_could_be_meant(store, tenant):
    institute, first, second = two_marias(tenant)
    with pytest.raises(InputRefused, match="no plan yet"):
        waiting(institute)
    synchronized(institute)

    (entry,) = waiting(institute)
    assert (entry.kind, entry.sourced_id, entry.number, entry.called) == ("user", "p2", "S2", "Pupil No0")
    assert (entry.cause, entry.reason) == ("ambiguous_match", "several match; choose one")
    assert [(c.object_id, c.display_name, list(c.why)) for c in entry.candidates] == [
        (first, "maria.a", ["its employee id is the SIS number"]),
        (second, "maria.b", ["its employee id is the SIS number"]),
    ]


def test_the_account_that_is_meant_is_linked_and_the_list_is_empty(store, tenant):
    institute, _, second = two_marias(tenant)
    synchronized(institute)
    with desk(institute) as held:
        assert decide_account(held, person(institute, "p2"), second, "has her photo").changed
    assert waiting(institute) == []
    assert Trail.objects.get(action="match.decided").content["object_id"] == second

    synchronized(institute)
    assert tenant.directory.users.get(second)["displayName"] == "Pupil No0"
    assert waiting(institute) == []


def test_none_is_meant_so_the_next_plan_makes_one(sqlite_store, tenant):
    institute, first, second = two_marias(tenant)
    synchronized(institute)
    with desk(institute) as held:
        decide_without(held, person(institute, "p2"), Decision.Kind.NEW, "neither")
    assert waiting(institute) == []

    synchronized(institute)
    assert len(users_of(tenant)) == 4
    assert shown(institute, person(institute, "p2")).link.object_id not in (first, second)


def test_nobody_is_meant_until_somebody_decides_otherwise(sqlite_store, tenant):
    institute, first, _ = two_marias(tenant)
    synchronized(institute)
    with desk(institute) as held:
        decide_without(held, person(institute, "p2"), Decision.Kind.NOBODY)
    done = synchronized(institute)
    assert causes(done) == {Cause.NOBODY}
    assert waiting(institute) == []
    assert len(users_of(tenant)) == 3

    with desk(institute) as held:
        decide_account(held, person(institute, "p2"), first)
    assert causes(synchronized(institute)) == set()
    assert [(d.kind, d.ended_at is not None) for d in shown(institute, person(institute, "p2")).decisions] == [
        ("nobody", True)
    ]


def test_whoever_is_linked_is_decided_already(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    synchronized(institute)

    with desk(institute) as held, pytest.raises(InputRefused, match="p2 is linked to"):
        decide_without(held, person(institute, "p2"), Decision.Kind.NEW)


def test_after_undoing_a_link_a_new_account_can_be_had_beside_the_old_one(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    synchronized(institute)
    with desk(institute) as held:
        first = undo_link(held, person(institute, "p2"))
    synchronized(institute)
    (entry,) = waiting(institute)
    assert [list(c.why)[1:] for c in entry.candidates] == [
        ["was linked, and the link was undone", "carries a mark, so it was made for somebody else"]
    ]

    with desk(institute) as held:
        decide_without(held, person(institute, "p2"), Decision.Kind.NEW)
    done = synchronized(institute)
    assert causes(done) == set()
    assert shown(institute, person(institute, "p2")).link.object_id != first
    assert len({user["userPrincipalName"] for user in users_of(tenant)}) == 3
    # Undone again, the old decision does not make a third one.
    with desk(institute) as held:
        undo_link(held, person(institute, "p2"))
    assert causes(synchronized(institute)) == {Cause.LINK_UNDONE}
    assert len(users_of(tenant)) == 3


def test_a_class_to_review_is_decided_like_a_person(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    for name in ("first", "second"):
        control(tenant, "/seed", {"classes": [{"displayName": name, "mailNickname": name, "externalId": "c1"}]})
    synchronized(institute)
    (entry,) = waiting(institute)
    assert (entry.kind, entry.sourced_id, [c.name for c in entry.candidates]) == ("team", "c1", ["first", "second"])

    with desk(institute) as held:
        decide_account(held, find_subject(institute, "c1", "team"), "second")
    done = synchronized(institute)
    assert causes(done) == set()
    assert {group["displayName"] for group in tenant.directory.groups.values()} == {"first", "7A Maths"}


def test_an_account_in_a_restricted_unit_is_seen_as_such(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    closed = account(tenant, "closed", employeeId="S2")
    graph = Client(tenant)
    unit = graph.made("/directory/administrativeUnits", {"displayName": "Closed", "isMemberManagementRestricted": True})
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{closed}"}
    assert graph("POST", f"/directory/administrativeUnits/{unit}/members/$ref", reference).status_code == 204
    graph.close()

    with opened(institute) as session:
        plan, _ = session.plan()
        session.save(plan)
    (entry,) = waiting(institute)
    assert entry.cause == "restricted_unit"
    assert [c.object_id for c in entry.candidates] == [closed]
