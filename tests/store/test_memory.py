"""Links, runs, journal, lease, vault and trail: what they promise, on both databases."""

from __future__ import annotations

import datetime as dt
import os

import polars as pl
import pytest
from cryptography.fernet import Fernet
from tests.store.world import NOW, Frozen, a_school, a_tenant, deliver
from tests.world import Tenant as World

from rollbook.acts.profiles import profile_in_force
from rollbook.apply.journal import Answer, Intent
from rollbook.errors import StoreUnusable, TenantBusy
from rollbook.plan.changes import ChangeVerdict, Kind
from rollbook.store import leases, runs, trail
from rollbook.store.changes import select
from rollbook.store.journal import StoreJournal
from rollbook.store.memory import InstituteRegister, TenantMemory
from rollbook.store.models import Change, Link, NameReservation, Run, Secret, Trail
from rollbook.store.vault import Vault


@pytest.fixture
def run(store) -> Run:
    """A stored plan of one class whose links are those of a delivered school."""
    institute, _, _ = deliver(a_school())
    tenant = a_tenant(institute)
    version = profile_in_force(institute, NOW.date())
    memory = TenantMemory(tenant, institute, version.profile)
    memory.reserve_links("user", pl.DataFrame({"subject": [1, 2, 3, 4], "period": [0, 0, 0, 0]}))
    plan = World().plan(a_school())
    return runs.save_plan(plan, tenant, institute, version, "tester", NOW)


def journal(run: Run) -> StoreJournal:
    return StoreJournal(run, leases.acquire(run.tenant, NOW), Frozen())


def test_links_are_reserved_once_and_keep_their_marks(store):
    institute, _, _ = deliver(a_school())
    memory = TenantMemory(a_tenant(institute), institute, profile_in_force(institute, NOW.date()).profile)
    subjects = pl.DataFrame({"subject": [5, 6], "period": [0, 0]})

    first = memory.reserve_links("user", subjects)
    again = memory.reserve_links("user", pl.concat([subjects, pl.DataFrame({"subject": [7], "period": [0]})]))

    assert again.filter(pl.col("subject") < 7).sort("link").equals(first.sort("link"))
    assert Link.objects.count() == 3
    assert memory.links("user")["object_id"].null_count() == 3


def test_a_stored_plan_is_read_back_as_it_was(run):
    plan = World().plan(a_school())
    stored = runs.load_plan(run)

    assert stored.changes.equals(plan.changes)
    assert stored.details.equals(plan.details)
    assert stored.fingerprint == plan.fingerprint


def test_a_newer_plan_supersedes_the_waiting_one_and_equal_content_keeps_its_approval(run):
    run.approvals.create(fingerprint=run.fingerprint, actor="maria", at=NOW)

    newer = runs.save_plan(runs.load_plan(run), run.tenant, run.institute, run.profile_version, "tester", NOW)

    run.refresh_from_db()
    assert run.state == "superseded"
    assert newer.approvals.get().actor == "maria"


def test_an_intent_is_remembered_with_the_name_it_claims_and_the_password_it_sets(run):
    book = journal(run)
    link = int(book.open_changes([Kind.CREATE_USER])["subject"][0])

    book.intend(
        [Intent(1, Kind.CREATE_USER, (1,), names={link: "Nikos.Vasilakis@school.example"}, secrets={link: "first"})]
    )

    (intent,) = book.unanswered()
    assert (intent.number, intent.seqs) == (1, (1,))
    assert intent.names == {link: "nikos.vasilakis@school.example"}
    assert NameReservation.objects.get().folded == "nikos.vasilakis@school.example"
    secret = Secret.objects.get(purpose="first_password")
    assert b"first" not in bytes(secret.ciphertext)
    assert Vault().decrypt(secret.ciphertext) == "first"


