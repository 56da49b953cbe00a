"""A connection that fails: who is told, once, and how a schedule leaves it alone for a while."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rollbook.acts.actor import Actor, require
from rollbook.acts.connections import connection_of, opened
from rollbook.apply.approval import Role
from rollbook.clock import Clock
from rollbook.errors import ApprovalDue, Frozen, Later, Stop
from rollbook.store import quarantine, trail
from rollbook.store.freezes import said_of
from rollbook.store.models import Connection, Institute


@contextmanager
def watched(connection: Connection, actor: Actor, clock: Clock) -> Iterator[None]:
    """What becomes of the connection while the block uses it is remembered: that it fails, and that it works again.

    What Microsoft refused of single changes, and faults of our own, say nothing about the connection.
    """
    try:
        yield
    except Frozen:
        # Somebody of ours stopped it: that says nothing about the connection.
        raise
    except (Stop, Later) as error:
        if quarantine.failed(connection, error, clock.now()):
            _note("connection.failing", connection, actor, clock, {"code": error.code, "request_id": error.request_id})
        raise
    except ApprovalDue:
        # A plan waits for a person: it could be made, so the connection works.
        _works(connection, actor, clock)
        raise
    _works(connection, actor, clock)


def _works(connection: Connection, actor: Actor, clock: Clock) -> None:
    if quarantine.worked(connection):
        _note("connection.works", connection, actor, clock, {})


def _note(action: str, connection: Connection, actor: Actor, clock: Clock, content: dict[str, Any]) -> None:
    trail.append(
        actor_kind=actor.kind,
        actor=actor.name,
        place=actor.place,
        action=action,
        at=clock.now(),
        content={"tenant": connection.tenant.tid, **content},
        institute=connection.institute,
    )


@dataclass(frozen=True, slots=True)
class Health:
    """How a connection is: its state in words, whether it is frozen, what is told of its failing, when a schedule tries it again."""

    tenant: str
    state: str
    failures: int
    failing_since: str | None
    retry_at: str | None
    frozen: str  # since when, by whom and why nothing is written; empty if it is not frozen
    notice: dict[str, str] | None
    expires_on: str | None


def health(connection: Connection) -> Health:
    """How the connection was when it was last used."""

    def said(moment: Any) -> str | None:
        return moment.isoformat(timespec="seconds") if moment else None

    return Health(
        connection.tenant.name,
        str(connection.get_state_display()),
        connection.failures,
        said(connection.failing_since),
        said(connection.retry_at),
        said_of(connection),
        connection.notice,
        connection.expires_on.isoformat() if connection.expires_on else None,
    )


def test_connection(institute: Institute, purpose: Connection.Purpose, actor: Actor, clock: Clock) -> Connection:
    """The connection, tried now: its domains were read. Raises Stop or Later with a sentence if it fails."""
    connection = connection_of(institute, purpose)
    with watched(connection, actor, clock), opened(connection, clock) as tenant:
        tenant.reader.domains()
    connection.refresh_from_db()
    return connection


def set_expiry(connection: Connection, day: dt.date, actor: Actor, clock: Clock) -> None:
    """Say from which day on the credential no longer holds, so that it is told in time. Only an institute administrator may."""
    require(actor, Role.INSTITUTE_ADMIN, "say when a credential expires")
    connection.expires_on = day
    connection.save(update_fields=["expires_on"])
    _note("connection.expires", connection, actor, clock, {"day": day.isoformat()})


def refuse_while_resting(institute: Institute, clock: Clock) -> None:
    """Raises Resting if a schedule has to leave the institute's connection alone for longer."""
    quarantine.refuse_while_resting(connection_of(institute), clock.now())
