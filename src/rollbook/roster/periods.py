"""Which school years are one and the same, by their dates. Pure.

A year is known by the id the school's system gives its session. Some systems use one id again for the next year ("year", "1"): by
the id alone, next year's classes would be this year's, and take over their teams.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping
from itertools import chain, count

import polars as pl

YEAR = {"sourced_id": pl.String, "begin": pl.Date, "end": pl.Date}
APART = re.compile(r"(.*)@\d{4}-\d{2}-\d{2}(?:-\d+)?", re.DOTALL)
LONGEST_ID = 240

Span = tuple[dt.date | None, dt.date | None]


def same_year(begin: pl.Expr, end: pl.Expr, other_begin: pl.Expr, other_end: pl.Expr) -> pl.Expr:
    """Whether two spans lie in one school year: they share at least half of the days of the shorter one.

    Years that overlap by some days of summer are two; a term is of its year; a year whose dates were corrected is the same.
    What has no dates may be any year.
    """
    shared = (pl.min_horizontal(end, other_end) - pl.max_horizontal(begin, other_begin)).dt.total_days()
    shorter = pl.min_horizontal((end - begin).dt.total_days(), (other_end - other_begin).dt.total_days())
    known = pl.all_horizontal(day.is_not_null() for day in (begin, end, other_begin, other_end))
    equal = (begin == other_begin) & (end == other_end)
    return ~known | equal | ((shared > 0) & (2 * shared >= shorter))


def told_apart(years: pl.DataFrame, former: pl.DataFrame) -> pl.DataFrame:
    """`years` with `delivered_id` beside a `sourced_id` that no other school year has or had.

    `former` (schema YEAR) are the years known so far. A year keeps the id it is delivered under unless that was of other dates:
    then the day it begins is added to it, and it is found under that id from then on.
    """
    known = {sourced_id: (begin, end) for sourced_id, begin, end in former.select(YEAR.keys()).iter_rows()}
    taken: dict[int, str] = {}
    named = years.select("period", "sourced_id", "begin", "end").sort("begin", "period", nulls_last=False)
    delivered = set(named["sourced_id"])
    for period, sourced_id, begin, end in named.iter_rows():
        others = {*taken.values(), *(delivered - {sourced_id})}
        taken[period] = _own_id(sourced_id, (begin, end), known, others)
    own = pl.DataFrame({"period": taken.keys(), "own": taken.values()}, schema={"period": pl.Int64, "own": pl.String})
    return (
        years.join(own, on="period", how="left", maintain_order="left")
        .rename({"sourced_id": "delivered_id"})
        .rename({"own": "sourced_id"})
    )


def _own_id(delivered: str, span: Span, known: Mapping[str, Span], others: Collection[str]) -> str:
    """The id of the former year of these dates that was delivered under this id, else one nobody has."""
    meant = [name for name in known if delivered in (name, _before_the_day(name))]
    free = sorted((name for name in meant if name not in others), key=len)
    alike = next((name for name in free if _alike(span, known[name])), None)
    if alike is not None:
        return alike
    if not free and delivered not in others:
        return delivered
    apart = f"{delivered[:LONGEST_ID]}@{span[0]}"
    return next(name for name in chain([apart], (f"{apart}-{n}" for n in count(2))) if name not in others)


def _before_the_day(name: str) -> str | None:
    found = APART.fullmatch(name)
    return found[1] if found else None


def _alike(span: Span, other: Span) -> bool:
    days = [pl.lit(day, dtype=pl.Date) for day in (*span, *other)]
    return bool(pl.select(same_year(*days)).item())
