"""Which school years are the same, and what each is known by."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.roster.periods import YEAR, told_apart

Told = list[tuple[str, str, str]]


def ids(delivered: Told, former: Told | tuple[()] = ()) -> list[str]:
    """What each year that is delivered is known by, where these were known."""

    def frame(rows: Told | tuple[()]) -> pl.DataFrame:
        dated = [(name, dt.date.fromisoformat(begin), dt.date.fromisoformat(end)) for name, begin, end in rows]
        return pl.DataFrame(dated, schema=YEAR, orient="row")

    return told_apart(frame(delivered).with_row_index("period", 1).cast({"period": pl.Int64}), frame(former))[
        "sourced_id"
    ].to_list()


FIRST, SECOND = ("y", "2026-09-01", "2027-07-01"), ("y", "2027-09-01", "2028-07-01")


def test_a_new_year_and_one_that_comes_again_are_known_by_their_own_ids():
    assert ids([FIRST]) == ["y"]
    assert ids([FIRST], [FIRST]) == ["y"]
    assert ids([FIRST, ("z", *SECOND[1:])], [FIRST]) == ["y", "z"]


@pytest.mark.parametrize("other", [("y", "2026-08-15", "2027-07-20"), ("y", "2026-09-01", "2027-01-31")])
def test_a_year_whose_dates_are_corrected_is_the_same(other):
    assert ids([other], [FIRST]) == ["y"]


@pytest.mark.parametrize("begin", ["2027-09-01", "2027-06-20"])
def test_an_id_used_again_is_another_year_also_if_the_two_overlap_by_some_days(begin):
    again = ("y", begin, SECOND[2])

    assert ids([again], [FIRST]) == [f"y@{begin}"]
    assert ids([again], [FIRST, (f"y@{begin}", *again[1:])]) == [f"y@{begin}"]
    assert ids([FIRST], [FIRST, (f"y@{begin}", *again[1:])]) == ["y"]


def test_an_id_that_looks_like_one_told_apart_but_is_delivered_itself_is_left_to_its_year():
    real = ("y@2026-09-01", *FIRST[1:])

    assert ids([FIRST, real]) == ["y", "y@2026-09-01"]
    assert ids([FIRST, real], [real]) == ["y", "y@2026-09-01"]


def test_a_wrong_year_that_was_corrected_is_joined_again_by_dates_that_span_both():
    wrong, right = ("y", "2062-09-01", "2063-07-01"), ("y", "2026-09-01", "2027-07-01")
    span = ("y", "2026-09-01", "2063-07-01")
    apart = [wrong, ("y@2026-09-01", *right[1:])]

    assert ids([right], [wrong]) == ["y@2026-09-01"]
    assert ids([span], apart) == ["y"]
    assert ids([right], [span, apart[1]]) == ["y"]


def test_ids_that_move_on_every_summer_leave_each_year_what_it_was():
    this, following, third = (
        ("current", "2025-09-01", "2026-07-01"),
        ("next", "2026-09-01", "2027-07-01"),
        ("next", "2027-09-01", "2028-07-01"),
    )
    assert ids([("current", *following[1:]), third], [this, following]) == ["next", "next@2027-09-01"]
    known = [this, following, ("next@2027-09-01", *third[1:])]
    fourth = ("next", "2028-09-01", "2029-07-01")
    assert ids([("current", *third[1:]), fourth], known) == ["next@2027-09-01", "next@2028-09-01"]


def test_years_derived_from_terms_have_one_id_each():
    assert ids([FIRST, SECOND]) == ["y", "y@2027-09-01"]
    assert ids([SECOND], [FIRST, ("y@2027-09-01", *SECOND[1:])]) == ["y@2027-09-01"]
    assert ids([FIRST, SECOND], [("y", FIRST[1], SECOND[2])]) == ["y", "y@2027-09-01"]
    assert ids([FIRST, SECOND, SECOND]) == ["y", "y@2027-09-01", "y@2027-09-01-2"]


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(2020, 2026)),
        min_size=1,
        max_size=8,
        unique_by=lambda told: told[1],
    )
)
def test_no_two_years_ever_share_an_id_and_each_keeps_its_own(told):
    known: dict[str, tuple[str, str, str]] = {}
    meant: dict[tuple[str, int], str] = {}
    for name, year in [*told, *told]:
        row = (name, f"{year}-09-01", f"{year + 1}-07-01")
        (own,) = ids([row], list(known.values()))
        assert meant.setdefault((name, year), own) == own
        known[own] = (own, *row[1:])
    assert len(set(meant.values())) == len(meant)
