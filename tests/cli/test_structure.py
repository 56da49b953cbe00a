"""`rollbook teams` and `rollbook tree` as an administrator uses them: without a tenant, and with what the newest plan knows."""

from __future__ import annotations

import csv
import io

import pytest
from tests.apply.wire import connected, faults, set_profile, synchronized
from tests.cli.inside import said, told
from tests.store.world import a_school, deliver
from tests.world import School

from rollbook.errors import InputRefused
from rollbook.store.models import Trail

DAY = ("--as-of", "2026-10-01")
TEAMS = ("teams", "Suggested", *DAY)
TREE = ("tree", "Suggested", *DAY)


@pytest.fixture
def school(sqlite_store):
    """Two classes, one of them without a teacher, and no tenant."""
    institute, _, _ = deliver(a_school(2).klass("10B Art", students=["Maria Papadaki"]))
    return institute


def teams() -> dict[str, dict[str, object]]:
    return {row["team"]: row for row in told(*TEAMS)["teams"]}


def test_teams_are_told_without_any_tenant(school):
    printed = said(*TEAMS)

    assert "7A Maths  c1  Nikos Vasilakis        3" in printed
    assert "10B Art   c2                         1  no teacher yet" in printed
    assert printed.index("7A Maths") < printed.index("10B Art")
    assert "2 teams, 1 waiting for something." in printed
    row = teams()["7A Maths"]
    assert row["owners"] == [{"sourced_id": "p1", "name": "Nikos Vasilakis", "waits": None}]
    assert (row["members"], row["member_ids"], row["made"], row["waits_for"]) == (3, ["p1", "p2", "p3"], None, [])


def test_a_profile_is_named_and_need_not_run(school):
    said("profile", "copy", "Suggested", "Next year")

    assert told("teams", "Next year", *DAY)["profile"] == "Next year"
    with pytest.raises(InputRefused, match="no profile 'Nothing'"):
        said("teams", "Nothing", *DAY)


def test_whoever_is_held_and_what_fails_is_said_of_the_team(school):
    set_profile(
        school,
        enrolments__sync_start_date="2026-09-15",
        teams__mappings__class_code={"type": "expression", "value": "{{ name|first(70) }}"},
        teams__mappings__display_name={"type": "property", "value": "grade"},
    )

    row = teams()["7A Maths"]
    assert (row["held"], row["members"]) == (2, 1)
    assert "2 held by the sync start date; see `rollbook held`" in row["waits_for"]
    assert any(reason.startswith("a mapping gives no usable value for display_name") for reason in row["waits_for"])


def test_a_class_team_of_more_than_three_hundred_is_warned_of(sqlite_store):
    deliver(a_school(301))

    (row,) = told(*TEAMS)["teams"]
    assert (row["members"], row["waits_for"]) == (302, [])
    assert "Assignments" in row["warnings"][0]
    assert "look: more than 300 members" in " ".join(said(*TEAMS).split())


def test_nothing_becomes_a_team_where_the_profile_says_so(school):
    set_profile(school, teams__create="nothing")

    assert "By the profile Suggested nothing becomes a team." in said(*TEAMS)


def test_the_teams_go_into_a_file_that_excel_opens_and_the_trail_says_so(school, tmp_path):
    said(*TEAMS, "--csv", str(tmp_path / "teams.csv"))

    text = (tmp_path / "teams.csv").read_text(encoding="utf-8")
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [(row["team"], row["owners"], row["waits_for"]) for row in rows] == [
        ("7A Maths", "Nikos Vasilakis", ""),
        ("10B Art", "", "no teacher yet"),
    ]
    assert said(*TEAMS, "--csv", "-").splitlines()[0].startswith("team,sourced_id,code")
    assert Trail.objects.filter(action="teams.exported").count() == 2


def test_with_a_tenant_the_newest_plan_says_what_teachers_wait_for(sqlite_store, tenant):
    institute = connected(a_school(1).klass("7B Art", teachers=["Ana Lima"]), tenant)
    faults(tenant, {"match": "POST /users$", "status": 400, "code": "Request_BadRequest", "times": 1})
    synchronized(institute)

    found = teams()
    refused = [row for row in found.values() if row["waits_for"]]
    assert len(refused) == 1
    assert "Microsoft" in refused[0]["waits_for"][0] or "Request_BadRequest" in refused[0]["waits_for"][0]
    assert {row["made"] for row in found.values()} == {True}
    assert "by the plan of run 1" in said(*TEAMS)


