"""Decisions about matches: in force until they are ended, kept as history afterwards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

from rollbook.plan.context import DECISIONS
from rollbook.store.bulk import execute_many, insert_frame, read_frame, table_of
from rollbook.store.models import Decision, Tenant


def in_force(tenant: Tenant) -> pl.DataFrame:
    """What counts in the tenant now (schema plan.context.DECISIONS)."""
    statement = f"SELECT link_id, kind, object_id FROM {table_of(Decision)} WHERE tenant_id = %s AND ended_at IS NULL ORDER BY id"
    return read_frame(statement, [tenant.pk], DECISIONS)


def decide(tenant: Tenant, link: int, kind: str, actor: str, reason: str, at: dt.datetime) -> None:
    """From now on this counts for the link (NEW or NOBODY); pairs that are refused stay so."""
    before = Decision.objects.filter(link=link, ended_at__isnull=True).exclude(kind=Decision.Kind.REFUSED)
    before.update(ended_at=at)
    Decision.objects.create(tenant=tenant, link_id=link, kind=kind, actor=actor, reason=reason, at=at)


def refuse(tenant: Tenant, pairs: pl.DataFrame, actor: str, reason: str, at: dt.datetime) -> None:
    """These pairs [link, object_id] are not to be linked by themselves again."""
    rows = pairs.select(
        "object_id",
        link_id="link",
        tenant_id=pl.lit(tenant.pk),
        kind=pl.lit(Decision.Kind.REFUSED.value),
        actor=pl.lit(actor),
        reason=pl.lit(reason),
        at=pl.lit(at),
    )
    insert_frame(Decision, rows)


def end(links: Sequence[int], at: dt.datetime) -> None:
    """Whatever was decided about these links counts no longer."""
    execute_many(
        f"UPDATE {table_of(Decision)} SET ended_at = %s WHERE link_id = %s AND ended_at IS NULL",
        [(at, link) for link in links],
    )
