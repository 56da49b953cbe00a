"""Delta tells everything once and then what changed, and eventual consistency shows itself (sections 2.5, 5.3, 13.1, 13.15)."""

from __future__ import annotations

import itertools

import pytest
from tests.emulator.client import Client, refused

from rollbook.emulator import Config, Emulator

DAY = 86_400


def changes(found):
    return {entry["id"]: entry.get("@removed", {}).get("reason", "told") for entry in found}


def test_users_are_told_once_then_only_when_they_change(graph):
    stays, changed, leaves = graph.user("stays"), graph.user("changed"), graph.user("leaves")
    first, link = graph.delta("/users/delta?$select=displayName,jobTitle")
    assert {stays, changed, leaves} <= changes(first).keys()

    graph("PATCH", f"/users/{changed}", {"jobTitle": "x"})
    graph("DELETE", f"/users/{leaves}")
    new = graph.user("new")
    second, link = graph.delta(link)
    assert changes(second) == {changed: "told", leaves: "changed", new: "told"}
    assert next(entry for entry in second if entry["id"] == changed)["jobTitle"] == "x"

    graph("DELETE", f"/directory/deletedItems/{leaves}")
    third, link = graph.delta(link)
    assert changes(third) in ({}, {leaves: "deleted"})
    assert graph.delta(link)[0] == []


def test_what_was_not_selected_is_no_change(graph):
    user = graph.user("u")
    _, link = graph.delta("/users/delta?$select=displayName")
    graph("PATCH", f"/users/{user}", {"jobTitle": "x"})
    assert graph.delta(link)[0] == []
    graph("PATCH", f"/users/{user}", {"displayName": "U"})

    assert changes(graph.delta(link)[0]) == {user: "told"}


def test_minimal_answers_hold_only_what_changed(graph):
    user = graph.user("u")
    _, link = graph.delta("/users/delta")
    graph.delta(link)
    graph("PATCH", f"/users/{user}", {"jobTitle": "x"})

    page = graph("GET", link, Prefer="return=minimal")
    assert page.json()["value"] == [{"id": user, "jobTitle": "x"}]
    assert page.headers["Preference-Applied"] == "return=minimal"


def test_latest_gives_a_link_and_nothing_else(graph):
    graph.user("old")
    found, link = graph.delta("/users/delta?$deltatoken=latest")
    user = graph.user("new")

    assert found == []
    assert changes(graph.delta(link)[0]) == {user: "told"}


def test_at_most_fifty_ids_can_be_followed(graph):
    mine, other = graph.user("mine"), graph.user("other")
    text = f"id eq '{mine}'"
    assert changes(graph.delta(f"/users/delta?$filter={text}")[0]) == {mine: "told"}
    assert other not in changes(graph.delta(f"/users/delta?$filter={text}")[0])

    many = " or ".join([text] * 51)
    assert graph("GET", f"/users/delta?$filter={many}").status_code == 400
    assert graph("GET", "/users/delta?$filter=displayName eq 'x'").status_code == 400
    for option in ("$top=5", "$expand=memberOf", "$orderby=displayName"):
        assert refused(graph("GET", f"/users/delta?{option}")) == (400, "Request_UnsupportedQuery")


@pytest.mark.parametrize("status", [410, 400])
def test_a_link_of_more_than_seven_days_is_over(status):
    with Emulator(Config(quota_scale=None, delays=None, expired_delta=status)) as tenant:
        graph = Client(tenant)
        _, link = graph.delta("/users/delta")
        graph.control("advance", seconds=6 * DAY)
        graph = Client(tenant)
        assert graph("GET", link).status_code == 200
        graph.control("advance", seconds=2 * DAY)
        graph = Client(tenant)
        answer = graph("GET", link)

        assert answer.status_code == status
        if status == 410:
            assert graph.delta(answer.headers["Location"])[0]
        else:
            assert refused(answer) == (400, "syncStateNotFound")
        graph.close()


