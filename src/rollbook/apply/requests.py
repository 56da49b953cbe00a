"""Changes as requests: one table from kind to what is sent. Pure, except that first passwords are random."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rollbook.apply.passwords import first_password
from rollbook.directory.state import MAPPED, Relation
from rollbook.graph import codec
from rollbook.graph.protocol import Request
from rollbook.plan.changes import Kind

CLASS_TEAM = "educationClass"
"""The template of plans that were made before a plan named one."""

SETTLING = 10.0
"""Seconds until Microsoft ended the membership of somebody who stopped being a team's owner (graph.md section 5.2)."""

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

    `then` is a second write that completes the same changes once the first succeeded; `instead` is another way to them, taken
    where Microsoft refuses this one. The first change is of this `kind`; others may be carried along (`carried`). It rests for `pause`
    seconds before it is sent, as does `then` for `pause_then`.
    """

    kind: Kind
    changes: tuple[Change, ...]
    request: Request = field(repr=False)
    objects: frozenset[str]
    names: Mapping[int, str] = field(default_factory=dict)
    secrets: Mapping[int, str] = field(default_factory=dict, repr=False)
    fresh: bool = False
    then: Request | None = None
    instead: Work | None = None
    pause: float = 0.0
    pause_then: float = 0.0

    @property
    def seqs(self) -> tuple[int, ...]:
        """The sequence numbers of its changes."""
        return tuple(change.seq for change in self.changes)

    @property
    def carried(self) -> tuple[Change, ...]:
        """The relations that a creation brings along."""
        return self.changes[1:] if self.kind == Kind.CREATE_UNIFIED else ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What turning changes into requests needs: object ids and marks by link, and the property that carries a user's mark.

    Of groups that lose an owner who stays a member: `relations` are (group, user, Relation) as they are now, `seats` the ids of the
    owners' memberships on the team's own roster by (group, user). `along` are the relations a group can be made with, by its link.
    """

    object_ids: Mapping[int, str]
    marks: Mapping[int, str]
    mark_property: str
    fresh: Container[int] = (
        frozenset()
    )  # links whose object was made a moment ago: what names it may be refused for a while
    passwords: Mapping[int, str] = field(
        default_factory=dict, repr=False
    )  # of accounts that may have been made already
    relations: frozenset[tuple[str, str, int]] = frozenset()
    seats: Mapping[tuple[str, str], str] = field(default_factory=dict)
    along: Mapping[int, Sequence[Change]] = field(default_factory=dict)


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


def _create_unified(change: Change, around: Surroundings) -> Work:
    """A group with the first of its owners and members; where these hinder it, without them."""
    name, mark = change.values["mail_nickname"], around.marks[change.subject]
    alone = Work(
        change.kind,
        (change,),
        codec.create_unified(mark, change.values),
        frozenset({name}),
        names={change.subject: name},
    )
    carried = tuple(around.along.get(change.subject, ()))[:RELATIONS_PER_REQUEST]
    if not carried:
        return alone
    owners, members = _sides(carried, around)
    return replace(
        alone,
        changes=(change, *carried),
        request=codec.create_unified(mark, change.values, owners, members),
        fresh=any(each.other in around.fresh for each in carried),
        instead=alone,
    )


def _update_group(change: Change, around: Surroundings) -> Work:
    differing = {key: value for key, value in change.values.items() if change.before.get(key) != value}
    group = around.object_ids[change.subject]
    return Work(change.kind, (change,), codec.update_group(group, differing), frozenset({group}))


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
    request = codec.create_team(group, change.values.get("template", CLASS_TEAM))
    return Work(change.kind, (change,), request, frozenset({group}), fresh=change.subject in around.fresh)


def _archive_team(change: Change, around: Surroundings) -> Work:
    group = around.object_ids[change.subject]
    request = codec.archive_team(group) if change.kind == Kind.ARCHIVE_TEAM else codec.unarchive_team(group)
    return Work(change.kind, (change,), request, frozenset({group}), fresh=change.subject in around.fresh)


def _remove_member(change: Change, around: Surroundings) -> Work:
    assert change.other is not None
    group, user = around.object_ids[change.subject], around.object_ids[change.other]
    return Work(change.kind, (change,), codec.remove_member(group, user), frozenset({group}))


def _remove_owner(change: Change, around: Surroundings) -> Work:
    assert change.other is not None
    group, user = around.object_ids[change.subject], around.object_ids[change.other]
    return Work(change.kind, (change,), codec.remove_owner(group, user), frozenset({group}))


