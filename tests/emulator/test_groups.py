"""Groups, their people and what follows from them (graph.md sections 3, 5 and 13)."""

from __future__ import annotations

import pytest
from tests.emulator.client import ROOT, Client, a_group, detail, refused

from rollbook.emulator import Config, Emulator

BAD = (400, "Request_BadRequest")
DENIED = (403, "Authorization_RequestDenied")


@pytest.mark.parametrize(
    "body",
    [
        a_group("g", unified=True) | {"mailEnabled": False},
        a_group("g") | {"mailEnabled": True},
        a_group("g") | {"securityEnabled": False},
        a_group("g") | {"visibility": "HiddenMembership"},
        a_group("g") | {"visibility": "Secret"},
        a_group("g") | {"groupTypes": ["Planet"]},
        a_group("g") | {"groupTypes": ["DynamicMembership"]},
        a_group("with blank"),
        a_group("g") | {"displayName": "x" * 257},
        a_group("g") | {"allowExternalSenders": True},
        a_group("g", unified=True) | {"resourceBehaviorOptions": ["Anything"]},
    ],
)
def test_a_group_that_cannot_be_is_refused(graph, body):
    assert graph("POST", "/groups", body).status_code == 400


def test_what_is_for_creation_only_cannot_be_changed(graph):
    hidden = graph.group(
        "hidden", unified=True, visibility="HiddenMembership", resourceBehaviorOptions=["WelcomeEmailDisabled"]
    )
    public = graph.group("public", unified=True)

    assert refused(graph("PATCH", f"/groups/{hidden}", {"visibility": "Private"})) == BAD
    assert refused(graph("PATCH", f"/groups/{public}", {"visibility": "HiddenMembership"})) == BAD
    assert refused(graph("PATCH", f"/groups/{hidden}", {"resourceBehaviorOptions": []})) == BAD
    assert refused(graph("PATCH", f"/groups/{public}", {"groupTypes": []})) == BAD
    assert graph("PATCH", f"/groups/{public}", {"visibility": "Private"}).status_code == 204


def test_some_properties_want_a_patch_of_their_own(graph):
    group = graph.group("g", unified=True)

    both = {"hideFromAddressLists": True, "displayName": "x"}
    assert refused(graph("PATCH", f"/groups/{group}", both)) == BAD
    assert graph("PATCH", f"/groups/{group}", {"hideFromAddressLists": True}).status_code == 200


def test_a_group_may_carry_twenty_relations_when_it_is_made_and_is_not_made_with_a_bad_one(graph):
    users = [graph.user(f"u{n}") for n in range(20)]
    binds = [f"{ROOT}/users/{key}" for key in users]
    made = graph("POST", "/groups", a_group("g") | {"owners@odata.bind": binds[:1], "members@odata.bind": binds[1:]})
    assert (made.status_code, len(graph.people(made.json()["id"]))) == (201, 19)

    too_many = a_group("h") | {"owners@odata.bind": binds[:1], "members@odata.bind": binds}
    assert refused(graph("POST", "/groups", too_many)) == BAD
    missing = a_group("h") | {"members@odata.bind": [f"{ROOT}/users/00000000-0000-4000-8000-000000000000"]}
    assert refused(graph("POST", "/groups", missing)) == (404, "Request_ResourceNotFound")
    assert graph("GET", "/groups?$filter=displayName eq 'h'").json()["value"] == []


def test_an_empty_bind_is_refused(graph):
    assert refused(graph("PATCH", f"/groups/{graph.group('g')}", {"members@odata.bind": []})) == BAD


def test_who_may_be_a_member_of_what(graph):
    security, other, unified = graph.group("s"), graph.group("o"), graph.group("u", unified=True)

    assert graph.relate(security, members=[other]).status_code == 204
    assert refused(graph.relate(unified, members=[security])) == BAD
    assert refused(graph.relate(security, members=[unified])) == BAD
    assert refused(graph.relate(security, members=[security])) == BAD
    assert refused(graph.relate(security, owners=[other])) == (404, "Request_ResourceNotFound")


def test_a_hundred_owners_and_not_one_more(graph):
    group = graph.group("g", unified=True)
    users = [graph.user(f"u{n}") for n in range(101)]
    for start in range(0, 100, 20):
        assert graph.relate(group, owners=users[start : start + 20]).status_code == 204

    assert refused(graph.relate(group, owners=users[100:])) == (400, "Directory_QuotaExceeded")


