"""What is wrong with an installation, and what to do: one finding a line, from the database to each tenant. Changes nothing.

Each check stands for itself: one that fails says so and the others go on, but those that need the database are left out where there
is none. Whoever adds one writes a function of a Clock that gives findings, and lists it in CHECKS.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from django.db import connection as database

from rollbook.acts.connections import wire
from rollbook.clock import Clock
from rollbook.errors import RollbookError
from rollbook.graph.consent import roles_of
from rollbook.graph.permissions import NEEDED
from rollbook.graph.protocol import Request, verdict
from rollbook.graph.transport import Transport
from rollbook.store import freezes, jobs, leases, retention
from rollbook.store.home import encryption_keys, home
from rollbook.store.keeping import keeping
from rollbook.store.models import Connection, Job, Secret
from rollbook.store.setup import explained, pending_migrations
from rollbook.store.vault import Vault
from rollbook.words import by_count, counted


class State(StrEnum):
    """How something is. WRONG stops synchronizations, or will soon lose something."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what, how it is, what is said of it, and what to do unless it is well."""

    what: str
    state: State
    said: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A thing to look at. `store`: it can only be looked at in a database of this version."""

    what: str
    look: Callable[[Clock], Iterator[Finding]]
    store: bool = True


def examined(clock: Clock) -> Iterator[Finding]:
    """The findings of all checks, as they are found."""
    usable = True
    for check in CHECKS:
        if check.store and not usable:
            continue
        for finding in _looked(check, clock):
            usable &= check.what not in BEFORE or finding.state != State.WRONG
            yield finding


def _looked(check: Check, clock: Clock) -> Iterator[Finding]:
    """A check's findings; an error it raises is one."""
    try:
        with explained():
            yield from check.look(clock)
    except RollbookError as error:
        yield Finding(check.what, State.WRONG, error.message, error.remedy)


LITTLE, TOO_LITTLE = 2_000_000_000, 200_000_000
"""Bytes of disk from which on it is worth a warning, and from which on the next run may not be written."""

FREE = 0.25


def _disk(_: Clock) -> Iterator[Finding]:
    """Whether there is room where the state is kept."""
    left = shutil.disk_usage(home()).free
    said = f"{left / 1e9:,.1f} GB free in {home()}"
    remedy = "Free some space, or keep less (`rollbook prune`, docs/operations.md)."
    state = State.WRONG if left < TOO_LITTLE else State.WARNING if left < LITTLE else State.OK
    yield Finding("disk", state, said, "" if state == State.OK else remedy)


def _database(_: Clock) -> Iterator[Finding]:
    """Whether the database answers, is whole, and is not mostly empty."""
    place = str(database.settings_dict["NAME"])
    if database.vendor == "sqlite" and not Path(place).exists():
        yield Finding(
            "database", State.WRONG, f"There is no database {place}.", "Run `rollbook migrate`, or restore a backup."
        )
        return
    with database.cursor() as cursor:
        cursor.execute(WHOLE[database.vendor])
        said = str(cursor.fetchone()[0])
    if database.vendor == "sqlite" and said != "ok":
        yield Finding("database", State.WRONG, f"{place} is damaged: {said}", "Stop everything and restore a backup.")
        return
    size = f", {Path(place).stat().st_size / 1e6:,.1f} MB" if database.vendor == "sqlite" else ""
    yield Finding("database", State.OK, f"{database.vendor}: {place}{size}")
    free = retention.free_space()
    if free > FREE and not retention.shrinks():
        yield Finding(
            "database",
            State.WARNING,
            f"{free:.0%} of the file are free and cannot be given back.",
            "Run `rollbook prune --rewrite` once, while nothing else runs.",
        )


WHOLE = {"sqlite": "PRAGMA quick_check(1)", "postgresql": "SELECT version()"}


def _migrations(_: Clock) -> Iterator[Finding]:
    """Whether the database is of this version."""
    pending = pending_migrations()
    if pending:
        many = f"{counted(len(pending), 'migration')} {by_count(len(pending), 'is', 'are')}"
        said = f"{many} pending, the first is {pending[0]}"
        yield Finding("migrations", State.WRONG, said, "Make a backup and run `rollbook migrate`.")
    else:
        yield Finding("migrations", State.OK, "the database is of this version")


