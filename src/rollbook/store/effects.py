"""What a run leaves behind beside its verdicts: licences we gave, names that are kept free for a while. Set-based, and safe to repeat."""

from __future__ import annotations

import datetime as dt

import polars as pl
from django.db import transaction

from rollbook.plan.changes import ChangeVerdict, Kind
from rollbook.store.bulk import execute_many, read_frame, table_of
from rollbook.store.models import Change, ChangeDetail, LicenceGrant, Link, NameReservation, Run

LICENCES = pl.Struct(
    {
        "licences": pl.List(pl.Struct({"sku": pl.String, "off": pl.List(pl.String)})),
        "remove": pl.List(pl.String),
    }
)
DONE = {"subject": pl.Int64, "kind": pl.Int64, "before": pl.String, "after": pl.String}


def remember_effects(run: Run, keep_days: int) -> None:
    """Remember what the run's finished changes mean for later plans; names of leavers are kept free for `keep_days`."""
    until = run.as_of + dt.timedelta(days=keep_days)
    with transaction.atomic():
        _remember_licences(run, _done(run, Kind.LICENSE_USER, Kind.UNLICENSE_USER))
        _claim_disabled(run, _done(run, Kind.CREATE_USER))
        _keep_names(_done(run, Kind.DISABLE_USER), until)
        _keep_names(_done(run, Kind.ENABLE_USER, Kind.RESTORE_USER), None)
        _keep_old_names(_done(run, Kind.RENAME_USER), until)


def _done(run: Run, *kinds: Kind) -> pl.DataFrame:
    """The finished changes of these kinds, with their values."""
    listed = ", ".join(str(int(kind)) for kind in kinds)
    statement = (
        f"SELECT c.subject, c.kind, d.before, d.after FROM {table_of(Change)} c "
        f"LEFT JOIN {table_of(ChangeDetail)} d ON d.run_id = c.run_id AND d.seq = c.seq "
        f"WHERE c.run_id = %s AND c.verdict = %s AND c.kind IN ({listed}) ORDER BY c.seq"
    )
    return read_frame(statement, [run.pk, int(ChangeVerdict.DONE)], DONE)


def _remember_licences(run: Run, done: pl.DataFrame) -> None:
    if done.is_empty():
        return
    told = done.select("subject", pl.col("after").str.json_decode(LICENCES)).unnest("after")
    given = told.select("subject", "licences").explode("licences", empty_as_null=True).drop_nulls("licences")
    skus = given.select("subject", sku=pl.col("licences").struct.field("sku"))
    taken = told.select("subject", sku="remove").explode("sku", empty_as_null=True).drop_nulls("sku")
    execute_many(
        f"INSERT INTO {table_of(LicenceGrant)} (link_id, sku, run) VALUES (%s, %s, {int(run.pk)}) "
        "ON CONFLICT (link_id, sku) DO NOTHING",
        skus.iter_rows(),
    )
    execute_many(f"DELETE FROM {table_of(LicenceGrant)} WHERE link_id = %s AND sku = %s", taken.iter_rows())


def _claim_disabled(run: Run, made: pl.DataFrame) -> None:
    """An account that we made disabled is ours to enable, as one that we disabled later."""
    disabled = made.filter(pl.col("after").str.json_path_match("$.account_enabled") == "false")
    execute_many(
        f"UPDATE {table_of(Link)} SET disabled_by_run = {int(run.pk)} WHERE id = %s",
        ((link,) for link in disabled["subject"]),
    )


def _keep_names(done: pl.DataFrame, until: dt.date | None) -> None:
    """All names of these people are theirs for good, or until that day."""
    execute_many(
        f"UPDATE {table_of(NameReservation)} SET until = %s WHERE namespace = 'user' AND link_id = %s",
        ((until, link) for link in done["subject"]),
    )


def _keep_old_names(done: pl.DataFrame, until: dt.date) -> None:
    """The names people had before are kept free until that day; the name they have now is theirs."""
    now = done.select("subject", name=pl.col("after").str.json_path_match("$.user_principal_name").str.to_lowercase())
    execute_many(
        f"UPDATE {table_of(NameReservation)} SET until = CASE WHEN folded = %s THEN NULL ELSE %s END "
        "WHERE namespace = 'user' AND link_id = %s",
        ((name, until, link) for link, name in now.iter_rows()),
    )
