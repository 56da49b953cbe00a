"""Operations that go on at Microsoft after 202: asked about until they end, with the pause Microsoft wants between looks."""

from __future__ import annotations

from collections.abc import Mapping

from rollbook.apply.journal import Answer, Journal
from rollbook.apply.ports import Lookup
from rollbook.clock import Clock
from rollbook.graph import codec, protocol
from rollbook.plan.changes import ChangeVerdict

PAUSE = 31.0
"""Seconds between two looks at operations; Microsoft asks for more than 30 (graph.md section 7.2)."""

SOON = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds between the first looks at few operations, so that a person who archives one team does not wait for half a minute."""

FEW = 20
"""So many operations are one batch: looking sooner costs five requests at most, where hundreds would cost Microsoft thousands."""

LOOKS = 20
"""After about ten minutes the next run looks; a team that was made by then is simply there."""

VERDICTS: Mapping[str, ChangeVerdict] = {"succeeded": ChangeVerdict.DONE, "failed": ChangeVerdict.NEVER}


def settle_operations(journal: Journal, lookup: Lookup, clock: Clock) -> None:
    """Wait for the run's operations to end and remember how. What goes on for longer is left as *later*."""
    soon = SOON if len(journal.operations()) <= FEW else ()
    for pause in (0.0, *soon, *(PAUSE for _ in range(LOOKS - 1))):
        going_on = journal.operations()
        if not going_on:
            return
        if pause:
            clock.sleep(pause)
        numbers = list(going_on)
        answers = lookup.get_many([codec.get_operation(going_on[number]) for number in numbers])
        ended = [_ended(number, answer) for number, answer in zip(numbers, answers, strict=True)]
        known = [answer for answer in ended if answer is not None]
        if known:
            journal.answer(known)
    message = "Microsoft is still at it; the next run looks again"
    journal.answer([Answer(number, ChangeVerdict.LATER, message=message) for number in journal.operations()])


def _ended(number: int, answer: protocol.Answer) -> Answer | None:
    """The answer of an operation that ended; None if it goes on or cannot be seen yet."""
    if answer.status != 200:
        return None
    verdict = VERDICTS.get(answer.body["status"])
    if verdict is None:
        return None
    error = answer.body.get("error") or {}
    return Answer(number, verdict, status=200, code=error.get("code") or "", message=error.get("message") or "")