def _keys(_: Clock) -> Iterator[Finding]:
    """Whether every secret can be read, and nobody else can read the keys."""
    known = {Vault([key]).key_id for key in encryption_keys()}
    strange = Secret.objects.exclude(key_id__in=known).count()
    if strange:
        yield Finding(
            "keys",
            State.WRONG,
            f"{counted(strange, 'secret')} cannot be read with the encryption keys that are here.",
            "Put the file encryption.keys that belongs to this database into its place (docs/operations.md).",
        )
    files = [path for path in home().glob("*.key*") if path.stat().st_mode & 0o077]
    if files and os.name == "posix":
        yield Finding(
            "keys",
            State.WARNING,
            f"Others on this machine may read {', '.join(path.name for path in files)}.",
            f"chmod 600 {' '.join(str(path) for path in files)}",
        )
    if not strange and not files:
        yield Finding("keys", State.OK, "every secret can be read, and the keys are ours alone")


def _settings(_: Clock) -> Iterator[Finding]:
    """Whether the environment says anything that cannot be meant."""
    keeping(os.environ)
    yield Finding("settings", State.OK, "the environment says nothing that cannot be meant")


def _tenants(clock: Clock) -> Iterator[Finding]:
    """Each tenant that is connected: reachable, permitted, in time, and for how long."""
    for connection in Connection.objects.select_related("tenant", "secret", "institute").order_by("pk"):
        what = f"tenant {connection.tenant.name}"
        if connection.state == Connection.State.DISCONNECTED:
            yield Finding(what, State.OK, "disconnected")
            continue
        yield from _kept_from(what, connection)
        try:
            with wire(connection) as transport:
                for look in OF_TENANTS:
                    yield from look(what, connection, transport, clock)
        except RollbookError as error:
            yield Finding(what, State.WRONG, error.message, error.remedy)


def _kept_from(what: str, connection: Connection) -> Iterator[Finding]:
    """Whether somebody froze the connection, or it failed when it was last used."""
    if connection.frozen_at is not None:
        yield Finding(
            what, State.WARNING, f"The connection is {freezes.said_of(connection)}.", "`rollbook thaw` lets it go on."
        )
    if connection.failing_since is not None:
        notice = connection.notice or {}
        said = (
            f"It has failed {counted(connection.failures, 'time')} since {connection.failing_since:%Y-%m-%d %H:%M} UTC"
        )
        yield Finding(what, State.WARNING, f"{said}: {notice.get('message', '')}", notice.get("remedy", ""))


OFF, FAR_OFF = dt.timedelta(seconds=30), dt.timedelta(minutes=5)
"""How far our clock may be from Microsoft's: from five minutes on, sign-ins signed with a certificate are refused."""


def _reached(what: str, connection: Connection, transport: Transport, clock: Clock) -> Iterator[Finding]:
    """Whether the tenant answers, and what time it is there."""
    asked = Request("GET", "/organization?$select=id")
    answer = transport.send(asked)
    if (fault := verdict(asked, answer)) is not None:
        raise fault
    yield Finding(what, State.OK, "answers")
    told = answer.header("date")
    if told is None:
        return
    apart = abs(clock.now() - parsedate_to_datetime(told))
    # An emulated tenant may live at another time on purpose.
    wrong = State.WARNING if connection.tenant.emulated else State.WRONG
    state = wrong if apart > FAR_OFF else State.WARNING if apart > OFF else State.OK
    said = f"our clock and Microsoft's are {apart.total_seconds():,.0f} s apart"
    yield Finding(
        "clock", state, said, "" if state == State.OK else "Set this machine's clock, best by a time server (NTP)."
    )


