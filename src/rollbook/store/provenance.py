"""Where a fact comes from: which delivery said a record, in which line; and what runs did because of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db import connection
from django.db.models import F, Q

from rollbook.sources import oneroster
from rollbook.sources.assemble import TABLE_FILES
from rollbook.store.bulk import table_of
from rollbook.store.changes import Line, lines_of
from rollbook.store.models import MANUAL, Change, Delivery, Institute, PersonRecord, Run, Source, Tenant
from rollbook.store.register import BY_NAME

FILES: Mapping[str, Mapping[str, str]] = {oneroster.FORMAT: {**TABLE_FILES, "teachings": TABLE_FILES["enrolments"]}}
"""By kind of source, which delivered file the rows of a table were read from."""


@dataclass(frozen=True, slots=True)
class Said:
    """One published row of a record: who says it, since which delivery, in which line of it; `line` is 0 where it had none."""

    table: str
    entity: int
    sourced_id: str
    source: str
    delivery: int
    line: int
    received_at: dt.datetime | None

    def __str__(self) -> str:
        """In words, as "oneroster-1.1-csv: enrollments.csv line 77, since delivery 3 (2026-11-20)"."""
        if self.source == MANUAL:
            return "by hand"
        since = f"since delivery {self.delivery}" + (f" ({self.received_at:%Y-%m-%d})" if self.received_at else "")
        file = FILES.get(self.source, {}).get(self.table, self.table)
        return f"{self.source}: {file}{f' line {self.line}' if self.line else ''}, {since}"


def said_of(institute: Institute, name: str, column: str, values: Sequence[int]) -> list[Said]:
    """The published rows of a table whose `column` (entity, person, klass) is one of `values`; the source that counts most first."""
    if not values:
        return []
    quote, table = connection.ops.quote_name, BY_NAME[name]
    statement = (
        f"SELECT r.entity, r.sourced_id, s.kind, r.since, r.line, d.received_at FROM {table_of(table.model)} r "
        f"JOIN {table_of(Source)} s ON s.id = r.source_id "
        f"LEFT JOIN {table_of(Delivery)} d ON d.source_id = r.source_id AND d.number = r.since "
        f"WHERE s.institute_id = %s AND r.since <= s.published AND r.until > s.published "
        f"AND r.{quote(column)} IN ({', '.join(['%s'] * len(values))}) ORDER BY s.precedence, s.id, r.entity"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [institute.pk, *values])
        rows = cursor.fetchall()
    return [
        Said(name, entity, sourced_id, source, since, line, _moment(at))
        for entity, sourced_id, source, since, line, at in rows
    ]


def last_said_of(institute: Institute, person: int) -> str:
    """Since which delivery somebody is in the register no more, in words; empty if nobody ever was."""
    records = PersonRecord.objects.filter(source__institute=institute, entity=person, until__lte=F("source__published"))
    last = records.select_related("source").order_by("-until", "source__precedence").first()
    if last is None:
        return ""
    received = Delivery.objects.filter(source=last.source, number=last.until).values_list("received_at", flat=True)
    moment = f" ({received[0]:%Y-%m-%d})" if received and received[0] else ""
    return f"{last.source.kind}: not in delivery {last.until}{moment} and since"


def _moment(value: Any) -> dt.datetime | None:
    """SQLite gives moments of hand-written statements as text."""
    return dt.datetime.fromisoformat(value) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one run that concerned somebody or something."""

    run: int
    at: dt.datetime
    line: Line


RUNS_LOOKED_AT = 50


def events(tenant: Tenant, link: int, at_most: int | None) -> tuple[list[Event], int]:
    """What the newest runs did, or could not do, about a link, the newest first, `at_most` of it; and how much there is in all.

    A plan that another one superseded before anything of it was begun did nothing, and is not looked at.
    """
    begun = Run.objects.filter(tenant=tenant).exclude(state=Run.State.SUPERSEDED, started_at__isnull=True)
    runs = {run.pk: run for run in begun.order_by("-number")[:RUNS_LOOKED_AT]}
    about = Change.objects.filter(Q(subject=link) | Q(object=link), run__in=list(runs))
    ordered = list(about.order_by("-run__number", "seq")[:at_most])
    every = len(ordered) if at_most is None or len(ordered) < at_most else about.count()
    told = [
        Event(runs[pk].number, runs[pk].made_at, line)
        for pk, changes in groupby(ordered, key=lambda change: change.run_id)
        for line in lines_of(runs[pk], list(changes))
    ]
    return told, every
