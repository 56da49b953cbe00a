"""Importing 20,000 people: reading and checking against polars' bare reading, storing against a bare bulk insert."""

from __future__ import annotations

import atexit
import datetime as dt
import os
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import Any

import polars as pl

from bench.rows import Row, seconds
from rollbook import sample, sources
from rollbook.roster.tables import Roster

PEOPLE = 20_000


def measure() -> list[Row]:
    """The rows of the area `import`."""
    home = Path(tempfile.mkdtemp(prefix="rollbook-bench-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ["ROLLBOOK_HOME"] = str(home)
    os.environ.pop("DATABASE_URL", None)
    folder = home / "school"
    sample.write(sample.school(PEOPLE), folder)
    read = seconds(lambda: sources.read(folder), repeats=15)
    bare = seconds(lambda: [pl.read_csv(file, infer_schema=False) for file in folder.glob("*.csv")], repeats=15)
    reading = sources.read(folder)
    assert reading.roster is not None
    stored, inserted = _storing(reading.roster)
    return [
        Row("OneRoster folder of 20,000 people to checked frames", read, "s", bare, 5.0),
        Row("frames of 20,000 people to database", stored, "s", inserted, 3.0),
    ]


def _storing(roster: Roster) -> tuple[float, float]:
    """Seconds to import the frames into an empty store, and to insert the same rows bare into an equal database."""
    from rollbook.store.setup import open_store

    open_store()
    from rollbook.acts.actor import DEMO
    from rollbook.acts.institutes import ensure_institute
    from rollbook.clock import SystemClock
    from rollbook.store.deliveries import Received, import_roster

    _, source = ensure_institute(roster, "bench", DEMO, SystemClock())
    at = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)

    def store() -> None:
        import_roster(source, roster, Received("bench", "usable", {}, [], at))

    stored = seconds(store, repeats=3, before=_empty)
    rows = _stored_rows()

    def insert() -> None:
        for model, frame in rows:
            _bare_insert(model, frame)

    return stored, seconds(insert, repeats=3, before=_empty)


def _empty() -> None:
    from django.db import connection

    from rollbook.store.models import Delivery, EntityCounter, Person, Source
    from rollbook.store.register import TABLES

    with connection.cursor() as cursor:
        models: list[Any] = [*(table.model for table in TABLES), Person, EntityCounter, Delivery]
        for model in models:
            cursor.execute(f"DELETE FROM {model._meta.db_table}")
    Source.objects.update(published=0)


def _stored_rows() -> list[tuple[Any, list[tuple[Any, ...]]]]:
    """Every row of the register as it was stored, by model, as the driver takes them."""
    from rollbook.store.models import Person
    from rollbook.store.register import TABLES

    models: list[Any] = [*(table.model for table in TABLES), Person]
    return [(model, [tuple(map(_plain, row)) for row in model.objects.values_list()]) for model in models]


def _plain(cell: Any) -> Any:
    return str(cell) if isinstance(cell, dt.date | uuid.UUID) else cell


def _bare_insert(model: Any, rows: list[tuple[Any, ...]]) -> None:
    """One INSERT statement for all rows, in one transaction: what a database takes at the least."""
    from django.db import connection, transaction

    columns = [column.column for column in model._meta.concrete_fields]
    quoted = ", ".join(connection.ops.quote_name(column) for column in columns)
    marks = ", ".join(["%s"] * len(columns))
    with transaction.atomic(), connection.cursor() as cursor:
        plain = [
            tuple(str(cell) if hasattr(cell, "hex") and not isinstance(cell, int | float) else cell for cell in row)
            for row in rows
        ]
        cursor.executemany(f"INSERT INTO {model._meta.db_table} ({quoted}) VALUES ({marks})", plain)