def _permitted(what: str, connection: Connection, transport: Transport, clock: Clock) -> Iterator[Finding]:
    """Which of the permissions we need are granted; a tenant that is only read needs no others than those that read."""
    granted = roles_of(transport.token())
    needed = NEEDED if connection.purpose == Connection.Purpose.MAIN else ()
    missing = sorted(set(needed) - granted)
    if not missing:
        yield Finding(what, State.OK, f"{counted(len(granted), 'permission')} granted, none is missing")
    for name in missing:
        remedy = "An administrator of Microsoft 365 grants it to the application and gives consent again (docs/permissions.md)."
        yield Finding(what, State.WRONG, f"The permission {name} is missing: it {NEEDED[name]}.", remedy)


SOON = dt.timedelta(days=30)


def _expiring(what: str, connection: Connection, transport: Transport, clock: Clock) -> Iterator[Finding]:
    """Until when the secret or certificate is good that we sign in with, as far as we may read it."""
    asked = Request("GET", f"/applications(appId='{connection.client_id}')?$select=passwordCredentials,keyCredentials")
    answer = transport.send(asked)
    if (fault := verdict(asked, answer)) is not None:
        said = f"Until when our credential is good cannot be read: {fault.message}"
        yield Finding(
            what, State.WARNING, said, "Grant Application.ReadWrite.OwnedBy, and make the application its own owner."
        )
        return
    ends = _ends(answer.body, Vault().decrypt(connection.secret.ciphertext))
    if ends is None:
        yield Finding(what, State.WARNING, "Until when our credential is good is not told.", "Look it up at Microsoft.")
        return
    left = ends - clock.now()
    remedy = "Make a new secret or certificate for the application at Microsoft, and connect with it."
    state = State.WRONG if left <= dt.timedelta() else State.WARNING if left < SOON else State.OK
    yield Finding(what, state, f"the credential is good until {ends:%Y-%m-%d}", "" if state == State.OK else remedy)


def _ends(application: Any, secret: str) -> dt.datetime | None:
    """When the credential in use ends: the secret whose first letters Microsoft tells; without one, the newest certificate."""
    secrets = [entry for entry in application["passwordCredentials"] if secret.startswith(entry.get("hint") or "\0")]
    found = [entry["endDateTime"] for entry in secrets or application["keyCredentials"]]
    return max((dt.datetime.fromisoformat(end) for end in found), default=None)


OF_TENANTS: Sequence[Callable[[str, Connection, Transport, Clock], Iterator[Finding]]] = (
    _reached,
    _permitted,
    _expiring,
)

LONG, LATELY = dt.timedelta(hours=1), dt.timedelta(days=1)
"""How long a job may wait for its turn, and what counts as lately."""


def _queue(clock: Clock) -> Iterator[Finding]:
    """Whether somebody works, whether jobs come to their turn, and what failed lately."""
    now = clock.now()
    workers = jobs.alive(now, leases.PATIENCE)
    remedy = "Start `rollbook serve`, or `rollbook worker`: until then nothing begins by itself."
    if workers:
        slots = sum(worker.slots for worker in workers)
        yield Finding("queue", State.OK, f"{counted(len(workers), 'worker')}, {counted(slots, 'tenant')} at once")
    else:
        yield Finding("queue", State.WARNING, "No worker is running.", remedy)
    late = Job.objects.filter(state=Job.State.QUEUED, asked_at__lt=now - LONG).count()
    if late:
        said = f"{counted(late, 'job')} {by_count(late, 'has', 'have')} waited for over an hour."
        yield Finding(
            "queue", State.WARNING, said, "`rollbook queue` says what is before them; more workers need PostgreSQL."
        )
    for job in (
        Job.objects.filter(state=Job.State.FAILED, since__gt=now - LATELY).select_related("institute").order_by("pk")
    ):
        notice = job.notice or {}
        said = f"The job of {job.since:%Y-%m-%d %H:%M} UTC for {job.institute.name} failed: {notice.get('message', '')}"
        yield Finding("queue", State.WARNING, said, notice.get("remedy", ""))


CHECKS: list[Check] = [
    Check("disk", _disk, store=False),
    Check("settings", _settings, store=False),
    Check("database", _database, store=False),
    Check("migrations", _migrations),
    Check("keys", _keys),
    Check("queue", _queue),
    Check("tenants", _tenants),
]
"""Everything that is looked at, in this order."""

BEFORE = ("database", "migrations")
"""What has to be well for the checks that need the store."""
