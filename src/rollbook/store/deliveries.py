"""Deliveries into the register: compared by content, staged in small transactions, published by moving one pointer.

A reader sees the old register or the new one, never a mixture, also if the process dies in between. An unchanged delivery
writes no row of the register. Digests are polars' own row hashes: stable within one version of polars; another version makes
every row look changed once, which costs a full write and changes nothing that is read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from django.db import connection, transaction
from django.db.models import Max

from rollbook.roster.findings import FileCount, Finding
from rollbook.roster.tables import Roster
from rollbook.store.bulk import execute_many, insert_in_chunks, read_frame, table_of
from rollbook.store.models import Delivery, EntityCounter, Person, PersonRecord, Source
from rollbook.store.models.versioned import FOREVER
from rollbook.store.register import TABLES, Table

SHRINK_PERCENT = 10
"""A delivery with this many percent fewer people than the published one waits until somebody accepts it."""

FINDINGS_KEPT = 500

Staged = Callable[[int, int], None]
"""Told how many tables of how many are staged."""

KNOWN = {"row_id": pl.Int64, "entity": pl.Int64, "sourced_id": pl.String, "digest": pl.Int64, "until": pl.Int64}
IDENTITY = {"sourced_id": pl.String, "entity": pl.Int64}


@dataclass(frozen=True, slots=True)
class Received:
    """What came with a delivery beside its rows."""

    format: str
    verdict: str
    files: Mapping[str, FileCount]
    findings: Sequence[Finding]
    at: dt.datetime


def import_roster(
    source: Source, roster: Roster, received: Received, *, accepted: bool = False, staged: Staged = lambda _, __: None
) -> Delivery:
    """The delivery, published; or staged, if people shrank by more than SHRINK_PERCENT and nobody accepted that yet."""
    abandon_unpublished(source)
    delivery = _open_delivery(source, roster, received)
    entities: dict[str, pl.DataFrame] = {}
    changed = {}
    for done, table in enumerate(TABLES):
        staged(done, len(TABLES))
        changed[table.name] = _stage(table, source, delivery.number, getattr(roster, table.name), entities)
    staged(len(TABLES), len(TABLES))
    delivery.changed = changed
    shrank = not accepted and _shrank(source, roster.people.height)
    delivery.state = Delivery.State.STAGED if shrank else Delivery.State.WRITING
    delivery.save()
    if not shrank:
        publish(delivery)
    return delivery


def publish(delivery: Delivery) -> None:
    """Make a staged delivery the visible one."""
    with transaction.atomic():
        Source.objects.filter(pk=delivery.source_id).update(published=delivery.number)
        delivery.state = Delivery.State.PUBLISHED
        delivery.save(update_fields=["state"])


def abandon_unpublished(source: Source) -> None:
    """Undo what a delivery that was never published left behind: cut off by a crash, or staged and not accepted."""
    for delivery in source.deliveries.filter(state__in=[Delivery.State.WRITING, Delivery.State.STAGED]):
        with transaction.atomic(), connection.cursor() as cursor:
            for table in TABLES:
                name = table_of(table.model)
                key = [source.pk, delivery.number]
                cursor.execute(f"DELETE FROM {name} WHERE source_id = %s AND since = %s", key)
                cursor.execute(
                    f"UPDATE {name} SET until = {FOREVER} WHERE source_id = %s AND until = %s",
                    key,
                )
            delivery.state = Delivery.State.ABANDONED
            delivery.save(update_fields=["state"])


def next_number(source: Source) -> int:
    """The number of the source's next delivery."""
    return int(source.deliveries.aggregate(last=Max("number"))["last"] or 0) + 1


def _open_delivery(source: Source, roster: Roster, received: Received) -> Delivery:
    files = {
        name: {"read": count.read, "accepted": count.accepted, "rejected": count.rejected}
        for name, count in received.files.items()
    }
    return Delivery.objects.create(
        source=source,
        number=next_number(source),
        received_at=received.at,
        format=received.format,
        verdict=received.verdict,
        files=files,
        findings=[_without_value(finding) for finding in received.findings[:FINDINGS_KEPT]],
        finding_count=sum(finding.count for finding in received.findings),
        rows={table.name: getattr(roster, table.name).height for table in TABLES},
    )


def _without_value(finding: Finding) -> dict[str, Any]:
    """A finding as it is kept: without the cell's value, which may be somebody's name."""
    return {**finding.as_json(), "value": ""}


def _shrank(source: Source, people: int) -> bool:
    source.refresh_from_db(fields=["published"])
    published = PersonRecord.objects.filter(source=source, since__lte=source.published, until__gt=source.published)
    return people * 100 < published.count() * (100 - SHRINK_PERCENT)


