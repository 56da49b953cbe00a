"""What became of intents without an answer: each is looked up by its natural key before anything is sent again.

An account is found by its name and our mark, a class by nickname and mark, a Microsoft 365 group by our mark, a team and whether
it is archived by its group, additions, removals and licences by reading the object. What is not found is open again: sending it
once more is safe, because Microsoft checks uniqueness at once even where readings lag behind (graph.md section 13.15).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from rollbook.apply.journal import Answer, Intent, Journal
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


def _unified(journal: Journal, lookup: Lookup, intents: Sequence[Intent], changes: pl.DataFrame) -> list[Answer]:
    """A group that carries our mark was made; of the relations it was to bring along, those that are not there are open again."""
    marks = journal.marks([link for intent in intents for link in intent.names])
    found = dict(lookup.groups_by_mark(list(marks.values())).select("mark", "object_id").iter_rows())
    there = _there(lookup, list(found.values()))
    ids, carried = journal.object_ids(), _carried(intents, changes)
    answers = []
    for intent in intents:
        (link,) = intent.names
        group = found.get(marks[link])
        if group is None:
            answers.append(Answer(intent.number, ChangeVerdict.PLANNED))
            continue
        absent = tuple(
            seq
            for seq, kind, _, other in carried[intent.number]
            if kind != Kind.CREATE_UNIFIED and not _reached(kind, group, ids[other or 0], there)
        )
        answers.append(
            Answer(intent.number, ChangeVerdict.DONE, status=200, object_ids={link: group}, still_open=absent)
        )
    return answers


def _there(lookup: Lookup, groups: Sequence[str]) -> set[tuple[str, str, int]]:
    """(group, user, Relation) of everything these groups hold."""
    read = lookup.memberships(groups)
    return set(read.select("group_object_id", "user_object_id", "relation").iter_rows())


def _carried(intents: Sequence[Intent], changes: pl.DataFrame) -> dict[int, list[tuple[int, int, int, int | None]]]:
    """By intent number: (seq, kind, subject, object) of each change it carries out."""
    rows = {row[0]: row for row in changes.select("seq", "kind", "subject", "object").iter_rows()}
    return {intent.number: [rows[seq] for seq in intent.seqs if seq in rows] for intent in intents}


def _relations(journal: Journal, lookup: Lookup, intents: Sequence[Intent], changes: pl.DataFrame) -> list[Answer]:
    """Relations are done if all of an intent are as they should be; a half-done one is open again.

    Being open again costs one refused request at most: what is there already is told apart from what is not.
    """
    carried = _carried(intents, changes)
    ids = journal.object_ids()
    groups = sorted({ids[subject] for rows in carried.values() for _, _, subject, _ in rows})
    there = _there(lookup, groups)
    answers = []
    for intent in intents:
        done = all(
            _reached(kind, ids[subject], ids[other or 0], there) for _, kind, subject, other in carried[intent.number]
        )
        answers.append(Answer(intent.number, ChangeVerdict.DONE if done else ChangeVerdict.PLANNED))
    return answers


REACHED: Mapping[Kind, Callable[[bool, bool], bool]] = {
    Kind.ADD_OWNER: lambda owner, _: owner,
    Kind.ADD_MEMBER: lambda _, member: member,
    Kind.JOIN_LICENCE_GROUP: lambda _, member: member,
    Kind.LEAVE_LICENCE_GROUP: lambda _, member: not member,
    Kind.REMOVE_OWNER: lambda owner, _: not owner,
    Kind.REMOVE_MEMBER: lambda _, member: not member,
}
"""Whether a change of a relation has come about, by whether the person (or nested group) is an owner and is a member."""


def _reached(kind: int, group: str, other: str, there: set[tuple[str, str, int]]) -> bool:
    owner, member = ((group, other, int(relation)) in there for relation in (Relation.OWNER, Relation.MEMBER))
    return REACHED[Kind(kind)](owner, member)


def _restored(journal: Journal, lookup: Lookup, intents: Sequence[Intent], changes: pl.DataFrame) -> list[Answer]:
    """Restored accounts are among the users again; one that is not is still among the deleted."""
    carried = _carried(intents, changes)
    ids = journal.object_ids()
    found = set(
        lookup.users_by_id([ids[subject] for rows in carried.values() for _, _, subject, _ in rows])["object_id"]
    )
    answers = []
    for intent in intents:
        there = all(ids[subject] in found for _, _, subject, _ in carried[intent.number])
        answers.append(Answer(intent.number, ChangeVerdict.DONE if there else ChangeVerdict.PLANNED))
    return answers


def _licences(journal: Journal, lookup: Lookup, intents: Sequence[Intent], changes: pl.DataFrame) -> list[Answer]:
    carried = _carried(intents, changes)
    ids = journal.object_ids()
    found = lookup.users_by_id([ids[subject] for rows in carried.values() for _, _, subject, _ in rows])
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
            _licensed_so(wanted[subject], has.get(ids[subject], set())) for _, _, subject, _ in carried[intent.number]
        )
        answers.append(Answer(intent.number, ChangeVerdict.DONE if done else ChangeVerdict.PLANNED))
    return answers


def _licensed_so(wanted: Mapping[str, Any], has: set[str]) -> bool:
    """Whether everything to add is there and everything to remove is gone. Plans that only change are simply set again."""
    adding = {licence["sku"] for licence in wanted.get("licences", ())}
    plans = any(licence["off"] for licence in wanted.get("licences", ()))
    return adding <= has and has.isdisjoint(wanted["remove"]) and not plans


def _teams(journal: Journal, lookup: Lookup, intents: Sequence[Intent], changes: pl.DataFrame) -> list[Answer]:
    carried = _carried(intents, changes)
    ids = journal.object_ids()
    found = lookup.groups_by_id([ids[subject] for rows in carried.values() for _, _, subject, _ in rows])
    teams = set(found.filter("has_team")["object_id"])
    return [
        Answer(
            intent.number,
            ChangeVerdict.DONE
            if all(ids[subject] in teams for _, _, subject, _ in carried[intent.number])
            else ChangeVerdict.PLANNED,
        )
        for intent in intents
    ]


def _archived(journal: Journal, lookup: Lookup, intents: Sequence[Intent], changes: pl.DataFrame) -> list[Answer]:
    """A team that is still as it was is asked for again: where Microsoft was at it all the same, that changes nothing."""
    carried = _carried(intents, changes)
    ids = journal.object_ids()
    archived = lookup.archived([ids[subject] for rows in carried.values() for _, _, subject, _ in rows])
    answers = []
    for intent in intents:
        wanted = Kind(intent.kind) == Kind.ARCHIVE_TEAM
        done = all((ids[subject] in archived) == wanted for _, _, subject, _ in carried[intent.number])
        answers.append(Answer(intent.number, ChangeVerdict.DONE if done else ChangeVerdict.PLANNED))
    return answers


FINDERS: Mapping[Kind, Finder] = {
    Kind.RESTORE_USER: _restored,
    Kind.CREATE_USER: _users,
    Kind.CREATE_CLASS: _classes,
    Kind.CREATE_UNIFIED: _unified,
    **dict.fromkeys(REACHED, _relations),
    # Over the group, the membership is still there when it is about to end (graph.md section 5.2): seeing it says nothing.
    Kind.DEMOTE_OWNER: _open_again,
    Kind.LICENSE_USER: _licences,
    Kind.UNLICENSE_USER: _licences,
    Kind.CREATE_TEAM: _teams,
    Kind.ARCHIVE_TEAM: _archived,
    Kind.UNARCHIVE_TEAM: _archived,
}
"""How each kind is found again; kinds not named here set values and are sent again."""
