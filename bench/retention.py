"""A year of two-hourly synchronizations of a school of 2,000: how large the database is, pruned every day and never.

Measured in a process of its own, `python -m bench.retention`, with a store and an emulated tenant of its own. The first runs are real:
the school made, a look at everything, a look without a change, one at a few people who changed. A year of such runs is then written in
bulk, row by row as the real ones left them, with their entries in the trail and their deliveries. It is the dearest year there can be:
each look is at everything, as with a schedule of `rollbook sync`, and so each leaves again whoever waits. The same year is lived once
more with a chore that prunes, once a week.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.rows import Row
from rollbook.store.database import BUSY_SECONDS

PEOPLE = 2_000
DAYS, A_DAY = 365, 12
BUSY = 3
"""Every so many looks find that something changed."""

CHANGED = 20
"""People who changed class in such a look: three changes each, and their group of the structure."""

WAITING = 1_000
"""So many wait, and are told again by each look: enrolments held by a sync start date, people without a licence."""

BOUND = 1_000.0
"""Megabytes that a year may take."""


def measure() -> list[Row]:
    """The area `retention`."""
    done = subprocess.run([sys.executable, "-m", "bench.retention"], stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return [
        Row("database after a year, pruned every week", found["pruned"], "MB", BOUND, 1.0),
        Row(
            "database after a year, never pruned, by the pruned one",
            found["never"],
            "MB",
            found["pruned"],
            1.0,
            floor=True,
        ),
        Row("longest wait of a writer while a year is pruned at once", found["wait"], "s", BUSY_SECONDS, 0.25),
        Row("pruning a year at once", found["seconds"], "s", 300.0, 1.0),
    ]


def _measured() -> dict[str, float]:
    """Megabytes, seconds, and the longest pause."""
    from bench.emulating import EMULATOR, Running, server

    with tempfile.TemporaryDirectory(prefix="rollbook-bench-") as home:
        os.environ["ROLLBOOK_HOME"] = str(Path(home) / "store")
        os.environ.pop("DATABASE_URL", None)
        with server([*EMULATOR, "--state", str(Path(home) / "tenant.sqlite3")]) as (line, _):
            from rollbook.store.setup import open_store

            open_store()
            from bench import settling

            settling.settled(PEOPLE, Running(line), json.loads(line))
            _change_some()
            from rollbook.acts.scopes import synchronize_changed, synchronize_everything
            from rollbook.store.models import Institute

            school = Institute.objects.get()
            settling.agreed(school, synchronize_changed)
            settling.agreed(school, synchronize_changed)
            settling.agreed(school, synchronize_everything)
        return _years(Path(os.environ["ROLLBOOK_HOME"]) / "rollbook.sqlite3")


def _change_some() -> None:
    """Some people get another name, as a delivery would say it."""
    from rollbook.store.models import Due, Institute, PersonRecord

    some = PersonRecord.objects.filter(sourced_id__in=[f"p{number}" for number in range(1, CHANGED + 1)])
    some.update(given_name="Renamed")
    rows = [(Institute.objects.get(), entity) for entity in some.values_list("entity", flat=True)]
    Due.objects.bulk_create(
        Due(institute=school, day=dt.date(2026, 9, 1), kind=Due.Kind.PERSON, subject=who) for school, who in rows
    )


def _years(file: Path) -> dict[str, float]:
    """The same year lived through twice, from the same beginning."""
    from bench.years import Year

    found: dict[str, float] = {}
    _settle(file)
    beginning = file.read_bytes()
    never = Year()
    never.first_run()
    for day in range(DAYS):
        never.live(day)
    found["never"], largest = _settle(file), _largest()
    began = time.perf_counter()
    with _waiting(file) as waits:
        never.prune(DAYS)
    found["seconds"], found["wait"] = time.perf_counter() - began, max(waits)
    _told(
        f"a year takes {found['never']:.0f} MB, of these: {largest}; pruned at once in {found['seconds']:.1f} s to {_settle(file):.0f} MB"
    )
    file.write_bytes(beginning)
    pruned = Year()
    pruned.first_run()
    for day in range(DAYS):
        pruned.live(day)
        if day % 7 == 6:
            pruned.prune(day)
    found["pruned"] = _settle(file)
    _told(f"pruned every week it takes {found['pruned']:.0f} MB; of these: {_largest()}")
    return found


@contextmanager
def _waiting(file: Path) -> Iterator[list[float]]:
    """Seconds that somebody else waited for each right to write, asked for all the time while the block runs."""
    waits, over = [0.0], threading.Event()

    def ask() -> None:
        other = sqlite3.connect(file, timeout=20, isolation_level=None)
        while not over.is_set():
            began = time.perf_counter()
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
            waits.append(time.perf_counter() - began)
            over.wait(0.01)
        other.close()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield waits
    finally:
        over.set()
        asking.join()


def _largest() -> str:
    """The largest tables with their indexes, in megabytes."""
    from django.db import connection

    statement = (
        "SELECT m.tbl_name, SUM(s.pgsize) / 1e6 FROM dbstat s JOIN sqlite_master m ON m.name = s.name "
        "GROUP BY 1 ORDER BY 2 DESC LIMIT 8"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return ", ".join(f"{name.removeprefix('store_')} {size:.0f}" for name, size in cursor.fetchall())


def _settle(file: Path) -> float:
    """Megabytes of the database, everything written into its file; the next statement opens it again."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.fetchall()
    connection.close()
    return sum(path.stat().st_size for path in file.parent.glob(f"{file.name}*")) / 1e6


def _told(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr)


if __name__ == "__main__":
    print(json.dumps(_measured()))
