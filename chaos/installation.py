"""An installation of its own: a home, and stores on SQLite that are copied as files, so that a story begins where another ended."""

from __future__ import annotations

import atexit
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

HOME = Path(tempfile.mkdtemp(prefix="rollbook-chaos-"))
"""Where everything of this process lies; gone when it ends."""


def begin() -> None:
    """Set the store up for this process, on a database of its own. To be called before anything of the store is imported."""
    os.environ["ROLLBOOK_HOME"] = str(HOME)
    os.environ.pop("DATABASE_URL", None)
    atexit.register(shutil.rmtree, HOME, ignore_errors=True)
    from rollbook.store.setup import configure

    configure()
    from django.core.management import call_command

    use(HOME / "empty.sqlite3")
    call_command("migrate", verbosity=0)
    release()


def use(path: Path) -> None:
    """From now on the store is this file, of whichever threads ask."""
    from django.db import connections

    from rollbook.store.database import sqlite

    connections["default"].close()
    connections.settings["default"] = connections.configure_settings({"default": sqlite(path)})["default"]
    del connections["default"]


def release() -> None:
    """Nobody of this thread holds the store any more."""
    from django.db import connections

    connections.close_all()


def leave_room(pages: int) -> None:
    """The disk has room for this many pages more, as far as this thread's hold of the store is concerned."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        held = int(cursor.fetchone()[0])
        cursor.execute(f"PRAGMA max_page_count = {held + pages}")


def copied(source: Path, name: str) -> Path:
    """A copy of a store nobody holds, under another name; the store in use from now on."""
    release()
    with sqlite3.connect(source) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    path = HOME / f"{name}.sqlite3"
    for old in HOME.glob(f"{path.name}*"):
        old.unlink()
    shutil.copy(source, path)
    use(path)
    return path


def empty(name: str) -> Path:
    """A store that holds nothing yet, in use from now on."""
    return copied(HOME / "empty.sqlite3", name)
