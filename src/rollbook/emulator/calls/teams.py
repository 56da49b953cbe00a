"""Teams: made from groups as operations that take time, read, their roster apart from the group's members (section 7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..ask import Ask
from ..odata.pages import list_page, page_size
from ..tenant.tenant import Tenant
from ..wire import Answer, Record, Refusal, bad_request, not_found
from . import education, groups

_TEMPLATE = re.compile(r"teamsTemplates\('(\w+)'\)$", re.IGNORECASE)
_GROUP = re.compile(r"groups(?:\('|/)([0-9a-f-]{36})(?:'\))?$", re.IGNORECASE)
_USER = re.compile(r"users(?:\('|/)([^')/]+)(?:'\))?$", re.IGNORECASE)
TEMPLATES = frozenset({"standard", "educationClass", "educationStaff", "educationProfessionalLearningCommunity"})
BACKEND = "Failed to execute Templates backend request CreateTeamFromGroupWithTemplateRequest."
MOST_MEMBERS = 10_000


def _reference(value: Any, pattern: re.Pattern[str]) -> str | None:
    found = pattern.search(value) if isinstance(value, str) else None
    return found[1] if found else None


def create(ask: Ask) -> Answer:
    """202 with an operation: a team from a group, or a new private one with its group."""
    given = ask.record()
    template = _reference(given.get("template@odata.bind"), _TEMPLATE)
    if template not in TEMPLATES:
        raise bad_request("Invalid template@odata.bind.", code="BadRequest")
    if "group@odata.bind" not in given:
        return _create_with_group(ask, given, str(template))
    if given.keys() - {"template@odata.bind", "group@odata.bind"}:
        raise bad_request("Properties are inherited from the group and cannot be given with it.", code="BadRequest")
    key = _reference(given["group@odata.bind"], _GROUP)
    if key is None:
        raise bad_request("Invalid group@odata.bind.", code="BadRequest")
    group = _visible_group(ask.tenant, key)
    if template == "educationClass" and not education.is_class(group):
        raise bad_request(
            "Team with template 'educationClass' can not be provisioned using a group which does not belong to a class.",
            code="BadRequest",
        )
    _check_can_be_team(ask.tenant, group)
    return _provision(ask, group, locked=template == "educationClass")


def put(ask: Ask) -> Answer:
    """201 with the team of a group, at once."""
    group = _visible_group(ask.tenant, ask.parameters["id"])
    _check_can_be_team(ask.tenant, group)
    record = _as_team(ask.tenant, group, locked=education.is_class(group), ready=ask.now)
    ask.tenant.groups.put(record["id"], record)
    return Answer(201, show(record), {"Location": f"/teams('{record['id']}')"})


def _create_with_group(ask: Ask, given: Record, template: str) -> Answer:
    members = given.get("members")
    if not isinstance(members, list) or len(members) != 1 or not isinstance(members[0], dict):
        raise bad_request("One member has to be named as owner when the caller is an application.", code="BadRequest")
    owner = _reference(members[0].get("user@odata.bind"), _USER)
    if owner is None:
        raise bad_request("The navigation bind for the user was missing in request", code="BadRequest")
    if not isinstance(given.get("displayName"), str) or not given["displayName"]:
        raise bad_request("displayName is required.", code="BadRequest")
    nickname = f"team-{ask.tenant.new_id()[:8]}"
    private = template == "educationClass" or given.get("visibility") != "Public"
    new = {"displayName": given["displayName"], "mailNickname": nickname, "description": given.get("description")}
    new |= {"mailEnabled": True, "securityEnabled": False, "visibility": "Private" if private else "Public"}
    group = groups.group_record(ask.tenant, new, ["Unified"])
    ask.tenant.groups.put(group["id"], group)
    try:
        reference = [f"{ask.base}/users/{owner}"]
        groups.relate(ask.tenant, group, reference, reference)
        _check_can_be_team(ask.tenant, group)
    except Refusal:
        ask.tenant.members.cut_all(group["id"])
        ask.tenant.owners.cut_all(group["id"])
        ask.tenant.groups.drop(group["id"])
        raise
    return _provision(ask, group, locked=False)


def _visible_group(tenant: Tenant, key: str) -> Record:
    """The group; 404 while it settles, which Microsoft says takes up to 15 minutes (section 7.1)."""
    group = groups.find(tenant, key)
    if tenant.clock.now() < group["_made"] + tenant.delays.settling:
        raise Refusal(404, "NotFound", f"{BACKEND} Request Url: /groups/{key}: the group was not found.")
    return group


def _check_can_be_team(tenant: Tenant, group: Record) -> None:
    if not groups.is_unified(group):
        raise bad_request(f"{BACKEND} The group has to be a Microsoft 365 group.", code="BadRequest")
    if "_team" in group:
        raise Refusal(409, "Conflict", f"{BACKEND} The group is already provisioned.")
    owners = [tenant.users.get(key) for key in tenant.owners.of(group["id"])]
    if not owners:
        raise bad_request(f"{BACKEND} Team owner not found; the group must have one or more owners.", code="BadRequest")
    if not any(owner and owner["accountEnabled"] and tenant.has_teams_plan(owner) for owner in owners):
        raise Refusal(403, "Forbidden", f"{BACKEND} GetApplicableSkuCategoriesForUserFailed")
    if len(tenant.members.of(group["id"])) > MOST_MEMBERS:
        raise bad_request(f"{BACKEND} The group has more than {MOST_MEMBERS} members.", code="BadRequest")


def _as_team(tenant: Tenant, group: Record, *, locked: bool, ready: float) -> Record:
    """The group as a team; a class team is locked until a teacher activates it (section 6.3)."""
    team = {"ready": ready, "locked": locked, "made": tenant.clock.now()}
    return {**group, "resourceProvisioningOptions": ["Team"], "_team": team}


def _provision(ask: Ask, group: Record, *, locked: bool) -> Answer:
    tenant = ask.tenant
    ready = ask.now + tenant.delays.operation
    tenant.groups.put(group["id"], _as_team(tenant, group, locked=locked, ready=ready))
    operation = tenant.new_id()
    tenant.operations.put(
        operation,
        {"id": operation, "team": group["id"], "createdDateTime": tenant.stamp(), "ready": ready, "type": "createTeam"},
    )
    team = f"/teams('{group['id']}')"
    return Answer(202, None, {"Location": f"{team}/operations('{operation}')", "Content-Location": team})


def operation(ask: Ask) -> Answer:
    """200 with how far an operation is."""
    record = ask.tenant.operations.get(ask.parameters["operation"])
    if record is None or record["team"] != ask.parameters["id"]:
        raise not_found(ask.parameters["operation"])
    ended = ask.now >= record["ready"]
    body = {
        "id": record["id"],
        "operationType": record["type"],
        "createdDateTime": record["createdDateTime"],
        "status": "succeeded" if ended else "inProgress",
        "lastActionDateTime": ask.tenant.stamp(),
        "attemptsCount": 1,
        "targetResourceId": record["team"],
        "targetResourceLocation": f"/teams('{record['team']}')",
        "error": None,
    }
    return Answer(200, body)


def find(tenant: Tenant, key: str) -> Record:
    """The group of a team that is ready; 404 if there is none."""
    group = tenant.groups.get(key)
    if group is None or "_team" not in group or tenant.clock.now() < group["_team"]["ready"]:
        raise Refusal(404, "NotFound", f"No team found with Group Id {key}")
    return group


def show(group: Record) -> Record:
    """A team as Graph shows it."""
    return {
        "id": group["id"],
        "displayName": group["displayName"],
        "description": group.get("description"),
        "internalId": f"19:{group['id'].replace('-', '')}@thread.tacv2",
        "isArchived": False,
        "visibility": "hiddenMembership" if education.is_class(group) else group["visibility"].lower(),
        "specialization": "educationClass" if education.is_class(group) else "none",
        "createdDateTime": group["createdDateTime"],
    }


def read(ask: Ask) -> Answer:
    """200 with one team."""
    return Answer(200, show(find(ask.tenant, ask.parameters["id"])))


def roster(tenant: Tenant, group: Record) -> list[tuple[Record, bool]]:
    """Who is in the team, and whether as owner: the group's people after the background sync; owners only while locked."""
    now, late = tenant.clock.now(), tenant.delays.roster
    owners = tenant.owners.of(group["id"])
    since = {**tenant.members.of(group["id"]), **owners}
    people = []
    for key, span in since.items():
        user = tenant.users.get(key)
        there = span.since <= group["_team"]["made"] or now >= span.since + late
        if user is not None and there and (key in owners or not group["_team"]["locked"]):
            people.append((user, key in owners))
    return people


def members(ask: Ask) -> Answer:
    """200 with a page of the team's own roster."""
    group = find(ask.tenant, ask.parameters["id"])
    page_size(ask)
    entries = [_member(group, user, owner=owner) for user, owner in roster(ask.tenant, group)]
    return list_page(ask, entries, lambda record, _: record)


def _member(group: Record, user: Mapping[str, Any], *, owner: bool) -> Record:
    return {
        "@odata.type": "#microsoft.graph.aadUserConversationMember",
        "id": f"{group['id']}##{user['id']}",
        "roles": ["owner"] if owner else [],
        "displayName": user["displayName"],
        "userId": user["id"],
        "email": user.get("mail"),
        "tenantId": None,
        "visibleHistoryStartDateTime": "0001-01-01T00:00:00Z",
    }
