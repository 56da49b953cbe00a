"""Which profile runs when: examples, and the rule held against every day (product.md section 3)."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.profiles import Slot, followed, overlaps, running, standing, timeline

DAY = dt.date
NOON = dt.datetime(2026, 8, 1, 12, tzinfo=dt.UTC)


def slot(name, begin=None, end=None, enabled=1, ever=None):
    """A profile; `enabled` counts up, 0 is not enabled."""
    at = NOON + dt.timedelta(hours=enabled) if enabled else None
    return Slot(name, begin, end, at, bool(enabled) if ever is None else ever)


YEAR = slot("Year", DAY(2026, 9, 1), DAY(2027, 6, 30))
SUMMER = slot("Summer", DAY(2027, 6, 1), DAY(2027, 8, 31), enabled=2)


@pytest.mark.parametrize(
    ("found", "day", "said"),
    [
        (slot("New", enabled=0), DAY(2026, 9, 1), "Draft"),
        (slot("Old", enabled=0, ever=True), DAY(2026, 9, 1), "Disabled"),
        (YEAR, DAY(2026, 8, 31), "Enabled from 2026-09-01"),
        (YEAR, DAY(2026, 9, 1), "Running"),
        (YEAR, DAY(2027, 6, 1), "Enabled behind Summer"),
        (SUMMER, DAY(2027, 6, 1), "Running"),
        (YEAR, DAY(2027, 7, 1), "Ended"),
        (slot("Gone", DAY(2025, 9, 1), DAY(2026, 6, 30), enabled=0), DAY(2026, 9, 1), "Ended"),
    ],
)
def test_what_a_profile_is_on_a_day(found, day, said):
    assert str(standing(found, [YEAR, SUMMER, found], day)) == said


def test_of_two_that_begin_together_the_one_enabled_last_runs():
    first, last = slot("First", DAY(2026, 9, 1), enabled=1), slot("Last", DAY(2026, 9, 1), enabled=2)

    assert running([first, last], DAY(2026, 10, 1)) == last


def test_one_that_begins_on_a_day_goes_before_one_that_is_always_open():
    assert running([slot("Always", enabled=5), YEAR], DAY(2026, 10, 1)) == YEAR


def test_the_timeline_says_who_runs_when_and_leaves_gaps_out():
    later = slot("Later", DAY(2027, 10, 1), DAY(2027, 12, 31), enabled=3)

    assert [(s.begin, s.end, s.name) for s in timeline([YEAR, SUMMER, later])] == [
        (DAY(2026, 9, 1), DAY(2027, 5, 31), "Year"),
        (DAY(2027, 6, 1), DAY(2027, 8, 31), "Summer"),
        (DAY(2027, 10, 1), DAY(2027, 12, 31), "Later"),
    ]


def test_who_meets_whom():
    assert overlaps(YEAR, [YEAR, SUMMER, slot("Draft", enabled=0)]) == ["Summer"]
    assert overlaps(slot("Then", DAY(2027, 9, 1)), [YEAR, SUMMER]) == []


days = st.dates(DAY(2026, 1, 1), DAY(2026, 2, 15))


@st.composite
def schedules(draw):
    """Some profiles with distinct names and moments of enabling."""
    found = []
    for number in range(draw(st.integers(0, 5))):
        begin, end = draw(st.none() | days), draw(st.none() | days)
        if begin is not None and end is not None and end < begin:
            begin, end = end, begin
        found.append(slot(f"P{number}", begin, end, enabled=draw(st.sampled_from([0, number + 1]))))
    return found


@given(schedules(), days)
def test_on_every_day_exactly_one_enabled_profile_runs_and_everything_agrees(slots, day):
    runs = running(slots, day)
    among = [s for s in slots if s.enabled_at is not None and s.holds(day)]
    said = [s.name for s in slots if str(standing(s, slots, day)) == "Running"]
    shown = [s.name for s in timeline(slots) if (s.begin or dt.date.min) <= day <= (s.end or dt.date.max)]

    assert said == shown == ([] if runs is None else [runs.name])
    assert (runs is None) == (not among)
    assert all((s.begin or dt.date.min) <= (runs.begin or dt.date.min) for s in among if runs)


@given(schedules(), st.randoms())
def test_the_order_in_which_profiles_are_listed_does_not_matter(slots, chance):
    shuffled = list(slots)
    chance.shuffle(shuffled)

    assert timeline(shuffled) == timeline(slots)


def test_settings_that_count_between_synchronizations_are_those_of_today_else_of_the_last_that_ran():
    off = slot("Off", enabled=0, ever=True)
    ran = {"Year": NOON, "Off": NOON - dt.timedelta(days=300)}

    assert followed([YEAR, SUMMER, off], DAY(2027, 6, 15), ran) == SUMMER
    assert followed([YEAR, SUMMER, off], DAY(2028, 1, 1), ran) == YEAR
    assert followed([off], DAY(2028, 1, 1), ran) == off
    assert followed([YEAR, off], DAY(2026, 8, 1), {}) is None
