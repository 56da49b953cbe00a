"""What becomes a team, mode by mode: the same people however the teams are cut."""

from __future__ import annotations

from collections import defaultdict

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.desired.lycee import Lycee
from tests.examples import examples
from tests.profiles.making import profile_with
from tests.world import AUTUMN

from rollbook.desired import current, managed_people, managed_teams
from rollbook.desired.held import with_held
from rollbook.desired.memberships import memberships

GROUPS, SUBJECTS = ("7A", "7B", "8A"), ("Maths", "Art", None)
NAMES = ("Maria", "Jan", "Eleni", "Nikos", "Petros")


@st.composite
def schools(draw: st.DrawFn) -> Lycee:
    """Classes of some groups and subjects, several of them of the same ones, with people who learn and teach in them."""
    school = Lycee()
    for number in range(draw(st.integers(1, 6))):
        school.klass(f"K{number}", draw(st.sampled_from(SUBJECTS)), group=draw(st.sampled_from(GROUPS)))
        for name in draw(st.lists(st.sampled_from(NAMES[:3]), unique=True)):
            school.student(name, f"K{number}")
        for name in draw(st.lists(st.sampled_from(NAMES[2:]), unique=True)):
            school.teacher(name, f"K{number}")
    return school


def people_of(school: Lycee, mode: str) -> dict[str, set[tuple[int, int]]]:
    """By key of a team: (person, relation) of everybody in it."""
    roster, profile = school.roster(), profile_with(teams__create=mode)
    managed = managed_teams(roster, profile, AUTUMN)
    nobody = roster.affiliations.clear().select("person", "user_type")
    people = managed_people(roster, profile, AUTUMN, nobody).filter("present").select("person", user="person")
    numbered = managed.teams.with_row_index("team", 1).with_columns(pl.col("team").cast(pl.Int64))
    inside = memberships(
        profile,
        with_held(current.current_enrolments(roster, profile, AUTUMN), None, pl.Series([], dtype=pl.Int64)),
        current.current_teachings(roster, profile, AUTUMN),
        people,
        managed.classes.join(numbered, on=["key", "period"]).select("klass", "team"),
    )
    found: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
    for key, user, relation in inside.join(numbered, on="team").select("key", "user", "relation").iter_rows():
        found[key].add((user, relation))
    return found


def parts(key: str) -> dict[str, str]:
    """ "group_subject/group:7a/subject:maths" as its parts."""
    return dict(part.split(":") for part in key.split("/")[1:])


def groups_of_classes(school: Lycee) -> dict[str, str]:
    """By sourced id of a class: the sourced id of its group."""
    roster = school.roster()
    joined = roster.classes.join(roster.groups.select("group", group_id="sourced_id"), on="group")
    return dict(joined.select("sourced_id", "group_id").iter_rows())


@settings(max_examples=examples(30))
@given(schools())
def test_a_team_of_a_group_holds_whoever_is_in_the_teams_of_the_group_and_a_subject(school: Lycee):
    group_of, union = groups_of_classes(school), defaultdict(set)
    for key, people in people_of(school, "group_subject").items():
        said = parts(key)
        # A class without a subject is a team of its own; it belongs to its group all the same.
        union[said.get("group") or group_of[said["class"]]] |= people

    assert {parts(key)["group"]: people for key, people in people_of(school, "group").items()} == dict(union)


@settings(max_examples=examples(30))
@given(schools())
def test_a_team_of_a_subject_holds_whoever_is_in_the_teams_of_the_subject_and_a_group(school: Lycee):
    union = defaultdict(set)
    for key, people in people_of(school, "group_subject").items():
        if "subject" in parts(key):
            union[parts(key)["subject"]] |= people

    assert {parts(key)["subject"]: people for key, people in people_of(school, "subject").items()} == dict(union)


def test_two_classes_of_one_group_and_subject_are_one_team():
    school = Lycee().klass("Set 1", "Maths", group="7A").klass("Set 2", "Maths", group="7A")
    school.student("Maria", "Set 1").student("Jan", "Set 2").teacher("Nikos", "Set 1")

    assert list(people_of(school, "group_subject")) == ["group_subject/group:7a/subject:maths"]


def test_a_class_without_a_subject_is_a_team_of_its_own_and_no_team_of_a_subject():
    school = Lycee().klass("Homeroom 7A", group="7A").student("Maria", "Homeroom 7A")

    assert list(people_of(school, "group_subject")) == ["group_subject/class:homeroom-7a"]
    assert people_of(school, "subject") == {}


def test_with_nothing_there_is_no_team():
    assert people_of(Lycee().klass("K", "Maths", group="7A").student("Maria", "K"), "nothing") == {}
