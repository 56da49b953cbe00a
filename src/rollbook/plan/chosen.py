"""Plans made from what somebody chose, never from a difference: numbered, frozen, and always agreed to by a person."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

import polars as pl

from rollbook.plan.changes import CHANGES, DETAILS, ChangeVerdict, Objection, Plan
from rollbook.plan.make import fingerprint, numbered
from rollbook.plan.rows import together


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


def plan_of_chosen(allowed: pl.DataFrame, waiting: pl.DataFrame, asked: Asked, objection: str) -> Plan:
    """The plan of what can be done and what waits (schema ROWS each); `objection` is the code under which a person agrees to it."""
    ordered = numbered(together([allowed, waiting])).with_columns(needs_subject=pl.lit(None), needs_object=pl.lit(None))
    changes = ordered.select(CHANGES.keys()).cast(pl.Schema(CHANGES))
    details = (
        ordered.filter(pl.col("before").is_not_null() | pl.col("after").is_not_null())
        .select(DETAILS.keys())
        .cast(pl.Schema(DETAILS))
    )
    planned = changes.filter(pl.col("verdict") == int(ChangeVerdict.PLANNED)).height
    return Plan(
        tenant=asked.tenant,
        profile_version=asked.profile_version,
        as_of=asked.as_of,
        changes=changes,
        details=details,
        objections=(Objection(objection, planned, changes.height, 0, 0.0),) if planned else (),
        fingerprint=fingerprint(changes, details, asked.tenant, asked.profile_version),
        first_run=False,
        counts={"changes": allowed.height, "waiting": waiting.height, "newly_waiting": 0},
    )
