"""Which enrolments the sync start date holds back."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.profiles.making import profile_with
from tests.world import AUTUMN, BEGIN, School

from rollbook.desired.current import current_enrolments
from rollbook.desired.held import held_enrolments, with_held

START = dt.date(2026, 9, 15)
LATE = dt.date(2026, 9, 20)
NONE = pl.Series([], dtype=pl.Int64)


def a_school() -> School:
    """Maria began with the year, Jan after the start date; Yael too, but again in the same class before."""
    school = School().klass("7A Maths", teachers=["Nikos Vasilakis"], students=["Maria Papadaki", "Yael Cohen"])
    school.klass("7A Maths", students=["Jan Kowalski", "Yael Cohen"], begin=LATE)
    return school.klass("Art", students=["Maria Papadaki"])


def held(school: School, released: pl.Series = NONE, as_of: dt.date = AUTUMN, **settings: object) -> list[str]:
    """Who is held where, as "Maria in 7A Maths"."""
    roster = school.roster()
    profile = profile_with(**{"enrolments__sync_start_date": str(START)} | settings)
    found = held_enrolments(roster, profile, as_of, released)
    names = dict(roster.people.select("person", "given_name").iter_rows())
    titles = dict(roster.classes.select("klass", "title").iter_rows())
    return sorted(f"{names[row['person']]} in {titles[row['klass']]}" for row in found.to_dicts())


def test_a_student_who_began_before_the_day_is_held_in_each_class_and_who_began_on_it_or_later_is_not():
    school = a_school().klass("7B", students=["On Theday"], begin=START)

    assert held(school) == ["Maria in 7A Maths", "Maria in Art"]


def test_without_a_sync_start_date_nobody_is_held():
    assert held(a_school(), enrolments__sync_start_date=None) == []


def test_what_was_released_is_not_held_and_the_other_enrolments_of_the_person_are():
    roster = a_school().roster()
    art = roster.classes.filter(title="Art").select("klass")
    released = roster.enrolments.join(art, on="klass", how="semi")["enrolment"]

    assert held(a_school(), released) == ["Maria in 7A Maths"]


def test_somebody_who_came_again_after_the_day_is_not_held_for_having_been_there_before():
    assert "Yael in 7A Maths" not in held(a_school())
    only_before = a_school().drops("Yael Cohen", "7A Maths").klass("7A Maths", students=["Yael Cohen"])
    assert "Yael in 7A Maths" in held(only_before)


def test_an_enrolment_that_ended_does_not_let_the_current_one_through():
    school = School().klass("Art", students=["Maria Papadaki"])
    school.klass("Art", students=["Maria Papadaki"], begin=LATE, end=dt.date(2026, 9, 25))

    assert held(school) == ["Maria in Art"]


def test_an_enrolment_without_a_begin_is_not_held():
    school = a_school()
    for row in school.enrolments:
        row["begin"] = None

    assert held(school) == []


def test_teachers_are_never_held():
    assert not [line for line in held(a_school()) if "Nikos" in line]


@pytest.mark.parametrize(
    "settings",
    [
        {"teams__create": "nothing"},
        {"enrolments__student": "none"},
        {"users__actions__student": {"create": False, "update": False, "deactivate": False, "sso": False}},
    ],
)
def test_where_no_student_would_be_in_a_team_nobody_is_held(settings):
    assert held(a_school(), **settings) == []


def test_who_and_what_the_profile_leaves_out_is_not_listed():
    assert held(a_school(), left_out__classes=["c2"]) == ["Maria in 7A Maths"]
    assert held(a_school(), left_out__people=["p2"]) == []
    assert held(a_school().leaves("Maria Papadaki")) == []


def test_who_is_held_is_current_all_the_same():
    school = a_school()
    profile = profile_with(enrolments__sync_start_date=str(START))

    assert current_enrolments(school.roster(), profile, AUTUMN).height == len(school.enrolments)


ENROLMENTS = st.lists(
    st.tuples(st.integers(1, 3), st.integers(1, 2), st.sampled_from([None, BEGIN, START, LATE]), st.booleans()),
    max_size=12,
)


@given(ENROLMENTS, st.sampled_from([None, BEGIN, START, LATE]))
def test_somebody_is_held_in_a_class_exactly_if_each_of_their_enrolments_is(rows, since):
    numbered = list(enumerate(rows, start=1))
    frame = pl.DataFrame(
        [(number, person, klass, begin) for number, (person, klass, begin, _) in numbered],
        schema={"enrolment": pl.Int64, "person": pl.Int64, "klass": pl.Int64, "begin": pl.Date},
        orient="row",
    )
    released = pl.Series([number for number, row in numbered if row[3]], dtype=pl.Int64)
    marked = with_held(frame, since, released)

    for (person, klass, _, _), is_held in zip(rows, marked["held"], strict=True):
        theirs = [row for row in rows if row[:2] == (person, klass)]
        expected = all(since and begin and begin < since and not free for _, _, begin, free in theirs)
        assert is_held is bool(expected)
