"""A backup as one file: the database as it was at one moment, what it is, and the keys if they are asked for.

On SQLite it is taken with the online backup API, so that everybody may go on; on PostgreSQL by `pg_dump`. The job engine's own tables
are in no backup: the store knows what is done and what is not.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder

from rollbook import __version__
from rollbook.errors import InputRefused, StoreUnusable
from rollbook.store import home

ENGINE_FILE = "jobs.sqlite3"
ENGINE_SCHEMA = "rollbook_jobs"
"""Where the job engine keeps its own."""

KEYS: Mapping[str, Callable[[], str]] = {
    "encryption.keys": lambda: "\n".join(home.encryption_keys()),
    "mark.key": home.mark_key,
    "signing.key": home.signing_key,
}
"""The keys of an installation, by the files they are kept in unless the environment says them."""

VARIABLES: Mapping[str, str] = {
    "encryption.keys": "ROLLBOOK_ENCRYPTION_KEYS",
    "mark.key": "ROLLBOOK_MARK_KEY",
    "signing.key": "ROLLBOOK_SECRET_KEY",
}

WITHOUT: Mapping[str, str] = {
    "encryption.keys": "credentials of tenants and first passwords cannot be read",
    "mark.key": "accounts and groups made from then on carry other marks",
    "signing.key": "everybody has to sign in again",
}
"""What happens without each of them."""

KINDS: Mapping[str, str] = {"sqlite": "rollbook.sqlite3", "postgresql": "rollbook.dump"}
"""What the database is called in an archive, by its kind."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says of itself. `keys` are hashes of the keys that belong to it, whether they are in it or not."""

    version: str
    kind: str
    made_at: str
    migrations: Sequence[str]
    database: str  # SHA-256
    keys: Mapping[str, str]
    with_keys: bool


def write(path: Path, at: dt.datetime, *, with_keys: bool) -> Manifest:
    """The backup, written to `path` and readable by its owner only. Raises InputRefused if there is a file already."""
    if path.exists():
        raise InputRefused(f"{path} exists already.", remedy="Name a file that does not; a backup overwrites nothing.")
    with tempfile.TemporaryDirectory(dir=path.absolute().parent, prefix=".rollbook-backup-") as folder:
        database = Path(folder) / KINDS[connection.vendor]
        TAKE[connection.vendor](database)
        applied = MigrationRecorder(connection).applied_migrations()
        manifest = Manifest(
            __version__,
            connection.vendor,
            at.isoformat(timespec="seconds"),
            sorted(name for app, name in applied if app == "store"),
            _digest(database),
            {name: _said(key().split()[0]) for name, key in KEYS.items()},
            with_keys,
        )
        draft = Path(folder) / "archive"
        draft.touch(mode=0o600)
        packed = zipfile.ZIP_DEFLATED if connection.vendor == "sqlite" else zipfile.ZIP_STORED
        with zipfile.ZipFile(draft, "w", packed) as archive:
            archive.writestr("manifest.json", json.dumps(asdict(manifest), indent=2))
            archive.write(database, database.name)
            for name, key in KEYS.items() if with_keys else ():
                archive.writestr(name, key() + "\n")
        draft.replace(path)
    return manifest


def _said(key: str) -> str:
    """A hash that names a key without telling it."""
    return hashlib.sha256(b"named\0" + key.encode()).hexdigest()[:16]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _take_sqlite(path: Path) -> None:
    """The database as it is now; others go on writing meanwhile."""
    connection.ensure_connection()
    with sqlite3.connect(path) as target:
        connection.connection.backup(target, pages=2_000, sleep=0.01)
    target.close()


def _take_postgresql(path: Path) -> None:
    _tool("pg_dump", f"--exclude-schema={ENGINE_SCHEMA}", "--format=custom", "--no-owner", f"--file={path}")


TAKE: Mapping[str, Callable[[Path], None]] = {"sqlite": _take_sqlite, "postgresql": _take_postgresql}


