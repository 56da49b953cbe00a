"""The plan that sets new passwords: made from people somebody chose, never from a difference of register and tenant.

Whoever cannot or must not get one is in the plan too, and waits for a stated reason. A person always has to agree.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from rollbook.plan.changes import Cause, Kind, Plan
from rollbook.plan.chosen import plan_of_chosen
from rollbook.plan.match import beside_actual, is_ours
from rollbook.plan.rows import rows, together, values, waits

AGREED_BY_A_PERSON = "passwords-set"
"""The code of the objection that every such plan raises."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What such a plan is for; `domains` are those whose passwords Microsoft keeps."""

    tenant: str
    profile_version: int
    as_of: dt.date
    domains: Collection[str]


def plan_passwords(chosen: pl.DataFrame, actual: pl.DataFrame, asked: Asked) -> Plan:
    """A new password for each of `chosen` [link, mark, object_id, adopted] whose account may get one.

    `actual` (schema USERS) are their accounts, with who is protected.
    """
    links = chosen.select("link", "object_id", "adopted")
    beside = beside_actual(chosen.select("link", "mark", "object_id"), actual, links.drop_nulls("object_id"))
    judged = links.join(beside.with_columns(cause=_cause(asked.domains)), on="link", how="left").with_columns(
        cause=pl.when(pl.col("object_id").is_null())
        .then(int(Cause.NOT_LINKED))
        .otherwise(pl.col("cause").fill_null(int(Cause.ACCOUNT_GONE)))
    )
    allowed = judged.filter(pl.col("cause") == int(Cause.ASKED_FOR)).with_columns(
        user_principal_name="user_principal_name_now"
    )
    others = judged.filter(pl.col("cause") != int(Cause.ASKED_FOR))
    return plan_of_chosen(
        together(
            [
                rows(allowed, Kind.SET_PASSWORD, pl.col("cause"), after=values("user_principal_name")),
                waits(others, Kind.SET_PASSWORD, pl.col("cause")),
            ]
        ),
        asked,
        AGREED_BY_A_PERSON,
    )


def _cause(domains: Collection[str]) -> pl.Expr:
    """Why an account gets no new password, the first reason that applies; ASKED_FOR if nothing speaks against it."""
    domain = pl.col("user_principal_name_now").str.split("@").list.last().str.to_lowercase()
    elsewhere = pl.col("guest_now") | ~domain.is_in([name.lower() for name in sorted(domains)])
    reasons = (
        (~is_ours(), Cause.FOREIGN_MARK),
        (pl.col("protected_now"), Cause.PROTECTED),
        (pl.col("on_premises_now"), Cause.ON_PREMISES),
        (elsewhere, Cause.SIGNS_IN_ELSEWHERE),
    )
    return pl.coalesce(*(pl.when(applies).then(int(cause)) for applies, cause in reasons), pl.lit(int(Cause.ASKED_FOR)))
