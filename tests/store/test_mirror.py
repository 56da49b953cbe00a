"""The mirror of linked accounts: kept by readings and by runs, written only where something differs, on both databases."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from tests.store.world import NOW, a_school, a_tenant, deliver
from tests.world import Tenant as World

from rollbook.acts.profiles import profile_in_force
from rollbook.directory.state import USERS
from rollbook.plan.changes import ChangeVerdict, Kind
from rollbook.store import mirror, runs
from rollbook.store.memory import TenantMemory
from rollbook.store.mirror import SETTLED, Reading
from rollbook.store.models import Account, Change, Link, Tenant

LATER = NOW + SETTLED + dt.timedelta(minutes=1)


def reading(*rows: tuple[str, str, bool], at: dt.datetime = NOW) -> Reading:
    """Accounts as (object id, user name, enabled?)."""
    world = World()
    for object_id, name, enabled in rows:
        world.account(name, object_id=object_id, account_enabled=enabled, mail=f"{object_id}@mail.example")
    return Reading(world.state().users, at)


@pytest.fixture
def tenant(store) -> Tenant:
    """A tenant in which the first two of four people are linked to the objects "a" and "b"."""
    institute, _, _ = deliver(a_school())
    found = a_tenant(institute)
    memory = TenantMemory(found, institute, profile_in_force(institute, NOW.date()).profile)
    memory.reserve_links("user", pl.DataFrame({"subject": [1, 2, 3, 4], "period": [0, 0, 0, 0]}))
    for link, object_id in zip(Link.objects.order_by("pk"), "ab", strict=False):
        Link.objects.filter(pk=link.pk).update(object_id=object_id, origin="made")
    return found


def held() -> dict[str, tuple[str, str | None, bool]]:
    return {
        account.object_id: (account.user_principal_name, account.mail, account.account_enabled)
        for account in Account.objects.all()
    }


def test_a_reading_is_remembered_of_linked_accounts_only(tenant):
    written = mirror.see(tenant, reading(("a", "maria@s.example", True), ("stranger", "x@s.example", True)))

    assert written == 1
    assert held() == {"a": ("maria@s.example", "a@mail.example", True)}


def test_only_rows_that_differ_are_written_and_say_since_when(tenant):
    both = (("a", "maria@s.example", True), ("b", "jan@s.example", True))
    mirror.see(tenant, reading(*both))

    assert mirror.see(tenant, reading(*both, at=LATER)) == 0
    assert mirror.see(tenant, reading(both[0], ("b", "jan@s.example", False), at=LATER)) == 1
    assert {a.object_id: a.seen_at for a in Account.objects.all()} == {"a": NOW, "b": LATER}


def test_what_a_reading_does_not_hold_stays_until_it_is_forgotten_expressly(tenant):
    mirror.see(tenant, reading(("a", "maria@s.example", True), ("b", "jan@s.example", True)))

    shrunk = reading(("a", "maria@s.example", True), at=LATER)
    mirror.see(tenant, shrunk)
    assert held().keys() == {"a", "b"}

    assert mirror.forget_absent(tenant, shrunk) == 1
    assert held().keys() == {"a"}


def a_run(tenant: Tenant, *, done: bool = True):
    """The first plan of the school, carried out with object ids like the links."""
    institute = Link.objects.first().institute
    version = profile_in_force(institute, NOW.date())
    plan = World().plan(a_school())
    # The plan of the small world numbers links from 1; the stored ones have numbers of their own.
    first = Link.objects.order_by("pk").first().pk - 1
    shifted = plan.changes.with_columns(pl.col("subject") + first)
    details = plan.details.with_columns(pl.col("subject") + first)
    object.__setattr__(plan, "changes", shifted)
    object.__setattr__(plan, "details", details)
    run = runs.save_plan(plan, tenant, institute, version, "tester", NOW)
    if done:
        Change.objects.filter(run=run).update(verdict=int(ChangeVerdict.DONE))
        for link in Link.objects.all():
            Link.objects.filter(pk=link.pk).update(object_id=f"object-{link.pk - first}")
    return run


def test_accounts_a_run_made_are_known_without_another_reading(tenant):
    run = a_run(tenant)

    assert mirror.follow(run, NOW) == 4
    assert held()["object-1"] == ("nikos.vasilakis@school.example", None, True)
    assert mirror.follow(run, LATER) == 0


def test_what_a_run_did_not_do_is_not_remembered(tenant):
    assert mirror.follow(a_run(tenant, done=False), NOW) == 0
    assert held() == {}


def test_a_reading_of_what_was_before_we_wrote_is_not_believed_soon_after_and_is_later(tenant):
    run = a_run(tenant)
    Change.objects.filter(run=run, kind=Kind.LICENSE_USER).update(kind=int(Kind.DISABLE_USER))
    mirror.follow(run, NOW)
    assert held()["object-1"][2] is False

    lagging = (("object-1", "nikos.vasilakis@school.example", True),)
    assert mirror.see(tenant, reading(*lagging)) == 1  # it has an address now
    assert held()["object-1"] == ("nikos.vasilakis@school.example", "object-1@mail.example", False)
    assert mirror.see(tenant, reading(*lagging)) == 0
    assert mirror.forget_absent(tenant, reading(*lagging)) == 0
    assert mirror.see(tenant, reading(*lagging, at=LATER)) == 1
    assert held()["object-1"][2] is True


def test_what_somebody_did_to_an_account_we_just_made_is_believed_at_once(tenant):
    run = a_run(tenant)
    mirror.follow(run, NOW)
    by_hand = (("object-1", "niko@school.example", False), ("object-2", *held()["object-2"][::2]))

    assert mirror.see(tenant, reading(*by_hand)) == 2  # the other one has an address now
    assert held()["object-1"] == ("niko@school.example", "object-1@mail.example", False)
    # It still is an account we wrote to a moment ago: a reading without it may lag.
    assert mirror.forget_absent(tenant, reading()) == 0


def test_a_reading_that_lags_behind_one_thing_is_believed_of_another(tenant):
    mirror.see(tenant, reading(("object-1", "nikos@school.example", True)))
    run = a_run(tenant)
    Change.objects.filter(run=run).exclude(kind=Kind.LICENSE_USER).update(verdict=int(ChangeVerdict.WAITS))
    Change.objects.filter(run=run, kind=Kind.LICENSE_USER).update(kind=int(Kind.DISABLE_USER))
    mirror.see(tenant, reading(("object-1", "nikos@school.example", True)))
    mirror.follow(run, NOW)
    mirror.follow(run, NOW)  # a run that is taken up again says it twice

    assert mirror.see(tenant, reading(("object-1", "niko@school.example", True))) == 1
    assert held()["object-1"][::2] == ("niko@school.example", False)


def test_our_claim_on_a_disabled_account_ends_when_it_is_seen_enabled(tenant):
    Link.objects.filter(object_id__in=["a", "b"]).update(disabled_by_run=7, disabled_at=NOW)
    seen = (("a", "maria@s.example", True), ("b", "jan@s.example", False))

    # Microsoft may still show what was before.
    assert mirror.end_claims(tenant, reading(*seen)) == 0
    assert mirror.end_claims(tenant, reading(*seen, at=LATER)) == 1
    assert dict(Link.objects.filter(object_id__isnull=False).values_list("object_id", "disabled_by_run")) == {
        "a": None,
        "b": 7,
    }


def test_the_mirror_holds_nothing_of_another_tenant(tenant):
    other = Tenant.objects.create(organisation=tenant.organisation, tid="tid-2", name="Other", emulated=True)

    assert mirror.see(other, reading(("a", "maria@s.example", True))) == 0
    assert mirror.known(other).is_empty()
    assert set(USERS) >= set(mirror.SEEN)
