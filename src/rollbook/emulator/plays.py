"""Playing the others: the teacher, a human administrator, a rival that writes to the same tenant; past the rules of applications.

Each play takes a tenant and a JSON body, and says what it did. `ValueError` tells what does not fit.
"""

from __future__ import annotations

from typing import Any

from .calls import groups, licences, relations, roster, trash
from .odata.entities import is_class
from .tenant.tables import Table
from .tenant.tenant import GLOBAL_ADMINISTRATOR, OBJECT_TYPE, Tenant, domain_record
from .wire import Record

SDS_APP = {"client_id": "fe217466-5583-431c-9531-14ff7268b7b3", "name": "School Data Sync"}


KEPT_AT_ONCE = 1_000
"""Classes of a large seed that are stored together, so that a million memberships need not wait in memory."""


def user(tenant: Tenant, named: Any) -> Record:
    """A user by id or name."""
    found = tenant.users.get(str(named)) or tenant.users.one("userPrincipalName", str(named))
    if found is None:
        raise ValueError(f"no user {named}")
    return found


def group(tenant: Tenant, named: Any) -> Record:
    """A group by id or nickname."""
    found = tenant.groups.get(str(named)) or tenant.groups.one("mailNickname", str(named))
    if found is None:
        raise ValueError(f"no group {named}")
    return found


def activate(tenant: Tenant, body: Record) -> Record:
    """A teacher activates a class team: {"team": id}."""
    found = group(tenant, body["team"])
    if "_team" not in found:
        raise ValueError(f"no team {body['team']}")
    roster.activate(tenant, found)
    return {"activated": found["id"]}


def edit(tenant: Tenant, body: Record) -> Record:
    """An administrator changes an object by hand: {"user" or "group": id or name, "set": {...}}."""
    table, found = _object(tenant, body)
    if not isinstance(body.get("set"), dict):
        raise ValueError("say what to set: {'set': {...}}")
    table.put(found["id"], {**found, **body["set"]})
    return {"edited": found["id"]}


def delete(tenant: Tenant, body: Record) -> Record:
    """An administrator deletes an object by hand; for good if {"forever": true}."""
    table, found = _object(tenant, body)
    if table is tenant.users:
        licences.release_all(tenant, found)
    trash.throw(tenant, table, found)
    if body.get("forever"):
        trash.purge(tenant, found["id"])
    return {"deleted": found["id"]}


def _object(tenant: Tenant, body: Record) -> tuple[Table, Record]:
    if "user" in body:
        return tenant.users, user(tenant, body["user"])
    return tenant.groups, group(tenant, body["group"])


def people(tenant: Tenant, body: Record) -> Record:
    """An administrator ties or cuts by hand: {"group": ..., "user": ..., "as": "owner" or "member", "remove": false}."""
    found, person = group(tenant, body["group"]), user(tenant, body["user"])
    name = f"{body.get('as', 'member')}s"
    if name not in ("owners", "members"):
        raise ValueError("somebody is in a group as owner or member")
    links = relations.links_of(tenant, name)
    tied = not body.get("remove")
    if tied != (person["id"] in links.of(found["id"])):
        (links.tie if tied else links.cut)(found["id"], person["id"])
        relations.tell(tenant, found, name, [person["id"]], tied=tied)
    return {"group": found["id"], "user": person["id"], "tied": tied}


def rival(tenant: Tenant, body: Record) -> Record:
    """Somebody else writes: {"play": "sds", "class": ...}, {"play": "expiry", "group": ...}, {"play": "own-team", "teacher": ...}."""
    plays = {"sds": _sds, "expiry": _expiry, "own-team": _own_team}
    play = plays.get(str(body.get("play")))
    if play is None:
        raise ValueError(f"the rivals are {', '.join(plays)}")
    return play(tenant, body)


def _sds(tenant: Tenant, body: Record) -> Record:
    """School Data Sync takes over a class: writes its own marks, renames it, and adds its people."""
    found = group(tenant, body["class"])
    if not is_class(found):
        raise ValueError(f"{body['class']} is no class")
    mark = {
        "externalSource": "sis",
        "externalSourceDetail": "School Data Sync",
        "externalId": body.get("external_id", "SDS-1"),
    }
    made_by = {"createdBy": {"application": {"id": SDS_APP["client_id"], "displayName": SDS_APP["name"]}}}
    name = {"displayName": body["name"]} if "name" in body else {}
    tenant.groups.put(found["id"], {**found, **mark, **made_by, **name})
    for person in body.get("members", ()):
        people(tenant, {"group": found["id"], "user": person})
    return {"class": found["id"], "written": mark}


def _expiry(tenant: Tenant, body: Record) -> Record:
    """The tenant's expiration policy deletes a group nobody renewed."""
    found = group(tenant, body["group"])
    trash.throw(tenant, tenant.groups, found)
    return {"expired": found["id"]}


