"""Opening the store: Django set up once, the database there and of this version, or a sentence that says what is wrong."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.apps import apps

from rollbook.errors import StoreUnusable
from rollbook.store.home import prepare_home

FULL = "full"


def configure() -> None:
    """Set Django up in this process; does nothing the second time."""
    prepare_home()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.store.settings")
    if not apps.ready:
        django.setup()


def open_store() -> None:
    """The database is there and of this version afterwards. Raises StoreUnusable with a sentence if it cannot be.

    A database of an older version is brought up to date: an SQLite file by itself, copied beside itself before that; one on
    PostgreSQL, which others may be using, only while it is empty. There `rollbook migrate` is asked for.
    """
    configure()
    from django.db import connection

    with explained():
        pending = pending_migrations()
        if not pending:
            return
        if connection.vendor != "sqlite" and "store_run" in connection.introspection.table_names():
            raise StoreUnusable(
                f"The database is of an older version of Rollbook: {len(pending)} migrations are pending.",
                remedy="Stop what uses it, make a backup, and run `rollbook migrate` once.",
            )
        migrate()


MIGRATING = 7236002
"""The advisory lock of whoever migrates a PostgreSQL database, so that of two who begin at once one waits for the other."""


def migrate() -> list[str]:
    """Bring the database up to date; the migrations that were pending. An SQLite file is copied beside itself before that."""
    from django.core.management import call_command
    from django.db import connection

    with explained():
        if connection.vendor == "sqlite":
            pending = pending_migrations()
            if pending:
                _copy_beside(Path(str(connection.settings_dict["NAME"])))
                call_command("migrate", verbosity=0, interactive=False)
            return pending
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATING])
            try:
                pending = pending_migrations()
                if pending:
                    call_command("migrate", verbosity=0, interactive=False)
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATING])
        return pending


def pending_migrations() -> list[str]:
    """Migrations that this version has and the database has not. Raises StoreUnusable if it has some that we do not know."""
    pending, unknown = _migrations()
    if unknown:
        raise StoreUnusable(
            f"The database was last used by a newer version of Rollbook (it knows {', '.join(unknown)}).",
            remedy="Install that version or a newer one, or restore the copy made before the update.",
        )
    return pending


def require_current() -> None:
    """Raises StoreUnusable if the database cannot be read now, or is of another version; changes nothing."""
    with explained():
        pending, unknown = _migrations()
    if pending or unknown:
        raise StoreUnusable(
            "The database is of another version.", remedy="Restart Rollbook with the version it belongs to."
        )


def _migrations() -> tuple[list[str], list[str]]:
    """Migrations of ours that were not applied yet, and applied ones that this version does not have."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor
    from django.db.migrations.recorder import MigrationRecorder

    executor = MigrationExecutor(connection)
    pending = [str(migration) for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    applied = MigrationRecorder(connection).applied_migrations()
    known = executor.loader.disk_migrations or {}
    unknown = [name for app, name in applied if app == "store" and (app, name) not in known]
    return pending, unknown


def _copy_beside(path: Path) -> None:
    """Keep the database as it was before an update. A new one has nothing to keep; it gives free pages back bit by bit
    (store.retention), which is said of a file before it holds anything: said at each connection it would wait for whoever writes."""
    with sqlite3.connect(path) as database:
        tables = database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
        database.commit()
        if tables:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            database.execute("PRAGMA auto_vacuum=INCREMENTAL")
            database.execute("VACUUM")
    database.close()
    if tables:
        shutil.copy2(path, path.with_name(f"{path.name}.before-update"))


@contextmanager
def explained() -> Iterator[None]:
    """Faults of the database inside the block become sentences."""
    from django.db import DatabaseError

    try:
        yield
    except (DatabaseError, sqlite3.DatabaseError) as error:
        raise _sentence(error) from error


def _sentence(error: Exception) -> StoreUnusable:
    from django.db import connection

    said = str(error).lower()
    where = str(connection.settings_dict["NAME"])
    for word, message, remedy in SENTENCES:
        if word in said:
            return StoreUnusable(message.format(where=where), remedy=remedy)
    return StoreUnusable(f"The database {where} cannot be used: {error}", remedy="Check the database and DATABASE_URL.")


SENTENCES = (
    (
        "is full",
        "The disk that holds {where} is full; what was not finished was not written.",
        "Free some space and run the command again; it goes on where it was.",
    ),
    (
        "no space left",
        "The disk that holds {where} is full; what was not finished was not written.",
        "Free some space and run the command again; it goes on where it was.",
    ),
    ("not a database", "{where} is not a database.", "Move the file away, or point DATABASE_URL to the right one."),
    ("malformed", "The database {where} is damaged.", "Restore it from a backup."),
    (
        "locked",
        "The database {where} is in use by another program that does not let go.",
        "End the other program, or wait.",
    ),
    (
        "readonly",
        "The database {where} cannot be written to.",
        "Give this user the right to write the file and its folder.",
    ),
    ("unable to open", "The database {where} cannot be opened.", "Check that the folder exists and may be written to."),
    ("connection", "The database {where} cannot be reached.", "Start PostgreSQL, or correct DATABASE_URL."),
    ("does not exist", "The database {where} does not exist.", "Create it, or correct DATABASE_URL."),
    ("authentication", "The database {where} refused our name or password.", "Correct DATABASE_URL."),
)
"""Word in the driver's fault, sentence, remedy; the drivers give no codes that both databases share."""