def _tool(name: str, *options: str) -> None:
    """Run one of PostgreSQL's tools on our database. Raises StoreUnusable if it is not installed, or fails."""
    settings = connection.settings_dict
    asked = {"PGHOST": settings["HOST"], "PGPORT": settings["PORT"], "PGUSER": settings["USER"]}
    asked |= {"PGPASSWORD": settings["PASSWORD"], "PGDATABASE": settings["NAME"]}
    environment = {**os.environ, **{key: str(value) for key, value in asked.items() if value}}
    if shutil.which(name) is None:
        said = " ".join(f"{key}={value}" for key, value in asked.items() if value and key != "PGPASSWORD")
        raise StoreUnusable(
            f"{name} is not installed on this machine, and makes backups of PostgreSQL.",
            remedy=f"Install PostgreSQL's client tools, or run it where they are: {said} {name} {' '.join(options)}",
        )
    ran = subprocess.run([name, *options], env=environment, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise StoreUnusable(
            f"{name} failed: {ran.stderr.strip()}",
            remedy="Tools older than the server cannot be used; else as it says.",
        )


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back: `kept` are files as they were before, `missing` the keys that belong to the backup and are not here."""

    manifest: Manifest
    kept: Sequence[Path]
    missing: Sequence[str]


def read(path: Path) -> Manifest:
    """What an archive says of itself. Raises InputRefused if it is none, is damaged, or is of a newer version."""
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = Manifest(**json.loads(archive.read("manifest.json")))
            with archive.open(KINDS[manifest.kind]) as database:
                whole = hashlib.file_digest(database, "sha256").hexdigest() == manifest.database  # type: ignore[arg-type]
    except FileNotFoundError:
        raise InputRefused(f"There is no file {path}.", remedy="Name a file that `rollbook backup` made.") from None
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise InputRefused(
            f"{path} is no backup: {error}", remedy="Name a file that `rollbook backup` made."
        ) from error
    if not whole:
        raise InputRefused(f"The database in {path} is damaged.", remedy="Use another backup.")
    return manifest


def restore(path: Path, at: dt.datetime) -> Restored:
    """The database as the archive has it. Raises InputRefused if it is of another kind, or of a newer version than this one.

    A file that was there is kept beside. Keys in the archive are put in place.
    """
    manifest = read(path)
    if manifest.kind != connection.vendor:
        raise InputRefused(
            f"The backup is of a database on {manifest.kind}, and DATABASE_URL names one on {connection.vendor}.",
            remedy="Set DATABASE_URL to a database of the same kind; `rollbook move-to-postgres` changes the kind afterwards.",
        )
    unknown = sorted(set(manifest.migrations) - _known())
    if unknown:
        raise InputRefused(
            f"The backup was made by a newer version of Rollbook, {manifest.version} (it knows {', '.join(unknown)}).",
            remedy="Install that version or a newer one, then restore.",
        )
    stamp = f".before-restore-{at:%Y%m%dT%H%M%S}"
    with (
        tempfile.TemporaryDirectory(dir=home.prepare_home(), prefix=".rollbook-restore-") as folder,
        zipfile.ZipFile(path) as archive,
    ):
        database = Path(archive.extract(KINDS[manifest.kind], folder))
        kept = PUT[manifest.kind](database, stamp)
        for name in KEYS if manifest.with_keys else ():
            kept += _put_key(name, archive.read(name).decode("ascii"), stamp)
    missing = [name for name in KEYS if manifest.keys[name] not in map(_said, _here(name))]
    return Restored(manifest, kept, missing)


def _here(name: str) -> list[str]:
    """The keys of this name that this installation has; none is made."""
    file = home.home() / name
    text = os.environ.get(VARIABLES[name]) or (file.read_text(encoding="ascii") if file.exists() else "")
    return text.replace(",", "\n").split()


def _known() -> set[str]:
    """The migrations this version has."""
    from django.db.migrations.loader import MigrationLoader

    found = MigrationLoader(None, ignore_no_migrations=True).disk_migrations or {}
    return {name for app, name in found if app == "store"}


def has(table: str) -> bool:
    """Whether the database has this table."""
    return table in connection.introspection.table_names()


def in_use() -> bool:
    """Whether the database holds anything a restoration would replace."""
    if not has("store_organisation"):
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM store_organisation")
        return bool(cursor.fetchone()[0])


def _put_sqlite(database: Path, stamp: str) -> list[Path]:
    """The file in its place; what was there is kept beside, and so is the job engine's, for what it knows is no longer so."""
    place = Path(str(connection.settings_dict["NAME"]))
    connections.close_all()
    kept = [_aside(path, stamp) for path in (place, place.with_name(ENGINE_FILE)) if path.exists() and _whole(path)]
    for path in (place, place.with_name(ENGINE_FILE)):
        for left in ("", "-wal", "-shm"):
            path.with_name(path.name + left).unlink(missing_ok=True)
    database.replace(place)
    return kept


def _whole(path: Path) -> bool:
    """Whether an SQLite file holds anything; if so, all of it is in the file itself afterwards."""
    with sqlite3.connect(path) as database:
        tables = database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    database.close()
    return bool(tables)


def _aside(path: Path, stamp: str) -> Path:
    return path.rename(path.with_name(path.name + stamp))


def _put_postgresql(database: Path, stamp: str) -> list[Path]:
    connections.close_all()
    name = str(connection.settings_dict["NAME"])
    options = ("--clean", "--if-exists", "--no-owner", "--single-transaction")
    _tool("pg_restore", *options, f"--dbname={name}", str(database))
    return []


PUT: Mapping[str, Callable[[Path, str], list[Path]]] = {"sqlite": _put_sqlite, "postgresql": _put_postgresql}


def _put_key(name: str, key: str, stamp: str) -> list[Path]:
    """A key file in its place; another one that was there is kept beside."""
    place = home.home() / name
    kept = []
    if place.exists():
        if place.read_text(encoding="ascii").strip() == key.strip():
            return []
        kept.append(_aside(place, stamp))
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(key)
    return kept
