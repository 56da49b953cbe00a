"""Some stages of a run at once: the open changes of their kinds, offered to the writer until each has a final verdict.

One intent, one request, one answer after the other, as `needs` lets them go. What a request was about is followed here: which objects
were made when, what a lost connection left open, second requests and halves of refused additions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from rollbook.apply import journal as memory
from rollbook.apply.needs import APPEARING, Schedule, Unit, pack
from rollbook.apply.operations import Operations
from rollbook.apply.outcomes import Settled, Verdicts
from rollbook.apply.ports import Lookup, Progress, Writer
from rollbook.apply.recover import recover
from rollbook.apply.requests import Change, Surroundings, Work, values_of, work_of
from rollbook.clock import Clock
from rollbook.errors import Never
from rollbook.graph.protocol import CERTAIN, RESTING, Item, Outcome, Postponed, Rest
from rollbook.plan.changes import ChangeVerdict, Kind
from rollbook.plan.make import MAKERS, OWNERS_LEAVING

ROUNDS = 4
"""How often open changes are offered again: what a lost connection left open, what a creation could not bring along."""

SEEN = 8.0
"""Seconds after which what was made is seen by whatever names it; Microsoft gives no figure (graph.md section 13.15)."""

LICENSED = 25.0
"""Seconds after which Teams sees a licence."""

SETTLED = 905.0
"""Seconds after which a group can become a team: Microsoft says up to 15 minutes (graph.md section 7.1)."""

LICENSING = (Kind.LICENSE_USER, Kind.ENABLE_USER, Kind.RESTORE_USER, Kind.CREATE_USER, Kind.JOIN_LICENCE_GROUP)
"""Kinds after which an account can be the owner of a team."""


class Run:
    """A run that is being carried out: what it learnt stays known from one group of stages to the next."""

    def __init__(
        self,
        journal: memory.Journal,
        writer: Writer,
        lookup: Lookup,
        clock: Clock,
        mark_property: str,
        progress: Progress,
    ) -> None:
        self.journal = journal
        self.writer = writer
        self.lookup = lookup
        self.clock = clock
        self.mark_property = mark_property
        self.progress = progress
        self.operations = Operations(journal, lookup, clock)
        now = clock.monotonic()
        # When objects were made, and accounts licensed, on the clock that durations are measured with.
        self.young = {link: now - age for link, age in journal.young(SETTLED).items()}  # by whichever run
        self.made = {link: self.young.get(link, now) for link in journal.made_here()}
        self.licensed: dict[int, float] = {}

    def carry_out(self, stages: Mapping[str, tuple[Kind, ...]], patience: float = float("inf")) -> None:
        """Offer the open changes of these stages, and what is left of them, up to ROUNDS times.

        What is open then is left for the next run; what would rest for longer than `patience` seconds stays open.
        """
        counts = Counts(self.progress, stages)
        resting: set[int] = set()
        for number in range(ROUNDS + 1):
            self._close_in_vain(stages)
            changes = [change for change in self._open(stages) if change.seq not in resting]
            if not changes:
                break
            if number == ROUNDS:
                self.journal.close([change.seq for change in changes], ChangeVerdict.LATER)
                break
            counts.begin(changes)
            resting |= _Pass(self, stages, counts, patience).carry_out(changes)
        counts.end()

    def _close_in_vain(self, stages: Mapping[str, tuple[Kind, ...]]) -> None:
        """Owners who leave, where the one who was to follow was not added: they stay, in whichever process that failed."""
        kinds = [int(kind) for kinds in stages.values() for kind in kinds if kind in OWNERS_LEAVING]
        in_vain = self.journal.in_vain(kinds) if kinds else []
        if in_vain:
            self.journal.close(sorted(in_vain), ChangeVerdict.BLOCKED)

    def _open(self, stages: Mapping[str, tuple[Kind, ...]]) -> list[Change]:
        kinds = [int(kind) for kinds in stages.values() for kind in kinds]
        # A change that was sent and goes on at Microsoft (an operation) is not offered again.
        found = self.journal.open_changes(kinds).filter(pl.col("verdict") == int(ChangeVerdict.PLANNED))
        if found.is_empty():
            return []
        details = self.journal.details(kinds).select("seq", "before", "after")
        rows = (
            found.join(details, on="seq", how="left")
            .sort("seq")
            .select("seq", "kind", "subject", "object", "before", "after")
        )
        return [
            Change(seq, Kind(kind), subject, other, values_of(after), values_of(before))
            for seq, kind, subject, other, before, after in rows.iter_rows()
        ]


class Counts:
    """Tells how far each stage is. Every change is counted once, however often it is offered."""

    def __init__(self, progress: Progress, stages: Mapping[str, tuple[Kind, ...]]) -> None:
        self._progress = progress
        self._stage_of = {kind: stage for stage, kinds in stages.items() for kind in kinds}
        self._total: dict[str, int] = {}
        self._done: dict[str, set[int]] = {}

    def begin(self, changes: Sequence[Change]) -> None:
        """These are still to be done; the first time, they are all there are."""
        if self._total:
            return
        for change in changes:
            stage = self._stage_of[change.kind]
            self._total[stage] = self._total.get(stage, 0) + 1
        for stage, total in self._total.items():
            self._done[stage] = set()
            self._progress(stage, 0, total)

    def settled(self, changes: Sequence[Change]) -> None:
        """These have their final verdict."""
        touched = set()
        for change in changes:
            stage = self._stage_of[change.kind]
            self._done[stage].add(change.seq)
            touched.add(stage)
        for stage in sorted(touched):
            self._progress(stage, len(self._done[stage]), self._total[stage])

    def end(self) -> None:
        """Nothing more comes of these stages."""
        for stage, total in self._total.items():
            self._progress(stage, total, total)


class _Pass:
    """The open changes of some stages offered once."""

    def __init__(self, run: Run, stages: Mapping[str, tuple[Kind, ...]], counts: Counts, patience: float) -> None:
        self._run = run
        self._journal = run.journal
        self._stage_of = {kind: n for n, kinds in enumerate(stages.values()) for kind in kinds}
        self._counts = counts
        self._patience = patience
        self._sent: dict[int, tuple[Unit, Work]] = {}
        self._following: deque[tuple[Unit, Work]] = deque()
        self._parts: dict[int, int] = {}  # of a unit that was sent: how many of its writes have no outcome yet
        self._undecided: set[int] = (
            set()
        )  # links whose creation got no answer: whatever names them has to wait for the next pass
        self._unowned: set[int] = (
            set()
        )  # groups to which owners are added in the next pass only: their teams wait for it
        self._blocked: list[int] = []
        self._resting: set[int] = set()
        self._intended: set[int] = set()
        self._number = 0

    def carry_out(self, changes: Sequence[Change]) -> set[int]:
        """Send all that can be sent, and what follows from it; returns the seqs of those that would have to rest for too long."""
        self._object_ids = dict(self._journal.object_ids())
        self._along: dict[int, Sequence[Change]] = {}
        self._around = self._surroundings(changes)
        units = pack(changes, self._stage_of)
        self._owners = {
            unit.subject: [c.other for c in unit.changes if c.kind == Kind.ADD_OWNER and c.other is not None]
            for unit in reversed(units)
            if unit.kind == Kind.ADD_OWNER
        }
        self._schedule = Schedule(units)
        self._number = self._journal.next_number()
        verdicts = Verdicts(self._run.lookup, self._around)
        for outcomes in self._run.writer.write(self._items(), self._intend, self._patience):
            self._settle(verdicts, outcomes)
            self._flush_blocked()
            self._run.operations.look()
        self._flush_blocked()
        if verdicts.unsure:
            recover(self._journal, self._run.lookup)
        return self._resting

    def _items(self) -> Iterator[Item | None]:
        """What may be sent now; None while something has to be settled first."""
        while True:
            if self._following:
                unit, work = self._following.popleft()
                yield self._item(unit, work)
                continue
            taken = self._schedule.take()
            if taken is None:
                if not self._schedule.out:
                    return
                yield None
                continue
            ready = self._ready(taken)
            if not ready:
                self._schedule.done(taken)
                continue
            self._parts[taken.number] = 1
            if taken.kind == Kind.CREATE_UNIFIED:
                self._along[taken.subject] = ready[1:]
            yield self._item(taken, work_of(ready, self._around))

    def _item(self, unit: Unit, work: Work) -> Item:
        number = self._number
        self._number += 1
        self._sent[number] = (unit, work)
        rest = self._rest(work)
        fresh = work.fresh or (rest is not None and rest.kind != CERTAIN)
        return Item(number, work.request, work.objects, fresh, rest, unit.rank)

    def _ready(self, unit: Unit) -> tuple[Change, ...]:
        """The unit's changes of which everything they name is there; the others are blocked, or left for the next pass."""
        if unit.kind not in MAKERS and not self._is_there(unit.subject):
            self._hold(unit.changes, unit.subject)
            return ()
        if unit.kind == Kind.CREATE_TEAM and unit.subject in self._unowned:
            return ()
        ready = []
        for change in unit.changes:
            if change.other is None or self._is_there(change.other):
                ready.append(change)
            else:
                self._hold((change,), change.other)
        # A creation that lost all it would bring along is still one.
        return tuple(ready)

    def _is_there(self, link: int) -> bool:
        return link in self._object_ids and link not in self._undecided

    def _hold(self, changes: Sequence[Change], missing: int) -> None:
        if missing in self._undecided:
            self._owners_later(changes)
        else:
            self._blocked += [change.seq for change in changes]
            self._counts.settled(changes)

    def _owners_later(self, changes: Sequence[Change]) -> None:
        self._unowned.update(change.subject for change in changes if change.kind == Kind.ADD_OWNER)

    def _rest(self, work: Work) -> Rest | None:
        """For how long what this write names may stay unseen."""
        run, change = self._run, work.changes[0]
        if work.pause:
            return Rest(CERTAIN, run.clock.monotonic(), work.pause)
        if work.kind == Kind.CREATE_TEAM:
            made = run.made.get(change.subject, run.young.get(change.subject))
            licensed = [run.licensed[o] for o in self._owners.get(change.subject, ()) if o in run.licensed]
            over = [made + SETTLED] if made is not None else []
            over += [max(licensed) + LICENSED] if licensed else []
            if not over:
                return None
            since = max([*licensed, *([made] if made is not None else [])])
            kind = "the owner of a team" if made is None else "a group that is to be a team"
            return Rest(kind, since, max(over) - since)
        if work.kind in MAKERS and not work.carried:
            return None
        named = {change.subject, *(c.other for c in work.changes if c.other is not None)} & run.made.keys()
        return Rest("what was made", max(run.made[link] for link in named), SEEN) if named else None

    def _intend(self, numbers: Sequence[int]) -> None:
        self._intended.update(numbers)
        sent = [(number, self._sent[number][1]) for number in numbers]
        self._journal.intend(
            [memory.Intent(n, int(work.kind), work.seqs, names=work.names, secrets=work.secrets) for n, work in sent]
        )

    def _settle(self, verdicts: Verdicts, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        settled: list[Settled] = []
        answers: list[memory.Answer] = []
        for number, outcome in outcomes:
            _, work = self._sent[number]
            if isinstance(outcome, Postponed) and outcome.error.code == RESTING:
                # It stays open, and is offered again when everything else is done. Some were tried.
                self._resting |= set(work.seqs)
                answers += [memory.Answer(number, ChangeVerdict.PLANNED)] if number in self._intended else []
                self._forget(number)
            else:
                settled.append(verdicts.settle(number, work, outcome))
        answers += [each.answer for each in settled if each.answer is not None]
        if answers:
            self._journal.answer(answers)
            self._run.operations.begun(answers)
        for each in settled:
            self._follow(each)

    def _follow(self, settled: Settled) -> None:
        """What comes of a write that was settled: other writes, objects that are there, units that may go."""
        unit, work = self._sent[settled.number]
        self._parts[unit.number] += len(settled.following)
        self._following.extend((unit, following) for following in settled.following)
        if settled.answer is None:
            self._undecided.update(change.subject for change in work.changes if change.kind in APPEARING)
            self._owners_later(work.changes)
        elif settled.answer.verdict == ChangeVerdict.DONE:
            now = self._run.clock.monotonic()
            self._object_ids.update(settled.answer.object_ids)
            if work.kind in APPEARING:
                self._run.made[work.changes[0].subject] = now
            if work.kind in LICENSING:
                self._run.licensed |= dict.fromkeys((change.other or change.subject for change in work.changes), now)
        if settled.final:
            left_open = set(settled.answer.still_open) if settled.answer else set()
            self._counts.settled([change for change in work.changes if change.seq not in left_open])
        self._forget(settled.number)

    def _forget(self, number: int) -> None:
        """A write has its outcome; with the last one of its unit, others may go."""
        unit, _ = self._sent.pop(number)
        self._parts[unit.number] -= 1
        if not self._parts[unit.number]:
            del self._parts[unit.number]
            self._schedule.done(unit)

    def _flush_blocked(self) -> None:
        if self._blocked:
            self._journal.close(sorted(self._blocked), ChangeVerdict.BLOCKED)
            self._blocked.clear()

    def _surroundings(self, changes: Sequence[Change]) -> Surroundings:
        creating = [c.subject for c in changes if c.kind in MAKERS]
        people = [c.subject for c in changes if c.kind == Kind.CREATE_USER]
        ids = self._object_ids
        demoting = {ids[c.subject] for c in changes if c.kind == Kind.DEMOTE_OWNER and c.subject in ids}
        relations, seats = self._owners_now(sorted(demoting))
        return Surroundings(
            object_ids=ids,
            marks=self._journal.marks(creating) if creating else {},
            mark_property=self._run.mark_property,
            fresh=self._run.made,
            passwords=self._journal.passwords(people) if people else {},
            relations=relations,
            seats=seats,
            along=self._along,
        )

    def _owners_now(self, groups: Sequence[str]) -> tuple[frozenset[tuple[str, str, int]], dict[tuple[str, str], str]]:
        """What these groups hold, and the memberships of those who are owners on the teams' own rosters."""
        if not groups:
            return frozenset(), {}
        lookup = self._run.lookup
        held = lookup.memberships(groups).select("group_object_id", "user_object_id", "relation")
        try:
            rosters = lookup.team_rosters(groups)
        except Never as refused:
            if refused.status != 403:
                raise
            # Without the permission to see rosters the way over the group is still open.
            return frozenset(held.iter_rows()), {}
        seats = rosters.filter("owner").select("group_object_id", "user_object_id", "membership_id")
        return frozenset(held.iter_rows()), {(group, user): seat for group, user, seat in seats.iter_rows()}
