"""Which of several sources counts: rules over rows in order of precedence."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from rollbook.roster.precedence import attached, counting, of_first_source

SCHEMA = {"key": pl.Int64, "rank": pl.Int64, "corrects": pl.Boolean}
rows = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.booleans()), max_size=12)


def ordered(said) -> pl.DataFrame:
    """Rows as they are read: the source that counts most first."""
    return pl.DataFrame(sorted(said, key=lambda row: row[1]), schema=SCHEMA, orient="row")


@given(rows)
def test_the_first_row_of_each_record_counts_if_anybody_says_it_for_itself(said):
    frame = ordered(said)
    expected = {}
    for key, rank, corrects in frame.iter_rows():
        if any(not other for k, _, other in frame.iter_rows() if k == key):
            expected.setdefault(key, (key, rank, corrects))

    assert counting(frame, ["key"]).rows() == list(expected.values())


@given(rows)
def test_whoever_a_source_says_something_of_has_all_from_there(said):
    frame = ordered(said)
    best = {key: min(r for k, r, _ in said if k == key) for key, _, _ in said}

    assert of_first_source(frame, "key").rows() == [row for row in frame.iter_rows() if row[1] == best[row[0]]]


def test_what_leads_nowhere_is_left_out():
    frame = ordered([(1, 0, False), (2, 0, False)])

    assert attached(frame, "key", pl.Series("other", [2, 3]))["key"].to_list() == [2]
