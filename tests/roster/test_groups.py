"""Which group a class belongs to."""

from __future__ import annotations

import datetime as dt

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from rollbook.roster.groups import group_classes

HOME_A, HOME_B, MATHS, MIXED, EMPTY, PART, DOUBLE = 1, 2, 3, 4, 5, 6, 7
NEXT = 100
"""Added to a class: the same of the next school year."""
THIS_YEAR, NEXT_YEAR = (
    (dt.date(2026, 8, 24), dt.date(2027, 8, 1)),
    (dt.date(2027, 7, 20), dt.date(2028, 7, 1)),
)
TERM = (dt.date(2026, 8, 24), dt.date(2027, 1, 25))
CLASS_A = [(person, klass) for person in range(1, 5) for klass in (HOME_A, MATHS)]


def homes(
    rows: list[tuple[int, int]],
    former: dict[int, int] | None = None,
    *,
    spans: dict[int, tuple[dt.date, dt.date]] | None = None,
    left: set[tuple[int, int]] = frozenset(),
    without: set[int] = frozenset(),
) -> dict[int, int]:
    """What stands for each class; `left` are enrolments that do not count, `without` classes that are not there."""
    known = [k for k in (HOME_A, HOME_B, MATHS, MIXED, EMPTY, PART, DOUBLE) if k not in without]
    every = [*known, *sorted({klass for _, klass in rows if klass > NEXT})]
    classes = pl.DataFrame(
        [
            (
                k,
                "homeroom" if k % NEXT in (HOME_A, HOME_B) else "scheduled",
                *((spans or {}).get(k) or (NEXT_YEAR if k > NEXT else THIS_YEAR)),
            )
            for k in every
        ],
        schema={"klass": pl.Int64, "kind": pl.String, "begin": pl.Date, "end": pl.Date},
        orient="row",
    )
    enrolments = pl.DataFrame(
        [(*row, row not in left) for row in rows],
        schema={"person": pl.Int64, "klass": pl.Int64, "counts": pl.Boolean},
        orient="row",
    )
    before = pl.DataFrame(list((former or {}).items()), schema={"klass": pl.Int64, "home": pl.Int64}, orient="row")
    return dict(group_classes(classes, enrolments, before).iter_rows())


SCHOOL = [(1, HOME_A), (2, HOME_A), (3, HOME_B), (1, MATHS), (2, MATHS), (1, MIXED), (3, MIXED), (1, PART), (9, PART)]
SCHOOL += [(4, HOME_A), (4, HOME_B), (4, DOUBLE), (3, DOUBLE)]


def test_a_homeroom_is_its_own_group():
    assert homes(SCHOOL)[HOME_A] == HOME_A


def test_a_class_whose_students_all_share_a_homeroom_belongs_to_it():
    assert homes(SCHOOL)[MATHS] == HOME_A


def test_a_class_of_several_homerooms_or_of_strangers_is_its_own_group():
    assert homes(SCHOOL)[MIXED] == MIXED
    assert homes(SCHOOL)[PART] == PART


def test_a_class_without_students_is_its_own_group():
    assert homes(SCHOOL)[EMPTY] == EMPTY


def test_a_student_of_two_homerooms_counts_in_the_one_the_others_share():
    assert homes(SCHOOL)[DOUBLE] == HOME_B


def test_a_class_keeps_its_group_when_a_guest_joins_and_when_half_of_it_are_guests():
    guests = [(person, MATHS) for person in range(11, 15)]

    assert homes([*CLASS_A, (11, MATHS), (11, HOME_B)])[MATHS] == MATHS
    assert homes([*CLASS_A, (11, MATHS), (11, HOME_B)], {MATHS: HOME_A})[MATHS] == HOME_A
    assert homes([*CLASS_A, *guests], {MATHS: HOME_A})[MATHS] == HOME_A


def test_a_class_most_of_whose_students_are_elsewhere_or_whose_homeroom_is_gone_is_derived_anew():
    moved = [(person, klass) for person in range(11, 16) for klass in (HOME_B, MATHS)]

    assert homes([*CLASS_A, *moved], {MATHS: HOME_A})[MATHS] == MATHS
    assert homes(moved, {MATHS: HOME_A})[MATHS] == HOME_B
    assert homes([(1, MATHS), (1, HOME_B)], {MATHS: HOME_A}, without={HOME_A})[MATHS] == HOME_B


def test_a_class_that_is_empty_for_a_while_or_has_a_group_of_its_own_keeps_it():
    assert homes([(1, HOME_A)], {MATHS: HOME_A})[MATHS] == HOME_A
    assert homes(CLASS_A, {MATHS: MATHS})[MATHS] == MATHS


def test_next_years_classes_beside_this_years_change_nothing_of_either():
    """Two years that overlap by some days of summer; everybody goes up into the other homeroom, but for one guest."""
    next_year = [(person, klass + NEXT) for person, klass in CLASS_A if klass != HOME_A] + [
        (person, HOME_B + NEXT) for person in range(1, 5)
    ]

    both = homes([*CLASS_A, *next_year])

    assert (both[MATHS], both[MATHS + NEXT]) == (HOME_A, HOME_B + NEXT)


def test_a_homeroom_of_the_year_stands_for_a_class_of_a_term_and_none_of_another_year_does():
    assert homes(CLASS_A, spans={MATHS: TERM})[MATHS] == HOME_A
    assert homes(CLASS_A, spans={MATHS: NEXT_YEAR})[MATHS] == MATHS
    assert homes(CLASS_A, {MATHS: HOME_A}, spans={MATHS: NEXT_YEAR})[MATHS] == MATHS


def test_who_has_left_a_class_or_a_homeroom_is_not_asked():
    moved = [*CLASS_A, (11, HOME_B), (11, MATHS), (11, HOME_A)]

    assert homes(moved, left={(11, MATHS)})[MATHS] == HOME_A
    assert homes([*moved, (11, PART)], left={(11, HOME_A)})[PART] == HOME_B


def test_a_class_all_have_left_belongs_where_they_belonged():
    over = {(person, MATHS) for person in range(1, 5)} | {(1, HOME_A)}

    assert homes(CLASS_A, left=over)[MATHS] == HOME_A


PLACED = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from([HOME_A, HOME_B, MATHS, MIXED, DOUBLE])), max_size=60, unique=True
)


@given(PLACED)
def test_delivered_again_no_class_moves(rows):
    first = homes(rows)

    assert homes(rows, first) == first


@given(PLACED, st.tuples(st.integers(1, 12), st.sampled_from([MATHS, MIXED, DOUBLE])))
def test_one_more_student_moves_no_class_that_has_another_one(rows, joining):
    first = homes(rows)
    grown = list(dict.fromkeys([*rows, joining]))
    others = {person for person, klass in rows if klass == joining[1]} - {joining[0]}

    changed = {klass for klass, home in homes(grown, first).items() if home != first[klass]}

    assert not changed or (changed == {joining[1]} and not others)


@given(PLACED, PLACED)
def test_a_school_year_beside_another_is_derived_as_if_it_were_alone(rows, later):
    shifted = [(person, klass + NEXT) for person, klass in later]

    both = homes([*rows, *shifted])

    assert {k: v for k, v in both.items() if k < NEXT} == homes(rows)
    assert {k - NEXT: v - NEXT for k, v in both.items() if k > NEXT} == {
        k: v for k, v in homes(later).items() if k in {klass for _, klass in later}
    }
