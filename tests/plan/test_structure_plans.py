"""Plans of the school's structure: what a narrowed scope leaves alone, and what it weighs to take a group out of another."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from tests.desired.lycee import Lycee, profile_with
from tests.world import Tenant, told

from rollbook.plan.changes import Cause, Kind
from rollbook.profiles import Profile, parse


def two_grades(students: int = 2) -> Lycee:
    """A teacher of grades 7 and 8, which have a subject in common, and a pupil of grade 7 who learns in grade 8 alone."""
    school = Lycee()
    school.klass("7 Maths", "Maths", group="7A", grade="7").klass("8 Maths", "Maths", group="8B", grade="8")
    for number in range(students):
        school.student(f"Seventh{number}", "7 Maths", grade="7").student(f"Eighth{number}", "8 Maths", grade="8")
    school.student("Ahead", "8 Maths", grade="7")
    return school.teacher("Eleni", "7 Maths", "8 Maths")


def narrowed(profile: Profile, **settings: Any) -> Profile:
    return parse(profile.model_dump(mode="json") | settings)


SCOPES = [
    {"scope": {"grades": ["7"]}},
    {"scope": {"groups": ["7a"]}},
    {"scope": {"people": ["seventh0", "eleni"]}},
    {"left_out": {"people": ["eighth0"], "classes": ["8-maths"]}},
]


@pytest.mark.parametrize("scope", SCOPES, ids=["grade", "group", "pilot", "left out"])
@pytest.mark.parametrize("hierarchy", [{}, {"group_type": "unified", "owners": ["eleni"]}], ids=["security", "unified"])
def test_a_narrowed_scope_takes_nobody_out_of_what_is_outside_it(scope, hierarchy):
    whole = profile_with(["institute", "grade"], ["grade", "group"], teams="subject", **hierarchy)
    school, tenant = two_grades(), Tenant()
    for _ in range(2):
        tenant.apply(tenant.plan(school, profile=whole))
    assert told(tenant.plan(school, profile=whole)) == []

    assert told(tenant.plan(school, profile=narrowed(whole, **scope))) == []


def test_inside_a_narrowed_scope_people_are_still_moved():
    whole = profile_with(["institute", "grade"], teams="subject")
    school, tenant = two_grades(), Tenant()
    school.klass("7 Art", "Art", group="7B", grade="7").student("Other", "7 Art", grade="7").teacher("Nikos", "7 Art")
    for _ in range(2):
        tenant.apply(tenant.plan(school, profile=whole))
    moving = school.tables["enrolments"][0]
    moving["klass"] = 3

    plan = tenant.plan(school, profile=narrowed(whole, scope={"grades": ["7"]}))

    assert told(plan) == [f"ADD_MEMBER 10003 {moving['person']}", f"REMOVE_MEMBER 10001 {moving['person']}"]


def test_a_group_stays_in_the_upper_one_while_the_new_place_of_whoever_is_in_it_waits():
    before = profile_with(["institute", "grade", "group"])
    after = profile_with(["institute", "group"])
    document = after.model_dump(mode="json")
    document["hierarchies"]["general"]["levels"]["group"]["match"] = "name"
    school, tenant = two_grades(), Tenant()
    tenant.apply(tenant.plan(school, profile=before))
    wanted = {
        row["display_name"]
        for row in tenant.plan(school, profile=after)
        .details.select(pl.col("after").str.json_path_match("$.display_name").alias("display_name"))
        .iter_rows(named=True)
    } - {None}
    (named_7a,) = [name for name in wanted if "7A" in name]
    for number in range(2):
        tenant.groups.append({"object_id": f"foreign-{number}", "kind": "security", "display_name": named_7a})

    plan = tenant.plan(school, profile=parse(document))
    tenant.apply(plan)

    waiting = plan.changes.filter(pl.col("cause") == int(Cause.NOT_REPLACED))
    taken_out = plan.changes.filter(pl.col("cause") == int(Cause.NOT_NESTED))
    assert (waiting.height, taken_out.height) == (1, 1)
    assert tenant.plan(school, profile=parse(document)).counts["changes"] == 0


def test_an_owner_who_is_a_member_by_a_class_outside_the_scope_stays_a_member():
    whole = profile_with(["institute"], teams="group")
    school, tenant = Lycee(), Tenant()
    school.klass("7 Maths", "Maths", group="7A", grade="7").klass("7 Art", "Art", group="7A", grade="7")
    school.teacher("Tina", "7 Maths").teacher("Olga", "7 Maths").student("Maria", "7 Maths", "7 Art")
    school.tables["teachings"].append(
        school.tables["teachings"][0] | {"teaching": 99, "sourced_id": "t99", "klass": 2, "teacher_type": "mentor"}
    )
    teachers = whole.model_dump(mode="json")["enrolments"]["teachers"] | {"mentor": "member"}
    whole = narrowed(whole, enrolments=whole.model_dump(mode="json")["enrolments"] | {"teachers": teachers})
    for _ in range(2):
        tenant.apply(tenant.plan(school, profile=whole))
    del school.tables["teachings"][0]

    plan = tenant.plan(school, profile=narrowed(whole, left_out={"people": [], "classes": ["7-art"]}))

    assert [line.split()[0] for line in told(plan)] == ["DEMOTE_OWNER"]


@pytest.mark.parametrize(("leaving", "people"), [(0, 2), (60, 61)], ids=["everybody moves on", "a grade leaves"])
def test_a_group_that_is_taken_out_counts_as_the_people_who_are_out_of_the_upper_group_by_that(leaving, people):
    before, after = profile_with(["institute", "grade", "group"]), profile_with(["institute", "group"])
    school, tenant = two_grades(students=60), Tenant()
    tenant.apply(tenant.plan(school, profile=before))
    for number in range(leaving):
        school.leaves(f"Eighth{number}")

    plan = tenant.plan(school, profile=after)

    removals = plan.changes.filter(plan.changes["kind"] == int(Kind.REMOVE_MEMBER))
    assert [Cause(cause) for cause in removals["cause"]] == [Cause.NOT_NESTED, Cause.NOT_NESTED]
    (objection,) = [each for each in plan.objections if each.code == "members-removed"] or [None]
    assert (objection.count if objection else 2) == people
