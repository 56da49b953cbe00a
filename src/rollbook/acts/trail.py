"""The trail, looked at: who did what, when, from where, concerning one institute. Nothing is ever changed here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollbook.store.models import Institute, Trail


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the trail; `content` holds ids and numbers, never names of people."""

    number: int
    at: dt.datetime
    actor: str
    actor_kind: str
    place: str
    action: str
    content: Mapping[str, Any]


def entries(institute: Institute, action: str = "", at_most: int | None = None) -> Sequence[Entry]:
    """The newest entries of the institute, the newest first: all, or those whose action begins with `action`."""
    found = Trail.objects.filter(institute=institute, action__startswith=action).order_by("-pk")
    return [
        Entry(row.pk, row.at, row.actor, row.actor_kind, row.place, row.action, row.content) for row in found[:at_most]
    ]
