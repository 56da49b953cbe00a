"""Mappings: how what the register says becomes what an account says, and for whom a row fails."""

from __future__ import annotations

from typing import Any

import pytest
from tests.scenarios.school import day
from tests.scenarios.stage import FIRST_PROFILE, Stage, proves

from rollbook.acts.grade_levels import set_level
from rollbook.acts.mappings import Tried, tried
from rollbook.errors import ProfileInvalid
from rollbook.profiles import PROPERTIES, from_yaml, parse, suggested

WHAT_AND_WHERE = "{{ join(' of ', user_type|title, groups) }}"


def mapped(**rows: Any) -> dict[str, Any]:
    """The settings of users with these rows; a word alone is a property."""
    return {"mappings": {target: {"value": row} if isinstance(row, str) else row for target, row in rows.items()}}


def maria(stage: Stage, **facts: Any) -> None:
    """A school with one student."""
    stage.school.student("Maria Papadaki", "7A", **facts)


@proves("P31", "P40")
def test_a_property_of_the_person_becomes_a_property_of_the_account_and_follows_the_register(stage: Stage):
    maria(stage, phone="first")
    stage.profile(users=mapped(department="phone"))
    stage.synchronise()
    assert stage.tenant.account("Maria Papadaki")["department"] == "first"

    stage.school.changes("Maria Papadaki", phone="second", family_name="Makri")
    stage.synchronise()

    account = stage.tenant.account("Maria Makri")
    assert (account["department"], account["surname"]) == ("second", "Makri")


@proves("P31")
def test_what_an_administrator_writes_over_a_mapped_property_is_put_right_and_the_rest_is_left_alone(stage: Stage):
    maria(stage)
    stage.synchronise()
    user_name = stage.tenant.account("Maria Papadaki").user_name
    stage.tenant.control("edit", user=user_name, set={"displayName": "M. P.", "jobTitle": "Class speaker"})

    stage.synchronise()

    assert stage.tenant.account("Maria Papadaki")["job_title"] == "Class speaker"


@proves("P31")
def test_what_the_register_does_not_say_clears_nothing(stage: Stage):
    maria(stage, phone="first")
    stage.profile(users=mapped(department="phone"))
    stage.synchronise()
    stage.school.changes("Maria Papadaki", phone=None)

    assert stage.synchronise().writes == 0

    assert stage.tenant.account("Maria Papadaki")["department"] == "first"


@proves("P31a")
def test_what_counts_on_creation_only_is_set_once_and_left_alone_afterwards(stage: Stage):
    maria(stage, phone="first")
    stage.profile(users=mapped(job_title={"value": "phone", "on_creation_only": True}, department="phone"))
    stage.synchronise()

    stage.school.changes("Maria Papadaki", phone="second")
    stage.synchronise()

    account = stage.tenant.account("Maria Papadaki")
    assert (account["job_title"], account["department"]) == ("first", "second")


@proves("P31b", "P31c")
def test_rows_are_tried_on_real_people_with_a_warning_for_each_that_gives_nothing_usable(stage: Stage):
    maria(stage, phone="1" * 65)
    stage.school.student("Jan", "7A", given_name=None)
    stage.profile(
        users=mapped(
            display_name="first_name",
            department="phone",
            job_title={"type": "expression", "value": "{{ date_format(phone, '%Y') }}"},
        )
    )

    results = tried_on(stage)

    assert results["p1"].values["display_name"] == "Maria"
    assert results["p1"].warnings["department"] == "longer than 64 characters"
    assert "is no date" in results["p1"].warnings["job_title"]
    assert results["p2"].warnings == {
        "display_name": "empty, though it has to be there",
        "user_name": "no user name can be made",
    }
    assert stage.tenant.names() == set()


def tried_on(stage: Stage) -> dict[str, Tried]:
    """What the profile makes of everybody, by sourced id, without anything being sent."""
    return {each.person: each for each in tried(stage.institute(), stage.profile_named(FIRST_PROFILE), stage.today)}


@proves("P31d")
def test_a_try_warns_where_several_people_would_have_one_user_name(stage: Stage):
    maria(stage)
    stage.school.student("María Papadáki", "7A").student("Jan Kowalski", "7A")

    results = tried_on(stage)

    for person in ("p1", "p2"):
        assert results[person].values["user_name"] == "maria.papadaki"
        assert "2 people are called so" in results[person].warnings["user_name"]
    assert results["p3"].warnings == {}


@proves("P31d")
def test_a_try_warns_where_characters_are_not_allowed(stage: Stage):
    maria(stage, username="m*papa/x")
    stage.profile(users={"names": {"candidates": ["username"]}})

    assert "user_name" in tried_on(stage)["p1"].warnings


