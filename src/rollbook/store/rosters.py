"""The register as published, as a Roster with keys that stay the same over deliveries."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from django.db import connection

from rollbook.roster import precedence
from rollbook.roster.levels import with_levels
from rollbook.roster.tables import INSTITUTES, SCHEMAS, Roster
from rollbook.store.bulk import among, read_frame, table_of
from rollbook.store.models import MANUAL, Affiliation, Institute, PersonRecord, Source
from rollbook.store.models.versioned import FOREVER
from rollbook.store.register import BY_NAME, TABLES, Table

DEPARTED = {"person": pl.Int64, "user_type": pl.String}


def read_roster(institute: Institute) -> Roster:
    """All that is published of one institute; of several sources, for each record what counts (roster.precedence)."""
    sources = list(institute.sources.order_by("precedence", "pk"))
    if not sources:
        return Roster(institutes=_itself(institute))
    alone = len(sources) == 1
    frames = {table.name: _read(table, sources[0]) for table in TABLES} if alone else _combined(sources)
    levels = Institute.objects.values_list("grade_levels", flat=True).get(pk=institute.pk)
    frames["grades"] = with_levels(frames["grades"], levels)
    return Roster(institutes=_itself(institute), **frames)


def read_whole(institute: Institute, sources: Sequence[Source], name: str) -> pl.DataFrame:
    """All that is published of one table that no other one is needed for; `sources` in order of precedence."""
    if name == "institutes":
        return _itself(institute)
    table = BY_NAME[name]
    if not sources:
        return pl.DataFrame(schema=pl.Schema(SCHEMAS[name]))
    frames = [_ranked(table, source, rank) for rank, source in enumerate(sources)]
    rows = precedence.counting(pl.concat(frames), table.identity).select(table.schema.keys())
    rows = rows.sort(table.key) if table.key is not None else rows
    levels = Institute.objects.values_list("grade_levels", flat=True).get(pk=institute.pk)
    return with_levels(rows, levels) if name == "grades" else rows


def location_ids(institute: Institute) -> frozenset[str]:
    """The sourced ids of all published locations of one institute."""
    schema = {"sourced_id": pl.String}
    table = table_of(BY_NAME["locations"].model)
    statement = f"SELECT sourced_id FROM {table} WHERE source_id = %s AND since <= %s AND until > %s"
    found = [read_frame(statement, [s.pk, s.published, s.published], schema) for s in institute.sources.all()]
    return frozenset(pl.concat([pl.DataFrame(schema=schema), *found])["sourced_id"])


def _itself(institute: Institute) -> pl.DataFrame:
    """The institute as it is called here, which no source decides."""
    row = {"institute": institute.pk, "sourced_id": institute.sourced_id, "line": 0, "name": institute.name}
    return pl.DataFrame([row], schema=pl.Schema(INSTITUTES))


def _read(table: Table, source: Source) -> pl.DataFrame:
    return _visible(table, source, {})


def _visible(table: Table, source: Source, more: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """The source's published rows, in the order of their entities, with `more` columns than the frame has."""
    quote = connection.ops.quote_name
    columns = [quote("entity" if name == table.key else name) for name in (*table.schema, *more)]
    return read_frame(
        f"SELECT {', '.join(columns)} FROM {table_of(table.model)} "
        "WHERE source_id = %s AND since <= %s AND until > %s ORDER BY entity",
        [source.pk, source.published, source.published],
        {**table.schema, **more},
    )


def _combined(sources: Sequence[Source]) -> dict[str, pl.DataFrame]:
    """Each table as all sources together have it, one row a record; `sources` in order of precedence."""
    frames: dict[str, pl.DataFrame] = {}
    for table in TABLES:
        rows = pl.concat([_ranked(table, source, rank) for rank, source in enumerate(sources)])
        if table.name == "affiliations":
            rows = precedence.of_first_source(rows, "person")
        rows = precedence.counting(rows, table.identity)
        for column, target in table.needed.items():
            rows = precedence.attached(rows, column, frames[target][str(BY_NAME[target].key)])
        rows = rows.select(table.schema.keys())
        frames[table.name] = rows.sort(table.key) if table.key is not None else rows
    return frames


def _ranked(table: Table, source: Source, rank: int) -> pl.DataFrame:
    if table.correctable:
        return _visible(table, source, {"corrects": pl.Boolean}).with_columns(rank=pl.lit(rank))
    return _read(table, source).with_columns(corrects=pl.lit(value=False), rank=pl.lit(rank))


def read_earlier_classes(institute: Institute) -> Roster:
    """Every class in each way it ever was published, with the groups and subjects it had: of a Roster, these three tables only.

    A class that was changed stands there more than once, under one key.
    """
    sources = list(institute.sources.order_by("precedence", "pk"))
    names = ("classes", "groups", "subjects")
    frames = {name: pl.concat([_ever(BY_NAME[name], source) for source in sources]) for name in names if sources}
    once = {name: frame.unique(BY_NAME[name].key, keep="first") for name, frame in frames.items() if name != "classes"}
    return Roster(**{**frames, **once})


def _ever(table: Table, source: Source) -> pl.DataFrame:
    """Every row of the table the source ever published, the newest first."""
    quote = connection.ops.quote_name
    columns = [quote("entity" if name == table.key else name) for name in table.schema]
    statement = (
        f"SELECT {', '.join(columns)} FROM {table_of(table.model)} WHERE source_id = %s AND since <= %s "
        "ORDER BY since DESC, entity"
    )
    return read_frame(statement, [source.pk, source.published], table.schema)


def read_departed(institute: Institute, people: pl.Series | None = None) -> pl.DataFrame:
    """People, all or of these, who were in the register once and no longer are, with the last user types they had: [person, user_type]."""
    chosen, listed = ("TRUE", []) if people is None else among("a.person", people)
    plus = "" if people is None else "+"  # as in store.points: no walk through the source
    frames = [pl.DataFrame(schema=DEPARTED)]
    sources = list(institute.sources.all())
    pointers = " OR ".join(["(+r.source_id = %s AND +r.since <= %s AND +r.until > %s)"] * len(sources))
    published = [value for source in sources for value in (source.pk, source.published, source.published)]
    for source in sources:
        # What was said by hand of somebody is not ended by the delivery that lets them go.
        until = FOREVER if source.kind == MANUAL else source.published
        statement = (
            f"SELECT DISTINCT a.person, a.user_type FROM {table_of(Affiliation)} a "
            f"WHERE {plus}a.source_id = %s AND {plus}a.since <= %s AND {plus}a.until <= %s AND {chosen} AND NOT EXISTS "
            f"(SELECT 1 FROM {table_of(PersonRecord)} r WHERE r.entity = a.person AND NOT r.corrects AND ({pointers}))"
        )
        frames.append(read_frame(statement, [source.pk, source.published, until, *listed, *published], DEPARTED))
    return pl.concat(frames).unique(maintain_order=True)