def _stage(table: Table, source: Source, number: int, frame: pl.DataFrame, entities: dict[str, pl.DataFrame]) -> int:
    """Stage the differences of one table; returns how many rows were new, different or gone."""
    known = read_frame(
        f"SELECT id, entity, sourced_id, digest, until FROM {table_of(table.model)} WHERE source_id = %s",
        [source.pk],
        KNOWN,
    )
    rows = _resolved(table, frame, _identity(table, source, known), entities)
    open_rows = known.filter(pl.col("until") == FOREVER)
    same = rows.join(open_rows, on=["entity", "digest"], how="semi")
    fresh = rows.join(same, on="entity", how="anti")
    ended = open_rows.join(same, on="entity", how="anti")
    _ensure_people(table, source, fresh)
    versions = fresh.with_columns(
        source_id=pl.lit(source.pk), since=pl.lit(number), until=pl.lit(FOREVER), line=pl.col("line").fill_null(0)
    )
    insert_in_chunks(table.model, versions)
    with transaction.atomic():
        execute_many(
            f"UPDATE {table_of(table.model)} SET until = %s WHERE id = %s",
            ((number, row_id) for row_id in ended["row_id"]),
        )
    return fresh.height + ended.join(fresh, on="entity", how="anti").height


def _identity(table: Table, source: Source, known: pl.DataFrame) -> pl.DataFrame:
    """[sourced_id, entity] of all records the source ever had, and of those only other sources of its institute had.

    One sourced id is one record, whichever source of an institute says it: else a correction would be somebody else.
    """
    own = known.select("sourced_id", "entity").unique("sourced_id", keep="first")
    others = list(source.institute.sources.exclude(pk=source.pk).values_list("pk", flat=True))
    if not others:
        return own
    marks = ", ".join(["%s"] * len(others))
    statement = f"SELECT sourced_id, MIN(entity) FROM {table_of(table.model)} WHERE source_id IN ({marks}) GROUP BY 1"
    return pl.concat([own, read_frame(statement, others, IDENTITY).join(own, on="sourced_id", how="anti")])


def _resolved(
    table: Table, frame: pl.DataFrame, identity: pl.DataFrame, entities: dict[str, pl.DataFrame]
) -> pl.DataFrame:
    """The delivered rows with entities instead of the delivery's own keys, and their digests."""
    rows = _with_references(table, frame.select(table.schema.keys()), entities, skip=table.name)
    rows = rows.with_columns(sourced_id=table.row_id) if table.key is None else rows
    rows = rows.join(identity, on="sourced_id", how="left")
    missing = rows["entity"].null_count()
    first = reserve_entities(table.name, missing)
    numbers = pl.col("entity").is_null().cum_sum() + (first - 1)
    rows = rows.with_columns(pl.coalesce("entity", numbers).cast(pl.Int64).alias("entity"))
    if table.key is not None:
        entities[table.name] = rows.select(pl.col(table.key).alias("local"), "entity")
        rows = _with_references(table, rows, entities, only=table.name).drop(table.key)
    if "line" not in rows.columns:
        rows = rows.with_columns(line=pl.lit(0))
    return rows.with_columns(table.digest)


def _with_references(
    table: Table, frame: pl.DataFrame, entities: dict[str, pl.DataFrame], *, skip: str = "", only: str = ""
) -> pl.DataFrame:
    """Columns that point into another table point to its entities; into the table itself once those are known."""
    for column, target in table.references.items():
        if target == skip or (only and target != only):
            continue
        mapping = entities[target].rename({"local": column, "entity": "_entity"})
        frame = frame.join(mapping, on=column, how="left").with_columns(pl.col("_entity").alias(column)).drop("_entity")
    return frame


def reserve_entities(table: str, count: int) -> int:
    """The first of `count` entities nobody has."""
    with transaction.atomic():
        counter, _ = EntityCounter.objects.select_for_update().get_or_create(table=table)
        first = counter.following
        counter.following = first + count
        counter.save()
    return first


def _ensure_people(table: Table, source: Source, fresh: pl.DataFrame) -> None:
    """A Person for every new entity of the people's table; a Person outlives what any source says of them."""
    if table.name != "people" or fresh.is_empty():
        return
    known = read_frame(f"SELECT id FROM {table_of(Person)}", [], {"entity": pl.Int64})
    organisation = source.institute.organisation_id
    new = fresh.join(known, on="entity", how="anti")["entity"].to_list()
    for start in range(0, len(new), 5_000):
        part = new[start : start + 5_000]
        Person.objects.bulk_create([Person(pk=entity, organisation_id=organisation) for entity in part])
