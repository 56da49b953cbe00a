"""Changes as requests: one table from kind to what is sent. Pure, except that first passwords are random."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from rollbook.apply.passwords import first_password
from rollbook.directory.state import MAPPED
from rollbook.graph import codec
from rollbook.graph.protocol import Request
from rollbook.plan.changes import Kind

RELATIONS_PER_REQUEST = 20
"""Owners and members together, in one PATCH of a group (graph.md section 5.2)."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change with its values, as read for sending. `values` and `before` are the details' JSON objects."""

    seq: int
    kind: Kind
    subject: int
    other: int | None
    values: Mapping[str, Any]
    before: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Work:
    """One write to be sent: the changes it carries out, the objects it touches, what is remembered with its intent.

    `then` is a second write that completes the same changes once the first succeeded.
    """

    kind: Kind
    changes: tuple[Change, ...]
    request: Request = field(repr=False)
    objects: frozenset[str]
    names: Mapping[int, str] = field(default_factory=dict)
    secrets: Mapping[int, str] = field(default_factory=dict, repr=False)
    fresh: bool = False
    then: Request | None = None

    @property
    def seqs(self) -> tuple[int, ...]:
        """The sequence numbers of its changes."""
        return tuple(change.seq for change in self.changes)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What turning changes into requests needs: object ids and marks by link, and the property that carries a user's mark."""

    object_ids: Mapping[int, str]
    marks: Mapping[int, str]
    mark_property: str
    fresh: frozenset[int] = (
        frozenset()
    )  # links whose object was made by this run: links to it may be refused for a while
    passwords: Mapping[int, str] = field(
        default_factory=dict, repr=False
    )  # of accounts that may have been made already


def values_of(text: str | None) -> Mapping[str, Any]:
    """The attribute values a details cell holds; empty where it holds none."""
    return json.loads(text) if text else {}


def _create_user(change: Change, around: Surroundings) -> Work:
    values = change.values
    # An account whose creation got no answer may be there: sent again with another password, it would keep the first one.
    password = around.passwords.get(change.subject) or first_password()
    request = codec.create_user(
        user_principal_name=values["user_principal_name"],
        mail_nickname=values["mail_nickname"],
        **{name: values.get(name) for name in MAPPED},
        usage_location=values["usage_location"],
        account_enabled=values["account_enabled"],
        password=password,
        mark_property=around.mark_property,
        mark=around.marks[change.subject],
    )
    name = values["user_principal_name"]
    return Work(
        change.kind,
        (change,),
        request,
        frozenset({name}),
        names={change.subject: name},
        secrets={change.subject: password},
    )


def _update_user(change: Change, around: Surroundings) -> Work:
    differing = {key: value for key, value in change.values.items() if change.before.get(key) != value}
    user = around.object_ids[change.subject]
    return Work(change.kind, (change,), codec.update_user(user, differing), frozenset({user}))


def _enable_user(change: Change, around: Surroundings) -> Work:
    user = around.object_ids[change.subject]
    return Work(change.kind, (change,), codec.update_user(user, {"account_enabled": True}), frozenset({user}))


def _disable_user(change: Change, around: Surroundings) -> Work:
    user = around.object_ids[change.subject]
    request = codec.update_user(user, {"account_enabled": False})
    return Work(change.kind, (change,), request, frozenset({user}), then=codec.revoke_sessions(user))


def _restore_user(change: Change, around: Surroundings) -> Work:
    user, name = around.object_ids[change.subject], change.values.get("user_principal_name")
    names = {change.subject: name} if name else {}
    return Work(change.kind, (change,), codec.restore_user(user, name), frozenset({user}), names=names)


def _set_password(change: Change, around: Surroundings) -> Work:
    user, password = around.object_ids[change.subject], first_password()
    secrets = {change.subject: password}
    return Work(change.kind, (change,), codec.set_password(user, password), frozenset({user}), secrets=secrets)


def _rename_user(change: Change, around: Surroundings) -> Work:
    user = around.object_ids[change.subject]
    names = {change.subject: change.values["user_principal_name"]}
    return Work(change.kind, (change,), codec.update_user(user, change.values), frozenset({user}), names=names)


def _license_user(change: Change, around: Surroundings) -> Work:
    """All a person gets and loses, in one request."""
    user = around.object_ids[change.subject]
    adding = [(licence["sku"], licence["off"]) for licence in change.values.get("licences", ())]
    request = codec.assign_license(user, add=adding, remove=change.values["remove"])
    return Work(change.kind, (change,), request, frozenset({user}), fresh=change.subject in around.fresh)


