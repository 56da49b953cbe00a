"""What became of intents without an answer: each is looked up by its natural key before anything is sent again.

An account is found by its name and our mark, a class by nickname and mark, a team by its group, additions, removals and
licences by reading the object. What is not found is open again: sending it once more is safe, because Microsoft checks
uniqueness at once even where readings lag behind (graph.md section 13.15).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from rollbook.apply.journal import Answer, Intent, Journal
from rollbook.apply.outcomes import REMOVALS
from rollbook.apply.ports import Lookup
from rollbook.apply.requests import values_of
from rollbook.directory.state import Relation
from rollbook.plan.changes import ChangeVerdict, Kind

Finder = Callable[[Journal, Lookup, Sequence[Intent], pl.DataFrame], list[Answer]]


def recover(journal: Journal, lookup: Lookup) -> int:
    """Give every intent without an answer one: done, or open again. Returns how many there were."""
    unanswered = journal.unanswered()
    if not unanswered:
        return 0
    changes = journal.open_changes()
    by_kind: defaultdict[Kind, list[Intent]] = defaultdict(list)
    for intent in unanswered:
        by_kind[Kind(intent.kind)].append(intent)
    for kind, intents in by_kind.items():
        journal.answer(FINDERS.get(kind, _open_again)(journal, lookup, intents, changes))
    return len(unanswered)


def _open_again(journal: Journal, lookup: Lookup, intents: Sequence[Intent], changes: pl.DataFrame) -> list[Answer]:
    """Writes that set values are simply sent again."""
    return [Answer(intent.number, ChangeVerdict.PLANNED) for intent in intents]


def _made(
    journal: Journal, intents: Sequence[Intent], changes: pl.DataFrame, found: pl.DataFrame, name: str
) -> list[Answer]:
    """Objects that were asked for by name, among those found under these names with our mark."""
    marks = journal.marks([link for intent in intents for link in intent.names])
    there = {
        (str(key).lower(), mark): str(object_id)
        for key, mark, object_id in found.select(name, "mark", "object_id").iter_rows()
    }
    answers = []
    for intent in intents:
        ((link, wanted),) = intent.names.items()
        object_id = there.get((wanted.lower(), marks[link]))
        if object_id is None:
            answers.append(Answer(intent.number, ChangeVerdict.PLANNED))
        else:
            answers.append(Answer(intent.number, ChangeVerdict.DONE, status=200, object_ids={link: object_id}))
    return answers


def _names(intents: Sequence[Intent]) -> list[str]:
    return [name for intent in intents for name in intent.names.values()]


def _users(journal: Journal, lookup: Lookup, intents: Sequence[Intent], changes: pl.DataFrame) -> list[Answer]:
    found = lookup.users_by_upn(_names(intents))
    return _made(journal, intents, changes, found, "user_principal_name")


def _classes(journal: Journal, lookup: Lookup, intents: Sequence[Intent], changes: pl.DataFrame) -> list[Answer]:
    found = lookup.groups_by_nickname(_names(intents))
    return _made(journal, intents, changes, found, "mail_nickname")


def _subjects(intents: Sequence[Intent], changes: pl.DataFrame) -> dict[int, list[tuple[int, int, int | None]]]:
    """By intent number: (kind, subject, object) of each change it carries out."""
    rows = {
        seq: (kind, subject, other)
        for seq, kind, subject, other in changes.select("seq", "kind", "subject", "object").iter_rows()
    }
    return {intent.number: [rows[seq] for seq in intent.seqs if seq in rows] for intent in intents}


def _relations(journal: Journal, lookup: Lookup, intents: Sequence[Intent], changes: pl.DataFrame) -> list[Answer]:
    """Additions are done if all their relations are there, removals if theirs are not; a half-done one is open again.

    Being open again costs one refused request at most: what is there already is told apart from what is not.
    """
    carried = _subjects(intents, changes)
    ids = journal.object_ids()
    groups = sorted({ids[subject] for rows in carried.values() for _, subject, _ in rows})
    read = lookup.memberships(groups)
    there = set(read.select("group_object_id", "user_object_id", "relation").iter_rows())
    answers = []
    for intent in intents:
        states = {
            _present(kind, ids[subject], ids[other or 0], there) for kind, subject, other in carried[intent.number]
        }
        removing = Kind(intent.kind) in REMOVALS
        settled = states <= {not removing}
        answers.append(Answer(intent.number, ChangeVerdict.DONE if settled else ChangeVerdict.PLANNED))
    return answers


def _present(kind: int, group: str, user: str, there: set[tuple[str, str, int]]) -> bool:
    owner = Kind(kind) in (Kind.ADD_OWNER, Kind.REMOVE_OWNER)
    return (group, user, int(Relation.OWNER if owner else Relation.MEMBER)) in there


def _restored(journal: Journal, lookup: Lookup, intents: Sequence[Intent], changes: pl.DataFrame) -> list[Answer]:
    """Restored accounts are among the users again; one that is not is still among the deleted."""
    carried = _subjects(intents, changes)
    ids = journal.object_ids()
    found = set(lookup.users_by_id([ids[subject] for rows in carried.values() for _, subject, _ in rows])["object_id"])
    answers = []
    for intent in intents:
        there = all(ids[subject] in found for _, subject, _ in carried[intent.number])
        answers.append(Answer(intent.number, ChangeVerdict.DONE if there else ChangeVerdict.PLANNED))
    return answers


def _licences(journal: Journal, lookup: Lookup, intents: Sequence[Intent], changes: pl.DataFrame) -> list[Answer]:
    carried = _subjects(intents, changes)
    ids = journal.object_ids()
    found = lookup.users_by_id([ids[subject] for rows in carried.values() for _, subject, _ in rows])
    has = {object_id: set(skus) for object_id, skus in found.select("object_id", "licences").iter_rows()}
    kinds = [int(Kind.LICENSE_USER), int(Kind.UNLICENSE_USER)]
    wanted = {
        subject: values_of(after)
        for subject, after in journal.details(kinds).select("subject", "after").iter_rows()
        if after is not None
    }
    answers = []
    for intent in intents:
        done = all(
            _licensed_so(wanted[subject], has.get(ids[subject], set())) for _, subject, _ in carried[intent.number]
        )
        answers.append(Answer(intent.number, ChangeVerdict.DONE if done else ChangeVerdict.PLANNED))
    return answers


def _licensed_so(wanted: Mapping[str, Any], has: set[str]) -> bool:
    """Whether everything to add is there and everything to remove is gone. Plans that only change are simply set again."""
    adding = {licence["sku"] for licence in wanted.get("licences", ())}
    plans = any(licence["off"] for licence in wanted.get("licences", ()))
    return adding <= has and has.isdisjoint(wanted["remove"]) and not plans


def _teams(journal: Journal, lookup: Lookup, intents: Sequence[Intent], changes: pl.DataFrame) -> list[Answer]:
    carried = _subjects(intents, changes)
    ids = journal.object_ids()
    found = lookup.groups_by_id([ids[subject] for rows in carried.values() for _, subject, _ in rows])
    teams = set(found.filter("has_team")["object_id"])
    return [
        Answer(
            intent.number,
            ChangeVerdict.DONE
            if all(ids[subject] in teams for _, subject, _ in carried[intent.number])
            else ChangeVerdict.PLANNED,
        )
        for intent in intents
    ]


FINDERS: Mapping[Kind, Finder] = {
    Kind.RESTORE_USER: _restored,
    Kind.CREATE_USER: _users,
    Kind.CREATE_CLASS: _classes,
    Kind.ADD_OWNER: _relations,
    Kind.ADD_MEMBER: _relations,
    Kind.REMOVE_OWNER: _relations,
    Kind.JOIN_LICENCE_GROUP: _relations,
    Kind.LEAVE_LICENCE_GROUP: _relations,
    Kind.REMOVE_MEMBER: _relations,
    Kind.LICENSE_USER: _licences,
    Kind.UNLICENSE_USER: _licences,
    Kind.CREATE_TEAM: _teams,
}
"""How each kind is found again; kinds not named here set values and are sent again."""
