"""Which changes of a plan only put back what somebody did in the tenant by hand: told so, handled as docs/human-edits.md says.

A plan compares states and cannot tell whether the register or the tenant moved. What earlier runs did can: where we brought about
exactly this, and it is not so any more, somebody else undid it. What we did within the hour says nothing, because Microsoft's
readings lag behind its writes (graph.md section 13.15).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl

from rollbook.directory.state import MAPPED
from rollbook.plan.changes import Cause, ChangeVerdict, Kind, Plan
from rollbook.plan.make import MAKERS, fingerprint

DONE: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "kind": pl.UInt8,
    "subject": pl.Int64,
    "object": pl.Int64,
    "after": pl.String,
    "settled": pl.Boolean,  # long enough ago for every reading to show it
}
"""What earlier runs did, oldest first."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A planned change puts something back if the last of these kinds `did` it, rather than one that `undid` it.

    never: it puts something back as well if nothing was ever done about it, in a group that we made.
    values: it does so only if the values it sets are those that were last set.
    """

    did: tuple[Kind, ...]
    undid: tuple[Kind, ...]
    cause: Cause
    never: bool = False
    values: bool = False


RULES: Mapping[Kind, Rule] = {
    Kind.ADD_MEMBER: Rule((Kind.ADD_MEMBER, Kind.DEMOTE_OWNER), (Kind.REMOVE_MEMBER,), Cause.TAKEN_OUT_BY_HAND),
    Kind.ADD_OWNER: Rule((Kind.ADD_OWNER,), (Kind.REMOVE_OWNER, Kind.DEMOTE_OWNER), Cause.TAKEN_OUT_BY_HAND),
    Kind.REMOVE_MEMBER: Rule(
        (Kind.REMOVE_MEMBER,), (Kind.ADD_MEMBER, Kind.DEMOTE_OWNER), Cause.PUT_IN_BY_HAND, never=True
    ),
    Kind.REMOVE_OWNER: Rule(
        (Kind.REMOVE_OWNER, Kind.DEMOTE_OWNER), (Kind.ADD_OWNER,), Cause.PUT_IN_BY_HAND, never=True
    ),
    Kind.DEMOTE_OWNER: Rule(
        (Kind.REMOVE_OWNER, Kind.DEMOTE_OWNER), (Kind.ADD_OWNER,), Cause.PUT_IN_BY_HAND, never=True
    ),
    Kind.DISABLE_USER: Rule((Kind.DISABLE_USER,), (Kind.ENABLE_USER, Kind.RESTORE_USER), Cause.ENABLED_BY_HAND),
    Kind.LICENSE_USER: Rule((Kind.LICENSE_USER,), (Kind.UNLICENSE_USER, Kind.RESTORE_USER), Cause.UNLICENSED_BY_HAND),
    Kind.UPDATE_USER: Rule((Kind.CREATE_USER, Kind.UPDATE_USER), (), Cause.CHANGED_BY_HAND, values=True),
    Kind.UPDATE_CLASS: Rule((Kind.CREATE_CLASS, Kind.UPDATE_CLASS), (), Cause.CHANGED_BY_HAND, values=True),
    Kind.UPDATE_GROUP: Rule(
        (Kind.CREATE_UNIFIED, Kind.CREATE_GROUP, Kind.UPDATE_GROUP), (), Cause.CHANGED_BY_HAND, values=True
    ),
}

RELATIONS = (Kind.ADD_MEMBER, Kind.ADD_OWNER, Kind.REMOVE_MEMBER, Kind.REMOVE_OWNER, Kind.DEMOTE_OWNER)

TEXTS = (*MAPPED, "usage_location", "description", "class_code")
"""What values are compared by; each is a text."""

VALUED: frozenset[Kind] = frozenset(kind for rule in RULES.values() if rule.values for kind in rule.did)
"""Kinds of what earlier runs did of which the values have to be known, too."""

LOOKED_AT: frozenset[Kind] = frozenset(
    {*MAKERS, *(kind for rule in RULES.values() for kind in (*rule.did, *rule.undid))}
)
"""Kinds of what earlier runs did that have to be known."""


def attributed(plan: Plan, done: pl.DataFrame) -> Plan:
    """The plan, in which changes that put back what somebody did by hand say so; its fingerprint is that of what it says.

    `done` (schema DONE) is what earlier runs did about the subjects of `questionable(plan)`.
    """
    asked = questionable(plan.changes)
    if asked.is_empty() or done.is_empty():
        return plan
    found = [_by_rule(kind, rule, asked, done, plan.details) for kind, rule in RULES.items()]
    causes = pl.concat([part for part in found if part.height] or [_NONE])
    if causes.is_empty():
        return plan
    changes = (
        plan.changes.join(causes, on="seq", how="left", maintain_order="left")
        .with_columns(cause=pl.coalesce("by_hand", "cause"), day=pl.when(pl.col("by_hand").is_null()).then("day"))
        .drop("by_hand")
    )
    told = fingerprint(changes, plan.details, plan.tenant, plan.profile_version)
    return replace(plan, changes=changes, fingerprint=told)


def needed(done: pl.DataFrame) -> pl.Series:
    """Keys of what `attributed` can still ask for, of everything that was done.

    `done` is [key, kind, subject, object, after], the oldest first. Of each family the last one is needed, of values the last that
    set each of them; whatever else was done can be forgotten.
    """
    makers = done.filter(pl.col("kind").is_in([int(kind) for kind in MAKERS])).select("key")
    found = [makers]
    for rule, relation in {(rule, kind in RELATIONS) for kind, rule in RULES.items()}:
        keys = ["subject", "object"] if relation else ["subject"]
        family = done.filter(pl.col("kind").is_in([int(each) for each in (*rule.did, *rule.undid)]))
        found.append(family.unique(keys, keep="last", maintain_order=True).select("key"))
        if rule.values:
            texts = pl.col("after").str.json_decode(pl.Struct(dict.fromkeys(TEXTS, pl.String)))
            written = family.select("key", "subject", texts).unnest("after")
            found += [written.drop_nulls(name).unique("subject", keep="last").select("key") for name in TEXTS]
    return pl.concat(found)["key"].unique().sort()


def questionable(changes: pl.DataFrame) -> pl.DataFrame:
    """The planned changes of a kind that may put back what somebody did by hand."""
    kinds = [int(kind) for kind in RULES]
    return changes.filter(pl.col("verdict") == int(ChangeVerdict.PLANNED), pl.col("kind").is_in(kinds))


_NONE = pl.DataFrame(schema={"seq": pl.Int32, "by_hand": pl.UInt8})


def _by_rule(kind: Kind, rule: Rule, asked: pl.DataFrame, done: pl.DataFrame, details: pl.DataFrame) -> pl.DataFrame:
    """[seq, by_hand] of the planned changes of one kind that only put something back."""
    mine = asked.filter(pl.col("kind") == int(kind)).select("seq", "subject", "object")
    if mine.is_empty():
        return _NONE
    keys = ["subject", "object"] if kind in RELATIONS else ["subject"]
    family = done.filter(pl.col("kind").is_in([int(each) for each in (*rule.did, *rule.undid)]))
    last = family.group_by(keys, maintain_order=True).agg(last=pl.col("kind").last(), settled=pl.col("settled").last())
    beside = mine.join(last, on=keys, how="left")
    put_back = beside.filter(pl.col("last").is_in([int(each) for each in rule.did]), "settled")
    if rule.never:
        ours = done.filter(pl.col("kind").is_in([int(each) for each in MAKERS]), "settled").select("subject")
        put_back = pl.concat([put_back, beside.filter(pl.col("last").is_null()).join(ours, on="subject", how="semi")])
    if rule.values:
        put_back = put_back.join(_set_before(put_back, family, details), on="seq", how="semi")
    return put_back.select("seq", by_hand=pl.lit(int(rule.cause), dtype=pl.UInt8))


def _set_before(planned: pl.DataFrame, family: pl.DataFrame, details: pl.DataFrame) -> pl.DataFrame:
    """[seq] of the planned changes of values that set nothing but what was last set."""
    texts = pl.Struct(dict.fromkeys(TEXTS, pl.String))
    written = (
        family.join(planned.select("subject"), on="subject", how="semi")
        .select("subject", pl.col("after").str.json_decode(texts))
        .unnest("after")
        .group_by("subject", maintain_order=True)
        .agg(pl.col(name).drop_nulls().last() for name in TEXTS)
    )
    wanted = details.join(planned.select("seq"), on="seq", how="semi").select(
        "seq",
        "subject",
        pl.col("after").str.json_decode(texts),
        pl.col("before").str.json_decode(texts),
    )
    columns = [
        pl.col(side).struct.field(name).alias(f"{name}_{side}") for side in ("before", "after") for name in TEXTS
    ]
    beside = wanted.select("seq", "subject", *columns).join(written, on="subject")
    same = pl.all_horizontal(
        pl.col(f"{name}_after").eq_missing(pl.col(f"{name}_before")) | pl.col(f"{name}_after").eq_missing(pl.col(name))
        for name in TEXTS
    )
    return beside.filter(same).select("seq")
