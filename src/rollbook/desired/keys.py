"""Keys of teams and nodes: parts with a slash between them, each an id of the school's own, so that whatever is renamed stays the same."""

from __future__ import annotations

import polars as pl


def escaped(text: pl.Expr) -> pl.Expr:
    """An id as a part of a key: without a slash of its own."""
    return text.str.replace_all("%", "%25", literal=True).str.replace_all("/", "%2F", literal=True)
