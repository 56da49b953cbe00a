"""New passwords at Microsoft: what is stored is what is set, whatever happens on the way; and first passwords likewise."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from tests.apply.wire import connected, control, faults, opened, synchronized, users_of
from tests.store.world import ACTOR, NOW, Frozen, a_school

from rollbook.acts.claims import Terms, make_codes
from rollbook.acts.new_passwords import carry_out, propose, withdraw
from rollbook.acts.passwords import Request, waiting, write_table
from rollbook.acts.profiles import Author, enable, new
from rollbook.acts.runs import finish_unfinished
from rollbook.errors import ApprovalDue, InputRefused
from rollbook.graph.reader import GraphReader
from rollbook.plan.changes import Cause, ChangeVerdict
from rollbook.roster.selection import Wanted
from rollbook.store.models import Change, ClaimCode, Institute, Link, Run, Secret, Trail
from rollbook.store.runs import load_plan, verdict_counts
from rollbook.store.vault import Vault

CLASS = Wanted(classes=("7A Maths",))


def at_microsoft(tenant: Any) -> dict[str, str]:
    """The password of each account, by object id."""
    return {user["id"]: user["_password"] for user in users_of(tenant)}


def in_store(purpose: str = "first_password") -> dict[str, str]:
    """The passwords that are stored, by object id."""
    vault = Vault()
    found = Secret.objects.filter(purpose=purpose).select_related("link")
    return {secret.link.object_id: vault.decrypt(secret.ciphertext) for secret in found}


def handed_over(institute: Institute, path: Path) -> None:
    """Everybody's first password is handed over."""
    write_table(Request(institute, Wanted(), NOW.date(), Author(ACTOR, Frozen())), path)
    assert in_store() == {}


def set_for(institute: Institute, wanted: Wanted = CLASS) -> Run:
    """New passwords to which whoever asked agreed."""
    with opened(institute) as session:
        run = propose(session, wanted)
        carry_out(session, run, run.fingerprint)
    return run


def causes(run: Run) -> dict[str, Cause]:
    """Why each person of a run gets a password or waits, by object id."""
    ids = {link.pk: link.object_id for link in Link.objects.all()}
    return {ids[change.subject]: Cause(change.cause) for change in Change.objects.filter(run=run)}


def key_of(tenant: Any, name: str) -> str:
    return next(user["id"] for user in users_of(tenant) if user["displayName"] == name)


def test_what_is_handed_over_after_a_synchronization_is_what_microsoft_was_given(sqlite_store, tenant):
    synchronized(connected(a_school(), tenant))

    assert in_store() == at_microsoft(tenant)


def test_a_class_gets_new_passwords_that_wait_to_be_handed_over_and_its_teacher_does_not(
    sqlite_store, tenant, tmp_path
):
    institute = connected(a_school(), tenant)
    synchronized(institute)
    handed_over(institute, tmp_path / "first.csv")
    before = at_microsoft(tenant)

    run = set_for(institute)

    after, teacher = at_microsoft(tenant), key_of(tenant, "Nikos Vasilakis")
    assert {key for key in after if after[key] != before[key]} == set(after) - {teacher}
    assert in_store() == {key: password for key, password in after.items() if key != teacher}
    assert all(user["_change"] for user in users_of(tenant))
    assert (run.state, run.purpose) == ("applied", "passwords")
    assert verdict_counts(run) == {ChangeVerdict.DONE: 3}
    assert control(tenant, "/counters")["refused"] == {}


def test_a_new_password_takes_the_place_of_the_one_that_waits_and_voids_its_code(sqlite_store, tenant, tmp_path):
    institute = connected(a_school(1), tenant)
    synchronized(institute)
    first = in_store()
    everybody = Request(institute, Wanted(), NOW.date(), Author(ACTOR, Frozen()))
    make_codes(everybody, tmp_path / "codes.csv", Terms())

    set_for(institute)

    assert in_store() == at_microsoft(tenant)
    assert in_store() != first
    assert Secret.objects.filter(purpose="first_password").count() == 2
    assert in_store("next_password") == {}
    teacher = ClaimCode.objects.get()
    assert teacher.secret.link.object_id == key_of(tenant, "Nikos Vasilakis")