def test_a_link_from_before_a_reset_is_not_known_any_more(graph):
    for number in range(5):
        graph.user(f"u{number}")
    _, link = graph.delta("/users/delta")
    graph.control("reset")
    fresh = Client(graph.target)

    assert refused(fresh("GET", link)) == (400, "syncStateNotFound")
    fresh.close()


def test_groups_tell_members_and_owners_who_came_and_who_left(graph):
    group, stays, leaves, comes = graph.group("g"), *(graph.user(n) for n in ("stays", "leaves", "comes"))
    graph.relate(group, members=[stays, leaves], owners=[stays])
    first, link = graph.delta("/groups/delta?$select=displayName,members,owners")
    (told,) = first
    assert {entry["id"] for entry in told["members@delta"]} == {stays, leaves}
    assert {entry["id"] for entry in told["owners@delta"]} == {stays}

    graph.relate(group, members=[comes])
    graph("DELETE", f"/groups/{group}/members/{leaves}/$ref")
    (told,), link = graph.delta(link)
    assert changes(told["members@delta"]) == {comes: "told", leaves: "deleted"}
    assert "owners@delta" not in told
    assert graph.delta(link)[0] == []


def test_members_are_told_without_select_and_not_where_they_are_not_selected(graph):
    group = graph.group("g")
    graph.relate(group, members=[graph.user("u")])

    assert "members@delta" in graph.delta("/groups/delta")[0][0]
    assert "members@delta" not in graph.delta("/groups/delta?$select=displayName")[0][0]


def test_a_large_group_is_repeated_over_pages(graph):
    graph.control("seed", people=2_300, classes=1, class_size=2_300)

    page = graph("GET", "/groups/delta?$select=displayName,members").json()
    assert len(page["value"][0]["members@delta"]) == 1_000
    told, _ = graph.delta("/groups/delta?$select=displayName,members")
    assert len({entry["id"] for entry in told}) == 1 < len(told)
    assert len({m["id"] for entry in told for m in entry.get("members@delta", ())}) == 2_300


def test_what_changes_while_a_round_is_read_is_told_again(graph):
    graph.control("seed", people=450, classes=0)
    page = graph("GET", "/users/delta?$select=displayName,jobTitle").json()
    moved = page["value"][3]["id"]
    graph("PATCH", f"/users/{moved}", {"jobTitle": "moved"})
    rest, link = graph.delta(page["@odata.nextLink"])

    again, _ = graph.delta(link)
    assert len(page["value"]) + len(rest) == 451
    assert changes(again) == {moved: "told"}


def test_education_tells_of_classes_but_not_that_they_are_gone(graph):
    klass = graph.klass("maths")
    first, link = graph.delta("/education/classes/delta")
    assert changes(first) == {klass: "told"}
    graph("DELETE", f"/education/classes/{klass}")

    assert graph.delta(link)[0] == []
    assert changes(graph.delta("/groups/delta")[0]) == {}
    assert graph("GET", "/education/schools/delta").status_code == 200
    assert graph("GET", "/education/users/delta").status_code == 200


# eventual consistency, section 13.15


@pytest.fixture
def lagging():
    with Emulator(Config(quota_scale=None, delays=1.0, seed=7)) as tenant:
        client = Client(tenant)
        yield client
        client.close()


def test_a_fresh_user_is_not_seen_everywhere_at_once_but_soon(lagging):
    keys = [lagging.user(f"u{n}") for n in range(40)]
    by_id = [lagging("GET", f"/users/{key}").status_code for key in keys]
    listed = {user["id"] for user in lagging.values("/users")}
    group = lagging.group("g")
    linked = lagging.relate(group, members=keys[-1:])

    assert {*by_id} == {200, 404}
    assert 0 < len(listed & {*keys}) < 40
    assert linked.status_code in (204, 400, 404)
    lagging.control("advance", seconds=60)
    assert all(lagging("GET", f"/users/{key}").status_code == 200 for key in keys)
    assert {user["id"] for user in lagging.values("/users")} > {*keys}


