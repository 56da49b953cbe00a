"""What a profile makes of the register, before anything is made: teams and the tree, without a tenant."""

from __future__ import annotations

import datetime as dt

import polars as pl
from tests.desired.lycee import Lycee
from tests.desired.lycee import profile_with as of_levels
from tests.profiles.making import profile_with
from tests.world import AUTUMN, School

from rollbook.desired import managed_people
from rollbook.desired.outlook import Tree, numbered_text, teams_to_be, tree_to_be
from rollbook.profiles import Profile, suggested

NOBODY = {"person": pl.Int64, "user_type": pl.Enum(["student", "teacher", "employee", "parent"])}


def people_of(roster, profile: Profile, day: dt.date = AUTUMN) -> pl.DataFrame:
    nobody = roster.affiliations.select("person", "user_type").clear()
    return managed_people(roster, profile, day, nobody)


def teams(school: School, profile: Profile | None = None, **more):
    roster, settings = school.roster(), profile or suggested()
    return teams_to_be(roster, settings, AUTUMN, people_of(roster, settings), **more)


def rows(found) -> list[tuple[str, int, int, int]]:
    return list(found.teams.select("name", "owners", "members", "held").iter_rows())


def test_every_team_has_its_name_and_counts_its_owners_members_and_whoever_is_held():
    school = School().klass("7A Maths", teachers=["Nikos Vasilakis"], students=["Maria Papadaki", "Jan Kowalski"])
    school.klass("7B Art", students=["Ana Lima"])

    assert rows(teams(school)) == [("7A Maths", 1, 3, 0), ("7B Art", 0, 1, 0)]
    held = profile_with(suggested(), enrolments__sync_start_date="2026-09-15")
    assert rows(teams(school, held)) == [("7A Maths", 1, 1, 2), ("7B Art", 0, 0, 1)]
    released = pl.Series([row["enrolment"] for row in school.enrolments], dtype=pl.Int64)
    assert rows(teams(school, held, released=released)) == [("7A Maths", 1, 3, 0), ("7B Art", 0, 1, 0)]


def test_whoever_is_in_several_classes_of_a_group_is_in_its_team_once():
    school = Lycee().klass("7A Maths", "Maths", group="7A").klass("7A Art", "Art", group="7A")
    for title in ("7A Maths", "7A Art"):
        school.student("Maria", title).student("Jan", title).teacher("Nikos", title)
    roster, profile = school.roster(), profile_with(suggested(), teams__create="group")

    assert rows(teams_to_be(roster, profile, AUTUMN, people_of(roster, profile))) == [("7A", 1, 3, 0)]


def test_a_team_whose_mapping_fails_keeps_the_schools_name_and_says_what_is_wrong():
    school = School().klass("7A Maths", teachers=["Nikos Vasilakis"], students=["Maria Papadaki"])
    failing = profile_with(suggested(), teams__mappings__display_name={"type": "property", "value": "grade_level"})

    found = teams(school, failing)

    assert found.teams["name"].to_list() == ["7A Maths"]
    assert found.problems.select("of", "target").rows() == [(found.teams["team"][0], "display_name")]


def test_where_nothing_becomes_a_team_there_is_none():
    school = School().klass("7A Maths", teachers=["Nikos Vasilakis"], students=["Maria Papadaki"])

    found = teams(school, profile_with(suggested(), teams__create="nothing"))

    assert (found.teams.height, found.inside.height) == (0, 0)


def a_lycee() -> Lycee:
    """Two locations with grades that are called alike."""
    school = Lycee()
    for place in ("North", "South"):
        for grade in ("10th", "9th"):
            school.klass(f"{place} {grade}", location=place, grade=grade)
    return school


def lines(tree: Tree) -> list[tuple[str, int, int]]:
    return list(tree.nodes.select("label", "people", "direct").iter_rows())


def tree_of(school: Lycee, profile: Profile) -> Tree:
    roster = school.roster()
    return tree_to_be(roster, profile, AUTUMN, people_of(roster, profile))


def test_a_tree_is_read_from_the_top_down_and_counts_everybody_below():
    school = a_lycee().student("Maria", "North 9th").student("Jan", "North 10th").student("Ana", "South 9th")
    school.employee("Kim", location="North")

    tree = tree_of(school, of_levels(general=["location", "grade"], student=["grade"]))

    assert lines(tree) == [
        ("North", 3, 1),
        ("North / 9th", 1, 1),
        ("North / 10th", 1, 1),
        ("South", 1, 0),
        ("South / 9th", 1, 1),
        ("9th", 2, 2),
        ("10th", 1, 1),
    ]
    assert tree.nodes["hierarchy"].unique(maintain_order=True).to_list() == ["general", "student"]


def test_groups_that_would_be_called_alike_are_told():
    named = {
        "display_name": {"type": "property", "value": "name"},
        "mail_nickname": {"type": "property", "value": "path"},
    }
    school = a_lycee().student("Maria", "North 9th").student("Ana", "South 9th")
    profile = of_levels(general=["location", "grade"])
    levels = {"location": {}, "grade": {"mappings": named}}
    profile = profile_with(profile, hierarchies__general={"levels": levels})

    tree = tree_of(school, profile)

    assert dict(tree.nodes.select("label", "same_name").iter_rows()) == {
        "North": 1,
        "North / 9th": 2,
        "South": 1,
        "South / 9th": 2,
    }
    assert dict(tree.nodes.select("label", "called").iter_rows())["South / 9th"] == "9th"


def test_a_node_whose_mapping_fails_has_no_name_and_says_why():
    school = a_lycee().student("Maria", "North 9th")
    named = {"display_name": {"type": "property", "value": "subject"}}
    profile = profile_with(of_levels(), hierarchies__general={"levels": {"location": {"mappings": named}}})

    tree = tree_of(school, profile)

    assert tree.nodes["called"].to_list() == [None]
    assert tree.problems.select("of", "target").rows() == [(tree.nodes["node"][0], "display_name")]


def test_names_with_numbers_are_sorted_by_them():
    assert sorted(["10A", "7B", "7a", "Choir"], key=numbered_text) == ["7a", "7B", "10A", "Choir"]
