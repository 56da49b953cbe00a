"""What a school's records call people, also those who left: sourced ids and SIS numbers, never names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from rollbook.store.bulk import read_frame, table_of
from rollbook.store.models import Institute, PersonRecord

PEOPLE: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "person": pl.Int64,
    "sourced_id": pl.String,
    "sis_number": pl.String,
}


CHUNK = 5_000


def read_people(institute: Institute) -> pl.DataFrame:
    """Everybody who is or ever was in the register, by the newest published record (schema PEOPLE); one row a person."""
    table = table_of(PersonRecord)
    newest = f"(SELECT MAX(n.since) FROM {table} n WHERE n.entity = r.entity AND n.source_id = r.source_id AND n.since <= %s)"
    frames = [pl.DataFrame(schema=pl.Schema(PEOPLE))]
    for source in institute.sources.order_by("precedence", "pk"):
        statement = (
            f"SELECT r.entity, r.sourced_id, r.sis_number FROM {table} r "
            f"WHERE r.source_id = %s AND r.since = {newest} ORDER BY r.entity"
        )
        frames.append(read_frame(statement, [source.pk, source.published], PEOPLE))
    return pl.concat(frames).unique("person", keep="first", maintain_order=True)


def names_of(institute: Institute, people: Sequence[int]) -> dict[int, str]:
    """What these people are called, by the newest record of each."""
    named: dict[int, str] = {}
    for start in range(0, len(people), CHUNK):
        part = list(people[start : start + CHUNK])
        records = PersonRecord.objects.filter(source__institute=institute, entity__in=part).order_by("since")
        columns = ("entity", "preferred_given_name", "given_name", "preferred_family_name", "family_name")
        for person, called, given, family_called, family in records.values_list(*columns):
            named[person] = " ".join(part for part in (called or given, family_called or family) if part)
    return named
