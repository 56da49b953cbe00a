"""When the demo says that it did what it promises."""

from __future__ import annotations

import pytest

from rollbook.cli import demo
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


def test_its_tenant_keeps_quotas_where_that_is_asked_for(monkeypatch, tmp_path):
    started = []
    monkeypatch.setattr(
        demo.processes, "start", lambda arguments, _: started.append(arguments) or (1, {"control": "there"})
    )

    demo._emulator(tmp_path, quotas=False)
    (tmp_path / "emulator.json").unlink()
    demo._emulator(tmp_path, quotas=True)
    assert [each[each.index("--quota-scale") + 1] for each in started] == ["off", "1"]

    # One that runs already is told.
    posted = []
    monkeypatch.setattr(demo.processes, "alive", lambda _: True)
    monkeypatch.setattr(demo.processes, "answers", lambda _: True)
    monkeypatch.setattr(demo.processes, "post", lambda *told: posted.append(told))
    demo._emulator(tmp_path, quotas=False)
    assert posted == [("there/quotas", {"scale": None})]
