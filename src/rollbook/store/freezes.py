"""Frozen connections: nothing is written through them, whoever asks. Looked at before every batch, so that a run stops at once."""

from __future__ import annotations

from rollbook.errors import Frozen
from rollbook.store.models import Connection, Run


def require_thawed(connection: Connection) -> None:
    """Raises Frozen if the connection is frozen now."""
    connection.refresh_from_db(fields=["frozen_at", "frozen_by", "frozen_because"])
    if connection.frozen_at is not None:
        raise Frozen(
            f"The connection to {connection.tenant.name} is {said_of(connection)}.",
            remedy="Nothing is written until an institute administrator thaws it: `rollbook thaw`.",
            code="Frozen",
        )


def said_of(connection: Connection) -> str:
    """Since when, by whom and why the connection is frozen; empty if it is not."""
    if connection.frozen_at is None:
        return ""
    because = f": {connection.frozen_because}" if connection.frozen_because else ""
    return f"frozen since {connection.frozen_at:%Y-%m-%d %H:%M} UTC by {connection.frozen_by}{because}"


def require_thawed_for(run: Run) -> None:
    """Raises Frozen if the connection a run writes through is frozen now."""
    through = Connection.objects.filter(institute=run.institute_id, tenant=run.tenant_id, frozen_at__isnull=False)
    frozen = through.select_related("tenant").first()
    if frozen is not None:
        require_thawed(frozen)
