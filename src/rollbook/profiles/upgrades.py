"""Documents of older forms become today's, one step a version, so that no stored profile is ever unreadable.

`UPGRADES[n]` makes a document of version n one of version n + 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Step = Callable[[dict[str, Any]], dict[str, Any]]

CURRENT = 5


def _with_mappings(document: dict[str, Any]) -> dict[str, Any]:
    """Version 2: how a display name is put together became one row of the mappings."""
    users = document.get("users") or {}
    if not isinstance(users, dict):
        return document
    users = dict(users)
    shapes = {"given family": "name", "family given": "name_family_first", "family, given": "name_family_comma"}
    shape = shapes.get(users.pop("display_name", "given family"))
    if shape is None:
        return document
    rows = {"given_name": "called_first", "surname": "called_last", "employee_id": "employee_number"}
    users.setdefault("mappings", {name: {"value": value} for name, value in {"display_name": shape, **rows}.items()})
    return {**document, "users": users}


def _with_names(document: dict[str, Any]) -> dict[str, Any]:
    """Version 3: user names became a part of their own with several candidates, a role's licence a list."""
    users = document.get("users") or {}
    if not isinstance(users, dict):
        return document
    users = dict(users)
    names = {"candidates": [users.pop("user_name")]} if "user_name" in users else {}
    names |= {"language": users.pop("language")} if "language" in users else {}
    if names:
        users["names"] = names
    roles = users.get("roles")
    if isinstance(roles, dict):
        users["roles"] = {name: _with_licences(role) for name, role in roles.items()}
    mappings = users.get("mappings")
    if isinstance(mappings, dict):
        users["mappings"] = {**mappings, "account_enabled": {"value": "active_and_has_enrolments"}}
    return {**document, "users": users} if users else document


def _with_licences(role: Any) -> Any:
    if not isinstance(role, dict) or "licence" not in role:
        return role
    kept = {name: value for name, value in role.items() if name != "licence"}
    return {**kept, "licences": [{"sku": role["licence"]}] if role["licence"] else []}


TEAM_NAMES: Mapping[str, Mapping[str, str]] = {
    "title": {"value": "name"},
    "group subject": {"type": "expression", "value": "{{ group }} {{ subject }}"},
    "subject group": {"type": "expression", "value": "{{ subject }} {{ group }}"},
}


def _with_team_mappings(document: dict[str, Any]) -> dict[str, Any]:
    """Version 4: how a team's name is put together became one row of its mappings; hierarchies came, all off."""
    teams = document.get("teams")
    if not isinstance(teams, dict) or "display_name" not in teams:
        return document
    shape = teams["display_name"]
    if not isinstance(shape, str) or shape not in TEAM_NAMES:
        return document
    kept = {name: value for name, value in teams.items() if name != "display_name"}
    rows = {"description": "about", "mail_nickname": "code_or_name", "class_code": "code", "external_id": "id"}
    mappings = {"display_name": dict(TEAM_NAMES[shape]), **{name: {"value": value} for name, value in rows.items()}}
    return {**document, "teams": {"mappings": mappings, **kept}}


def _with_guards(document: dict[str, Any]) -> dict[str, Any]:
    """Version 5: the numbers of the guards became settings; the defaults are the numbers that were fixed before."""
    return document


UPGRADES: dict[int, Step] = {1: _with_mappings, 2: _with_names, 3: _with_team_mappings, 4: _with_guards}


def upgraded(
    document: Mapping[str, Any], steps: Mapping[int, Step] = UPGRADES, current: int = CURRENT
) -> dict[str, Any]:
    """The document in today's form. One of an unknown or newer form is left as it is: validation says so."""
    found = dict(document)
    version = found.get("document_version", current)
    while isinstance(version, int) and version < current and version in steps:
        found = {**steps[version](found), "document_version": version + 1}
        version += 1
    return found
