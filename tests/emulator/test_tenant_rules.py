"""The emulated tenant does what Microsoft documents, over real HTTP; section numbers are those of graph.md."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from tests.emulator.client import Client, a_user

from rollbook.emulator import Config, Emulator


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def target(answer: requests.Response) -> tuple[int, str]:
    (detail,) = answer.json()["error"]["details"]
    return answer.status_code, f"{detail['code']} {detail['target']}"


# sign-in, section 1


def test_a_wrong_secret_is_aadsts7000215(tenant):
    app = tenant.apps[0]
    form = {"client_id": app["client_id"], "client_secret": "no", "grant_type": "client_credentials"}
    form["scope"] = "https://graph.microsoft.com/.default"
    answer = requests.post(f"{tenant.login}/{app['tenant']}/oauth2/v2.0/token", data=form)

    assert (answer.status_code, answer.json()["error"], answer.json()["error_codes"]) == (
        401,
        "invalid_client",
        [7000215],
    )


def test_an_unknown_application_and_an_unknown_tenant_are_said_as_such(tenant):
    url = f"{tenant.login}/{{}}/oauth2/v2.0/token"
    form = {"client_id": "x", "grant_type": "client_credentials", "scope": "https://graph.microsoft.com/.default"}

    assert requests.post(url.format(tenant.apps[0]["tenant"]), data=form).json()["error_codes"] == [700016]
    assert requests.post(url.format("nowhere.example"), data=form).json()["error_codes"] == [90002]


def test_discovery_answers_for_the_host_it_was_asked_by(tenant):
    path = f"{tenant.login}/{tenant.apps[0]['tenant']}/v2.0/.well-known/openid-configuration"
    document = requests.get(path, headers={"Host": "login.emulator.test", "X-Forwarded-Proto": "https"}).json()

    assert document["token_endpoint"].startswith("https://login.emulator.test/")
    assert document["issuer"].endswith(f"{tenant.apps[0]['tenant']}/v2.0")


@pytest.mark.parametrize("token", ["", "Bearer nonsense", "Bearer eyJhbGciOiJub25lIn0.e30."])
def test_a_token_of_somebody_else_is_refused(tenant, token):
    answer = requests.get(f"{tenant.graph}/users", headers={"Authorization": token})

    assert code(answer) == (401, "InvalidAuthenticationToken")


def test_a_call_without_its_permission_is_refused(graph, tenant):
    graph.control("consent", app=tenant.apps[0]["client_id"], roles=["User.Read.All"])
    weaker = Client(tenant)

    assert weaker("GET", "/users").status_code == 200
    assert code(weaker("POST", "/users", a_user("x"))) == (403, "Authorization_RequestDenied")
    weaker.close()


# users, section 2


def test_a_user_is_made_with_the_default_properties_and_the_rest_needs_select(graph):
    made = graph("POST", "/users", a_user("maria", employeeId="7"))

    assert made.status_code == 201
    assert made.headers["Location"].endswith(made.json()["id"])
    assert "accountEnabled" not in made.json()
    read = graph("GET", f"/users/{made.json()['id']}?$select=employeeId,accountEnabled").json()
    assert (read["employeeId"], read["accountEnabled"]) == ("7", True)
    shown = graph("GET", "/users/maria@sample-school.example?$select=passwordProfile").json()
    assert shown["passwordProfile"] is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"displayName": None}, "InvalidValue displayName"),
        ({"displayName": "x" * 257}, "InvalidValue displayName"),
        ({"employeeId": "1" * 17}, "InvalidValue employeeId"),
        ({"usageLocation": "Greece"}, "InvalidValue usageLocation"),
        ({"userPrincipalName": "marí@sample-school.example"}, "InvalidValue userPrincipalName"),
        ({"userPrincipalName": "maria.@sample-school.example"}, "InvalidValue userPrincipalName"),
        ({"userPrincipalName": "maria@elsewhere.example"}, "InvalidValue userPrincipalName"),
        ({"userPrincipalName": f"{'m' * 65}@sample-school.example"}, "InvalidValue userPrincipalName"),
        ({"passwordProfile": {"password": "short"}}, "InvalidValue password"),
        ({"accountEnabled": "no"}, "InvalidValue accountEnabled"),
        ({"displayName": 5}, "InvalidValue displayName"),
        ({"passwordProfile": {"password": "onlylowercase"}}, "InvalidValue password"),
    ],
)
def test_every_rule_of_a_user_is_kept(graph, change, said):
    assert target(graph("POST", "/users", a_user("maria") | change)) == (400, said)


def test_user_names_are_unique_whatever_their_case(graph):
    graph.user("maria")

    answer = graph("POST", "/users", a_user("x") | {"userPrincipalName": "MARIA@sample-school.example"})

    assert target(answer) == (400, "ObjectConflict userPrincipalName")
    assert answer.json()["error"]["innerError"]["request-id"] == answer.headers["request-id"]


def test_a_deleted_users_name_is_free_again(graph):
    user = graph.user("maria")

    assert graph("DELETE", f"/users/{user}").status_code == 204
    assert graph("GET", f"/users/{user}").status_code == 404
    assert graph.user("maria") != user


def test_administrators_are_not_disabled_by_applications(graph, tenant):
    name = tenant.tenants[0]["admin"]["username"]

    assert code(graph("PATCH", f"/users/{name}", {"accountEnabled": False})) == (403, "Authorization_RequestDenied")


def test_an_application_reads_when_its_own_secrets_end_and_nobody_elses(graph):
    secrets = [{"value": graph.target.client_secret, "expires": None}, {"value": "another", "expires": 86_400.0}]
    graph.control("apps", client_id=graph.target.client_id, secrets=secrets)

    told = graph("GET", f"/applications(appId='{graph.target.client_id}')").json()

    ends = [(entry["hint"], entry["endDateTime"][:10]) for entry in told["passwordCredentials"]]
    assert ends == [(graph.target.client_secret[:3], "2299-12-31"), ("ano", "1970-01-02")]
    assert [entry["secretText"] for entry in told["passwordCredentials"]] == [None, None]
    assert told["keyCredentials"] == []
    assert graph("GET", "/applications(appId='00000000-0000-0000-0000-000000000001')").status_code == 404


def test_an_unregistered_extension_is_refused_and_a_registered_one_can_be_filtered(graph, tenant):
    name = f"extension_{tenant.apps[0]['client_id'].replace('-', '')}_mark"
    assert graph("POST", "/users", a_user("a", **{name: "x"})).status_code == 400

    path = f"/applications(appId='{tenant.apps[0]['client_id']}')/extensionProperties"
    assert graph("POST", path, {"name": "mark", "dataType": "String", "targetObjects": ["User"]}).status_code == 201
    user = graph.user("a", **{name: "x"})

    found = graph("GET", f"/users?$filter={name} eq 'x'&$select=id,{name}").json()["value"]
    assert found == [{"id": user, name: "x"}]


# lists, section 2.2


def test_pages_follow_an_opaque_next_link_to_the_end(graph):
    names = {f"user{n}" for n in range(25)}
    for name in names:
        graph.user(name)

    seen, link = [], "/users?$top=10&$select=displayName"
    while link:
        page = graph("GET", link).json()
        seen += [user["displayName"] for user in page["value"]]
        link = page.get("@odata.nextLink")

    assert len(seen) == 26  # and the administrator
    assert names < set(seen)


def test_a_page_larger_than_999_is_refused(graph):
    assert graph("GET", "/users?$top=1000").status_code == 400


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("displayName eq 'ANNA'", {"anna"}),
        ("startswith(displayName,'a')", {"anna", "anton"}),
        ("displayName in ('anna','bert')", {"anna", "bert"}),
        ("startswith(displayName,'a') and not(displayName eq 'anna')", {"anton"}),
        ("displayName eq 'anna' or displayName eq 'bert'", {"anna", "bert"}),
        ("employeeId eq '7'", {"bert"}),
        ("accountEnabled eq false", {"anton"}),
    ],
)
def test_filters(graph, text, names):
    graph.user("anna")
    graph.user("anton", accountEnabled=False)
    graph.user("bert", employeeId="7")

    found = graph("GET", f"/users?$filter={text}&$select=displayName&$count=true", ConsistencyLevel="eventual")

    assert {user["displayName"] for user in found.json()["value"]} == names


@pytest.mark.parametrize(
    "text", ["displayName", "displayName eq", "displayName like 'x'", "eq 'x'", "displayName eq 'x"]
)
def test_a_filter_that_is_none_is_refused(graph, text):
    assert graph("GET", f"/users?$filter={text}").status_code == 400


# licences, section 3


def test_a_licence_needs_a_country_and_a_seat():
    with Emulator(Config(quota_scale=None, delays=None, student_seats=1)) as tenant:
        graph = Client(tenant)
        homeless = graph.user("homeless", usageLocation=None)
        first, second = graph.user("first"), graph.user("second")

        assert "usage location" in graph.license(homeless).json()["error"]["message"]
        assert graph.license(first).status_code == 200
        assert graph.license(first).status_code == 200
        assert "does not have any available licenses" in graph.license(second).json()["error"]["message"]
        assert graph("DELETE", f"/users/{first}").status_code == 204
        assert graph.license(second).status_code == 200
        graph.close()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/users/{user}/assignLicense", {"addLicenses": [1], "removeLicenses": []}),
        (
            "/groups",
            {"displayName": "g", "mailNickname": "g", "mailEnabled": False, "securityEnabled": True, "uniqueName": 5},
        ),
        ("/teams", {"template@odata.bind": "https://x/teamsTemplates('standard')", "displayName": "t", "members": [5]}),
        ("/$batch", {"requests": [5]}),
        ("/users", []),
    ],
)
def test_a_body_of_the_wrong_shape_is_refused_and_not_a_fault_of_the_service(graph, path, body):
    assert graph("POST", path.format(user=graph.user("u")), body).status_code == 400


# groups, section 5


def test_twenty_relations_fit_into_a_patch_and_twenty_one_do_not(graph):
    group = graph.klass("c")
    users = [graph.user(f"u{n}") for n in range(20)]

    assert graph.relate(group, owners=users[:1], members=users).status_code == 400
    assert graph.relate(group, owners=users[:1], members=users[:19]).status_code == 204


def test_one_bad_relation_refuses_all_and_a_repeated_one_says_so(graph):
    group, user, other = graph.klass("c"), graph.user("u"), graph.user("o")

    assert graph.relate(group, members=[user, "00000000-0000-4000-8000-000000000000"]).status_code == 404
    assert graph.relate(group, members=[user]).status_code == 204
    again = graph.relate(group, members=[other, user])
    assert "already exist" in again.json()["error"]["message"]
    assert [m["id"] for m in graph("GET", f"/groups/{group}/members").json()["value"]] == [user]


def test_the_last_owner_stays(graph):
    group, first, second = graph.klass("c"), graph.user("a"), graph.user("b")
    graph.relate(group, owners=[first, second])

    assert graph("DELETE", f"/groups/{group}/owners/{first}/$ref").status_code == 204
    assert graph("DELETE", f"/groups/{group}/owners/{second}/$ref").status_code == 400


def test_a_member_removed_without_ref_is_deleted_as_a_user(graph):
    group, user = graph.klass("c"), graph.user("u")
    graph.relate(group, members=[user])

    assert graph("DELETE", f"/groups/{group}/members/{user}").status_code == 204
    assert graph("GET", f"/users/{user}").status_code == 404


def test_nicknames_are_unique_for_microsoft_365_groups_only(graph):
    security = {"displayName": "s", "mailNickname": "same", "mailEnabled": False, "securityEnabled": True}

    graph.klass("same")
    assert target(graph("POST", "/education/classes", {"displayName": "x", "mailNickname": "SAME"})) == (
        400,
        "ObjectConflict mailNickname",
    )
    assert graph("POST", "/groups", security).status_code == 201
    assert graph("POST", "/groups", security).status_code == 201


def test_a_security_group_is_made_once_by_its_unique_name(graph):
    body = {"displayName": "s", "mailNickname": "s", "mailEnabled": False, "securityEnabled": True}
    path = "/groups(uniqueName='grade-7')"

    assert graph("PATCH", path, body).status_code == 404
    assert graph("PATCH", path, body, Prefer="create-if-missing").status_code == 201
    assert graph("PATCH", path, {"displayName": "t"}, Prefer="create-if-missing").status_code == 204
    assert graph("GET", path).json()["displayName"] == "t"


def test_members_of_hidden_groups_are_silently_left_out_without_the_permission(graph, tenant):
    group, user = graph.klass("c"), graph.user("u")
    graph.relate(group, members=[user], owners=[user])
    app = tenant.apps[0]["client_id"]
    roles = [role for role in tenant.directory.consents.get(app)["roles"] if role != "Member.Read.Hidden"]
    graph.control("consent", app=app, roles=roles)
    blind = Client(tenant)

    answer = blind("GET", f"/groups/{group}/members")
    assert (answer.status_code, answer.json()["value"]) == (200, [])
    assert len(blind("GET", f"/groups/{group}/owners").json()["value"]) == 1
    blind.close()


# teams, section 7


def test_a_class_team_needs_an_owner_who_is_enabled_and_licensed(graph):
    group, teacher = graph.klass("c"), graph.user("teacher")

    assert "owner" in graph.team(group).json()["error"]["message"]
    graph.relate(group, owners=[teacher], members=[teacher])
    assert graph.team(group).status_code == 403
    graph.license(teacher)
    made = graph.team(group)
    assert made.status_code == 202
    assert made.headers["Content-Location"] == f"/teams('{group}')"
    assert graph("GET", made.headers["Location"]).json()["status"] == "succeeded"
    assert graph.team(group).status_code == 409
    assert graph("GET", f"/groups/{group}?$select=resourceProvisioningOptions").json()[
        "resourceProvisioningOptions"
    ] == ["Team"]


def test_a_class_team_is_locked_until_a_teacher_activates_it(graph, tenant):
    group, teacher, pupil = graph.klass("c"), graph.user("teacher"), graph.user("pupil")
    graph.relate(group, owners=[teacher], members=[teacher, pupil])
    graph.license(teacher)
    graph.team(group)

    assert [m["userId"] for m in graph("GET", f"/teams/{group}/members").json()["value"]] == [teacher]
    graph.control("activate", team=group)
    assert {m["userId"] for m in graph("GET", f"/teams/{group}/members").json()["value"]} == {teacher, pupil}


def test_a_fresh_group_is_not_found_by_teams_while_it_settles():
    with Emulator(Config(quota_scale=None)) as tenant:
        graph = Client(tenant)
        group, teacher = graph.klass("c"), graph.user("teacher")
        graph.control("advance", seconds=60)
        graph.relate(group, owners=[teacher])
        graph.license(teacher)
        graph.control("advance", seconds=60)

        assert graph.team(group).status_code == 404
        requests.post(f"{tenant.control}/advance", json={"seconds": 900}).raise_for_status()
        made = graph.team(group)
        assert made.status_code == 202
        assert graph("GET", made.headers["Location"]).json()["status"] == "inProgress"
        assert graph("GET", f"/teams/{group}").status_code == 404
        requests.post(f"{tenant.control}/advance", json={"seconds": 30}).raise_for_status()
        assert graph("GET", f"/teams/{group}").status_code == 200
        graph.close()


# batches, section 8, and quotas, section 9


def inner(number: int, **more: object) -> dict[str, object]:
    return {"id": str(number), "method": "GET", "url": "/organization", **more}


def test_a_batch_takes_twenty_calls_of_different_ids(graph):
    assert graph("POST", "/$batch", {"requests": [inner(n) for n in range(20)]}).status_code == 200
    assert graph("POST", "/$batch", {"requests": [inner(n) for n in range(21)]}).status_code == 400
    assert graph("POST", "/$batch", {"requests": [inner(1), inner(1)]}).status_code == 400
    assert graph("POST", "/$batch", {"requests": [inner(1, url="/$batch")]}).status_code == 400


def test_what_depends_on_a_failed_call_fails_with_424(graph):
    requests_ = [inner(1, url="/users/nobody"), inner(2, dependsOn=["1"]), inner(3)]

    answers = graph("POST", "/$batch", {"requests": requests_}).json()["responses"]

    assert {answer["id"]: answer["status"] for answer in answers} == {"1": 404, "2": 424, "3": 200}


def test_calls_over_the_quota_are_429_one_by_one_and_pass_after_the_pause():
    with Emulator(Config(quota_scale=0.01, delays=None)) as tenant:
        graph = Client(tenant)
        body = {"Content-Type": "application/json"}
        calls = [
            {"id": str(n), "method": "POST", "url": "/users", "body": a_user(f"u{n}"), "headers": body}
            for n in range(20)
        ]
        graph("POST", "/$batch", {"requests": calls})
        more = [{**call, "body": a_user(f"v{call['id']}")} for call in calls]
        answers = graph("POST", "/$batch", {"requests": more}).json()["responses"]

        late = [answer for answer in answers if answer["status"] == 429]
        assert 0 < len(late) < 20
        assert all(int(answer["headers"]["Retry-After"]) >= 1 for answer in late)
        requests.post(f"{tenant.control}/advance", json={"seconds": 150}).raise_for_status()
        assert graph("POST", "/users", a_user("w")).status_code == 201
        graph.close()


# counters, durability, pages


def test_least_writes_follows_from_the_state_before_and_after(graph, tenant):
    users = [graph.user(f"u{n}") for n in range(30)]
    requests.post(f"{tenant.control}/counters/reset", json={}).raise_for_status()
    group = graph.klass("c")
    for start in (0, 15):
        graph.relate(group, members=users[start : start + 15])
    graph.relate(group, owners=users[:1])
    graph.license(users[0])
    graph.team(group)

    counted = requests.get(f"{tenant.control}/counters").json()

    assert counted["writes"] == 6
    assert counted["least_writes"] == 5  # the class, 31 relations in two, the licence, the team


@pytest.mark.kill
def test_every_acknowledged_write_survives_kill_9(tmp_path: Path):
    state = tmp_path / "tenant.state"
    command = [sys.executable, "-m", "rollbook", "emulator", "serve", "--port", "0", "--state", str(state)]
    command += ["--quota-scale", "off", "--delays", "off"]

    def started():
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
        said = json.loads(process.stdout.readline())
        return process, Client(type("Said", (), said)), said

    process, graph, said = started()
    users = [graph.user(f"u{n}") for n in range(30)]
    group = graph.klass("c")
    graph.relate(group, members=users[:20])
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    graph.close()

    process, graph, again = started()
    assert again["apps"] == said["apps"]
    assert len(graph("GET", "/users?$top=999").json()["value"]) == 31
    assert len(graph("GET", f"/groups/{group}/members").json()["value"]) == 20
    assert graph.user("later") not in users
    process.terminate()
    process.wait()
    process.stdout.close()
    graph.close()


def test_people_can_look_at_the_tenant_in_a_browser(graph, tenant):
    graph.user("maria", displayName="<b>Maria</b> Παπαδάκη")

    overview, users = requests.get(tenant.login).text, requests.get(f"{tenant.login}/users?search=παπα").text

    assert "Emulated Microsoft 365" in overview
    assert "&lt;b&gt;Maria&lt;/b&gt; Παπαδάκη" in users
    assert requests.get(f"{tenant.login}/nowhere").status_code == 404


def test_an_address_beyond_this_machine_is_refused():
    with pytest.raises(ValueError, match="loopback"):
        Config(host="0.0.0.0")
