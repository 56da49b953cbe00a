"""The sample school: seeded, any size, and as hard as a real one."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from rollbook import sample, sources


@pytest.fixture(scope="module")
def roster(tmp_path_factory: pytest.TempPathFactory):
    folder: Path = tmp_path_factory.mktemp("school")
    sample.write(sample.school(2_000), folder)
    reading = sources.read(folder)
    assert reading.verdict.value == "usable"
    return reading.roster


@pytest.mark.parametrize("people", [100, 731, 5_000])
def test_a_school_of_any_size_is_read_back_without_a_rejection(tmp_path: Path, people: int):
    sample.write(sample.school(people), tmp_path)

    reading = sources.read(tmp_path)

    assert reading.verdict.value == "usable"
    assert reading.roster.people.height == people


def test_an_equal_seed_gives_an_equal_school_and_another_another():
    assert sample.school(300, seed=4) == sample.school(300, seed=4)
    assert sample.school(300, seed=4) != sample.school(300, seed=5)


def test_there_are_name_twins_several_alphabets_and_people_of_two_types(roster):
    named = roster.people.join(roster.affiliations.filter(user_type="student"), on="person")
    twins = named.group_by("given_name", "family_name").len().filter(pl.col("len") > 1)
    letters = "".join(roster.people["family_name"])
    types = roster.affiliations.group_by("person").agg(pl.col("user_type").n_unique())

    assert twins.height >= 10
    for one_of_an_alphabet in "πüń王د":
        assert one_of_an_alphabet in letters
    assert types.filter(pl.col("user_type") > 1).height >= 3


def test_there_are_leavers_late_enrolments_assistants_and_classes_without_a_teacher(roster):
    teacherless = roster.classes.join(roster.teachings, on="klass", how="anti")

    assert roster.people.filter(~pl.col("active")).height >= 10
    assert roster.enrolments["begin"].n_unique() > 5
    assert roster.enrolments["end"].n_unique() > 5
    assert "assistant" in roster.teachings["teacher_type"].to_list()
    assert 1 <= teacherless.height <= roster.classes.height * 0.01


def test_teachers_have_several_classes_and_parents_several_children(roster):
    assert roster.teachings.group_by("person").len()["len"].median() >= 3
    assert roster.guardianships.group_by("parent").len()["len"].max() >= 2


def test_there_are_several_locations_grades_and_groups(roster):
    assert roster.locations.height >= 4
    assert roster.grades.height == 12
    assert roster.groups.height > 50


def test_nobody_has_an_address_that_could_be_real(roster):
    assert all(mail.endswith(".example") for mail in roster.people["email"].drop_nulls())
