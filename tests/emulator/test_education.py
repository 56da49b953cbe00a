"""Classes, schools and learners; teams, their activation and their rosters (graph.md sections 6, 7 and 13)."""

from __future__ import annotations

import pytest
from tests.emulator.client import ROOT, Client, a_user, refused

from rollbook.emulator import Config, Emulator

BAD = (400, "BadRequest")
DENIED = (403, "Authorization_RequestDenied")
DAY = 86_400


def reference(key, kind="education/users"):
    return {"@odata.id": f"{ROOT}/{kind}/{key}"}


def member(key, *roles):
    kind = "#microsoft.graph.aadUserConversationMember"
    return {"@odata.type": kind, "roles": list(roles), "user@odata.bind": f"{ROOT}/users('{key}')"}


# education, section 6


def test_a_class_is_a_hidden_group_of_the_same_id_without_a_team(graph):
    klass = graph.klass("maths", externalId="M1")

    group = graph("GET", f"/groups/{klass}").json()
    assert (group["visibility"], group["creationOptions"]) == ("HiddenMembership", ["classAssignments"])
    assert graph("GET", f"/teams/{klass}").status_code == 404
    assert graph("GET", f"/education/classes/{klass}").json()["externalId"] == "M1"
    section = "extension_fe2174665583431c953114ff7268b7b3_Education_ObjectType"
    found = graph("GET", f"/groups?$filter={section} eq 'Section'&$select=id,{section}").json()["value"]
    assert found == [{"id": klass, section: "Section"}]


def test_only_sections_are_listed_as_classes(graph):
    klass = graph.klass("maths")
    graph.control("rival", play="own-team", teacher=graph.user("teacher"))

    assert [entry["id"] for entry in graph.values("/education/classes")] == [klass]
    assert len(graph.values("/groups")) == 2


def test_teachers_are_owners_and_members_hold_everybody(graph):
    klass, teacher, pupil = graph.klass("maths"), graph.user("teacher"), graph.user("pupil")
    for name, key in (("teachers", teacher), ("members", teacher), ("members", pupil)):
        assert graph("POST", f"/education/classes/{klass}/{name}/$ref", reference(key)).status_code == 204

    assert graph.people(klass, "owners") == {teacher}
    assert {entry["id"] for entry in graph.values(f"/education/classes/{klass}/members")} == {teacher, pupil}
    assert [entry["id"] for entry in graph.values(f"/education/users/{teacher}/taughtClasses")] == [klass]
    assert [entry["id"] for entry in graph.values(f"/education/users/{pupil}/classes")] == [klass]


def test_an_external_source_is_one_of_two_words(graph):
    body = {"displayName": "x", "mailNickname": "x", "externalSource": "excel"}

    assert graph("POST", "/education/classes", body).status_code == 400


def test_class_members_need_the_hidden_permission(graph, tenant):
    klass, pupil = graph.klass("maths"), graph.user("pupil")
    graph.control("consent", app=tenant.apps[0]["client_id"], roles=["EduRoster.ReadWrite.All"])
    narrow = Client(tenant)

    assert refused(narrow("POST", f"/education/classes/{klass}/members/$ref", reference(pupil))) == DENIED
    assert narrow("GET", f"/education/classes/{klass}/members").json()["value"] == []
    narrow.close()


def test_a_school_is_an_administrative_unit_with_users_and_classes(graph):
    school = graph.made("/education/schools", {"displayName": "North", "externalId": "S1", "schoolNumber": "7"})
    klass, pupil = graph.klass("maths"), graph.user("pupil")
    assert graph("POST", f"/education/schools/{school}/users/$ref", reference(pupil)).status_code == 204
    assert (
        graph("POST", f"/education/schools/{school}/classes/$ref", reference(klass, "education/classes")).status_code
        == 204
    )

    assert graph("GET", f"/directory/administrativeUnits/{school}").json()["displayName"] == "North"
    assert graph("GET", f"/education/schools/{school}").json()["schoolNumber"] == "7"
    assert [entry["id"] for entry in graph.values(f"/education/users/{pupil}/schools")] == [school]
    again = graph("POST", f"/education/schools/{school}/users/$ref", reference(pupil))
    assert refused(again) == (400, "Request_BadRequest")


