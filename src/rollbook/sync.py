"""The whole story in five calls; no decisions of its own.

    1. roster  = register.read()
    2. desired = build_desired(roster, profile ...)
    3. actual  = read_actual(tenant)
    4. plan    = make_plan(desired, actual, links ...)
    5. apply_changes(journal, writer ...)           the only step that holds a writer
       proof   = prove(expected, actual)

What it needs of the world it declares here as Protocols: the register and the memory (implemented by `store`), the tenant's
reading side (implemented by `graph.reader`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import polars as pl

from rollbook.apply.evidence import Reading, gathered
from rollbook.apply.proof import Proof, prove
from rollbook.desired import Linked, TenantFacts, build_desired, manage
from rollbook.directory.desired import Desired
from rollbook.directory.state import MEMBERSHIPS, State, guarded
from rollbook.plan.by_hand import attributed, questionable
from rollbook.plan.changes import ChangeVerdict, Kind, Plan
from rollbook.plan.context import Context, Guarding
from rollbook.plan.limits import crowded_classes, members_afterwards
from rollbook.plan.make import make_plan
from rollbook.plan.match import Matched, match
from rollbook.profiles import Profile
from rollbook.roster.tables import Roster

USER, TEAM, NODE, LICENCE = "user", "team", "node", "licence"
GROUPS = (TEAM, NODE, LICENCE)
"""The kinds of link that stand for groups."""


class Register(Protocol):
    """One institute's register, as published."""

    def read(self) -> Roster:
        """All of it, with keys that stay the same over deliveries."""
        ...

    def departed(self) -> pl.DataFrame:
        """People who were in the register once and no longer are: [person, user_type]."""
        ...

    def released(self) -> pl.Series:
        """Keys of enrolments that the sync start date does not hold back any more, because somebody released them."""
        ...


class Memory(Protocol):
    """What is remembered of one tenant."""

    def reserve_links(self, kind: str, subjects: pl.DataFrame) -> pl.DataFrame:
        """[subject, period, link, mark] for `subjects` [subject, period]; missing links are made, nothing at Microsoft."""
        ...

    def group_links(self, kind: str, groups: pl.DataFrame) -> pl.DataFrame:
        """[key, period, link, mark] of `groups` [key, period, sourced_id, code, label] of this kind; missing links are made."""
        ...

    def made_groups(self, kind: str) -> pl.DataFrame:
        """[key, period, link, mark] of the institute's groups of this kind that are linked to an object."""
        ...

    def licence_links(self, user_types: Sequence[str]) -> pl.DataFrame:
        """[user_type, link, mark] of the groups that carry the licences of these user types of the institute."""
        ...

    def links(self, kind: str) -> pl.DataFrame:
        """All links of this kind (schema plan.context.LINKS)."""
        ...

    def reserved_names(self, kind: str, day: dt.date) -> pl.DataFrame:
        """User names or nicknames reserved on a day (schema plan.context.RESERVED)."""
        ...

    def granted(self) -> pl.DataFrame:
        """Licences we gave (schema plan.context.GRANTED)."""
        ...

    def decisions(self) -> pl.DataFrame:
        """What people decided about matches (schema plan.context.DECISIONS)."""
        ...

    def protected(self) -> pl.Series:
        """Object ids of accounts that are never touched, whatever roles they hold."""
        ...

    def waited(self) -> pl.DataFrame:
        """What waited when the tenant was last synchronized (schema plan.context.WAITED)."""
        ...

    def done_about(self, changes: pl.DataFrame) -> pl.DataFrame:
        """What earlier runs did about the subjects of these changes, oldest first (schema plan.by_hand.DONE)."""
        ...

    def first_run(self) -> bool:
        """Whether this profile was never applied in this tenant."""
        ...

    def guarding(self, about: Sequence[int] | None = None) -> Guarding:
        """What guards compare a plan of the whole institute with, or one that is `about` these links alone."""
        ...


class TenantReader(Protocol):
    """The tenant's reading side. It raises rather than return a reading that may have left something out."""

    def facts(self) -> TenantFacts:
        """Domains, country and licences of the tenant."""
        ...

    def seats(self) -> pl.DataFrame:
        """Free seats by licence (schema plan.context.SEATS)."""
        ...

    def users(self) -> pl.DataFrame:
        """All users (schema directory.state.USERS), link null."""
        ...

    def groups(self) -> pl.DataFrame:
        """All groups (schema directory.state.GROUPS), link and purpose null."""
        ...

    def memberships(self, object_ids: Sequence[str]) -> pl.DataFrame:
        """[group_object_id, user_object_id, relation] of these groups."""
        ...


