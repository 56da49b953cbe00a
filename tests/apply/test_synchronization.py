"""From a delivered school to a proven tenant, over real HTTP; and what goes wrong on the way."""

from __future__ import annotations

import pytest
from tests.apply.wire import (
    connected,
    control,
    faults,
    members_of,
    opened,
    synchronized,
    users_of,
)
from tests.store.world import Frozen, a_school, deliver
from tests.world import School

from rollbook.acts.runs import synchronize
from rollbook.apply.whys import STATUSES
from rollbook.errors import ApprovalDue, Stop
from rollbook.plan.changes import ChangeVerdict
from rollbook.store.models import Connection, Run, Secret
from rollbook.store.runs import verdict_counts
from rollbook.store.vault import Vault

MATHS = "7A Maths"


def big_school(students: int = 45) -> School:
    """One class that needs several requests for its people, and one without a teacher."""
    return a_school(students).klass("7A Art", students=["Pupil No0"])


def test_a_school_becomes_accounts_a_class_team_and_memberships_and_is_proven(store, tenant):
    institute = connected(a_school(), tenant)

    done = synchronized(institute)

    held = control(tenant, "/state")
    assert (held["users"], held["licensed"], held["classes"], held["teams"]) == (5, 4, 1, 1)
    assert members_of(tenant, MATHS) == ["Nikos Vasilakis", "Pupil No0", "Pupil No1", "Pupil No2"]
    nothing = dict.fromkeys(STATUSES, 0)
    assert done.proof.as_json() == {"teams": 1, "groups": 0, "members_expected": 5, **nothing}
    assert set(verdict_counts(done.run)) == {ChangeVerdict.DONE}


def test_no_write_too_many_and_none_the_second_time(sqlite_store, tenant):
    institute = connected(big_school(), tenant)

    synchronized(institute)
    first = control(tenant, "/counters")
    control(tenant, "/counters/reset", {})
    second = synchronized(institute)

    assert first["writes"] == first["least_writes"]
    assert not first["refused"]
    assert control(tenant, "/counters")["writes"] == 0
    assert second.plan.counts == {"changes": 0, "waiting": 1, "newly_waiting": 0}


def test_the_first_run_stops_where_approval_is_due_and_changes_nothing(sqlite_store, tenant):
    institute = connected(a_school(), tenant)

    with opened(institute) as session, pytest.raises(ApprovalDue) as due:
        synchronize(session, None)
    assert control(tenant, "/counters")["writes"] == 0

    with opened(institute) as session:
        done = synchronize(session, due.value.fingerprint)
    assert done.proof.holds
    assert done.run.approvals.get().actor == "tester"


def test_first_passwords_are_kept_encrypted_one_for_each_account(sqlite_store, tenant):
    synchronized(connected(a_school(), tenant))

    kept = [Vault().decrypt(s.ciphertext) for s in Secret.objects.filter(purpose="first_password")]

    assert len(set(kept)) == 4


def test_whoever_leaves_is_signed_out_disabled_and_taken_out_of_the_team(sqlite_store, tenant):
    school = a_school(20)
    institute = connected(school, tenant)
    synchronized(institute)
    deliver(school.leaves("Pupil No1"))

    done = synchronized(institute)

    (left,) = [user for user in users_of(tenant) if user["displayName"] == "Pupil No1"]
    assert not left["accountEnabled"]
    assert "signInSessionsValidFromDateTime" in left
    assert "Pupil No1" not in members_of(tenant, MATHS)
    assert done.proof.holds

    school.people["Pupil No1"]["active"] = True
    deliver(school)
    synchronized(institute)
    (back,) = [user for user in users_of(tenant) if user["displayName"] == "Pupil No1"]
    assert back["accountEnabled"]
    assert "Pupil No1" in members_of(tenant, MATHS)


def test_a_changed_name_and_a_changed_class_are_updated(sqlite_store, tenant):
    school = a_school()
    institute = connected(school, tenant)
    synchronized(institute)
    school.people["Pupil No1"]["family_name"] = "Renamed"
    deliver(school)

    synchronized(institute)

    assert "Pupil Renamed" in members_of(tenant, MATHS)
    assert len(users_of(tenant)) == 4


@pytest.mark.parametrize("when", ["close-before", "close-after"])
@pytest.mark.parametrize(
    "call", ["POST /users$", "PATCH /groups/", "assignLicense", "POST /education/classes", "POST /teams"]
)
def test_a_connection_that_ends_around_a_write_makes_nothing_twice_and_loses_nothing(sqlite_store, tenant, when, call):
    institute = connected(big_school(25), tenant)
    faults(tenant, {"match": call, "kind": when})

    done = synchronized(institute)

    names = [user["displayName"] for user in users_of(tenant)]
    assert sorted(names) == sorted(set(names))
    assert control(tenant, "/state")["classes"] == 1
    assert done.proof.holds
    assert set(verdict_counts(done.run)) == {ChangeVerdict.DONE, ChangeVerdict.WAITS}


@pytest.mark.parametrize("status", [429, 503, 500, 504])
def test_a_busy_microsoft_is_waited_for_inside_a_batch_too(sqlite_store, tenant, status):
    institute = connected(a_school(), tenant)
    faults(tenant, {"match": "POST /users$", "status": status, "retry_after": 7, "times": 2})
    clock = Frozen()

    done = synchronized(institute, clock)

    assert done.proof.holds
    assert set(verdict_counts(done.run)) == {ChangeVerdict.DONE}
    if status in (429, 503):
        assert sum(clock.slept) >= 7


