"""Graph's JSON <-> our words: requests from values, frames from objects. Pure; one function per call, named like the change.

Sources: graph.md sections 2 (users), 3 (licences), 5 (groups), 6 (education), 7 (teams).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import polars as pl

from rollbook.directory.state import USERS, as_groups
from rollbook.graph.protocol import Request

GRAPH = "https://graph.microsoft.com/v1.0"
"""References in bodies name the service itself, whatever address it is reached by."""

EXTERNAL_SOURCE = "sis"

USER_PROPERTIES: Mapping[str, str] = {
    "display_name": "displayName",
    "given_name": "givenName",
    "surname": "surname",
    "employee_id": "employeeId",
    "job_title": "jobTitle",
    "department": "department",
    "company_name": "companyName",
    "street_address": "streetAddress",
    "postal_code": "postalCode",
    "city": "city",
    "state": "state",
    "country": "country",
    "office_location": "officeLocation",
    "mobile_phone": "mobilePhone",
    "business_phone": "businessPhones",
    "account_enabled": "accountEnabled",
    "usage_location": "usageLocation",
    "user_principal_name": "userPrincipalName",
    "mail_nickname": "mailNickname",
}

SINGLE_IN_A_LIST = frozenset({"business_phone"})
"""Properties Microsoft keeps as a list that holds one value at most (graph.md section 2.1)."""

GROUP_PROPERTIES: Mapping[str, str] = {
    "display_name": "displayName",
    "description": "description",
    "mail_nickname": "mailNickname",
}

CLASS_PROPERTIES: Mapping[str, str] = {
    **GROUP_PROPERTIES,
    "class_code": "classCode",
    "external_id": "externalId",
}

USER_SELECT = ",".join(
    (
        "id",
        "mail",
        "assignedLicenses",
        "onPremisesSyncEnabled",
        "userType",
        "isManagementRestricted",
        *USER_PROPERTIES.values(),
    )
)


def user_select(mark_property: str) -> str:
    """What is read of a user; without a property that carries our mark where nothing of ours is made."""
    return f"{USER_SELECT},{mark_property}" if mark_property else USER_SELECT


CLASS_SELECT = "id,classCode,externalId,externalSource,externalSourceDetail"

GROUP_SELECT = (
    "id,displayName,description,mailNickname,mail,groupTypes,mailEnabled,securityEnabled,uniqueName,assignedLicenses,"
    "resourceProvisioningOptions,resourceBehaviorOptions,onPremisesSyncEnabled"
)


def _given(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Graph's names for our values, without those that are not given."""
    return {names[key]: _shaped(key, value) for key, value in values.items() if value is not None}


def _shaped(name: str, value: Any) -> Any:
    if name in SINGLE_IN_A_LIST:
        return [] if value is None else [value]
    return value


def create_user(*, password: str, mark_property: str, mark: str, **values: Any) -> Request:
    """A new account that has to change its password at the first sign-in, carrying our mark from its first moment."""
    body = _given(values, USER_PROPERTIES)
    body["passwordProfile"] = {"password": password, "forceChangePasswordNextSignIn": True}
    body[mark_property] = mark
    return Request("POST", "/users", body)


def update_user(object_id: str, values: Mapping[str, Any]) -> Request:
    """Only these properties of an account."""
    body = {USER_PROPERTIES[key]: _shaped(key, value) for key, value in values.items()}
    return Request("PATCH", f"/users/{object_id}", body)


def restore_user(object_id: str, name: str | None) -> Request:
    """A softly deleted account back, under its old name or a new one (graph.md section 13.3)."""
    body = {} if name is None else {"newUserPrincipalName": name}
    return Request("POST", f"/directory/deletedItems/{object_id}/restore", body)


def set_password(object_id: str, password: str) -> Request:
    """Another first password for an account, to be changed at the next sign-in.

    Needs User-PasswordProfile.ReadWrite.All; not for synchronized or federated accounts (graph.md section 13.8).
    """
    profile = {"password": password, "forceChangePasswordNextSignIn": True}
    return Request("PATCH", f"/users/{object_id}", {"passwordProfile": profile})


