"""Operations that go on at Microsoft after 202: asked about until they end, with the pause Microsoft wants between looks."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping

from rollbook.apply.journal import Answer, Journal
from rollbook.apply.ports import Lookup
from rollbook.clock import Clock
from rollbook.graph import batch, codec, protocol
from rollbook.plan.changes import ChangeVerdict

PAUSE = 31.0
"""Seconds between two looks at one operation; Microsoft asks for more than 30 (graph.md section 7.2)."""

SOON = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds between the first looks at few operations, so that a person who archives one team does not wait for half a minute."""

FEW = 20
"""So many operations are one batch: looking sooner costs five requests at most, where hundreds would cost Microsoft thousands."""

FIRST_LOOK = 10.0
"""Seconds after which an operation is looked at beside other work; most take a few."""

LONGEST = 620.0
"""After about ten minutes the next run looks; a team that was made by then is simply there."""

BETWEEN = 1.0
"""Seconds between two batches of looks beside other work, so that writing never waits for the quota of reading teams."""

VERDICTS: Mapping[str, ChangeVerdict] = {"succeeded": ChangeVerdict.DONE, "failed": ChangeVerdict.NEVER}


class Operations:
    """The operations of one run: looked at while other changes are still being written, and waited for at the end."""

    def __init__(self, journal: Journal, lookup: Lookup, clock: Clock) -> None:
        self._journal = journal
        self._lookup = lookup
        self._clock = clock
        self._due: list[tuple[float, int, str]] = []
        self._looked: dict[int, float] = {}
        self._looks: Counter[int] = Counter()
        self._newest_look = -BETWEEN

    def begun(self, answers: Iterable[Answer]) -> None:
        """Microsoft is at these from now on, as far as they name an operation."""
        due = self._clock.monotonic() + FIRST_LOOK
        for answer in answers:
            if answer.operation and answer.verdict == ChangeVerdict.SENT:
                heapq.heappush(self._due, (due, answer.number, answer.operation))

    def look(self) -> None:
        """Ask about one batch of those that are due, unless others were asked about a moment ago."""
        now = self._clock.monotonic()
        if not self._due or self._due[0][0] > now or now < self._newest_look + BETWEEN:
            return
        self._newest_look = now
        asked: dict[int, str] = {}
        while self._due and self._due[0][0] <= now and len(asked) < batch.SIZE:
            _, number, operation = heapq.heappop(self._due)
            asked[number] = operation
        for number in asked.keys() - self._ask(asked):
            heapq.heappush(self._due, (now + PAUSE, number, asked[number]))

    def settle(self) -> None:
        """Wait for the run's operations to end and remember how. What goes on for longer is left as *later*."""
        began, few = self._clock.monotonic(), len(self._journal.operations()) <= FEW
        while going_on := self._journal.operations():
            now = self._clock.monotonic()
            due = {number: self._due_at(number, few=few) for number in going_on}
            asked = {number: at for number, at in going_on.items() if due[number] <= now}
            if asked:
                self._ask(asked)
            elif now > began + LONGEST:
                message = "Microsoft is still at it; the next run looks again"
                self._journal.answer([Answer(number, ChangeVerdict.LATER, message=message) for number in going_on])
            else:
                self._clock.sleep(min(due.values()) - now)

    def _due_at(self, number: int, *, few: bool) -> float:
        """When an operation may be looked at: at once the first time, where nothing else is to be done."""
        if number not in self._looked:
            return 0.0
        looks = self._looks[number]
        return self._looked[number] + (SOON[looks - 1] if few and looks <= len(SOON) else PAUSE)

    def _ask(self, operations: Mapping[int, str]) -> set[int]:
        """The numbers of those that ended; how is remembered."""
        self._looked |= dict.fromkeys(operations, self._clock.monotonic())
        self._looks.update(operations.keys())
        answers = self._lookup.get_many([codec.get_operation(location) for location in operations.values()])
        ended = [_ended(number, answer) for number, answer in zip(operations, answers, strict=True)]
        known = [answer for answer in ended if answer is not None]
        if known:
            self._journal.answer(known)
        return {answer.number for answer in known}


def _ended(number: int, answer: protocol.Answer) -> Answer | None:
    """The answer of an operation that ended; None if it goes on or cannot be seen yet."""
    if answer.status != 200:
        return None
    verdict = VERDICTS.get(answer.body["status"])
    if verdict is None:
        return None
    error = answer.body.get("error") or {}
    return Answer(number, verdict, status=200, code=error.get("code") or "", message=error.get("message") or "")
