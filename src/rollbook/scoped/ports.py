"""What a look at a part needs of the world: a register, a memory, a mirror that are asked by points."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from rollbook.desired import TenantFacts, near
from rollbook.directory.state import Relation
from rollbook.plan.context import Guarding

HOLDERS = {
    "kind": pl.String,
    "link": pl.Int64,
    "subject": pl.Int64,
    "key": pl.String,  # of teams and nodes
    "period": pl.Int64,
    "mark": pl.String,
    "object_id": pl.String,
}


class PartRegister(near.Rows, Protocol):
    """One institute's register, asked by points."""

    def departed(self, people: pl.Series) -> pl.DataFrame:
        """Those of these people who were in the register once and no longer are: [person, user_type]."""
        ...

    def released(self) -> pl.Series:
        """Keys of released enrolments."""
        ...


class PartMemory(Protocol):
    """What is remembered of one tenant, asked by points."""

    def reserve_links(self, kind: str, subjects: pl.DataFrame) -> pl.DataFrame:
        """As in sync.Memory."""
        ...

    def group_links(self, kind: str, groups: pl.DataFrame) -> pl.DataFrame:
        """As in sync.Memory."""
        ...

    def licence_links(self, user_types: Sequence[str]) -> pl.DataFrame:
        """As in sync.Memory."""
        ...

    def holders(self, object_ids: Collection[str]) -> pl.DataFrame:
        """Links of the institute that hold these objects (schema HOLDERS)."""
        ...

    def objects_of(self, people: pl.Series) -> list[str]:
        """Object ids of these people's accounts."""
        ...

    def made_teams(self, teams: pl.DataFrame) -> pl.DataFrame:
        """[key, period, link, mark, object_id] of those of `teams` [key, period] that are linked to an object."""
        ...

    def links_among(self, kinds: Sequence[str], links: pl.Series, object_ids: Collection[str]) -> pl.DataFrame:
        """Links that are among these, or hold one of these objects (schema plan.context.LINKS)."""
        ...

    def names_among(self, kind: str, day: dt.date, links: pl.Series, names: Collection[str]) -> pl.DataFrame:
        """Names reserved on a day for these links, or called so (schema plan.context.RESERVED)."""
        ...

    def granted_to(self, links: pl.Series) -> pl.DataFrame:
        """Licences we gave to these (schema plan.context.GRANTED)."""
        ...

    def decisions_on(self, links: pl.Series) -> pl.DataFrame:
        """What people decided about these (schema plan.context.DECISIONS)."""
        ...

    def waited_of(self, links: pl.Series) -> pl.DataFrame:
        """What waited of these (schema plan.context.WAITED)."""
        ...

    def done_about(self, changes: pl.DataFrame) -> pl.DataFrame:
        """As in sync.Memory."""
        ...

    def guarding(self, about: Sequence[int] | None = None) -> Guarding:
        """As in sync.Memory; all that is managed as the last look at everything left it."""
        ...

    def protected(self) -> pl.Series:
        """As in sync.Memory."""
        ...

    def first_run(self) -> bool:
        """As in sync.Memory."""
        ...


class Mirror(Protocol):
    """The directory of the tenant as it was told last, asked by points."""

    def users(self, object_ids: Collection[str]) -> pl.DataFrame:
        """These users (schema directory.state.USERS), link null."""
        ...

    def groups(self, object_ids: Collection[str]) -> pl.DataFrame:
        """These groups (schema directory.state.GROUPS), link and purpose null."""
        ...

    def found(self, by: str, keys: Iterable[str]) -> list[str]:
        """Object ids of what has one of these keys: name, local, mail, number, nickname, address, display, external, mark."""
        ...

    def taken(self, by: str, keys: Iterable[str]) -> set[str]:
        """Which of these keys, folded, something has."""
        ...

    def members(
        self,
        group_ids: Collection[str] | None = None,
        user_ids: Collection[str] | None = None,
        relation: Relation | None = None,
    ) -> pl.DataFrame:
        """[group_object_id, user_object_id, relation] of these groups, of these people, or of both."""
        ...

    def count_members(self, group_ids: Collection[str]) -> pl.DataFrame:
        """[group_object_id, members] of these groups."""
        ...


class Facts(Protocol):
    """What is asked of the tenant itself, in a number of requests that does not depend on its size."""

    def facts(self) -> TenantFacts:
        """As in sync.TenantReader."""
        ...

    def seats(self) -> pl.DataFrame:
        """As in sync.TenantReader."""
        ...


@dataclass(frozen=True, slots=True)
class World:
    """Everything a part is planned from."""

    register: PartRegister
    memory: PartMemory
    mirror: Mirror
    tenant: Facts
