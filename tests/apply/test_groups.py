"""Microsoft 365 groups, teams of them, groups of the structure: every newer kind of change over real HTTP, and what goes wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.apply.crafted import (
    LEVEL,
    MATHS,
    Row,
    a_standard_team,
    applied,
    as_planned,
    crafted,
    every_kind,
    group_called,
    link_of,
    node,
    people_of,
    saved,
    two_teachers,
    verdicts,
)
from tests.apply.wire import connected, control, faults, opened, set_profile, synchronized
from tests.store.world import Frozen, a_school

from rollbook.graph.permissions import NEEDED
from rollbook.plan.changes import ChangeVerdict, Kind
from rollbook.store.models import Answer, Link
from rollbook.store.runs import verdict_counts

DONE = dict.fromkeys(
    "CREATE_GROUP CREATE_UNIFIED UPDATE_GROUP ADD_MEMBER ADD_OWNER CREATE_TEAM REMOVE_STRANGER DEMOTE_OWNER ARCHIVE_TEAM".split(),
    "DONE",
)


def test_every_newer_kind_of_change_is_carried_out(store, tenant):
    institute = a_standard_team(tenant)
    control(tenant, "/counters/reset", {})

    run = crafted(institute, *every_kind(tenant))

    counters = control(tenant, "/counters")
    assert verdicts(run) == DONE
    assert as_planned(tenant)
    assert not counters["refused"]
    assert counters["by_kind"]["PATCH /teams/{id}/members/{membership}"] == 1
    assert "DELETE /groups/{id}/{relation}/{target}/$ref" in counters["by_kind"]  # the stranger


@pytest.mark.parametrize("when", ["close-before", "close-after"])
@pytest.mark.parametrize(
    "call",
    [
        r"PATCH /groups\(uniqueName",
        "POST /groups$",
        r"PATCH /groups/[0-9a-f-]+$",
        "POST /teams$",
        r"DELETE /groups/.*/members/.*/\$ref",
        "PATCH /teams/.*/members/",
        "POST /teams/.*/archive",
    ],
)
def test_a_connection_that_ends_around_a_newer_write_makes_nothing_twice_and_loses_nothing(
    sqlite_store, tenant, when, call
):
    institute = a_standard_team(tenant)
    rows = every_kind(tenant)
    faults(tenant, {"match": call, "kind": when})

    run = crafted(institute, *rows)

    assert not control(tenant, "/faults")["faults"]
    assert verdicts(run) == DONE
    assert as_planned(tenant)


@pytest.mark.parametrize("status", [429, 503, 500, 504])
def test_a_busy_microsoft_is_waited_for_by_the_newer_writes_too(sqlite_store, tenant, status):
    institute = a_standard_team(tenant)
    rows = every_kind(tenant)
    calls = ("POST /groups$", "PATCH /teams/.*/members/", "POST /teams/.*/archive")
    faults(tenant, *({"match": call, "status": status, "retry_after": 2, "times": 2} for call in calls))

    run = crafted(institute, *rows)

    assert verdicts(run) == DONE
    assert as_planned(tenant)


def test_a_standard_team_is_made_in_as_few_writes_as_microsoft_allows_and_then_left_alone(sqlite_store, tenant):
    institute = connected(two_teachers(25), tenant)
    set_profile(institute, teams__create="group", teams__template="standard")

    done = synchronized(institute)
    first = control(tenant, "/counters")
    control(tenant, "/counters/reset", {})
    second = synchronized(institute)

    assert done.proof.holds
    assert set(verdict_counts(done.run)) == {ChangeVerdict.DONE}
    assert first["writes"] == first["least_writes"]
    assert not first["refused"]
    assert people_of(tenant, MATHS, "owners") == ["Eleni Assistant", "Nikos Vasilakis"]
    assert group_called(tenant, MATHS)["resourceBehaviorOptions"] == ["WelcomeEmailDisabled"]
    assert control(tenant, "/counters")["writes"] == 0
    assert second.proof.holds


def test_a_class_group_still_becomes_a_class_team(sqlite_store, tenant):
    institute = connected(two_teachers(), tenant)

    synchronized(institute)

    assert group_called(tenant, MATHS)["_team"]["locked"]


UNIFIED = {"display_name": "Staff room", "description": "", "mail_nickname": "staff.room", "behaviours": []}


def test_somebody_who_cannot_be_put_in_does_not_keep_a_group_from_being_made(sqlite_store, tenant):
    institute = a_standard_team(tenant)
    teacher, pupil, gone = (link_of(tenant, name) for name in ("Nikos Vasilakis", "Pupil No0", "Pupil No1"))
    flat = node(903).pk
    tenant.directory.users.drop(Link.objects.get(pk=gone).object_id)

    run = crafted(
        institute,
        Row(Kind.CREATE_UNIFIED, flat, after=UNIFIED),
        Row(Kind.ADD_OWNER, flat, teacher),
        *(Row(Kind.ADD_MEMBER, flat, person) for person in (teacher, pupil, gone)),
    )

    assert people_of(tenant, "Staff room") == ["Nikos Vasilakis", "Pupil No0"]
    assert verdicts(run)["CREATE_UNIFIED"] == verdicts(run)["ADD_OWNER"] == "DONE"
    assert verdict_counts(run) == {ChangeVerdict.DONE: 4, ChangeVerdict.LATER: 1}


def test_a_nickname_that_was_taken_since_the_plan_leaves_the_group_to_the_next_run(sqlite_store, tenant):
    institute = a_standard_team(tenant)
    teacher, flat = link_of(tenant, "Nikos Vasilakis"), node(903).pk
    taken = group_called(tenant, MATHS)["mailNickname"]

    run = crafted(
        institute,
        Row(Kind.CREATE_UNIFIED, flat, after=UNIFIED | {"mail_nickname": taken}),
        Row(Kind.ADD_OWNER, flat, teacher),
    )

    assert verdicts(run) == {"CREATE_UNIFIED": "LATER", "ADD_OWNER": "BLOCKED"}
    assert len(tenant.directory.groups) == 1


def test_a_group_that_carries_our_mark_already_is_taken_and_filled(sqlite_store, tenant):
    institute = a_standard_team(tenant)
    teacher, pupil, flat = link_of(tenant, "Nikos Vasilakis"), link_of(tenant, "Pupil No0"), node(903)
    rows = [Row(Kind.CREATE_UNIFIED, flat.pk, after=UNIFIED), Row(Kind.ADD_OWNER, flat.pk, teacher)]
    crafted(institute, *rows)
    made = group_called(tenant, "Staff room")
    Link.objects.filter(pk=flat.pk).update(object_id=None)

    run = crafted(institute, *rows, Row(Kind.ADD_MEMBER, flat.pk, pupil))

    assert set(verdict_counts(run)) == {ChangeVerdict.DONE}
    assert Link.objects.get(pk=flat.pk).object_id == made["id"]
    assert people_of(tenant, "Staff room") == ["Pupil No0"]
    assert people_of(tenant, "Staff room", "owners") == ["Nikos Vasilakis"]


def test_names_with_accents_and_of_the_greatest_length_make_groups(sqlite_store, tenant):
    institute = a_standard_team(tenant)
    long = "Ω" * 256
    values = {"display_name": long, "description": "ñ" * 1024}

    run = crafted(
        institute,
        Row(Kind.CREATE_GROUP, node(901).pk, after=values),
        Row(Kind.CREATE_UNIFIED, node(902).pk, after=UNIFIED | values | {"display_name": "ß" * 256}),
    )

    assert set(verdict_counts(run)) == {ChangeVerdict.DONE}
    assert group_called(tenant, long)["mailNickname"].isascii()
    assert group_called(tenant, long)["description"] == values["description"]


def test_a_nested_group_is_taken_out_again(sqlite_store, tenant):
    institute = a_standard_team(tenant)
    rows = every_kind(tenant)
    crafted(institute, *rows)
    whole, level = rows[0].subject, rows[1].subject

    run = crafted(institute, Row(Kind.REMOVE_MEMBER, whole, level))

    assert verdicts(run) == {"REMOVE_MEMBER": "DONE"}
    assert people_of(tenant, "Λύκειο, all of it") == []
    assert len(people_of(tenant, LEVEL)) == 3


# Owners who stay members.


def demoted(tenant) -> bool:
    """Whether the assistant is in the team, and owns it no more: in the group, and once Microsoft is done on the roster."""
    assert people_of(tenant, MATHS, "owners") == ["Nikos Vasilakis"]
    assert "Eleni Assistant" in people_of(tenant, MATHS)
    return True


@pytest.mark.parametrize("activated", [False, True])
def test_an_owner_who_stays_a_member_never_leaves_a_class_team_activated_or_not(sqlite_store, tenant, activated):
    institute = connected(two_teachers(), tenant)
    synchronized(institute)
    if activated:
        control(tenant, "/activate", {"team": group_called(tenant, MATHS)["id"]})
    set_profile(institute, enrolments__teachers__assistant="member")
    control(tenant, "/counters/reset", {})

    done = synchronized(institute)

    assert verdicts(done.run) == {"DEMOTE_OWNER": "DONE"}
    assert demoted(tenant)
    assert control(tenant, "/counters")["writes"] == 1
    assert done.proof.holds


def _late_roster(tenant) -> None:
    team = group_called(tenant, MATHS)["id"]
    (assistant,) = [u["id"] for u in tenant.directory.users.values() if u["displayName"] == "Eleni Assistant"]
    roster = tenant.directory.rosters.get(team)
    kept = {user: owner for user, owner in roster["people"].items() if user != assistant}
    tenant.directory.rosters.put(team, {**roster, "people": kept})


def _locked(tenant) -> None:
    faults(tenant, {"match": "PATCH /teams/.*/members", "status": 403, "code": "OperationDeniedAsTeamIsLocked"})


def _no_permission(tenant) -> None:
    app = tenant.apps[0]["client_id"]
    roles = [role for role in tenant.directory.consents.get(app)["roles"] if not role.startswith("TeamMember")]
    control(tenant, "/consent", {"app": app, "roles": roles})


@pytest.mark.parametrize("hindrance", [_late_roster, _locked, _no_permission])
def test_where_the_roster_is_no_way_an_owner_becomes_a_member_over_the_group(sqlite_store, tenant, hindrance):
    institute = connected(two_teachers(), tenant)
    synchronized(institute)
    set_profile(institute, enrolments__teachers__assistant="member")
    hindrance(tenant)

    done = synchronized(institute)

    assert verdicts(done.run) == {"DEMOTE_OWNER": "DONE"}
    assert demoted(tenant)
    assert done.proof.holds


@pytest.mark.parametrize("when", ["close-before", "close-after"])
@pytest.mark.parametrize("call", [r"DELETE /groups/.*/owners/.*/\$ref", r"PATCH /groups/[0-9a-f-]+$"])
def test_a_connection_that_ends_on_the_way_over_the_group_leaves_nobody_outside(sqlite_store, tenant, when, call):
    institute = connected(two_teachers(), tenant)
    synchronized(institute)
    set_profile(institute, enrolments__teachers__assistant="member")
    _late_roster(tenant)
    faults(tenant, {"match": call, "kind": when})

    done = synchronized(institute)

    assert not control(tenant, "/faults")["faults"]
    assert verdicts(done.run) == {"DEMOTE_OWNER": "DONE"}
    assert demoted(tenant)
    assert done.proof.holds


def test_somebody_who_is_a_plain_member_by_now_is_not_put_out(sqlite_store, tenant):
    institute = a_standard_team(tenant)
    team, assistant = link_of(tenant, MATHS), link_of(tenant, "Eleni Assistant")
    tenant.directory.owners.cut(group_called(tenant, MATHS)["id"], Link.objects.get(pk=assistant).object_id)

    run = crafted(institute, Row(Kind.DEMOTE_OWNER, team, assistant))

    assert verdicts(run) == {"DEMOTE_OWNER": "DONE"}
    assert demoted(tenant)


# Archive.


def test_a_team_is_archived_and_taken_back_and_both_are_remembered(store, tenant):
    institute = a_standard_team(tenant)
    team = link_of(tenant, MATHS)

    crafted(institute, Row(Kind.ARCHIVE_TEAM, team))
    archived = Link.objects.get(pk=team).archived_at
    run = crafted(institute, Row(Kind.UNARCHIVE_TEAM, team))

    assert archived == Frozen().now()
    assert Link.objects.get(pk=team).archived_at is None
    assert verdicts(run) == {"UNARCHIVE_TEAM": "DONE"}
    assert not group_called(tenant, MATHS)["_team"]["archived"]


@pytest.mark.parametrize("when", ["close-before", "close-after"])
def test_a_connection_that_ends_while_a_team_is_taken_back_is_no_harm(sqlite_store, tenant, when):
    institute = a_standard_team(tenant)
    team = link_of(tenant, MATHS)
    crafted(institute, Row(Kind.ARCHIVE_TEAM, team))
    faults(tenant, {"match": "POST /teams/.*/unarchive", "kind": when})

    run = crafted(institute, Row(Kind.UNARCHIVE_TEAM, team))

    assert not control(tenant, "/faults")["faults"]
    assert verdicts(run) == {"UNARCHIVE_TEAM": "DONE"}
    assert not group_called(tenant, MATHS)["_team"]["archived"]


@pytest.mark.parametrize("kind", [Kind.ARCHIVE_TEAM, Kind.UNARCHIVE_TEAM])
def test_a_group_without_a_team_is_not_archived_and_it_is_said_why(sqlite_store, tenant, kind):
    institute = a_standard_team(tenant)
    team = link_of(tenant, MATHS)
    tenant.directory.groups.put(group_called(tenant, MATHS)["id"], _without_team(group_called(tenant, MATHS)))

    run = crafted(institute, Row(kind, team))

    assert verdicts(run) == {kind.name: "NEVER"}
    assert "has no team" in Answer.objects.get(run=run).message
    assert Link.objects.get(pk=team).archived_at is None


def _without_team(group: dict) -> dict:
    return {name: value for name, value in group.items() if name != "_team"} | {"resourceProvisioningOptions": []}


def test_an_archiving_that_microsoft_does_not_end_in_time_is_left_to_the_next_run(sqlite_store, tenant):
    institute = a_standard_team(tenant)
    run = saved(institute, [Row(Kind.ARCHIVE_TEAM, link_of(tenant, MATHS))])
    tenant.directory.delays = replace(tenant.directory.delays, operation=3_600.0)

    applied(institute, run)

    assert verdicts(run) == {"ARCHIVE_TEAM": "LATER"}
    assert not Link.objects.filter(archived_at__isnull=False).exists()


# What the proof may look at.


def test_the_rosters_of_teams_are_read_with_who_owns_them_and_nothing_where_there_is_no_team(sqlite_store, tenant):
    institute = a_standard_team(tenant, students=25)
    crafted(institute, Row(Kind.CREATE_GROUP, node(901).pk, after={"display_name": "No team", "description": None}))
    team, other = group_called(tenant, MATHS)["id"], group_called(tenant, "No team")["id"]

    with opened(institute) as session:
        rosters = session.tenant.reader.team_rosters([other, team, "00000000-0000-0000-0000-000000000000"])
        archived = session.tenant.reader.archived([other, team])

    assert set(rosters["group_object_id"]) == {team}
    assert rosters.height == 27
    owners = [tenant.directory.users.get(key)["displayName"] for key in rosters.filter("owner")["user_object_id"]]
    assert sorted(owners) == ["Eleni Assistant", "Nikos Vasilakis"]
    assert rosters["membership_id"].is_unique().all()
    assert archived == frozenset()


def test_which_teams_are_archived_can_be_read(sqlite_store, tenant):
    institute = a_standard_team(tenant)
    team = group_called(tenant, MATHS)["id"]
    crafted(institute, Row(Kind.ARCHIVE_TEAM, link_of(tenant, MATHS)))

    with opened(institute) as session:
        assert session.tenant.reader.archived([team]) == frozenset({team})


def test_the_permissions_that_are_asked_for_are_enough_for_everything(sqlite_store, tenant):
    institute = a_standard_team(tenant)
    rows = every_kind(tenant)
    control(tenant, "/consent", {"app": tenant.apps[0]["client_id"], "roles": sorted(NEEDED)})
    control(tenant, "/counters/reset", {})

    run = crafted(institute, *rows)
    synchronized(connected(a_school(4).klass("7A Art"), tenant))

    assert verdicts(run) == DONE
    assert not control(tenant, "/counters")["refused"]
