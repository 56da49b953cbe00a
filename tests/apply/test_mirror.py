"""The mirror over the emulated tenant: right after a first synchronization, and when others change accounts meanwhile."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.apply.wire import connected, control, faults, opened, synchronized, users_of
from tests.store.world import NOW, Frozen, a_school, deliver

from rollbook.errors import Stop
from rollbook.plan.changes import Cause, Kind
from rollbook.store.mirror import SETTLED
from rollbook.store.models import Account, Change, Link


class Advanced(Frozen):
    """A clock that stands still at a later time."""

    def __init__(self, by: dt.timedelta) -> None:
        super().__init__()
        self._by = by

    def now(self) -> dt.datetime:
        return NOW + self._by


NEXT_DAY = Advanced(dt.timedelta(days=1))


def mirrored() -> dict[str, tuple[str, bool]]:
    return {a.object_id: (a.user_principal_name, a.account_enabled) for a in Account.objects.all()}


def test_the_first_synchronization_leaves_a_mirror_of_every_account_it_made(store, tenant):
    synchronized(connected(a_school(), tenant))

    held = {u["id"]: (u["userPrincipalName"], u["accountEnabled"]) for u in users_of(tenant)}
    assert mirrored() == held


def test_accounts_that_were_matched_are_mirrored_with_the_mail_they_have(sqlite_store, tenant):
    school = a_school(1)
    control(
        tenant,
        "/seed",
        {"users": [{"userPrincipalName": "old@sample-school.example", "employeeId": "S2", "mail": "old@mail.example"}]},
    )
    synchronized(connected(school, tenant))

    account = Account.objects.get(user_principal_name="old@sample-school.example")
    assert (account.mail, account.link.origin) == ("old@mail.example", "adopted")


def test_what_others_change_is_seen_by_the_next_look_and_a_deleted_account_is_forgotten(sqlite_store, tenant):
    institute = connected(a_school(2), tenant)
    synchronized(institute)
    first, second = (u for u in users_of(tenant) if u["displayName"].startswith("Pupil"))
    control(tenant, "/edit", {"user": first["id"], "set": {"userPrincipalName": "other@sample-school.example"}})
    control(tenant, "/delete", {"user": second["id"]})

    with opened(institute, NEXT_DAY) as looking:
        looking.plan()
    assert mirrored()[first["id"]][0] == "other@sample-school.example"
    assert second["id"] in mirrored()

    synchronized(institute, NEXT_DAY)
    assert second["id"] not in mirrored()


def test_a_run_that_was_stopped_has_mirrored_what_it_made(sqlite_store, tenant):
    institute = connected(a_school(), tenant)
    faults(tenant, {"match": "POST /education/classes", "status": 401, "times": 5})
    with pytest.raises(Stop):
        synchronized(institute)

    assert len(mirrored()) == 4


def disabled_by_us(tenant, school):
    """An institute in which Pupil No1 left, and what her account is called at Microsoft."""
    institute = connected(school, tenant)
    synchronized(institute)
    deliver(school.leaves("Pupil No1"))
    synchronized(institute)
    (left,) = [u["id"] for u in users_of(tenant) if u["displayName"] == "Pupil No1"]
    assert Link.objects.get(object_id=left).disabled_by_run is not None
    assert mirrored()[left][1] is False
    return institute, left


def enabled(tenant, key):
    return next(u["accountEnabled"] for u in users_of(tenant) if u["id"] == key)


def test_what_somebody_else_disabled_after_enabling_it_stays_disabled_when_the_person_returns(sqlite_store, tenant):
    school = a_school(20)
    institute, left = disabled_by_us(tenant, school)
    control(tenant, "/edit", {"user": left, "set": {"accountEnabled": True}})
    # A plan that nobody applies is enough: the account was seen enabled.
    with opened(institute, NEXT_DAY) as looking:
        looking.plan()
    assert Link.objects.get(object_id=left).disabled_by_run is None

    control(tenant, "/edit", {"user": left, "set": {"accountEnabled": False}})
    school.people["Pupil No1"]["active"] = True
    deliver(school)
    done = synchronized(institute, NEXT_DAY)
    assert not enabled(tenant, left)
    enabling = Change.objects.filter(run=done.run, kind=int(Kind.ENABLE_USER))
    assert set(enabling.values_list("cause", flat=True)) == {int(Cause.DISABLED_ELSEWHERE)}


def test_a_reading_that_lags_behind_our_own_disabling_does_not_end_the_claim(sqlite_store, tenant):
    school = a_school(20)
    institute, left = disabled_by_us(tenant, school)
    control(tenant, "/edit", {"user": left, "set": {"accountEnabled": True}})  # as a late replica would show it
    with opened(institute, Advanced(SETTLED / 2)) as looking:
        looking.plan()
    control(tenant, "/edit", {"user": left, "set": {"accountEnabled": False}})

    assert mirrored()[left][1] is False
    school.people["Pupil No1"]["active"] = True
    deliver(school)
    synchronized(institute, NEXT_DAY)
    assert enabled(tenant, left)
    assert mirrored()[left][1] is True
