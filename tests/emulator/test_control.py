"""What a tester needs beside Graph: reset, snapshots, seeds, the human administrator, the transcript, pages, restarts."""

from __future__ import annotations

import pytest
import requests
from tests.emulator.client import Client, refused

from rollbook.emulator import Config, Emulator, StateUnusable


def get(graph, call):
    answer = requests.get(f"{graph.target.control}{call}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_control_calls_are_listed_with_what_they_do(graph):
    calls = get(graph, "")["calls"]

    assert len(calls) > 25
    assert all(calls.values())
    assert requests.post(f"{graph.target.control}/nothing").status_code == 404
    assert requests.post(f"{graph.target.control}/edit", json={"user": "x"}).status_code == 400
    assert requests.post(f"{graph.target.control}/advance", json={}).json() == {
        "error": "seconds is missing or unknown"
    }


def test_quotas_end_by_null_alone_and_by_a_scale_of_null(graph):
    for body in (b"null", b'{"scale": null}'):
        answer = requests.post(
            f"{graph.target.control}/quotas", data=body, headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.json()) == (200, {"scale": None})


def test_a_reset_begins_anew_under_the_same_ids(graph, tenant):
    before = (tenant.tenants, tenant.apps)
    graph.user("maria")
    graph.control("reset")

    assert (tenant.tenants, tenant.apps) == before
    fresh = Client(tenant)
    assert len(fresh.values("/users")) == 1
    assert fresh.user("maria")
    fresh.close()


def test_a_snapshot_is_restored_whatever_happened_since(graph):
    team, teacher, pupil = graph.open_team()
    _, link = graph.delta("/users/delta")
    graph.control("snapshot", name="before")
    graph("DELETE", f"/groups/{team}")
    graph("DELETE", f"/users/{pupil}")
    graph.user("later")
    graph.control("restore", name="before")

    assert graph.roster(team) == {teacher: ["owner"], pupil: []}
    assert graph.people(team) == {teacher, pupil}
    assert graph("GET", "/users/later@sample-school.example").status_code == 404
    assert graph.delta(link)[0] == []
    assert requests.post(f"{graph.target.control}/restore", json={"name": "x"}).status_code == 400


def test_a_school_can_be_seeded(graph):
    body = {
        "users": [{"userPrincipalName": "t@sample-school.example", "displayName": "T", "employeeId": "1"}],
        "groups": [{"displayName": "All", "members": ["t@sample-school.example"]}],
        "classes": [
            {"displayName": "Maths", "mailNickname": "maths", "owners": ["t@sample-school.example"], "team": True}
        ],
    }
    assert graph.control("seed", body)["made"] == {"users": 1, "groups": 2, "memberships": 2}

    (klass,) = graph.values("/education/classes")
    assert list(graph.roster(klass["id"]).values()) == [["owner"]]
    assert requests.post(f"{graph.target.control}/seed", json=body).status_code == 400


def test_an_administrator_edits_deletes_and_moves_people_by_hand(graph):
    user, group = graph.user("maria"), graph.group("g", unified=True)
    graph.control("edit", user=user, set={"displayName": "Maria", "accountEnabled": False})
    graph.control("people", {"group": group, "user": user, "as": "owner"})
    assert graph("GET", f"/users/{user}").json()["displayName"] == "Maria"
    assert graph.people(group, "owners") == {user}
    graph.control("people", {"group": group, "user": user, "as": "owner", "remove": True})
    assert graph.people(group, "owners") == set()

    graph.control("delete", user=user, forever=True)
    assert graph("GET", f"/directory/deletedItems/{user}").status_code == 404


def test_the_transcript_tells_why_something_was_refused(graph):
    graph("GET", "/users")
    graph("PATCH", "/users/nobody@sample-school.example", {"jobTitle": "x"})

    (newest, *_) = get(graph, "/transcript?refused=1&limit=1")["requests"]
    assert (newest["status"], newest["code"]) == (404, "Request_ResourceNotFound")
    assert "nobody@sample-school.example" in newest["reason"]
    assert [entry["status"] for entry in get(graph, "/transcript?limit=2")["requests"]] == [404, 200]


def test_answers_carry_microsofts_headers(graph):
    answer = graph("GET", "/users", client_request_id="11111111-2222-3333-4444-555555555555")

    assert answer.headers["client-request-id"] == "11111111-2222-3333-4444-555555555555"
    assert answer.headers["OData-Version"] == "4.0"
    assert {"request-id", "Date"} <= answer.headers.keys()


# restarts


def test_everything_survives_a_restart(tmp_path):
    config = Config(quota_scale=None, delays=None, state=tmp_path / "tenant.state")
    with Emulator(config) as tenant:
        graph = Client(tenant)
        team, teacher, pupil = graph.open_team()
        gone = graph.user("gone")
        _, link = graph.delta("/groups/delta?$select=displayName,members")
        graph("DELETE", f"/users/{gone}")
        graph("DELETE", f"/groups/{team}/members/{pupil}/$ref")
        graph.control("tenants", domain="second.example")
        said = (tenant.tenants, tenant.apps)
        graph.close()
    with Emulator(config) as tenant:
        graph = Client(tenant)
        relative = "/groups/delta?" + link.partition("?")[2]
        (told,), _ = graph.delta(relative)

        assert (tenant.tenants, tenant.apps) == said
        assert graph.roster(team) == {teacher: ["owner"]}
        assert told["members@delta"] == [
            {"@odata.type": "#microsoft.graph.user", "id": pupil, "@removed": {"reason": "deleted"}}
        ]
        assert graph("POST", f"/directory/deletedItems/{gone}/restore").status_code == 200
        assert graph.user("new") not in (team, teacher, pupil, gone)
        graph.close()


def test_what_is_due_later_is_done_after_a_restart_too(tmp_path):
    config = Config(quota_scale=None, delays=1.0, state=tmp_path / "tenant.state")
    with Emulator(config) as tenant:
        graph = Client(tenant)
        klass, teacher, late = graph.klass("c"), graph.user("t"), graph.user("l")
        graph.control("advance", seconds=1000)
        graph.relate(klass, owners=[teacher], members=[teacher])
        graph.license(teacher)
        graph.control("advance", seconds=60)
        graph.team(klass)
        graph.control("advance", seconds=60)
        graph.control("activate", team=klass)
        graph.relate(klass, members=[late])
        graph.close()
    with Emulator(config) as tenant:
        graph = Client(tenant)
        assert late not in graph.roster(klass)
        graph.control("advance", seconds=90_000)
        graph.close()
        graph = Client(tenant)
        assert late in graph.roster(klass)
        graph.close()


def test_a_state_file_of_another_kind_or_in_use_is_refused_with_a_sentence(tmp_path):
    path = tmp_path / "tenant.state"
    with Emulator(Config(state=path)), pytest.raises(StateUnusable, match="another emulator"):
        Emulator(Config(state=path))
    other = tmp_path / "other.state"
    import sqlite3

    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE something (x)")
    with pytest.raises(StateUnusable, match="another version"):
        Emulator(Config(state=other))


# pages


def test_a_newcomer_sees_the_school_in_a_browser(graph, browser):
    graph.open_team("maths")
    graph("PATCH", "/users/nobody@sample-school.example", {"jobTitle": "x"})
    page = browser.new_page()
    page.goto(graph.target.login)
    page.get_by_role("note").wait_for()
    for name in ("Users", "Groups", "Teams", "Activity", "Switches"):
        page.get_by_role("navigation").get_by_role("link", name=name).click()
        page.get_by_role("heading", name=name, level=1).wait_for()

    page.get_by_role("link", name="Users").click()
    page.get_by_role("textbox", name="Search by name").fill("teacher")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="teacher-maths").click()
    page.get_by_role("link", name="maths", exact=True).click()
    page.get_by_role("cell", name="pupil-maths@sample-school.example").wait_for()
    page.get_by_role("link", name="Activity").click()
    page.get_by_role("link", name="Show only what was refused").click()
    page.get_by_text("Request_ResourceNotFound").wait_for()
    page.close()


