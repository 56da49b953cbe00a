"""Drift: whether the tenant is still as it was when a plan was made. What somebody changed meanwhile is left as it is, and told.

Looked at just before a wave, for the objects of its open changes alone, in bulk: one read in a batch of twenty for an account or a
group. Kinds that make or add something need no look, because Microsoft refuses to do that twice. A plan that was made in the same
run is not looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import polars as pl

from rollbook.apply.journal import Journal
from rollbook.apply.ports import Lookup
from rollbook.apply.requests import values_of
from rollbook.directory.state import Relation
from rollbook.plan.changes import ChangeVerdict, Kind

Row = Mapping[str, Any]
Still = Callable[[Row, Row, Row], bool]
"""Whether an object (a row of USERS or GROUPS) is as it was, given the change's values before and after."""


def _as_before(now: Row, before: Row, after: Row) -> bool:
    differing = [name for name, value in after.items() if name in before and before[name] != value]
    return all(_folded(name, now.get(name)) == _folded(name, before[name]) for name in differing)


def _folded(name: str, value: Any) -> Any:
    """User names are told apart without regard to case."""
    return value.lower() if name == "user_principal_name" and isinstance(value, str) else value


def _has_what_is_taken(now: Row, _: Row, after: Row) -> bool:
    return set(after.get("remove") or ()) <= set(now["licences"])


OF_ACCOUNTS: Mapping[Kind, Still] = {
    Kind.UPDATE_USER: _as_before,
    Kind.RENAME_USER: _as_before,
    Kind.ENABLE_USER: lambda now, _, __: not now["account_enabled"],
    Kind.DISABLE_USER: lambda now, _, __: bool(now["account_enabled"]),
    Kind.LICENSE_USER: _has_what_is_taken,
    Kind.UNLICENSE_USER: _has_what_is_taken,
}
OF_GROUPS: Mapping[Kind, Still] = {Kind.UPDATE_CLASS: _as_before, Kind.UPDATE_GROUP: _as_before}

RELATION = {
    Kind.REMOVE_MEMBER: Relation.MEMBER,
    Kind.REMOVE_OWNER: Relation.OWNER,
    Kind.DEMOTE_OWNER: Relation.OWNER,
    Kind.REMOVE_STRANGER: Relation.MEMBER,
    Kind.LEAVE_LICENCE_GROUP: Relation.MEMBER,
}
"""The relation that has to be there for it to end."""

ENDS_ALONE = (Kind.REMOVE_MEMBER, Kind.REMOVE_STRANGER)
"""Kinds with which an ownership would end too, had somebody given one meanwhile."""


def close_drifted(journal: Journal, lookup: Lookup, attempted: Collection[int], kinds: Sequence[Kind]) -> list[int]:
    """Give every open change of these kinds that was not `attempted` yet (seqs) its verdict, if the tenant is no longer as it was.

    Returns their seqs. Who has become protected since is left alone too.
    """
    drifted: dict[int, Row] = {}
    for look, looked_at in ((_accounts, OF_ACCOUNTS), (_groups, OF_GROUPS), (_relations, RELATION)):
        chosen = [kind for kind in kinds if kind in looked_at]
        rows = _open(journal, chosen, attempted) if chosen else []
        if rows:
            drifted |= look(journal, lookup, rows)
    if drifted:
        journal.leave_drifted(drifted)
    return list(drifted)


def _open(journal: Journal, kinds: Sequence[Kind], attempted: Collection[int]) -> list[dict[str, Any]]:
    numbers = [int(kind) for kind in kinds]
    found = journal.open_changes(numbers).filter(pl.col("verdict") == int(ChangeVerdict.PLANNED))
    details = journal.details(numbers).select("seq", "before", "after")
    rows = found.join(details, on="seq", how="left").sort("seq").iter_rows(named=True)
    return [row for row in rows if row["seq"] not in attempted]


def _accounts(journal: Journal, lookup: Lookup, rows: Sequence[Row]) -> dict[int, Row]:
    ids = journal.object_ids()
    found = lookup.users_and_roles(sorted({ids[row["subject"]] for row in rows if row["subject"] in ids}))
    now = {user["object_id"]: user for user in found.filter(~pl.col("protected")).iter_rows(named=True)}
    return _differing(rows, ids, now, OF_ACCOUNTS)


def _groups(journal: Journal, lookup: Lookup, rows: Sequence[Row]) -> dict[int, Row]:
    ids = journal.object_ids()
    found = lookup.groups_by_id(sorted({ids[row["subject"]] for row in rows if row["subject"] in ids}))
    return _differing(rows, ids, {group["object_id"]: group for group in found.iter_rows(named=True)}, OF_GROUPS)


def _differing(
    rows: Sequence[Row], ids: Mapping[int, str], now: Mapping[str, Row], looked_at: Mapping[Kind, Still]
) -> dict[int, Row]:
    """What was found of changes (seqs) whose object is gone, or no longer as it was: those of their values that are others now.

    What this run itself has yet to make is no drift.
    """
    drifted: dict[int, Row] = {}
    for row in rows:
        if row["subject"] not in ids:
            continue
        there, before, after = now.get(ids[row["subject"]]), values_of(row["before"]), values_of(row["after"])
        if there is None:
            drifted[row["seq"]] = {}
        elif not looked_at[Kind(row["kind"])](there, before, after):
            compared = (name for name in after if name in before and name in there)
            drifted[row["seq"]] = {name: there[name] for name in compared if there[name] != before[name]}
    return drifted


def _relations(journal: Journal, lookup: Lookup, rows: Sequence[Row]) -> dict[int, Row]:
    ids = journal.object_ids()
    groups = sorted({ids[row["subject"]] for row in rows if row["subject"] in ids})
    held = lookup.memberships(groups).select("group_object_id", "user_object_id", "relation")
    there = set(held.iter_rows())
    ending = {(row["subject"], row["object"]) for row in rows if row["kind"] == Kind.REMOVE_OWNER}
    drifted: dict[int, Row] = {}
    for row in rows:
        group, person = ids.get(row["subject"]), ids.get(row["object"]) or values_of(row["after"]).get("object_id")
        if group is None or person is None:
            continue
        kind = Kind(row["kind"])
        became_owner = kind in ENDS_ALONE and (group, person, int(Relation.OWNER)) in there
        if (group, person, int(RELATION[kind])) not in there or (
            became_owner and (row["subject"], row["object"]) not in ending
        ):
            drifted[row["seq"]] = {}
    return drifted
