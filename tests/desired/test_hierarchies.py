"""The nodes of the school's structure, and who belongs in which."""

from __future__ import annotations

import pytest
from tests.desired.lycee import Lycee, nodes_of, profile_with, tree

from rollbook.profiles import Level


def a_lycee() -> Lycee:
    """Two grades at the lycee, one of them with streams; a cook, and a parent."""
    school = Lycee()
    school.grade("7", "lower")
    school.grade("10", "upper")
    school.klass("7A Maths", "Maths", group="7A", location="North", grade="7", terms=("Autumn", "Spring"))
    school.klass("10A Physics", "Physics", group="10A", location="North", grade="10", terms=("Autumn",))
    school.student("Maria", "7A Maths", location="North", grade="7")
    school.student("Nikos", "10A Physics", location="North", grade="10", stream="Science")
    school.teacher("Eleni", "7A Maths", "10A Physics", location="North")
    return school


def test_a_node_is_a_path_of_the_chosen_levels_as_enrolments_have_them():
    assert tree(a_lycee(), profile_with(["location", "grade", "stream"])) == {
        "North": {"Maria", "Nikos", "Eleni"},
        "North / 7": {"Maria", "Eleni"},
        "North / 10": {"Nikos", "Eleni"},
        "North / 10 / Science": {"Nikos"},
    }


def test_a_level_somebody_lacks_is_skipped_and_does_not_end_the_path():
    levels = ["grade", "stream", "group"]

    assert tree(a_lycee(), profile_with(levels)) == {
        "7": {"Maria", "Eleni"},
        "7 / 7A": {"Maria", "Eleni"},
        "10": {"Nikos", "Eleni"},
        "10 / 10A": {"Eleni"},
        "10 / Science": {"Nikos"},
        "10 / Science / 10A": {"Nikos"},
    }


def test_people_are_direct_members_where_they_are_deepest_and_may_be_so_in_several_nodes():
    assert tree(a_lycee(), profile_with(["location", "grade", "stream"]), deepest=True) == {
        "North": set(),
        "North / 7": {"Maria", "Eleni"},
        "North / 10": {"Eleni"},
        "North / 10 / Science": {"Nikos"},
    }


def test_all_nine_levels_stand_in_their_order():
    nodes = nodes_of(a_lycee().roster(), profile_with(list(Level))).nodes

    deepest = nodes.filter(depth=9)["label"].to_list()
    assert deepest == ["Lycee / 2026-2027 / North / 10 / upper / Science / 10A / Physics / Autumn"]
    # Maria and Eleni have no stream, so their paths are one level shorter.
    assert "Lycee / 2026-2027 / North / 7 / lower / 7A / Maths / Spring" in nodes.filter(depth=8)["label"].to_list()


def test_somebody_is_in_the_nodes_of_all_marking_periods_of_a_class():
    assert tree(a_lycee(), profile_with(student=["marking_period"]), "student") == {
        "Autumn": {"Maria", "Nikos"},
        "Spring": {"Maria"},
    }


def test_a_pupils_own_grade_counts_before_that_of_a_class_and_for_teachers_the_class_alone():
    school = a_lycee().student("Petros", "10A Physics", grade="7").teacher("Anna", "7A Maths", grade="10")
    school.klass("Chess").teacher("Coach", "Chess", grade="10")

    assert tree(school, profile_with(["grade"])) == {
        "7": {"Maria", "Eleni", "Petros", "Anna"},
        "10": {"Nikos", "Eleni"},
    }


def test_where_a_class_is_not_placed_its_group_is_and_else_the_person():
    school = Lycee()
    school.klass("Choir").klass("8B Art", group="8B")
    school.group("8B", location="South", grade="8")
    school.student("Maria", "Choir", location="North", grade="7").student("Nikos", "8B Art", location="North")

    assert tree(school, profile_with(["location", "grade"])) == {
        "North": {"Maria"},
        "North / 7": {"Maria"},
        "South": {"Nikos"},
        "South / 8": {"Nikos"},
    }


def test_people_without_enrolments_are_at_the_location_of_their_affiliation_else_in_the_institute():
    school = a_lycee().employee("Cook", location="North").employee("Clerk").student("New Pupil", location="South")
    members = tree(school, profile_with(["institute", "location", "grade"]), deepest=True)

    assert members["Lycee"] == {"Clerk"}
    assert members["Lycee / North"] == {"Cook"}
    assert members["Lycee / South"] == {"New Pupil"}


