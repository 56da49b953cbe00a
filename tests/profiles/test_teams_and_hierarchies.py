"""Teams, enrolments and hierarchies of the profile document: refusals with their places, hidden levels, the upgrade from version 3."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from tests.profiles.making import profile_with

from rollbook.errors import ProfileInvalid
from rollbook.profiles import (
    OF_NODES,
    OF_TEAMS,
    Exported,
    Hierarchies,
    Level,
    differences,
    from_yaml,
    hidden_levels,
    levels_in_use,
    parse,
    suggested,
    to_yaml,
    what_became,
)
from rollbook.profiles.expressions import render
from rollbook.profiles.upgrades import CURRENT, UPGRADES
from rollbook.roster.vocabulary import TeacherType

UNIFIED = {"group_type": "unified", "owners": ["p1"], "levels": {"grade": {}}}
NAMED = {"display_name": {"value": "path"}}


def mistakes_of(document) -> list[tuple[str, str]]:
    with pytest.raises(ProfileInvalid) as refused:
        parse(document)
    return refused.value.mistakes


def rows_of_team(**changed):
    rows = suggested().model_dump(mode="json")["teams"]["mappings"]
    return {name: row for name, row in (rows | changed).items() if row is not None}


def test_by_default_combinations_become_class_teams_and_no_level_is_on():
    teams, enrolments = suggested().teams, suggested().enrolments

    assert (teams.create, teams.template, teams.match, teams.extra_owners) == (
        "group_subject",
        "class",
        "external_id",
        (),
    )
    assert (enrolments.sync_start_date, enrolments.keep_previous, enrolments.remove_unknown) == (None, False, False)
    assert suggested().hierarchies == Hierarchies()
    assert what_became(suggested()) == []


@pytest.mark.parametrize(
    ("document", "place", "said"),
    [
        (
            {"teams": {"mappings": rows_of_team(display_name=None)}},
            "teams.mappings.display_name",
            "display_name is required",
        ),
        (
            {"teams": {"mappings": rows_of_team(mail_nickname=None)}},
            "teams.mappings.mail_nickname",
            "mail_nickname is required",
        ),
        (
            {"teams": {"mappings": rows_of_team(colour={"value": "name"})}},
            "teams.mappings.colour",
            "there is no target 'colour'; there are display_name",
        ),
        (
            {"teams": {"mappings": rows_of_team(visibility={"value": "name"})}},
            "teams.mappings.visibility",
            "is not mapped: it is private always",
        ),
        (
            {"teams": {"mappings": rows_of_team(class_code={"value": "surname"})}},
            "teams.mappings.class_code",
            "there is no property 'surname'; there are name, about",
        ),
        (
            {"teams": {"mappings": rows_of_team(description={"type": "expression", "value": "{{ path }}"})}},
            "teams.mappings.description",
            "there is no property 'path'",
        ),
        (
            {"teams": {"mappings": rows_of_team(mail_nickname={"type": "static", "value": "x" * 65})}},
            "teams.mappings.mail_nickname",
            "mail_nickname holds 64 characters at most",
        ),
        (
            {"teams": {"mappings": rows_of_team(external_id=None)}},
            "teams.mappings.external_id",
            "external_id is what teams are matched by",
        ),
        (
            {"teams": {"extra_owners": [{"person": "p1"}, {"person": "p2"}, {"person": "p1"}]}},
            "teams.extra_owners.2",
            "stands in the list twice",
        ),
        ({"teams": {"extra_owners": [{"person": ""}]}}, "teams.extra_owners.0.person", "at least 1 character"),
        ({"enrolments": {"sync_start_date": "soon"}}, "enrolments.sync_start_date", "valid date"),
        ({"enrolments": {"student": "guest"}}, "enrolments.student", "'owner', 'member' or 'none'"),
        (
            {"hierarchies": {"general": {"levels": {"planet": {}}}}},
            "hierarchies.general.levels.planet",
            "'institute', 'academic_period', 'location', 'grade'",
        ),
        (
            {"hierarchies": {"student": {"levels": {"grade": {"mappings": NAMED | {"colour": {"value": "path"}}}}}}},
            "hierarchies.student.levels.grade.mappings.colour",
            "there is no target 'colour'",
        ),
        (
            {"hierarchies": {"general": {"levels": {"grade": {"match": "external_id", "mappings": NAMED}}}}},
            "hierarchies.general.levels.grade.mappings.external_id",
            "external_id is what groups are matched by",
        ),
        (
            {"hierarchies": {"general": UNIFIED | {"owners": []}}},
            "hierarchies.general.owners",
            "unified groups need an owner",
        ),
        (
            {"hierarchies": {"teacher": UNIFIED | {"owners": ["p1", "p1"]}}},
            "hierarchies.teacher.owners.1",
            "stands in the list twice",
        ),
        (
            {"hierarchies": {"teacher": {"make_team": True}}},
            "hierarchies.teacher.make_team",
            "a security group cannot be a team",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_place_with_a_sentence(document, place, said):
    (found,) = mistakes_of(document)

    assert found[0] == place
    assert said in found[1]


def test_all_mistakes_of_all_parts_are_told_together():
    document = {
        "teams": {
            "template": "round",
            "mappings": {"colour": {"value": "name"}, "display_name": {"value": "name"}},
        },
        "enrolments": {"teachers": {"janitor": "owner"}, "keep_previous": "perhaps"},
        "hierarchies": {
            "general": {
                "group_type": "unified",
                "levels": {"grade": {"match": "smell"}, "group": {"mappings": {"size": {"value": "path"}}}},
                "hide_in_outlook": 7,
            },
            "student": {"make_team": True, "colour": "red"},
        },
    }

    assert [place for place, _ in mistakes_of(document)] == [
        "teams.template",
        "teams.mappings.colour",
        "teams.mappings.mail_nickname",
        "teams.mappings.external_id",
        "enrolments.teachers.janitor",
        "enrolments.keep_previous",
        "hierarchies.general.levels.grade.match",
        "hierarchies.general.levels.group.mappings.size",
        "hierarchies.general.levels.group.mappings.display_name",
        "hierarchies.general.hide_in_outlook",
        "hierarchies.student.make_team",
        "hierarchies.student.colour",
    ]


def test_braces_of_an_expression_in_a_sentence_stay_as_they_are():
    rows = rows_of_team(class_code={"type": "expression", "value": "{{ shoe }}"})
    rows["{{ colour }}"] = {"value": "name"}

    said = dict(mistakes_of({"teams": {"mappings": rows}}))

    assert said == {"teams.mappings.class_code": "there is no property 'shoe'"}
    del rows["class_code"]
    (only,) = mistakes_of({"teams": {"mappings": rows}})
    assert only[1].startswith("there is no target '{{ colour }}'")


def test_teams_may_be_matched_by_something_else_without_an_external_id():
    profile = profile_with(teams__match="name", teams__mappings=rows_of_team(external_id=None))

    assert "external_id" not in profile.teams.mappings


def test_a_teacher_type_that_is_left_out_is_nothing():
    teachers = profile_with(enrolments__teachers={"mentor": "member"}).enrolments.teachers

    assert teachers == {kind: "member" if kind == TeacherType.MENTOR else "none" for kind in TeacherType}


def test_a_unified_hierarchy_without_levels_needs_no_owner_yet():
    assert profile_with(hierarchies__general={"group_type": "unified"}).hierarchies.general.owners == ()


def test_levels_are_called_by_their_path_and_those_of_a_user_type_are_told_apart():
    own = {"display_name": {"type": "static", "value": "Own"}}
    levels = {"levels": {"grade": {}, "stream": {"mappings": own}}}
    hierarchies = profile_with(hierarchies={"general": levels, "student": levels, "teacher": levels}).hierarchies

    def name(hierarchy, level=Level.GRADE):
        return hierarchy.levels[level].mappings["display_name"]

    assert (name(hierarchies.general).type, name(hierarchies.general).value) == ("property", "path")
    for hierarchy in (hierarchies.student, hierarchies.teacher):
        shown = render(name(hierarchy).value, {"path": "Lycee / 7th grade", "hierarchy": "students"})
        assert shown == "Lycee / 7th grade (students)"
        assert name(hierarchy, Level.STREAM).value == "Own"


def test_the_description_of_a_node_says_who_is_in_it():
    row = profile_with(hierarchies__general={"levels": {"grade": {}}}).hierarchies.general.levels[Level.GRADE]

    said = render(row.mappings["description"].value, {"path": "Lycee", "hierarchy": "students"})

    assert said == "Students of Lycee, as the school's register has them."


@pytest.mark.parametrize(
    ("create", "hidden"),
    [
        ("nothing", set()),
        ("group", {Level.GROUP}),
        ("subject", {Level.SUBJECT}),
        ("group_subject", {Level.GROUP, Level.SUBJECT}),
    ],
)
def test_levels_that_teams_uses_are_hidden_and_it_is_said_what_became_of_them(create, hidden):
    on = {"levels": {level.value: {} for level in reversed(Level)}}
    profile = profile_with(
        teams__create=create, hierarchies__general=on, hierarchies__student={"levels": {"group": {}}}
    )

    assert hidden_levels(profile.teams) == hidden
    in_use = levels_in_use(profile.hierarchies.general, profile.teams)
    assert in_use == tuple(level for level in Level if level not in hidden)
    said = what_became(profile)
    assert len(said) == len(hidden) + (Level.GROUP in hidden)
    assert all(
        f"teams.create is {create}" in sentence and "left as they are and listed" in sentence for sentence in said
    )
    assert [sentence.partition(":")[0] for sentence in said if "student" in sentence] == (
        ["hierarchies.student.levels.group"] if Level.GROUP in hidden else []
    )


def test_everything_offered_for_teams_and_nodes_is_explained_and_greyed_with_a_reason():
    for kind in (OF_TEAMS, OF_NODES):
        texts = [
            *kind.properties.values(),
            *(target.meaning for target in kind.targets.values()),
            *kind.locked.values(),
        ]
        assert all(len(text) > 10 for text in texts)
    offered = {choice.target: choice.grey for choice in OF_TEAMS.choices(suggested().teams.mappings)}
    assert (offered["display_name"], offered["class_code"], offered["visibility"]) == (
        "required",
        "already mapped",
        "set elsewhere",
    )
    assert {choice.target: choice.grey for choice in OF_NODES.choices({})}["mail_nickname"] == ""


@pytest.mark.parametrize(
    ("shape", "fields", "name"),
    [
        ("title", {"name": "7A Maths"}, "7A Maths"),
        ("group subject", {"group": "7A", "subject": "Maths"}, "7A Maths"),
        ("subject group", {"group": "7A", "subject": "Maths"}, "Maths 7A"),
        ("subject group", {"group": "", "subject": "Maths"}, "Maths"),
    ],
)
def test_a_document_of_the_third_form_keeps_how_teams_are_called_and_everything_else(shape, fields, name):
    old = {
        "document_version": 3,
        "academic_period": "2026-2027",
        "teams": {"create": "nothing", "display_name": shape, "match": "nothing"},
        "enrolments": {"student": "none", "keep_previous": True, "teachers": {"mentor": "owner"}},
        "users": {"lead_days": 3},
        "left_out": {"people": ["p1"]},
    }

    now = parse(old)

    row = now.teams.mappings["display_name"]
    assert (render(row.value, fields) if row.type == "expression" else fields[row.value]) == name
    assert {target: each for target, each in now.teams.mappings.items() if target != "display_name"} == {
        target: each for target, each in suggested().teams.mappings.items() if target != "display_name"
    }
    assert (now.teams.create, now.teams.match) == ("nothing", "nothing")
    assert (now.enrolments.student, now.enrolments.keep_previous) == ("none", True)
    assert now.enrolments.teachers[TeacherType.MENTOR] == "owner"
    assert (now.academic_period, now.users.lead_days, now.left_out.people) == ("2026-2027", 3, ("p1",))
    assert now.hierarchies == Hierarchies()


@pytest.mark.parametrize(
    ("teams", "place"),
    [
        ({"display_name": "upside down"}, "teams.display_name"),
        ([], "teams"),
        ({"display_name": []}, "teams.display_name"),
    ],
)
def test_a_mistake_in_a_document_of_the_third_form_is_still_told(teams, place):
    assert place in [found for found, _ in mistakes_of({"document_version": 3, "teams": teams})]


@pytest.mark.parametrize("version", range(1, CURRENT))
def test_a_document_of_any_form_that_says_nothing_becomes_the_suggested_one(version):
    assert set(UPGRADES) == set(range(1, CURRENT))
    assert parse({"document_version": version}) == suggested()
    assert "users" in [place for place, _ in mistakes_of({"document_version": version, "users": ["x"]})]


def test_the_new_settings_travel_as_yaml_and_are_explained_there():
    profile = profile_with(
        teams__extra_owners=[{"person": "p1"}, {"location": "L1", "person": "p2"}],
        enrolments__sync_start_date="2026-09-14",
        hierarchies__general=UNIFIED | {"make_team": True, "hide_in_outlook": True},
        hierarchies__student={"levels": {"stream": {"match": "nothing"}}},
    )
    exported = Exported("Year", None, None, profile)
    text = to_yaml(exported)

    assert from_yaml(text) == exported
    assert from_yaml(text.replace("'2026-09-14'", "2026-09-14")) == exported
    assert profile.enrolments.sync_start_date == dt.date(2026, 9, 14)
    assert "# Make each unified group a team too." in text
    assert "# The hierarchy of students alone." in text


def test_a_level_that_is_switched_on_and_a_new_owner_are_told_as_differences():
    after = profile_with(
        hierarchies__general={"levels": {"grade": {"mappings": NAMED}}},
        teams__extra_owners=[{"location": "L1", "person": "p2"}],
    )

    before, now = (profile.model_dump(mode="json") for profile in (suggested(), after))
    level = "{match: name, mappings: {display_name: {type: property, value: path, casing: none, on_creation_only: no}}}"
    assert [str(each) for each in differences(before, now)] == [
        "teams.extra_owners: (nothing) -> {location: L1, person: p2}",
        f"hierarchies.general.levels.grade: (nothing) -> {level}",
    ]


def test_every_setting_of_the_new_parts_stands_in_the_published_schema():
    text = (Path(__file__).parents[2] / "docs" / "profile-schema.json").read_text(encoding="utf-8")

    assert all(f'"{name}"' in text for name in ("extra_owners", "sync_start_date", "remove_unknown", "make_team"))
