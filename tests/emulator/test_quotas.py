"""Quotas, batches and faults behave as Microsoft documents them (graph.md sections 8, 9 and 10)."""

from __future__ import annotations

import pytest
import requests
from tests.emulator.client import Client, a_user, refused

from rollbook.emulator import Config, Emulator
from rollbook.emulator.quotas import resource_units


@pytest.fixture
def counted():
    """A tenant with a hundredth of every quota."""
    with Emulator(Config(quota_scale=0.01, delays=None)) as tenant:
        client = Client(tenant)
        yield client
        client.close()


def until_refused(call, most=400):
    """How many calls pass before one is answered 429, and that answer."""
    for number in range(most):
        answer = call(number)
        if answer.status_code == 429:
            return number, answer
    raise AssertionError("no call was refused")


@pytest.mark.parametrize(
    ("method", "kind", "query", "units"),
    [
        ("GET", "GET /users", {}, 2),
        ("GET", "GET /users", {"$select": "id"}, 1),
        ("GET", "GET /users", {"$select": "id", "$top": "5"}, 1),
        ("GET", "GET /users", {"$expand": "memberOf"}, 3),
        ("GET", "GET /groups/{id}/{relation}", {}, 3),
        ("GET", "GET /groups/{id}/{relation}", {"$select": "id"}, 2),
        ("GET", "GET /subscribedSkus", {}, 3),
        ("GET", "GET /users/{id}/memberOf", {}, 2),
        ("GET", "GET /users/{id}", {"$select": "id"}, 1),
        ("POST", "POST /users", {}, 1),
    ],
)
def test_what_a_call_costs(method, kind, query, units):
    assert resource_units(method, kind, query) == units


def test_writes_over_the_quota_are_429_with_everything_a_client_needs(counted):
    passed, answer = until_refused(lambda n: counted("POST", "/users", a_user(f"u{n}")))

    assert passed == 30  # 3,000 in 2 min 30 s, a hundredth of it
    assert refused(answer) == (429, "TooManyRequests")
    assert int(answer.headers["Retry-After"]) == 5  # 0.2 come back a second
    assert answer.headers["x-ms-throttle-information"] == "WriteLimitExceeded"
    scope = f"Tenant_Application/Write/{counted.target.client_id}/{counted.target.tenant}"
    assert answer.headers["x-ms-throttle-scope"] == scope
    assert answer.json()["error"]["innerError"]["status"] == "429"


def test_rejected_calls_count_so_impatience_makes_it_worse(counted):
    _, first = until_refused(lambda n: counted("POST", "/users", a_user(f"u{n}")))
    for number in range(5):
        last = counted("POST", "/users", a_user(f"x{number}"))

    assert int(last.headers["Retry-After"]) >= int(first.headers["Retry-After"]) + 20
    counted.control("advance", seconds=int(last.headers["Retry-After"]) + 5)
    assert counted("POST", "/users", a_user("patient")).status_code == 201


def test_usage_is_told_before_it_is_too_late(counted):
    told = [counted("POST", "/users", a_user(f"u{n}")).headers.get("x-ms-throttle-limit-percentage") for n in range(30)]

    assert told[:20] == [None] * 20
    assert [float(value) for value in told[26:]] == [0.9, 0.93, 0.97, 1.0]
    assert counted("GET", "/users").headers["x-ms-resource-unit"] == "2"


def test_reading_has_a_quota_by_the_size_of_the_tenant(counted):
    small, answer = until_refused(lambda _: counted("GET", "/users"))
    assert answer.headers["x-ms-throttle-information"] == "ResourceUnitLimitExceeded"
    counted.control("seed", people=500, classes=0)
    counted.control("quotas", scale=0.01)
    large, _ = until_refused(lambda _: counted("GET", "/users"))

    assert (small, large) == (pytest.approx(17, abs=2), pytest.approx(40, abs=4))


def test_teams_have_limits_of_their_own_and_members_four_a_minute(counted):
    counted.control("quotas", scale=None)
    team, _, _ = counted.open_team()
    users = [counted.user(f"u{n}") for n in range(6)]
    counted.control("quotas", scale=1)
    kind = "#microsoft.graph.aadUserConversationMember"
    bind = "https://graph.microsoft.com/v1.0/users"

    def add(number):
        body = {"@odata.type": kind, "roles": [], "user@odata.bind": f"{bind}('{users[number]}')"}
        return counted("POST", f"/teams/{team}/members", body)

    passed, answer = until_refused(add)
    assert passed == 4
    assert int(answer.headers["Retry-After"]) in (18, 19)  # 83 % of four a minute
    assert counted("GET", f"/teams/{team}").status_code == 200


