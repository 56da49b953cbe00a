"""Owners and members of groups: what may be tied to what, all or none, and what follows from it (graph.md section 5.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..addresses import referenced_id
from ..ask import Ask
from ..odata.entities import GROUP, USER, show_object
from ..odata.pages import related, selected
from ..tenant.lags import View
from ..tenant.links import Links
from ..tenant.tenant import Tenant
from ..wire import Answer, Record, bad_request, denied, not_found
from . import licences, roles, users

PER_REQUEST = 20
MOST_OWNERS = 100
NOT_THERE_YET = "The source resource object or one of the objects being referenced don't exist."
GROUP_WRITERS = frozenset({"Group.ReadWrite.All", "Directory.ReadWrite.All"})

Follower = Callable[[Tenant, Record, str, Sequence[str], bool], None]
followers: list[Follower] = [
    lambda tenant, group, name, keys, _: licences.follow_membership(tenant, group, keys) if name == "members" else None
]
"""Told of every tie and cut of a group's people: tenant, group, relation, ids, whether they were tied."""


def links_of(tenant: Tenant, name: str) -> Links:
    """The relation of this name."""
    return tenant.owners if name in ("owners", "teachers") else tenant.members


def tell(tenant: Tenant, group: Record, name: str, keys: Sequence[str], *, tied: bool) -> None:
    """Have everything that follows from a change of a group's people begin."""
    for follower in followers:
        follower(tenant, group, name, keys, tied)


Chosen = list[tuple[str, list[str]]]


def check_all(ask: Ask, group: Record, owners: Any, members: Any) -> Chosen:
    """What is to be tied, by relation; 400, 403 or 404 if any of it may not be."""
    if not isinstance(owners, list) or not isinstance(members, list):
        raise bad_request("A bind has to be a list of references.")
    if not owners and not members:
        raise bad_request(f"The bind is empty; 1 to {PER_REQUEST} references are expected.")
    if len(owners) + len(members) > PER_REQUEST:
        raise bad_request(f"The request exceeds the maximum number of {PER_REQUEST} references.")
    check_changeable(ask, group)
    chosen = [
        (name, [referenced_id(entry) for entry in bind]) for name, bind in (("owners", owners), ("members", members))
    ]
    for name, keys in chosen:
        _check(ask.tenant, group, name, keys)
    return chosen


def relate(ask: Ask, group: Record, owners: Any, members: Any) -> None:
    """Add owners and members, all or none: 20 at most, each there and allowed, none of them a relation already."""
    tie_all(ask.tenant, group, check_all(ask, group, owners, members))


def tie_all(tenant: Tenant, group: Record, chosen: Chosen) -> None:
    """Tie what was checked."""
    for name, keys in chosen:
        for key in keys:
            links_of(tenant, name).tie(group["id"], key)
        if keys:
            tell(tenant, group, name, keys, tied=True)


def check_changeable(ask: Ask, group: Record) -> None:
    """400 or 403 for a group whose people are not changed by hand: dynamic, synchronized, restricted, role-assignable."""
    if "DynamicMembership" in group["groupTypes"]:
        raise bad_request("Insufficient privileges: members of a dynamic group follow from its rule.")
    if group.get("onPremisesSyncEnabled"):
        raise bad_request("Unable to update the specified properties for on-premises mastered Directory Sync objects.")
    roles.check_unrestricted(ask.tenant, group)
    roles.check_role_group(ask, group)


def _check(tenant: Tenant, group: Record, name: str, keys: list[str]) -> None:
    links = links_of(tenant, name)
    held = links.of(group["id"])
    for key in keys:
        nested = tenant.users.get(key) is None
        if nested and not (name == "members" and _may_nest(tenant, group, key)):
            raise not_found(key)
        if (tenant.groups if nested else tenant.users).seen(key, View.LINKS) is None:
            raise bad_request(NOT_THERE_YET)
    if tenant.groups.get(group["id"]) is not None and tenant.groups.seen(group["id"], View.LINKS) is None:
        raise bad_request(NOT_THERE_YET)
    if len(set(keys)) != len(keys) or any(key in held for key in keys):
        raise bad_request(
            f"One or more added object references already exist for the following modified properties: '{name}'."
        )
    if name == "owners" and len(held) + len(keys) > MOST_OWNERS:
        message = (
            f'Unable to perform operation as "{len(held) + len(keys)}" would exceed the maximum quota count '
            f'"{MOST_OWNERS}" for forward-link "owners".'
        )
        raise bad_request(message, code="Directory_QuotaExceeded")


