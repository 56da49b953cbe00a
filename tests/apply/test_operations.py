"""Operations at Microsoft: looked at soon where they are few, with Microsoft's own pause where they are many."""

from __future__ import annotations

import pytest

from rollbook.apply.operations import FEW, PAUSE, Operations
from rollbook.graph.protocol import Answer
from rollbook.plan.changes import ChangeVerdict


class Going:
    """A journal, a lookup and a clock in one: operations that end after so many looks."""

    def __init__(self, count: int, looks: int) -> None:
        self.open = dict.fromkeys(range(count), "/teams('t')/operations('o')")
        self.looks = looks
        self.pauses: list[float] = []
        self.verdicts: list[ChangeVerdict] = []

    def operations(self):
        return dict(self.open)

    def get_many(self, requests):
        self.looks -= 1
        status = "inProgress" if self.looks else "succeeded"
        return [Answer(200, {}, {"status": status}) for _ in requests]

    def answer(self, answers):
        for answer in answers:
            del self.open[answer.number]
            self.verdicts.append(answer.verdict)

    def monotonic(self) -> float:
        return sum(self.pauses)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


@pytest.mark.parametrize(("count", "pauses"), [(1, [1.0, 2.0, 4.0]), (FEW + 1, [PAUSE] * 3)])
def test_few_operations_are_looked_at_sooner_than_many(count, pauses):
    going = Going(count, looks=4)

    Operations(going, going, going).settle()

    assert (going.pauses, set(going.verdicts)) == (pauses, {ChangeVerdict.DONE})
