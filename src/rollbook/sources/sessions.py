"""Academic sessions -> school years and the terms inside them, each year known by an id no other year has."""

from __future__ import annotations

import polars as pl

from rollbook.roster.findings import Finding, Severity
from rollbook.roster.periods import told_apart

FILE = "academicSessions.csv"
DERIVED = "derived"
REUSED = "period-id-reused"


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
        years = _derived_years(named)
        derived = "one school year was" if years.height <= 1 else f"{years.height} school years were"
        message = f"There is no session of type schoolYear; {derived} derived from the terms."
        findings.append(Finding(Severity.NOTE, "school-year-derived", FILE, 0, "type", "", message, ""))
    years = told_apart(years, former)
    findings += _reused(years)
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


def _derived_years(terms: pl.DataFrame) -> pl.DataFrame:
    """One year for each `schoolYear` the terms name, from their first day to their last; one of all if some name none."""
    named = pl.col("schoolYear") if terms["schoolYear"].null_count() == 0 else pl.lit("")
    spans = terms.group_by(named.alias("of")).agg(pl.col("begin").min(), pl.col("end").max()).sort("begin", "of")
    derived = spans.select(
        "begin", "end", sourced_id=pl.lit(DERIVED), line=pl.lit(0), title=pl.format("{} - {}", "begin", "end")
    )
    return _numbered(derived, "period")


def _reused(years: pl.DataFrame) -> list[Finding]:
    """A warning for every year whose id belonged to another one before."""
    again = years.filter((pl.col("delivered_id") != pl.col("sourced_id")) & (pl.col("delivered_id") != DERIVED))
    return [
        Finding(
            Severity.WARNING,
            REUSED,
            FILE,
            line,
            "sourcedId",
            delivered,
            f"The id {delivered} belonged to a school year of other dates; this one is kept apart as {own}, with teams of its own.",
            "Give each school year an id of its own. If this is the same year with corrected dates, deliver it once with dates "
            "that span the old and the new ones.",
        )
        for line, delivered, own in again.select("line", "delivered_id", "sourced_id").iter_rows()
    ]
