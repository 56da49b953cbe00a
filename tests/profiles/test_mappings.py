"""Mappings as they are declared: functions with their examples, what expressions cannot do, mistakes with their places."""

from __future__ import annotations

import pytest

from rollbook.directory.state import MAPPED, USERS
from rollbook.errors import ProfileInvalid
from rollbook.profiles import PROPERTIES, TARGETS, parse, suggested
from rollbook.profiles.expressions import FUNCTIONS, ExpressionFailed, check, render
from rollbook.profiles.mappings import OF_PEOPLE
from rollbook.roster.vocabulary import UserType


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_does_what_its_example_says(name):
    expression, fields, result = FUNCTIONS[name].example

    assert render(expression, fields) == result
    assert name in expression
    check(expression, PROPERTIES)


@pytest.mark.parametrize(
    ("expression", "fields", "result"),
    [
        ("{{ last_name|upper }}", {"last_name": "Rossi"}, "ROSSI"),
        ("{{ 'Pupil' if user_type == 'student' else 'Staff' }}", {"user_type": "student"}, "Pupil"),
        ("  {{ grade }}  ", {"grade": "7"}, "7"),
        ("{{ '<&>' }}", {}, "<&>"),
    ],
)
def test_what_expressions_can_do(expression, fields, result):
    assert render(expression, fields) == result


@pytest.mark.parametrize(
    "expression",
    [
        "{% for i in range(1000000) %}x{% endfor %}",
        "{% for i in range(9999) %}{% for j in range(9999) %}x{% endfor %}{% endfor %}",
        "{{ 'a' * 1000000000 }}",
        "{% include 'other' %}",
        "{% import 'os' as os %}",
        "{{ first_name.__class__.__mro__ }}",
        "{{ unknown }}",
        "{{ date_format('yesterday', '%Y') }}",
        "{{ join('x' }}",
    ],
)
def test_what_expressions_cannot_do(expression):
    with pytest.raises(ExpressionFailed) as refused:
        render(expression, {"first_name": "Anna"})
    assert "\n" not in str(refused.value)


def test_what_our_functions_are_given_is_cut():
    assert len(render("{{ replace(first_name, 'a', 'bbbb') }}", {"first_name": "a" * 5_000})) == 4_000


def with_row(**mappings):
    document = suggested().model_dump(mode="json")
    document["users"]["mappings"] |= mappings
    return document


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"value": "shoe_size"}, "no property 'shoe_size'"),
        ({"value": "  "}, "needs a value"),
        ({"type": "expression", "value": "{{ shoe_size }}"}, "no property 'shoe_size'"),
        ({"type": "expression", "value": "{{ name "}, "syntax error"),
        ({"type": "static", "value": "x" * 129}, "128 characters at most"),
        ({"value": "name", "casing": "title"}, "lower"),
    ],
)
def test_a_row_that_cannot_work_is_refused_when_it_is_saved(row, said):
    with pytest.raises(ProfileInvalid, match=said):
        parse(with_row(job_title=row))


def test_targets_are_those_microsoft_has_and_the_required_one_is_mapped():
    with pytest.raises(ProfileInvalid, match="no target 'colour'"):
        parse(with_row(colour={"value": "name"}))
    document = with_row()
    del document["users"]["mappings"]["display_name"]
    with pytest.raises(ProfileInvalid, match="display_name is required"):
        parse(document)


def test_everything_offered_is_explained_and_has_a_column():
    assert all(len(meaning) > 5 for meaning in PROPERTIES.values())
    assert tuple(name for name in TARGETS if name != "account_enabled") == MAPPED
    assert set(MAPPED) <= USERS.keys()


@pytest.mark.parametrize(
    ("shape", "value"),
    [("given family", "name"), ("family given", "name_family_first"), ("family, given", "name_family_comma")],
)
def test_a_document_of_the_first_form_keeps_its_display_name(shape, value):
    old = suggested().model_dump(mode="json") | {"document_version": 1}
    del old["users"]["mappings"]
    old["users"]["display_name"] = shape

    assert parse(old).users.mappings["display_name"].value == value


def test_a_mistake_in_a_document_of_the_first_form_is_still_told():
    with pytest.raises(ProfileInvalid):
        parse({"document_version": 1, "users": {"display_name": "upside down"}})


def test_a_picker_greys_what_is_mapped_required_or_set_elsewhere_and_says_why():
    offered = {choice.target: choice.grey for choice in OF_PEOPLE.choices(suggested().users.mappings)}

    assert (offered["display_name"], offered["given_name"], offered["city"]) == ("required", "already mapped", "")
    assert offered["user_principal_name"] == "set elsewhere"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"value": "grade"}, "yes or no"),
        ({"type": "static", "value": "oui"}, "yes or no"),
    ],
)
def test_whether_an_account_is_enabled_is_yes_or_no(row, said):
    document = suggested().model_dump(mode="json")
    document["users"]["mappings"]["account_enabled"] = row

    with pytest.raises(ProfileInvalid, match=said):
        parse(document)


def test_what_is_set_elsewhere_cannot_be_mapped_and_it_is_said_where():
    document = suggested().model_dump(mode="json")
    document["users"]["mappings"]["user_principal_name"] = {"value": "username"}

    with pytest.raises(ProfileInvalid, match=r"users\.names"):
        parse(document)


def test_a_document_of_the_second_form_keeps_its_names_and_licences():
    old = {
        "document_version": 2,
        "users": {
            "user_name": "family.given",
            "language": "greek",
            "roles": {
                kind: {"licence": "SKU" if kind == "student" else None}
                for kind in ("teacher", "employee", "student", "parent")
            },
            "mappings": {"display_name": {"value": "name_family_first"}},
        },
    }

    upgraded = parse(old).users

    assert (upgraded.names.candidates, upgraded.names.language) == (("family.given",), "greek")
    assert [licence.sku for licence in upgraded.roles[UserType.STUDENT].licences] == ["SKU"]
    assert upgraded.roles[UserType.TEACHER].licences == ()
    assert upgraded.mappings["account_enabled"].value == "active_and_has_enrolments"