def test_parents_are_where_their_children_are_and_in_the_institute_if_those_have_left():
    school = a_lycee().parent("Petra", "Maria").parent("Kostas", "Gone").leaves("Gone")
    school.klass("South Art", location="South").student("Sofia", "South Art").parent("Petra", "Sofia")
    members = tree(school, profile_with(["institute", "location"]), deepest=True)

    assert members == {
        "Lycee": {"Kostas"},
        "Lycee / North": {"Maria", "Nikos", "Eleni", "Petra"},
        "Lycee / South": {"Sofia", "Petra"},
    }


def test_whoever_lacks_every_level_belongs_nowhere():
    school = a_lycee().employee("Clerk")

    assert all("Clerk" not in people for people in tree(school, profile_with(["location", "grade"])).values())


def test_a_teacher_who_is_a_parent_stands_where_the_teaching_is():
    school = a_lycee().klass("South Art", location="South").student("Sofia", "South Art").parent("Eleni", "Sofia")

    assert tree(school, profile_with(["location"]))["South"] == {"Sofia"}


def test_the_hierarchies_of_user_types_have_only_who_learns_and_only_who_teaches():
    school = a_lycee().employee("Cook", location="North").student("Idle", location="North")
    profile = profile_with(["location"], student=["location"], teacher=["location"])

    assert tree(school, profile, "general") == {"North": {"Maria", "Nikos", "Eleni", "Cook", "Idle"}}
    assert tree(school, profile, "student") == {"North": {"Maria", "Nikos"}}
    assert tree(school, profile, "teacher") == {"North": {"Eleni"}}


def test_whoever_has_left_the_school_is_in_no_node():
    assert tree(a_lycee().leaves("Nikos"), profile_with(["grade"])) == {"7": {"Maria", "Eleni"}, "10": {"Eleni"}}


@pytest.mark.parametrize(
    ("mode", "labels"),
    [
        ("nothing", {"7", "7 / 7A", "7 / 7A / Maths", "10", "10 / 10A", "10 / 10A / Physics"}),
        ("group", {"7", "7 / Maths", "10", "10 / Physics"}),
        ("subject", {"7", "7 / 7A", "10", "10 / 10A"}),
        ("group_subject", {"7", "10"}),
    ],
)
def test_a_level_that_teams_uses_is_left_out(mode, labels):
    assert set(tree(a_lycee(), profile_with(["grade", "group", "subject"], teams=mode))) == labels


def test_keys_say_hierarchy_type_and_path_in_the_schools_own_ids():
    school = a_lycee().student("Odd", "10A Physics", stream="Arts/50%")
    keys = nodes_of(school.roster(), profile_with(["grade", "stream"])).nodes["key"].to_list()

    assert keys == [
        "general/security/grade:10",
        "general/security/grade:10/stream:Arts%2F50%25",
        "general/security/grade:10/stream:Science",
        "general/security/grade:7",
    ]


def test_a_renamed_entity_keeps_its_node_and_the_name_follows():
    levels = profile_with(["institute", "location", "grade", "group", "subject"])
    before = nodes_of(a_lycee().roster(), levels).nodes
    school = a_lycee().renamed("locations", "North", "North Campus").renamed("groups", "7A", "7 Alpha")
    after = nodes_of(
        school.renamed("subjects", "Maths", "Mathematics").renamed("grades", "7", "Seven").roster(), levels
    )

    assert after.nodes["key"].to_list() == before["key"].to_list()
    assert "Lycee / North Campus / Seven / 7 Alpha / Mathematics" in after.nodes["label"].to_list()


def test_without_a_level_in_use_there_are_no_nodes():
    managed = nodes_of(a_lycee().roster(), profile_with(["group"], teams="group"))

    assert managed.nodes.is_empty()
    assert managed.belonging.is_empty()


def test_nodes_are_counted_with_who_is_below_and_who_is_no_deeper():
    counted = nodes_of(a_lycee().roster(), profile_with(["location", "grade"])).counted()

    assert counted.select("label", "people", "direct").rows() == [
        ("North", 3, 0),
        ("North / 10", 2, 2),
        ("North / 7", 2, 2),
    ]