def test_dynamic_synchronized_and_restricted_groups_refuse_people(graph):
    user = graph.user("u")
    dynamic = graph.group("d", groupTypes=["DynamicMembership"], membershipRule="user.department -eq 'x'")
    synced = graph.group("s")
    graph.control("edit", group=synced, set={"onPremisesSyncEnabled": True})

    assert refused(graph.relate(dynamic, members=[user])) == BAD
    assert refused(graph.relate(synced, members=[user])) == BAD
    assert refused(graph("PATCH", f"/groups/{synced}", {"displayName": "x"})) == BAD


def test_adding_members_alone_needs_the_members_permission_only(graph, tenant):
    group, user = graph.group("g"), graph.user("u")
    graph.control("consent", app=tenant.apps[0]["client_id"], roles=["GroupMember.ReadWrite.All"])
    narrow = Client(tenant)

    assert narrow.relate(group, members=[user]).status_code == 204
    assert refused(narrow.relate(group, owners=[user])) == DENIED
    assert refused(narrow("PATCH", f"/groups/{group}", {"displayName": "x"})) == DENIED
    shown = narrow("GET", f"/groups/{group}/members").json()["value"]
    assert shown == [{"@odata.type": "#microsoft.graph.user", "id": user}]  # section 13.5: unreadable, so the id only
    narrow.close()


def test_creating_groups_with_people_needs_to_read_users_too(graph, tenant):
    user = graph.user("u")
    graph.control("consent", app=tenant.apps[0]["client_id"], roles=["Group.Create"])
    narrow = Client(tenant)

    assert refused(narrow("POST", "/groups", a_group("g") | {"members@odata.bind": [f"{ROOT}/users/{user}"]})) == DENIED
    assert narrow("POST", "/groups", a_group("g")).status_code == 201
    narrow.close()


def test_a_deleted_group_comes_back_with_its_people_unless_its_nickname_is_taken(graph):
    user, group = graph.user("u"), graph.group("g", unified=True)
    graph.relate(group, members=[user], owners=[user])
    graph("DELETE", f"/groups/{group}")
    assert [g["id"] for g in graph.values("/directory/deletedItems/microsoft.graph.group")] == [group]
    rival = graph.group("g", unified=True)

    assert detail(graph("POST", f"/directory/deletedItems/{group}/restore")) == (400, "ObjectConflict mailNickname")
    graph("DELETE", f"/groups/{rival}")
    assert graph("POST", f"/directory/deletedItems/{group}/restore").status_code == 200
    assert graph.people(group) == graph.people(group, "owners") == {user}


def test_an_upsert_carries_no_relations_and_keeps_its_name_for_good(graph):
    body = a_group("g")
    path, prefer = "/groups(uniqueName='key-1')", {"Prefer": "create-if-missing"}

    assert refused(graph("PATCH", path, body)) == (404, "Request_ResourceNotFound")
    assert refused(graph("PATCH", path, body | {"members@odata.bind": []}, **prefer)) == BAD
    made = graph("PATCH", path, body, **prefer)
    assert made.status_code == 201
    assert graph("PATCH", path, {"description": "x"}, **prefer).status_code == 204
    assert refused(graph("PATCH", f"/groups/{made.json()['id']}", {"uniqueName": "key-2"})) == BAD


# licences, sections 3 and 13.6


def seats(graph, kind="STUDENT"):
    found = graph("GET", "/subscribedSkus").json()["value"]
    return next(sku["consumedUnits"] for sku in found if sku["skuPartNumber"].endswith(kind))


def test_several_licences_fit_into_one_call_all_or_none(graph):
    user, student, faculty = graph.user("u"), graph.sku(), graph.sku("FACULTY")

    assert graph.license(user, student, faculty).status_code == 200
    assert (seats(graph), seats(graph, "FACULTY")) == (1, 1)
    assert refused(graph.license(user, remove=(student, student[:-1] + "0"))) == BAD
    assert seats(graph) == 1
    assert graph.license(user, remove=(student, faculty)).status_code == 200
    assert (seats(graph), seats(graph, "FACULTY")) == (0, 0)