def test_a_tenant_that_stays_busy_leaves_the_change_to_the_next_run(sqlite_store, tenant):
    institute = connected(a_school(), tenant)
    faults(tenant, {"match": "POST /education/classes", "status": 503, "retry_after": 1, "times": 99})

    first = synchronized(institute)
    faults(tenant)
    second = synchronized(institute)

    counted = verdict_counts(first.run)
    assert counted[ChangeVerdict.LATER] == 1
    assert counted[ChangeVerdict.BLOCKED] == 6
    assert not first.proof.holds
    assert second.proof.holds


def test_one_person_microsoft_refuses_does_not_keep_the_others_out(sqlite_store, tenant):
    institute = connected(big_school(25), tenant)
    with opened(institute) as session:
        plan, view = session.plan()
        run = session.save(plan)
        session.approve(run, plan, plan.fingerprint)
        # Somebody's account vanishes as soon as it was made.
        vanished: list[str] = []

        def progress(stage: str, done: int, total: int) -> None:
            for user in [u for u in tenant.directory.users.values() if u["displayName"] == "Pupil No7"][: not vanished]:
                tenant.directory.users.drop(user["id"])
                vanished.append(user["id"])

        session.show = type(session.show)(progress=progress)
        session.apply(run)
        proof = session.prove(run, plan, view)

    # Licence and membership: the account was made a moment ago, so it may yet be seen.
    assert verdict_counts(run)[ChangeVerdict.LATER] == 2
    assert len(members_of(tenant, MATHS)) == 25
    assert (proof.missing, proof.extra) == (1, 0)


def test_a_name_taken_since_the_plan_was_made_is_left_to_the_next_run_which_picks_another(sqlite_store, tenant):
    institute = connected(a_school(), tenant)
    with opened(institute) as session:
        plan, view = session.plan()
        run = session.save(plan)
        session.approve(run, plan, plan.fingerprint)
        directory = tenant.directory
        record = {"id": "stranger", "displayName": "Stranger", "assignedLicenses": [], "accountEnabled": True}
        record |= {"userPrincipalName": "Pupil.No1@sample-school.example", "mailNickname": "x", "userType": "Member"}
        directory.users.put("stranger", record)
        session.apply(run)
        assert verdict_counts(run)[ChangeVerdict.LATER] == 1
        session.prove(run, plan, view)

    second = synchronized(institute)

    names = {user["userPrincipalName"] for user in users_of(tenant)}
    assert "pupil.no12@sample-school.example" in names
    assert second.proof.holds


def test_a_run_that_was_stopped_says_why_and_goes_on_when_the_cause_is_gone(sqlite_store, tenant):
    institute = connected(a_school(), tenant)
    connection = Connection.objects.get()
    right = connection.secret.ciphertext
    with opened(institute) as session:
        plan, _ = session.plan()
        run = session.save(plan)
        session.approve(run, plan, plan.fingerprint)
    type(connection.secret).objects.update(ciphertext=Vault().encrypt("wrong"))

    with opened(institute) as session, pytest.raises(Stop, match="client secret") as stop:
        session.apply(run)
    assert "7000215" in stop.value.message
    run.refresh_from_db()
    assert run.stopped["remedy"]
    assert not users_of(tenant)

    type(connection.secret).objects.update(ciphertext=right)
    done = synchronized(institute)
    assert Run.objects.get(pk=run.pk).state == "applied"
    assert done.proof.holds
    assert len(users_of(tenant)) == 4


def test_an_emulator_that_is_not_running_is_said_as_such(sqlite_store):
    from rollbook.emulator import Config, Emulator

    with Emulator(Config(quota_scale=None, delays=None)) as tenant:
        institute = connected(a_school(), tenant)

    with opened(institute) as session, pytest.raises(Stop, match="Nothing answers") as stop:
        session.plan()
    assert "emulator" in stop.value.remedy


def test_a_token_that_cannot_see_hidden_members_stops_the_reading(sqlite_store, tenant):
    institute = connected(a_school(), tenant)
    synchronized(institute)
    app = tenant.apps[0]["client_id"]
    roles = [role for role in tenant.directory.consents.get(app)["roles"] if role != "Member.Read.Hidden"]
    control(tenant, "/consent", {"app": app, "roles": roles})

    with opened(institute) as session, pytest.raises(Stop, match=r"Member\.Read\.Hidden"):
        session.plan()


def test_microsofts_delays_are_waited_for_and_nothing_is_lost(sqlite_store):
    from rollbook.emulator import Config, Emulator

    with Emulator(Config(quota_scale=None, delays=1.0)) as tenant:

        class Moving(Frozen):
            """Waiting moves the emulator's clock too."""

            def sleep(self, seconds: float) -> None:
                super().sleep(seconds)
                control(tenant, "/advance", {"seconds": seconds})

        institute = connected(a_school(), tenant)
        first = synchronized(institute, Moving())
        control(tenant, "/advance", {"seconds": 900})
        second = synchronized(institute, Moving())

    # A group younger than 15 minutes may refuse to become a team; it is waited for within the run.
    assert set(verdict_counts(first.run)) == {ChangeVerdict.DONE}
    assert first.proof.holds
    assert second.plan.counts["changes"] == 0
    assert second.proof.as_json()["pending"] == 0
    assert second.proof.holds
