"""Which group a class belongs to."""

from __future__ import annotations

import polars as pl

from rollbook.roster.groups import group_classes

HOME_A, HOME_B, MATHS, MIXED, EMPTY, PART, DOUBLE = 1, 2, 3, 4, 5, 6, 7


def homes() -> dict[int, int]:
    classes = pl.DataFrame(
        {
            "klass": [HOME_A, HOME_B, MATHS, MIXED, EMPTY, PART, DOUBLE],
            "kind": ["homeroom", "homeroom", *["scheduled"] * 5],
        }
    )
    rows = [(1, HOME_A), (2, HOME_A), (3, HOME_B), (1, MATHS), (2, MATHS), (1, MIXED), (3, MIXED), (1, PART), (9, PART)]
    rows += [(4, HOME_A), (4, HOME_B), (4, DOUBLE), (3, DOUBLE)]
    enrolments = pl.DataFrame(rows, schema={"person": pl.Int64, "klass": pl.Int64}, orient="row")
    return dict(group_classes(classes, enrolments).iter_rows())


def test_a_homeroom_is_its_own_group():
    assert homes()[HOME_A] == HOME_A


def test_a_class_whose_students_all_share_a_homeroom_belongs_to_it():
    assert homes()[MATHS] == HOME_A


def test_a_class_of_several_homerooms_or_of_strangers_is_its_own_group():
    assert homes()[MIXED] == MIXED
    assert homes()[PART] == PART


def test_a_class_without_students_is_its_own_group():
    assert homes()[EMPTY] == EMPTY


def test_a_student_of_two_homerooms_counts_in_the_one_the_others_share():
    assert homes()[DOUBLE] == HOME_B
