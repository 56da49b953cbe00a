"""The plan that archives teams, or takes them back from the archive: made from teams somebody chose, never from a difference.

What cannot be archived is in the plan too, and waits for a stated reason. A person always has to agree.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from rollbook.plan.changes import Cause, Kind, Plan
from rollbook.plan.chosen import plan_of_chosen
from rollbook.plan.match import beside_actual, is_ours
from rollbook.plan.rows import rows, together, waits
from rollbook.profiles import Limit

AGREED_BY_A_PERSON = {Kind.ARCHIVE_TEAM: "teams-archived", Kind.UNARCHIVE_TEAM: "teams-unarchived"}
"""The code of the objection that every such plan raises."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What such a plan is for; `kind` is ARCHIVE_TEAM or UNARCHIVE_TEAM. Beyond `limit` an administrator agrees to archiving."""

    tenant: str
    profile_version: int
    as_of: dt.date
    kind: Kind
    limit: Limit | None = None


def plan_archiving(chosen: pl.DataFrame, actual: pl.DataFrame, archived: Collection[str], asked: Asked) -> Plan:
    """The change for each of `chosen` [link, mark, object_id, adopted] that is a team and not yet as asked.

    `actual` (schema GROUPS) are their groups as far as they are there, `archived` the object ids of those whose team is archived.
    """
    links = chosen.select("link", "object_id", "adopted")
    beside = beside_actual(chosen.select("link", "mark", "object_id"), actual, links)
    judged = links.join(beside.select("link", cause=_cause(archived, asked.kind)), on="link", how="left").with_columns(
        pl.col("cause").fill_null(int(Cause.TEAM_GONE))
    )
    allowed = judged.filter(pl.col("cause") == int(Cause.ASKED_FOR))
    others = judged.filter(pl.col("cause") != int(Cause.ASKED_FOR))
    return plan_of_chosen(
        together([rows(allowed, asked.kind, Cause.ASKED_FOR), waits(others, asked.kind, pl.col("cause"))]),
        asked,
        AGREED_BY_A_PERSON[asked.kind],
        limit=asked.limit if asked.kind == Kind.ARCHIVE_TEAM else None,
    )


def _cause(archived: Collection[str], kind: Kind) -> pl.Expr:
    """Why nothing is done with a group, the first reason that applies; ASKED_FOR if nothing speaks against it."""
    is_archived = pl.col("object_id").is_in(sorted(archived))
    as_asked = {
        Kind.ARCHIVE_TEAM: (is_archived, Cause.ARCHIVED_ALREADY),
        Kind.UNARCHIVE_TEAM: (~is_archived, Cause.NOT_ARCHIVED),
    }
    reasons = (
        (~is_ours(), Cause.FOREIGN_MARK),
        (~pl.col("has_team_now"), Cause.NO_TEAM_TO_ARCHIVE),
        as_asked[kind],
    )
    return pl.coalesce(*(pl.when(applies).then(int(cause)) for applies, cause in reasons), pl.lit(int(Cause.ASKED_FOR)))
