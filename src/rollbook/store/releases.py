"""Enrolments that were released: remembered by the register's key of the enrolment, so that later deliveries keep it. Set-based."""

from __future__ import annotations

import datetime as dt

import polars as pl
from django.db import transaction

from rollbook.store.bulk import execute_many, insert_frame, read_frame, table_of
from rollbook.store.models import EnrolmentRelease, Institute


def released(institute: Institute) -> pl.Series:
    """Keys of the institute's released enrolments, in order."""
    statement = f"SELECT enrolment FROM {table_of(EnrolmentRelease)} WHERE institute_id = %s ORDER BY enrolment"
    return read_frame(statement, [institute.pk], {"enrolment": pl.Int64})["enrolment"]


def release(institute: Institute, enrolments: pl.Series, actor: str, at: dt.datetime) -> pl.Series:
    """The keys of `enrolments` that were not released before and are from now on."""
    with transaction.atomic():
        _hold(institute)
        new = enrolments.unique().sort()
        new = new.filter(~new.is_in(released(institute).implode()))
        rows = new.to_frame("enrolment").with_columns(
            institute_id=pl.lit(institute.pk), actor=pl.lit(actor), at=pl.lit(at)
        )
        insert_frame(EnrolmentRelease, rows)
    return new


def forget(institute: Institute, enrolments: pl.Series) -> pl.Series:
    """The keys of `enrolments` that were released and no longer are."""
    with transaction.atomic():
        _hold(institute)
        was = released(institute)
        gone = was.filter(was.is_in(enrolments.implode()))
        statement = f"DELETE FROM {table_of(EnrolmentRelease)} WHERE institute_id = %s AND enrolment = %s"
        execute_many(statement, ((institute.pk, key) for key in gone))
    return gone


def _hold(institute: Institute) -> None:
    """Keep others from releasing in this institute at once: two would both find an enrolment not released."""
    Institute.objects.select_for_update().get(pk=institute.pk)