@proves("P31e")
def test_a_row_that_fails_for_one_person_stops_that_person_and_nobody_else(stage: Stage):
    maria(stage, phone="no date")
    stage.school.student("Jan Kowalski", "7A", phone="2011-05-04")
    stage.profile(users=mapped(job_title={"type": "expression", "value": "{{ date_format(phone, '%Y') }}"}))

    done = stage.synchronise()

    assert "a mapping gives no usable value" in done.reason("Maria Papadaki")
    assert stage.tenant.names() == {"Jan Kowalski"}
    assert stage.tenant.account("Jan Kowalski")["job_title"] == "2011"


@proves("P33")
def test_every_property_says_what_it_means():
    assert len(PROPERTIES) > 20
    assert all(meaning.endswith(".") for meaning in PROPERTIES.values())


NAMED = {
    "first_name": "Maria",
    "middle_name": "Eva",
    "last_name": "Papadaki",
    "preferred_first_name": "Mary",
    "preferred_last_name": "Papas",
    "username": "mpapa",
    "contact_email": "maria@home.example",
    "phone": "210 1234",
}
KNOWN_AS = {
    "id": "p1",
    "sis_number": "S1",
    "user_type": "student",
    "grade": "7th grade",
    "location": "Lower School",
    "groups": "7A",
    "active": "yes",
    "active_and_has_enrolments": "yes",
}
TARGETS = ("job_title", "department", "company_name", "street_address", "postal_code", "city", "state", "country")


@proves("P34", "P34a", "P42")
@pytest.mark.parametrize("said", [NAMED, KNOWN_AS], ids=["what somebody is called", "what somebody is"])
def test_whatever_the_register_says_of_a_person_can_be_mapped(stage: Stage, said: dict[str, str]):
    called = {
        "preferred_given_name": "Mary",
        "preferred_family_name": "Papas",
        "middle_name": "Eva",
        "username": "mpapa",
    }
    maria(stage, **called, email="maria@home.example", phone="210 1234", grade="7th grade", location="Lower School")
    rows = dict(zip(TARGETS, said, strict=True))
    stage.profile(users=mapped(**rows))

    stage.synchronise()

    account = stage.tenant.account("Mary Papas")
    assert {name: account[target] for target, name in rows.items()} == said


IN_THE_SCHOOL = {
    "external_id": "X-17",
    "status": "active",
    "has_enrolments": "yes",
    "department": "Sciences",
    "grade_type": "full-time",
    "grade_level": "secondary",
    "stream": "Languages",
    "registration_end_date": "2027-06-30",
}


@proves("P34b", "P42")
def test_where_somebody_belongs_in_the_school_and_until_when_can_be_mapped(stage: Stage):
    placed = {"grade": "7th grade", "department": "Sciences", "grade_type": "full-time", "stream": "Languages"}
    maria(stage, **placed, external_id="X-17", registration_end=day("2027-06-30"))
    set_level(stage.institute(), "secondary", ["7th grade", "8th grade"], stage.author)
    rows = dict(zip(TARGETS, IN_THE_SCHOOL, strict=True))
    stage.profile(users=mapped(**rows))

    stage.synchronise()

    account = stage.tenant.account("Maria Papadaki")
    assert {name: account[target] for target, name in rows.items()} == IN_THE_SCHOOL


@proves("P34b")
def test_the_number_of_staff_is_their_employee_id_and_students_have_none(stage: Stage):
    maria(stage)
    stage.school.teacher("Nikos Vasilakis", "7A", sis_number="T7")
    stage.profile(users=mapped(office_location="employee_id"))

    stage.synchronise()

    assert stage.tenant.account("Nikos Vasilakis")["office_location"] == "T7"
    assert stage.tenant.account("Maria Papadaki")["office_location"] is None


@proves("P34b")
def test_status_enrolments_and_last_day_are_properties_of_their_own_and_follow_the_register(stage: Stage):
    maria(stage)
    stage.school.student("Jan Kowalski")
    rows = mapped(job_title="status", city="has_enrolments", state="registration_end_date")
    stage.profile(users=rows)
    stage.synchronise()
    said = {a.name: (a["job_title"], a["city"], a["state"]) for a in stage.tenant.accounts()}
    assert said == {
        "Maria Papadaki": ("active", "yes", "2027-07-01"),
        "Jan Kowalski": ("active", "no", None),
    }

    stage.school.stops("Maria Papadaki", "7A", "2026-11-01")
    stage.on("2026-11-01").synchronise()

    maria_now = stage.tenant.account("Maria Papadaki")
    assert (maria_now["city"], maria_now["state"]) == ("no", "2026-11-01")


@proves("P34a", "P42")
def test_the_name_of_the_institute_can_be_mapped(stage: Stage):
    maria(stage)
    stage.profile(users=mapped(company_name="institute"))

    stage.synchronise()

    assert stage.tenant.account("Maria Papadaki")["company_name"] == "The School"


@proves("P38")
def test_the_display_name_is_required_so_it_has_to_be_mapped():
    document = suggested().model_dump(mode="json")
    del document["users"]["mappings"]["display_name"]

    with pytest.raises(ProfileInvalid, match="display_name is required"):
        parse(document)


