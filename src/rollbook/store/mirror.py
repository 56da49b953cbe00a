"""Keeps the mirror of linked accounts: from readings of the tenant, and from what a run did. In bulk; writes only what differs.

A reading that shows what was before we wrote to an account is not believed within SETTLED: Microsoft's readings lag behind its
writes, and give no figure by how much (graph.md section 13.15). Otherwise an account we disabled a moment ago could pass for one
somebody enabled. Whatever else it shows, such as a name nobody here gave, somebody did since: that is news at once.
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
BEFORE: Mapping[str, str] = {"user_principal_name": "name_before", "account_enabled": "enabled_before"}
"""What we change of accounts, and where the mirror keeps what was before."""
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
    return _write(tenant, _without_lag(tenant, reading.at, seen).select(STATE.keys()), reading.at)


def _without_lag(tenant: Tenant, at: dt.datetime, seen: pl.DataFrame) -> pl.DataFrame:
    """`seen` (schema STATE), where it shows what was before we wrote to an account within SETTLED as the mirror has it."""
    settling = seen.join(_settling(tenant, at, seen["link"]), on="link", how="left", suffix="_known")
    lags = [pl.col(name) == pl.col(before) for name, before in BEFORE.items()]
    return settling.with_columns(
        pl.when(lag).then(f"{name}_known").otherwise(name).alias(name) for name, lag in zip(BEFORE, lags, strict=True)
    )


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
    values = done.with_columns(account_enabled=pl.coalesce(enabled, "account_enabled")).sort("seq")
    written = values.group_by("link", maintain_order=True).agg(
        pl.col(BEFORE.keys()).drop_nulls().last(),
        pl.col(BEFORE.keys()).drop_nulls().first().name.suffix("_first"),
    )
    after = (
        written.join(_linked(run.tenant, links=written["link"]), on="link")
        .join(before, on="link", how="left", suffix="_known")
        .with_columns(pl.coalesce(name, f"{name}_known").alias(name) for name in BEFORE)
        .drop_nulls(list(BEFORE))
    )
    was = [(pl.coalesce(f"{name}_known", f"{name}_first"), name, column) for name, column in BEFORE.items()]
    told = after.with_columns(pl.when(old != pl.col(name)).then(old).alias(column) for old, name, column in was)
    return _write(run.tenant, told.select(*STATE, *BEFORE.values()), at)


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
    """Accounts (schemas STATE and BEFORE), all or at least these, we wrote to so recently that a reading of `at` may not show it yet."""
    chosen, listed = among("link_id", links) if links is not None and links.len() <= FEW else ("TRUE", [])
    columns = ", ".join([*SEEN, *BEFORE.values()])
    statement = (
        f"SELECT link_id, {columns} FROM {table_of(Account)} WHERE {chosen} AND +tenant_id = %s AND written_at > %s"
    )
    schema = {**STATE, **{column: STATE[name] for name, column in BEFORE.items()}}
    return read_frame(statement, [*listed, tenant.pk, at - SETTLED], schema)


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


def _write(tenant: Tenant, states: pl.DataFrame, at: dt.datetime) -> int:
    """Write the rows of `states` (schema STATE) that are new or differ from what is known; with the columns of BEFORE, as ours."""
    known_now = known(tenant, states["link"]).with_columns(known=pl.lit(value=True))
    compared = states.unique("link", keep="first", maintain_order=True).join(
        known_now, on="link", how="left", suffix="_known"
    )
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_known")) for name in SEEN)
    fresh = compared.filter(pl.col("known").is_null())
    changed = compared.filter(pl.col("known") & differs)
    ours = [name for name in BEFORE.values() if name in states.columns]
    moments = [pl.lit(at).alias(name) for name in (["seen_at", "written_at"] if ours else ["seen_at"])]
    new = fresh.select(*SEEN, *moments, *ours, link_id="link", tenant_id=pl.lit(tenant.pk))
    rows = changed.select(*SEEN, *moments, *ours, "link")
    kept = {name: f"COALESCE(%s, {name})" for name in ours}  # of a run that is taken up again, what was before it stays
    assignments = ", ".join(f"{name} = {kept.get(name, '%s')}" for name in rows.columns if name != "link")
    with transaction.atomic():
        insert_frame(Account, new)
        execute_many(f"UPDATE {table_of(Account)} SET {assignments} WHERE link_id = %s", list(rows.iter_rows()))
    return fresh.height + changed.height
