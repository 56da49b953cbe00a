"""Single records of the register: found by what people call them, with what each source says of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from django.db import connection

from rollbook.roster import precedence
from rollbook.store.bulk import read_frame, table_of
from rollbook.store.models import Institute, Source
from rollbook.store.register import BY_NAME

LOOKED_AT = 1_000
"""Rows looked at to say what there is, where something is not found."""

Record = dict[str, Any]
"""A row with its columns, `entity`, `sourced_id`, the `source_kind` that said it, and whether it `corrects`."""


def said(
    name: str, institute: Institute, condition: str, parameters: Sequence[Any], at_most: int | None = None
) -> pl.DataFrame:
    """What every source says in its published rows `r` that meet a condition, the source that counts most first.

    [source_kind, rank, corrects, entity, sourced_id, content ...]. Whatever the condition, it has to hold for all rows of a record.
    """
    table = BY_NAME[name]
    quote = connection.ops.quote_name
    columns = ["entity", "sourced_id", *table.content, *(["corrects"] if table.correctable else [])]
    statement = (
        f"SELECT s.kind, s.id, {', '.join(f'r.{quote(column)}' for column in columns)} "
        f"FROM {table_of(table.model)} r JOIN {table_of(Source)} s ON s.id = r.source_id "
        f"WHERE s.institute_id = %s AND r.since <= s.published AND r.until > s.published AND ({condition}) "
        f"ORDER BY s.precedence, s.id, r.entity{'' if at_most is None else f' LIMIT {at_most:d}'}"
    )
    content = {column: table.schema[column] for column in table.content}
    schema = {"source_kind": pl.String, "rank": pl.Int64, "entity": pl.Int64, "sourced_id": pl.String}
    more = {"corrects": pl.Boolean} if table.correctable else {}
    rows = read_frame(statement, [institute.pk, *parameters], {**schema, **content, **more})
    # Rows of one source stand together.
    ranked = rows.with_columns(pl.col("rank").rle_id())
    return ranked if table.correctable else ranked.with_columns(corrects=pl.lit(value=False))


def of_person(name: str, institute: Institute, person: int) -> list[Record]:
    """What counts of the records of the table `name` that are about a person: affiliations, enrolments, teachings."""
    rows = said(name, institute, "r.person = %s", [person])
    if name == "affiliations":
        rows = precedence.of_first_source(rows, "person")
    return precedence.counting(rows, ["entity"]).to_dicts()


def by_entity(name: str, institute: Institute, entities: Iterable[int | None]) -> dict[int, Record]:
    """What counts of these records, by entity."""
    wanted = sorted({entity for entity in entities if entity is not None})
    if not wanted:
        return {}
    rows = said(name, institute, f"r.entity IN ({', '.join(['%s'] * len(wanted))})", wanted)
    return {row["entity"]: row for row in precedence.counting(rows, ["entity"]).to_dicts()}


@dataclass(frozen=True, slots=True)
class Calling:
    """How people call records of a table: by one of these columns, or by its `word:` before the text where that is not enough."""

    table: str
    noun: str
    columns: Mapping[str, str]
    only: pl.Expr = field(default_factory=lambda: pl.lit(value=True))

    def found(self, institute: Institute, text: str) -> list[Record]:
        """What counts of the records called so: one, if the text says which."""
        called = self._matching(institute, text, list(self.columns.values()))
        word, colon, rest = text.partition(":")
        if not called and colon and word in self.columns:
            return self._matching(institute, rest, [self.columns[word]])
        return called

    def _matching(self, institute: Institute, text: str, columns: Sequence[str]) -> list[Record]:
        table = table_of(BY_NAME[self.table].model)
        same = " OR ".join(f"m.{connection.ops.quote_name(column)} = %s" for column in columns)
        # All rows of a record, also those of sources that call it otherwise.
        condition = f"r.entity IN (SELECT m.entity FROM {table} m WHERE {same})"
        rows = precedence.counting(said(self.table, institute, condition, [text] * len(columns)), ["entity"])
        return rows.filter(self.only, pl.any_horizontal(pl.col(column) == text for column in columns)).to_dicts()

    def like(self, institute: Institute, text: str, at_most: int) -> list[Record]:
        """Records one of whose names holds the text, whatever its case; if there are none, any."""
        plain = text.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
        quoted = [connection.ops.quote_name(column) for column in self.columns.values()]
        similar = " OR ".join(f"LOWER(r.{column}) LIKE %s ESCAPE '!'" for column in quoted)
        alike = said(self.table, institute, similar, [f"%{plain}%"] * len(quoted), LOOKED_AT).filter(self.only)
        if alike.is_empty():
            alike = said(self.table, institute, "1 = 1", [], LOOKED_AT).filter(self.only)
        return alike.unique("entity", keep="first").sort("sourced_id").head(at_most).to_dicts()
