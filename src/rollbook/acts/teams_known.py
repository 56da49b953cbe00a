"""Every team and group of the structure a school could name, and which of them somebody means."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from rollbook.acts.connections import connection_of
from rollbook.acts.groupings import note_teams
from rollbook.errors import InputRefused
from rollbook.store import groupings
from rollbook.store.identities import read_school_years
from rollbook.store.models import Institute, Link

Schema = Mapping[str, pl.DataType | type[pl.DataType]]

KNOWN: Schema = {
    **groupings.PLACED,
    "kind": pl.String,  # of the link: team or node
    "year": pl.String,  # what its academic period is called; null for groups of the structure
    "begin": pl.Date,  # of the academic period
    "name": pl.String,  # as people read it, with the academic period
    "handle": pl.String,  # what to type for it
}

KINDS = (Link.Kind.TEAM.value, Link.Kind.NODE.value)
LISTED = 12
MADE_OF = {"group": ", of the group", "subject": ", of the subject", "group_subject": ", of group and subject"}
"""What tells teams of one name apart that different modes made, by the beginning of their keys."""

NAMED_BY = ("handle", "sourced_id", "code", "key", "label")


def known(institute: Institute) -> pl.DataFrame:
    """Every team the institute's profiles could make or ever made, and every group of its structure (schema KNOWN)."""
    note_teams(institute)
    tenant = connection_of(institute).tenant
    rows = pl.concat([groupings.placed(tenant, institute, kind).with_columns(kind=pl.lit(kind)) for kind in KINDS])
    years = read_school_years(institute)
    called = pl.when(pl.len().over("title") == 1).then("title").otherwise("period_id")
    named = rows.join(years.select("period", "begin", year=called), on="period", how="left")
    alone = pl.len().over("kind", "period", "sourced_id") == 1
    label = pl.coalesce("label", "sourced_id", "key")
    is_team = pl.col("kind") == Link.Kind.TEAM.value
    plain = pl.when(is_team & alone).then(pl.coalesce("sourced_id", "key")).otherwise("key")
    return (
        named.with_columns(
            name=pl.concat_str(label, pl.format(" ({})", "year"), ignore_nulls=True),
            handle=pl.concat_str(plain, pl.format("@{}", "year"), ignore_nulls=True),
        )
        .select(KNOWN.keys())
        .cast(pl.Schema(KNOWN))
    )


@dataclass(frozen=True, slots=True)
class Team:
    """A team, or a group of the structure, that somebody named; `link` and `object_id` are null where it has none."""

    kind: str
    subject: int
    period: int
    key: str
    sourced_id: str | None
    name: str
    handle: str
    begin: Any
    link: int | None
    object_id: str | None
    archived: bool


def find(rows: pl.DataFrame, text: str, *, newest: bool = False) -> Team:
    """The one of `rows` (schema KNOWN) that `text` means: sourced id, code or name, with @ and the academic period where needed.

    Where it says no period and `newest`, the one that begins last is meant. InputRefused if there is none, or if there are
    several, with the words that tell them apart.
    """
    found = meant(rows, text)
    if newest:
        found = found.filter(pl.col("begin").eq_missing(pl.col("begin").max()))
    if found.is_empty():
        raise InputRefused(
            f"There is no class or team {text!r}.",
            remedy=(
                "Name it by its sourced id, code or name, and where several have the same by its academic period behind an @, "
                "as `rollbook rollover` does."
            ),
        )
    if found.height > 1:
        choices = "; ".join(
            f"{shlex.quote(handle)} ({name}{MADE_OF.get(key.partition('/')[0], '')})"
            for handle, name, key in found.select("handle", "name", "key").head(LISTED).iter_rows()
        )
        more = f"; and {found.height - LISTED} more" if found.height > LISTED else ""
        raise InputRefused(f"{text!r} may be any of {found.height} teams.", remedy=f"Name one of: {choices}{more}.")
    row = found.row(0, named=True)
    return Team(**{name: row[name] for name in Team.__slots__})


def names(rows: pl.DataFrame, text: str) -> bool:
    """Whether `text` names any of `rows` (schema KNOWN)."""
    return not meant(rows, text).is_empty()


def meant(rows: pl.DataFrame, text: str) -> pl.DataFrame:
    """The rows of this name; the first way of naming that finds any is the one that was meant."""
    name, separator, year = text.rpartition("@")
    of_year = rows.filter(pl.col("year") == year) if separator else rows.clear()
    for among, wanted in ((rows, text), (of_year, name)):
        for column in NAMED_BY:
            found = among.filter(pl.col(column).str.to_lowercase() == wanted.lower())
            if found.height:
                return found
    return rows.clear()


def find_all(rows: pl.DataFrame, texts: Sequence[str]) -> list[Team]:
    """Each of `texts`, once."""
    return list(dict.fromkeys(find(rows, text) for text in texts))