def _create_group(change: Change, around: Surroundings) -> Work:
    mark = around.marks[change.subject]
    return Work(change.kind, (change,), codec.create_group(mark, change.values), frozenset({mark}))


def _license_group(change: Change, around: Surroundings) -> Work:
    group = around.object_ids[change.subject]
    adding = [(licence["sku"], licence["off"]) for licence in change.values["licences"]]
    request = codec.license_group(group, add=adding, remove=change.values["remove"])
    return Work(change.kind, (change,), request, frozenset({group}), fresh=change.subject in around.fresh)


def _create_class(change: Change, around: Surroundings) -> Work:
    values = change.values
    request = codec.create_class(
        display_name=values["display_name"],
        mail_nickname=values["mail_nickname"],
        description=values["description"],
        class_code=values["class_code"],
        external_id=values["external_id"],
        external_name=values["display_name"],
        mark=around.marks[change.subject],
    )
    name = values["mail_nickname"]
    return Work(change.kind, (change,), request, frozenset({name}), names={change.subject: name})


def _update_class(change: Change, around: Surroundings) -> Work:
    differing = {key: value for key, value in change.values.items() if change.before.get(key) != value}
    group = around.object_ids[change.subject]
    return Work(change.kind, (change,), codec.update_class(group, differing), frozenset({group}))


def _create_team(change: Change, around: Surroundings) -> Work:
    group = around.object_ids[change.subject]
    request = codec.create_team_from_class(group)
    return Work(change.kind, (change,), request, frozenset({group}), fresh=change.subject in around.fresh)


def _remove_member(change: Change, around: Surroundings) -> Work:
    assert change.other is not None
    group, user = around.object_ids[change.subject], around.object_ids[change.other]
    return Work(change.kind, (change,), codec.remove_member(group, user), frozenset({group}))


def _remove_owner(change: Change, around: Surroundings) -> Work:
    assert change.other is not None
    group, user = around.object_ids[change.subject], around.object_ids[change.other]
    return Work(change.kind, (change,), codec.remove_owner(group, user), frozenset({group}))


SINGLE: Mapping[Kind, Callable[[Change, Surroundings], Work]] = {
    Kind.RESTORE_USER: _restore_user,
    Kind.CREATE_USER: _create_user,
    Kind.UPDATE_USER: _update_user,
    Kind.ENABLE_USER: _enable_user,
    Kind.DISABLE_USER: _disable_user,
    Kind.RENAME_USER: _rename_user,
    Kind.SET_PASSWORD: _set_password,
    Kind.LICENSE_USER: _license_user,
    Kind.UNLICENSE_USER: _license_user,
    Kind.CREATE_GROUP: _create_group,
    Kind.LICENSE_GROUP: _license_group,
    Kind.LEAVE_LICENCE_GROUP: _remove_member,
    Kind.CREATE_CLASS: _create_class,
    Kind.UPDATE_CLASS: _update_class,
    Kind.CREATE_TEAM: _create_team,
    Kind.REMOVE_OWNER: _remove_owner,
    Kind.REMOVE_MEMBER: _remove_member,
}
"""Kinds of which one change is one write."""

ADDITIONS = (Kind.ADD_OWNER, Kind.ADD_MEMBER, Kind.JOIN_LICENCE_GROUP)
"""Kinds of which up to twenty changes of one group are one write."""


def works(changes: Sequence[Change], around: Surroundings) -> Iterator[Work]:
    """The writes of changes of one wave, in their order. Additions to one group share writes, owners first."""
    for additions, run in groupby(changes, key=lambda change: change.kind in ADDITIONS):
        if not additions:
            for change in run:
                yield SINGLE[change.kind](change, around)
            continue
        for _, of_team in groupby(run, key=lambda change: change.subject):
            relations = list(of_team)
            for start in range(0, len(relations), RELATIONS_PER_REQUEST):
                yield add_relations(relations[start : start + RELATIONS_PER_REQUEST], around)


def add_relations(changes: Sequence[Change], around: Surroundings) -> Work:
    """One write that adds up to twenty owners and members to one group."""
    group = around.object_ids[changes[0].subject]
    owners = [around.object_ids[c.other] for c in changes if c.kind == Kind.ADD_OWNER and c.other]
    members = [around.object_ids[c.other] for c in changes if c.kind != Kind.ADD_OWNER and c.other]
    request = codec.add_relations(group, owners=owners, members=members)
    fresh = changes[0].subject in around.fresh or any(change.other in around.fresh for change in changes)
    return Work(changes[0].kind, tuple(changes), request, frozenset({group}), fresh=fresh)
