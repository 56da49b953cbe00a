"""The register as published, as a Roster with keys that stay the same over deliveries."""

from __future__ import annotations

import polars as pl
from django.db import connection

from rollbook.roster.levels import with_levels
from rollbook.roster.tables import INSTITUTES, Roster
from rollbook.store.bulk import read_frame, table_of
from rollbook.store.models import Affiliation, Institute, PersonRecord, Source
from rollbook.store.register import TABLES, Table


def read_roster(institute: Institute) -> Roster:
    """All that is published of one institute."""
    sources = list(institute.sources.order_by("precedence", "pk"))
    frames = {table.name: pl.concat([_read(table, source) for source in sources]) for table in TABLES if sources}
    return Roster(**_completed(institute, frames))


def _completed(institute: Institute, frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The frames with what no source says: the institute itself, as it is called here, and the levels of its grades."""
    if "grades" in frames:
        levels = Institute.objects.values_list("grade_levels", flat=True).get(pk=institute.pk)
        frames["grades"] = with_levels(frames["grades"], levels)
    row = {"institute": institute.pk, "sourced_id": institute.sourced_id, "line": 0, "name": institute.name}
    return {**frames, "institutes": pl.DataFrame([row], schema=pl.Schema(INSTITUTES))}


def _read(table: Table, source: Source) -> pl.DataFrame:
    quote = connection.ops.quote_name
    columns = [quote("entity" if name == table.key else name) for name in table.schema]
    return read_frame(
        f"SELECT {', '.join(columns)} FROM {table_of(table.model)} "
        "WHERE source_id = %s AND since <= %s AND until > %s ORDER BY entity",
        [source.pk, source.published, source.published],
        table.schema,
    )


def read_departed(institute: Institute) -> pl.DataFrame:
    """People who were in the register once and no longer are, with the last user types they had: [person, user_type]."""
    schema = {"person": pl.Int64, "user_type": pl.String}
    frames = [pl.DataFrame(schema=schema)]
    for source in institute.sources.all():
        visible = (
            f"SELECT 1 FROM {table_of(PersonRecord)} r WHERE r.source_id = a.source_id "
            "AND r.entity = a.person AND r.since <= %s AND r.until > %s"
        )
        statement = (
            f"SELECT DISTINCT a.person, a.user_type FROM {table_of(Affiliation)} a "
            f"WHERE a.source_id = %s AND a.since <= %s AND a.until <= %s AND NOT EXISTS ({visible})"
        )
        now = source.published
        frames.append(read_frame(statement, [source.pk, now, now, now, now], schema))
    return pl.concat(frames)
