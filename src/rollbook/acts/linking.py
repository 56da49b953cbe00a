"""Which links may be set, one or a hundred thousand at once: what is wrong with each pair, told together, and what is worth saying."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from rollbook.acts.desk import Desk
from rollbook.store import links
from rollbook.store.identities import read_subjects
from rollbook.store.models import Link

Schema = Mapping[str, pl.DataType | type[pl.DataType]]

WANTED: Schema = {
    "line": pl.Int64,
    "subject": pl.Int64,
    "period": pl.Int64,
    "who": pl.String,  # as it was written
    "what": pl.String,
    "object_id": pl.String,  # null: look for the name
    "name": pl.String,
    "mark": pl.String,  # of a file: what the object carried when it was written; null if nobody says
}
OBJECTS: Schema = {
    "object_id": pl.String,
    "name": pl.String,  # user principal name, or nickname of a class group
    "mark": pl.String,
    "guest": pl.Boolean,
    "protected": pl.Boolean,
    "restricted": pl.Boolean,
}
PAIRS = ("line", "subject", "period", "object_id", "name", "object_mark")

Told = Sequence[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Judged:
    """Pairs to be linked (columns PAIRS), mistakes that forbid all of them, and notes about single ones; both as (line, sentence)."""

    pairs: pl.DataFrame
    mistakes: Told
    notes: Told


def judged(desk: Desk, kind: str, wanted: pl.DataFrame, objects: pl.DataFrame, *, take_over: bool = False) -> Judged:
    """The pairs of `wanted` (schema WANTED) with objects of the tenant (schema OBJECTS).

    With `take_over`, an object whose mark nobody here knows may be linked too: its mark then counts as the link's.
    """
    resolved = _resolved(wanted, objects)
    found = resolved.filter(pl.col("there"))
    held = _held(desk, kind)
    mistakes = [
        *_said(_doubled_marks(found, held), "{name} carries the mark of {holder}, who is linked to another one"),
        *_said(resolved.filter(~pl.col("there")), "there is no {what} in the tenant"),
        *_said(found.filter("guest"), "{name} is a guest; guests are never linked"),
        *_said(found.filter(pl.len().over("subject", "period") > 1), "{who} is there twice"),
        *_said(found.filter(pl.len().over("object_id") > 1), "{name} is there twice"),
        *_holders(found, held),
    ]
    if not take_over:
        mistakes += _said(
            _unknown_marks(desk, found, held),
            "{name} carries a mark that nobody here knows, so another installation may keep it (--take-over links it still)",
        )
    notes = [
        *_said(found.filter("protected"), "{name} is protected, so it is linked and never changed"),
        *_said(
            found.filter("restricted"),
            "{name} is in an administrative unit with restricted management; changes are refused",
        ),
    ]
    return Judged(found.rename({"mark_now": "object_mark"}).select(PAIRS), sorted(mistakes), notes)


def _resolved(wanted: pl.DataFrame, objects: pl.DataFrame) -> pl.DataFrame:
    """Wanted rows beside their objects, found by id where one is given, else by name whatever its case."""
    known = objects.with_columns(folded=pl.col("name").str.to_lowercase(), there=pl.lit(value=True))
    asked = wanted.with_columns(folded=pl.col("name").str.to_lowercase()).rename({"mark": "mark_said"}).drop("name")
    by_id = asked.filter(pl.col("object_id").is_not_null()).drop("folded").join(known, on="object_id", how="left")
    by_name = (
        asked.filter(pl.col("object_id").is_null())
        .drop("object_id")
        .join(known.unique("folded", keep="first", maintain_order=True), on="folded", how="left")
    )
    columns = ["line", "subject", "period", "who", "what", "mark_said", *OBJECTS, "there"]
    both = pl.concat([by_id.select(columns), by_name.select(columns)]).sort("line")
    flags = ("there", "guest", "protected", "restricted")
    return both.with_columns(pl.col(flags).fill_null(value=False)).rename({"mark": "mark_now"})


def _held(desk: Desk, kind: str) -> pl.DataFrame:
    """Links of the tenant with who holds them, as its school's records say (null: somebody of another institute)."""
    known = read_subjects(desk.institute, kind).select("subject", holder="sourced_id")
    return links.held(desk.tenant, kind).join(known, on="subject", how="left")


def _holders(found: pl.DataFrame, held: pl.DataFrame) -> list[tuple[int, str]]:
    """Objects that somebody holds who does not give them up in the same list."""
    moving = found.select("subject", "period", gets="object_id")
    staying = (
        held.drop_nulls("held")
        .join(moving, on=["subject", "period"], how="left")
        .filter(pl.col("gets").is_null() | (pl.col("gets") == pl.col("held")))
        .select("holder", object_id="held", holding="subject", holding_period="period")
    )
    clashes = found.join(staying, on="object_id").filter(
        (pl.col("holding") != pl.col("subject")) | (pl.col("holding_period") != pl.col("period"))
    )
    shown = clashes.with_columns(pl.col("holder").fill_null("somebody of another institute"))
    return _said(shown, "{name} is linked to {holder} already; undo that link first")


def _doubled_marks(found: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Objects that carry the mark of a link whose own object carries it too."""
    elsewhere = held.filter(pl.col("held").is_not_null() & (pl.col("origin") == Link.Origin.MADE))
    return found.join(elsewhere.select("mark", "held", "holder"), left_on="mark_now", right_on="mark").filter(
        pl.col("held") != pl.col("object_id")
    )


def _unknown_marks(desk: Desk, found: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Objects whose mark no link has or had."""
    free = pl.concat([held.select("mark"), links.given_up(desk.tenant)]).unique()
    marked = found.filter(pl.col("mark_now").is_not_null() & pl.col("mark_now").ne_missing(pl.col("mark_said")))
    return marked.join(free, left_on="mark_now", right_on="mark", how="anti")


def _said(rows: pl.DataFrame, sentence: str) -> list[tuple[int, str]]:
    return [(row["line"], sentence.format(**row)) for row in rows.iter_rows(named=True)]