def test_plans_can_be_switched_off_if_the_product_has_them(graph):
    user, sku = graph.user("u"), graph.sku()
    teams = "57ff2da0-773e-42df-b2af-ffb7a2317929"

    assert refused(graph.license(user, sku, off=("00000000-0000-4000-8000-000000000000",))) == BAD
    assert graph.license(user, sku, off=(teams,)).status_code == 200
    shown = graph("GET", f"/users/{user}?$select=assignedLicenses,licenseAssignmentStates").json()
    assert shown["assignedLicenses"] == [{"skuId": sku, "disabledPlans": [teams]}]
    assert [(s["state"], s["assignedByGroup"]) for s in shown["licenseAssignmentStates"]] == [("Active", None)]
    plans = graph("GET", f"/users/{user}/licenseDetails").json()["value"][0]["servicePlans"]
    assert {p["servicePlanId"]: p["provisioningStatus"] for p in plans}[teams] == "Disabled"


def licensed_group(graph, *members):
    group = graph.group("licensed")
    graph.control("advance", seconds=60)  # where there are lags, everybody has seen the group by now
    graph.relate(group, members=list(members))
    body = {"addLicenses": [{"skuId": graph.sku(), "disabledPlans": []}], "removeLicenses": []}
    assert graph("POST", f"/groups/{group}/assignLicense", body).status_code == 202
    return group


def states(graph, user):
    shown = graph("GET", f"/users/{user}?$select=licenseAssignmentStates").json()["licenseAssignmentStates"]
    return [(state["state"], state["error"], state["assignedByGroup"]) for state in shown]


def test_a_group_gives_its_licences_to_present_and_future_members(graph):
    first, later = graph.user("first"), graph.user("later")
    group = licensed_group(graph, first)
    assert states(graph, first) == [("Active", "None", group)]

    graph.relate(group, members=[later])
    assert states(graph, later) == [("Active", "None", group)]
    assert refused(graph.license(later, remove=(graph.sku(),))) == BAD  # inherited
    graph("DELETE", f"/groups/{group}/members/{later}/$ref")
    assert (states(graph, later), seats(graph)) == ([], 1)


def test_a_licence_held_twice_takes_one_seat(graph):
    user = graph.user("u")
    graph.license(user)
    licensed_group(graph, user)

    assert (len(states(graph, user)), seats(graph)) == (2, 1)


def test_group_licences_work_in_the_background_and_tell_their_errors_later():
    with Emulator(Config(quota_scale=None, delays=1.0, student_seats=1)) as tenant:
        graph = Client(tenant)
        users = [graph.user("a"), graph.user("b"), graph.user("c", usageLocation=None)]
        graph.control("advance", seconds=60)
        group = licensed_group(graph, *users)
        assert states(graph, users[0]) == []
        graph.control("advance", seconds=60)  # it is done
        graph.control("advance", seconds=60)  # and everybody sees it

        held = {user: states(graph, user) for user in users[:2]}
        assert sorted(held.values()) == [[("Active", "None", group)], [("Error", "CountViolation", group)]]
        (without,) = [user for user, state in held.items() if state[0][0] == "Error"]
        assert states(graph, users[2]) == [("Error", "ProhibitedInUsageLocationViolation", group)]
        failing = graph("GET", "/groups?$filter=hasMembersWithLicenseErrors eq true").json()["value"]
        assert [found["id"] for found in failing] == [group]
        assert {u["id"] for u in graph.values(f"/groups/{group}/membersWithLicenseErrors")} == {without, users[2]}
        graph.close()


def test_an_edition_without_group_licensing_refuses_it():
    with Emulator(Config(quota_scale=None, delays=None, group_licensing=False, eligible_roles=False)) as tenant:
        graph = Client(tenant)
        body = {"addLicenses": [{"skuId": graph.sku(), "disabledPlans": []}], "removeLicenses": []}

        assert refused(graph("POST", f"/groups/{graph.group('g')}/assignLicense", body)) == BAD
        eligible = graph("GET", "/roleManagement/directory/roleEligibilityScheduleInstances")
        assert refused(eligible) == (400, "AadPremiumLicenseRequired")
        graph.close()


def test_groups_made_by_their_unique_names_are_different_objects_in_one_batch(graph):
    def upsert(number: int, name: str) -> dict[str, object]:
        body = {"displayName": name, "mailNickname": name, "mailEnabled": False, "securityEnabled": True}
        headers = {"Content-Type": "application/json", "Prefer": "create-if-missing"}
        url = f"/groups(uniqueName='{name}')"
        return {"id": str(number), "method": "PATCH", "url": url, "headers": headers, "body": body}

    calls = [upsert(1, "grade-7"), upsert(2, "grade-8"), upsert(3, "grade-7")]
    answers = graph("POST", "/$batch", {"requests": calls}).json()["responses"]

    assert {entry["id"]: entry["status"] for entry in answers} == {"1": 201, "2": 201, "3": 409}