def revoke_sessions(object_id: str) -> Request:
    """End of all sessions of an account; a disabled one could go on for an hour otherwise."""
    return Request("POST", f"/users/{object_id}/revokeSignInSessions", {})


def assign_license(object_id: str, add: Iterable[tuple[str, Sequence[str]]], remove: Iterable[str]) -> Request:
    """All licences of one account in one call: (SKU id, plans switched off) to add, SKU ids to remove."""
    added = [{"skuId": sku, "disabledPlans": list(off)} for sku, off in add]
    return Request("POST", f"/users/{object_id}/assignLicense", {"addLicenses": added, "removeLicenses": list(remove)})


UNIQUE_NAME = "rollbook-"
"""What stands before our mark in the uniqueName of a group."""


def create_group(mark: str, values: Mapping[str, Any]) -> Request:
    """A security group, made if none carries our mark yet; asking twice makes one (graph.md section 5.1).

    Its nickname, which nobody sees, is made of the mark: it may hold neither accents nor more than 64 characters.
    """
    body = _given({name: values[name] for name in ("display_name", "description")}, GROUP_PROPERTIES)
    body |= {"mailEnabled": False, "mailNickname": f"{UNIQUE_NAME}{mark[:16]}", "securityEnabled": True}
    headers = (("Prefer", "create-if-missing"),)
    return Request("PATCH", f"/groups(uniqueName='{UNIQUE_NAME}{mark}')", body, headers)


def create_unified(
    mark: str, values: Mapping[str, Any], owners: Sequence[str] = (), members: Sequence[str] = ()
) -> Request:
    """A private Microsoft 365 group that carries our mark from its first moment, with its first owners and members.

    Not idempotent: whoever repeats it looks for the mark first (graph.md section 13.4). Only this call sets the behaviours, and a
    group without an owner may get no SharePoint site (section 5.1).
    """
    body = _given({name: values[name] for name in GROUP_PROPERTIES}, GROUP_PROPERTIES)
    body |= {
        "groupTypes": ["Unified"],
        "mailEnabled": True,
        "securityEnabled": False,
        "visibility": "Private",
        "uniqueName": f"{UNIQUE_NAME}{mark}",
        "resourceBehaviorOptions": list(values["behaviours"]),
    }
    return Request("POST", "/groups", body | _bound(owners, members))


def update_group(object_id: str, values: Mapping[str, Any]) -> Request:
    """Only these properties of a group that is no class."""
    return Request("PATCH", f"/groups/{object_id}", {GROUP_PROPERTIES[key]: value for key, value in values.items()})


def license_group(object_id: str, add: Iterable[tuple[str, Sequence[str]]], remove: Iterable[str]) -> Request:
    """All products a group carries in one call; its members follow in the background."""
    added = [{"skuId": sku, "disabledPlans": list(off)} for sku, off in add]
    return Request("POST", f"/groups/{object_id}/assignLicense", {"addLicenses": added, "removeLicenses": list(remove)})


def group_by_mark(mark: str) -> Request:
    """A look for the group that carries our mark."""
    return Request("GET", f"/groups(uniqueName='{UNIQUE_NAME}{mark}')?$select={GROUP_SELECT}")


def create_class(*, external_name: str, mark: str, **values: Any) -> Request:
    """A new class group, marked as ours by externalSource and externalSourceDetail (graph.md section 13.12)."""
    body = _given(values, CLASS_PROPERTIES)
    body |= {"externalName": external_name, "externalSource": EXTERNAL_SOURCE, "externalSourceDetail": mark}
    return Request("POST", "/education/classes", body)


def update_class(object_id: str, values: Mapping[str, Any]) -> Request:
    """Only these properties of a class."""
    body = {CLASS_PROPERTIES[key]: value for key, value in values.items()}
    return Request("PATCH", f"/education/classes/{object_id}", body)


def add_relations(group: str, owners: Sequence[str], members: Sequence[str]) -> Request:
    """Up to twenty owners and members for one group; all or none are added. A member may be a group that is nested in it."""
    if not owners and not members:
        raise ValueError("at least one relation is added by a request")
    return Request("PATCH", f"/groups/{group}", _bound(owners, members))


