"""What is left of Microsoft's quotas between runs and between workers, lent in blocks.

The quota of directory changes of an application in a tenant outlives a run: whoever synchronizes again within minutes finds it as the
run before left it. The application-wide quotas are shared by all workers, whatever tenant they write to. A block that was lent is
gone for the others at once; a worker that is killed loses what it had not used, and never goes above a quota.

Who is in a hurry leaves nothing aside; who is not leaves some for those who are.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from django.db import transaction

from rollbook.clock import Clock
from rollbook.graph.quotas import Quota, Scope
from rollbook.store.models import Connection, QuotaLevel


class Urgency(Enum):
    """What a worker is about: the value is the share of a quota it leaves for those who are in a greater hurry."""

    PERSON = 0.0  # somebody waits for it
    DELTA = 0.1  # what changed since the last time
    FIRST = 0.3  # a first synchronization, which takes its time anyhow

    def floor(self, quota: Quota) -> float:
        """How much of a quota it leaves; in one tenant there is only one worker at a time, so nothing is left there."""
        return self.value * quota.burst if quota.scope == Scope.APPLICATION else 0.0


class StoreBudget:
    """Lends what one worker needs of the quotas of a connection's application (graph.throttle.Budget)."""

    def __init__(self, connection: Connection, clock: Clock, urgency: Urgency = Urgency.DELTA) -> None:
        self._clock = clock
        self.urgency = urgency
        self._holders: Mapping[Scope, str] = {
            Scope.APPLICATION: connection.client_id,
            Scope.OURS: f"{connection.client_id}/{connection.tenant.tid}",
        }

    def lease(self, quota: Quota, wanted: float) -> float:
        """How much of what is wanted may be used; it is taken from the others at once."""
        with transaction.atomic():
            row = self._row(quota)
            given = max(0.0, min(wanted, row.level - self.urgency.floor(quota)))
            row.level -= given
            row.save(update_fields=["level", "at"])
        return given

    def give_back(self, quota: Quota, left: float) -> None:
        """Return what was lent and not used."""
        if left <= 0:
            return
        with transaction.atomic():
            row = self._row(quota)
            row.level = min(quota.burst, row.level + left)
            row.save(update_fields=["level", "at"])

    def level(self, quota: Quota) -> float:
        """What is left for this worker, now."""
        with transaction.atomic():
            return max(0.0, self._row(quota).level - self.urgency.floor(quota))

    def _row(self, quota: Quota) -> QuotaLevel:
        """The quota as it is now, locked until the transaction ends. A clock that went back brings nothing back."""
        now = self._clock.now()
        held = {"holder": self._holders[quota.scope], "name": quota.name}
        row, _ = QuotaLevel.objects.select_for_update().get_or_create(
            **held, defaults={"level": quota.burst, "at": now}
        )
        gone = max(0.0, (now - row.at).total_seconds())
        row.level = min(quota.burst, row.level + gone * quota.rate)
        row.at = max(row.at, now)
        return row
