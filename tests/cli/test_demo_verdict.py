"""When the demo says that it did what it promises."""

from __future__ import annotations

import pytest

from rollbook.cli.demo import succeeded


def document(changes=5_000, waiting=10, failed=0, again=0, writes=0, missing=0):
    return {
        "school": {"people": 300, "classes": 80},
        "first_sync": {"changes": changes, "waiting": waiting, "failed": failed},
        "second_sync": {"changes": again, "writes": writes},
        "proof": {"missing": missing, "extra": 0},
    }


@pytest.mark.parametrize(
    "good",
    [
        {},
        {"changes": 0, "waiting": 5},  # run again on the same state
        {"changes": 4, "waiting": 5},  # on a state of an earlier version, which did not say why these wait
    ],
)
def test_it_succeeds_when_everything_was_done_or_little_waits(good):
    assert succeeded(document(**good))


@pytest.mark.parametrize(
    "bad",
    [
        {"waiting": 101},
        {"changes": 4, "waiting": 8},
        {"changes": 0, "waiting": 380},
        {"failed": 1},
        {"again": 1},
        {"writes": 1},
        {"missing": 1},
    ],
)
def test_it_fails_when_much_waits_or_anything_is_left_to_do(bad):
    assert not succeeded(document(**bad))
