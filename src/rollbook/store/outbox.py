"""The outbox: what happened to an institute, numbered without a gap, in the transaction in which it happened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max

from rollbook.store.models import Institute, Outbox


def append(institute: int, topic: str, payload: Mapping[str, Any], at: dt.datetime) -> Outbox:
    """The new last entry of the institute's outbox; it stands or falls with the transaction that is open."""
    with transaction.atomic():
        # Two writers at once would both take the same number.
        Institute.objects.select_for_update().only("pk").get(pk=institute)
        return Outbox.objects.create(
            institute_id=institute, sequence=newest(institute) + 1, topic=topic, payload=dict(payload), at=at
        )


def newest(institute: int) -> int:
    """The number of the institute's newest entry; 0 without one."""
    return Outbox.objects.filter(institute=institute).aggregate(last=Max("sequence"))["last"] or 0
