"""Where the job engine keeps its own tables: a file beside the SQLite database, or a schema in the PostgreSQL one."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

SCHEMA = "rollbook_jobs"
FILE = "jobs.sqlite3"
UNIXEPOCH_SINCE = (3, 42, 0)
"""From this version on SQLite's unixepoch takes 'subsec'. The engine asks for that where Python is 3.12 or newer, whatever SQLite is."""


@dataclass(frozen=True, slots=True)
class Place:
    """`engine` reaches the tables; `shared` tells whether several processes may be workers."""

    engine: sa.Engine
    shared: bool


def place_of(settings: Mapping[str, Any], home: Path) -> Place:
    """Where the engine's tables are, by Django's settings of the store's database."""
    if "sqlite" in settings["ENGINE"]:
        return Place(_sqlite(home / FILE), shared=False)
    query = {name: value for name, value in (settings.get("OPTIONS") or {}).items() if isinstance(value, str)}
    if settings["HOST"]:
        # In the query, because it may be the folder of a socket.
        query["host"] = settings["HOST"]
    url = sa.URL.create(
        "postgresql+psycopg",
        username=settings["USER"] or None,
        password=settings["PASSWORD"] or None,
        port=int(settings["PORT"]) if settings["PORT"] else None,
        database=settings["NAME"],
        query=query,
    )
    return Place(sa.create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=10), shared=True)


def _sqlite(path: Path) -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 20})
    sa.event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: Any, _: object) -> None:
    """WAL so that readers and the writer do not wait for each other; what a crash loses here, our own store knows and gives again."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=20000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    if sqlite3.sqlite_version_info < UNIXEPOCH_SINCE:
        connection.create_function("unixepoch", 1, _unixepoch)


def _unixepoch(_: str) -> float:
    with sqlite3.connect(":memory:") as database:
        row = database.execute("SELECT (julianday('now') - 2440587.5) * 86400.0").fetchone()
    database.close()
    return float(row[0])
