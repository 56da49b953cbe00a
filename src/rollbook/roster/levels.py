"""Grade levels: the stage each grade belongs to ("primary"), as the school's own table says. Pure, set-based."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl


def folded(grade: str) -> str:
    """A grade's name as it is compared: whatever its case, without blanks around it."""
    return grade.strip().lower()


def with_levels(grades: pl.DataFrame, levels: Mapping[str, str]) -> pl.DataFrame:
    """`grades` [name, ...] with the column `level`: what the table `levels` (grade -> level) says of the name, else null."""
    table = {folded(grade): level for grade, level in levels.items()}
    name = pl.col("name").str.strip_chars().str.to_lowercase()
    return grades.with_columns(level=name.replace_strict(table, default=None, return_dtype=pl.String))