def test_an_answer_sets_verdicts_and_binds_links_with_history(run):
    book = journal(run)
    link = int(book.open_changes([Kind.CREATE_USER])["subject"][0])
    book.intend([Intent(1, Kind.CREATE_USER, (1,), names={link: "a@b"})])

    book.answer([Answer(1, ChangeVerdict.DONE, status=201, object_ids={link: "object-1"})])

    assert book.unanswered() == []
    assert Change.objects.get(run=run, seq=1).verdict == ChangeVerdict.DONE
    bound = Link.objects.get(pk=link)
    assert (bound.object_id, bound.origin) == ("object-1", "made")
    assert bound.history.get().run == run.pk
    assert book.object_ids() == {link: "object-1"}
    assert book.made_here() == frozenset({link})
    assert 1 not in book.open_changes()["seq"].to_list()


def test_an_operation_that_goes_on_is_remembered_until_it_is_settled(run):
    book = journal(run)
    seq = int(book.open_changes([Kind.CREATE_TEAM])["seq"][0])
    book.intend([Intent(1, Kind.CREATE_TEAM, (seq,))])

    book.answer([Answer(1, ChangeVerdict.SENT, status=202, operation="/teams('x')/operations('y')")])
    assert book.operations() == {1: "/teams('x')/operations('y')"}

    book.answer([Answer(1, ChangeVerdict.DONE, status=200)])
    assert book.operations() == {}
    assert Change.objects.get(run=run, seq=seq).verdict == ChangeVerdict.DONE


def test_a_journal_whose_tenant_was_taken_over_refuses_to_send(run):
    book = journal(run)
    leases.acquire(run.tenant, NOW + dt.timedelta(hours=1), holder="elsewhere:1")

    with pytest.raises(TenantBusy):
        book.intend([Intent(1, Kind.CREATE_USER, (1,))])
    assert book.unanswered() == []


def test_changes_are_found_by_part_of_a_name_in_any_alphabet(run):
    school = a_school()
    school.people["Pupil No1"] |= {"given_name": "Μαρία", "family_name": "Παπαδάκη"}
    deliver(school)

    found = [line.sentence for line in select(run, name="ΠΑΠΑ").lines()]

    assert found
    assert all("Μαρία Παπαδάκη" in sentence for sentence in found)
    assert select(run, name="nobody at all").count == 0


def test_one_process_at_a_time_holds_a_tenant_and_a_dead_one_is_replaced_at_once(store):
    institute, _, _ = deliver(a_school())
    tenant = a_tenant(institute)
    held = leases.acquire(tenant, NOW, holder=f"elsewhere:{os.getpid()}")

    with pytest.raises(TenantBusy):
        leases.acquire(tenant, NOW)
    leases.release(held)
    first = leases.acquire(tenant, NOW, holder=leases.own_name().rpartition(":")[0] + ":999999999")
    second = leases.acquire(tenant, NOW)

    assert second.epoch > first.epoch
    with pytest.raises(TenantBusy):
        leases.renew(first, NOW)


def test_the_trail_notices_an_entry_that_was_changed_or_removed(store):
    for number in range(3):
        trail.append(actor_kind="test", actor="t", place="", action="did", at=NOW, content={"n": number})
    assert trail.first_broken() is None

    middle = Trail.objects.order_by("pk")[1]
    Trail.objects.filter(pk=middle.pk).update(content={"n": 99})
    assert trail.first_broken() == middle

    middle.delete()
    assert trail.first_broken() == Trail.objects.order_by("pk").last()


def test_secrets_survive_a_rotation_of_keys_and_are_refused_without_their_key():
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    ciphertext = Vault([old]).encrypt("geheim")

    rotated = Vault([new, old]).rotate(ciphertext)

    assert Vault([new]).decrypt(rotated) == "geheim"
    with pytest.raises(StoreUnusable, match="encryption keys"):
        Vault([new]).decrypt(ciphertext)


def test_the_register_of_an_institute_is_what_was_published(store):
    institute, _, _ = deliver(a_school())

    register = InstituteRegister(institute)

    assert register.read().people.height == 4
    assert register.departed().is_empty()
