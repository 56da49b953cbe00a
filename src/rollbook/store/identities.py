"""What a school's records call people and classes, also those that are gone: sourced ids and numbers, never names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
from django.db import models as django_models

from rollbook.roster.vocabulary import UserType
from rollbook.store import groupings
from rollbook.store.bulk import among, read_frame, table_of
from rollbook.store.models import AcademicPeriod, Institute, Link, PersonRecord
from rollbook.store.models.tenancy import TYPES_PER_INSTITUTE

PEOPLE: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "person": pl.Int64,
    "sourced_id": pl.String,
    "sis_number": pl.String,
}
SUBJECTS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "subject": pl.Int64,
    "period": pl.Int64,  # 0 for people
    "sourced_id": pl.String,  # of a team: what stands for it, not always unique
    "number": pl.String,  # SIS number of a person, code of a team
}

CHUNK = 5_000


def read_people(institute: Institute, people: pl.Series | None = None) -> pl.DataFrame:
    """Everybody, or these, who is or ever was in the register, by the newest published record (schema PEOPLE); one row a person."""
    return _newest(institute, PersonRecord, ("entity", "sourced_id", "sis_number"), PEOPLE, people)


def read_subjects(institute: Institute, kind: str) -> pl.DataFrame:
    """Every person of the register, every team or node there was a look at, or every user type whose licences a group may carry
    (schema SUBJECTS); also those that are gone."""
    no_period = pl.lit(0, dtype=pl.Int64)
    if kind == Link.Kind.USER:
        return read_people(institute).select(
            subject="person", period=no_period, sourced_id="sourced_id", number="sis_number"
        )
    if kind == Link.Kind.LICENCE:
        numbers = pl.Series([licence_subject(institute, number) for number in range(len(UserType))], dtype=pl.Int64)
        nothing = pl.lit(None, dtype=pl.String)
        return (
            numbers.alias("subject").to_frame().select("subject", period=no_period, sourced_id=nothing, number=nothing)
        )
    return groupings.known(institute, kind).select("subject", "period", "sourced_id", number="code")


def licence_subject(institute: Institute, number: int) -> int:
    """What stands for a user type, which is no row of a table: its number among the eight of its institute."""
    return number + int(institute.pk) * TYPES_PER_INSTITUTE


def read_periods(institute: Institute) -> pl.DataFrame:
    """Academic periods: [period, period_id], the latter as the school's records call it."""
    schema = {"period": pl.Int64, "period_id": pl.String}
    return _newest(institute, AcademicPeriod, ("entity", "sourced_id"), schema)


def read_school_years(institute: Institute) -> pl.DataFrame:
    """Academic periods as people know them, also those that are gone: [period, period_id, title, begin]."""
    schema = {"period": pl.Int64, "period_id": pl.String, "title": pl.String, "begin": pl.Date}
    return _newest(institute, AcademicPeriod, ("entity", "sourced_id", "title", "begin"), schema)


def _newest(
    institute: Institute,
    model: type[django_models.Model],
    columns: Sequence[str],
    schema: Mapping[str, pl.DataType | type[pl.DataType]],
    entities: pl.Series | None = None,
) -> pl.DataFrame:
    """The newest published record of every entity, or of these, one row each; the first column is the entity."""
    chosen, listed = ("TRUE", []) if entities is None else among("r.entity", entities)
    plus = "" if entities is None else "+"  # as in store.points: no walk through the source
    table = table_of(model)
    newest = f"(SELECT MAX(n.since) FROM {table} n WHERE n.entity = r.entity AND +n.source_id = r.source_id AND +n.since <= %s)"
    frames = [pl.DataFrame(schema=pl.Schema(schema))]
    for source in institute.sources.order_by("precedence", "pk"):
        statement = (
            f"SELECT {', '.join(f'r.{name}' for name in columns)} FROM {table} r "
            f"WHERE {plus}r.source_id = %s AND {chosen} AND +r.since = {newest} ORDER BY r.entity"
        )
        frames.append(read_frame(statement, [source.pk, *listed, source.published], schema))
    return pl.concat(frames).unique(next(iter(schema)), keep="first", maintain_order=True)


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
