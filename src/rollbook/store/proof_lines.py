"""Deviations of a proof as lines for people: who, where, how, and the reason as a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from rollbook.apply.whys import why_sentence
from rollbook.directory.state import Relation
from rollbook.store import groupings
from rollbook.store.bulk import read_frame, table_of
from rollbook.store.changes import answers
from rollbook.store.identities import read_people
from rollbook.store.links import linked_subjects
from rollbook.store.models import Grouping, Link, ProofGroup, Run
from rollbook.store.runs import labels

LINES: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "team": pl.Int64,  # link
    "group": pl.String,
    "group_id": pl.String,  # sourced id; several teams may be called alike
    "who": pl.String,  # the name of a person or of a nested group
    "sourced_id": pl.String,  # null for whoever, and whatever, is not in the register
    "object_id": pl.String,  # of somebody outside the register
    "relation": pl.String,  # member or owner
    "status": pl.String,
    "reason": pl.String,
}

OUTSIDE = "somebody outside the register"
NAMED_ONE_BY_ONE = 2_000
"""Beyond so many links the names of all of them are read at once."""


def told(run: Run, deviations: pl.DataFrame) -> pl.DataFrame:
    """Deviations (schema apply.proof.DEVIATIONS) of a run's proof as lines (schema LINES), in their order."""
    links = pl.concat([deviations["team"], deviations["user"]]).drop_nulls().unique().sort().to_list()
    names = group_names(run) | names_of(run, links)
    ids = _sourced_ids(run, deviations)
    relations = {int(relation): relation.name.lower() for relation in Relation}
    outside = pl.col("user").is_null()
    return (
        deviations.join(_sentences(run, deviations), on=["why", "cause", "seq"], how="left", nulls_equal=True)
        .join(ids, on="user", how="left", maintain_order="left")
        .join(group_ids(run), on="team", how="left", maintain_order="left")
        .select(
            "team",
            "group_id",
            group=_named("team", names),
            who=pl.when(outside).then(pl.lit(OUTSIDE)).otherwise(_named("user", names)),
            sourced_id="sourced_id",
            object_id="object_id",
            relation=pl.col("relation").replace_strict(relations, return_dtype=pl.String),
            status="status",
            reason="reason",
        )
        .select(LINES.keys())
        .cast(pl.Schema(LINES))
    )


def _named(column: str, names: Mapping[int, str]) -> pl.Expr:
    known = pl.col(column).replace_strict(names, default=None, return_dtype=pl.String)
    return pl.coalesce(known, pl.format("#{}", column))


def names_of(run: Run, links: Sequence[int]) -> dict[int, str]:
    """What the school calls these links."""
    return labels(run.tenant, links if len(links) <= NAMED_ONE_BY_ONE else None) if links else {}


def group_names(run: Run) -> dict[int, str]:
    """What the groups of a run's proof are called, of those that have a name."""
    statement = f"SELECT team, name FROM {table_of(ProofGroup)} WHERE run_id = %s AND name IS NOT NULL"
    return dict(read_frame(statement, [run.pk], {"team": pl.Int64, "name": pl.String}).iter_rows())


def group_ids(run: Run) -> pl.DataFrame:
    """[team, group_id] of every team and group of the structure: what the school's records call it."""
    kinds = (Grouping.Kind.TEAM, Grouping.Kind.NODE)
    placed = pl.concat([groupings.placed(run.tenant, run.institute, kind) for kind in kinds])
    return placed.drop_nulls("link").select(team="link", group_id="sourced_id")


def _sourced_ids(run: Run, deviations: pl.DataFrame) -> pl.DataFrame:
    """[user, sourced_id] of the people among the deviations."""
    if deviations.is_empty():
        return pl.DataFrame(schema={"user": pl.Int64, "sourced_id": pl.String})
    users = linked_subjects(run.tenant, Link.Kind.USER).select("subject", user="link")
    about = users.join(deviations.select("user").unique(), on="user", how="semi")
    return about.join(read_people(run.institute), left_on="subject", right_on="person").select("user", "sourced_id")


def _sentences(run: Run, deviations: pl.DataFrame) -> pl.DataFrame:
    """[why, cause, seq, reason] of every reason there is among the deviations."""
    distinct = deviations.select("why", "cause", "seq").unique(maintain_order=True)
    said = answers(run) if distinct["seq"].drop_nulls().len() else {}
    reasons = [why_sentence(why, cause, said.get(seq, "")) for why, cause, seq in distinct.iter_rows()]
    return distinct.with_columns(reason=pl.Series(reasons, dtype=pl.String))
