"""One worker: the job engine, the turns it takes, and the looks of every second, from its beginning to its graceful end."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import structlog
from django.conf import settings
from django.core.files import locks
from django.db import DatabaseError, close_old_connections, connections

from rollbook.acts.ticking import Chore, Ticker
from rollbook.acts.working import Desk
from rollbook.clock import Clock
from rollbook.errors import TenantBusy
from rollbook.jobs import Engine, Place, place_of
from rollbook.store import jobs, leases
from rollbook.store.home import home

log = structlog.get_logger()

EVERY = 1.0
"""Seconds between two looks."""

GRACE = 20
"""Seconds a synchronization has to come to its next batch, when the worker is to end."""

LOCK = "worker.lock"


@dataclass(slots=True)
class Worker:
    """A worker of so many `slots`: as many tenants are synchronized by it at once, never one of them twice."""

    slots: int
    clock: Clock
    chores: Sequence[Chore] = ()
    name: str = field(default_factory=lambda: f"{leases.own_name()}:{secrets.token_hex(3)}")

    def run(self, stop: threading.Event) -> bool:
        """Work until `stop` is set; whether everything under way came to a batch's end in time. Raises TenantBusy if there is a worker
        already and the database allows only one."""
        connections.close_all()
        os.environ["PGAPPNAME"] = jobs.as_application(self.name)  # of every session this process opens from now on
        place = place_of(settings.DATABASES["default"], home())
        with _alone(place, home() / LOCK):
            desk = Desk(self.clock, self.name)
            engine = Engine(place, self.name, self.slots, desk.take_turn)
            ticker = Ticker(engine, self.name, self.slots, self.clock, self.chores)
            engine.start()
            log.info("worker: begins", worker=self.name, slots=self.slots)
            while not stop.is_set():
                self._tick(ticker)
                stop.wait(EVERY)
            desk.close()
            engine.stop(GRACE)
            # Whoever looks next takes over what is left, without waiting for this one to be missed.
            jobs.gone(self.name)
            log.info("worker: ends", worker=self.name, left=desk.turns)
            return desk.turns == 0

    def _tick(self, ticker: Ticker) -> None:
        """One look; a database that is away for a moment ends no worker."""
        try:
            ticker.tick()
        except DatabaseError as error:
            log.warning("worker: the database is away; it is tried again", error=type(error).__name__)
            close_old_connections()


@contextmanager
def _alone(place: Place, path: Path) -> Iterator[None]:
    """Where the database is a file, there is one worker at a time."""
    if place.shared:
        yield
        return
    with path.open("w", encoding="ascii") as file:
        _lock(file)
        yield


def _lock(file: IO[str]) -> None:
    try:
        taken = locks.lock(file, locks.LOCK_EX | locks.LOCK_NB)
    except BlockingIOError:
        taken = False
    if not taken:
        raise TenantBusy(
            "There is a worker already, and with an SQLite database there can be only one.",
            remedy="Use that one (`rollbook queue`), or move to PostgreSQL for more.",
        )
