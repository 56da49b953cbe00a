"""Teams: made from groups as operations that take time, changed, archived (graph.md sections 6.3 and 7)."""

from __future__ import annotations

import re
from typing import Any

from ..ask import Ask
from ..odata.entities import GROUP, TEAM, TEAM_SETTINGS, USER, is_class
from ..odata.pages import one
from ..tenant.lags import View
from ..tenant.products import has_teams_plan
from ..tenant.tenant import Tenant
from ..wire import Answer, Record, Refusal, bad_request, not_found
from . import groups, relations, roster, users

_TEMPLATE = re.compile(r"teamsTemplates\('(\w+)'\)$", re.IGNORECASE)
_GROUP = re.compile(r"groups(?:\('|/)([0-9a-f-]{36})(?:'\))?$", re.IGNORECASE)
TEMPLATES = frozenset({"standard", "educationClass", "educationStaff", "educationProfessionalLearningCommunity"})
BACKEND = "Failed to execute Templates backend request CreateTeamFromGroupWithTemplateRequest."
MOST_MEMBERS = 10_000
SETTABLE = frozenset(
    {*TEAM_SETTINGS, "displayName", "description", "visibility", "classification", "isMembershipLimitedToOwners"}
)


def reference(value: Any, pattern: re.Pattern[str]) -> str | None:
    """What an address names; None if it is none of this form."""
    found = pattern.search(value) if isinstance(value, str) else None
    return found[1] if found else None


def create(ask: Ask) -> Answer:
    """202 with an operation: a team from a group, or a new one with its group."""
    given = ask.record()
    template = reference(given.get("template@odata.bind"), _TEMPLATE)
    if template not in TEMPLATES:
        raise bad_request("Invalid template@odata.bind.", code="BadRequest")
    if "group@odata.bind" not in given:
        return _create_with_group(ask, given, str(template))
    if given.keys() - {"template@odata.bind", "group@odata.bind"}:
        raise bad_request("Properties are inherited from the group and cannot be given with it.", code="BadRequest")
    key = reference(given["group@odata.bind"], _GROUP)
    if key is None:
        raise bad_request("Invalid group@odata.bind.", code="BadRequest")
    group = _visible_group(ask.tenant, key)
    if template == "educationClass" and not is_class(group):
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
    given = ask.body or {}
    _check_settings(given)
    settings = {name: given[name] for name in TEAM_SETTINGS if name in given}
    record = roster.begin(ask.tenant, group, locked=is_class(group), ready=ask.now, settings=settings)
    return Answer(201, TEAM.show(ask.tenant, record, None), {"Location": f"/teams('{record['id']}')"})


def _create_with_group(ask: Ask, given: Record, template: str) -> Answer:
    """A team together with a new group; an educationClass one is not locked, and its group is no class (section 6.3)."""
    members = given.get("members")
    if not isinstance(members, list) or len(members) != 1 or not isinstance(members[0], dict):
        raise bad_request("One member has to be named as owner when the caller is an application.", code="BadRequest")
    owner = reference(members[0].get("user@odata.bind"), roster.USER_ADDRESS)
    if owner is None:
        raise bad_request("The navigation bind for the user was missing in request", code="BadRequest")
    if members[0].get("roles") != ["owner"]:
        raise bad_request("The member named has to have the role owner.", code="BadRequest")
    if not isinstance(given.get("displayName"), str) or not given["displayName"]:
        raise bad_request("displayName is required.", code="BadRequest")
    user = USER.find(ask.tenant, owner)
    _check_owner(ask.tenant, [user])
    hidden = template == "educationClass"
    visibility = (
        "HiddenMembership" if hidden else "Private" if str(given.get("visibility")).lower() == "private" else "Public"
    )
    new = {"displayName": given["displayName"], "mailNickname": f"team-{ask.tenant.new_id()[:8]}"}
    new |= {
        "description": given.get("description"),
        "visibility": visibility,
        "mailEnabled": True,
        "securityEnabled": False,
    }
    users.check_room(ask.tenant)
    group = groups.group_record(ask.tenant, new, ["Unified"])
    ask.tenant.groups.put(group["id"], group)
    for links in (ask.tenant.owners, ask.tenant.members):
        links.tie(group["id"], user["id"])
    return _provision(ask, group, locked=False)


def _visible_group(tenant: Tenant, key: str) -> Record:
    """The group; 404 while it settles, which Microsoft says takes up to 15 minutes (section 7.1)."""
    group = GROUP.to_change(tenant, key)
    if tenant.clock.now() < group["_made"] + tenant.delays.settling:
        raise Refusal(404, "NotFound", f"{BACKEND} Request Url: /groups/{key}: the group was not found.")
    return group


def _check_can_be_team(tenant: Tenant, group: Record) -> None:
    if not groups.is_unified(group):
        raise bad_request(f"{BACKEND} The group has to be a Microsoft 365 group.", code="BadRequest")
    if "_team" in group:
        going_on = tenant.clock.now() < group["_team"]["ready"]
        said = "The group provisioning is in Progress." if going_on else "The group is already provisioned."
        raise Refusal(409, "Conflict", f"{BACKEND} {said}")
    owners = [user for key in tenant.owners.of(group["id"]) if (user := tenant.users.seen(key, View.LICENCES))]
    if not owners:
        raise bad_request(f"{BACKEND} Team owner not found; the group must have one or more owners.", code="BadRequest")
    _check_owner(tenant, owners)
    if len(tenant.members.of(group["id"])) > MOST_MEMBERS:
        raise bad_request(f"{BACKEND} The group has more than {MOST_MEMBERS} members.", code="BadRequest")


