"""Keeps the mirror of linked accounts: from readings of the tenant, and from what a run did. In bulk; writes only what differs.

A reading is not believed about an account we wrote to within SETTLED: Microsoft's readings lag behind its writes, and give no
figure by how much (graph.md section 13.15). Otherwise an account we disabled a moment ago could pass for one somebody enabled.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from django.db import transaction
from django.db.models import Q

from rollbook.plan.changes import ChangeVerdict, Kind
from rollbook.store.bulk import among, execute_many, insert_frame, read_frame, table_of
from rollbook.store.models import Account, Change, Link, Run, Tenant
from rollbook.store.runs import load_details

SETTLED = dt.timedelta(hours=1)

STATE: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "link": pl.Int64,
    "object_id": pl.String,
    "user_principal_name": pl.String,
    "mail": pl.String,
    "account_enabled": pl.Boolean,
}
SEEN = [name for name in STATE if name != "link"]
LINKED = {"link": pl.Int64, "object_id": pl.String}
WRITES = (Kind.CREATE_USER, Kind.UPDATE_USER, Kind.ENABLE_USER, Kind.DISABLE_USER, Kind.RENAME_USER, Kind.RESTORE_USER)


@dataclass(frozen=True, slots=True)
class Reading:
    """The users a tenant held (schema directory.state.USERS) in a reading that began at `at`."""

    users: pl.DataFrame
    at: dt.datetime


FEW = 5_000
"""Up to so many accounts are asked for one by one; beyond, all there are."""


def known(tenant: Tenant, links: pl.Series | None = None) -> pl.DataFrame:
    """The mirror of a tenant, all of it or at least of these links (schema STATE)."""
    columns = ", ".join(SEEN)
    chosen, listed = among("link_id", links) if links is not None and links.len() <= FEW else ("TRUE", [])
    statement = f"SELECT link_id, {columns} FROM {table_of(Account)} WHERE {chosen} AND +tenant_id = %s"
    return read_frame(statement, [*listed, tenant.pk], STATE)


def see(tenant: Tenant, reading: Reading) -> int:
    """Remember the linked accounts a reading holds; how many rows were written.

    What the reading does not hold is left as it is: see `forget_absent`.
    """
    seen = reading.users.select(SEEN).join(_linked(tenant, reading.users["object_id"]), on="object_id")
    seen = seen.join(_settling(tenant, reading.at, seen["link"]), on="link", how="anti")
    return _write(tenant, seen.select(STATE.keys()), reading.at, written=False)


def forget_absent(tenant: Tenant, reading: Reading) -> int:
    """Forget accounts that a whole reading no longer holds, or whose link points elsewhere; how many there were."""
    there = reading.users.select("object_id").join(_linked(tenant), on="object_id")
    gone = known(tenant).join(there, on="link", how="anti").join(_settling(tenant, reading.at), on="link", how="anti")
    forget(gone["link"].to_list())
    return gone.height


def forget(links: Sequence[int]) -> None:
    """Forget the accounts of these links."""
    with transaction.atomic():
        execute_many(f"DELETE FROM {table_of(Account)} WHERE link_id = %s", [(link,) for link in links])


def follow(run: Run, at: dt.datetime) -> int:
    """Remember what a run made of accounts, from its own changes, so that no reading is needed; how many rows were written."""
    done = _done(run)
    if done.is_empty():
        return 0
    before = known(run.tenant, done["link"])
    switched = {int(Kind.ENABLE_USER): True, int(Kind.DISABLE_USER): False}
    enabled = pl.col("kind").replace_strict(switched, default=None, return_dtype=pl.Boolean)
    last = (
        done.with_columns(account_enabled=pl.coalesce(enabled, "account_enabled"))
        .sort("seq")
        .group_by("link", maintain_order=True)
    )
    written = last.agg(pl.col("user_principal_name", "account_enabled").drop_nulls().last())
    after = (
        written.join(_linked(run.tenant, links=written["link"]), on="link")
        .join(before, on="link", how="left", suffix="_before")
        .with_columns(pl.coalesce(n, f"{n}_before").alias(n) for n in ("user_principal_name", "account_enabled"))
        .drop_nulls(["user_principal_name", "account_enabled"])
    )
    return _write(run.tenant, after.select(STATE.keys()), at, written=True)


def end_claims(tenant: Tenant, reading: Reading) -> int:
    """End our claim on accounts we disabled that a reading shows enabled: somebody else decided. How many there were."""
    settled = Q(disabled_at__isnull=True) | Q(disabled_at__lte=reading.at - SETTLED)
    claimed = Link.objects.filter(settled, tenant=tenant, disabled_by_run__isnull=False, object_id__isnull=False)
    if reading.users.height <= FEW:
        claimed = claimed.filter(pk__in=_linked(tenant, reading.users["object_id"])["link"].to_list())
    rows = pl.DataFrame(list(claimed.values_list("pk", "object_id")), schema=pl.Schema(LINKED), orient="row")
    ended = rows.join(reading.users.filter("account_enabled").select("object_id"), on="object_id", how="semi")
    with transaction.atomic():
        execute_many(
            f"UPDATE {table_of(Link)} SET disabled_by_run = NULL, disabled_at = NULL WHERE id = %s",
            [(link,) for link in ended["link"]],
        )
    return ended.height


def _linked(tenant: Tenant, object_ids: pl.Series | None = None, links: pl.Series | None = None) -> pl.DataFrame:
    """[link, object_id] of accounts, all or at least those with these object ids or links."""
    chosen, of_tenant = "TRUE", "tenant_id"
    listed: list[Any] = []
    for column, values in (("object_id", object_ids), ("id", links)):
        if values is not None and values.len() <= FEW:
            chosen, listed = among(column, values)
            of_tenant = "+tenant_id" if column == "id" else "tenant_id"
    statement = (
        f"SELECT id, object_id FROM {table_of(Link)} WHERE {chosen} AND {of_tenant} = %s AND kind = 'user' "
        "AND object_id IS NOT NULL"
    )
    return read_frame(statement, [*listed, tenant.pk], LINKED)


def _settling(tenant: Tenant, at: dt.datetime, links: pl.Series | None = None) -> pl.DataFrame:
    """[link] of accounts, all or at least of these, we wrote to so recently that a reading of `at` may not show it yet."""
    chosen, listed = among("link_id", links) if links is not None and links.len() <= FEW else ("TRUE", [])
    statement = f"SELECT link_id FROM {table_of(Account)} WHERE {chosen} AND +tenant_id = %s AND written_at > %s"
    return read_frame(statement, [*listed, tenant.pk, at - SETTLED], {"link": pl.Int64})


def _done(run: Run) -> pl.DataFrame:
    """[seq, kind, link, user_principal_name, account_enabled] of what a run did to accounts; null where it says nothing of it."""
    kinds = [int(kind) for kind in WRITES]
    done = Change.objects.filter(run=run, kind__in=kinds, verdict=int(ChangeVerdict.DONE))
    schema = {"seq": pl.Int32, "kind": pl.Int64, "link": pl.Int64}
    rows = pl.DataFrame(list(done.values_list("seq", "kind", "subject")), schema=schema, orient="row")
    after = pl.col("after")
    values = load_details(run, kinds).select(
        "seq",
        user_principal_name=after.str.json_path_match("$.user_principal_name"),
        account_enabled=after.str.json_path_match("$.account_enabled") == "true",
    )
    return rows.join(values, on="seq", how="left")


def _write(tenant: Tenant, states: pl.DataFrame, at: dt.datetime, *, written: bool) -> int:
    """Write the rows of `states` (schema STATE) that are new or differ from what is known."""
    before = known(tenant, states["link"])
    compared = states.unique("link", keep="first", maintain_order=True).join(
        before.with_columns(known=pl.lit(value=True)), on="link", how="left", suffix="_known"
    )
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_known")) for name in SEEN)
    fresh = compared.filter(pl.col("known").is_null())
    changed = compared.filter(pl.col("known") & differs)
    moment = at if written else None
    rows = fresh.select(*SEEN, link_id="link", tenant_id=pl.lit(tenant.pk), seen_at=pl.lit(at))
    if written:
        rows = rows.with_columns(written_at=pl.lit(moment))
    assignments = ", ".join(f"{name} = %s" for name in SEEN)
    with transaction.atomic():
        insert_frame(Account, rows)
        execute_many(
            f"UPDATE {table_of(Account)} SET {assignments}, seen_at = %s, written_at = %s WHERE link_id = %s",
            [(*row, at, moment, link) for link, *row in changed.select(STATE.keys()).iter_rows()],
        )
    return fresh.height + changed.height
