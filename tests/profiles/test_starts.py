"""The times of a schedule: each once, a missed one once, whatever the clocks do."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.profiles.starts import Starts, last_full, last_look

ATHENS = ZoneInfo("Europe/Athens")


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("minutes", "now", "came"),
    [(120, "2026-11-25T13:59", "2026-11-25T12:00"), (60, "2026-11-25T13:00", "2026-11-25T13:00")],
)
def test_a_look_comes_every_so_many_minutes(minutes, now, came):
    assert last_look(Starts(every_minutes=minutes), at(now)).at == at(came)


def test_switched_off_nothing_comes():
    starts = Starts(every_minutes=None, full_at=None)

    assert last_look(starts, at("2026-11-25T12:00")) is None
    assert last_full(starts, at("2026-11-25T12:00"), ATHENS) is None


def test_the_nightly_one_is_a_time_of_the_institutes_clock():
    starts = Starts(full_at=dt.time(2, 30))

    assert last_full(starts, at("2026-07-01T00:00"), ATHENS).at == at("2026-06-30T23:30")
    assert last_full(starts, at("2026-12-01T00:00"), ATHENS).at == at("2026-11-30T00:30")


@pytest.mark.parametrize(
    ("night", "came"),
    [
        ("2026-03-29", "2026-03-29T01:30"),  # 03:30 does not exist: the clock goes from 03:00 to 04:00, at 01:00 UTC
        ("2026-10-25", "2026-10-25T00:30"),  # 03:30 comes twice: the first of both
    ],
)
def test_a_change_of_the_clock_neither_skips_nor_doubles_a_night(night, came):
    starts = Starts(full_at=dt.time(3, 30))
    minutes = [at(f"{night}T00:00") + dt.timedelta(minutes=n) for n in range(-120, 12 * 60)]

    seen = {(slot.name, slot.at) for now in minutes if (slot := last_full(starts, now, ATHENS)) and night in slot.name}

    assert seen == {(f"full:{night}", at(came))}


@given(
    st.integers(min_value=0, max_value=2 * 365 * 24 * 60),
    st.integers(min_value=5, max_value=1440),
    st.times(),
)
def test_every_time_has_a_name_of_its_own_and_lies_before_now(moment, minutes, full_at):
    starts = Starts(every_minutes=minutes, full_at=full_at.replace(second=0, microsecond=0))
    now = at("2026-01-01T00:00") + dt.timedelta(minutes=moment)

    look, full = last_look(starts, now), last_full(starts, now, ATHENS)

    assert dt.timedelta(0) <= now - look.at < dt.timedelta(minutes=minutes)
    assert dt.timedelta(0) <= now - full.at <= dt.timedelta(hours=26)
    later = last_look(starts, look.at + dt.timedelta(minutes=minutes))
    assert later.name != look.name
