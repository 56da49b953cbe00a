"""Freezing a connection, so that nothing is written until it is thawed: at once, also in a run that goes on meanwhile."""

from __future__ import annotations

from rollbook.acts.actor import require
from rollbook.acts.connections import connection_of
from rollbook.acts.profiles import Author
from rollbook.apply.approval import Role
from rollbook.errors import InputRefused
from rollbook.store.freezes import said_of
from rollbook.store.models import Connection, Institute


def freeze(institute: Institute, because: str, author: Author) -> Connection:
    """The institute's connection, frozen from now on. Whoever may run a synchronization may do it."""
    require(author.actor, Role.OPERATOR, "freeze a connection")
    connection = connection_of(institute)
    if connection.frozen_at is not None:
        raise InputRefused(
            f"The connection to {connection.tenant.name} is {said_of(connection)}.", remedy="Nothing needs to be done."
        )
    connection.frozen_at = author.clock.now()
    connection.frozen_by = author.actor.name
    connection.frozen_because = because
    connection.save(update_fields=["frozen_at", "frozen_by", "frozen_because"])
    author.note(institute, "connection.frozen", {"tenant": connection.tenant.tid})
    return connection


def thaw(institute: Institute, author: Author) -> Connection:
    """The institute's connection, through which may be written again; only an institute administrator may do it."""
    require(author.actor, Role.INSTITUTE_ADMIN, "thaw a connection")
    connection = connection_of(institute)
    if connection.frozen_at is None:
        raise InputRefused(
            f"The connection to {connection.tenant.name} is not frozen.", remedy="Nothing needs to be done."
        )
    since = connection.frozen_at
    connection.frozen_at, connection.frozen_by, connection.frozen_because = None, "", ""
    connection.save(update_fields=["frozen_at", "frozen_by", "frozen_because"])
    author.note(institute, "connection.thawed", {"tenant": connection.tenant.tid, "frozen_at": since.isoformat()})
    return connection


def frozen(institute: Institute) -> str:
    """Since when, by whom and why the institute's connection is frozen; empty if it is not, or there is none."""
    found = Connection.objects.filter(institute=institute, purpose=Connection.Purpose.MAIN).first()
    return said_of(found) if found else ""