def _own_team(tenant: Tenant, body: Record) -> Record:
    """A teacher makes a class team in Teams: a group that is no class for the education API (section 13.2)."""
    teacher = user(tenant, body["teacher"])
    name = body.get("name", "My class")
    given = {"displayName": name, "mailNickname": f"own{tenant.new_id()[:8]}", "visibility": "HiddenMembership"}
    record = groups.group_record(tenant, {**given, "mailEnabled": True, "securityEnabled": False}, ["Unified"])
    tenant.groups.put(record["id"], record)
    for links in (tenant.owners, tenant.members):
        links.tie(record["id"], teacher["id"])
    roster.begin(tenant, record, locked=False, ready=tenant.clock.now(), settings={})
    return {"team": record["id"]}


def role(tenant: Tenant, body: Record) -> Record:
    """A directory role for a user or role-assignable group: {"principal": id, "eligible": false, "role": template id}."""
    table = tenant.eligible if body.get("eligible") else tenant.assignments
    principal = str(body["principal"])
    if principal not in tenant.users and principal not in tenant.groups:
        raise ValueError(f"no user or group {principal}")
    key = tenant.new_id()
    definition = body.get("role", GLOBAL_ADMINISTRATOR)
    table.put(key, {"id": key, "principalId": principal, "roleDefinitionId": definition, "directoryScopeId": "/"})
    return {"assigned": key}


def domain(tenant: Tenant, body: Record) -> Record:
    """One more domain: {"name": ..., "federated": false, "verified": true}."""
    name = str(body["name"]).lower()
    federated, verified = bool(body.get("federated")), bool(body.get("verified", True))
    tenant.domains.put(name, domain_record(name, federated=federated, verified=verified))
    return {"domain": name}


def seed(tenant: Tenant, body: Record) -> Record:
    """Objects as JSON, stored without any check but unique names: {"users": [...], "groups": [...], "classes": [...]}.

    Users and groups are given as Graph shows them; groups and classes may say `owners` and `members` by user name or id, and
    `team: true`. {"people": n, "class_size": m, "classes": k} makes many at once.
    """
    made = {"users": 0, "groups": 0, "memberships": 0}
    for given in body.get("users", ()):
        name = str(given["userPrincipalName"])
        if tenant.users.one("userPrincipalName", name) is not None:
            raise ValueError(f"there is a user {name} already")
        more = {key: value for key, value in given.items() if key != "userPrincipalName"}
        tenant.add_user(str(given.get("id", tenant.new_id())), name, str(given.get("displayName", name)), **more)
        made["users"] += 1
    classes = body.get("classes", ())
    if isinstance(classes, int):
        _many(tenant, int(body["people"]), classes, int(body.get("class_size", 25)), made)
        classes = ()
    for given in body.get("groups", ()):
        _seed_group(tenant, given, made)
    for given in classes:
        section = {"visibility": "HiddenMembership", "creationOptions": ["classAssignments"], OBJECT_TYPE: "Section"}
        _seed_group(
            tenant, {"groupTypes": ["Unified"], "mailEnabled": True, "securityEnabled": False, **section, **given}, made
        )
    tenant.save()
    # What was seeded is where counting begins: nobody wrote it.
    tenant.changes.new_baseline()
    return {"made": made}


def _seed_group(tenant: Tenant, given: Record, made: dict[str, int]) -> None:
    own = {key: value for key, value in given.items() if key not in ("owners", "members", "team", "id")}
    own.setdefault("mailNickname", f"g{tenant.new_id()[:8]}")
    record = groups.group_record(tenant, own, list(given.get("groupTypes", [])))
    record |= {"id": str(given["id"])} if "id" in given else {}
    record["_made"] = 0.0
    tenant.groups.put(record["id"], record)
    for name in ("owners", "members"):
        for person in given.get(name, ()):
            relations.links_of(tenant, name).tie(record["id"], user(tenant, person)["id"])
            made["memberships"] += 1
    if given.get("team"):
        roster.begin(tenant, record, locked=False, ready=0.0, settings={})
    made["groups"] += 1


def _many(tenant: Tenant, count: int, classes: int, size: int, made: dict[str, int]) -> None:
    """A large school: people, and classes of a size, each with the first of its people as owner too."""
    keys = []
    for number in range(count):
        key = tenant.new_id()
        tenant.add_user(
            key, f"seed{number}@{tenant.domain}", f"Seed {number}", employeeId=str(number), usageLocation="GR"
        )
        keys.append(key)
    for number in range(classes):
        section = {"visibility": "HiddenMembership", "creationOptions": ["classAssignments"], OBJECT_TYPE: "Section"}
        given = {
            "displayName": f"Class {number}",
            "mailNickname": f"class{number}",
            "mailEnabled": True,
            "securityEnabled": False,
        }
        record = groups.group_record(tenant, {**given, **section, "externalId": f"C{number}"}, ["Unified"])
        record["_made"] = 0.0
        tenant.groups.put(record["id"], record)
        chosen = [keys[(number * size + n) % count] for n in range(min(size, count))]
        tenant.owners.tie(record["id"], chosen[0])
        for key in chosen:
            tenant.members.tie(record["id"], key)
        made["memberships"] += len(chosen) + 1
        if number % KEPT_AT_ONCE == 0:
            tenant.save()
    made["users"] += count
    made["groups"] += classes