def test_a_learner_is_a_directory_user_with_a_role(graph):
    body = a_user("maria") | {"primaryRole": "student", "student": {"externalId": "7", "grade": "9"}}
    learner = graph.made("/education/users", body)

    assert graph("GET", f"/users/{learner}").json()["displayName"] == "maria"
    changed = graph("PATCH", f"/education/users/{learner}", {"displayName": "Maria", "primaryRole": "teacher"})
    assert (changed.status_code, changed.json()["primaryRole"], changed.json()["student"]["grade"]) == (
        200,
        "teacher",
        "9",
    )
    assert graph("PATCH", f"/education/users/{learner}", {"primaryRole": "head"}).status_code == 400
    assert graph("PATCH", f"/education/users/{learner}", {"relatedContacts": []}).status_code == 400


# teams, sections 6.3 and 7


def test_a_class_team_wants_a_class_and_a_template_that_exists(graph):
    group, teacher = graph.group("g", unified=True), graph.user("teacher")
    graph.relate(group, owners=[teacher], members=[teacher])
    graph.license(teacher)

    answer = graph.team(group)
    assert refused(answer) == BAD
    assert "does not belong to a class" in answer.json()["error"]["message"]
    assert refused(graph.team(group, "planet")) == BAD
    assert graph.team(group, "standard").status_code == 202


def test_what_is_inherited_from_the_group_cannot_be_given(graph):
    group = graph.klass("c")
    body = {
        "template@odata.bind": f"{ROOT}/teamsTemplates('educationClass')",
        "group@odata.bind": f"{ROOT}/groups('{group}')",
        "displayName": "x",
    }

    assert refused(graph("POST", "/teams", body)) == BAD


def test_a_team_is_made_once(graph):
    team, _, _ = graph.open_team()

    answer = graph.team(team)
    assert refused(answer) == (409, "Conflict")
    assert "already provisioned" in answer.json()["error"]["message"]
    assert refused(graph("PUT", f"/groups/{team}/team", {})) == (409, "Conflict")


def test_a_team_without_a_group_names_one_licensed_owner_and_is_not_locked(graph):
    teacher = graph.user("teacher")
    body = {
        "template@odata.bind": f"{ROOT}/teamsTemplates('educationClass')",
        "displayName": "Mine",
        "members": [member(teacher, "owner")],
    }
    assert refused(graph("POST", "/teams", body | {"members": []})) == BAD
    assert refused(graph("POST", "/teams", body)) == (403, "Forbidden")
    graph.license(teacher)

    team = graph("POST", "/teams", body).headers["Content-Location"].split("'")[1]
    pupil = graph.user("pupil")
    assert graph("POST", f"/teams/{team}/members", member(pupil)).status_code == 201
    assert graph.roster(team) == {teacher: ["owner"], pupil: []}


def test_a_locked_class_team_shows_owners_only_and_takes_nobody(graph):
    group, teacher, pupil = graph.klass("c"), graph.user("teacher"), graph.user("pupil")
    graph.relate(group, owners=[teacher], members=[teacher, pupil])
    graph.license(teacher)
    graph.team(group)

    assert graph.roster(group) == {teacher: ["owner"]}
    assert refused(graph("POST", f"/teams/{group}/members", member(pupil))) == (403, "OperationDeniedAsTeamIsLocked")
    assert graph("PATCH", f"/teams/{group}", {"isMembershipLimitedToOwners": False}).status_code == 204
    assert graph.roster(group) == {teacher: ["owner"]}  # section 6.3: an application's PATCH adds nobody
    graph.control("activate", team=group)
    assert graph.roster(group) == {teacher: ["owner"], pupil: []}


