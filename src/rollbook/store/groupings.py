"""What teams and nodes stand for, remembered under their keys: set-based, and only what differs is written."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import polars as pl
from django.db import transaction

from rollbook.store.bulk import among, execute_many, insert_frame, read_frame, table_of
from rollbook.store.models import Grouping, Institute, Link, Tenant

Schema = Mapping[str, pl.DataType | type[pl.DataType]]

NAMED = ("sourced_id", "code", "label")
KNOWN: Schema = {
    "subject": pl.Int64,
    "key": pl.String,
    "period": pl.Int64,
    "sourced_id": pl.String,
    "code": pl.String,
    "label": pl.String,
}
MADE: Schema = {"key": pl.String, "period": pl.Int64, "link": pl.Int64, "mark": pl.String}


FEW = 5_000
"""Up to so many of them are asked for one by one; beyond, all there are."""


def digest(key: str) -> str:
    """What stands for a key in the index."""
    return hashlib.sha256(key.encode()).hexdigest()


def known(institute: Institute, kind: str, keys: pl.Series | None = None) -> pl.DataFrame:
    """Every grouping of this kind the institute ever had, or those of `keys` and maybe others (schema KNOWN)."""
    chosen, listed = ("TRUE", []) if keys is None or keys.len() > FEW else among("digest", map(digest, keys))
    statement = (
        f"SELECT id, key, period, sourced_id, code, label FROM {table_of(Grouping)} "
        f"WHERE institute_id = %s AND kind = %s AND {chosen} ORDER BY id"
    )
    return read_frame(statement, [institute.pk, kind, *listed], KNOWN)


def remembered(institute: Institute, kind: str, groups: pl.DataFrame) -> pl.DataFrame:
    """[key, period, subject] of `groups` [key, period, sourced_id, code, label]; new ones are made, renamed ones told."""
    wanted = groups.select("key", "period", *NAMED).unique(["key", "period"], keep="first", maintain_order=True)
    before = known(institute, kind, wanted["key"])
    compared = wanted.join(before, on=["key", "period"], how="left", suffix="_before")
    new = compared.filter(pl.col("subject").is_null()).select("key", "period", *NAMED)
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_before")) for name in NAMED)
    renamed = compared.filter(pl.col("subject").is_not_null(), differs)
    if new.is_empty() and renamed.is_empty():
        return compared.select("key", "period", "subject")
    with transaction.atomic():
        digests = pl.Series([digest(key) for key in new["key"]], dtype=pl.String)
        rows = new.with_columns(institute_id=pl.lit(institute.pk), kind=pl.lit(kind), digest=digests)
        insert_frame(Grouping, rows.sort("period", "key"))
        execute_many(
            f"UPDATE {table_of(Grouping)} SET sourced_id = %s, code = %s, label = %s WHERE id = %s",
            renamed.select(*NAMED, "subject").iter_rows(),
        )
    return wanted.join(known(institute, kind, wanted["key"]), on=["key", "period"]).select("key", "period", "subject")


def made(tenant: Tenant, institute: Institute, kind: str) -> pl.DataFrame:
    """Groupings of the institute that are linked to an object in the tenant (schema MADE)."""
    statement = (
        f"SELECT g.key, g.period, l.id, l.mark FROM {table_of(Grouping)} g JOIN {table_of(Link)} l ON l.subject = g.id "
        "WHERE l.tenant_id = %s AND l.kind = %s AND l.object_id IS NOT NULL AND g.institute_id = %s AND g.kind = %s "
        "ORDER BY l.id"
    )
    return read_frame(statement, [tenant.pk, kind, institute.pk, kind], MADE)


PLACED: Schema = {**KNOWN, "link": pl.Int64, "object_id": pl.String, "archived": pl.Boolean}


def placed(tenant: Tenant, institute: Institute, kind: str) -> pl.DataFrame:
    """Every grouping of this kind the institute ever had, with its link to the tenant, null where it has none (schema PLACED)."""
    statement = (
        "SELECT g.id, g.key, g.period, g.sourced_id, g.code, g.label, l.id, l.object_id, "
        "CASE WHEN l.archived_at IS NULL THEN 0 ELSE 1 END "
        f"FROM {table_of(Grouping)} g LEFT JOIN {table_of(Link)} l "
        "ON l.subject = g.id AND l.period = g.period AND l.kind = %s AND l.tenant_id = %s "
        "WHERE g.institute_id = %s AND g.kind = %s ORDER BY g.id"
    )
    raw = {**PLACED, "archived": pl.Int64}
    return read_frame(statement, [kind, tenant.pk, institute.pk, kind], raw).cast(pl.Schema(PLACED))
