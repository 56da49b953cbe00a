"""Which of several sources counts: rules over rows that stand in order of precedence, the source that counts most first. Pure.

A row may be a *correction*: it says better what another source says too, and nothing once no other source says it any more.
Else somebody whose phone number was corrected by hand would stay in the register after the school has let them go.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def counting(rows: pl.DataFrame, identity: Sequence[str]) -> pl.DataFrame:
    """The first row of each `identity` (columns) in `rows` [..., corrects], without corrections of what nobody says."""
    if rows["corrects"].any():
        standing = rows.filter(~pl.col("corrects")).select(identity)
        rows = rows.join(standing, on=identity, how="semi", maintain_order="left")
    return rows.unique(identity, keep="first", maintain_order=True)


def of_first_source(rows: pl.DataFrame, whose: str) -> pl.DataFrame:
    """For each value of `whose`, the rows of the first source that has any; `rows` has [..., rank], 0 counting most."""
    return rows.filter(pl.col("rank") == pl.col("rank").min().over(whose))


def attached(rows: pl.DataFrame, column: str, targets: pl.Series) -> pl.DataFrame:
    """The rows whose `column` leads to one of `targets`: what one source says may point to what another no longer has."""
    return rows.join(targets.to_frame(column), on=column, how="semi", maintain_order="left")
