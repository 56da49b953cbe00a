"""What may be sent when: the writes of a run, the writes they need, and how long the chain is that begins with each. Pure.

The kinds of change stand in stages, an order (people, licences, groups, memberships, teams). It is kept where it matters, and nowhere
else: what is written to one object keeps the order of the stages; whatever names an object waits until that was made; a team waits
until the accounts of its new owners are done, because Microsoft makes none without a licensed owner. Everything else overlaps, so no
quota idles while another one is used up. Among what may be sent, the longest chain of writes still to come goes first, then the
earlier stage: people before classes, so that Microsoft's replication delays are absorbed by other work.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rollbook.apply.requests import ADDITIONS, RELATIONS_PER_REQUEST, Change
from rollbook.plan.changes import Kind
from rollbook.plan.make import MAKERS

ACCOUNTS_FIRST = (Kind.JOIN_LICENCE_GROUP, Kind.LEAVE_LICENCE_GROUP)
"""Kinds that wait until everything else about the account they name is done."""

APPEARING = (*MAKERS, Kind.RESTORE_USER)
"""Kinds after which an object is there."""

HELD = 1_000
"""How many units of one sort are on their way at most, so that a large run is not all in memory as requests."""


@dataclass(slots=True)
class Unit:
    """The changes of one write: a single one, up to twenty additions to one group, or a creation with what it brings along."""

    number: int
    stage: int
    changes: tuple[Change, ...]
    waits: int = 0  # for how many other things
    length: int = 1  # of the chain of writes that begins with it
    followers: list[Unit] = field(default_factory=list)

    @property
    def kind(self) -> Kind:
        """The kind of its first change."""
        return self.changes[0].kind

    @property
    def subject(self) -> int:
        """The link all its changes are about."""
        return self.changes[0].subject

    @property
    def rank(self) -> tuple[int, int, int]:
        """Lower goes first."""
        return (-self.length, self.stage, self.number)

    @property
    def is_team(self) -> bool:
        """Whether it draws on the quota of new teams, and not on the directory's."""
        return self.kind == Kind.CREATE_TEAM


def pack(changes: Sequence[Change], stage_of: Mapping[Kind, int]) -> list[Unit]:
    """The units these changes, in the order of the plan, make: as few as can be."""
    creating = {change.subject for change in changes if change.kind == Kind.CREATE_UNIFIED}
    additions: defaultdict[tuple[int, int], list[Change]] = defaultdict(list)
    groups: list[tuple[int, list[Change]]] = []
    for change in changes:
        stage = stage_of[change.kind]
        if change.kind in ADDITIONS:
            held = additions[stage, change.subject]
            if not held:
                groups.append((stage, held))
            held.append(change)
        else:
            groups.append((stage, [change]))
    # A Microsoft 365 group is made with the first of its owners and members (graph.md section 5.1).
    carried = {subject: held[:RELATIONS_PER_REQUEST] for (_, subject), held in additions.items() if subject in creating}
    units: list[Unit] = []
    for stage, members in groups:
        first = members[0]
        if first.kind == Kind.CREATE_UNIFIED:
            units.append(Unit(len(units), stage, (first, *carried.get(first.subject, ()))))
            continue
        left = members[len(carried.get(first.subject, ())) :] if first.kind in ADDITIONS else members
        for start in range(0, len(left), RELATIONS_PER_REQUEST):
            units.append(Unit(len(units), stage, tuple(left[start : start + RELATIONS_PER_REQUEST])))
    return sorted(units, key=lambda unit: (unit.stage, unit.number))


class Schedule:
    """Hands out units whose needs are met, the longest chain first, and is told when one is done, whatever came of it."""

    def __init__(self, units: Sequence[Unit]) -> None:
        """`units` in the order of their stages, as `pack` gives them."""
        self._ready: dict[bool, list[tuple[tuple[int, int, int], Unit]]] = {False: [], True: []}
        self._out = {False: 0, True: 0}
        self._before_teams: list[list[Unit]] = []
        self._connect(units)
        _measure(units)
        kept: set[int] = set()
        for firsts in self._before_teams:
            # A group that was begun is finished before the next, so that its team need not wait until all are filled.
            additions = [first for first in firsts if first.kind in ADDITIONS]
            longest = max((first.length for first in additions), default=1)
            for first in firsts:
                first.length = max(first.length, longest)
            kept.update(first.number for first in additions)
        _measure([unit for unit in units if unit.number not in kept])
        self._offer(unit for unit in units if not unit.waits)

    @property
    def out(self) -> int:
        """How many units were handed out and are not done."""
        return sum(self._out.values())

    def take(self) -> Unit | None:
        """The next unit; None if none may go now."""
        open_sorts = [team for team, ready in self._ready.items() if ready and self._out[team] < HELD]
        if not open_sorts:
            return None
        sort = min(open_sorts, key=lambda team: self._ready[team][0][0])
        self._out[sort] += 1
        return heapq.heappop(self._ready[sort])[1]

    def done(self, unit: Unit) -> None:
        """The unit has its outcome, and what waited for it does so no longer."""
        self._out[unit.is_team] -= 1
        for follower in unit.followers:
            follower.waits -= 1
        self._offer(follower for follower in unit.followers if not follower.waits)

    def _offer(self, units: Iterable[Unit]) -> None:
        for unit in units:
            heapq.heappush(self._ready[unit.is_team], (unit.rank, unit))

    def _connect(self, units: Sequence[Unit]) -> None:
        """Who waits for whom; always for units of an earlier stage, or earlier ones of the same group."""
        made: dict[int, Unit] = {unit.subject: unit for unit in units if unit.kind in APPEARING}
        about: defaultdict[int, list[Unit]] = defaultdict(list)
        owners: defaultdict[int, set[int]] = defaultdict(set)
        for unit in units:
            firsts = list(_before(unit, about[unit.subject]))
            about[unit.subject].append(unit)
            named = {change.other for change in unit.changes if change.other is not None}
            for link in named:
                if link in made and made[link] is not unit:
                    firsts.append(made[link])
            owners[unit.subject] |= {c.other for c in unit.changes if c.kind == Kind.ADD_OWNER and c.other is not None}
            accounts = named if unit.kind in ACCOUNTS_FIRST else owners[unit.subject] if unit.is_team else ()
            for link in accounts:
                firsts += [first for first in about.get(link, ()) if first.stage < unit.stage]
            for first in firsts:
                first.followers.append(unit)
                unit.waits += 1
            if unit.is_team:
                self._before_teams.append(firsts)


def _measure(units: Sequence[Unit]) -> None:
    """How long the chains are that begin with each; a length it has already is kept where it is longer."""
    for unit in reversed(units):
        behind = max((follower.length for follower in unit.followers), default=0)
        unit.length = max(unit.length, 1 + behind)


def _before(unit: Unit, earlier: Sequence[Unit]) -> Iterable[Unit]:
    """The units of the same object this one waits for: the one before of the same additions, else all of the stage before."""
    if not earlier:
        return ()
    if earlier[-1].stage == unit.stage:
        if unit.kind in ADDITIONS:
            return earlier[-1:]
        return [other for other in earlier if other.stage == _stage_before(unit, earlier)]
    return [other for other in earlier if other.stage == earlier[-1].stage]


def _stage_before(unit: Unit, earlier: Sequence[Unit]) -> int:
    return max((other.stage for other in earlier if other.stage < unit.stage), default=-1)
