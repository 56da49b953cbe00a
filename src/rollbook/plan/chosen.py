"""Plans made from what somebody chose, never from a difference: numbered, frozen, and always agreed to by a person."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

import polars as pl

from rollbook.plan.changes import DETAILS, HELD, ChangeVerdict, Objection, Plan
from rollbook.plan.make import fingerprint, numbered, with_needs
from rollbook.profiles import Limit


class Asked(Protocol):
    """What such a plan is for."""

    @property
    def tenant(self) -> str:
        """The tenant's id."""
        ...

    @property
    def profile_version(self) -> int:
        """The version of the profile that runs."""
        ...

    @property
    def as_of(self) -> dt.date:
        """The day that counts."""
        ...


NOBODY = {"team": pl.Int64, "user": pl.Int64, "successor": pl.Int64}


def plan_of_chosen(
    found: pl.DataFrame,
    asked: Asked,
    objection: str,
    relying: pl.DataFrame | None = None,
    limit: Limit | None = None,
) -> Plan:
    """The plan of what can be done and what waits (`found`, schema ROWS); `objection` is the code under which a person agrees to it.

    `relying` [team, user, successor] are owners who leave only once another was added. Beyond the number of `limit`, where there is
    one, only an institute administrator may agree.
    """
    ordered = numbered(found)
    changes = with_needs(ordered, pl.DataFrame(schema=NOBODY) if relying is None else relying)
    details = (
        ordered.filter(pl.col("before").is_not_null() | pl.col("after").is_not_null())
        .select(DETAILS.keys())
        .cast(pl.Schema(DETAILS))
    )
    planned = changes.filter(pl.col("verdict") == int(ChangeVerdict.PLANNED))
    waiting = changes.filter(pl.col("verdict") == int(ChangeVerdict.WAITS)).height
    beyond = limit is not None and planned.height > limit.count
    return Plan(
        tenant=asked.tenant,
        profile_version=asked.profile_version,
        as_of=asked.as_of,
        changes=changes,
        details=details,
        objections=(Objection(objection, planned.height, changes.height, 0, 0.0, beyond),) if planned.height else (),
        fingerprint=fingerprint(changes, details, asked.tenant, asked.profile_version),
        first_run=False,
        held=planned.select("seq", code=pl.lit(objection)).cast(pl.Schema(HELD)),
        counts={"changes": planned.height, "waiting": waiting, "newly_waiting": 0},
    )
