"""What the register said before a delivery is read (roster.former.Former): groups of classes, school years. One query a table."""

from __future__ import annotations

import datetime as dt

import polars as pl
from django.db import connection
from django.db import models as django_models

from rollbook.desired.keys import escaped
from rollbook.roster.former import GROUPED, Former
from rollbook.roster.periods import YEAR
from rollbook.store.bulk import read_frame, table_of
from rollbook.store.models import AcademicPeriod, Group, Grouping, Institute, Klass, Link, Source

Columns = dict[str, type[pl.DataType]]
ROW: Columns = {"since": pl.Int64, "entity": pl.Int64, "sourced_id": pl.String}


def read_former(institute: Institute, kind: str, day: dt.date, *, regroup: bool = False) -> Former:
    """What the institute's source of this kind said last of every class and school year it ever had, gone ones too.

    A class that is its own group is told only where a group at Microsoft is made of it: where nothing is lost, it may join the
    homeroom its students turn out to share. If asked to `regroup`, no class keeps its group.
    """
    source = institute.sources.filter(kind=kind).first()
    if source is None:
        return Former(day=day)
    years = _newest(source, AcademicPeriod, {"begin": pl.Date, "end": pl.Date})
    return Former(_grouped(source, years), years.select(YEAR.keys()), day, keep=not regroup)


def _newest(source: Source, model: type[django_models.Model], more: Columns) -> pl.DataFrame:
    """[entity, sourced_id, `more` columns] of the newest published row of every record."""
    quote = connection.ops.quote_name
    schema: Columns = {**ROW, **more}
    statement = f"SELECT {', '.join(map(quote, schema))} FROM {table_of(model)} WHERE source_id = %s AND since <= %s ORDER BY since"
    return read_frame(statement, [source.pk, source.published], schema).unique("entity", keep="last").drop("since")


def _grouped(source: Source, years: pl.DataFrame) -> pl.DataFrame:
    """The classes (schema GROUPED)."""
    classes = _newest(source, Klass, {"group": pl.Int64, "period": pl.Int64}).rename({"sourced_id": "class_id"})
    groups = _newest(source, Group, {}).select(group="entity", group_id="sourced_id")
    told = classes.join(groups, on="group").join(years.select("begin", "end", period="entity"), on="period", how="left")
    in_use = told.with_columns(part=pl.format("group:{}", escaped(pl.col("group_id"))))["part"]
    stays = (pl.col("class_id") != pl.col("group_id")) | in_use.is_in(_parts_in_use(source.institute).implode())
    return told.filter(stays).select(GROUPED.keys())


def _parts_in_use(institute: Institute) -> pl.Series:
    """Parts of keys of the teams and nodes that are linked to a group at Microsoft."""
    statement = (
        f"SELECT DISTINCT g.key FROM {table_of(Grouping)} g JOIN {table_of(Link)} l ON l.subject = g.id AND l.kind = g.kind "
        "WHERE l.object_id IS NOT NULL AND g.institute_id = %s"
    )
    keys = read_frame(statement, [institute.pk], {"key": pl.String})["key"]
    return keys.str.split("/").explode().drop_nulls().unique()