@proves("P38")
def test_a_property_of_the_account_is_mapped_once():
    twice = "name: Year\nsettings:\n  users:\n    mappings:\n      city: {value: phone}\n      city: {value: grade}\n"

    with pytest.raises(ProfileInvalid, match=r"line 6: .*duplicate key"):
        from_yaml(twice)


@proves("P41")
def test_a_static_text_is_the_same_for_everybody(stage: Stage):
    maria(stage)
    stage.school.teacher("Nikos Vasilakis", "7A")
    stage.profile(users=mapped(company_name={"type": "static", "value": "The School"}))

    stage.synchronise()

    assert {account["company_name"] for account in stage.tenant.accounts()} == {"The School"}


EXPRESSIONS = {
    "job_title": ("{{ last_name }}, {{ first_name|upper }}", "Papadaki, MÁRÏA"),
    "department": ("{{ join('-', last_name, middle_name, phone) }}", "Papadaki-210 1234"),
    "company_name": ("{{ first_letter(first_name) }}.", "M."),
    "street_address": ("{{ replace(grade, ' grade', '') }}", "7th"),
    "postal_code": ("{{ transliterate(first_name) }}", "Maria"),
    "city": ("{{ coalesce(middle_name, last_name) }}", "Papadaki"),
    "state": ("{{ 'pupil' if user_type == 'student' else 'staff' }}", "pupil"),
    "country": ("{{ date_format(today, '%d.%m.%Y') }}", "01.10.2026"),
}


@proves("P41a")
def test_an_expression_puts_fields_text_and_functions_together(stage: Stage):
    maria(stage, given_name="Márïa", phone="210 1234", grade="7th grade")
    stage.profile(
        users=mapped(**{target: {"type": "expression", "value": value} for target, (value, _) in EXPRESSIONS.items()})
    )

    stage.synchronise()

    account = stage.tenant.account("Márïa Papadaki")
    assert {target: account[target] for target in EXPRESSIONS} == {
        name: said for name, (_, said) in EXPRESSIONS.items()
    }


@proves("P41b")
@pytest.mark.parametrize(
    "value",
    [
        "".join(f"{{% for x{n} in last_name %}}" for n in range(5)) + "x" + "{% endfor %}" * 5,
        "{% include 'other' %}",
        "{{ first_name.__class__ }}",
    ],
    ids=["loops", "imports", "reaches outside"],
)
def test_an_expression_that_loops_imports_or_reaches_outside_stops_nobody_else(stage: Stage, value: str):
    maria(stage)
    stage.school.teacher("Nikos Vasilakis", "7A")
    guarded = f"{{% if user_type == 'student' %}}{value}{{% else %}}fine{{% endif %}}"
    stage.profile(users=mapped(job_title={"type": "expression", "value": guarded}))

    done = stage.synchronise()

    assert "a mapping gives no usable value" in done.reason("Maria Papadaki")
    assert stage.tenant.names() == {"Nikos Vasilakis"}


@proves("P41b")
def test_an_expression_that_reads_a_field_there_is_none_of_is_refused_when_it_is_saved(stage: Stage):
    with pytest.raises(ProfileInvalid, match="no property 'shoe_size'"):
        stage.profile(users=mapped(job_title={"type": "expression", "value": "{{ shoe_size }}"}))


@proves("P43", "P44", "P45")
def test_letters_stay_as_they_are_become_small_or_become_capitals(stage: Stage):
    maria(stage)
    name = {"value": "name"}
    stage.profile(
        users=mapped(
            job_title=name | {"casing": "none"}, department=name | {"casing": "lower"}, city=name | {"casing": "upper"}
        )
    )

    stage.synchronise()

    account = stage.tenant.account("Maria Papadaki")
    assert (account["job_title"], account["department"], account["city"]) == (
        "Maria Papadaki",
        "maria papadaki",
        "MARIA PAPADAKI",
    )


@proves("P46")
def test_an_account_can_have_a_whole_set_of_rows_of_every_type(stage: Stage):
    maria(stage, grade="7th grade", location="Lower School")
    stage.profile(
        users=mapped(
            display_name={"value": "name_family_comma", "casing": "upper"},
            job_title={"type": "expression", "value": WHAT_AND_WHERE},
            department="grade",
            company_name="groups",
            city={"type": "static", "value": "Athens"},
            street_address="location",
            postal_code={"type": "static", "value": "10431", "on_creation_only": True},
        )
    )

    stage.synchronise()

    account = stage.tenant.account("PAPADAKI, MARIA")
    wanted = (
        "job_title",
        "department",
        "company_name",
        "city",
        "street_address",
        "postal_code",
        "given_name",
        "employee_id",
    )
    assert [account[name] for name in wanted] == [
        "Student of 7A",
        "7th grade",
        "7A",
        "Athens",
        "Lower School",
        "10431",
        "Maria",
        "S1",
    ]
