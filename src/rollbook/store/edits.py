"""Edits by hand: small deliveries into a source of the institute's own, published with the transaction that makes them.

An edit touches the rows it is about and no others; like any delivery it becomes visible by moving the source's pointer. Rows it
says outlast later deliveries of other sources, because the source counts most (store.rosters).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from django.db import connection, transaction

from rollbook.roster.findings import Verdict
from rollbook.store.bulk import insert_frame, read_frame, table_of
from rollbook.store.deliveries import IDENTITY, next_number, publish, reserve_entities
from rollbook.store.models import BY_HAND, MANUAL, Delivery, Institute, Person, Source
from rollbook.store.models.versioned import FOREVER
from rollbook.store.register import BY_NAME, TABLES, Table


@dataclass(slots=True)
class Edit:
    """The edit that is being made: the `number` of its delivery, and how many rows of each table it said or forgot."""

    source: Source
    number: int
    changed: dict[str, int] = field(default_factory=dict)
    made: set[int] = field(default_factory=set)
    """People nobody had before."""

    def say(self, name: str, rows: Sequence[Mapping[str, Any]], *, corrects: bool = False) -> list[int]:
        """The entities of `rows`, which are what counts from now on, instead of what was said of them by hand before.

        A row has the columns of the table `name`, references as entities, and an `entity` if the record is known to have one;
        else it is found by its sourced id in any source of the institute, or is new. `corrects` as in models.Correctable.
        """
        if not rows:
            return []
        table = BY_NAME[name]
        frame = self._numbered(table, pl.DataFrame(list(rows), schema=pl.Schema(_columns(table))))
        entities = frame["entity"].to_list()
        self._end(table, entities)
        if name == "people":
            self._ensure_people(entities)
        versions = frame.with_columns(
            table.digest,
            source_id=pl.lit(self.source.pk),
            since=pl.lit(self.number),
            until=pl.lit(FOREVER),
            line=pl.lit(0),
        )
        insert_frame(table.model, versions.with_columns(corrects=pl.lit(corrects)) if table.correctable else versions)
        self.changed[name] = self.changed.get(name, 0) + frame.height
        return entities

    def _ensure_people(self, entities: Sequence[int]) -> None:
        organisation = self.source.institute.organisation
        for entity in entities:
            _, new = Person.objects.get_or_create(pk=entity, defaults={"organisation": organisation})
            self.made |= {entity} if new else set()

    def forget(self, name: str, entities: Sequence[int]) -> int:
        """How many of these records of the table `name` were said by hand, and no longer are."""
        count = self._end(BY_NAME[name], entities)
        if count:
            self.changed[name] = self.changed.get(name, 0) + count
        return count

    def _end(self, table: Table, entities: Sequence[int]) -> int:
        """How many rows of these records were open in the source, and end with this edit."""
        if not entities:
            return 0
        ended = f"UPDATE {table_of(table.model)} SET until = %s WHERE source_id = %s AND until = {FOREVER}"
        with connection.cursor() as cursor:
            cursor.execute(f"{ended} AND entity IN ({_marks(entities)})", [self.number, self.source.pk, *entities])
            return int(cursor.rowcount)

    def _numbered(self, table: Table, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows, each with its entity."""
        if table.key is None:
            frame = frame.with_columns(sourced_id=table.row_id)
        named = frame["sourced_id"].to_list()
        statement = (
            f"SELECT r.sourced_id, MIN(r.entity) FROM {table_of(table.model)} r JOIN {table_of(Source)} s "
            f"ON s.id = r.source_id WHERE s.institute_id = %s AND r.sourced_id IN ({_marks(named)}) GROUP BY 1"
        )
        known = read_frame(statement, [self.source.institute_id, *named], IDENTITY)
        frame = frame.join(known, on="sourced_id", how="left", maintain_order="left", suffix="_known")
        found = frame.select(pl.coalesce("entity", "entity_known"))["entity"]
        missing = found.null_count()
        if missing:
            first = reserve_entities(table.name, missing)
            found = found.fill_null(found.is_null().cum_sum().cast(pl.Int64) + first - 1)
        return frame.drop("entity_known").with_columns(found)


def _columns(table: Table) -> dict[str, Any]:
    """What a row of an edit is made of."""
    kinds = {name: table.schema[name] for name in table.content}
    return {"entity": pl.Int64, "sourced_id": pl.String, **kinds}


def _marks(values: Sequence[object]) -> str:
    return ", ".join(["%s"] * len(values))


@contextmanager
def by_hand(institute: Institute, at: dt.datetime) -> Iterator[Edit]:
    """An edit of the institute's register, in one transaction; published at its end, unless it changed nothing or failed.

    Edits of one institute follow one another, so that each sees what the one before it left.
    """
    with transaction.atomic():
        made, _ = Source.objects.get_or_create(institute=institute, kind=MANUAL, defaults={"precedence": BY_HAND})
        source = Source.objects.select_for_update().get(pk=made.pk)
        edit = Edit(source, next_number(source))
        yield edit
        if edit.changed:
            publish(_delivery(edit, at))


def _delivery(edit: Edit, at: dt.datetime) -> Delivery:
    return Delivery.objects.create(
        source=edit.source,
        number=edit.number,
        received_at=at,
        format=MANUAL,
        verdict=Verdict.USABLE.value,
        rows={table.name: edit.changed.get(table.name, 0) for table in TABLES},
        changed=edit.changed,
    )
