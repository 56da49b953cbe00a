"""Who is meant by a class, a group or a person, and under which class they are listed."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.world import AUTUMN, School, frame

from rollbook.errors import InputRefused
from rollbook.roster.selection import NO_CLASS, STAFF, Wanted, among, chosen
from rollbook.roster.tables import Roster


def a_school() -> School:
    school = School()
    school.klass("7A", teachers=["Nikos Vasilakis"], students=["Maria Papadaki", "Jan Kowalski"])
    school.klass("Art", teachers=["Nikos Vasilakis"], students=["Maria Papadaki", "Yael Cohen"])
    school.klass("Zoology", students=["Jan Kowalski", "Yael Cohen"])
    school.person("Petra Parent", "parent")
    return school


def with_classes(school: School, *changed: dict[str, object]) -> Roster:
    """The roster of the school, its first classes changed."""
    roster = school.roster()
    rows = [{**row, **change} for row, change in zip(roster.classes.to_dicts(), [*changed, *[{}] * 9], strict=False)]
    object.__setattr__(roster, "classes", frame("classes", rows))
    return roster


def meant(roster: Roster, wanted: Wanted, day: dt.date = AUTUMN) -> dict[str, str]:
    """Sections by given name."""
    names = dict(roster.people.select("person", "given_name").iter_rows())
    return {
        names[person]: section
        for person, section in chosen(roster, wanted, day).select("person", "section").iter_rows()
    }


def test_everybody_is_listed_once_under_the_first_of_their_classes_and_staff_apart():
    assert meant(a_school().roster(), Wanted()) == {
        "Maria": "7A",
        "Jan": "7A",
        "Yael": "Art",
        "Nikos": STAFF,
        "Petra": NO_CLASS,
    }


def test_the_homeroom_comes_before_other_classes():
    roster = with_classes(a_school(), {}, {}, {"kind": "homeroom"})

    assert meant(roster, Wanted()) | {"Nikos": "", "Petra": ""} == {
        "Maria": "7A",
        "Jan": "Zoology",
        "Yael": "Zoology",
        "Nikos": "",
        "Petra": "",
    }


@pytest.mark.parametrize("name", ["Art", "art", "C2", "c2"])
def test_a_class_means_its_students_and_not_its_teachers(name):
    assert meant(a_school().roster(), Wanted(classes=(name,))) == {"Maria": "Art", "Yael": "Art"}


def test_of_several_classes_the_one_that_is_named_counts():
    assert meant(a_school().roster(), Wanted(classes=("Zoology", "Art"))) == {
        "Maria": "Art",
        "Yael": "Art",
        "Jan": "Zoology",
    }


def test_a_group_means_the_students_of_its_classes():
    roster = with_classes(a_school(), {"group": 2})

    assert set(meant(roster, Wanted(groups=("Art",)))) == {"Maria", "Jan", "Yael"}


def test_a_person_may_be_named_beside_a_class_whatever_they_are():
    roster = a_school().roster()

    assert meant(roster, Wanted(people=("p1",))) == {"Nikos": STAFF}
    assert meant(roster, Wanted(classes=("Art",), people=("p1",))) == {"Maria": "Art", "Yael": "Art", "Nikos": STAFF}


def test_who_begins_later_is_meant_and_who_has_left_the_class_or_the_school_is_not():
    school = School().klass("7A", students=["Anna Early"], begin=dt.date(2026, 11, 1), end=dt.date(2027, 7, 1))
    school.klass("7A", students=["Bob Gone"], begin=dt.date(2026, 9, 1), end=AUTUMN)

    assert set(meant(school.roster(), Wanted(classes=("7A",)))) == {"Anna"}
    assert meant(school.leaves("Anna Early").roster(), Wanted(classes=("7A",))) == {}
    assert meant(school.roster(), Wanted())["Anna"] == NO_CLASS


def test_last_years_class_of_the_same_title_is_not_in_the_way():
    roster = with_classes(a_school(), {}, {"title": "7A", "period": 2})
    last = {
        "period": 2,
        "sourced_id": "2026",
        "line": 0,
        "title": "2025-2026",
        "begin": None,
        "end": dt.date(2026, 7, 1),
    }
    object.__setattr__(
        roster, "academic_periods", frame("academic_periods", [*roster.academic_periods.to_dicts(), last])
    )

    assert set(meant(roster, Wanted(classes=("7A",)))) == {"Maria", "Jan"}


def test_a_name_that_several_classes_have_is_refused_with_what_tells_them_apart():
    roster = with_classes(a_school(), {"location": 1}, {"title": "7A", "location": 2}, {"title": "7A", "location": 2})
    places = [
        {"location": n, "sourced_id": f"l{n}", "line": 0, "name": f"School {n}", "kind": "school"} for n in (1, 2)
    ]
    object.__setattr__(roster, "locations", frame("locations", places))

    with pytest.raises(InputRefused) as refused:
        chosen(roster, Wanted(classes=("7A",)), AUTUMN)

    assert refused.value.remedy == "Name one by its sourced id: c1 (7A - School 1), c2 (7A - c2), c3 (7A - c3)."
    assert meant(roster, Wanted(classes=("c1",))) == {"Maria": "7A - School 1", "Jan": "7A - School 1"}
    assert set(chosen(roster, Wanted(classes=("c1",)), AUTUMN)["school"]) == {"School 1"}


@pytest.mark.parametrize(
    "wanted", [Wanted(classes=("nope",)), Wanted(groups=("nope",)), Wanted(people=("p1", "nope"))], ids=str
)
def test_a_name_that_means_nothing_is_refused(wanted):
    with pytest.raises(InputRefused, match="'nope'"):
        chosen(a_school().roster(), wanted, AUTUMN)


def test_enrolments_are_those_of_the_people_and_those_in_the_classes_that_were_named():
    roster = a_school().roster()
    rows = roster.enrolments.select("person", "klass")
    sourced = dict(roster.people.select("given_name", "sourced_id").iter_rows())

    def named(**wanted: tuple[str, ...]) -> list[tuple[int, int]]:
        return sorted(among(rows, roster, Wanted(**wanted), AUTUMN).rows())

    jan = roster.people.filter(given_name="Jan")["person"][0]
    assert named() == sorted(rows.rows())
    assert named(people=(sourced["Jan"],)) == [(jan, 1), (jan, 3)]
    both = sorted(row for row in rows.rows() if row[1] == 2 or row[0] == jan)
    assert named(classes=("Art",), people=(sourced["Jan"],)) == both
    assert {klass for _, klass in named(groups=("Zoology",))} == {3}
    with pytest.raises(InputRefused, match="no class 'Physics'"):
        named(classes=("Physics",))
    with pytest.raises(InputRefused, match="no person 'nobody'"):
        named(people=("nobody",))
