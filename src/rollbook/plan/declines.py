"""What somebody refused is not asked again until its cause changes: the same change for the same reason with the same values."""

from __future__ import annotations

import hashlib

import polars as pl

from rollbook.plan.changes import ChangeVerdict
from rollbook.plan.closure import needs_of, without
from rollbook.plan.context import DECLINED

KEY = ["kind", "subject", "object", "cause", "day"]


def digest(after: str | None) -> str:
    """What stands for the values a change would bring: personal ones need not be kept to know them again."""
    return hashlib.sha256((after or "").encode()).hexdigest()[:16]


def with_declined(changes: pl.DataFrame, details: pl.DataFrame, declined: pl.DataFrame) -> pl.DataFrame:
    """The changes of a new plan (schema CHANGES), those DECLINED that are among `declined` (schema DECLINED), or need one that is.

    `details` [seq, after] are the values they bring.
    """
    if declined.is_empty():
        return changes
    planned = changes.filter(pl.col("verdict") == int(ChangeVerdict.PLANNED))
    alike = planned.join(declined.drop("digest").unique(), on=KEY, how="semi", nulls_equal=True)
    refused = keyed(alike, details).join(declined, on=[*KEY, "digest"], how="semi", nulls_equal=True)
    return decline(changes, refused["seq"])


def keyed(changes: pl.DataFrame, details: pl.DataFrame) -> pl.DataFrame:
    """[seq, every column of DECLINED] of a few changes: what they are known again by."""
    valued = changes.join(details.select("seq", "after"), on="seq", how="left")
    digests = pl.Series("digest", [digest(text) for text in valued["after"]], dtype=pl.String)
    return valued.with_columns(digests).select("seq", *DECLINED)


def decline(changes: pl.DataFrame, refused: pl.Series) -> pl.DataFrame:
    """The changes with these seqs DECLINED, and whatever needs one of them."""
    if refused.is_empty():
        return changes
    open_ones = (int(ChangeVerdict.PLANNED), int(ChangeVerdict.UNAPPROVED))
    gone = pl.col("seq").is_in(without(needs_of(changes), refused).implode()) & pl.col("verdict").is_in(open_ones)
    said = pl.when(gone).then(pl.lit(int(ChangeVerdict.DECLINED), dtype=pl.UInt8)).otherwise("verdict")
    return changes.with_columns(said.alias("verdict"))
