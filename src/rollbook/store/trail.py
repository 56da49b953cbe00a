"""The trail: append-only, each entry with a hash over its content and the entry before it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from rollbook.store.models import Institute, Trail


def append(
    *,
    actor_kind: str,
    actor: str,
    place: str,
    action: str,
    at: dt.datetime,
    content: Mapping[str, Any],
    institute: Institute | None = None,
) -> Trail:
    """The new last entry, in the transaction that is open, so that what is done and what is said of it stand or fall together."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                # Two writers at once would both continue from the same last entry.
                cursor.execute("SELECT pg_advisory_xact_lock(7236001)")
        last = Trail.objects.order_by("-pk").first()
        entry = Trail(
            institute=institute,
            actor_kind=actor_kind,
            actor=actor,
            place=place,
            action=action,
            content=dict(content),
            at=at,
            previous=last.digest if last else "",
        )
        entry.digest = digest(entry)
        entry.save()
    return entry


def digest(entry: Trail) -> str:
    """The hash an entry must carry."""
    said = [
        entry.previous,
        entry.institute_id,
        entry.actor_kind,
        entry.actor,
        entry.place,
        entry.action,
        entry.content,
        entry.at.astimezone(dt.UTC).isoformat(),
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def first_broken() -> Trail | None:
    """The first entry that was changed, or whose predecessor was removed; None if the trail is whole."""
    previous = ""
    for entry in Trail.objects.order_by("pk").iterator():
        if entry.previous != previous or entry.digest != digest(entry):
            return entry
        previous = entry.digest
    return None
