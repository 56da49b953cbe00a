"""Links in bulk, as CSV: what is written is read back as it was; a file with a mistake changes nothing."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from django.db import transaction

from rollbook.acts.connections import connection_of
from rollbook.acts.desk import Desk
from rollbook.acts.groupings import note_teams
from rollbook.acts.linking import WANTED, Judged, judged
from rollbook.acts.links import carry_out, objects_of
from rollbook.acts.profiles import Author
from rollbook.acts.spreadsheet import Columns, as_csv, read_file, refuse
from rollbook.store import links, mirror
from rollbook.store.identities import read_periods, read_subjects
from rollbook.store.models import Connection, Institute, Link

COLUMNS = Columns(
    ("kind", "sourced_id", "number", "period", "object_id", "user_name", "mark"),
    [("sourced_id", "number"), ("object_id", "user_name")],
)
KINDS = (Link.Kind.USER.value, Link.Kind.TEAM.value)


def exported(
    institute: Institute, author: Author, purpose: Connection.Purpose = Connection.Purpose.MAIN
) -> tuple[str, int]:
    """All links of an institute that hold an object, as CSV in a stable order, and how many; noted in the trail."""
    tenant = connection_of(institute, purpose).tenant
    seen = mirror.known(tenant).select("link", user_name="user_principal_name")
    periods = read_periods(institute).rename({"period_id": "period_name"})
    frames = []
    for kind in KINDS:
        known = read_subjects(institute, kind).drop("period")
        held = links.held(tenant, kind).filter((pl.col("institute") == institute.pk) & pl.col("held").is_not_null())
        frames.append(
            held.join(known, on="subject")
            .join(seen, on="link", how="left")
            .join(periods, on="period", how="left")
            .select(
                "sourced_id",
                "number",
                "user_name",
                kind=pl.lit(kind),
                period="period_name",
                object_id="held",
                mark=pl.when(pl.col("origin") == Link.Origin.MADE).then("mark"),
            )
        )
    rows = pl.concat(frames).select(COLUMNS.known).sort("kind", "sourced_id", "period", descending=[True, False, False])
    author.note(institute, "links.exported", {"rows": rows.height})
    return as_csv(rows), rows.height


def import_file(desk: Desk, path: Path, reason: str = "", *, take_over: bool = False) -> int:
    """Set every link the file names; how many changed. Raises FileInvalid with all mistakes and their lines, nothing changed."""
    rows = read_file(path, COLUMNS).with_columns(pl.col("kind").fill_null(Link.Kind.USER.value))
    mistakes = [
        (line, f"there is no kind {kind!r}; there are {', '.join(KINDS)}")
        for line, kind in rows.filter(~pl.col("kind").is_in(KINDS)).select("line", "kind").iter_rows()
    ]
    outcomes: list[tuple[str, Judged, pl.DataFrame]] = []
    for kind in KINDS:
        part = rows.filter(pl.col("kind") == kind)
        if part.is_empty():
            continue
        wanted, unknown = _resolved(desk.institute, kind, part)
        found = desk.users() if kind == Link.Kind.USER else desk.reader.groups()
        outcome = judged(desk, kind, wanted, objects_of(found, kind), take_over=take_over)
        mistakes += [*unknown, *outcome.mistakes]
        outcomes.append((kind, outcome, found))
    refuse(path, mistakes)
    with transaction.atomic():
        return sum(carry_out(desk, kind, outcome, found, reason, "links.imported") for kind, outcome, found in outcomes)


def _resolved(institute: Institute, kind: str, rows: pl.DataFrame) -> tuple[pl.DataFrame, list[tuple[int, str]]]:
    """Rows as pairs that are wanted (schema WANTED), and a mistake for each that names nobody, several, or no object."""
    if kind == Link.Kind.TEAM:
        note_teams(institute)
    known = read_subjects(institute, kind)
    asked = rows.with_columns(who=pl.coalesce("sourced_id", "number"), what=pl.coalesce("object_id", "user_name"))
    by_id = asked.filter(pl.col("sourced_id").is_not_null()).drop("number", "period")
    by_number = asked.filter(pl.col("sourced_id").is_null()).drop("sourced_id", "period")
    columns = ["line", "subject", "own_period", "who", "what"]
    known = known.rename({"period": "own_period"})
    both = pl.concat(
        [
            by_id.join(known, on="sourced_id", how="left").select(columns),
            by_number.join(known, on="number", how="left").select(columns),
        ]
    )
    mistakes = [
        (line, f"the register knows nobody and nothing called {who}")
        for line, who in both.filter(pl.col("subject").is_null() & pl.col("who").is_not_null())
        .select("line", "who")
        .iter_rows()
    ]
    mistakes += [
        (line, "neither sourced_id nor number is given") for line in both.filter(pl.col("who").is_null())["line"]
    ]
    mistakes += [
        (line, "neither object_id nor user_name is given") for line in both.filter(pl.col("what").is_null())["line"]
    ]
    several = both.filter(pl.len().over("line") > 1).unique("line", maintain_order=True)
    mistakes += [(line, f"several are called {who}") for line, who in several.select("line", "who").iter_rows()]
    clear = both.drop_nulls(["subject", "what"]).join(several, on="line", how="anti")
    return _with_period(institute, clear, rows), mistakes


def _with_period(institute: Institute, clear: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The pairs with the academic period the file names, else the one the class is in now."""
    periods = read_periods(institute).select(named="period", period="period_id")
    given = rows.select("line", "object_id", "mark", "period", name="user_name").join(periods, on="period", how="left")
    return (
        clear.join(given.drop("period"), on="line")
        .with_columns(period=pl.coalesce(pl.when(pl.col("own_period") != 0).then("named"), "own_period"))
        .select(WANTED.keys())
        .cast(pl.Schema(WANTED))
        .sort("line")
    )