def test_the_switches_of_the_page_work(graph, browser):
    page = browser.new_page()
    page.goto(f"{graph.target.login}/switches")
    page.get_by_label("Hours").fill("48")
    before = get(graph, "/state")["now"]
    page.get_by_role("button", name="Push the clock forward").click()
    page.get_by_text("Clock: done.").wait_for()
    assert get(graph, "/state")["now"] > before
    page.get_by_label("Calls that match").fill("GET /users")
    page.get_by_role("button", name="Have it happen").click()
    page.get_by_role("cell", name="GET /users").wait_for()
    fresh = Client(graph.target)
    assert fresh("GET", "/users").status_code == 503
    page.get_by_label("Type reset").fill("reset")
    page.get_by_role("button", name="Begin anew").click()
    page.get_by_text("Everything: done.").wait_for()
    fresh.close()
    page.close()


def test_a_class_team_is_activated_on_its_page(graph, browser):
    klass, teacher = graph.klass("maths"), graph.user("teacher")
    graph.relate(klass, owners=[teacher], members=[teacher])
    graph.license(teacher)
    graph.team(klass)
    page = browser.new_page()
    page.goto(f"{graph.target.login}/teams/{klass}")
    page.get_by_role("button", name="Activate, as its teacher would").click()

    page.get_by_text("class; active").wait_for()
    page.close()


def test_a_person_signs_in_in_a_real_browser(graph, browser):
    back = f"{graph.target.login}/users"
    graph.control("apps", client_id=graph.target.client_id, redirects=[back])
    graph.user("maria", passwordProfile={"password": "Correct-horse-1", "forceChangePasswordNextSignIn": False})
    page = browser.new_page()
    query = f"client_id={graph.target.client_id}&response_type=code&redirect_uri={back}&scope=openid&state=s"
    page.goto(f"{graph.target.login}/{graph.target.tenant}/oauth2/v2.0/authorize?{query}")
    assert "this is not Microsoft" in page.get_by_role("note").inner_text()
    page.get_by_label("User name").fill("maria@sample-school.example")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Password").fill("Correct-horse-1")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{back}?code=*")
    page.close()


def test_forms_from_elsewhere_turn_no_switch(graph):
    url = f"{graph.target.login}/switches"
    answer = requests.post(url, data={"call": "reset", "sure": "reset"}, headers={"Origin": "https://evil.example"})

    assert answer.status_code == 403
    assert refused(graph("GET", "/users/nobody@sample-school.example")) == (404, "Request_ResourceNotFound")