def test_a_fresh_group_cannot_be_nested_at_once_but_soon(lagging):
    whole, parts = lagging.group("whole"), [lagging.group(f"part{n}") for n in range(30)]
    lagging.control("advance", seconds=60)
    parts += [lagging.group(f"fresh{n}") for n in range(30)]

    answers = {part: lagging.relate(whole, members=[part]) for part in parts}

    assert {answers[part].status_code for part in parts[:30]} == {204}
    refusals = [answer for answer in answers.values() if answer.status_code == 400]
    assert refusals
    assert all("don't exist" in answer.text for answer in refusals)
    lagging.control("advance", seconds=60)
    late = [part for part in parts if answers[part].status_code == 400]
    assert {lagging.relate(whole, members=[part]).status_code for part in late} == {204}


def test_a_later_look_may_see_less_than_an_earlier_one(lagging):
    key = lagging.user("u")
    seen = [lagging("GET", f"/users/{key}").status_code for _ in range(60)]

    assert any(one == 200 and other == 404 for one, other in itertools.pairwise(seen))


def test_uniqueness_is_checked_at_once(lagging):
    lagging.user("u")

    assert lagging("POST", "/users", {**_user("u")}).status_code == 400


def test_a_write_does_not_undo_what_was_just_written_of_the_same_object(lagging):
    keys = [lagging.user(f"u{n}", accountEnabled=False) for n in range(20)]
    lagging.control("advance", seconds=60)
    for key in keys:
        assert lagging("PATCH", f"/users/{key}", {"accountEnabled": True}).status_code == 204
        assert lagging.license(key).status_code == 200
        assert lagging("PATCH", f"/users/{key}", {"jobTitle": "Pupil"}).status_code == 204
    lagging.control("advance", seconds=60)

    found = lagging.values("/users?$select=id,accountEnabled,jobTitle,assignedLicenses")
    ours = [user for user in found if user["id"] in keys]
    assert [(user["accountEnabled"], user["jobTitle"], len(user["assignedLicenses"])) for user in ours] == [
        (True, "Pupil", 1)
    ] * 20


def _user(name):
    from tests.emulator.client import a_user

    return a_user(name)


def test_removed_members_are_seen_for_a_while(lagging):
    group, user = lagging.group("g"), lagging.user("u")
    lagging.control("advance", seconds=60)
    lagging.relate(group, members=[user])
    lagging.control("advance", seconds=60)
    lagging("DELETE", f"/groups/{group}/members/{user}/$ref")
    seen = [user in lagging.people(group) for _ in range(40)]

    assert {*seen} == {True, False}
    lagging.control("advance", seconds=60)
    assert user not in lagging.people(group)


def test_delta_lags_too_but_loses_nothing(lagging):
    _, link = lagging.delta("/users/delta?$deltatoken=latest")
    made: set[str] = set()
    told: set[str] = set()
    behind = 0
    for number in range(30):
        made.add(lagging.user(f"u{number}"))
        found, link = lagging.delta(link)
        told |= {entry["id"] for entry in found}
        behind += told != made
    lagging.control("advance", seconds=60)

    assert behind > 5
    assert told | {entry["id"] for entry in lagging.delta(link)[0]} == made


def test_a_licence_is_not_known_to_teams_at_once(lagging):
    klass, teacher = lagging.klass("c"), lagging.user("t")
    lagging.control("advance", seconds=1_000)
    lagging.relate(klass, owners=[teacher], members=[teacher])
    lagging.license(teacher)
    tries = [lagging.team(klass).status_code]
    while tries[-1] == 403:
        lagging.control("advance", seconds=1)
        tries.append(lagging.team(klass).status_code)

    assert (tries[0], tries[-1]) == (403, 202)
    assert len(tries) < 30


def test_a_consent_spreads_slowly_and_an_old_token_keeps_its_roles(
    lagging,
):
    app = lagging.target.client_id
    lagging.control("withdraw", app=app)
    assert lagging.sign_in().json()["error_codes"] == [700016]
    assert lagging("GET", "/users").status_code == 200  # the token from before
    lagging.control("consent", app=app)
    early = [Client(lagging.target)("GET", "/users").status_code for _ in range(20)]

    assert 403 in early
    lagging.control("advance", seconds=180)
    assert Client(lagging.target)("GET", "/users").status_code == 200
