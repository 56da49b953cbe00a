"""What the derivation of groups is asked with (roster.groups), and what is told of classes that have another group than before."""

from __future__ import annotations

import datetime as dt

import polars as pl

from rollbook.roster.findings import Finding, Severity
from rollbook.roster.former import Former
from rollbook.roster.periods import same_year

REGROUPED = "class-regrouped"


def spans_of(described: pl.DataFrame, classes: pl.DataFrame, sessions: pl.DataFrame) -> pl.DataFrame:
    """[klass, sourced_id, kind, begin, end] of the classes of `described`, with the dates of their school years.

    `classes` are the same, as delivered, in the same order; a class is of the year of its first term.
    """
    dates = sessions.select("begin", "end", term="sourced_id")
    terms = described.select("klass", "sourced_id", "kind").with_columns(term=classes["termSourcedIds"].list.first())
    return terms.join(dates, on="term", how="left", maintain_order="left").drop("term")


def grouped_before(spans: pl.DataFrame, former: Former) -> pl.DataFrame:
    """[klass, home] of the classes that had a group before, in the same school year, if what stood for it is still delivered."""
    of_year = same_year(pl.col("begin"), pl.col("end"), pl.col("begin_before"), pl.col("end_before"))
    return (
        former.classes.rename({"class_id": "sourced_id", "begin": "begin_before", "end": "end_before"})
        .join(spans, on="sourced_id")
        .filter(of_year)
        .join(spans.select(group_id="sourced_id", home="klass"), on="group_id", how="left")
        .select("klass", "home", "sourced_id", "group_id")
    )


def counting(enrolments: pl.DataFrame, people: pl.DataFrame, day: dt.date | None) -> pl.DataFrame:
    """[person, klass, counts] of students: who is active, and whose enrolment has not ended by `day`, counts.

    `people` are numbered from 1 in their order.
    """
    pairs = enrolments.select("person", "klass")
    if day is None:
        return pairs.with_columns(counts=pl.lit(value=True))
    active = people["active"].gather(enrolments["person"] - 1)
    over = (enrolments["end"] <= day).fill_null(value=False)
    return pairs.with_columns(counts=active & ~over)


def regrouped(described: pl.DataFrame, homes: pl.DataFrame, before: pl.DataFrame, *, kept: bool) -> list[Finding]:
    """A warning for every class whose group is another than before, for so will be its team; `kept` if classes keep theirs."""
    if before.is_empty():
        return []
    why = "fewer than half of its students are there, or it is gone" if kept else "groups were derived anew"
    ids = described.select("klass", "line")
    stands = described.select(home_now="klass", id_now="sourced_id")
    changed = (
        before.join(homes.select("klass", home_now="home"), on="klass")
        .filter(pl.col("home").ne_missing(pl.col("home_now")))
        .join(ids, on="klass")
        .join(stands, on="home_now")
        .sort("line")
    )
    return [
        Finding(
            Severity.WARNING,
            REGROUPED,
            "classes.csv",
            line,
            "sourcedId",
            klass,
            f"The class {klass} is of the group {now} now, no longer of {then}: {why}.",
            "Where teams are made of groups, it gets another team. To let its team go on instead, look at `rollbook rollover` "
            "before the next synchronization.",
        )
        for line, klass, then, now in changed.select("line", "sourced_id", "group_id", "id_now").iter_rows()
    ]
