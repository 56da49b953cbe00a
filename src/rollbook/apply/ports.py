"""What applying asks of the world around it, beside the journal: a writer, a look at the tenant, and somebody to tell."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import polars as pl

from rollbook.graph.protocol import Answer, Item, Outcome, Request


class Writer(Protocol):
    """Sends writes within Microsoft's quotas."""

    def write(
        self,
        items: Iterable[Item | None],
        on_send: Callable[[Sequence[int]], None],
        patience: float = math.inf,
    ) -> Iterator[list[tuple[int, Outcome]]]:
        """Final outcomes in groups, as they come; `on_send` is called with the keys of a batch before it is sent.

        `items` yields None while it waits for something to be settled. What would rest for longer than `patience` seconds while
        nothing else is to be done comes back unsent, as `Postponed` with the code RESTING.
        """
        ...


class Lookup(Protocol):
    """Looks at single objects of the tenant, to learn what became of a write without an answer."""

    def users_by_upn(self, names: Sequence[str]) -> pl.DataFrame:
        """The users of these names that exist (schema USERS)."""
        ...

    def users_by_id(self, object_ids: Sequence[str]) -> pl.DataFrame:
        """The users of these ids that exist (schema USERS)."""
        ...

    def users_and_roles(self, object_ids: Sequence[str]) -> pl.DataFrame:
        """The users of these ids that exist (schema USERS), with who of them is protected."""
        ...

    def groups_by_nickname(self, nicknames: Sequence[str]) -> pl.DataFrame:
        """The groups of these nicknames that exist (schema GROUPS)."""
        ...

    def groups_by_id(self, object_ids: Sequence[str]) -> pl.DataFrame:
        """The groups of these ids that exist (schema GROUPS)."""
        ...

    def groups_by_mark(self, marks: Sequence[str]) -> pl.DataFrame:
        """The groups that carry these marks of ours (schema GROUPS)."""
        ...

    def memberships(self, object_ids: Sequence[str]) -> pl.DataFrame:
        """[group_object_id, user_object_id, relation] of these groups."""
        ...

    def team_rosters(self, object_ids: Sequence[str]) -> pl.DataFrame:
        """[group_object_id, user_object_id, owner, membership_id] of the teams of these groups."""
        ...

    def archived(self, object_ids: Sequence[str]) -> frozenset[str]:
        """The ids, among these of groups, whose team is archived."""
        ...

    def get_many(self, requests: Sequence[Request]) -> list[Answer]:
        """The answers of these reads, in their order."""
        ...


class Progress(Protocol):
    """Told how far a stage is."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """`done` of `total` changes of this stage are settled."""
        ...


def silent(stage: str, done: int, total: int) -> None:
    """A Progress that tells nobody."""
