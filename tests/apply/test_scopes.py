"""Scoped synchronizations over the emulated tenant: by delta, for chosen people, for what changed; and what a full one finds."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.apply.wire import Later, account_of, connected, control, members_of
from tests.store.world import ACTOR, NOW, Frozen, a_school, deliver
from tests.world import AUTUMN

from rollbook.acts.connections import connection_of
from rollbook.acts.connections import opened as opened_connection
from rollbook.acts.profiles import Author
from rollbook.acts.register import Typed, add_person, edit_person, end_enrolment
from rollbook.acts.runs import session
from rollbook.acts.scopes import synchronize_changed, synchronize_everything, synchronize_people
from rollbook.errors import ApprovalDue
from rollbook.plan.guards import REGISTER
from rollbook.store import mirrored
from rollbook.store.models import Account, Due, Run

AUTHOR = Author(ACTOR, Frozen())


def agreed(synchronize, institute, *arguments, day=AUTUMN, **options):
    """A synchronization to which somebody agrees if it asks."""
    clock = Frozen() if day == AUTUMN else Later(day)
    with session(institute, day, ACTOR, clock) as looking:
        try:
            return synchronize(looking, *arguments, None, **options)
        except ApprovalDue as due:
            fingerprint = due.fingerprint
    with session(institute, day, ACTOR, clock) as looking:
        return synchronize(looking, *arguments, fingerprint, **options)


def asked(tenant) -> int:
    """Requests since the last reset, a batch as one."""
    return int(control(tenant, "/counters")["requests"])


@pytest.fixture
def school():
    return a_school(20).klass("8B Art", teachers=["Eleni Art"], students=["Pupil No1", "Pupil No2", "Other One"])


def test_one_person_is_synchronized_and_nobody_else(store, tenant, school):
    institute = connected(school, tenant)
    assert agreed(synchronize_everything, institute).proof.holds
    school.klass("8B Art", students=["Pupil No5"]).klass("8B Art", students=["Pupil No6"])
    deliver(school)

    done = agreed(synchronize_people, institute, [school.people["Pupil No5"]["sourced_id"]])

    assert (done.run.scope, done.proof.holds) == (Run.Scope.PEOPLE, True)
    # Whole teams are compared, so that whoever has an account follows with somebody of the same class.
    assert {"Pupil No5", "Pupil No6"} <= set(members_of(tenant, "8B Art"))
    assert agreed(synchronize_everything, institute).plan.counts["changes"] == 0


def test_what_changed_is_looked_at_and_nothing_else(sqlite_store, tenant, school):
    institute = connected(school, tenant)
    agreed(synchronize_changed, institute)  # the first look is at everything
    agreed(synchronize_changed, institute)  # what we wrote ourselves is told by delta, and looked at once more
    control(tenant, "/counters/reset", {})

    quiet = agreed(synchronize_changed, institute)
    assert (quiet.run.scope, quiet.run.looked["people"], quiet.plan.counts["changes"]) == (Run.Scope.CHANGED, [], 0)
    of_nothing = asked(tenant)

    school.people["Pupil No7"]["family_name"] = "Renamed"
    deliver(school)
    control(tenant, "/counters/reset", {})
    done = agreed(synchronize_changed, institute)
    assert done.run.looked["people"] == [school.people["Pupil No7"]["person"]]
    assert account_of(tenant, "Pupil Renamed")
    assert (of_nothing, asked(tenant)) == (1, 3)


def test_a_human_edit_is_noticed_by_delta_and_put_right(sqlite_store, tenant, school):
    institute = connected(school, tenant)
    for _ in range(2):
        agreed(synchronize_changed, institute)
    pupil = account_of(tenant, "Pupil No3")
    group = next(g["id"] for g in tenant.directory.groups.values() if g["displayName"] == "7A Maths")
    control(tenant, "/edit", {"user": pupil["id"], "set": {"displayName": "Somebody"}})
    control(tenant, "/people", {"group": group, "user": account_of(tenant, "Pupil No4")["id"], "remove": True})

    done = agreed(synchronize_changed, institute)

    assert (done.run.scope, done.proof.holds) == (Run.Scope.CHANGED, True)
    assert account_of(tenant, "Pupil No3")
    assert "Pupil No4" in members_of(tenant, "7A Maths")


def test_what_is_to_begin_or_end_falls_due_on_its_day(sqlite_store, tenant, school):
    institute = connected(school, tenant)
    leaves = AUTUMN + dt.timedelta(days=3)
    school.klass("8B Art", students=["Pupil No9"], end=leaves)
    deliver(school)
    for _ in range(2):
        agreed(synchronize_changed, institute)
    assert Due.objects.filter(day=leaves).exists()
    assert agreed(synchronize_changed, institute, day=leaves - dt.timedelta(days=1)).run.looked["people"] == []

    done = agreed(synchronize_changed, institute, day=leaves)

    assert done.run.looked["people"] == [school.people["Pupil No9"]["person"]]
    assert "Pupil No9" not in members_of(tenant, "8B Art")


def test_a_full_synchronization_tells_what_scoped_ones_missed(sqlite_store, tenant, school):
    institute = connected(school, tenant)
    for _ in range(2):
        agreed(synchronize_changed, institute)
    assert agreed(synchronize_everything, institute, anew=True).run.looked["missed"] == {"changes": 0, "seqs": []}
    pupil = account_of(tenant, "Pupil No3")
    control(tenant, "/edit", {"user": pupil["id"], "set": {"displayName": "Somebody"}})
    with opened_connection(connection_of(institute), Frozen()) as connection:
        mirrored.catch_up(connection_of(institute).tenant, connection.reader, NOW)
    mirrored.Noticed.objects.all().delete()  # as if delta had not told it

    done = agreed(synchronize_everything, institute, anew=True)

    assert (done.run.scope, done.run.looked["missed"]["changes"]) == (Run.Scope.FULL, 1)
    assert account_of(tenant, "Pupil No3")


def test_a_part_takes_nothing_away_either_while_the_register_is_doubted(store, tenant, school):
    institute = connected(school, tenant)
    agreed(synchronize_everything, institute)
    chosen = [school.people["Pupil No1"]["sourced_id"]]
    for number in range(1, 6):
        school.leaves(f"Pupil No{number}")
    deliver(school)

    # Nobody looked at everything yet, and once somebody did and agreed to nothing: one person is within every other limit.
    for look in (synchronize_people, synchronize_everything, synchronize_people):
        with session(institute, AUTUMN, ACTOR, Frozen()) as looking, pytest.raises(ApprovalDue):
            look(looking, *([chosen] if look is synchronize_people else []), None)
        assert REGISTER in {objection["code"] for objection in newest().objections}
    assert account_of(tenant, "Pupil No1")["accountEnabled"]

    # Whoever agrees for one person says nothing of the others.
    agreed(synchronize_people, institute, chosen)
    assert not account_of(tenant, "Pupil No1")["accountEnabled"]
    with session(institute, AUTUMN, ACTOR, Frozen()) as looking, pytest.raises(ApprovalDue):
        synchronize_everything(looking, None)
    assert REGISTER in {objection["code"] for objection in newest().objections}

    # The rest of the register came after all.
    for number in range(1, 6):
        school.people[f"Pupil No{number}"]["active"] = True
    deliver(school)
    assert agreed(synchronize_people, institute, chosen).run.objections == []


def newest() -> Run:
    return Run.objects.order_by("-number")[0]


def test_what_is_said_by_hand_counts_for_a_part_as_it_counts_for_everybody(store, tenant, school):
    institute = connected(school, tenant)
    add_person(institute, Typed({"given_name": "Zoë", "family_name": "Laskari"}, ["student"], ["7A Maths"]), AUTHOR)
    for _ in range(2):
        agreed(synchronize_changed, institute)
    edit_person(institute, "p3", Typed({"given_name": "Corrected"}), AUTHOR)
    end_enrolment(institute, "p4", "7A Maths", AUTHOR, AUTUMN)
    add_person(institute, Typed({"given_name": "Another", "family_name": "One"}, ["student"], ["8B Art"]), AUTHOR)

    done = agreed(synchronize_changed, institute)

    assert (done.run.scope, done.proof.holds) == (Run.Scope.CHANGED, True)
    assert account_of(tenant, "Corrected No1")
    assert "Pupil No2" not in members_of(tenant, "7A Maths")
    assert "Another One" in members_of(tenant, "8B Art")
    assert agreed(synchronize_everything, institute).plan.counts["changes"] == 0


def test_what_a_guard_holds_of_a_part_is_judged_by_the_whole_and_looked_at_again(sqlite_store, tenant, school):
    institute = connected(school, tenant)
    for _ in range(2):
        agreed(synchronize_changed, institute)
    school.leaves("Pupil No3")
    deliver(school)
    alone = synchronized_unattended(institute)
    assert (alone.run.scope, alone.run.objections, alone.proof.holds) == (Run.Scope.CHANGED, [], True)
    everybody = Account.objects.count()
    for number in (5, 6, 7, 8, 9):
        school.leaves(f"Pupil No{number}")
    school.people["Pupil No4"]["family_name"] = "Renamed"
    deliver(school)

    first = synchronized_unattended(institute)
    assert {each["code"] for each in first.run.objections} >= {"accounts-disabled"}
    assert {each["managed"] for each in first.run.objections if each["code"] == "accounts-disabled"} == {everybody}
    assert (first.run.scope, first.run.state) == (Run.Scope.CHANGED, Run.State.APPROVAL_DUE)
    assert account_of(tenant, "Pupil Renamed")
    assert account_of(tenant, "Pupil No5")["accountEnabled"]

    again = agreed(synchronize_changed, institute)

    assert again.run.scope == Run.Scope.CHANGED
    assert again.proof.holds
    assert not any(account_of(tenant, f"Pupil No{number}")["accountEnabled"] for number in (5, 6, 7, 8, 9))


def synchronized_unattended(institute):
    """A synchronization of what changed to which nobody agrees."""
    with session(institute, AUTUMN, ACTOR, Frozen()) as looking:
        return synchronize_changed(looking, None)
