"""Teams archived and taken back over the emulated tenant: chosen, agreed to, done, remembered; and what is left out and why."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from tests.apply.desk import AUTHOR
from tests.apply.wire import Later, connected, control, faults, set_profile, synchronized_on
from tests.store.world import ACTOR
from tests.years import two_years

from rollbook.acts.archiving import Chosen, carry_out, propose_archiving, propose_taking_back, withdraw
from rollbook.acts.rollover import Request, look
from rollbook.acts.runs import session
from rollbook.errors import ApprovalDue, InputRefused, Stop
from rollbook.plan.changes import Cause, ChangeVerdict
from rollbook.store.models import Change, Grouping, Institute, Link, Run, Trail
from rollbook.store.runs import verdict_counts

AUTUMN, NEXT = dt.date(2026, 10, 1), dt.date(2027, 9, 1)
OLD_7A, NEW_8A = "7A-Maths-2027", "8A-Maths-2028"
ENDED = Chosen(ended=True)


def opened(institute: Institute, day: dt.date = NEXT) -> Any:
    return session(institute, day, ACTOR, Later(day))


def archived_by(institute: Institute, chosen: Chosen = ENDED, day: dt.date = NEXT) -> Run:
    """Teams archived, to which whoever asked agreed."""
    with opened(institute, day) as held:
        run = propose_archiving(held, chosen)
        carry_out(held, run, run.fingerprint)
    return run


def taken_back(institute: Institute, *named: str) -> Run:
    with opened(institute) as held:
        run = propose_taking_back(held, named)
        carry_out(held, run, run.fingerprint)
    return run


def link_of(sourced_id: str) -> Link:
    return Link.objects.get(kind="team", subject=Grouping.objects.get(sourced_id=sourced_id).pk)


def at_microsoft(tenant: Any) -> set[str]:
    """Object ids of the teams that are archived."""
    groups = tenant.directory.groups.values()
    return {group["id"] for group in groups if (group.get("_team") or {}).get("archived")}


def causes(run: Run) -> dict[int, Cause]:
    return {change.subject: Cause(change.cause) for change in Change.objects.filter(run=run)}


@pytest.fixture
def institute(sqlite_store, tenant) -> Institute:
    """A school whose 7A of the first year has ended, with the teams of both years."""
    found = connected(two_years(), tenant)
    synchronized_on(found, AUTUMN)
    synchronized_on(found, NEXT)
    return found


def state_of(institute: Institute, sourced_id: str, day: dt.date = NEXT) -> tuple[str, bool]:
    lines = look(Request(institute, None, day, AUTHOR)).teams
    return next((line.state, line.archived) for line in lines if line.handle.startswith(sourced_id))


def test_what_ended_is_archived_remembered_and_taken_back(store, tenant):
    institute = connected(two_years(), tenant)
    synchronized_on(institute, AUTUMN)
    synchronized_on(institute, NEXT)
    old = link_of(OLD_7A)

    run = archived_by(institute)

    assert (run.state, run.purpose, verdict_counts(run)) == ("applied", "archiving", {ChangeVerdict.DONE: 1})
    assert at_microsoft(tenant) == {old.object_id}
    assert link_of(OLD_7A).archived_at is not None
    assert state_of(institute, OLD_7A) == ("ends", True)
    assert len(list(tenant.directory.members.of(old.object_id))) == 4
    approval = run.approvals.get()
    assert (approval.actor, approval.waived) == (ACTOR.name, ["teams-archived"])
    actions = Trail.objects.filter(content__run=run.number).order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["run.planned", "run.approved"]

    run = taken_back(institute, "Maths 7A@2026-2027")

    assert verdict_counts(run) == {ChangeVerdict.DONE: 1}
    assert at_microsoft(tenant) == set()
    assert link_of(OLD_7A).archived_at is None
    assert control(tenant, "/counters")["refused"] == {}


def test_what_we_archived_is_left_alone_by_the_next_synchronizations(institute, tenant):
    archived_by(institute)
    control(tenant, "/counters/reset", {})

    done = synchronized_on(institute, NEXT)

    assert (done.proof.holds, done.plan.counts["changes"]) == (True, 0)
    assert at_microsoft(tenant) == {link_of(OLD_7A).object_id}
    with pytest.raises(InputRefused, match="There is nothing to archive"):
        archived_by(institute)


def test_an_archived_team_that_is_wanted_again_is_kept_in_step_and_stays_archived(institute, tenant):
    set_profile(institute, teams__create="nothing")
    archived_by(institute)
    assert len(at_microsoft(tenant)) == 3
    set_profile(institute, teams__create="group_subject")

    done = synchronized_on(institute, NEXT)

    assert done.proof.holds
    assert state_of(institute, NEW_8A) == ("continues", True)
    assert len(at_microsoft(tenant)) == 3


def by_hand(tenant: Any, sourced_id: str, *, archived: bool) -> None:
    """Somebody archives a team at Microsoft, or takes it back."""
    group = tenant.directory.groups.get(link_of(sourced_id).object_id)
    tenant.directory.groups.put(group["id"], {**group, "_team": {**group["_team"], "archived": archived}})


def test_what_was_archived_or_taken_back_by_hand_is_known_once_somebody_asks(institute, tenant):
    by_hand(tenant, OLD_7A, archived=True)

    run = archived_by(institute)

    assert causes(run) == {link_of(OLD_7A).pk: Cause.ARCHIVED_ALREADY}
    assert state_of(institute, OLD_7A) == ("ends", True)
    with pytest.raises(InputRefused, match="There is nothing to archive"):
        archived_by(institute)

    by_hand(tenant, OLD_7A, archived=False)
    assert causes(taken_back(institute, OLD_7A)) == {link_of(OLD_7A).pk: Cause.NOT_ARCHIVED}
    assert state_of(institute, OLD_7A) == ("ends", False)


def test_an_archiving_microsoft_took_longer_for_is_known_at_the_next_look(institute, tenant):
    faults(tenant, {"match": "GET /teams.*/operations", "status": 404, "times": 1000})
    run = archived_by(institute)
    faults(tenant)
    assert (verdict_counts(run), link_of(OLD_7A).archived_at) == ({ChangeVerdict.LATER: 1}, None)

    archived_by(institute)

    assert state_of(institute, OLD_7A) == ("ends", True)


def test_without_agreement_nothing_is_archived(institute, tenant):
    with opened(institute) as held:
        run = propose_archiving(held, ENDED)
        with pytest.raises(ApprovalDue):
            carry_out(held, run, None)
    withdraw(run)

    assert at_microsoft(tenant) == set()
    assert Run.objects.get(pk=run.pk).state == "superseded"


def test_a_proposal_to_archive_does_not_put_aside_a_synchronization_that_waits(institute):
    with opened(institute) as held:
        plan, _ = held.plan()
        waiting = held.save(plan)
        propose_archiving(held, ENDED)

    waiting.refresh_from_db()
    assert waiting.state == "planned"


def test_what_is_archived_already_is_no_team_or_is_gone_is_left_out_with_a_reason(institute, tenant):
    archived_by(institute, Chosen(named=(OLD_7A,)))
    plain, gone = link_of(NEW_8A), link_of("7A-Maths-2028")
    control(
        tenant, "/seed", {"groups": [{"displayName": "By hand", "mailNickname": "hand", "groupTypes": ["Unified"]}]}
    )
    by_hand = next(group["id"] for group in tenant.directory.groups.values() if group["displayName"] == "By hand")
    Link.objects.filter(pk=plain.pk).update(object_id=by_hand, origin="adopted")
    Link.objects.filter(pk=gone.pk).update(object_id="00000000-0000-0000-0000-000000000000")

    run = archived_by(institute, Chosen(named=(OLD_7A, NEW_8A, "7A-Maths-2028")))

    assert causes(run) == {
        link_of(OLD_7A).pk: Cause.ARCHIVED_ALREADY,
        plain.pk: Cause.NO_TEAM_TO_ARCHIVE,
        gone.pk: Cause.TEAM_GONE,
    }
    assert run.counts == {"changes": 0, "waiting": 3, "newly_waiting": 0}
    assert causes(taken_back(institute, NEW_8A)) == {plain.pk: Cause.NO_TEAM_TO_ARCHIVE}


def test_a_team_that_does_not_exist_is_refused(institute):
    Link.objects.filter(pk=link_of(OLD_7A).pk).update(object_id=None, origin=None)

    with pytest.raises(InputRefused, match="there is no team at Microsoft"):
        archived_by(institute, Chosen(named=(OLD_7A,)))
    with pytest.raises(InputRefused, match="There is no class or team 'nobody'"):
        taken_back(institute, "nobody")


def test_a_left_over_group_that_is_a_team_is_archived_and_one_that_is_none_is_left_out(sqlite_store, tenant):
    institute = connected(two_years(), tenant)
    unified = {"levels": {"group": {}}, "group_type": "unified", "owners": ["p1"], "make_team": True}
    security = {"levels": {"group": {}}}
    set_profile(institute, teams__create="nothing", hierarchies__general=unified, hierarchies__student=security)
    synchronized_on(institute, AUTUMN)
    set_profile(institute, hierarchies__general={}, hierarchies__student={})

    run = archived_by(institute, Chosen(left_over=True), AUTUMN)

    said = {
        Grouping.objects.get(pk=Link.objects.get(pk=link).subject).key: cause for link, cause in causes(run).items()
    }
    assert said == {
        "general/unified/group:7A": Cause.ASKED_FOR,
        "student/security/group:7A": Cause.NO_TEAM_TO_ARCHIVE,
    }
    assert len(at_microsoft(tenant)) == 1
    assert [line.archived for line in look(Request(institute, None, AUTUMN, AUTHOR)).left] == [True, False]


@pytest.mark.parametrize("when", ["close-before", "close-after"])
def test_a_connection_that_ends_around_an_archiving_archives_once(institute, tenant, when):
    faults(tenant, {"match": "/archive", "kind": when, "times": 1})

    run = archived_by(institute)

    assert verdict_counts(run) == {ChangeVerdict.DONE: 1}
    assert at_microsoft(tenant) == {link_of(OLD_7A).object_id}


def test_a_run_that_stopped_is_closed_by_the_next_session_and_asked_for_again(institute, tenant):
    faults(tenant, {"match": "/archive", "status": 401, "times": 9})
    with pytest.raises(Stop):
        archived_by(institute)
    control(tenant, "/faults", [])
    assert Run.objects.order_by("-number")[0].state == "applying"

    again = archived_by(institute)

    assert Run.objects.order_by("-number")[1].state == "applied"
    assert verdict_counts(again) == {ChangeVerdict.DONE: 1}
    assert at_microsoft(tenant) == {link_of(OLD_7A).object_id}