def _bound(owners: Sequence[str], members: Sequence[str]) -> dict[str, Any]:
    """Owners and members as a body binds them: twenty at most, together (graph.md sections 5.1 and 5.2)."""
    if len(owners) + len(members) > 20:
        raise ValueError(f"at most 20 relations fit into one request, not {len(owners) + len(members)}")
    sides = (("owners@odata.bind", owners), ("members@odata.bind", members))
    return {name: [f"{GRAPH}/directoryObjects/{each}" for each in side] for name, side in sides if side}


def remove_member(group: str, user: str) -> Request:
    """One member less. Without /$ref this would delete the user (graph.md section 5.2)."""
    return Request("DELETE", f"/groups/{group}/members/{user}/$ref")


def remove_owner(group: str, user: str) -> Request:
    """One owner less. Without /$ref this would delete the user."""
    return Request("DELETE", f"/groups/{group}/owners/{user}/$ref")


def create_team(group: str, template: str) -> Request:
    """A team of a group; answered 202 with an operation. Template educationClass is for class groups alone (graph.md section 6.3)."""
    body = {
        "template@odata.bind": f"{GRAPH}/teamsTemplates('{template}')",
        "group@odata.bind": f"{GRAPH}/groups('{group}')",
    }
    return Request("POST", "/teams", body)


def change_role(team: str, membership: str, roles: Sequence[str]) -> Request:
    """Another role on a team's own roster: ["owner"], or none for a member; `membership` is opaque (graph.md section 7.3)."""
    body = {"@odata.type": "#microsoft.graph.aadUserConversationMember", "roles": list(roles)}
    return Request("PATCH", f"/teams/{team}/members/{quote(membership, safe='')}", body)


def archive_team(group: str) -> Request:
    """The team read-only for its members; answered 202 with an operation."""
    return Request("POST", f"/teams/{group}/archive", {})


def unarchive_team(group: str) -> Request:
    """The team as it was before it was archived; answered 202 with an operation."""
    return Request("POST", f"/teams/{group}/unarchive", {})


def team_archived(group: str) -> Request:
    """A look whether a team is archived."""
    return Request("GET", f"/teams/{group}?$select=id,isArchived")


def get_operation(location: str) -> Request:
    """A look at an operation, by the Location it was announced with: /teams('ID')/operations('OP') or an address."""
    path = location.removeprefix(GRAPH)
    if path.startswith("http"):
        path = path.partition("/v1.0")[2]
    return Request("GET", path)


def user_by_name(name: str, mark_property: str) -> Request:
    """A look for one user by user principal name."""
    wanted = quote(name.replace("'", "''"), safe="@.'-")
    path = f"/users?$filter=userPrincipalName eq '{wanted}'&$select={user_select(mark_property)}"
    return Request("GET", path.replace(" ", "%20"))


def group_by_nickname(nickname: str) -> Request:
    """A look for groups by mail nickname."""
    wanted = quote(nickname.replace("'", "''"), safe=".'-")
    return Request("GET", f"/groups?$filter=mailNickname%20eq%20'{wanted}'&$select={GROUP_SELECT}")


def _text(objects: Sequence[Mapping[str, Any]], name: str) -> pl.Series:
    return pl.Series([entry.get(name) for entry in objects], dtype=pl.String)


def _first(objects: Sequence[Mapping[str, Any]], name: str) -> pl.Series:
    """The one value of a property that is a list; null where the list is empty."""
    return pl.Series([next(iter(entry.get(name) or ()), None) for entry in objects], dtype=pl.String)


