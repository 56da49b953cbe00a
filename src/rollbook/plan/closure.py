"""What a part of a plan needs: closure over prerequisites, so that no change is applied whose need is not. Pure.

Beside `needs_subject` and `needs_object`, which say what makes an object, needs follow from what the changes are: whoever is linked or
restored by the plan is so before anything else happens to them; an owner who becomes a member leaves both relations or none; a licence
is taken back only of whom is disabled; a team has an owner who can be one. Where another owner, who is there already, would do as
well, the closure does not know it and lets the team wait: never too little.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from rollbook.plan.changes import ChangeVerdict, Kind

EDGES = {"seq": pl.Int32, "on": pl.Int32}

COMES_FIRST = (Kind.LINK_USER, Kind.RESTORE_USER, Kind.LINK_GROUP)
"""Kinds after which alone anything else can be done with their subject."""

BEGINNINGS = (Kind.CREATE_CLASS, Kind.CREATE_UNIFIED, Kind.CREATE_TEAM)
"""Kinds that Microsoft carries out only where an owner is, or comes."""

ABLE_BY = ((Kind.ENABLE_USER, "subject"), (Kind.LICENSE_USER, "subject"), (Kind.JOIN_LICENCE_GROUP, "object"))
"""Without which somebody is no owner with whom a team can be made (graph.md section 13.7), and where the change names the person."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What changes need: `all_of` [seq, on] every one of these; `any_of` [seq, on, able] at least one, by somebody able if `able`.

    `able` [seq, on] is without what the owner that change `seq` adds is not able.
    """

    all_of: pl.DataFrame
    any_of: pl.DataFrame
    able: pl.DataFrame


def needs_of(changes: pl.DataFrame) -> Needs:
    """The needs among the changes of a plan (schema CHANGES); what waits for a stated reason needs nothing and is needed by nothing."""
    rows = changes.filter(pl.col("verdict") != int(ChangeVerdict.WAITS))
    owners = _of(rows, Kind.ADD_OWNER).select("subject", on="seq")
    becoming = _of(rows, Kind.CREATE_TEAM).select("subject", able=pl.lit(value=True))
    asking = _of(rows, *BEGINNINGS).join(becoming, on="subject", how="left")
    any_of = asking.select("seq", "subject", able=pl.col("able").fill_null(value=False))
    adding = _of(rows, Kind.ADD_OWNER)
    able = [_edges(adding, _of(rows, kind).select("seq", object=name), ["object"]) for kind, name in ABLE_BY]
    return Needs(_all_of(rows), any_of.join(owners, on="subject").select("seq", "on", "able"), pl.concat(able))


def _of(rows: pl.DataFrame, *kinds: Kind) -> pl.DataFrame:
    return rows.filter(pl.col("kind").is_in([int(kind) for kind in kinds]))


def _edges(rows: pl.DataFrame, needed: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """[seq, on]: each of `rows` beside each of `needed` that is about the same."""
    return rows.select("seq", *by).join(needed.select(*by, on="seq"), on=by).select(EDGES.keys()).cast(pl.Schema(EDGES))


def _all_of(rows: pl.DataFrame) -> pl.DataFrame:
    made = [
        rows.select("seq", on=name).drop_nulls().cast(pl.Schema(EDGES)) for name in ("needs_subject", "needs_object")
    ]
    first = _of(rows, *COMES_FIRST).select("seq", "subject")
    about = pl.concat([rows.select("seq", "subject"), rows.select("seq", subject="object").drop_nulls()])
    come = _edges(about, first, ["subject"]).filter(pl.col("on") < pl.col("seq"))
    pair = ["subject", "object"]
    owner_leaves, member_leaves = _of(rows, Kind.REMOVE_OWNER), _of(rows, Kind.REMOVE_MEMBER)
    joining, leaving = _of(rows, Kind.JOIN_LICENCE_GROUP), _of(rows, Kind.LEAVE_LICENCE_GROUP)
    disabled = _of(rows, Kind.DISABLE_USER).select("seq", "subject")
    return pl.concat(
        [
            *made,
            come,
            _edges(owner_leaves, member_leaves, pair),
            _edges(member_leaves, owner_leaves, pair),
            _edges(_of(rows, Kind.ADD_OWNER), _of(rows, Kind.ADD_MEMBER), pair),
            _edges(joining, _of(rows, Kind.LICENSE_GROUP), ["subject"]),
            _edges(leaving, joining, ["object"]),
            _edges(_of(rows, Kind.UNLICENSE_USER), disabled, ["subject"]),
            _edges(leaving.select("seq", subject="object"), disabled, ["subject"]),
        ]
    ).unique()


def without(needs: Needs, stopped: pl.Series) -> pl.Series:
    """What cannot be applied where the changes `stopped` (seqs) are not: those, and whatever needs them, as far as that goes."""
    found = stopped.cast(pl.Int32).unique()
    while found.len():
        gone = found.implode()
        unable = needs.able.filter(pl.col("on").is_in(gone))["seq"]
        lost = pl.col("on").is_in(gone) | (pl.col("able") & pl.col("on").is_in(unable.implode()))
        more = pl.concat(
            [
                found,
                needs.all_of.filter(pl.col("on").is_in(gone))["seq"],
                needs.any_of.group_by("seq").agg(none=lost.all()).filter("none")["seq"],
            ]
        ).unique()
        if more.len() == found.len():
            break
        found = more
    return found.sort()


def together_with(needs: Needs, chosen: pl.Series) -> pl.Series:
    """What has to be applied for the changes `chosen` (seqs) to be: those, and whatever they need, as far as that goes."""
    found = chosen.cast(pl.Int32).unique()
    edges = pl.concat([needs.all_of, needs.any_of.select("seq", "on")])
    enabling = (
        needs.any_of.filter("able").select("seq", owner="on").join(needs.able.rename({"seq": "owner"}), on="owner")
    )
    edges = pl.concat([edges, enabling.select("seq", "on")])
    while True:
        more = pl.concat([found, edges.filter(pl.col("seq").is_in(found.implode()))["on"]]).unique()
        if more.len() == found.len():
            return found.sort()
        found = more
