"""Owners who leave, over real HTTP: nobody goes before the next one came, in whichever process that failed."""

from __future__ import annotations

from types import SimpleNamespace

import polars as pl
import pytest
from tests.apply.crafted import MATHS, group_called, people_of, two_teachers, verdicts
from tests.apply.test_as_documented import Moving
from tests.apply.test_groups import demoted
from tests.apply.wire import connected, control, faults, opened, set_profile, synchronized
from tests.store.world import a_school, deliver

from rollbook.acts.runs import finish_unfinished
from rollbook.apply.outcomes import Verdicts
from rollbook.apply.requests import Change, Surroundings, work_of
from rollbook.directory.state import Relation
from rollbook.emulator import Config, Emulator
from rollbook.errors import Never, Stop
from rollbook.graph.protocol import Answer, Refused
from rollbook.plan.changes import ChangeVerdict, Kind
from rollbook.store.models import Run


def followed(tenant):
    """A synchronized class whose teacher is followed by another one at the next look, and goes on in a new class."""
    school = a_school()
    institute = connected(school, tenant)
    synchronized(institute)
    school.drops("Nikos Vasilakis", MATHS).klass(MATHS, teachers=["Eleni Demetriou"])
    deliver(school.klass("7B Art", teachers=["Nikos Vasilakis"]))
    return institute


def addition(tenant) -> str:
    return f"PATCH /groups/{group_called(tenant, MATHS)['id']}$"


def test_where_the_next_owner_is_refused_the_old_one_stays_owner_and_member(store, tenant):
    institute = followed(tenant)
    faults(tenant, {"match": addition(tenant), "status": 403, "times": 10})

    refused = synchronized(institute)

    told = verdicts(refused.run)
    assert (told["REMOVE_OWNER"], told["REMOVE_MEMBER"]) == ("BLOCKED", "BLOCKED")
    assert people_of(tenant, MATHS, "owners") == ["Nikos Vasilakis"]
    assert "Nikos Vasilakis" in people_of(tenant, MATHS)

    faults(tenant)
    assert synchronized(institute).proof.holds
    assert people_of(tenant, MATHS, "owners") == ["Eleni Demetriou"]
    assert "Nikos Vasilakis" not in people_of(tenant, MATHS)


def test_a_run_taken_up_again_still_knows_that_the_next_owner_did_not_come(sqlite_store, tenant):
    institute = followed(tenant)
    busy = {"match": addition(tenant), "status": 503, "times": 100, "retry_after": 1}
    faults(tenant, busy, {"match": "POST /teams$", "status": 401})
    with pytest.raises(Stop):
        synchronized(institute)
    faults(tenant, busy)

    with opened(institute) as session:
        finish_unfinished(session)

    told = verdicts(Run.objects.order_by("-number")[0])
    assert (told["ADD_OWNER"], told["REMOVE_OWNER"], told["REMOVE_MEMBER"]) == ("DONE LATER", "BLOCKED", "BLOCKED")
    assert people_of(tenant, MATHS, "owners") == ["Nikos Vasilakis"]


def test_whose_membership_ends_seconds_after_the_ownership_is_put_back_after_those(sqlite_store):
    with Emulator(Config(quota_scale=None)) as tenant:
        institute = connected(two_teachers(), tenant)
        clock = Moving(tenant)
        for _ in range(2):  # a group is too young for a team at first
            synchronized(institute, clock)
            control(tenant, "/advance", {"seconds": 3600})
        set_profile(institute, enrolments__teachers__assistant="member")
        faults(tenant, {"match": "PATCH /teams/.*/members", "status": 403, "code": "OperationDeniedAsTeamIsLocked"})

        done = synchronized(institute, clock)
        control(tenant, "/advance", {"seconds": 3600})

        assert verdicts(done.run)["DEMOTE_OWNER"] == "DONE"
        assert demoted(tenant)


@pytest.mark.parametrize(("is_there", "verdict"), [(True, ChangeVerdict.DONE), (False, ChangeVerdict.LATER)])
def test_a_membership_said_to_be_there_is_looked_up_before_that_is_believed(is_there, verdict):
    member = [("team", "person", int(Relation.MEMBER))] if is_there else []
    there = pl.DataFrame(member, schema=["group_object_id", "user_object_id", "relation"], orient="row")
    around = Surroundings({1: "team", 2: "person"}, {}, "mark")
    adding = work_of([Change(1, Kind.DEMOTE_OWNER, 1, 2, {}, {})], around)
    said = "One or more added object references already exist for the following modified properties: 'members'."
    answer = Answer(400, {}, {"error": {"code": "Request_BadRequest", "message": said}})

    settled = Verdicts(SimpleNamespace(memberships=lambda _: there), around).settle(
        1, adding, Refused(answer, Never("refused", status=400))
    )

    assert adding.pause >= 10
    assert settled.answer.verdict == verdict