def test_teams_that_are_no_longer_managed_are_listed_with_the_reason(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    synchronized(institute)
    assert told(*TEAMS)["left"] == []

    set_profile(institute, teams__create="nothing")
    assert told(*TEAMS)["left"] == [
        {
            "name": "7A Maths (2026-2027)",
            "id": "c1@2026-2027",
            "reason": "by the profile nothing becomes a team",
            "archived": False,
        }
    ]
    assert "1 team there and no longer managed: rollbook teams 'Suggested' --left" in said(*TEAMS)
    left = said(*TEAMS, "--left")
    assert "7A Maths (2026-2027), c1@2026-2027: by the profile nothing becomes a team" in left
    assert "1 team is no longer managed" in left
    assert "rollbook rollover archive c1@2026-2027" in left
    assert said(*TEAMS, "--left", "--csv", "-").splitlines()[1].startswith("7A Maths (2026-2027),c1@2026-2027,by the")
    assert told("rollover", "archive", "c1@2026-2027", "--yes", *DAY)["verdicts"] == {"done": 1}


def test_teams_that_are_called_alike_are_warned_of_with_what_to_do(school):
    set_profile(school, teams__mappings__display_name={"type": "static", "value": "Maths"})

    assert [row["warnings"] for row in told(*TEAMS)["teams"]] == [["2 teams would be called Maths"]] * 2
    assert "teams.mappings.display_name, for example the expression {{ name }} ({{ code }})" in said(*TEAMS)


def test_a_team_that_is_there_is_told_as_what_it_is(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    synchronized(institute)
    set_profile(institute, teams__template="standard")

    assert [row["kind"] for row in told(*TEAMS)["teams"]] == ["class"]


def test_json_and_csv_are_not_had_at_once(school):
    with pytest.raises(InputRefused, match="cannot be had at once"):
        said(*TEAMS, "--csv", "-", "--json")


STRUCTURE = {"levels": {"institute": {}, "academic_period": {}, "group": {}}}


@pytest.fixture
def structured(school):
    set_profile(school, hierarchies__general=STRUCTURE, hierarchies__student={"levels": {"academic_period": {}}})
    return school


def test_the_tree_shows_everybody_at_every_node(structured):
    printed = said(*TREE).splitlines()

    assert printed[:3] == [
        "Everybody: security groups, each in the one above it",
        "  The School (institute): 4 people, 0 of them directly in it",
        "    2026-2027 (academic period): 4 people",
    ]
    assert printed[3:5] == [
        "Students: security groups, each in the one above it",
        "  2026-2027 (academic period): 3 people -> 2026-2027 (students)",
    ]
    assert (
        "hierarchies.general.levels.group: the level group is left out, because teams.create is group_subject"
        in printed[5]
    )
    assert printed[-1] == "3 groups, 0 without a usable value, 0 called like another"


def test_one_hierarchy_is_shown_alone(structured):
    document = told(*TREE, "--hierarchy", "student")

    (node,) = document["nodes"]
    assert (node["hierarchy"], node["people"], node["direct"], node["parent"]) == ("student", 3, 3, None)
    assert (node["group"], document["left_out"]) == ("2026-2027 (students)", [])
    with pytest.raises(InputRefused, match="no hierarchy 'parents'"):
        said(*TREE, "--hierarchy", "parents")


def test_the_people_of_a_node_are_named(structured):
    listed = said(*TREE, "--people", "the school")

    assert "p2             Pupil No0 (in a node below)" in listed
    assert listed.splitlines()[-1] == "The School: 4 people, 0 of them directly in it"
    assert told(*TREE, "--people", "2026-2027")["people"][0] == {
        "sourced_id": "p4",
        "name": "Maria Papadaki",
        "direct": True,
    }
    with pytest.raises(InputRefused, match="no node 'Moon'"):
        said(*TREE, "--people", "Moon")


def test_a_path_of_two_hierarchies_needs_the_hierarchy_or_the_key(school):
    levels = {"levels": {"academic_period": {}}}
    set_profile(school, hierarchies__general=levels, hierarchies__student=levels)

    with pytest.raises(InputRefused, match="may be any of 2 nodes") as refused:
        said(*TREE, "--people", "2026-2027")
    assert "student/security/academic_period:" in refused.value.remedy
    assert len(told(*TREE, "--people", "2026-2027", "--hierarchy", "student")["people"]) == 3


def test_a_profile_without_levels_has_no_tree_and_says_so(school):
    assert "has no hierarchy with a level" in said(*TREE)


def test_groups_of_a_hierarchy_that_was_changed_are_left_over_with_the_reason(sqlite_store, tenant):
    institute = connected(School().klass("7A", teachers=["Nikos Vasilakis"], students=["Maria Papadaki"]), tenant)
    set_profile(institute, hierarchies__general={"levels": {"institute": {}}})
    synchronized(institute)
    assert told(*TREE)["left"] == []

    unified = {"levels": {"institute": {}}, "group_type": "unified", "owners": ["p1"]}
    set_profile(institute, hierarchies__general=unified)
    assert told(*TREE)["left"] == [
        {
            "name": "The School",
            "id": "general/security/institute:school",
            "reason": "its hierarchy makes groups of the other type now",
            "archived": False,
        }
    ]
    assert "1 group is left over." in said(*TREE)


def test_saving_another_mode_says_how_many_teams_are_left_and_what_becomes_of_levels(sqlite_store, tenant, tmp_path):
    institute = connected(a_school(1), tenant)
    set_profile(institute, hierarchies__general={"levels": {"group": {}}})
    synchronized(institute)
    file = tmp_path / "profile.yaml"
    said("profile", "export", "Suggested", str(file))
    file.write_text(file.read_text().replace("create: group_subject", "create: nothing"))

    saved = said("profile", "edit", "Suggested", str(file))

    assert "1 team that is there is no longer managed" in saved
    assert "rollbook teams Suggested --left" in saved
    assert "the level group counts now, because teams.create is nothing" in saved
