"""An SQLite store moved into an empty database on PostgreSQL: every table copied with COPY, in one transaction, and counted."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, connections, models, transaction

from rollbook.errors import InputRefused, StoreUnusable
from rollbook.store import trail
from rollbook.store.bulk import table_of
from rollbook.store.home import home
from rollbook.store.setup import explained, migrate, pending_migrations

MADE_BY_MIGRATING = ("django_content_type", "auth_permission")
"""Tables a new database has rows in already; ours take their place, for other rows name them by number."""

AT_ONCE = 5_000

Told = Callable[[str], None]


def move(url: str, told: Told) -> dict[str, int]:
    """How many rows of each table were copied from the SQLite store that is in use to the database at `url`.

    Raises InputRefused if the store is not on SQLite, or the other database is not an empty one on PostgreSQL. Nothing is written to
    the SQLite file, and nobody else can write to it meanwhile. This process uses the other database afterwards.
    """
    from rollbook.store.database import database

    if connection.vendor != "sqlite":
        raise InputRefused("The store is not on SQLite.", remedy="Unset DATABASE_URL, or set it to the SQLite file.")
    target = database(url, home())
    if "postgresql" not in target["ENGINE"]:
        raise InputRefused(f"{url} is no database on PostgreSQL.", remedy="Name one as postgresql://USER@HOST/NAME.")
    with explained():
        pending_migrations()
    place = Path(str(connection.settings_dict["NAME"]))
    connections.close_all()
    source = sqlite3.connect(place, timeout=20, isolation_level=None)
    try:
        source.execute("BEGIN IMMEDIATE")
        _use(target)
        with explained():
            _require_empty()
            told("tables")
            migrate()
            return _copied(source, told)
    except sqlite3.OperationalError as error:
        raise StoreUnusable(
            f"The SQLite file is in use: {error}.", remedy="Stop what uses it, and try again."
        ) from error
    finally:
        source.rollback()
        source.close()


def _use(target: dict[str, Any]) -> None:
    """Let this process use another database: migrations and sequences are made through the default one."""
    connections.settings["default"] = connections.configure_settings({"default": target})["default"]
    del connections["default"]


def _require_empty() -> None:
    """Raises InputRefused if a table of the target holds anything."""
    there = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for model in _models():
            name = model._meta.db_table
            if name not in there or name in MADE_BY_MIGRATING:
                continue
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {table_of(model)})")
            if cursor.fetchone()[0]:
                raise InputRefused(
                    f"The database {connection.settings_dict['NAME']} is not empty: its table {name} has rows.",
                    remedy="Name an empty database; nothing was changed.",
                )


def _models() -> list[type[models.Model]]:
    """Every table of ours, those between others included."""
    return [
        model for model in apps.get_models(include_auto_created=True) if model._meta.managed and not model._meta.proxy
    ]


def _copied(source: sqlite3.Connection, told: Told) -> dict[str, int]:
    """Rows by table. Foreign keys are checked when the transaction ends, so the order does not matter."""
    copied = {}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'UTC'")  # what SQLite keeps are moments in UTC that do not say so
        listed = ", ".join(connection.ops.quote_name(name) for name in MADE_BY_MIGRATING)
        cursor.execute(f"TRUNCATE {listed} CASCADE")
        for model in _models():
            told(model._meta.db_table)
            copied[model._meta.db_table] = _copy(source, model, cursor)
        for statement in connection.ops.sequence_reset_sql(no_style(), _models()):
            cursor.execute(statement)
        _require_equal(copied, cursor)
        broken = trail.first_broken()
        if broken is not None:
            raise StoreUnusable(
                f"Entry {broken.pk} of the trail does not verify after copying, so nothing was kept.",
                remedy="Look whether it verifies where it was: `rollbook doctor`.",
            )
    return copied


def _copy(source: sqlite3.Connection, model: type[models.Model], cursor: Any) -> int:
    fields = model._meta.concrete_fields
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    found = source.execute(f'SELECT {columns} FROM "{model._meta.db_table}"')
    plain = [CONVERTED.get(field.get_internal_type()) for field in fields]
    count = 0
    with cursor.copy(f"COPY {table_of(model)} ({columns}) FROM STDIN") as copy:
        for row in _rows(found):
            copy.write_row([turn(value) if turn else value for turn, value in zip(plain, row, strict=True)])
            count += 1
    return count


def _rows(found: sqlite3.Cursor) -> Iterator[Sequence[Any]]:
    while part := found.fetchmany(AT_ONCE):
        yield from part


def _truth(value: int | None) -> bool | None:
    return None if value is None else bool(value)


CONVERTED: Mapping[str, Callable[[Any], Any]] = {"BooleanField": _truth}
"""What SQLite keeps in another form than PostgreSQL reads; dates, moments, identifiers and JSON are texts that both read."""


def _require_equal(copied: Mapping[str, int], cursor: Any) -> None:
    for model in _models():
        cursor.execute(f"SELECT COUNT(*) FROM {table_of(model)}")
        there = int(cursor.fetchone()[0])
        if there != copied[model._meta.db_table]:
            raise StoreUnusable(
                f"Of {model._meta.db_table} {there} rows arrived, and {copied[model._meta.db_table]} were sent."
            )