def _may_nest(tenant: Tenant, group: Record, key: str) -> bool:
    """A security group may hold security groups; a Microsoft 365 group holds users only and is nested nowhere."""
    inner = tenant.groups.get(key)
    if inner is None:
        return False
    if "Unified" in group["groupTypes"] or "Unified" in inner["groupTypes"] or inner["id"] == group["id"]:
        raise bad_request("The group cannot be a member of this group.")
    if group.get("isAssignableToRole"):
        raise bad_request("A role-assignable group cannot hold groups.")
    return True


def _group(ask: Ask) -> Record:
    return GROUP.find(ask.tenant, ask.parameters["id"])


def add_reference(ask: Ask) -> Answer:
    """204; one owner or member."""
    name, reference = ask.parameters["relation"], [ask.record().get("@odata.id")]
    relate(ask, _group(ask), reference if name == "owners" else [], reference if name == "members" else [])
    return Answer(204)


def remove_reference(ask: Ask) -> Answer:
    """204; one owner or member less. The last owner of a Microsoft 365 group stays."""
    target = ask.parameters.get("target") or referenced_id(ask.query.get("@id"))
    cut(ask, _group(ask), ask.parameters["relation"], target)
    return Answer(204)


def cut(ask: Ask, group: Record, name: str, target: str) -> None:
    """End one relation; of a team's group, whoever stops being owner stops being member too, seconds later (section 5.2)."""
    tenant, links = ask.tenant, links_of(ask.tenant, name)
    check_changeable(ask, group)
    if target not in links.of(group["id"]):
        raise not_found(target)
    if links is tenant.owners and len(links.of(group["id"])) == 1 and "Unified" in group["groupTypes"]:
        raise bad_request("The group must have at least one owner, hence this owner cannot be removed.")
    links.cut(group["id"], target)
    tell(tenant, group, "owners" if links is tenant.owners else "members", [target], tied=False)
    if links is tenant.owners and "_team" in group:
        tenant.agenda.later("leaving", tenant.clock.now(), tenant.delays.leaving, group=group["id"], user=target)


def finish_leaving(tenant: Tenant, errand: Record) -> None:
    """The errand: whoever stopped being owner of a team is a member no more, unless they own it again."""
    group, user = tenant.groups.get(errand["group"]), errand["user"]
    if group is None or user in tenant.owners.of(group["id"]) or user not in tenant.members.of(group["id"]):
        return
    tenant.members.cut(group["id"], user)
    tell(tenant, group, "members", [user], tied=False)


def delete_member(ask: Ask) -> Answer:
    """204; without /$ref this deletes the *user*, as Microsoft documents (section 5.2)."""
    if users.WRITERS.isdisjoint(ask.roles):
        raise denied()
    users.remove(ask.tenant, USER.find(ask.tenant, ask.parameters["target"]))
    return Answer(204)


def listing(ask: Ask) -> Answer:
    """200 with a page of owners or members."""
    found = people(ask, _group(ask), ask.parameters["relation"])
    return related(ask, found, lambda record, _: visible(ask, record))


def references(ask: Ask) -> Answer:
    """200 with a page of references to owners or members."""
    found = people(ask, _group(ask), ask.parameters["relation"])
    return related(ask, found, lambda record, _: f"{ask.base}/directoryObjects/{record['id']}")


def people(ask: Ask, group: Record, name: str) -> list[Record]:
    """Who is related; members of hidden groups only with Member.Read.Hidden, silently none else (section 13.5)."""
    hidden = links_of(ask.tenant, name) is ask.tenant.members and group["visibility"] == "HiddenMembership"
    if hidden and "Member.Read.Hidden" not in ask.roles:
        return []
    return objects(ask.tenant, links_of(ask.tenant, name).seen(group["id"]))


def objects(tenant: Tenant, keys: Iterable[str]) -> list[Record]:
    """The live objects of these ids."""
    return [record for key in keys if (record := tenant.users.get(key) or tenant.groups.get(key))]


def visible(ask: Ask, record: Record) -> Record:
    """A directory object; of one the application may not read, only the id (section 13.5)."""
    readers = users.READERS | {"User.ReadBasic.All"} if "userPrincipalName" in record else GROUP_READERS
    if readers.isdisjoint(ask.roles):
        kind = "user" if "userPrincipalName" in record else "group"
        return {"@odata.type": f"#microsoft.graph.{kind}", "id": record["id"]}
    return show_object(ask.tenant, record, selected(ask))


GROUP_READERS = frozenset(
    "Group.ReadBasic.All GroupMember.Read.All Group.Read.All Group.ReadWrite.All Directory.Read.All Directory.ReadWrite.All".split()
)