def _check_owner(tenant: Tenant, owners: list[Record]) -> None:
    """403 unless an owner is enabled and has an active Teams plan (section 13.7)."""
    seen = [tenant.users.seen(owner["id"], View.LICENCES) or owner for owner in owners]
    if not any(owner["accountEnabled"] and has_teams_plan(owner) for owner in seen):
        raise Refusal(403, "Forbidden", f"{BACKEND} GetApplicableSkuCategoriesForUserFailed")


def _provision(ask: Ask, group: Record, *, locked: bool) -> Answer:
    ready = ask.now + ask.tenant.delays.operation
    roster.begin(ask.tenant, group, locked=locked, ready=ready, settings={})
    return _operation(ask, group["id"], "createTeam", ready)


def _operation(ask: Ask, team: str, kind: str, ready: float) -> Answer:
    """202 with where the operation can be looked at (section 7.2)."""
    key = ask.tenant.new_id()
    ask.tenant.operations.put(
        key, {"id": key, "team": team, "createdDateTime": ask.tenant.stamp(), "ready": ready, "type": kind}
    )
    address = f"/teams('{team}')"
    return Answer(202, None, {"Location": f"{address}/operations('{key}')", "Content-Location": address})


def _find_operation(ask: Ask) -> Record:
    record = ask.tenant.operations.get(ask.parameters["operation"])
    if record is None or record["team"] != ask.parameters["id"]:
        raise not_found(ask.parameters["operation"])
    return record


def operation(ask: Ask) -> Answer:
    """200 with how far an operation is."""
    record = _find_operation(ask)
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


def forget_operation(ask: Ask) -> Answer:
    """204; the operation is not told of any more, what it did stays."""
    ask.tenant.operations.drop(_find_operation(ask)["id"])
    return Answer(204)


def find(ask: Ask) -> Record:
    """The group of a team that is ready; 404 if there is none."""
    return roster.ready_team(ask.tenant, ask.parameters["id"])


def _as_it_is(ask: Ask) -> Record:
    """The group of a team that is ready, for a write; 404 if there is none (see `Entity.to_change`)."""
    found = find(ask)
    return ask.tenant.groups.get(found["id"]) or found


def read(ask: Ask) -> Answer:
    """200 with one team."""
    return Answer(200, one(ask, TEAM, find(ask)))


def _check_settings(given: Any) -> None:
    if not isinstance(given, dict):
        raise bad_request("Empty Payload. JSON content expected.", code="BadRequest")
    unknown = sorted(name for name in given if name not in SETTABLE and "@odata" not in name)
    if unknown:
        raise bad_request(f"Invalid property '{unknown[0]}' for resource 'team'.", code="BadRequest")
    if any(name in given and not isinstance(given[name], dict) for name in TEAM_SETTINGS):
        raise bad_request("Team settings are objects.", code="BadRequest")
    if len(str(given.get("description") or "")) > 1_024:
        raise bad_request("The description is too long.", code="BadRequest")


def update(ask: Ask) -> Answer:
    """204; settings, name, description and visibility of a team. The lock of a class team is not opened by it (section 6.3)."""
    known, given = _as_it_is(ask), ask.record()
    _check_settings(given)
    settings = {name: {**(known["_team"].get(name) or {}), **given[name]} for name in TEAM_SETTINGS if name in given}
    shared: Record = {name: given[name] for name in ("displayName", "description", "classification") if name in given}
    if "visibility" in given and str(given["visibility"]).lower() not in ("private", "public", "hiddenmembership"):
        raise bad_request("Invalid value for property 'visibility'.", code="BadRequest")
    if "visibility" in given and not is_class(known):
        shared["visibility"] = str(given["visibility"]).capitalize()
    groups.change(ask.tenant, known, shared, store=False)
    ask.tenant.groups.put(known["id"], {**known, **shared, "_team": {**known["_team"], **settings}})
    return Answer(204)


def delete(ask: Ask) -> Answer:
    """204; the team ends, its group stays (documented status only; the rest is a choice)."""
    known = _as_it_is(ask)
    kept = {name: value for name, value in known.items() if name != "_team"}
    ask.tenant.groups.put(known["id"], {**kept, "resourceProvisioningOptions": []})
    ask.tenant.rosters.drop(known["id"])
    return Answer(204)


def archive(ask: Ask) -> Answer:
    """202 with an operation; the team needs an owner."""
    return _archive(ask, archived=True)


def unarchive(ask: Ask) -> Answer:
    """202 with an operation."""
    return _archive(ask, archived=False)


def _archive(ask: Ask, *, archived: bool) -> Answer:
    known = find(ask)
    if isinstance(ask.body, dict) and "shouldSetSpoSiteReadOnlyForMembers" in ask.body:
        raise bad_request("shouldSetSpoSiteReadOnlyForMembers is not supported for applications.", code="BadRequest")
    if not ask.tenant.owners.of(known["id"]):
        raise bad_request("The team must have an owner.", code="BadRequest")
    ready = ask.now + ask.tenant.delays.operation
    kind = "archiveTeam" if archived else "unarchiveTeam"
    ask.tenant.agenda.later("archive", ask.now, ask.tenant.delays.operation, team=known["id"], archived=archived)
    return _operation(ask, known["id"], kind, ready)


def finish_archiving(tenant: Tenant, errand: Record) -> None:
    """The errand: the team is archived, or no longer."""
    group = tenant.groups.get(errand["team"])
    if group is not None and "_team" in group:
        tenant.groups.put(group["id"], {**group, "_team": {**group["_team"], "archived": errand["archived"]}})


relations.followers.append(roster.follow_group)