def test_who_asked_has_agreed_and_the_trail_says_so_without_names(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    synchronized(institute)

    run = set_for(institute)

    approval = run.approvals.get()
    assert (approval.actor, approval.waived) == (ACTOR.name, ["passwords-set"])
    entries = Trail.objects.filter(content__run=run.number).order_by("pk")
    assert [entry.action for entry in entries] == ["run.planned", "run.approved"]
    assert not any("Pupil" in str(entry.content) for entry in entries)


def test_without_agreement_nothing_is_set(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    synchronized(institute)
    before = at_microsoft(tenant)

    with opened(institute) as session:
        run = propose(session, CLASS)
        with pytest.raises(ApprovalDue):
            carry_out(session, run, None)
    withdraw(run)

    assert at_microsoft(tenant) == before
    assert Run.objects.get(pk=run.pk).state == "superseded"


def test_whoever_cannot_or_must_not_get_one_is_left_out_for_a_reason(sqlite_store, tenant):
    school = a_school(6)
    institute = connected(school, tenant)
    synchronized(institute)
    before = at_microsoft(tenant)
    pupil = {number: key_of(tenant, f"Pupil No{number}") for number in range(6)}
    control(tenant, "/edit", {"user": pupil[0], "set": {"onPremisesSyncEnabled": True}})
    control(tenant, "/role", {"principal": pupil[1]})
    federated = {"userPrincipalName": "pupil.no2@elsewhere.example"}
    control(tenant, "/edit", {"user": pupil[2], "set": federated})
    control(tenant, "/delete", {"user": pupil[3]})
    Link.objects.filter(object_id=pupil[4]).update(object_id=None, origin=None)

    run = set_for(institute)

    assert causes(run) == {
        pupil[0]: Cause.ON_PREMISES,
        pupil[1]: Cause.PROTECTED,
        pupil[2]: Cause.SIGNS_IN_ELSEWHERE,
        pupil[3]: Cause.ACCOUNT_GONE,
        None: Cause.NOT_LINKED,
        pupil[5]: Cause.ASKED_FOR,
    }
    after = at_microsoft(tenant)
    assert {key for key in after if after[key] != before[key]} == {pupil[5]}
    assert not [call for call in control(tenant, "/counters")["refused"] if "PATCH" in call]


def test_where_roles_cannot_be_read_nobody_gets_one(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    synchronized(institute)
    app = tenant.apps[0]["client_id"]
    blind = ("RoleManagement.Read.Directory", "Directory.Read.All")
    roles = [role for role in tenant.directory.consents.get(app)["roles"] if role not in blind]
    control(tenant, "/consent", {"app": app, "roles": roles})

    assert set(causes(set_for(institute)).values()) == {Cause.PROTECTED}


def test_without_the_permission_microsoft_refuses_and_the_old_password_still_waits(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    synchronized(institute)
    app = tenant.apps[0]["client_id"]
    roles = [r for r in tenant.directory.consents.get(app)["roles"] if r != "User-PasswordProfile.ReadWrite.All"]
    control(tenant, "/consent", {"app": app, "roles": roles})

    run = set_for(institute)

    assert verdict_counts(run) == {ChangeVerdict.NEVER: 1}
    assert in_store() == at_microsoft(tenant)
    assert in_store("next_password") == {}


@pytest.mark.parametrize("status", [429, 503, 500, 504])
def test_a_busy_microsoft_is_waited_for_and_what_is_stored_is_what_is_set(sqlite_store, tenant, status):
    institute = connected(a_school(), tenant)
    synchronized(institute)
    faults(tenant, {"match": "PATCH /users/", "status": status, "retry_after": 7, "times": 2})

    run = set_for(institute)

    assert verdict_counts(run) == {ChangeVerdict.DONE: 3}
    assert in_store() == at_microsoft(tenant)


def test_a_microsoft_that_stays_busy_leaves_the_old_passwords(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    synchronized(institute)
    faults(tenant, {"match": "PATCH /users/", "status": 503, "retry_after": 1, "times": 99})

    run = set_for(institute)

    assert verdict_counts(run) == {ChangeVerdict.LATER: 1}
    assert in_store() == at_microsoft(tenant)


@pytest.mark.parametrize("when", ["close-before", "close-after"])
def test_a_connection_that_ends_around_a_new_password_leaves_what_is_stored_true(sqlite_store, tenant, when):
    institute = connected(a_school(25), tenant)
    synchronized(institute)
    faults(tenant, {"match": "PATCH /users/", "kind": when})

    run = set_for(institute)

    assert verdict_counts(run) == {ChangeVerdict.DONE: 25}
    assert in_store() == at_microsoft(tenant)


def test_an_account_whose_creation_got_no_answer_and_is_not_seen_yet_keeps_the_password_it_was_made_with(
    sqlite_store, tenant, monkeypatch
):
    look = GraphReader.users_by_upn
    looks = []

    def late(self, names):
        """Microsoft's readings lag behind its writes: the first look sees nobody."""
        looks.append(names)
        return look(self, names if len(looks) > 1 else [])

    monkeypatch.setattr(GraphReader, "users_by_upn", late)
    institute = connected(a_school(), tenant)
    faults(tenant, {"match": "POST /users$", "kind": "close-after"})

    done = synchronized(institute)

    assert len(looks) > 1
    assert done.proof.holds
    assert in_store() == at_microsoft(tenant)


def test_a_run_of_passwords_changes_nothing_of_what_synchronizations_remember(sqlite_store, tenant):
    school = a_school(1).klass("Nobody teaches it", students=["Pupil No0"])
    institute = connected(school, tenant)
    synchronized(institute)
    with opened(institute) as session:
        waiting_plan, _ = session.plan()
        kept = session.save(waiting_plan)

    set_for(institute)

    assert Run.objects.get(pk=kept.pk).state == kept.state
    done = synchronized(institute)
    assert done.plan.counts["changes"] == 0
    assert done.plan.counts["waiting"] > 0


def test_a_run_of_passwords_is_not_the_first_run_of_a_profile(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    synchronized(institute)
    author = Author(ACTOR, Frozen())
    enable(new(institute, "Second", NOW.date(), None, author), author)

    set_for(institute)

    with opened(institute) as session:
        assert session.plan()[0].first_run


def test_passwords_are_not_set_for_everybody_at_once_nor_for_nobody(sqlite_store, tenant):
    institute = connected(a_school(1).klass("Empty", teachers=["Nikos Vasilakis"]), tenant)
    synchronized(institute)

    with opened(institute) as session:
        with pytest.raises(InputRefused, match="named"):
            propose(session, Wanted())
        with pytest.raises(InputRefused, match="Nobody"):
            propose(session, Wanted(classes=("Empty",)))


SCRIPT = """
    import os, signal, sys
    from rollbook.store.setup import open_store
    open_store()
    from pathlib import Path
    from rollbook.graph.transport import Transport
    from rollbook.handover.file import Draft
    from rollbook.store import passwords
    from rollbook.store.journal import StoreJournal
    from rollbook.store.models import Institute
    from tests.apply.test_new_passwords import CLASS, set_for

    point, number = sys.argv[1], int(sys.argv[2])
    seen = {"n": 0}

    def die(at):
        if at == point:
            seen["n"] += 1
            if seen["n"] == number:
                os.kill(os.getpid(), signal.SIGKILL)

    send, intend, answer = Transport.send, StoreJournal.intend, StoreJournal.answer
    publish, forget = Draft.publish, passwords.forget

    def sending(self, request):
        writes = request.body and any(r["method"] != "GET" for r in request.body.get("requests", []))
        if writes:
            die("before-sending")
        result = send(self, request)
        if writes:
            die("after-sending")
        return result

    def intending(self, intents):
        intend(self, intents)
        die("after-intent")

    def answering(self, answers):
        die("before-answer")
        answer(self, answers)
        die("after-answer")

    def publishing(self):
        die("before-file")
        publish(self)
        die("after-file")

    def forgetting(secrets):
        gone = forget(secrets)
        die("before-commit")
        return gone

    Transport.send, StoreJournal.intend, StoreJournal.answer = sending, intending, answering
    Draft.publish, passwords.forget = publishing, forgetting
"""
SETTING = "    set_for(Institute.objects.get())"
PRINTING = """
    from rollbook.acts.passwords import Request, write_table
    from rollbook.acts.profiles import Author
    from rollbook.roster.selection import Wanted
    from tests.store.world import ACTOR, NOW, Frozen
    write_table(Request(Institute.objects.get(), Wanted(), NOW.date(), Author(ACTOR, Frozen())), Path(sys.argv[3]))
"""


def killed(script: str, store: Path, *arguments: str) -> None:
    """Run a script that is ended with SIGKILL at some point."""
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{store}",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2] / "src"), str(Path(__file__).parents[2])]),
    }
    whole = textwrap.dedent(SCRIPT) + textwrap.dedent(script)
    ran = subprocess.run(
        [sys.executable, "-c", whole, *arguments], env=environment, check=False, timeout=120, capture_output=True
    )
    assert ran.returncode == -signal.SIGKILL, ran.stderr.decode()


@pytest.mark.kill
@pytest.mark.parametrize("point", ["after-intent", "before-sending", "after-sending", "before-answer", "after-answer"])
@pytest.mark.parametrize("number", [1, 2])
def test_killed_while_setting_passwords_nothing_is_lost(sqlite_store, tenant, tmp_path, point, number):
    institute = connected(a_school(25), tenant)
    synchronized(institute)

    killed(SETTING, sqlite_store, point, str(number))
    run = Run.objects.get(purpose="passwords")
    assert run.state == "applying"
    unsure = [
        each.person
        for each in waiting(Request(institute, Wanted(), NOW.date(), Author(ACTOR, Frozen())))
        if each.changing
    ]
    assert unsure or point == "after-answer"
    with opened(institute) as session:
        finish_unfinished(session)

    assert verdict_counts(run) == {ChangeVerdict.DONE: 25}
    assert in_store() == at_microsoft(tenant)
    assert in_store("next_password") == {}
    assert load_plan(run).changes.height == 25


@pytest.mark.kill
@pytest.mark.parametrize(("point", "there"), [("before-file", False), ("after-file", True), ("before-commit", True)])
def test_killed_while_handing_over_the_passwords_are_still_there(sqlite_store, tenant, tmp_path, point, there):
    institute = connected(a_school(), tenant)
    synchronized(institute)
    path = tmp_path / "all.csv"

    killed(PRINTING, sqlite_store, point, "1", str(path))

    assert path.exists() == there
    assert in_store() == at_microsoft(tenant)
    handed_over(institute, tmp_path / "again.csv")
    if there:
        assert path.read_bytes() == (tmp_path / "again.csv").read_bytes()
