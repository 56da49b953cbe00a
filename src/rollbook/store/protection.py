"""The list of accounts that are never touched: kept by administrators, and learnt from what Microsoft refused."""

from __future__ import annotations

import datetime as dt

import polars as pl
from django.db import transaction

from rollbook.plan.changes import ChangeVerdict, Kind
from rollbook.store.bulk import insert_frame, read_frame, table_of
from rollbook.store.models import Answer, Change, Intent, Link, ProtectedAccount, Run, Tenant

DENIED = (403, "Authorization_RequestDenied")
"""Status and code of a write that an application with the permission is refused: the account holds a role, or is restricted."""

WRITES = tuple(k for k in Kind if k.name.endswith("_USER") and k not in (Kind.LINK_USER, Kind.CREATE_USER))
"""Kinds of change that write to an account that is there."""

REFUSED = (
    "Microsoft refused us a change, although we may write to accounts; perhaps it holds an administrator role, or is in a "
    "restricted unit, which nobody checked"
)

OURSELVES = "Rollbook"
"""Who puts an account on the list because of what Microsoft refused: not whoever started the run."""

FEW = 10
"""Up to this many refusals in a run are believed of single accounts; beyond, only if they are less than half of all writes."""

OBJECTS = {"object_id": pl.String}


def protected(tenant: Tenant) -> pl.DataFrame:
    """[object_id] of every account on the list."""
    return read_frame(f"SELECT object_id FROM {table_of(ProtectedAccount)} WHERE tenant_id = %s", [tenant.pk], OBJECTS)


def reason_of(tenant: Tenant, object_id: str) -> str:
    """Since when, by whom and why an account is on the list; empty if it is not."""
    entry = ProtectedAccount.objects.filter(tenant=tenant, object_id=object_id).first()
    return "" if entry is None else f"since {entry.at:%Y-%m-%d}, by {entry.actor}: {entry.reason}"


def remember_refused(run: Run, at: dt.datetime) -> list[str]:
    """The object ids that are on the list from now on because this run's writes to them were denied.

    Where most of a run's writes were denied, it is the application that may not write, and nothing is remembered.
    """
    written = _written(run)
    denied = written.filter((pl.col("status") == DENIED[0]) & (pl.col("code") == DENIED[1]))
    if denied.is_empty() or (denied.height > FEW and denied.height * 2 > written.height):
        return []
    new = denied.join(protected(run.tenant), on="object_id", how="anti").select("object_id").unique().sort("object_id")
    rows = new.with_columns(
        tenant_id=pl.lit(run.tenant_id),
        kind=pl.lit(ProtectedAccount.Kind.REFUSED.value),
        reason=pl.lit(REFUSED),
        actor=pl.lit(f"{OURSELVES}, run {run.number}"),
        run=pl.lit(run.pk),
        at=pl.lit(at),
    )
    with transaction.atomic():
        insert_frame(ProtectedAccount, rows)
    return new["object_id"].to_list()


def _written(run: Run) -> pl.DataFrame:
    """[object_id, status, code] of the run's writes to accounts that were there, one row each; empty if none was denied."""
    # What a stop put off was denied to the application, not because of the account.
    final = int(ChangeVerdict.NEVER)
    denied = Answer.objects.filter(run=run, status=DENIED[0], code=DENIED[1], verdict=final)
    schema = {"seq": pl.String, "status": pl.Int64, "code": pl.String}
    kinds = ", ".join(str(int(kind)) for kind in WRITES)
    statement = (
        f"SELECT i.seqs, CASE WHEN a.verdict = {final} THEN a.status ELSE 0 END, a.code FROM {table_of(Intent)} i "
        f"JOIN {table_of(Answer)} a ON a.run_id = i.run_id AND a.number = i.number WHERE i.run_id = %s AND i.kind IN ({kinds})"
    )
    answered = read_frame(statement, [run.pk], schema) if denied.exists() else pl.DataFrame(schema=schema)
    changed = read_frame(
        f"SELECT c.seq, l.object_id FROM {table_of(Change)} c JOIN {table_of(Link)} l ON l.id = c.subject "
        f"WHERE c.run_id = %s AND c.kind IN ({kinds}) AND l.object_id IS NOT NULL",
        [run.pk if answered.height else 0],
        {"seq": pl.Int64, **OBJECTS},
    )
    # One write of an account carries out one change, so the intent's list of changes is one number.
    return (
        answered.with_columns(pl.col("seq").cast(pl.Int64))
        .join(changed, on="seq")
        .select("object_id", "status", "code")
    )
