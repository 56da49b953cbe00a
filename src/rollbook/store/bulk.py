"""Frames to rows and rows to frames, in bulk: COPY on PostgreSQL, executemany on SQLite. No ORM loop over rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
import polars as pl
from django.db import connection, models, transaction

CHUNK = 20_000
"""Rows a staging transaction holds: small enough that a reader never waits long for the writer."""


def table_of(model: type[models.Model]) -> str:
    """The quoted name of a model's table."""
    return connection.ops.quote_name(model._meta.db_table)


def insert_frame(model: type[models.Model], frame: pl.DataFrame) -> None:
    """All rows of `frame`, whose columns are named like the model's database columns, in the transaction that is open."""
    if frame.is_empty():
        return
    plain = frame.with_columns(pl.col(pl.Date, pl.Enum, pl.Categorical).cast(pl.String))
    columns = ", ".join(connection.ops.quote_name(name) for name in plain.columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table_of(model)} ({columns}) FROM STDIN") as copy:
                for row in plain.iter_rows():
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * plain.width)
            cursor.executemany(f"INSERT INTO {table_of(model)} ({columns}) VALUES ({marks})", plain.rows())


def insert_in_chunks(model: type[models.Model], frame: pl.DataFrame) -> None:
    """The same, in transactions of their own of CHUNK rows."""
    for part in frame.iter_slices(CHUNK):
        with transaction.atomic():
            insert_frame(model, part)


def among(column: str, values: Iterable[int] | Iterable[str]) -> tuple[str, list[Any]]:
    """The condition that `column` is one of `values`, and its parameters: one, however many values there are."""
    listed = list(values)
    if connection.vendor == "postgresql":
        kind = "text" if listed and isinstance(listed[0], str) else "bigint"
        return f"{column} = ANY(%s::{kind}[])" if listed else "FALSE", [listed] if listed else []
    return f"{column} IN (SELECT value FROM json_each(%s))", [orjson.dumps(listed).decode()]


def execute_many(statement: str, rows: Iterable[Sequence[Any]]) -> None:
    """One statement for each row of parameters."""
    with connection.cursor() as cursor:
        cursor.executemany(statement, list(rows))


def read_frame(
    statement: str, parameters: Sequence[Any], schema: Mapping[str, pl.DataType | type[pl.DataType]]
) -> pl.DataFrame:
    """The rows of a SELECT, whose columns come in the order of `schema`."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows = cursor.fetchall()
    # Both drivers give Python's dates and booleans: Django converts what SQLite declares as such.
    return pl.DataFrame(rows, schema=pl.Schema(schema), orient="row")