def _remove_stranger(change: Change, around: Surroundings) -> Work:
    group = around.object_ids[change.subject]
    request = codec.remove_member(group, change.values["object_id"])
    return Work(change.kind, (change,), request, frozenset({group}))


def _return_stranger(change: Change, around: Surroundings) -> Work:
    group = around.object_ids[change.subject]
    request = codec.add_relations(group, owners=[], members=[change.values["object_id"]])
    return Work(change.kind, (change,), request, frozenset({group}))


def _demote_owner(change: Change, around: Surroundings) -> Work:
    """An owner becomes a member on the team's own roster, which never puts them out (graph.md section 7.3).

    The roster may not show the owner yet, may be locked until a teacher activates the team, or may not be open to us. Then the way
    leads over the group: there the membership ends with the ownership (section 5.2), and is given back. Microsoft ends it seconds later,
    and says until then that the member is there already: so it is given back after those seconds only.
    """
    assert change.other is not None
    group, user = around.object_ids[change.subject], around.object_ids[change.other]
    adding = codec.add_relations(group, owners=[], members=[user])
    if (group, user, int(Relation.OWNER)) not in around.relations:
        # An earlier attempt came half the way, perhaps only a moment ago.
        return Work(change.kind, (change,), adding, frozenset({group}), pause=SETTLING)
    removing = codec.remove_owner(group, user)
    over_group = Work(change.kind, (change,), removing, frozenset({group}), then=adding, pause_then=SETTLING)
    seat = around.seats.get((group, user))
    if seat is None:
        return over_group
    request = codec.change_role(group, seat, roles=[])
    return Work(change.kind, (change,), request, frozenset({group}), instead=over_group)


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
    Kind.CREATE_UNIFIED: _create_unified,
    Kind.UPDATE_GROUP: _update_group,
    Kind.LICENSE_GROUP: _license_group,
    Kind.LEAVE_LICENCE_GROUP: _remove_member,
    Kind.CREATE_CLASS: _create_class,
    Kind.UPDATE_CLASS: _update_class,
    Kind.CREATE_TEAM: _create_team,
    Kind.REMOVE_OWNER: _remove_owner,
    Kind.REMOVE_MEMBER: _remove_member,
    Kind.REMOVE_STRANGER: _remove_stranger,
    Kind.RETURN_STRANGER: _return_stranger,
    Kind.DEMOTE_OWNER: _demote_owner,
    Kind.ARCHIVE_TEAM: _archive_team,
    Kind.UNARCHIVE_TEAM: _archive_team,
}
"""Kinds of which one change is one write."""

ADDITIONS = (Kind.ADD_OWNER, Kind.ADD_MEMBER, Kind.JOIN_LICENCE_GROUP)
"""Kinds of which up to twenty changes of one group are one write."""


def work_of(changes: Sequence[Change], around: Surroundings) -> Work:
    """The write of the changes of one unit: additions to one group, or a change with those a creation carries along."""
    if changes[0].kind in ADDITIONS:
        return add_relations(changes, around)
    return SINGLE[changes[0].kind](changes[0], around)


def add_relations(changes: Sequence[Change], around: Surroundings) -> Work:
    """One write that adds up to twenty owners and members to one group."""
    group = around.object_ids[changes[0].subject]
    owners, members = _sides(changes, around)
    request = codec.add_relations(group, owners=owners, members=members)
    fresh = changes[0].subject in around.fresh or any(change.other in around.fresh for change in changes)
    return Work(changes[0].kind, tuple(changes), request, frozenset({group}), fresh=fresh)


def _sides(changes: Sequence[Change], around: Surroundings) -> tuple[list[str], list[str]]:
    """The object ids of the owners and of the members that these additions are about."""
    owners = [around.object_ids[c.other] for c in changes if c.kind == Kind.ADD_OWNER and c.other]
    members = [around.object_ids[c.other] for c in changes if c.kind != Kind.ADD_OWNER and c.other]
    return owners, members


def is_there(change: Change, group: str, object_ids: Mapping[int, str], there: Container[tuple[str, str, int]]) -> bool:
    """Whether the relation an addition is about is among those (group, user, Relation) that are there."""
    relation = Relation.OWNER if change.kind == Kind.ADD_OWNER else Relation.MEMBER
    return (group, object_ids[change.other or 0], int(relation)) in there
