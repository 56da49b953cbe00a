"""Accounts with directory roles are never changed; where roles cannot be read, no existing account is (product.md section 5)."""

from __future__ import annotations

import pytest
from tests.apply.wire import connected, control, synchronized, users_of
from tests.store.world import a_school, deliver

from rollbook.plan.changes import Cause


def waiting(done):
    """Causes of what waits, with how many wait for each."""
    rows = done.plan.changes.filter(done.plan.changes["verdict"] != 0)
    return {Cause(cause) for cause in rows["cause"] if Cause(cause) in (Cause.PROTECTED,)}


def key_of(tenant, name):
    return next(user["id"] for user in users_of(tenant) if user["displayName"] == name)


@pytest.mark.parametrize("way", ["directly", "eligibly", "through a group"])
def test_whoever_holds_a_role_is_neither_renamed_nor_disabled(sqlite_store, tenant, way):
    school = a_school(1)
    institute = connected(school, tenant)
    synchronized(institute)
    principal = key_of(tenant, "Nikos Vasilakis")
    if way == "through a group":
        control(
            tenant, "/seed", {"groups": [{"displayName": "Admins", "isAssignableToRole": True, "members": [principal]}]}
        )
        principal = next(g["id"] for g in tenant.directory.groups.values() if g["displayName"] == "Admins")
    control(tenant, "/role", {"principal": principal, "eligible": way == "eligibly"})
    school.people["Nikos Vasilakis"]["given_name"] = "Nikolaos"
    deliver(school)
    control(tenant, "/counters/reset", {})
    done = synchronized(institute)

    assert waiting(done) == {Cause.PROTECTED}
    assert control(tenant, "/counters")["writes"] == 0
    assert not control(tenant, "/counters")["refused"]
    assert key_of(tenant, "Nikos Vasilakis")


def test_where_roles_cannot_be_read_no_existing_account_is_changed_and_new_ones_are_made(sqlite_store, tenant):
    school = a_school(1)
    institute = connected(school, tenant)
    synchronized(institute)
    app = tenant.apps[0]["client_id"]
    blind = ("RoleManagement.Read.Directory", "Directory.Read.All")
    roles = [role for role in tenant.directory.consents.get(app)["roles"] if role not in blind]
    control(tenant, "/consent", {"app": app, "roles": roles})
    school.people["Nikos Vasilakis"]["given_name"] = "Nikolaos"
    school.klass("7A Maths", students=["New Pupil"])
    deliver(school)
    done = synchronized(institute)

    assert waiting(done) == {Cause.PROTECTED}
    assert {user["displayName"] for user in users_of(tenant)} == {"Nikos Vasilakis", "Pupil No0", "New Pupil"}
