"""A team's own roster: apart from its group's people, following them late, changed at once through Teams (sections 6.3, 7.3).

The roster is one record a team: {id, people: {user: is owner}}. While a class team waits to be activated it holds owners only.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import Any

from ..ask import Ask
from ..odata.entities import USER
from ..odata.pages import related
from ..tenant.lags import View
from ..tenant.tenant import Tenant
from ..wire import Answer, Record, Refusal, bad_request, denied, not_found

USER_ADDRESS = re.compile(r"users(?:\('|/)([^')/]+)(?:'\))?$", re.IGNORECASE)
MOST_ADDED = 200
MOST_REMOVED = 20
MOST_MEMBERS = 25_000
ALSO_OWNERS = "TeamMember.ReadWrite.All"


def begin(tenant: Tenant, group: Record, *, locked: bool, ready: float, settings: Record) -> Record:
    """The group as a team, with the roster it begins with."""
    team = {"ready": ready, "locked": locked, "archived": False, **settings}
    record = {**group, "resourceProvisioningOptions": ["Team"], "_team": team}
    tenant.groups.put(group["id"], record)
    people = {} if locked else dict.fromkeys(tenant.members.of(group["id"]), False)
    people |= dict.fromkeys(tenant.owners.of(group["id"]), True)
    tenant.rosters.put(group["id"], {"id": group["id"], "people": people})
    return record


def activate(tenant: Tenant, group: Record) -> None:
    """A teacher opens the class team: its roster becomes what the group holds."""
    tenant.groups.put(group["id"], {**group, "_team": {**group["_team"], "locked": False}})
    people = dict.fromkeys(tenant.members.of(group["id"]), False) | dict.fromkeys(tenant.owners.of(group["id"]), True)
    tenant.rosters.put(group["id"], {"id": group["id"], "people": people})


def follow_group(tenant: Tenant, group: Record, name: str, keys: Sequence[str], tied: bool) -> None:
    """The group's people changed: the roster follows, owners within hours, members within a day."""
    if "_team" in group:
        delay = tenant.delays.owner if name == "owners" else tenant.delays.roster
        tenant.agenda.later("roster", tenant.clock.now(), delay, team=group["id"], users=list(keys))


def settle(tenant: Tenant, errand: Record) -> None:
    """The errand: some users are on the roster as the group has them now."""
    group, roster = tenant.groups.get(errand["team"]), tenant.rosters.get(errand["team"])
    if group is None or roster is None or "_team" not in group:
        return
    owners, members = tenant.owners.of(group["id"]), tenant.members.of(group["id"])
    people = dict(roster["people"])
    for key in errand["users"]:
        if key in owners:
            people[key] = True
        elif key in members and not group["_team"]["locked"]:
            people[key] = False
        else:
            people.pop(key, None)
    tenant.rosters.put(group["id"], {**roster, "people": people})


def people(tenant: Tenant, group: Record) -> list[tuple[Record, bool]]:
    """Who is on the roster, and whether as owner."""
    roster = tenant.rosters.get(group["id"])
    held = roster["people"] if roster is not None else {}
    return [(user, owner) for key, owner in held.items() if (user := tenant.users.get(key)) is not None]


def ready_team(tenant: Tenant, key: str) -> Record:
    """The group of a team that is ready; 404 if there is none."""
    group = tenant.groups.seen(key, View.BY_ID)
    if group is None or "_team" not in group or tenant.clock.now() < group["_team"]["ready"]:
        raise Refusal(404, "NotFound", f"No team found with Group Id {key}")
    return group


def _team(ask: Ask) -> Record:
    return ready_team(ask.tenant, ask.parameters["id"])


def membership_id(tenant: Tenant, group: str, user: str) -> str:
    """The opaque id of somebody's membership."""
    return base64.b64encode(f"MCMjMSMj{tenant.id}##{group}##{user}".encode()).decode()


