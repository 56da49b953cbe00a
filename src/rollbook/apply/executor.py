"""Carries out a run's open changes, wave by wave, so that it can be killed at any moment and taken up again.

Intent before request, answer after: an intent is committed before its batch is sent, so a run that is taken up again first asks
Microsoft what became of intents without an answer. Nothing is made twice, nothing is lost. What just happened (`Outcome`) and
what is remembered (`journal.Answer`) are two things. The waves follow the order of `Kind`: people before classes, classes
before memberships, memberships before teams, so that Microsoft's replication delays are absorbed by other work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import polars as pl

from rollbook.apply import journal as memory
from rollbook.apply.operations import settle_operations
from rollbook.apply.outcomes import Settled, Verdicts
from rollbook.apply.ports import Lookup, Progress, Writer, silent
from rollbook.apply.recover import recover
from rollbook.apply.requests import Change, Surroundings, Work, values_of, works
from rollbook.clock import Clock
from rollbook.errors import Never
from rollbook.graph.protocol import Item
from rollbook.plan.changes import ChangeVerdict, Kind
from rollbook.plan.make import MAKERS, OWNERS_LEAVING

STAGES: dict[str, tuple[Kind, ...]] = {
    "restored accounts": (Kind.RESTORE_USER,),
    "accounts": (Kind.CREATE_USER,),
    "account changes": (Kind.UPDATE_USER, Kind.ENABLE_USER, Kind.DISABLE_USER, Kind.RENAME_USER),
    "passwords": (Kind.SET_PASSWORD,),
    "licences": (Kind.LICENSE_USER, Kind.UNLICENSE_USER),
    "security groups": (Kind.CREATE_GROUP,),
    "group licences": (Kind.LICENSE_GROUP,),
    "licences by group": (Kind.JOIN_LICENCE_GROUP, Kind.LEAVE_LICENCE_GROUP),
    "groups": (Kind.CREATE_CLASS, Kind.CREATE_UNIFIED),
    "group changes": (Kind.UPDATE_CLASS, Kind.UPDATE_GROUP),
    "teams back from the archive": (Kind.UNARCHIVE_TEAM,),
    "memberships": (Kind.ADD_OWNER, Kind.ADD_MEMBER),
    "members who come back": (Kind.RETURN_STRANGER,),
    "teams": (Kind.CREATE_TEAM,),
    "removals": (Kind.REMOVE_OWNER, Kind.REMOVE_MEMBER, Kind.REMOVE_STRANGER),
    "owners who stay members": (Kind.DEMOTE_OWNER,),
    "archived teams": (Kind.ARCHIVE_TEAM,),
}
"""The waves, in order, under the names that progress shows."""

LINKING = (Kind.LINK_USER, Kind.LINK_GROUP)
ROUNDS = 4
"""How often a wave is offered again: what a lost connection left open, halves of a refused addition, second requests."""


def apply_changes(
    journal: memory.Journal,
    writer: Writer,
    lookup: Lookup,
    clock: Clock,
    mark_property: str,
    progress: Progress = silent,
) -> None:
    """Give every open change of the run a final verdict.

    Raises `Stop` when no further request can succeed; everything answered until then is remembered and the run can be
    taken up again.
    """
    recover(journal, lookup)
    linking = journal.open_changes(LINKING)
    if linking.height:
        journal.close(linking["seq"].to_list(), ChangeVerdict.DONE)
    for stage, kinds in STAGES.items():
        _Wave(journal, writer, lookup, mark_property, progress, stage, kinds).run()
    settle_operations(journal, lookup, clock)


class _Wave:
    """One wave: the open changes of some kinds, offered to the writer until each has a final verdict."""

    def __init__(
        self,
        journal: memory.Journal,
        writer: Writer,
        lookup: Lookup,
        mark_property: str,
        progress: Progress,
        stage: str,
        kinds: Sequence[Kind],
    ) -> None:
        self._journal = journal
        self._writer = writer
        self._lookup = lookup
        self._mark_property = mark_property
        self._progress = progress
        self._stage = stage
        self._kinds = kinds

    def run(self) -> None:
        """Offer the open changes, and what is left of them, up to ROUNDS times; what is open then is left for the next run."""
        changes = self._open()
        if not changes:
            return
        total = len(changes)
        self._progress(self._stage, 0, total)
        for _ in range(ROUNDS):
            if not changes:
                break
            around = self._surroundings(changes)
            in_vain = self._in_vain()
            blocked = {c.seq for c in changes if c.seq in in_vain or not _ready(c, around)}
            if blocked:
                self._journal.close(sorted(blocked), ChangeVerdict.BLOCKED)
            offered = list(works([c for c in changes if c.seq not in blocked], around))
            self._offer(offered, around, total)
            changes = self._open()
        if changes:
            self._journal.close([change.seq for change in changes], ChangeVerdict.LATER)
        self._progress(self._stage, total, total)

    def _open(self) -> list[Change]:
        kinds = [int(kind) for kind in self._kinds]
        # A change that was sent and goes on at Microsoft (an operation) is not offered again.
        found = self._journal.open_changes(kinds).filter(pl.col("verdict") == int(ChangeVerdict.PLANNED))
        details = self._journal.details(kinds).select("seq", "before", "after")
        rows = (
            found.join(details, on="seq", how="left")
            .sort("seq")
            .select("seq", "kind", "subject", "object", "before", "after")
        )
        return [
            Change(seq, Kind(kind), subject, other, values_of(after), values_of(before))
            for seq, kind, subject, other, before, after in rows.iter_rows()
        ]

    def _in_vain(self) -> frozenset[int]:
        """Owners who leave, where the one who was to follow was not added: they stay, in whichever process that failed."""
        kinds = [int(kind) for kind in self._kinds if kind in OWNERS_LEAVING]
        return frozenset(self._journal.in_vain(kinds)) if kinds else frozenset()

    def _surroundings(self, changes: Sequence[Change]) -> Surroundings:
        creating = [c.subject for c in changes if c.kind in MAKERS]
        people = [c.subject for c in changes if c.kind == Kind.CREATE_USER]
        object_ids = self._journal.object_ids()
        demoting = {object_ids[c.subject] for c in changes if c.kind == Kind.DEMOTE_OWNER and c.subject in object_ids}
        relations, seats = self._owners_now(sorted(demoting))
        return Surroundings(
            object_ids=object_ids,
            marks=self._journal.marks(creating) if creating else {},
            mark_property=self._mark_property,
            fresh=self._journal.made_here(),
            passwords=self._journal.passwords(people) if people else {},
            relations=relations,
            seats=seats,
            along=self._along([c.subject for c in changes if c.kind == Kind.CREATE_UNIFIED], object_ids),
        )

    def _owners_now(self, groups: Sequence[str]) -> tuple[frozenset[tuple[str, str, int]], dict[tuple[str, str], str]]:
        """What these groups hold, and the memberships of those who are owners on the teams' own rosters."""
        if not groups:
            return frozenset(), {}
        held = self._lookup.memberships(groups).select("group_object_id", "user_object_id", "relation")
        try:
            rosters = self._lookup.team_rosters(groups)
        except Never as refused:
            if refused.status != 403:
                raise
            # Without the permission to see rosters the way over the group is still open.
            return frozenset(held.iter_rows()), {}
        seats = rosters.filter("owner").select("group_object_id", "user_object_id", "membership_id")
        return frozenset(held.iter_rows()), {(group, user): seat for group, user, seat in seats.iter_rows()}

    def _along(self, groups: Sequence[int], object_ids: Mapping[int, str]) -> dict[int, list[Change]]:
        """The open additions that groups can be made with, by the group's link, owners first (graph.md section 5.1).

        Until its answer is there, an addition belongs to the creation that carries it; after that, to its own wave again.
        """
        if not groups:
            return {}
        additions = self._journal.open_changes([int(kind) for kind in (Kind.ADD_OWNER, Kind.ADD_MEMBER)])
        rows = additions.filter(
            pl.col("verdict") == int(ChangeVerdict.PLANNED), pl.col("subject").is_in(list(groups))
        ).sort("seq")
        along: dict[int, list[Change]] = {}
        for seq, kind, subject, other in rows.select("seq", "kind", "subject", "object").iter_rows():
            if other in object_ids:
                along.setdefault(subject, []).append(Change(seq, Kind(kind), subject, other, {}, {}))
        return along

    def _offer(self, offered: list[Work], around: Surroundings, total: int) -> None:
        """Send all of `offered` and what follows from the outcomes; returns when nothing is on its way any more."""
        done = total - sum(len(work.changes) - len(work.carried) for work in offered)
        while offered:
            first = self._journal.next_number()
            sent = dict(enumerate(offered, start=first))
            items = (Item(number, work.request, work.objects, work.fresh, work.pause) for number, work in sent.items())
            verdicts = Verdicts(self._lookup, around)
            following: list[Work] = []
            for outcomes in self._writer.write(items, partial(self._intend, sent)):
                settled = [verdicts.settle(number, sent[number], outcome) for number, outcome in outcomes]
                self._remember(settled)
                following += [work for each in settled for work in each.following]
                final = [sent[each.number] for each in settled if each.final]
                done += sum(len(work.changes) - len(work.carried) for work in final)
                self._progress(self._stage, done, total)
            if verdicts.unsure:
                recover(self._journal, self._lookup)
            offered = following

    def _intend(self, sent: dict[int, Work], numbers: Sequence[int]) -> None:
        self._journal.intend(
            [
                memory.Intent(n, int(sent[n].kind), sent[n].seqs, names=sent[n].names, secrets=sent[n].secrets)
                for n in numbers
            ]
        )

    def _remember(self, settled: Sequence[Settled]) -> None:
        answers = [each.answer for each in settled if each.answer is not None]
        if answers:
            self._journal.answer(answers)


def _ready(change: Change, around: Surroundings) -> bool:
    """Whether everything the change needs is there: its subject, unless it makes it, and its object."""
    subject = change.kind in MAKERS or change.subject in around.object_ids
    return subject and (change.other is None or change.other in around.object_ids)