def test_education_has_a_limit_of_its_own_and_its_writes_count_as_identity_writes(counted):
    counted.control("quotas", scale=0.001)
    passed, answer = until_refused(lambda _: counted("GET", "/education/classes"))
    assert passed == pytest.approx(35, abs=2)
    assert answer.headers["x-ms-throttle-information"] == "CPULimitExceeded"

    counted.control("quotas", scale=0.001)
    body = {"displayName": "x"}
    passed, answer = until_refused(lambda n: counted("POST", "/education/classes", {**body, "mailNickname": f"c{n}"}))
    assert (passed, answer.headers["x-ms-throttle-information"]) == (3, "WriteLimitExceeded")


def test_every_application_and_every_tenant_has_its_own_quota(counted):
    until_refused(lambda n: counted("POST", "/users", a_user(f"u{n}")))
    app = counted.control("apps", name="Second")
    counted.control("consent", app=app["client_id"], at_once=True)
    form = {"client_id": app["client_id"], "client_secret": app["client_secret"]}
    token = counted.sign_in(**form).json()["access_token"]

    assert counted("POST", "/users", a_user("other"), Authorization=f"Bearer {token}").status_code == 201


def test_speed_keeps_proportions(counted):
    with Emulator(Config(quota_scale=0.01, delays=None, speed=5)) as fast:
        client = Client(fast)
        _, answer = until_refused(lambda n: client("POST", "/users", a_user(f"u{n}")))
        client.close()

    assert int(answer.headers["Retry-After"]) == 1  # five seconds of the tenant


# batches


def inner(number, method="GET", url="/users", **more):
    return {"id": str(number), "method": method, "url": url, **more}


def test_calls_of_a_batch_are_throttled_one_by_one_and_told_so(counted):
    headers = {"Content-Type": "application/json"}

    def batch(start):
        calls = [inner(n, "POST", body=a_user(f"u{n}"), headers=headers) for n in range(start, start + 20)]
        return counted("POST", "/$batch", {"requests": calls})

    statuses = [entry["status"] for entry in batch(0).json()["responses"] + batch(20).json()["responses"]]
    assert sorted(statuses) == [201] * 30 + [429] * 10
    late = batch(40)
    assert late.status_code == 200
    assert all("Retry-After" in entry["headers"] for entry in late.json()["responses"])


def test_answers_of_a_batch_come_in_any_order_and_carry_their_ids(graph):
    orders = []
    for _ in range(3):
        answers = graph("POST", "/$batch", {"requests": [inner(n) for n in range(5)]}).json()["responses"]
        assert {entry["id"] for entry in answers} == {"0", "1", "2", "3", "4"}
        orders.append([entry["id"] for entry in answers])

    assert len({tuple(order) for order in orders}) > 1


@pytest.mark.parametrize(
    "requests_given",
    [
        [],
        [inner(1), inner(1)],
        [inner("a"), inner("A")],
        [inner(n) for n in range(21)],
        [inner(1, url="/$batch")],
        [inner(1, "POST", body={})],
        [inner(1, dependsOn=["9"])],
        [{"id": "1"}],
    ],
)
def test_a_batch_that_is_none_is_refused_whole(graph, requests_given):
    assert graph("POST", "/$batch", {"requests": requests_given}).status_code == 400


# faults


def test_faults_happen_on_demand_and_by_chance_under_the_seed(graph):
    graph.control("faults", [{"match": "GET /users", "status": 503, "times": 2, "retry_after": 7}])
    answers = [graph("GET", "/users") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "7"

    def chances():
        graph.control("faults", [{"match": "", "chance": 0.3, "status": 500}])
        return [graph("GET", "/users").status_code for _ in range(40)]

    first = chances()
    assert {*first} == {200, 500}
    assert chances() == first


@pytest.mark.parametrize(("kind", "made"), [("close-before", 0), ("close-after", 1)])
def test_a_connection_ends_before_or_after_the_write_took_effect(graph, kind, made):
    graph.control("faults", [{"match": "POST /users", "kind": kind}])
    with pytest.raises(requests.ConnectionError):
        graph("POST", "/users", a_user("maria"))

    assert len(graph.values("/users?$filter=displayName eq 'maria'")) == made
    assert requests.get(f"{graph.target.control}/counters").json()["by_kind"]["POST /users"] == 1


def test_a_body_is_cut_off_and_latency_is_latency(graph):
    graph.control("faults", [{"match": "GET /users", "kind": "truncate"}])
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        graph("GET", "/users")
    graph.control("faults", [{"match": "GET /users", "kind": "latency", "seconds": 0.2}])

    assert graph("GET", "/users").elapsed.total_seconds() >= 0.2


def test_a_fault_that_makes_no_sense_is_refused(graph):
    for fault in ({"kind": "earthquake"}, {"chance": 2}, {"colour": "red"}):
        answer = requests.post(f"{graph.target.control}/faults", json=[fault])
        assert (answer.status_code, "error" in answer.json()) == (400, True)