def _user_behind(ask: Ask, group: Record) -> str:
    """The user of the membership in the address; 404 if there is none."""
    wanted = ask.parameters["membership"]
    try:
        _, team, user = base64.b64decode(wanted).decode().split("##")[-3:]
    except ValueError:
        raise not_found(wanted) from None
    roster = ask.tenant.rosters.get(group["id"]) or {"people": {}}
    if team != group["id"] or user not in roster["people"]:
        raise not_found(wanted)
    return user


def _member(tenant: Tenant, group: Record, user: Record, *, owner: bool) -> Record:
    return {
        "@odata.type": "#microsoft.graph.aadUserConversationMember",
        "id": membership_id(tenant, group["id"], user["id"]),
        "roles": ["owner"] if owner else ["guest"] if user.get("userType") == "Guest" else [],
        "displayName": user["displayName"],
        "userId": user["id"],
        "email": user.get("mail"),
        "tenantId": tenant.id,
        "visibleHistoryStartDateTime": "0001-01-01T00:00:00Z",
    }


def listing(ask: Ask) -> Answer:
    """200 with a page of the roster."""
    group = _team(ask)
    entries = [_member(ask.tenant, group, user, owner=owner) for user, owner in people(ask.tenant, group)]
    return related(ask, entries, lambda record, _: record)


def read(ask: Ask) -> Answer:
    """200 with one member."""
    group = _team(ask)
    key = _user_behind(ask, group)
    owner = {user["id"]: owner for user, owner in people(ask.tenant, group)}[key]
    return Answer(200, _member(ask.tenant, group, USER.find(ask.tenant, key), owner=owner))


def _wanted(ask: Ask, group: Record, given: Any) -> tuple[Record, bool]:
    """The user and the role of one entry; 400, 403 or 404 where it cannot be."""
    if not isinstance(given, dict):
        raise bad_request("A member is an object.", code="BadRequest")
    found = USER_ADDRESS.search(str(given.get("user@odata.bind", "")))
    if found is None:
        raise bad_request("The navigation bind for the user was missing in request", code="BadRequest")
    roles = given.get("roles", [])
    if roles not in ([], ["owner"], ["guest"]):
        raise bad_request("Invalid role specified for member.", code="BadRequest")
    if roles == ["owner"] and ALSO_OWNERS not in ask.roles:
        raise denied()
    if group["_team"]["locked"]:
        raise Refusal(403, "OperationDeniedAsTeamIsLocked", "The team is locked until a teacher activates it.")
    user = USER.find(ask.tenant, found[1])
    if user.get("userType") == "Guest" or roles == ["guest"]:
        raise denied("Guests cannot be added by an application.")
    if not user["accountEnabled"]:
        raise not_found(user["id"])
    if len((ask.tenant.rosters.get(group["id"]) or {"people": {}})["people"]) >= MOST_MEMBERS:
        raise bad_request(f"A team has at most {MOST_MEMBERS} members.", code="BadRequest")
    return user, roles == ["owner"]


def _enter(tenant: Tenant, group: Record, user: Record, *, owner: bool) -> None:
    """Into the roster and, since Teams writes through, into the group."""
    roster = tenant.rosters.get(group["id"]) or {"id": group["id"], "people": {}}
    tenant.rosters.put(group["id"], {**roster, "people": {**roster["people"], user["id"]: owner}})
    if user["id"] not in tenant.members.of(group["id"]):
        tenant.members.tie(group["id"], user["id"])
    if owner and user["id"] not in tenant.owners.of(group["id"]):
        tenant.owners.tie(group["id"], user["id"])
    if not owner:
        tenant.owners.cut(group["id"], user["id"])


def _leave(tenant: Tenant, group: Record, key: str) -> None:
    """Out of the roster and of the group; 400 for the last owner."""
    roster = tenant.rosters.get(group["id"]) or {"id": group["id"], "people": {}}
    owners = [user for user, owner in roster["people"].items() if owner]
    if owners == [key]:
        raise bad_request("The last owner of a team cannot be removed.", code="BadRequest")
    left = {user: owner for user, owner in roster["people"].items() if user != key}
    tenant.rosters.put(group["id"], {**roster, "people": left})
    tenant.owners.cut(group["id"], key)
    tenant.members.cut(group["id"], key)


