r"""Candidates for user names and nicknames: what Microsoft accepts, made from what the register says. The plan picks.

Microsoft: a user name's local part allows A-Z a-z 0-9 ' . - _ ! # ^ ~, no dot at its end, 64 characters
(graph.md section 2.1); a nickname is ASCII without @ ( ) \ [ ] " ; : < > , blank and dot, 64 characters (section 5.1).
"""

from __future__ import annotations

from functools import partial

import polars as pl

from rollbook.desired.languages import latin

LOCAL_PART_LENGTH = 56
"""Of the 64 characters, eight are kept free for the numbers of equal names."""

NICKNAME_LENGTH = 48


def transliterated(names: pl.Series, language: str = "any") -> pl.Series:
    """The names in ASCII as a language writes them (languages.LANGUAGES); each distinct name once. Null stays null."""
    distinct = names.drop_nulls().unique()
    plain = distinct.map_elements(partial(latin, language=language), return_dtype=pl.String)
    return names.replace_strict(distinct, plain, default=None, return_dtype=pl.String)


def local_parts(column: str) -> pl.Expr:
    """An ASCII column as the local part of a user name: lower case, letters, digits, dot, hyphen; empty becomes null."""
    kept = (
        pl.col(column)
        .str.to_lowercase()
        .str.replace_all(r"[\s_]+", "-")
        .str.replace_all(r"[^a-z0-9.\-]+", "")
        .str.replace_all(r"-*\.[.\-]*", ".")
        .str.replace_all(r"-{2,}", "-")
        .str.strip_chars("-.")
        .str.slice(0, LOCAL_PART_LENGTH)
        .str.strip_chars("-.")
    )
    return pl.when(kept.str.len_chars() > 0).then(kept).otherwise(None)


def nicknames(column: str) -> pl.Expr:
    """An ASCII column as a mail nickname: lower case, letters, digits, hyphen; empty becomes "class"."""
    kept = (
        pl.col(column)
        .fill_null("")
        .str.to_lowercase()
        .str.replace_all(r"[^a-z0-9]+", "-")
        .str.strip_chars("-")
        .str.slice(0, NICKNAME_LENGTH)
        .str.strip_chars("-")
    )
    return pl.when(kept.str.len_chars() > 0).then(kept).otherwise(pl.lit("class"))
