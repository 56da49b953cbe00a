"""What applying remembers: intents before requests, answers after. The store implements it; this module only says what it must promise.

An intent is committed before its request is sent and an answer as soon as it arrived, so at any moment a killed run knows
what may have happened: an intent without an answer is looked up at Microsoft before anything is sent again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl

from rollbook.plan.changes import ChangeVerdict


@dataclass(frozen=True, slots=True)
class Intent:
    """One request about to be sent: `number` is unique in the run, `seqs` are the changes it carries out (1 to 21).

    `names` maps a link to the user name or nickname that is reserved for it; `secrets` maps a link to the password it sets,
    which is stored encrypted. Both are committed together with the intent. The password of a new account counts from then
    on; that of an account that is there counts once the answer says that it was set.
    """

    number: int
    kind: int
    seqs: tuple[int, ...]
    names: Mapping[int, str] = field(default_factory=dict)
    secrets: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one intent: the verdict of its changes, Microsoft's code, and the object ids it gave to links.

    `still_open` are changes it carried along of which the verdict says nothing: they wait for their own wave.
    """

    number: int
    verdict: ChangeVerdict
    status: int = 0
    code: str = ""
    message: str = ""
    operation: str = ""  # Location of an operation that goes on at Microsoft, to be polled
    object_ids: Mapping[int, str] = field(default_factory=dict)
    still_open: tuple[int, ...] = ()
    request_id: str = ""  # what Microsoft's support asks for


class Journal(Protocol):
    """The memory of one run. Every method is one transaction, durable when it returns."""

    def open_changes(self, kinds: Sequence[int] | None = None) -> pl.DataFrame:
        """The run's changes that have no final verdict (schema CHANGES), by seq; of all kinds or of some."""
        ...

    def in_vain(self, kinds: Sequence[int]) -> list[int]:
        """The seqs of the run's changes of these kinds that nothing was sent for, and that need a change which was not done."""
        ...

    def details(self, kinds: Sequence[int]) -> pl.DataFrame:
        """The attribute values of the run's changes of these kinds (schema DETAILS)."""
        ...

    def unanswered(self) -> list[Intent]:
        """Intents that have no answer, by number; `names` is filled, `secrets` is not."""
        ...

    def next_number(self) -> int:
        """A number no intent of the run has yet; numbers after it are free too."""
        ...

    def object_ids(self) -> dict[int, str]:
        """Microsoft's object id of every link of the tenant that has one."""
        ...

    def marks(self, links: Sequence[int]) -> dict[int, str]:
        """The mark that objects of these links carry at Microsoft."""
        ...

    def passwords(self, links: Sequence[int]) -> dict[int, str]:
        """The first password that is stored for each of these links, for those that have one."""
        ...

    def made_here(self) -> frozenset[int]:
        """Links whose object this run made: Microsoft may not know it everywhere yet."""
        ...

    def young(self, seconds: float) -> dict[int, float]:
        """The age in seconds of every object of the tenant that was made by us less than so many seconds ago, by its link."""
        ...

    def intend(self, intents: Sequence[Intent]) -> None:
        """Remember that these requests are about to be sent."""
        ...

    def answer(self, answers: Sequence[Answer]) -> None:
        """Remember what came back; set the verdicts of the changes and the object ids of the links."""
        ...

    def close(self, seqs: Sequence[int], verdict: ChangeVerdict) -> None:
        """Give changes a verdict without a request: linked, blocked, or left for the next run."""
        ...

    def leave_drifted(self, found: Mapping[int, Mapping[str, Any]]) -> None:
        """These changes (seqs) are left, as the tenant drifted; `found` are their values that are others now, none where it is gone."""
        ...

    def operations(self) -> dict[int, str]:
        """Operations that go on at Microsoft, by intent number, not yet settled by `answer` with an empty operation."""
        ...