def add(ask: Ask) -> Answer:
    """201 with the member, who is in the team at once."""
    group = _team(ask)
    user, owner = _wanted(ask, group, ask.record())
    _enter(ask.tenant, group, user, owner=owner)
    return Answer(201, _member(ask.tenant, group, user, owner=owner))


def change(ask: Ask) -> Answer:
    """200 with the member, promoted or demoted."""
    group = _team(ask)
    key, roles = _user_behind(ask, group), ask.record().get("roles")
    if roles not in ([], ["owner"]):
        raise bad_request("Invalid role specified for member.", code="BadRequest")
    if ALSO_OWNERS not in ask.roles:
        raise denied()
    roster = ask.tenant.rosters.get(group["id"])
    assert roster is not None
    if not roles and [user for user, owner in roster["people"].items() if owner] == [key]:
        raise bad_request("The last owner of a team cannot be demoted.", code="BadRequest")
    user = USER.find(ask.tenant, key)
    _enter(ask.tenant, group, user, owner=bool(roles))
    return Answer(200, _member(ask.tenant, group, user, owner=bool(roles)))


def remove(ask: Ask) -> Answer:
    """204; out of the team and of the group."""
    group = _team(ask)
    key = _user_behind(ask, group)
    if ALSO_OWNERS not in ask.roles and {u["id"]: o for u, o in people(ask.tenant, group)}.get(key):
        raise denied()
    _leave(ask.tenant, group, key)
    return Answer(204)


def _several(ask: Ask, most: int) -> list[Any]:
    values = ask.record().get("values")
    if not isinstance(values, list) or not 0 < len(values) <= most:
        raise bad_request(f"1 to {most} members are expected in 'values'.", code="BadRequest")
    return values


def add_several(ask: Ask) -> Answer:
    """200 if everybody was added, 207 with what went wrong for whom."""
    group = _team(ask)

    def enter(entry: Any) -> str:
        user, owner = _wanted(ask, group, entry)
        _enter(ask.tenant, group, user, owner=owner)
        return str(user["id"])

    results, failed = _each(_several(ask, MOST_ADDED), enter)
    body = {"@odata.context": f"{ask.base}/$metadata#Collection(microsoft.graph.conversationMember)", "value": results}
    return Answer(207 if failed else 200, body)


def remove_several(ask: Ask) -> Answer:
    """204 if everybody was removed, 207 with what went wrong for whom."""
    group = _team(ask)

    def leave(entry: Any) -> str:
        found = USER_ADDRESS.search(str(entry.get("user@odata.bind", ""))) if isinstance(entry, dict) else None
        if found is None:
            raise bad_request("The navigation bind for the user was missing in request", code="BadRequest")
        roster = ask.tenant.rosters.get(group["id"]) or {"people": {}}
        user = USER.find(ask.tenant, found[1])
        if user["id"] not in roster["people"]:
            raise not_found(user["id"])
        _leave(ask.tenant, group, user["id"])
        return str(user["id"])

    results, failed = _each(_several(ask, MOST_REMOVED), leave)
    body = {"@odata.context": f"{ask.base}/$metadata#Collection(microsoft.graph.conversationMember)", "value": results}
    return Answer(207, body) if failed else Answer(204)


def _each(entries: list[Any], act: Any) -> tuple[list[Record], bool]:
    """What became of each entry, and whether any failed."""
    results, failed = [], False
    for entry in entries:
        error, key = None, None
        try:
            key = act(entry)
        except Refusal as refused:
            failed = True
            error = {"code": refused.code, "message": refused.message}
            found = USER_ADDRESS.search(str(entry.get("user@odata.bind", ""))) if isinstance(entry, dict) else None
            key = found[1] if found else None
        results.append(
            {"@odata.type": "#microsoft.graph.aadUserConversationMemberResult", "userId": key, "error": error}
        )
    return results, failed