@dataclass(frozen=True, slots=True)
class Scope:
    """What one synchronization is about."""

    tenant: str
    profile: Profile
    profile_version: int
    as_of: dt.date


@dataclass(frozen=True, slots=True)
class View:
    """Desired and actual beside each other, as one plan saw them."""

    desired: Desired
    actual: State
    matched: Matched


Tell = Callable[[str], None]


def quiet(stage: str) -> None:
    """A Tell for callers that show no progress."""


def draft(
    scope: Scope, register: Register, memory: Memory, reader: TenantReader, tell: Tell = quiet
) -> tuple[Plan, View]:
    """The plan that makes the tenant equal to the register, and what it was made from. Writes nothing at Microsoft."""
    tell("register")
    roster = register.read()
    tell("desired")
    desired = _desired(scope, roster, register, memory, reader)
    tell("tenant")
    users, groups = guarded(reader.users(), memory.protected()), _groups(reader, desired)
    context = _context(scope, desired, memory, reader)
    matched = match(desired, State(users, groups), context, scope.profile)
    tell("memberships")
    actual = State(users, groups, _memberships(reader, matched, groups, context, desired))
    tell("plan")
    plan = make_plan(desired, actual, matched, context, scope.profile)
    plan = attributed(plan, memory.done_about(questionable(plan.changes)))
    return plan, View(desired, actual, matched)


def _groups(reader: TenantReader, desired: Desired) -> pl.DataFrame:
    """The groups of the tenant; where none is wanted, there is nothing to read."""
    return reader.groups() if desired.state.groups.height else desired.state.groups


