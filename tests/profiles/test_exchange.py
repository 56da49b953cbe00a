"""Profiles as YAML: round trip, mistakes at their places; differences; upgrades."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from rollbook.errors import ProfileInvalid
from rollbook.profiles import Exported, differences, from_yaml, parse, suggested, to_yaml
from rollbook.profiles.upgrades import upgraded

names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30)
days = st.none() | st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1))


@st.composite
def profiles(draw):
    """Settings that differ from the suggested ones in several places and kinds."""
    document = suggested().model_dump(mode="json")
    document["users"]["lead_days"] = draw(st.integers(0, 120))
    document["users"]["roles"]["student"]["usage_location"] = draw(st.sampled_from([None, "NO", "GR", "ON"]))
    document["users"]["actions"]["parent"]["create"] = draw(st.booleans())
    document["users"]["roles"]["teacher"]["domain"] = draw(st.none() | names)
    document["academic_period"] = draw(st.none() | names | st.sampled_from(["2026", "1e3", "yes", "null", "# x"]))
    return parse(document)


@settings(max_examples=examples(40))
@given(names, days, days, profiles(), st.none() | st.integers(1, 50))
def test_what_is_exported_is_imported_as_it_was(name, begin, end, profile, version):
    if begin is not None and end is not None and end < begin:
        begin, end = end, begin
    exported = Exported(name, begin, end, profile, version)

    assert from_yaml(to_yaml(exported)) == exported


def test_the_file_says_what_every_setting_means():
    text = to_yaml(Exported("Year", None, None, suggested()))

    assert "# Days before it begins from which an enrolment counts as current." in text
    assert "lead_days: 14" in text


def test_norway_is_a_country():
    text = to_yaml(Exported("Year", None, None, suggested())).replace("usage_location:", "usage_location: NO", 1)

    assert "NO" in {role.usage_location for role in from_yaml(text).profile.users.roles.values()}


def test_all_mistakes_of_a_file_are_told_together():
    text = """
colour: red
begin: 2027-01-01
end: 2026-01-01
version: none
settings:
  users: {lead_days: -3}
  teams: {create: everything}
"""
    with pytest.raises(ProfileInvalid) as refused:
        from_yaml(text)

    assert [path for path, _ in refused.value.mistakes] == [
        "colour",
        "name",
        "end",
        "version",
        "settings.users.lead_days",
        "settings.teams.create",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nname: b\n", "line 2"),
        ("name: [a\n", "line"),
        ("just a text", "no profile"),
        ("name: x\nbegin: yesterday\n", "not a day"),
        ("name: x\nsettings: 5\n", "settings are expected"),
    ],
)
def test_a_file_that_is_none_says_where(text, said):
    with pytest.raises(ProfileInvalid, match=said):
        from_yaml(text)


def test_differences_name_the_setting_and_both_values():
    before = suggested().model_dump(mode="json")
    after = suggested().model_dump(mode="json")
    after["users"]["lead_days"] = 7
    after["users"]["actions"]["parent"]["create"] = True
    after["users"]["precedence"] = ["student", "teacher", "employee", "parent"]

    assert [str(each) for each in differences(before, after)] == [
        "users.actions.parent.create: no -> yes",
        "users.precedence: teacher, employee, student, parent -> student, teacher, employee, parent",
        "users.lead_days: 14 -> 7",
    ]
    assert differences(before, before) == []


def test_older_documents_become_todays_step_by_step():
    steps = {
        1: lambda document: {**document, "b": document["a"] * 2},
        2: lambda document: {"c": document["b"] + 1},
    }

    assert upgraded({"document_version": 1, "a": 5}, steps, 3) == {"document_version": 3, "c": 11}
    assert upgraded({"document_version": 9, "a": 5}, steps, 3) == {"document_version": 9, "a": 5}
