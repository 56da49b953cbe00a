"""How soon a plan can be done: counted from its changes, said with its reason."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from rollbook.apply.pace import Bound, bound_of, duration, sentence
from rollbook.graph.quotas import TEAM_CREATION, WRITES, Quota
from rollbook.plan.changes import CHANGES, ChangeVerdict, Kind


def plan(*parts: tuple[Kind, int], relations: int = 0, verdict: ChangeVerdict = ChangeVerdict.PLANNED) -> pl.DataFrame:
    """So many changes of each kind; `relations` additions for each group that is made."""
    rows: list[tuple[Kind, int, int | None]] = [(kind, n, None) for kind, count in parts for n in range(count)]
    made = [subject for kind, subject, _ in rows if kind in (Kind.CREATE_CLASS, Kind.CREATE_UNIFIED)]
    rows += [(Kind.ADD_MEMBER, subject, 10_000 + n) for subject in made for n in range(relations)]
    columns = {"kind": [int(row[0]) for row in rows], "subject": [row[1] for row in rows]}
    frame = pl.DataFrame({**columns, "object": [row[2] for row in rows]}).with_row_index("seq")
    missing = [pl.lit(None).alias(name) for name in CHANGES if name not in (*frame.columns, "verdict")]
    return frame.with_columns(*missing, verdict=pl.lit(int(verdict))).select(CHANGES.keys()).cast(pl.Schema(CHANGES))


@pytest.mark.parametrize(
    ("changes", "writes", "quota", "seconds"),
    [
        (plan((Kind.CREATE_USER, 10)), 0, None, 0),
        (plan((Kind.LINK_USER, 10_000)), 0, None, 0),
        (plan((Kind.CREATE_USER, 10_000)), 10_000, WRITES, (10_000 - WRITES.burst) / 20),
        (plan((Kind.DISABLE_USER, 4_000)), 8_000, WRITES, (8_000 - WRITES.burst) / 20),
        (plan((Kind.CREATE_CLASS, 2_000), relations=30), 6_000, WRITES, (6_000 - WRITES.burst) / 20),
        (plan((Kind.CREATE_UNIFIED, 2_000), relations=30), 4_000, WRITES, (4_000 - WRITES.burst) / 20),
        (plan((Kind.CREATE_TEAM, 2_000)), 2_000, TEAM_CREATION, (2_000 - TEAM_CREATION.burst) / 8.3),
        (plan((Kind.CREATE_USER, 10_000), verdict=ChangeVerdict.DONE), 0, None, 0),
    ],
)
def test_the_bound_follows_from_the_writes_and_the_quota_that_binds(changes, writes, quota, seconds):
    found = bound_of(changes)

    assert (found.writes, found.quota) == (writes, quota)
    assert found.seconds == pytest.approx(seconds)


def test_what_a_run_before_used_up_counts():
    def left(quota: Quota) -> float:
        return 100.0

    assert bound_of(plan((Kind.CREATE_USER, 500)), left).seconds == pytest.approx(20)


def test_it_is_said_with_its_reason_in_the_time_of_the_school():
    begins = dt.datetime(2026, 11, 25, 12, 0, tzinfo=dt.UTC)
    bound = Bound(1_900.0, WRITES, 41_000, young=False)

    assert sentence(bound, begins, "Europe/Athens") == (
        "Not before 14:31, because Microsoft allows 20 changes of the directory a second and 41,000 are due."
    )
    assert sentence(bound).startswith("Takes 32 min at least, because")
    assert "8.3 new teams a second, 83% of what it lists, and 900" in sentence(
        Bound(100, TEAM_CREATION, 900, young=False)
    )
    assert sentence(Bound(0.2, WRITES, 10, young=False)) == ""
    assert "15 minutes" in sentence(bound_of(plan((Kind.CREATE_CLASS, 1), (Kind.CREATE_TEAM, 1))))
    assert [duration(s) for s in (40, 720, 12_000)] == ["40 s", "12 min", "3 h 20 min"]
