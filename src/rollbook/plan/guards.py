"""Guards: how much a plan may change before a person has to agree. They return objections; they never stop anything themselves.

Limits hold in absolute numbers and in percent of all that is managed; a guard trips when either is exceeded, so that tiny
tenants are guarded too. A single change never trips a percentage: in a school of thirty, one leaver is ordinary.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from rollbook.plan.changes import ChangeVerdict, Kind, Objection


@dataclass(frozen=True, slots=True)
class Guard:
    """More than `limit` changes of these kinds, or more than `percent` of all managed, needs a person."""

    code: str
    kinds: tuple[Kind, ...]
    limit: int
    percent: float
    of: str  # what the percentage is of: "users" or "memberships"


GUARDS: tuple[Guard, ...] = (
    Guard("accounts-created", (Kind.CREATE_USER,), 200, 20.0, "users"),
    Guard("accounts-disabled", (Kind.DISABLE_USER,), 10, 2.0, "users"),
    Guard("accounts-unlicensed", (Kind.UNLICENSE_USER, Kind.LEAVE_LICENCE_GROUP), 10, 2.0, "users"),
    Guard("accounts-renamed", (Kind.RENAME_USER,), 20, 5.0, "users"),
    Guard(
        "members-removed",
        (Kind.REMOVE_MEMBER, Kind.REMOVE_OWNER, Kind.DEMOTE_OWNER, Kind.REMOVE_STRANGER),
        100,
        5.0,
        "memberships",
    ),
)
"""Defaults of product.md section 9, as far as these kinds of change exist."""

TEAM_LOSES_OVER = 0.5
"""A team that loses more than half its people needs a person, however small the numbers are."""

TEAM_OF_AT_LEAST = 4
"""Below four members, losing half is ordinary."""


def objections(
    changes: pl.DataFrame, managed: dict[str, int], members: pl.DataFrame, weights: pl.DataFrame
) -> tuple[Objection, ...]:
    """Every guard the planned changes trip. `managed` counts what is managed now; `members` [team, members] are team sizes.

    `weights` [seq, people] are changes about more than one person; any other counts as one.
    """
    planned = changes.filter(pl.col("verdict") == int(ChangeVerdict.PLANNED))
    weighed = planned.select("seq", "kind").join(weights, on="seq", how="left")
    counted = dict(weighed.group_by("kind").agg(pl.col("people").fill_null(1).sum()).iter_rows())
    found = [_objection(guard, counted, managed) for guard in GUARDS]
    return tuple(o for o in [*found, _emptied(planned, members)] if o is not None)


def _objection(guard: Guard, counted: dict[int, int], managed: dict[str, int]) -> Objection | None:
    count = sum(counted.get(int(kind), 0) for kind in guard.kinds)
    base = managed[guard.of]
    over_percent = base > 0 and count * 100 > guard.percent * base
    if count > guard.limit or (over_percent and count > 1):
        return Objection(guard.code, count, base, guard.limit, guard.percent)
    return None


def _emptied(planned: pl.DataFrame, members: pl.DataFrame) -> Objection | None:
    leaving = [int(Kind.REMOVE_MEMBER), int(Kind.REMOVE_STRANGER)]
    losses = planned.filter(pl.col("kind").is_in(leaving)).group_by(team="subject").agg(lost=pl.len())
    emptied = losses.join(members.filter(pl.col("members") >= TEAM_OF_AT_LEAST), on="team").filter(
        pl.col("lost") > pl.col("members") * TEAM_LOSES_OVER
    )
    if emptied.is_empty():
        return None
    return Objection("teams-emptied", emptied.height, members.height, 0, TEAM_LOSES_OVER * 100)
