"""Which items travel next: objects that are free, tokens that are there, pauses that are over. A state machine without I/O.

An item is waiting, travelling or settled; one with a pause rests once before it travels. Two items of one object never travel at
once. Pauses are due times in a heap, so nothing is ever slept through here; `wake_at` says when to look again.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator

from rollbook.graph.batch import SIZE
from rollbook.graph.protocol import Item
from rollbook.graph.throttle import Throttle

LOOKAHEAD = 400
"""How many waiting items are looked at for a batch; beyond them, items whose objects are busy are rare."""

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0


class Lanes:
    """Hands out batches of at most twenty items and takes back what became of them."""

    def __init__(self, items: Iterator[Item], throttle: Throttle, max_attempts: int) -> None:
        self._items = items
        self._throttle = throttle
        self._max_attempts = max_attempts
        self._waiting: deque[Item] = deque()
        self._paused: list[tuple[float, int, Item]] = []
        self._busy: set[str] = set()
        self._attempts: dict[int, int] = {}
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
        return self._exhausted and not self._waiting and not self._paused and not self._travelling

    def next_batch(self, now: float) -> list[Item]:
        """Items that may go now, at most twenty; empty if nothing may."""
        while self._paused and self._paused[0][0] <= now:
            self._waiting.appendleft(heapq.heappop(self._paused)[2])
        self._refill()
        chosen: list[Item] = []
        skipped: list[Item] = []
        while self._waiting and len(chosen) < SIZE and len(skipped) < LOOKAHEAD:
            item = self._waiting.popleft()
            if item.pause and item.key not in self._attempts:
                self._attempts[item.key] = 0
                heapq.heappush(self._paused, (now + item.pause, item.key, item))
            elif self._busy.isdisjoint(item.objects) and self._throttle.ready_at(item.request, now) <= now:
                self._throttle.take(item.request, now)
                self._busy |= item.objects
                self._attempts[item.key] = self._attempts.get(item.key, 0) + 1
                chosen.append(item)
            else:
                skipped.append(item)
        self._waiting.extendleft(reversed(skipped))
        self._travelling += len(chosen)
        return chosen

    def settled(self, item: Item) -> None:
        """The item has its final outcome."""
        self._leave(item)
        self._attempts.pop(item.key, None)

    def again(self, item: Item, now: float, delay: float | None) -> bool:
        """Whether the item will travel again: after `delay` seconds, or a growing pause; False if it did so often enough."""
        attempts = self._attempts[item.key]
        if attempts >= self._max_attempts:
            return False
        self._leave(item)
        pause = delay if delay is not None else min(LONGEST_DELAY, FIRST_DELAY * 2 ** (attempts - 1))
        heapq.heappush(self._paused, (now + pause, item.key, item))
        return True

    def wake_at(self, now: float) -> float | None:
        """When something may travel that may not now; None if only an answer can change that."""
        moments = [self._paused[0][0]] if self._paused else []
        free = (item for item in list(self._waiting)[:LOOKAHEAD] if self._busy.isdisjoint(item.objects))
        moments += [self._throttle.ready_at(item.request, now) for item in free]
        return min(moments, default=None)

    def _leave(self, item: Item) -> None:
        self._busy -= item.objects
        self._travelling -= 1

    def _refill(self) -> None:
        while not self._exhausted and len(self._waiting) < LOOKAHEAD:
            item = next(self._items, None)
            if item is None:
                self._exhausted = True
            else:
                self._waiting.append(item)
