"""The tenant's file: every acknowledged write survives `kill -9`.

Knows rows of JSON and links; refuses to know what they mean. One SQLite transaction per HTTP request in WAL mode with
synchronous=NORMAL: what was committed is in the operating system's hands before the answer leaves, which is what a
killed process needs (a power cut may lose the last moments, which an emulator can bear).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import orjson

Row = tuple[int, str, str, dict[str, Any] | None]
"""tenant number, kind, id, record; None in place of the record means: gone."""
LinkRow = tuple[int, str, str, str, int | None]
"""tenant number, kind, source, target, number of the change; None in place of the number means: gone."""

LAYOUT = 2
"""Number of the file's layout; a file of another one is refused, never misread."""

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS record (
  tenant INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (tenant, kind, id));
CREATE TABLE IF NOT EXISTS link (
  tenant INTEGER NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL,
  sequence INTEGER NOT NULL, PRIMARY KEY (tenant, kind, source, target)) WITHOUT ROWID;
PRAGMA user_version = {LAYOUT};
"""
_PUT = (
    "INSERT INTO record (tenant, kind, id, body) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (tenant, kind, id) DO UPDATE SET body = excluded.body"
)
_LINK = "INSERT OR REPLACE INTO link (tenant, kind, source, target, sequence) VALUES (?, ?, ?, ?, ?)"


class StateUnusable(Exception):
    """The state file cannot be used; the message says why and what to do."""


class Journal(Protocol):
    """Where a world keeps its rows."""

    def records(self) -> Iterator[Row]:
        """Every record, oldest first."""

    def links(self) -> Iterator[LinkRow]:
        """Every link, oldest first."""

    def commit(self, records: Sequence[Row], links: Sequence[LinkRow]) -> None:
        """Keep all of these or, when this raises, none."""

    def clear(self) -> None:
        """Forget everything."""

    def close(self) -> None:
        """Release the file."""


class MemoryJournal:
    """Keeps nothing: the tenant lives in memory only."""

    def records(self) -> Iterator[Row]:
        """Nothing was kept."""
        return iter(())

    def links(self) -> Iterator[LinkRow]:
        """Nothing was kept."""
        return iter(())

    def commit(self, records: Sequence[Row], links: Sequence[LinkRow]) -> None:
        """Nothing to do: memory already holds it."""

    def clear(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""


class FileJournal:
    """Keeps the rows in one SQLite file; `StateUnusable` when the file cannot be used."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The world is loaded in one thread and served in another, never by two at once.
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            # Two emulators on one file would each believe their own memory.
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._check_layout(path)
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            self._db.close()
            message = f"The state file {path} cannot be used: {error}. Does another emulator use it?"
            raise StateUnusable(message) from error
        except StateUnusable:
            self._db.close()
            raise

    def _check_layout(self, path: Path) -> None:
        (layout,) = self._db.execute("PRAGMA user_version").fetchone()
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and layout != LAYOUT:
            raise StateUnusable(
                f"The state file {path} was written by another version of the emulator (layout {layout}, not {LAYOUT}). "
                "Delete it to begin with a new tenant, or name another file."
            )

    def records(self) -> Iterator[Row]:
        """Every record in the order it was first written."""
        for tenant, kind, key, body in self._db.execute("SELECT tenant, kind, id, body FROM record ORDER BY rowid"):
            yield tenant, kind, key, orjson.loads(body)

    def links(self) -> Iterator[LinkRow]:
        """Every link in the order it began."""
        yield from self._db.execute("SELECT tenant, kind, source, target, sequence FROM link ORDER BY sequence")

    def commit(self, records: Sequence[Row], links: Sequence[LinkRow]) -> None:
        """One transaction over all rows; `sqlite3.Error` (a full disk) leaves the file as it was."""
        put = ((t, k, i, orjson.dumps(body)) for t, k, i, body in records if body is not None)
        gone = [(t, k, i) for t, k, i, body in records if body is None]
        tied = (row for row in links if row[4] is not None)
        cut = [row[:4] for row in links if row[4] is None]
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(_PUT, put)
            self._db.executemany("DELETE FROM record WHERE tenant = ? AND kind = ? AND id = ?", gone)
            self._db.executemany(_LINK, tied)
            self._db.executemany("DELETE FROM link WHERE tenant = ? AND kind = ? AND source = ? AND target = ?", cut)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def clear(self) -> None:
        """Forget every row."""
        self._db.executescript("BEGIN; DELETE FROM record; DELETE FROM link; COMMIT;")

    def close(self) -> None:
        """Close the file; the WAL is folded in."""
        self._db.close()