def test_the_roster_follows_its_group_late_owners_sooner_than_members():
    with Emulator(Config(quota_scale=None, delays=1.0)) as tenant:
        graph = Client(tenant)
        klass, teacher, pupil, late, second = (graph.klass("c"), *(graph.user(n) for n in ("t", "p", "l", "s")))
        graph.control("advance", seconds=900)
        graph.relate(klass, owners=[teacher], members=[teacher, pupil])
        graph.license(teacher)
        graph.control("advance", seconds=60)
        graph.team(klass)
        graph.control("advance", seconds=60)
        graph.control("activate", team=klass)
        graph.control("advance", seconds=60)
        graph.relate(klass, owners=[second], members=[late])
        graph = Client(graph.target)
        assert graph.roster(klass).keys() == {teacher, pupil}
        graph.control("advance", seconds=2 * 3600 + 60)
        graph = Client(graph.target)
        assert graph.roster(klass) == {teacher: ["owner"], pupil: [], second: ["owner"]}
        graph.control("advance", seconds=DAY)
        graph = Client(graph.target)
        assert graph.roster(klass).keys() == {teacher, pupil, second, late}
        graph("DELETE", f"/groups/{klass}/members/{pupil}/$ref")
        graph.control("advance", seconds=3600)
        graph = Client(graph.target)
        assert pupil in graph.roster(klass)
        graph.close()


def test_whoever_is_taken_out_of_the_owners_of_a_team_is_no_member_either(graph):
    team, teacher, pupil = graph.open_team()
    graph.relate(team, owners=[pupil])

    assert graph("DELETE", f"/groups/{team}/owners/{teacher}/$ref").status_code == 204
    assert (graph.people(team, "owners"), graph.people(team)) == ({pupil}, {pupil})


def test_teams_changes_people_at_once_in_team_and_group(graph):
    team, teacher, pupil = graph.open_team()
    new = graph.user("new")
    entry = graph("POST", f"/teams/{team}/members", member(new)).json()

    assert new in graph.people(team)
    assert graph("PATCH", f"/teams/{team}/members/{entry['id']}", {"roles": ["owner"]}).json()["roles"] == ["owner"]
    assert graph.people(team, "owners") == {teacher, new}
    assert graph("GET", f"/teams/{team}/members/{entry['id']}").json()["userId"] == new
    assert graph("DELETE", f"/teams/{team}/members/{entry['id']}").status_code == 204
    assert (graph.people(team), graph.roster(team).keys()) == ({teacher, pupil}, {teacher, pupil})


def test_who_is_demoted_on_the_roster_stays_in_the_team_and_in_its_group(graph):
    team, teacher, pupil = graph.open_team()
    entry = graph("POST", f"/teams/{team}/members", member(graph.user("second")) | {"roles": ["owner"]}).json()

    demoted = graph("PATCH", f"/teams/{team}/members/{entry['id']}", {"roles": []})

    assert demoted.json()["roles"] == []
    assert graph.people(team, "owners") == {teacher}
    assert graph.people(team) == graph.roster(team).keys() == {teacher, pupil, entry["userId"]}


def test_the_last_owner_of_a_team_can_neither_leave_nor_be_demoted(graph):
    team, teacher, _ = graph.open_team()
    (entry,) = [e for e in graph.values(f"/teams/{team}/members") if e["userId"] == teacher]

    assert refused(graph("DELETE", f"/teams/{team}/members/{entry['id']}")) == BAD
    assert refused(graph("PATCH", f"/teams/{team}/members/{entry['id']}", {"roles": []})) == BAD


def test_two_hundred_are_added_in_one_call_and_failures_are_told_one_by_one(graph):
    team, _, _ = graph.open_team()
    users = [graph.user(f"u{n}") for n in range(3)]
    disabled = graph.user("gone", accountEnabled=False)

    assert graph("POST", f"/teams/{team}/members/add", {"values": [member(u) for u in users]}).status_code == 200
    answer = graph("POST", f"/teams/{team}/members/add", {"values": [member(users[0]), member(disabled)]})
    assert (answer.status_code, [entry["error"] is None for entry in answer.json()["value"]]) == (207, [True, False])
    assert refused(graph("POST", f"/teams/{team}/members/add", {"values": [member(users[0])] * 201})) == BAD
    assert graph("POST", f"/teams/{team}/members/remove", {"values": [member(u) for u in users[:2]]}).status_code == 204
    assert graph("POST", f"/teams/{team}/members/remove", {"values": [member(users[0])]}).status_code == 207


