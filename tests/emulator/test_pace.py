"""The bound an emulated tenant computes from its own record: quotas with bursts, chains of writes, Microsoft's pauses."""

from __future__ import annotations

import pytest

from rollbook.emulator.clock import Clock
from rollbook.emulator.pace import Pace
from rollbook.emulator.quotas import Quotas

HOLDER = ("app", "tenant", 1_000)


def took(pace: Pace, method: str, kind: str, path: str, *, body=None, said=None, status: int = 204, at: float = 0.0):
    pace.took((method, kind, path, body), (status, said), HOLDER, (at, at + 0.5), settling=900.0)


def test_writes_over_the_burst_come_back_at_the_rate_of_the_quota():
    pace = Pace(Quotas(Clock(), 1.0))
    for n in range(4_000):
        took(pace, "PATCH", "PATCH /users/{id}", f"/users/{n}", at=n / 100)
    took(pace, "PATCH", "PATCH /users/{id}", "/users/1", status=429, at=50)

    told = pace.report()
    assert (told["writes"], told["refused_writes"]) == (4_000, 1)
    assert told["bound"] == pytest.approx(1_000 / 20)
    assert told["binding"] == "writes"
    assert told["seconds"] == pytest.approx(40.49)


def test_writes_to_one_object_come_one_after_the_other_and_a_team_after_its_group_settled():
    pace = Pace(Quotas(Clock(), 1.0))
    for n in range(30):
        took(pace, "POST", "POST /education/classes", "/education/classes", said={"id": f"g{n}"}, status=201)
        took(pace, "PATCH", "PATCH /groups/{id}", f"/groups/g{n}")
        bound = {"group@odata.bind": f"https://graph.microsoft.com/v1.0/groups('g{n}')"}
        took(pace, "POST", "POST /teams", "/teams", body=bound, status=202)

    told = pace.report()
    assert told["longest_chain"] == pytest.approx(900.5)
    # Ten teams at once, twenty more at 83 % of ten a second, none of them before the first group was settled.
    assert told["bound"] == pytest.approx(900 + 20 / 8.3, abs=0.01)
    assert told["binding"] == "POST /teams"


def test_without_quotas_only_the_chains_bind():
    pace = Pace(Quotas(Clock(), None))
    for _ in range(3):
        took(pace, "PATCH", "PATCH /groups/{id}", "/groups/g")

    assert pace.report()["bound"] == pytest.approx(1.5)
    pace.reset()
    assert pace.report()["bound"] == 0
