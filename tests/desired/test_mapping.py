"""Mappings carried out on people: properties, values, casing, and who is stopped by a row that fails."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from tests.world import AUTUMN, END, School, desire, frame

from rollbook.desired import managed_people
from rollbook.desired.mapping import mapped, properties
from rollbook.profiles import PROPERTIES, TARGETS, Mapping, parse, suggested
from rollbook.profiles.expressions import render
from rollbook.roster.levels import with_levels


def a_school() -> School:
    school = School().klass("7A Maths", teachers=["Nikos Vasilakis"], students=["Maria Papadaki", "Eleni Makri"])
    return school.klass("7A Art", students=["Maria Papadaki"])


def managed(school, profile):
    nobody = school.roster().affiliations.select("person", "user_type").clear()
    return managed_people(school.roster(), profile, AUTUMN, nobody)


def profile_with(**rows):
    document = suggested().model_dump(mode="json")
    document["users"]["mappings"] |= {
        name: row if isinstance(row, dict) else {"value": row} for name, row in rows.items()
    }
    return parse(document)


def facts_of(school, name="Maria Papadaki", profile=None):
    people = managed(school, profile or suggested())
    rows = properties(school.roster(), people, AUTUMN)
    assert set(rows.columns) == {"person", *PROPERTIES}
    return rows.filter(pl.col("name") == name).row(0, named=True)


def test_every_property_says_what_the_register_says():
    school = a_school()
    school.people["Maria Papadaki"] |= {"preferred_given_name": "Mary", "middle_name": "Eva", "email": "m@x.example"}
    maria = facts_of(school, "Mary Papadaki")

    assert (maria["name"], maria["name_family_first"], maria["name_family_comma"]) == (
        "Mary Papadaki",
        "Papadaki Mary",
        "Papadaki, Mary",
    )
    assert (maria["first_name"], maria["called_first"], maria["middle_name"]) == ("Maria", "Mary", "Eva")
    assert (maria["id"], maria["sis_number"], maria["user_type"]) == ("p2", "S2", "student")
    assert (maria["active"], maria["active_and_has_enrolments"], maria["today"]) == ("yes", "yes", "2026-10-01")
    assert maria["groups"] == "7A Art, 7A Maths"


def test_a_number_that_microsoft_does_not_take_is_no_employee_number():
    school = a_school()
    school.people["Maria Papadaki"]["sis_number"] = "1" * 17
    maria = facts_of(school)

    assert (maria["sis_number"], maria["employee_number"]) == ("1" * 17, None)


def test_ids_are_those_of_the_register_and_an_employee_has_a_number():
    school = a_school()
    school.people["Maria Papadaki"]["external_id"] = "X-7"

    assert (facts_of(school)["external_id"], facts_of(school)["employee_id"]) == ("X-7", None)
    assert facts_of(school, "Nikos Vasilakis")["employee_id"] == "S1"


def test_the_registration_ends_when_it_is_said_to_else_with_the_last_class_and_never_while_one_is_open():
    school = a_school()
    assert facts_of(school)["registration_end_date"] == END.isoformat()

    school.klass("7A Choir", students=["Maria Papadaki"], end=dt.date(2027, 8, 1))
    assert facts_of(school)["registration_end_date"] == "2027-08-01"
    school.klass("7A Chess", students=["Maria Papadaki"], end=None)
    assert facts_of(school)["registration_end_date"] is None
    school.people["Maria Papadaki"]["registration_end"] = dt.date(2027, 1, 31)
    assert facts_of(school)["registration_end_date"] == "2027-01-31"


def test_somebody_is_active_inactive_or_has_left():
    school = a_school()
    roster, profile = school.leaves("Maria Papadaki").roster(), suggested()
    gone = pl.DataFrame(
        {"person": [99], "user_type": ["student"]}, schema=roster.affiliations.select("person", "user_type").schema
    )
    people = managed_people(roster, profile, AUTUMN, gone)
    rows = properties(roster, people, AUTUMN).select("person", "status", "active", "has_enrolments").rows()

    assert rows == [
        (1, "active", "yes", "yes"),
        (2, "inactive", "no", "yes"),
        (3, "active", "yes", "yes"),
        (99, "left", "no", "no"),
    ]
    past = people.with_columns(present=pl.col("person") != 3)  # present no more, though active in the register
    assert properties(roster, past, AUTUMN).filter(person=3)["status"].to_list() == ["left"]


def test_enrolments_count_on_their_days_and_those_of_children_for_their_parents():
    school = School().klass("Past", students=["Old Pupil"], end=AUTUMN)
    school.klass("Present", students=["New Pupil"])
    for name, child in (("Old Parent", "Old Pupil"), ("New Parent", "New Pupil")):
        school.guardians.append({"child": school.key(child, "student"), "parent": school.person(name, "parent")})
    school.person("Some Clerk", "employee")
    document = suggested().model_dump(mode="json")
    document["users"]["actions"]["parent"]["update"] = True
    document["users"]["actions"]["employee"]["update"] = True
    rows = properties(school.roster(), managed(school, parse(document)), AUTUMN)

    assert dict(rows.select("name", "has_enrolments").iter_rows()) == {
        "Old Pupil": "no",
        "New Pupil": "yes",
        "Old Parent": "no",
        "New Parent": "yes",
        "Some Clerk": "no",
    }


def test_where_somebody_is_placed_is_known_by_name():
    school = a_school()
    roster = school.roster()
    grade = frame("grades", [{"grade": 1, "sourced_id": "07", "line": 0, "name": "07"}])
    places = [
        {"location": 1, "sourced_id": "north", "line": 0, "name": "North", "kind": "school"},
        {"location": 2, "sourced_id": "arts", "line": 0, "name": "Arts", "kind": "department", "parent": 1},
    ]
    placed = {"location": 1, "department": 2, "grade": 1, "grade_type": "full-time", "stream": "Music"}
    row = {"person": 2, "user_type": "student"} | placed
    roster = replace(
        roster,
        grades=with_levels(grade, {" 07": "secondary", "01": "primary"}),
        locations=frame("locations", places),
        affiliations=frame("affiliations", [row]),
    )
    nobody = roster.affiliations.select("person", "user_type").clear()
    rows = properties(roster, managed_people(roster, suggested(), AUTUMN, nobody), AUTUMN)

    assert rows.select("grade", "grade_level", "grade_type", "stream", "location", "department").row(0) == (
        "07",
        "secondary",
        "full-time",
        "Music",
        "North",
        "Arts",
    )


def account(school, profile, link=2):
    return desire(school, profile=profile).state.users.filter(pl.col("link") == link).row(0, named=True)


def test_properties_static_texts_and_expressions_become_attributes_in_their_casing():
    profile = profile_with(
        job_title={"type": "expression", "value": "{{ user_type }} of {{ groups }}", "casing": "upper"},
        department={"type": "static", "value": "Lower School"},
        company_name={"value": "called_last", "casing": "lower"},
    )
    maria = account(a_school(), profile)

    assert maria["job_title"] == "STUDENT OF 7A ART, 7A MATHS"
    assert (maria["department"], maria["company_name"]) == ("Lower School", "papadaki")


def test_a_row_that_fails_stops_that_person_only():
    profile = profile_with(job_title={"type": "expression", "value": "{{ date_format(phone, '%Y') }}"})
    school = a_school()
    school.people["Maria Papadaki"]["phone"] = "no date"
    desired = desire(school, profile=profile)

    assert desired.unmapped["link"].to_list() == [2]


def test_what_is_too_long_or_required_and_empty_is_told_and_not_cut():
    school = a_school()
    school.people["Maria Papadaki"]["phone"] = "1" * 65
    rows = properties(school.roster(), managed(school, suggested()), AUTUMN)
    values, problems = mapped(
        rows,
        {
            "display_name": Mapping(value="phone"),
            "department": Mapping(value="phone"),
            "given_name": Mapping(value="phone"),
        },
    )

    told = {(target, problem) for _, target, problem in problems.iter_rows()}
    assert told == {
        ("department", "longer than 64 characters"),
        ("given_name", "longer than 64 characters"),
        ("display_name", "empty, though it has to be there"),
    }
    assert values["department"].null_count() == values.height


texts = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=12)


@given(st.lists(st.tuples(st.none() | texts, st.none() | texts), max_size=8))
def test_an_expression_gives_for_every_row_what_it_gives_for_that_row_alone(people):
    rows = pl.DataFrame(
        {
            "person": list(range(len(people))),
            **{name: [None] * len(people) for name in PROPERTIES},
            "first_name": [first for first, _ in people],
            "last_name": [last for _, last in people],
        },
        schema={"person": pl.Int64, **dict.fromkeys(PROPERTIES, pl.String)},
    )
    expression = "{{ join('-', last_name, first_letter(first_name)) }}"
    values, problems = mapped(rows, {"department": Mapping(type="expression", value=expression)})

    alone = [render(expression, {"first_name": f or "", "last_name": l or ""}) or None for f, l in people]  # noqa: E741
    assert values["department"].to_list() == alone
    assert problems.is_empty()
    assert set(values.columns) == {"person", *TARGETS}
