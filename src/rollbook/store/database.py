"""Which database: DATABASE_URL as Django's settings. SQLite by default, tuned so that what was answered survives a crash."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from rollbook.errors import StoreUnusable

SQLITE_FILE = "rollbook.sqlite3"
BUSY_SECONDS = 20

IDLE_SECONDS = 60
"""After so long PostgreSQL ends a session that does nothing in the midst of a transaction: a worker that froze must not keep its locks."""

# WAL lets the portal read while a run writes; FULL makes every commit survive a power cut, because intents live here.
PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-65536;"


def database(url: str, home: Path) -> dict[str, Any]:
    """Django's settings of the database that `url` names; an empty url means the SQLite file in `home`."""
    if not url:
        return sqlite(home / SQLITE_FILE)
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return sqlite(Path(unquote(parts.path)))
    if parts.scheme in ("postgres", "postgresql"):
        return _postgresql(url)
    raise StoreUnusable(
        f"DATABASE_URL names the database kind {parts.scheme!r}, which Rollbook does not know.",
        remedy="Use postgresql://USER:PASSWORD@HOST/NAME, or sqlite:///PATH, or leave it out.",
    )


def sqlite(path: Path) -> dict[str, Any]:
    """Settings of an SQLite file."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {"timeout": BUSY_SECONDS, "transaction_mode": "IMMEDIATE", "init_command": PRAGMAS},
    }


def _postgresql(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "rollbook",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or parts.hostname or "",
        "PORT": str(options.pop("port", "") or parts.port or ""),
        "OPTIONS": {"options": f"-c idle_in_transaction_session_timeout={IDLE_SECONDS * 1000}", **options},
    }