def users_frame(
    objects: Sequence[Mapping[str, Any]],
    mark_property: str,
    protected: frozenset[str] | None = frozenset(),
    *,
    deleted: bool = False,
) -> pl.DataFrame:
    """Users as Graph describes them -> schema USERS, link null. `protected` are ids nobody may change; None: everybody is.

    The names of deleted users are those they had: Microsoft puts their id before them.
    """
    assigned = [entry.get("assignedLicenses") or () for entry in objects]
    licences = [sorted(licence["skuId"] for licence in each) for each in assigned]
    plans = [sorted(plan for licence in each for plan in licence.get("disabledPlans") or ()) for each in assigned]
    texts = [ours for ours in USER_PROPERTIES if ours != "account_enabled" and ours not in SINGLE_IN_A_LIST]
    columns = {
        "object_id": _text(objects, "id"),
        **{ours: _text(objects, USER_PROPERTIES[ours]) for ours in texts},
        **{ours: _first(objects, USER_PROPERTIES[ours]) for ours in sorted(SINGLE_IN_A_LIST)},
        "mail": _text(objects, "mail"),
        "account_enabled": pl.Series([bool(entry.get("accountEnabled")) for entry in objects], dtype=pl.Boolean),
        "licences": pl.Series(licences, dtype=pl.List(pl.String)),
        "plans_off": pl.Series(plans, dtype=pl.List(pl.String)),
        "mark": _text(objects, mark_property),
        "on_premises": pl.Series([bool(entry.get("onPremisesSyncEnabled")) for entry in objects], dtype=pl.Boolean),
        "guest": pl.Series([entry.get("userType") == "Guest" for entry in objects], dtype=pl.Boolean),
        "protected": pl.Series([protected is None or entry["id"] in protected for entry in objects], dtype=pl.Boolean),
        "restricted": pl.Series([bool(entry.get("isManagementRestricted")) for entry in objects], dtype=pl.Boolean),
    }
    frame = pl.DataFrame(columns).with_columns(link=pl.lit(None, dtype=pl.Int64), deleted=pl.lit(value=deleted))
    if deleted:
        prefix = pl.col("object_id").str.replace_all("-", "")
        frame = frame.with_columns(pl.col("user_principal_name").str.strip_prefix(prefix))
    return frame.select(USERS.keys())


def groups_frame(groups: Sequence[Mapping[str, Any]], classes: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Groups, and what is said of those that are classes -> schema GROUPS, link and purpose null."""
    as_class = {entry["id"]: entry for entry in classes}
    held = [as_class.get(entry["id"], {}) for entry in groups]
    assigned = [entry.get("assignedLicenses") or () for entry in groups]
    unique = [str(entry.get("uniqueName") or "") for entry in groups]
    ours = [name.removeprefix(UNIQUE_NAME) if name.startswith(UNIQUE_NAME) else None for name in unique]
    others = [name or None if mark is None else None for name, mark in zip(unique, ours, strict=True)]

    def listed(name: str) -> list[Sequence[str]]:
        return [entry.get(name) or () for entry in groups]

    columns = {
        "object_id": _text(groups, "id"),
        "kind": [_kind(entry, known) for entry, known in zip(groups, held, strict=True)],
        "display_name": _text(groups, "displayName"),
        "description": _text(groups, "description"),
        "mail_nickname": _text(groups, "mailNickname"),
        "mail": _text(groups, "mail"),
        "class_code": _text(held, "classCode"),
        "external_id": [c.get("externalId") if c else other for c, other in zip(held, others, strict=True)],
        "mark": [c.get("externalSourceDetail") or mark for c, mark in zip(held, ours, strict=True)],
        "has_team": ["Team" in options for options in listed("resourceProvisioningOptions")],
        "dynamic": ["DynamicMembership" in kinds for kinds in listed("groupTypes")],
        "on_premises": [bool(entry.get("onPremisesSyncEnabled")) for entry in groups],
        "licences": [sorted(licence["skuId"] for licence in each) for each in assigned],
        "plans_off": [
            sorted(plan for licence in each for plan in licence.get("disabledPlans") or ()) for each in assigned
        ],
        "behaviours": [sorted(options) for options in listed("resourceBehaviorOptions")],
    }
    return as_groups(pl.DataFrame(columns, schema_overrides={"external_id": pl.String, "mark": pl.String}))


def _kind(group: Mapping[str, Any], as_class: Mapping[str, Any]) -> str:
    """What a group is, by its flags (graph.md section 5.1)."""
    if as_class:
        return "class"
    if "Unified" in (group.get("groupTypes") or ()):
        return "unified"
    return "other" if group.get("mailEnabled") else "security"
