"""Soft deletion: what was deleted can be restored for 30 days, with its relations; then it is gone (sections 2.3, 5.3, 13.3)."""

from __future__ import annotations

from typing import Any

from ..ask import Ask
from ..odata.entities import show_object
from ..odata.pages import related, selected
from ..tenant.tables import Table
from ..tenant.tenant import Tenant
from ..wire import Answer, Record, bad_request, conflict, denied, not_found
from . import licences, rules

KEPT = 30 * 86_400
TYPES = {"microsoft.graph.user": "user", "microsoft.graph.group": "group", "microsoft.graph.administrativeunit": "unit"}
MAY_RESTORE = {
    "user": frozenset({"User.DeleteRestore.All", "User.ReadWrite.All"}),
    "group": frozenset({"Group.ReadWrite.All"}),
    "unit": frozenset({"AdministrativeUnit.ReadWrite.All"}),
}


def throw(tenant: Tenant, table: Table, record: Record) -> None:
    """Move an object among the deleted ones. A user's name gets a prefix, so that the name is free."""
    key = record["id"]
    relations = {
        kind: {"of": list(links.of(key)), "to": list(links.to(key))}
        for kind, links in tenant.links.items()
        if links.of(key) or links.to(key)
    }
    for links in tenant.links.values():
        links.cut_all(key)
    table.drop(key)
    kept = {**record, "deletedDateTime": tenant.stamp(), "_kind": table.kind, "_relations": relations}
    if "userPrincipalName" in record:
        kept["userPrincipalName"] = f"{key.replace('-', '')}{record['userPrincipalName']}"
    tenant.deleted.put(key, kept)
    tenant.agenda.later("purge", tenant.clock.now(), KEPT, object=key)


def purge(tenant: Tenant, key: str) -> None:
    """The end of an object; only that it was is remembered, for delta."""
    record = tenant.deleted.get(key)
    if record is not None:
        tenant.deleted.drop(key)
        tenant.purged.put(key, {"id": key, "_kind": record["_kind"]})


def _find(ask: Ask) -> Record:
    record = ask.tenant.deleted.get(ask.parameters["id"])
    if record is None:
        raise not_found(ask.parameters["id"])
    return record


def read(ask: Ask) -> Answer:
    """200 with one deleted object."""
    return Answer(200, _show(ask, _find(ask)))


def _show(ask: Ask, record: Record) -> Record:
    return {**show_object(ask.tenant, record, selected(ask)), "deletedDateTime": record["deletedDateTime"]}


def listing(ask: Ask) -> Answer:
    """200 with a page of the deleted objects of a type."""
    kind = TYPES.get(ask.parameters["type"].lower())
    if kind is None:
        raise bad_request(f"Resource not found for the segment '{ask.parameters['type']}'.", code="BadRequest")
    found = [record for record in ask.tenant.deleted.values() if record["_kind"] == kind]
    return related(ask, found, lambda record, _: _show(ask, record))


def erase(ask: Ask) -> Answer:
    """204; the object is gone for good."""
    record = _find(ask)
    _check_permitted(ask, record)
    purge(ask.tenant, record["id"])
    return Answer(204)


def _check_permitted(ask: Ask, record: Record) -> None:
    if MAY_RESTORE[record["_kind"]].isdisjoint(ask.roles):
        raise denied()


def restore(ask: Ask) -> Answer:
    """200 with the object, back with its relations; 400 ObjectConflict where its name was taken meanwhile."""
    tenant, record = ask.tenant, _find(ask)
    _check_permitted(ask, record)
    options: Any = ask.body or {}
    back = {name: value for name, value in record.items() if name not in ("_kind", "_relations", "deletedDateTime")}
    if record["_kind"] == "user":
        back |= _name(tenant, record, options)
    if record["_kind"] == "group" and "Unified" in record["groupTypes"]:
        rules.check_free_nickname(tenant, record["mailNickname"], record["id"])
    table = {"user": tenant.users, "group": tenant.groups, "unit": tenant.units}[record["_kind"]]
    tenant.deleted.drop(record["id"])
    table.put(record["id"], back)
    if record["_kind"] == "user":
        licences.take_again(tenant, back)
    _tie_again(tenant, record)
    return Answer(200, show_object(tenant, back, selected(ask)))


def _name(tenant: Tenant, record: Record, options: Record) -> Record:
    """The user's name after the restoration: its old one, or the new one that was given."""
    name = options.get("newUserPrincipalName") or record["userPrincipalName"].removeprefix(
        record["id"].replace("-", "")
    )
    rules.check_user_name(name, tenant)
    if tenant.users.one("userPrincipalName", name) is not None:
        raise conflict("userPrincipalName")
    taken = [
        address
        for address in record["proxyAddresses"]
        for table in (tenant.users, tenant.groups)
        if table.find("mail", address.partition(":")[2])
    ]
    if taken and not options.get("autoReconcileProxyConflict"):
        raise conflict("proxyAddresses")
    return {"userPrincipalName": name, "proxyAddresses": [a for a in record["proxyAddresses"] if a not in taken]}


def _tie_again(tenant: Tenant, record: Record) -> None:
    """The relations the object had, as far as the other side is still there."""
    there = (tenant.users, tenant.groups, tenant.units)
    for kind, ends in record["_relations"].items():
        links = tenant.links[kind]
        pairs = [(record["id"], target) for target in ends["of"]] + [(source, record["id"]) for source in ends["to"]]
        for source, target in pairs:
            other = target if source == record["id"] else source
            if any(other in table for table in there) and target not in links.of(source):
                links.tie(source, target)
