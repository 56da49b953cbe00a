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
MADE_UP = "derived:"
"""What stands before the name of a school year in the id of one no session stands for."""

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

    `former` (schema YEAR) are the years known so far. A year is the former one of its days that was delivered under its id; else, if its
    id was another year's, any former one of its days (ids like "current" and "next" move on every summer); else it is new. A new one
    whose id was another year's gets the day it begins added to it, and is found under that id from then on.
    """
    known = {sourced_id: (begin, end) for sourced_id, begin, end in former.select(YEAR.keys()).iter_rows()}
    named = years.select("period", "sourced_id", "begin", "end").sort("begin", "period", nulls_last=False)
    wanted = [(period, sourced_id, (begin, end)) for period, sourced_id, begin, end in named.iter_rows()]
    taken: dict[int, str] = {}
    for claims in (_by_its_id, _by_its_id_and_day, _by_its_days):
        for period, delivered, span in wanted:
            free = (name for name in claims(delivered, span, known) if name not in taken.values())
            if period not in taken and (name := next(free, None)) is not None:
                taken[period] = name
    ids = {delivered for _, delivered, _ in wanted}
    for period, delivered, span in wanted:
        if period not in taken:
            taken[period] = _new_id(delivered, span, {*known, *taken.values(), *(ids - {delivered})})
    own = pl.DataFrame({"period": taken.keys(), "own": taken.values()}, schema={"period": pl.Int64, "own": pl.String})
    return (
        years.join(own, on="period", how="left", maintain_order="left")
        .rename({"sourced_id": "delivered_id"})
        .rename({"own": "sourced_id"})
    )


def _by_its_id(delivered: str, span: Span, known: Mapping[str, Span]) -> list[str]:
    return [delivered] if delivered in known and _alike(span, known[delivered]) else []


def _by_its_id_and_day(delivered: str, span: Span, known: Mapping[str, Span]) -> list[str]:
    """Former years of these days whose id is this one with a day added."""
    return [name for name in known if _before_the_day(name) == delivered and _alike(span, known[name])]


def _by_its_days(delivered: str, span: Span, known: Mapping[str, Span]) -> list[str]:
    """Former years of these days, where the id was another year's, or was made up; without days, nobody can say."""
    if delivered not in known and not delivered.startswith(MADE_UP):
        return []
    dated = [name for name, other in known.items() if None not in (*span, *other)]
    return [name for name in dated if _alike(span, known[name])]


def _new_id(delivered: str, span: Span, others: Collection[str]) -> str:
    """The delivered id, with the day the year begins where the id is another year's."""
    apart = f"{delivered[:LONGEST_ID]}@{span[0]}"
    return next(name for name in chain([delivered, apart], (f"{apart}-{n}" for n in count(2))) if name not in others)


def _before_the_day(name: str) -> str | None:
    found = APART.fullmatch(name)
    return found[1] if found else None


def _alike(span: Span, other: Span) -> bool:
    days = [pl.lit(day, dtype=pl.Date) for day in (*span, *other)]
    return bool(pl.select(same_year(*days)).item())
