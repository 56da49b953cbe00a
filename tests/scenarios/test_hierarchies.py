"""Hierarchies: the structure of a school as groups - which paths there are, who belongs where, how a group is found again."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from tests.scenarios.stage import Stage, actions, proves
from tests.scenarios.tenant import group_made_by_others, made_by_others

from rollbook.errors import ProfileInvalid
from rollbook.profiles import Level

EVERYBODY = actions(employee="Create, Update", parent="Create, Update")


def on(*levels: str, **settings: Any) -> dict[str, Any]:
    """A hierarchy in which these levels are on, all with these settings."""
    return {"levels": {level: dict(settings) for level in levels}}


def a_lycee(stage: Stage) -> None:
    """A lycee with a seventh grade of two groups and two subjects, an eighth grade elsewhere, and somebody of each type."""
    school = stage.school.place("Campus").place("Lycee", within="Campus").place("College", within="Campus")
    school.term("Autumn", "2026-09-01", "2027-02-01").term("Spring", "2027-02-01", "2027-07-01")
    for title, group, subject in (("7A Maths", "7A", "Maths"), ("7A Art", "7A", "Art"), ("7B Maths", "7B", "Maths")):
        school.is_taught(title, group=group, subject=subject).is_of(title, location="Lycee", grade="7th grade")
        school.is_in(title, "Autumn")
    school.is_taught("8C Maths", group="8C", subject="Maths").is_of("8C Maths", location="College", grade="8th grade")
    school.student("Maria Papadaki", "7A Maths", grade="7th grade", stream="Science")
    school.student("Anna Rossi", "7A Art", grade="7th grade").student("Jan Kowalski", "7B Maths", grade="7th grade")
    school.student("Lena Berg", "8C Maths", grade="8th grade")
    for name, title in (("Nikos Vasilakis", "7A Maths"), ("Eleni Demetriou", "7A Art")):
        school.teacher(name, title)
    school.teaches("Nikos Vasilakis", "7B Maths").teaches("Nikos Vasilakis", "8C Maths")


SEVENTH = {"Maria Papadaki", "Anna Rossi", "Jan Kowalski"}


@proves("P88")
def test_all_nine_levels_can_be_on_and_each_path_is_a_group_within_the_one_above(stage: Stage):
    a_lycee(stage)
    stage.school.is_in("8C Maths", "Autumn")
    stage.grade_levels(secondary=["7th grade", "8th grade"])
    stage.profile(teams={"create": "nothing"}, hierarchies={"general": on(*Level)})

    stage.synchronise()

    path = ["The School", "2026-2027", "Lycee", "7th grade", "secondary", "Science", "7A", "Maths", "Autumn"]
    paths = [" / ".join(path[:length]) for length in range(1, len(path) + 1)]
    for above, below in pairwise(paths):
        assert below in stage.tenant.nested(above)
    assert "Maria Papadaki" in stage.tenant.people(paths[-1])
    assert stage.tenant.everybody_in("The School") == stage.tenant.names()


@proves("P88")
def test_the_levels_of_a_path_stand_in_the_pages_order_however_the_profile_lists_them(stage: Stage):
    a_lycee(stage)
    stage.profile(hierarchies={"student": on("grade", "location", "institute")})

    stage.synchronise()

    assert "The School / Lycee / 7th grade (students)" in stage.tenant.groups()


@proves("P88a")
def test_there_is_a_group_for_each_path_somebody_is_on_and_for_no_other(stage: Stage):
    a_lycee(stage)
    stage.school.place("Empty house")
    stage.profile(hierarchies={"student": on("location", "grade")})

    stage.synchronise()

    assert stage.tenant.groups_of("security") == {
        "Lycee (students)",
        "Lycee / 7th grade (students)",
        "College (students)",
        "College / 8th grade (students)",
    }
    assert stage.tenant.everybody_in("Lycee (students)") == SEVENTH


@proves("P88a")
def test_whoever_is_on_several_paths_is_in_the_group_of_each(stage: Stage):
    a_lycee(stage)
    stage.school.joins("Maria Papadaki", "7A Art")
    stage.profile(teams={"create": "group"}, hierarchies={"student": on("subject")})

    stage.synchronise()

    assert stage.tenant.people("Maths (students)") == {"Maria Papadaki", "Jan Kowalski", "Lena Berg"}
    assert stage.tenant.people("Art (students)") == {"Maria Papadaki", "Anna Rossi"}


@proves("P88a")
def test_a_student_who_changes_class_changes_groups_and_stays_in_those_both_paths_have(stage: Stage):
    a_lycee(stage)
    stage.profile(teams={"create": "subject"}, hierarchies={"student": on("grade", "group")}, users={"lead_days": 0})
    stage.synchronise()
    stage.school.moves("Maria Papadaki", "7A Maths", "7B Maths", on="2026-11-02")

    stage.on("2026-11-02").synchronise()

    assert stage.tenant.people("7th grade / 7A (students)") == {"Anna Rossi"}
    assert stage.tenant.people("7th grade / 7B (students)") == {"Jan Kowalski", "Maria Papadaki"}
    assert stage.tenant.everybody_in("7th grade (students)") == SEVENTH


@proves("P88b")
def test_a_level_somebody_lacks_is_passed_over_and_the_path_goes_on_below_it(stage: Stage):
    a_lycee(stage)
    stage.profile(teams={"create": "subject"}, hierarchies={"student": on("grade", "stream", "group")})

    stage.synchronise()

    assert stage.tenant.people("7th grade / Science / 7A (students)") == {"Maria Papadaki"}
    assert stage.tenant.people("7th grade / 7A (students)") == {"Anna Rossi"}
    assert stage.tenant.nested("7th grade (students)") == {
        "7th grade / Science (students)",
        "7th grade / 7A (students)",
        "7th grade / 7B (students)",
    }


@proves("P88b")
def test_where_a_school_has_none_of_a_level_the_others_are_there_as_if_it_were_off(stage: Stage):
    stage.school.student("Maria Papadaki", "7A").teacher("Nikos Vasilakis", "7A").is_of("7A", grade="7th grade")
    stage.profile(hierarchies={"student": on("location", "grade", "marking_period")})

    stage.synchronise()

    assert stage.tenant.groups_of("security") == {"7th grade (students)"}


@proves("P88c")
def test_people_without_enrolments_join_by_location_else_at_the_institute(stage: Stage):
    a_lycee(stage)
    stage.school.employee("Omar Haddad", location="Lycee").employee("Ines Costa")
    stage.profile(users=EVERYBODY, hierarchies={"general": on("institute", "location", "grade")})

    stage.synchronise()

    assert stage.tenant.people("The School / Lycee") == {"Omar Haddad"}
    assert stage.tenant.people("The School") == {"Ines Costa"}
    assert "Omar Haddad" not in stage.tenant.everybody_in("The School / Lycee / 7th grade")


@proves("P88c")
def test_parents_join_where_their_children_are(stage: Stage):
    a_lycee(stage)
    stage.school.parent("Eva Papadaki", of=["Maria Papadaki", "Lena Berg"]).parent("Bruno Rossi", of=["Anna Rossi"])
    stage.profile(users=EVERYBODY, hierarchies={"general": on("institute", "location", "grade")})

    stage.synchronise()

    assert stage.tenant.people("The School / Lycee") == {"Eva Papadaki", "Bruno Rossi"}
    assert stage.tenant.people("The School / College") == {"Eva Papadaki"}


GROUPS = {"7A (students)", "7B (students)", "8C (students)"}
SUBJECTS_OF_GROUPS = {
    "7A / Maths (students)",
    "7A / Art (students)",
    "7B / Maths (students)",
    "8C / Maths (students)",
}
SUBJECTS = {"Maths (students)", "Art (students)"}


@proves("P89")
@pytest.mark.parametrize(
    ("mode", "there"),
    [
        ("nothing", GROUPS | SUBJECTS_OF_GROUPS),
        ("group", SUBJECTS),
        ("subject", GROUPS),
        ("group_subject", set()),
    ],
)
def test_a_level_that_is_a_team_already_has_no_groups_of_its_own(stage: Stage, mode: str, there: set[str]):
    a_lycee(stage)
    stage.profile(teams={"create": mode}, hierarchies={"student": on("group", "subject")})

    stage.synchronise()

    assert stage.tenant.groups_of("security") == there


@proves("P89a")
def test_when_teams_takes_a_level_later_its_groups_are_left_as_they_are(stage: Stage):
    a_lycee(stage)
    stage.profile(teams={"create": "nothing"}, hierarchies={"student": on("grade", "group")})
    stage.synchronise()
    stage.profile(teams={"create": "group"})
    stage.school.drops("Anna Rossi", "7A Art").joins("Anna Rossi", "7B Maths")

    stage.synchronise()

    assert stage.tenant.people("7th grade / 7A (students)") == {"Maria Papadaki", "Anna Rossi"}
    assert stage.tenant.people("7th grade (students)") == SEVENTH
    assert stage.tenant.nested("7th grade (students)") == set()
    assert stage.tenant.members("7B") == {"Nikos Vasilakis", "Jan Kowalski", "Anna Rossi"}


@proves("P90")
def test_the_general_hierarchy_has_everybody(stage: Stage):
    a_lycee(stage)
    stage.profile(hierarchies={"general": on("location")})

    stage.synchronise()

    assert stage.tenant.people("Lycee") == SEVENTH | {"Nikos Vasilakis", "Eleni Demetriou"}
    assert stage.tenant.people("College") == {"Lena Berg", "Nikos Vasilakis"}


@proves("P91")
def test_those_of_students_and_of_teachers_have_levels_and_names_of_their_own(stage: Stage):
    a_lycee(stage)
    staff = {"mappings": {"display_name": {"type": "expression", "value": "Staff of {{ name }}"}}}
    stage.profile(hierarchies={"student": on("grade"), "teacher": on("location", **staff)})

    stage.synchronise()

    assert {name: stage.tenant.people(name) for name in stage.tenant.groups_of("security")} == {
        "7th grade (students)": SEVENTH,
        "8th grade (students)": {"Lena Berg"},
        "Staff of Lycee": {"Nikos Vasilakis", "Eleni Demetriou"},
        "Staff of College": {"Nikos Vasilakis"},
    }


@proves("P101")
def test_a_level_that_is_off_has_nothing_to_map(stage: Stage):
    a_lycee(stage)
    stage.profile(hierarchies={"student": on("grade")})

    stage.synchronise()

    assert not any("Lycee" in name for name in stage.tenant.groups())
    with pytest.raises(ProfileInvalid, match=r"hierarchies\.student"):
        stage.profile(hierarchies={"student": {"mappings": {"location": {"display_name": {"value": "name"}}}}})


@proves("P101", "P37", "P32")
def test_each_level_has_mappings_of_its_own(stage: Stage):
    a_lycee(stage)
    house = {"display_name": {"value": "name", "casing": "upper"}, "description": {"value": "location_id"}}
    grade = {"display_name": {"type": "expression", "value": "{{ location }}: {{ grade }}"}}
    levels = {"location": {"mappings": house}, "grade": {"mappings": grade}}
    stage.profile(hierarchies={"general": {"levels": levels}})

    stage.synchronise()

    assert stage.tenant.groups_of("security") == {"LYCEE", "Lycee: 7th grade", "COLLEGE", "College: 8th grade"}
    assert stage.tenant.group("LYCEE").description == "location Lycee"


@proves("P37")
def test_what_a_department_is_can_be_mapped(stage: Stage):
    a_lycee(stage)
    stage.school.place("Science department", within="Lycee", kind="department")
    stage.school.employee("Omar Haddad", location="Lycee", department="Science department")
    row = {"display_name": {"type": "expression", "value": "{{ level }}: {{ name }} ({{ id }})"}}
    stage.profile(users=EVERYBODY, hierarchies={"general": on("location", mappings=row)})

    stage.synchronise()

    assert {"location: Lycee (location Lycee)", "location: College (location College)"} <= stage.tenant.groups()


@proves("P102")
@pytest.mark.parametrize("kind", ["security", "unified"])
def test_the_group_of_a_level_is_found_by_its_name_once_and_goes_on(stage: Stage, kind: str):
    a_lycee(stage)
    stage.tenant_holds(
        made_by_others("nikos", employee_id="S5"),
        group_made_by_others("7th grade", kind, mailNickname="seventh", owners=["nikos"]),
    )
    whole = {"group_type": kind, "owners": ["p5"] if kind == "unified" else []}
    stage.profile(hierarchies={"general": on("grade", match="name") | whole})

    stage.synchronise()

    assert stage.tenant.group("seventh").name == "7th grade"
    assert stage.tenant.people("seventh") == SEVENTH | {"Nikos Vasilakis", "Eleni Demetriou"}
    assert [group.name for group in stage.tenant.every_group()].count("7th grade") == 1


@proves("P102")
def test_where_a_level_is_not_matched_a_group_that_is_called_so_is_left_alone(stage: Stage):
    a_lycee(stage)
    stage.tenant_holds(group_made_by_others("7th grade", "security", mailNickname="seventh"))
    stage.profile(hierarchies={"general": on("grade", match="nothing")})

    stage.synchronise()

    assert stage.tenant.people("seventh") == set()
    assert [group.name for group in stage.tenant.every_group()].count("7th grade") == 2


@proves("P103")
def test_once_linked_the_group_of_a_level_is_known_by_its_id_whatever_is_changed_in_it(stage: Stage):
    a_lycee(stage)
    stage.profile(hierarchies={"student": on("grade")})
    stage.synchronise()
    before = stage.tenant.group("7th grade (students)").object_id
    stage.tenant.edits("7th grade (students)", displayName="Ours")

    stage.synchronise()

    assert stage.tenant.group("7th grade (students)").object_id == before
    assert "Ours" not in stage.tenant.groups()


@proves("P103a")
@pytest.mark.parametrize(
    ("kind", "name", "levels"),
    [("location", "Lycee", ("location",)), ("grade", "7th grade", ("grade",)), ("group", "7A", ("grade", "group"))],
)
def test_a_part_of_the_school_that_is_renamed_keeps_its_group_and_everything_below_it(
    stage: Stage, kind: str, name: str, levels: tuple[str, ...]
):
    a_lycee(stage)
    stage.profile(teams={"create": "subject"}, hierarchies={"general": on(*levels)})
    stage.synchronise()
    before = {group.object_id: group.name for group in stage.tenant.every_group() if group.kind == "security"}
    people = {key: stage.tenant.people(key) for key in before}
    stage.school.renames(kind, name, "Renamed")

    stage.synchronise()

    after = {group.object_id: group.name for group in stage.tenant.every_group() if group.kind == "security"}
    assert after.keys() == before.keys()
    assert after == {key: called.replace(name, "Renamed") for key, called in before.items()}
    assert {key: stage.tenant.people(key) for key in after} == people


@proves("P94")
def test_whoever_is_outside_a_narrowed_scope_stays_in_their_groups_and_these_stay_where_they_stand(stage: Stage):
    a_lycee(stage)
    hierarchies = {"general": on("institute", "grade")}
    stage.profile(hierarchies=hierarchies)
    stage.synchronise()

    stage.profile(hierarchies=hierarchies, scope={"grades": ["7th grade"]})
    stage.synchronise()

    assert "The School / 8th grade" in stage.tenant.nested("The School")
    assert stage.tenant.people("The School / 8th grade") == {"Lena Berg", "Nikos Vasilakis"}
    assert "Lena Berg" in stage.tenant.everybody_in("The School")
    assert stage.tenant.people("The School / 7th grade") >= SEVENTH
