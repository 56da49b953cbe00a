"""The list of accounts that are never touched, over the emulated tenant (product.md section 5)."""

from __future__ import annotations

import json

import pytest
from tests.apply.desk import account, desk
from tests.apply.wire import connected, control, faults, synchronized, users_of
from tests.store.world import NOW, a_school, deliver

from rollbook.acts.explain import explain
from rollbook.acts.links import find_subject, set_link
from rollbook.acts.protection import listed, protect, release
from rollbook.errors import InputRefused, Stop
from rollbook.plan.changes import Cause, ChangeVerdict, Kind
from rollbook.store import protection
from rollbook.store.models import Change, Connection, ProtectedAccount, Run, Trail

NIKOS = "nikos.vasilakis@sample-school.example"


def causes(done):
    rows = done.plan.changes.filter(done.plan.changes["verdict"] == int(ChangeVerdict.WAITS))
    return {Cause(cause) for cause in rows["cause"]}


def named(tenant):
    return {user["displayName"] for user in users_of(tenant)}


def renamed(school):
    """The teacher is called something else."""
    school.people["Nikos Vasilakis"]["given_name"] = "Nikolaos"
    deliver(school)


def test_an_account_on_the_list_is_not_changed_until_it_is_taken_off(store, tenant):
    school = a_school(1)
    institute = connected(school, tenant)
    synchronized(institute)
    with desk(institute) as held:
        protect(held, NIKOS, "the head of school looks after it himself")
    renamed(school)
    control(tenant, "/counters/reset", {})

    assert causes(synchronized(institute)) == {Cause.PROTECTED}
    assert control(tenant, "/counters")["writes"] == 0
    (entry,) = listed(institute)
    assert (entry.user_name, entry.sourced_id, entry.kind, entry.by) == (NIKOS, "p1", "kept", "tester")
    assert "himself" not in json.dumps(list(Trail.objects.values_list("content", flat=True)))

    with desk(institute) as held:
        release(held, entry.object_id)
    assert causes(synchronized(institute)) == set()
    assert "Nikolaos Vasilakis" in named(tenant)


def test_what_cannot_be_put_on_the_list_or_taken_off_is_said(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    synchronized(institute)

    with desk(institute) as held:
        with pytest.raises(InputRefused, match="There is no account"):
            protect(held, "missing@sample-school.example", "why not")
        with pytest.raises(InputRefused, match="Say why"):
            protect(held, NIKOS, " ")
        with pytest.raises(InputRefused, match="not on the list"):
            release(held, NIKOS)
    assert not ProtectedAccount.objects.exists()


def test_an_account_on_the_list_is_linked_by_hand_and_said(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    account(tenant, "head")
    with desk(institute) as held:
        protect(held, "head@sample-school.example", "head of school")
        done = set_link(held, find_subject(institute, "p1", "user"), "head@sample-school.example")
    assert len(done.notes) == 1


def closed(tenant, key):
    """From the plan to the write, somebody made the account one that we may not change: Microsoft refuses the write."""
    faults(tenant, {"match": f"PATCH /users/{key}", "status": 403, "code": "Authorization_RequestDenied"})


def test_whoever_microsoft_does_not_let_us_change_is_remembered_and_left_alone(store, tenant):
    school = a_school(1)
    institute = connected(school, tenant)
    synchronized(institute)
    nikos = next(user["id"] for user in users_of(tenant) if user["displayName"] == "Nikos Vasilakis")
    closed(tenant, nikos)
    renamed(school)

    first = synchronized(institute)
    assert causes(first) == set()
    (entry,) = listed(institute)
    assert (entry.object_id, entry.kind, entry.reason) == (nikos, "refused", protection.REFUSED)
    assert entry.by == f"Rollbook, run {first.run.number}"
    said = [fact.text for fact in explain(institute, "p1", NOW.date()).parts["At Microsoft"]]
    assert any("perhaps it holds" in text and f"rollbook protect remove {nikos}" in text for text in said)
    assert Trail.objects.get(action="accounts.protected").content == {
        "run": first.run.number,
        "count": 1,
        "object_ids": [nikos],
    }

    control(tenant, "/counters/reset", {})
    assert causes(synchronized(institute)) == {Cause.PROTECTED}
    assert control(tenant, "/counters")["writes"] == 0
    assert ProtectedAccount.objects.count() == 1


def test_a_refusal_for_want_of_permission_stops_the_run_and_is_nobodys_protection(sqlite_store, tenant):
    school = a_school(1)
    institute = connected(school, tenant)
    synchronized(institute)
    app = tenant.apps[0]["client_id"]
    writing = ("User.ReadWrite.All", "User.EnableDisableAccount.All")
    roles = [role for role in tenant.directory.consents.get(app)["roles"] if role not in writing]
    control(tenant, "/consent", {"app": app, "roles": [*roles, "User.Read.All"]})
    renamed(school)

    with pytest.raises(Stop, match=r"User\.ReadWrite\.All"):
        synchronized(institute)

    connection = Connection.objects.get()
    stopped = Run.objects.latest("number").stopped
    assert stopped["request_id"]
    assert connection.notice == stopped
    assert connection.state == Connection.State.NEEDS_ATTENTION
    assert not ProtectedAccount.objects.exists()

    control(tenant, "/consent", {"app": app, "at_once": True})
    assert synchronized(institute).proof.holds
    assert not ProtectedAccount.objects.exists()
    assert Change.objects.filter(kind=int(Kind.UPDATE_USER), verdict=int(ChangeVerdict.DONE)).count() == 1
    assert Connection.objects.get().notice is None
    assert [each.action for each in Trail.objects.filter(action__startswith="connection.").order_by("pk")][-2:] == [
        "connection.failing",
        "connection.works",
    ]


def test_where_most_writes_are_refused_nobody_is_remembered(sqlite_store, tenant):
    school = a_school(protection.FEW + 2)
    institute = connected(school, tenant)
    synchronized(institute)
    for name in school.people:
        school.people[name]["family_name"] = "Renamed"
    deliver(school)
    faults(tenant, {"match": "PATCH /users/", "status": 403, "code": "Authorization_RequestDenied", "times": 100})

    synchronized(institute)
    assert not ProtectedAccount.objects.exists()


def test_another_refusal_of_one_account_is_not_taken_for_protection(sqlite_store, tenant):
    school = a_school(1)
    institute = connected(school, tenant)
    synchronized(institute)
    renamed(school)
    faults(tenant, {"match": "PATCH /users/", "status": 403, "code": "Forbidden", "times": 1})

    synchronized(institute)
    assert not ProtectedAccount.objects.exists()
