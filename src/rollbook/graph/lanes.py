"""Which items travel next: objects that are free, tokens that are there, pauses and rests that are over. A state machine without I/O.

Items of one object travel one after the other, in the order they came: never two at once. Among those whose turn it is, the lowest
rank goes first, and no quota waits for another: while new teams have no tokens, the directory is written to. Nothing is ever slept
through here; `wake_at` says when to look again.

An item that rests (`Rest`) waits until what it is about is seen everywhere. Because nobody knows how long that takes, one of each
kind is tried earlier, where its quota has nothing better to do: if it was carried out, others as old go too; if it was put off, all of
its kind wait, and one is tried again when it is older.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from rollbook.graph.batch import SIZE
from rollbook.graph.protocol import CERTAIN, Item, Rest
from rollbook.graph.throttle import Throttle

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0

Entry = tuple[tuple[int, ...], int, Item]
"""Rank, arrival, item: what a heap of items is ordered by."""


@dataclass(slots=True)
class Trial:
    """What is known of how long one kind of thing stays unseen: the least age at which it was seen, the greatest at which it was
    not, and who is being tried."""

    seen: float = math.inf
    unseen: float | None = None
    trying: int | None = None

    def ripe_at(self, rest: Rest) -> float:
        """When an item that rests may go."""
        return min(rest.over, rest.since + self.seen)

    def tried_at(self, rest: Rest) -> float:
        """When an item that rests may be tried: the first one at once, later ones at twice the age, but not often."""
        return rest.since + (0.0 if self.unseen is None else max(2 * self.unseen, rest.seconds / 4))


class Lanes:
    """Hands out batches of at most twenty items and takes back what became of them.

    The supply yields None while it has nothing to hand out until something was settled.
    """

    def __init__(
        self,
        items: Iterator[Item | None],
        throttle: Throttle,
        max_attempts: int,
        trials: dict[str, Trial] | None = None,
    ) -> None:
        """`trials` is what was learnt before, by the kind of rest; it is added to."""
        self._items = items
        self._throttle = throttle
        self._max_attempts = max_attempts
        self._ready: dict[tuple[tuple[str, str], ...], list[Entry]] = {}
        self._resting: dict[str, list[tuple[float, Entry]]] = {}
        self._paused: list[tuple[float, Entry]] = []
        self._queues: dict[str, deque[Entry]] = {}
        self._attempts: dict[int, int] = {}
        self._trials = {} if trials is None else trials
        for trial in self._trials.values():
            trial.trying = None
        self._sent_at: dict[int, float] = {}
        self._arrivals = 0
        self._in_hand = 0
        self._travelling = 0
        self._exhausted = False

    @property
    def travelling(self) -> int:
        """How many items are on their way."""
        return self._travelling

    @property
    def finished(self) -> bool:
        """Whether everything was settled."""
        self._refill()
        return self._exhausted and not self._in_hand

    def next_batch(self, now: float) -> list[Item]:
        """Items that may go now, at most twenty; empty if nothing may, or if waiting a moment fills the batch."""
        self._refill()
        self._wake(now)
        if not any(self._full(entries, now) for entries in self._ready.values()):
            return []
        chosen: list[Item] = []
        while len(chosen) < SIZE:
            heads = [
                entries
                for entries in self._ready.values()
                if entries and self._throttle.ready_at(entries[0][2].request, now) <= now
            ]
            if not heads:
                break
            item = heapq.heappop(min(heads, key=lambda entries: entries[0][:2]))[2]
            self._throttle.take(item.request, now)
            self._attempts[item.key] = self._attempts.get(item.key, 0) + 1
            self._sent_at[item.key] = now
            chosen.append(item)
        self._travelling += len(chosen)
        return chosen

    def _full(self, entries: list[Entry], now: float) -> bool:
        """Whether there are tokens for as many as may go together: batches that are sent half full cost round trips."""
        return bool(entries) and self._due(entries, now) <= now

    def _due(self, entries: list[Entry], now: float) -> float:
        return self._throttle.ready_at(entries[0][2].request, now, min(SIZE, len(entries)))

    def settled(self, item: Item, *, done: bool = True) -> None:
        """The item has its final outcome; `done` if it was carried out."""
        self._travelling -= 1
        self._in_hand -= 1
        self._attempts.pop(item.key, None)
        self._learn(item, done=done)
        self._give_way(item)

    def again(self, item: Item, now: float, delay: float | None, *, unseen: bool = False) -> bool:
        """Whether the item will travel again: after `delay` seconds, or a growing pause; False if it did so often enough.

        `unseen` says that it was put off because Microsoft does not see yet what it is about.
        """
        attempts = self._attempts[item.key]
        if attempts >= self._max_attempts:
            return False
        self._travelling -= 1
        pause = delay if delay is not None else min(LONGEST_DELAY, FIRST_DELAY * 2 ** (attempts - 1))
        sent = self._sent_at.pop(item.key)
        self._untry(item)
        if unseen and item.rest is not None and item.rest.over > now:
            trial = self._trials[item.rest.kind]
            trial.seen, trial.unseen = math.inf, max(trial.unseen or 0.0, sent - item.rest.since)
            self._lay_down(self._entry(item))
        else:
            heapq.heappush(self._paused, (now + pause, self._entry(item)))
        return True

    def wake_at(self, now: float) -> float | None:
        """When something may travel that may not now; None if only an answer can change that."""
        moments = [self._paused[0][0]] if self._paused else []
        moments += [self._due(entries, now) for entries in self._ready.values() if entries]
        for kind, resting in self._resting.items():
            if resting:
                moments.append(self._stirs_at(self._trials[kind], resting[0][1][2]))
        return min(moments, default=None)

    def too_long(self, now: float, patience: float) -> list[Item]:
        """The items that rest, given back unsent, if nothing else is to be done and nothing happens for longer than `patience`."""
        due = self.wake_at(now)
        if self._travelling or due is None or due <= now + patience:
            return []
        # What rests for sure rests for seconds; it is not given back, and nothing else is while it is there.
        if self._resting.get(CERTAIN):
            return []
        given = [entry[2] for resting in self._resting.values() for _, entry in resting]
        self._resting.clear()
        self._in_hand -= len(given)
        for item in given:
            self._attempts.pop(item.key, None)
            self._give_way(item)
        return given

    def _refill(self) -> None:
        while not self._exhausted:
            try:
                item = next(self._items)
            except StopIteration:
                self._exhausted = True
                return
            if item is None:
                return
            self._in_hand += 1
            entry = self._entry(item)
            if item.rest is not None and item.rest.kind == CERTAIN:
                # Meanwhile others may be written to its objects.
                self._lay_down(entry)
            else:
                self._queue_up(entry)

    def _queue_up(self, entry: Entry) -> None:
        item = entry[2]
        for name in item.objects:
            self._queues.setdefault(name, deque()).append(entry)
        if all(self._queues[name][0][2] is item for name in item.objects):
            self._take_turn(entry)

    def _entry(self, item: Item) -> Entry:
        self._arrivals += 1
        return (item.rank, self._arrivals, item)

    def _take_turn(self, entry: Entry) -> None:
        """Whoever is first on all its objects is ready, or rests."""
        rest = entry[2].rest
        if rest is not None and rest.kind != CERTAIN:
            self._lay_down(entry)
        else:
            self._make_ready(entry)

    def _lay_down(self, entry: Entry) -> None:
        rest = entry[2].rest
        assert rest is not None
        self._trials.setdefault(rest.kind, Trial())
        heapq.heappush(self._resting.setdefault(rest.kind, []), (rest.over, entry))

    def _make_ready(self, entry: Entry) -> None:
        heapq.heappush(self._ready.setdefault(self._throttle.family(entry[2].request), []), entry)

    def _give_way(self, item: Item) -> None:
        for name in item.objects:
            queue = self._queues[name]
            queue.popleft()
            if not queue:
                del self._queues[name]
        for name in item.objects:
            if name in self._queues:
                entry = self._queues[name][0]
                if all(self._queues[each][0][2] is entry[2] for each in entry[2].objects):
                    self._take_turn(entry)

    def _wake(self, now: float) -> None:
        """Pauses that are over, and rests: by time, by what was learnt, or because somebody has to be the first to try."""
        while self._paused and self._paused[0][0] <= now:
            self._make_ready(heapq.heappop(self._paused)[1])
        for kind, resting in self._resting.items():
            trial = self._trials[kind]
            while resting and self._stirs_at(trial, resting[0][1][2]) <= now:
                _, entry = heapq.heappop(resting)
                rest = entry[2].rest
                if rest is not None and trial.ripe_at(rest) > now:
                    trial.trying = entry[2].key
                if kind == CERTAIN:
                    self._queue_up(entry)
                else:
                    self._make_ready(entry)

    def _stirs_at(self, trial: Trial, item: Item) -> float:
        """When the item goes, as far as is known now: once it is ripe, or earlier if it may be the one to try."""
        assert item.rest is not None
        if item.rest.kind == CERTAIN:
            return item.rest.over
        ripe = trial.ripe_at(item.rest)
        if trial.trying is not None or self._ready.get(self._throttle.family(item.request)):
            return ripe
        return min(ripe, trial.tried_at(item.rest))

    def _learn(self, item: Item, *, done: bool) -> None:
        sent = self._sent_at.pop(item.key)
        self._untry(item)
        if done and item.rest is not None:
            trial = self._trials[item.rest.kind]
            age = sent - item.rest.since
            if trial.unseen is None or age > trial.unseen:
                trial.seen = min(trial.seen, age)

    def _untry(self, item: Item) -> None:
        if item.rest is not None and self._trials[item.rest.kind].trying == item.key:
            self._trials[item.rest.kind].trying = None
