"""Users of the emulated tenant keep Microsoft's rules (graph.md sections 2, 10 and 13)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from tests.emulator.client import Client, a_group, a_user, detail, refused

DENIED = (403, "Authorization_RequestDenied")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ageGroup": "Old"}, "InvalidValue ageGroup"),
        ({"consentProvidedForMinor": "maybe"}, "InvalidValue consentProvidedForMinor"),
        ({"businessPhones": ["1", "2"]}, "InvalidValue businessPhones"),
        ({"otherMails": ["x" * 251]}, "InvalidValue otherMails"),
        ({"otherMails": ["a@b.example"] * 251}, "InvalidValue otherMails"),
        (
            {"onPremisesExtensionAttributes": {"extensionAttribute16": "x"}},
            "InvalidValue onPremisesExtensionAttributes",
        ),
        ({"onPremisesExtensionAttributes": {"extensionAttribute1": "x" * 1025}}, "InvalidValue extensionAttribute1"),
        ({"onPremisesImmutableId": "a_b"}, "InvalidValue onPremisesImmutableId"),
        ({"passwordPolicies": "Anything"}, "InvalidValue passwordPolicies"),
        ({"mailNickname": "with blank"}, "InvalidValue mailNickname"),
        ({"userType": "Robot"}, "InvalidValue userType"),
        ({"userPrincipalName": f"m@{'d' * 49}.example"}, "InvalidValue userPrincipalName"),
        ({"passwordProfile": {"password": "Pässword-12"}}, "InvalidValue password"),
        ({"passwordProfile": {"password": "Aa1-" * 65}}, "InvalidValue password"),
    ],
)
def test_a_property_that_breaks_its_rule_is_named(graph, change, said):
    assert detail(graph("POST", "/users", a_user("maria") | change)) == (400, said)


def test_a_weak_password_passes_where_the_policy_says_so(graph):
    weak = {"passwordProfile": {"password": "onlyletters"}, "passwordPolicies": "DisableStrongPassword"}

    assert graph("POST", "/users", a_user("maria") | weak).status_code == 201


def test_open_extensions_and_unknown_properties_are_refused_in_a_create(graph):
    for more in ({"extensions": []}, {"shoeSize": 43}):
        assert refused(graph("POST", "/users", a_user("maria") | more)) == (400, "Request_BadRequest")


def test_a_domain_has_to_be_verified_and_a_federated_one_wants_an_immutable_id(graph):
    graph.control("domain", name="new.example", verified=False)
    graph.control("domain", name="fed.example", federated=True)

    assert detail(graph("POST", "/users", a_user("a", "new.example"))) == (400, "InvalidValue userPrincipalName")
    assert detail(graph("POST", "/users", a_user("a", "fed.example"))) == (400, "InvalidValue onPremisesImmutableId")
    assert graph("POST", "/users", a_user("a", "fed.example", onPremisesImmutableId="k1")).status_code == 201
    again = a_user("b", "fed.example", onPremisesImmutableId="k1")
    assert detail(graph("POST", "/users", again)) == (400, "ObjectConflict onPremisesImmutableId")


def test_mail_cannot_be_cleared_and_writes_the_proxy_address(graph):
    user = graph.user("maria", mail="maria@sample-school.example")

    shown = graph("GET", f"/users/{user}?$select=proxyAddresses").json()
    assert shown["proxyAddresses"] == ["SMTP:maria@sample-school.example"]
    assert detail(graph("PATCH", f"/users/{user}", {"mail": None})) == (400, "InvalidValue mail")


def test_a_mail_address_another_object_has_is_taken_over_without_its_proxy_address(graph):
    graph.user("maria", mail="m@sample-school.example")
    other = graph.user("other")

    assert graph("PATCH", f"/users/{other}", {"mail": "m@sample-school.example"}).status_code == 204
    shown = graph("GET", f"/users/{other}?$select=mail,proxyAddresses").json()
    assert (shown["mail"], shown["proxyAddresses"]) == ("m@sample-school.example", [])


def test_a_password_of_an_existing_user_needs_a_permission_of_its_own(graph, tenant):
    user = graph.user("maria")
    new = {"passwordProfile": {"password": "Another-horse-2"}}
    assert graph("PATCH", f"/users/{user}", new).status_code == 204

    graph.control("consent", app=tenant.apps[0]["client_id"], roles=["User.ReadWrite.All"])
    weaker = Client(tenant)
    assert refused(weaker("PATCH", f"/users/{user}", new)) == DENIED
    assert weaker("PATCH", f"/users/{user}", {"jobTitle": "x"}).status_code == 204
    weaker.close()


def test_narrow_permissions_change_what_they_name_and_nothing_else(graph, tenant):
    user = graph.user("maria")
    roles = ["User.EnableDisableAccount.All", "User.Read.All", "User-Phone.ReadWrite.All"]
    graph.control("consent", app=tenant.apps[0]["client_id"], roles=roles)
    narrow = Client(tenant)

    assert narrow("PATCH", f"/users/{user}", {"accountEnabled": False}).status_code == 204
    assert narrow("PATCH", f"/users/{user}", {"mobilePhone": "1"}).status_code == 204
    assert refused(narrow("PATCH", f"/users/{user}", {"displayName": "x"})) == DENIED
    narrow.close()


def test_basic_reading_shows_the_basic_set_only(graph, tenant):
    user = graph.user("maria")
    graph.control("consent", app=tenant.apps[0]["client_id"], roles=["User.ReadBasic.All"])
    basic = Client(tenant)

    assert basic("GET", f"/users/{user}").status_code == 200
    assert basic("GET", f"/users/{user}?$select=id,mail").status_code == 200
    assert refused(basic("GET", f"/users/{user}?$select=employeeId")) == DENIED
    basic.close()


# roles, section 13.10


@pytest.mark.parametrize("eligible", [False, True])
def test_role_holders_keep_their_sensitive_properties(graph, eligible):
    user = graph.user("head")
    graph.control("role", principal=user, eligible=eligible)

    for change in (
        {"accountEnabled": False},
        {"mobilePhone": "1"},
        {"otherMails": []},
        {"userPrincipalName": "x@sample-school.example"},
    ):
        assert refused(graph("PATCH", f"/users/{user}", change)) == DENIED
    assert graph("PATCH", f"/users/{user}", {"jobTitle": "Head"}).status_code == 204
    assert refused(graph("DELETE", f"/users/{user}")) == DENIED
    assert refused(graph("POST", f"/users/{user}/revokeSignInSessions")) == DENIED


def test_members_of_role_assignable_groups_hold_its_roles(graph):
    user = graph.user("head")
    group = graph.group("heads")
    graph.control("edit", group=group, set={"isAssignableToRole": True})
    graph.control("people", group=group, user=user)
    graph.control("role", principal=group)

    assert refused(graph("PATCH", f"/users/{user}", {"accountEnabled": False})) == DENIED
    assert refused(graph.relate(group, members=[graph.user("other")])) == DENIED
    assert refused(graph("POST", "/groups", a_group("more", isAssignableToRole=True))) == DENIED


def test_roles_can_be_read_and_eligible_ones_need_p2(graph, tenant):
    user = graph.user("head")
    graph.control("role", principal=user, eligible=True)

    assigned = graph("GET", f"/roleManagement/directory/roleAssignments?$filter=principalId eq '{user}'").json()[
        "value"
    ]
    eligible = graph("GET", "/roleManagement/directory/roleEligibilityScheduleInstances").json()["value"]
    assert (assigned, [entry["principalId"] for entry in eligible]) == ([], [user])


def test_members_of_a_restricted_unit_are_left_alone(graph):
    user = graph.user("maria")
    unit = graph.made("/directory/administrativeUnits", {"displayName": "Closed", "isMemberManagementRestricted": True})
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{user}"}
    shown = f"/users/{user}?$select=isManagementRestricted"
    assert graph("GET", shown).json()["isManagementRestricted"] is None
    assert graph("POST", f"/directory/administrativeUnits/{unit}/members/$ref", reference).status_code == 204

    assert graph("GET", shown).json()["isManagementRestricted"] is True
    assert refused(graph("PATCH", f"/users/{user}", {"jobTitle": "x"})) == DENIED
    assert refused(graph("DELETE", f"/users/{user}")) == DENIED


def test_an_object_is_in_thirty_units_at_most(graph):
    user = graph.user("maria")
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{user}"}
    units = [graph.made("/directory/administrativeUnits", {"displayName": f"U{n}"}) for n in range(31)]
    answers = [graph("POST", f"/directory/administrativeUnits/{unit}/members/$ref", reference) for unit in units]

    assert [answer.status_code for answer in answers] == [204] * 30 + [400]


# accounts of others


def test_synchronized_users_refuse_what_is_mastered_on_premises(graph):
    user = graph.user("maria")
    graph.control("edit", user=user, set={"onPremisesSyncEnabled": True})

    assert refused(graph("PATCH", f"/users/{user}", {"displayName": "x"})) == (400, "Request_BadRequest")
    assert graph("PATCH", f"/users/{user}", {"usageLocation": "DE"}).status_code == 204
    assert graph.license(user).status_code == 200
    assert graph.relate(graph.group("g"), members=[user]).status_code == 204


# deletion, sections 2.3 and 13.3


def test_a_deleted_user_can_be_restored_with_groups_and_licences(graph):
    user, group = graph.user("maria"), graph.group("g")
    graph.license(user)
    graph.relate(group, members=[user])
    graph("DELETE", f"/users/{user}")

    (kept,) = graph("GET", "/directory/deletedItems/microsoft.graph.user").json()["value"]
    assert kept["userPrincipalName"] == f"{user.replace('-', '')}maria@sample-school.example"
    assert graph.people(group) == set()
    back = graph("POST", f"/directory/deletedItems/{user}/restore")
    assert (back.status_code, back.json()["userPrincipalName"]) == (200, "maria@sample-school.example")
    assert graph.people(group) == {user}
    assert graph("GET", f"/users/{user}?$select=assignedLicenses").json()["assignedLicenses"] != []


def test_a_name_taken_meanwhile_is_a_conflict_unless_another_is_given(graph):
    user = graph.user("maria")
    graph("DELETE", f"/users/{user}")
    graph.user("maria")

    path = f"/directory/deletedItems/{user}/restore"
    assert detail(graph("POST", path)) == (400, "ObjectConflict userPrincipalName")
    answer = graph("POST", path, {"newUserPrincipalName": "maria2@sample-school.example"})
    assert (answer.status_code, answer.json()["userPrincipalName"]) == (200, "maria2@sample-school.example")


def test_a_mail_taken_meanwhile_is_a_conflict_unless_it_is_to_be_reconciled(graph):
    user = graph.user("maria", mail="m@sample-school.example")
    graph("DELETE", f"/users/{user}")
    graph.user("other", mail="m@sample-school.example")

    path = f"/directory/deletedItems/{user}/restore"
    assert detail(graph("POST", path)) == (400, "ObjectConflict proxyAddresses")
    assert graph("POST", path, {"autoReconcileProxyConflict": True}).status_code == 200


def test_after_thirty_days_a_deleted_user_is_gone(graph):
    user = graph.user("maria")
    graph("DELETE", f"/users/{user}")
    graph.control("advance", seconds=29 * 86_400)
    client = Client(graph.target)
    assert client("GET", f"/directory/deletedItems/{user}").status_code == 200
    graph.control("advance", seconds=2 * 86_400)
    later = Client(graph.target)

    assert refused(later("GET", f"/directory/deletedItems/{user}")) == (404, "Request_ResourceNotFound")
    client.close()
    later.close()


def test_a_purged_user_cannot_be_restored(graph):
    user = graph.user("maria")
    graph("DELETE", f"/users/{user}")

    assert graph("DELETE", f"/directory/deletedItems/{user}").status_code == 204
    assert graph("POST", f"/directory/deletedItems/{user}/restore").status_code == 404


# parallel writes, section 10


def test_two_writes_to_one_object_in_a_batch_are_a_conflict_unless_chained(graph):
    user = graph.user("maria")

    def change(number: int, **more: object) -> dict[str, object]:
        headers = {"Content-Type": "application/json"}
        body = {"jobTitle": str(number)}
        return {"id": str(number), "method": "PATCH", "url": f"/users/{user}", "headers": headers, "body": body, **more}

    def statuses(*calls: object) -> dict[str, int]:
        answers = graph("POST", "/$batch", {"requests": list(calls)}).json()["responses"]
        return {entry["id"]: entry["status"] for entry in answers}

    assert statuses(change(1), change(2)) == {"1": 204, "2": 409}
    assert statuses(change(3), change(4, dependsOn=["3"])) == {"3": 204, "4": 204}


def test_a_write_that_comes_before_an_earlier_one_was_answered_is_a_conflict(graph):
    user, other = graph.user("maria"), graph.user("nikos")
    graph.control("faults", [{"match": f"PATCH /users/{user}", "kind": "latency", "seconds": 1}])
    with ThreadPoolExecutor(1) as beside:
        first = beside.submit(Client(graph.target), "PATCH", f"/users/{user}", {"jobTitle": "1"})
        transcript = f"{graph.target.control}/transcript?limit=1"
        while requests.get(transcript).json()["requests"][0]["method"] != "PATCH":
            pass
        second = graph("PATCH", f"/users/{user}", {"jobTitle": "2"})
        assert graph("PATCH", f"/users/{other}", {"jobTitle": "2"}).status_code == 204

    assert refused(second) == (409, "Directory_ConcurrencyViolation")
    assert first.result().status_code == 204
    assert graph("PATCH", f"/users/{user}", {"jobTitle": "3"}).status_code == 204


def test_a_path_that_is_there_with_another_method_is_405(graph):
    assert graph("PUT", "/users", {}).status_code == 405
    assert refused(graph("GET", "/planets")) == (400, "BadRequest")
