"""Academic sessions -> school years and the terms inside them, each year known by an id no other year has."""

from __future__ import annotations

import polars as pl

from rollbook.roster.findings import Finding, Severity
from rollbook.roster.periods import MADE_UP, told_apart

FILE = "academicSessions.csv"
DERIVED = "derived"
REUSED = "period-id-reused"
SAME_DAYS = "period-id-changed"


def school_years(
    rows: pl.DataFrame, former: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, list[Finding]]:
    """School years, the terms inside them, [sourced_id, period, begin, end] of every session, and what is noteworthy.

    The dates of a session are those of the school year it lies in, where there is one. `former` (schema periods.YEAR) are the
    school years known before.
    """
    named = rows.rename({"sourcedId": "sourced_id", "startDate": "begin", "endDate": "end"})
    years = _numbered(named.filter(pl.col("type") == "schoolYear"), "period")
    findings = []
    if years.is_empty():
        years = _derived_years(named, former)
        derived = "one school year was" if years.height <= 1 else f"{years.height} school years were"
        message = f"There is no session of type schoolYear; {derived} derived from the terms."
        findings.append(Finding(Severity.NOTE, "school-year-derived", FILE, 0, "type", "", message, ""))
    years = told_apart(years, former)
    findings += _under_another_id(years, former)
    terms = _numbered(named.filter(pl.col("type") != "schoolYear"), "marking")
    # The year a term lies in: the one it begins in, since parents may skip levels or lead nowhere.
    spans = years.select("period", year_begin="begin", year_end="end")
    inside = (
        terms.join(spans, how="cross")
        .filter((pl.col("begin") >= pl.col("year_begin")) & (pl.col("begin") < pl.col("year_end")))
        .unique("marking", keep="first", maintain_order=True)
        .select("marking", "period", "year_begin", "year_end")
    )
    terms = terms.join(inside, on="marking", how="left", maintain_order="left")
    dates = {"begin": pl.coalesce("year_begin", "begin"), "end": pl.coalesce("year_end", "end")}
    of_terms = terms.select("sourced_id", "period", **dates)
    sessions = pl.concat(
        [years.select("period", "begin", "end", sourced_id="delivered_id").select(of_terms.columns), of_terms]
    )
    return years, terms, sessions, findings


def _numbered(frame: pl.DataFrame, key: str) -> pl.DataFrame:
    return frame.with_row_index(key, offset=1).with_columns(pl.col(key).cast(pl.Int64))


def _derived_years(terms: pl.DataFrame, former: pl.DataFrame) -> pl.DataFrame:
    """One year for each `schoolYear` the terms name, from its first day to its last; one of all if some name none.

    A `schoolYear` that is named is one year, whichever of its terms a delivery holds: it has the days of all that were ever delivered.
    """
    is_named = terms["schoolYear"].null_count() == 0
    name = pl.format(MADE_UP + "{}", "schoolYear") if is_named else pl.lit(DERIVED)
    spans = terms.group_by(name.alias("sourced_id")).agg(pl.col("begin").min(), pl.col("end").max())
    if is_named:
        before = former.select("sourced_id", former_begin="begin", former_end="end")
        spans = spans.join(before, on="sourced_id", how="left").with_columns(
            begin=pl.min_horizontal("begin", "former_begin"), end=pl.max_horizontal("end", "former_end")
        )
    derived = spans.sort("begin", "sourced_id").select(
        "begin", "end", "sourced_id", line=pl.lit(0), title=pl.format("{} - {}", "begin", "end")
    )
    return _numbered(derived, "period")


def _under_another_id(years: pl.DataFrame, former: pl.DataFrame) -> list[Finding]:
    """A warning for every year that goes by another id than it is delivered under."""
    again = years.filter(pl.col("delivered_id") != pl.col("sourced_id"))
    known = set(former["sourced_id"])
    return [
        Finding(
            Severity.WARNING,
            REUSED if own not in known else SAME_DAYS,
            FILE,
            line,
            "sourcedId",
            delivered,
            APART.format(delivered, own) if own not in known else SAME.format(delivered, own),
            REMEDY,
        )
        for line, delivered, own in again.select("line", "delivered_id", "sourced_id").iter_rows()
    ]


APART = "The id {} belonged to a school year of other dates; this one is kept apart as {}, with teams of its own."
SAME = "The school year {} has the days of the one that is known as {}, and is taken for the same."
REMEDY = (
    "Give each school year an id of its own. If this is the same year with corrected dates, deliver it once with dates "
    "that span the old and the new ones."
)
