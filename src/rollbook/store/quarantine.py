"""A failing connection: tried less and less often by schedules, told once, and free again as soon as it works.

Whoever asks by hand may try at any moment; what comes of it counts in the same way.
"""

from __future__ import annotations

import datetime as dt

from rollbook.errors import Resting, TenantError
from rollbook.store.models import Connection

PAUSES = tuple(dt.timedelta(minutes=minutes) for minutes in (5, 15, 60, 240, 720))
"""How long a schedule leaves the connection alone after so many failures in a row; the last one holds for all that follow."""


def notice_of(error: TenantError) -> dict[str, str]:
    """What is told of a failure: what happened, what to do, Microsoft's code, and the id its support asks for."""
    return {
        "message": error.message,
        "remedy": error.remedy,
        "code": error.code,
        "request_id": error.request_id,
    }


def failed(connection: Connection, error: TenantError, now: dt.datetime) -> bool:
    """Remember one more failure; whether it is the first one, or of another kind than the last, so that it is to be told."""
    connection.refresh_from_db(fields=["failing_since", "failures", "notice", "state"])
    before = connection.notice or {}
    connection.failing_since = connection.failing_since or now
    connection.failures += 1
    connection.retry_at = now + PAUSES[min(connection.failures, len(PAUSES)) - 1]
    connection.notice = notice_of(error)
    if connection.state == Connection.State.CONNECTED:
        connection.state = Connection.State.NEEDS_ATTENTION
    connection.save(update_fields=["failing_since", "failures", "retry_at", "notice", "state"])
    return before.get("message") != error.message


def worked(connection: Connection) -> bool:
    """The connection works: whether it had failed before, so that its end is to be told."""
    connection.refresh_from_db(fields=["failing_since", "state"])
    if connection.failing_since is None:
        return False
    connection.failing_since, connection.failures, connection.retry_at, connection.notice = None, 0, None, None
    if connection.state == Connection.State.NEEDS_ATTENTION:
        connection.state = Connection.State.CONNECTED
    connection.save(update_fields=["failing_since", "failures", "retry_at", "notice", "state"])
    return True


def refuse_while_resting(connection: Connection, now: dt.datetime) -> None:
    """Raises Resting if a schedule has to leave the connection alone for longer."""
    if connection.retry_at is None or connection.retry_at <= now:
        return
    notice = connection.notice or {}
    raise Resting(
        f"The connection has failed {connection.failures} times since {connection.failing_since:%Y-%m-%d %H:%M} UTC, and is tried "
        f"again at {connection.retry_at:%Y-%m-%d %H:%M} UTC. {notice.get('message', '')}",
        remedy=notice.get("remedy", ""),
        code=notice.get("code", ""),
        request_id=notice.get("request_id", ""),
    )
