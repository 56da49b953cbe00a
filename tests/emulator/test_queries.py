"""Collections are asked as Microsoft documents it: select, filter, search, order, count, expand, pages (graph.md section 2.2)."""

from __future__ import annotations

import pytest
from tests.emulator.client import refused

EVENTUAL = {"ConsistencyLevel": "eventual"}


@pytest.fixture
def school(graph):
    """Anna, Anton (disabled) and Bert, who has the number 7."""
    graph.user("anna", givenName="Anna", mail="anna@sample-school.example")
    graph.user(
        "anton", accountEnabled=False, jobTitle="Pupil", onPremisesExtensionAttributes={"extensionAttribute1": "x"}
    )
    graph.user("bert", employeeId="7", displayName="Bert Brown-Smith")
    return graph


def names(answer):
    assert answer.status_code == 200, answer.text
    return {user["userPrincipalName"].partition("@")[0] for user in answer.json()["value"]} - {"admin"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("userPrincipalName eq 'anna@sample-school.example'", {"anna"}),
        ("startsWith(userPrincipalName,'an')", {"anna", "anton"}),
        ("employeeId in ('7','8')", {"bert"}),
        ("jobTitle eq null and startswith(displayName,'a')", {"anna"}),
        ("onPremisesExtensionAttributes/extensionAttribute1 eq 'x'", {"anton"}),
        ("employeeId ge '7'", {"bert"}),
        ("employeeId le '6'", set()),
        ("createdDateTime ge 2020-01-01T00:00:00Z and employeeId eq '7'", {"bert"}),
        ("(displayName eq 'anna' or displayName eq 'anton') and accountEnabled eq true", {"anna"}),
        ("assignedLicenses/any(x:x/skuId eq 314c4481-f395-4525-be8b-2ec4bb1e9d91)", set()),
    ],
)
def test_plain_filters_need_no_header(school, text, found):
    assert names(school("GET", f"/users?$filter={text}")) == found


@pytest.mark.parametrize(
    "text",
    ["jobTitle ne 'x'", "not(displayName eq 'anna')", "endsWith(mail,'.example')", "assignedLicenses/$count eq 0"],
)
def test_advanced_filters_need_the_header_and_count(school, text):
    assert refused(school("GET", f"/users?$filter={text}")) == (400, "Request_UnsupportedQuery")
    assert refused(school("GET", f"/users?$filter={text}", **EVENTUAL)) == (400, "Request_UnsupportedQuery")
    assert school("GET", f"/users?$filter={text}&$count=true", **EVENTUAL).status_code == 200


def test_search_finds_beginnings_of_words_and_needs_the_header(school):
    assert refused(school("GET", '/users?$search="displayName:bro"')) == (400, "Request_UnsupportedQuery")
    assert names(school("GET", '/users?$search="displayName:bro"', **EVENTUAL)) == {"bert"}
    assert names(school("GET", '/users?$search="displayName:smith" OR "mail:anna"', **EVENTUAL)) == {"anna", "bert"}
    assert names(school("GET", '/users?$search="displayName:bert" AND "displayName:anna"', **EVENTUAL)) == set()
    assert school("GET", '/users?$search="jobTitle:x"', **EVENTUAL).status_code == 400


def test_counts(school):
    assert refused(school("GET", "/users/$count")) == (400, "Request_UnsupportedQuery")
    counted = school("GET", "/users/$count?$filter=startswith(displayName,'an')", **EVENTUAL)
    assert (counted.text, counted.headers["Content-Type"]) == ("2", "text/plain")
    first = school("GET", "/users?$top=2&$count=true", **EVENTUAL).json()
    assert first["@odata.count"] == 4
    assert "@odata.count" not in school("GET", first["@odata.nextLink"], **EVENTUAL).json()
    assert "@odata.count" not in school("GET", "/users?$count=true").json()


def test_order(school):
    answer = school("GET", "/users?$orderby=displayName desc&$top=2").json()
    rest = school("GET", answer["@odata.nextLink"]).json()

    assert [user["displayName"] for user in answer["value"] + rest["value"]] == [
        "Emulated Administrator",
        "Bert Brown-Smith",
        "anton",
        "anna",
    ]
    both = "/users?$orderby=displayName&$filter=startswith(displayName,'a')"
    assert refused(school("GET", both)) == (400, "Request_UnsupportedQuery")
    assert names(school("GET", f"{both}&$count=true", **EVENTUAL)) == {"anna", "anton"}


def test_what_is_not_a_property_cannot_be_selected_and_what_lives_elsewhere_is_501(school):
    assert refused(school("GET", "/users?$select=shoeSize")) == (400, "BadRequest")
    assert refused(school("GET", "/users?$select=aboutMe")) == (501, "NotImplemented")
    assert refused(school("GET", "/groups?$select=shoeSize")) == (400, "BadRequest")
    assert refused(school("GET", "/education/classes?$select=shoeSize")) == (400, "BadRequest")


def test_skip_and_an_option_given_twice_are_refused(school):
    assert refused(school("GET", "/users?$skip=1")) == (400, "Request_UnsupportedQuery")
    assert refused(school("GET", "/users?$top=1&$top=2")) == (400, "BadRequest")
    assert refused(school("GET", "/users?$skiptoken=nonsense")) == (400, "Directory_ExpiredPageToken")


def test_expand_brings_twenty_at_most(graph):
    group = graph.group("g")
    users = [graph.user(f"u{n}") for n in range(21)]
    graph.relate(group, members=users[:20])
    graph.relate(group, members=users[20:])

    shown = graph("GET", f"/groups/{group}?$expand=members").json()
    assert len(shown["members"]) == 20
    assert shown["members"][0]["@odata.type"] == "#microsoft.graph.user"
    assert refused(graph("GET", f"/groups/{group}?$expand=planets")) == (400, "BadRequest")
    listed = graph("GET", "/users?$expand=memberOf&$filter=userPrincipalName eq 'u0@sample-school.example'").json()
    assert [entry["id"] for entry in listed["value"][0]["memberOf"]] == [group]


def test_a_page_holds_a_hundred_and_never_shifts_when_something_is_deleted(graph):
    graph.control("seed", people=150, classes=0)
    page = graph("GET", "/users?$select=id").json()
    assert len(page["value"]) == 100
    graph("DELETE", f"/users/{page['value'][5]['id']}")
    rest = graph("GET", page["@odata.nextLink"]).json()

    assert len({user["id"] for user in page["value"] + rest["value"]}) == 151


def test_teams_can_be_found_among_groups(graph):
    team, _, _ = graph.open_team()
    graph.group("plain")

    found = graph("GET", "/groups?$filter=resourceProvisioningOptions/Any(x:x eq 'Team')").json()["value"]
    assert [group["id"] for group in found] == [team]