def there(links: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """[link, object_id] of linked groups that are in the tenant."""
    return links.join(groups, on="object_id", how="semi").select("link", "object_id")


def _memberships(
    reader: TenantReader, matched: Matched, groups: pl.DataFrame, context: Context, desired: Desired
) -> pl.DataFrame:
    """Memberships (schema MEMBERSHIPS) of the matched groups, and of what is to be taken out of them, at whatever depth.

    How many people go with a group that is taken out has to be known beforehand.
    """
    aside = there(context.group_links.join(desired.unmanaged, on="link", how="semi"), groups)
    ours = there(matched.groups, groups)
    known = pl.concat([ours, aside])
    read = read_memberships(reader, matched.users, known, ours)
    unread = aside
    while True:
        ending = read.join(desired.outside, on=["team", "user", "relation"], how="anti")
        about = unread.join(ending.select(link="user"), on="link", how="semi")
        if about.is_empty():
            return read
        read = pl.concat([read, read_memberships(reader, matched.users, known, about)])
        unread = unread.join(about, on="link", how="anti")


def _desired(scope: Scope, roster: Roster, register: Register, memory: Memory, reader: TenantReader) -> Desired:
    people, managed = manage(roster, scope.profile, scope.as_of, register.departed(), memory.made_groups(TEAM))
    subjects = people.select(subject="person", period=pl.lit(0, dtype=pl.Int64))
    user_links = memory.reserve_links(USER, subjects).select(person="subject", link="link", mark="mark")
    linked = Linked(
        people.join(user_links, on="person"),
        memory.group_links(TEAM, managed.teams.teams),
        memory.group_links(NODE, managed.nodes.groupings()),
        memory.made_groups(NODE),
        released=register.released(),
    )
    if scope.profile.users.licences_by_group:
        licensed = [t.value for t, role in scope.profile.users.roles.items() if role.licences]
        linked = replace(linked, licence_groups=memory.licence_links(licensed))
    return build_desired(roster, scope.profile, scope.as_of, reader.facts(), managed, linked)


def _context(scope: Scope, desired: Desired, memory: Memory, reader: TenantReader) -> Context:
    return Context(
        tenant=scope.tenant,
        profile_version=scope.profile_version,
        as_of=scope.as_of,
        first_run=memory.first_run(),
        user_links=memory.links(USER),
        group_links=pl.concat([memory.links(kind) for kind in GROUPS]),
        user_names=memory.reserved_names(USER, scope.as_of),
        nicknames=memory.reserved_names(TEAM, scope.as_of),
        seats=reader.seats(),
        granted=memory.granted(),
        waited=memory.waited(),
        decisions=memory.decisions(),
        guarding=memory.guarding(),
    )


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What a profile's first plan found: how many are matched, to be made, to be reviewed; and the accounts that are left alone.

    `left_alone` [object_id, user_principal_name, display_name] belong to nobody of the register, and nothing is done to them.
    """

    matched: int
    to_create: int
    to_review: int
    left_alone: pl.DataFrame


def first_look(plan: Plan, view: View) -> FirstLook:
    """What somebody who approves a first plan wants to know of the accounts that are there."""
    planned = pl.col("verdict") != int(ChangeVerdict.WAITS)
    alive = view.actual.users.filter(~pl.col("deleted") & ~pl.col("guest"))
    alone = alive.join(view.matched.users, on="object_id", how="anti").sort("user_principal_name")
    return FirstLook(
        matched=view.matched.users.height,
        to_create=plan.changes.filter(planned, pl.col("kind") == int(Kind.CREATE_USER)).height,
        to_review=plan.changes.filter(~planned, pl.col("kind") == int(Kind.LINK_USER)).height,
        left_alone=alone.select("object_id", "user_principal_name", "display_name"),
    )


def crowded(plan: Plan, view: View) -> pl.DataFrame:
    """Class teams that would have so many members that Assignments stop working in them (schema plan.limits.CROWDED)."""
    members = members_afterwards(plan, view.actual.memberships)
    return crowded_classes(members, view.desired.state.groups)


def absences(view: View, scope: Scope) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Who has left, [link, since], and who has not, [link]; of people for whom a mapping failed nothing is said."""
    told = view.desired.state.users.select("link", "account_enabled").join(view.desired.people, on="link")
    unclear = told.join(view.desired.unmapped, on="link", how="semi").filter("present")
    clear = told.join(unclear, on="link", how="anti")
    since = pl.coalesce("ended", pl.lit(scope.as_of)).alias("since")
    return clear.filter(~pl.col("account_enabled")).select("link", since), clear.filter("account_enabled").select(
        "link"
    )


def read_memberships(
    reader: TenantReader, users: pl.DataFrame, groups: pl.DataFrame, about: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Memberships (schema MEMBERSHIPS) of the linked `groups` [link, object_id], or of those `about`.

    People and groups without a link have user null.
    """
    about = groups if about is None else about
    read = reader.memberships(about["object_id"].to_list())
    known = pl.concat([part.select(user_object_id="object_id", user="link") for part in (users, groups)])
    return (
        read.join(about.select(group_object_id="object_id", team="link"), on="group_object_id")
        .join(known, on="user_object_id", how="left")
        .select(MEMBERSHIPS.keys())
        .cast(pl.Schema(MEMBERSHIPS))
    )


def prove_view(plan: Plan, view: View, scope: Scope) -> Proof:
    """The proof of a plan that had nothing to do: what was read for it is the evidence."""
    groups = view.actual.groups.drop("link").join(view.matched.groups.select("link", "object_id"), on="object_id")
    return _prove(plan, view, Reading(view.actual.memberships, groups, view.matched.users), scope)


PAUSES = (2.0, 5.0, 15.0, 30.0)
"""Seconds before another look at groups that do not show yet what was written to them: replication has no figure, and takes seconds."""


def prove_again(
    plan: Plan, view: View, scope: Scope, memory: Memory, reader: TenantReader, wait: Callable[[float], None]
) -> Proof:
    """The proof after applying: the tenant is read anew and compared with what was desired.

    `plan` is the one that was applied, its changes with the verdicts they have now. Groups that do not show yet what Microsoft
    answered to have done are looked at again, a few times; what they do not show then is missing or extra.
    """
    now = _read_again(view, memory, reader, None)
    proof = _prove(plan, view, now, scope)
    for pause in PAUSES:
        late = proof.unsettled
        if late.is_empty():
            break
        wait(pause)
        again = _read_again(view, memory, reader, late)
        settled = now.memberships.filter(~pl.col("team").is_in(late.implode()))
        now = replace(again, memberships=pl.concat([settled, again.memberships]))
        proof = _prove(plan, view, now, scope)
    return proof


def _read_again(view: View, memory: Memory, reader: TenantReader, only: pl.Series | None) -> Reading:
    """What the tenant holds of our users and groups, with the memberships of all groups, or `only` of these links."""
    ours, wanted = view.desired.state.users.select("link"), view.desired.state.groups.select("link")
    users = memory.links(USER).drop_nulls("object_id").join(ours, on="link", how="semi")
    links = pl.concat([memory.links(kind) for kind in GROUPS]).drop_nulls("object_id")
    held = links.join(wanted, on="link", how="semi").select("link", "object_id")
    aside = links.join(view.desired.unmanaged, on="link", how="semi").select("link", "object_id")
    groups = _groups(reader, view.desired).drop("link").join(held, on="object_id")
    about = groups if only is None else groups.filter(pl.col("link").is_in(only.implode()))
    known = pl.concat([groups.select("link", "object_id"), aside])
    return Reading(read_memberships(reader, users, known, about), groups, users)


def _prove(plan: Plan, view: View, now: Reading, scope: Scope) -> Proof:
    return prove(gathered(plan, view.desired, view.actual.memberships, now, scope.profile))