def test_disabled_users_and_guests_are_not_added_by_applications(graph):
    team, _, _ = graph.open_team()
    disabled, guest = graph.user("gone", accountEnabled=False), graph.user("guest", userType="Guest")

    assert graph("POST", f"/teams/{team}/members", member(disabled)).status_code == 404
    assert refused(graph("POST", f"/teams/{team}/members", member(guest))) == DENIED


def test_owners_need_the_wider_roster_permission(graph, tenant):
    team, _, _ = graph.open_team()
    user = graph.user("u")
    graph.control("consent", app=tenant.apps[0]["client_id"], roles=["TeamMember.ReadWriteNonOwnerRole.All"])
    narrow = Client(tenant)

    assert narrow("POST", f"/teams/{team}/members", member(user)).status_code == 201
    assert refused(narrow("POST", f"/teams/{team}/members", member(user, "owner"))) == DENIED
    narrow.close()


def test_archiving_takes_time_and_its_option_is_not_for_applications():
    with Emulator(Config(quota_scale=None, delays=None)) as tenant:
        graph = Client(tenant)
        team, _, _ = graph.open_team()
        assert refused(graph("POST", f"/teams/{team}/archive", {"shouldSetSpoSiteReadOnlyForMembers": True})) == BAD
        answer = graph("POST", f"/teams/{team}/archive")
        assert answer.status_code == 202
        assert graph("GET", answer.headers["Location"]).json()["operationType"] == "archiveTeam"
        assert graph("GET", f"/teams/{team}").json()["isArchived"] is True
        assert graph("POST", f"/teams/{team}/unarchive").status_code == 202
        assert graph("GET", f"/teams/{team}").json()["isArchived"] is False
        graph.close()


def test_settings_of_a_team_are_merged_and_checked(graph):
    team, _, _ = graph.open_team()

    assert (
        graph("PATCH", f"/teams/{team}", {"funSettings": {"allowGiphy": False}, "description": "x"}).status_code == 204
    )
    assert graph("PATCH", f"/teams/{team}", {"funSettings": {"allowStickersAndMemes": False}}).status_code == 204
    shown = graph("GET", f"/teams/{team}").json()
    assert shown["funSettings"] == {"allowGiphy": False, "allowStickersAndMemes": False}
    assert graph("GET", f"/groups/{team}").json()["description"] == "x"
    assert refused(graph("PATCH", f"/teams/{team}", {"colour": "blue"})) == BAD
    assert refused(graph("PATCH", f"/teams/{team}", {"description": "x" * 1025})) == BAD


def test_deleting_the_group_deletes_its_team(graph):
    team, _, _ = graph.open_team()

    assert graph("DELETE", f"/groups/{team}").status_code == 204
    assert graph("GET", f"/teams/{team}").status_code == 404
    graph("POST", f"/directory/deletedItems/{team}/restore")
    assert graph("GET", f"/teams/{team}").status_code == 200


@pytest.mark.parametrize("play", ["sds", "expiry"])
def test_rivals_write_to_the_same_tenant(graph, play):
    klass, pupil = graph.klass("maths", externalSourceDetail="ours"), graph.user("pupil")
    if play == "sds":
        graph.control("rival", {"play": "sds", "class": klass, "name": "SDS maths", "members": [pupil]})
        shown = graph("GET", f"/education/classes/{klass}").json()
        assert (shown["externalSourceDetail"], shown["displayName"]) == ("School Data Sync", "SDS maths")
        assert graph.people(klass) == {pupil}
    else:
        graph.control("rival", play="expiry", group=klass)
        assert graph("GET", f"/groups/{klass}").status_code == 404
        assert graph("POST", f"/directory/deletedItems/{klass}/restore").status_code == 200
