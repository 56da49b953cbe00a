"""The tenant as a value, ids and times aside, so that two of them can be compared; and what no chaos may have done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Row = tuple[Any, ...]

USER = (
    "displayName",
    "accountEnabled",
    "givenName",
    "surname",
    "employeeId",
    "usageLocation",
    "jobTitle",
    "department",
)
GROUP = ("displayName", "description", "visibility", "mailEnabled", "securityEnabled")


@dataclass(frozen=True, slots=True)
class Picture:
    """Every account and group as a row, sorted; one that is there twice is in it twice."""

    users: list[Row] = field(default_factory=list)
    groups: list[Row] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)

    def differences(self, other: Picture) -> Iterator[str]:
        """What `other` has more or less than this one."""
        for name in ("users", "groups", "deleted"):
            here, there = list(getattr(self, name)), list(getattr(other, name))
            for row in list(here):
                if row in there:
                    here.remove(row)
                    there.remove(row)
            yield from (f"{name}: lost {row}" for row in here)
            yield from (f"{name}: not to be {row}" for row in there)


def taken(tenant: Any) -> Picture:
    """The picture of an emulated tenant as it really is, whatever its readings say at the moment."""
    parts = {sku["skuId"]: sku["skuPartNumber"] for sku in tenant.skus.values()}
    return Picture(
        sorted((_user(user, parts) for user in tenant.users.values()), key=repr),
        sorted((_group(tenant, group) for group in tenant.groups.values() if not _rivals(group)), key=repr),
        sorted(str(each["displayName"]) for each in tenant.deleted.values()),
    )


def _rivals(group: Mapping[str, Any]) -> bool:
    """Whether a teacher made it in Teams, by the emulator's play: its id differs from story to story."""
    return str(group["mailNickname"]).startswith("own")


def of_rivals(tenant: Any) -> Iterator[tuple[str, list[str]]]:
    """The teams that teachers made by themselves, each with everybody in it."""
    for group in tenant.groups.values():
        if _rivals(group):
            yield (
                str(group["displayName"]),
                _names(tenant, [*tenant.owners.of(group["id"]), *tenant.members.of(group["id"])]),
            )


def _user(user: Mapping[str, Any], parts: Mapping[str, str]) -> Row:
    licences = sorted(parts[licence["skuId"]] for licence in user["assignedLicenses"])
    marks = any(name.endswith("_rollbook") and value for name, value in user.items())
    return (user["userPrincipalName"], *(user.get(name) for name in USER), licences, marks)


def _group(tenant: Any, group: Mapping[str, Any]) -> Row:
    team = group.get("_team")
    kind = ("unified" if "Unified" in group["groupTypes"] else "security", group.get("creationOptions") or [])
    nickname = group["mailNickname"] if group["mailEnabled"] else None
    marked = bool(group.get("uniqueName") or group.get("externalSourceDetail"))
    state = (team is not None, bool(team and team.get("archived")), marked)
    people = [_names(tenant, links.of(group["id"])) for links in (tenant.owners, tenant.members)]
    return (*(group.get(name) for name in GROUP), nickname, kind, state, *people)


def _names(tenant: Any, ids: Any) -> list[str]:
    found = (tenant.users.get(key) or tenant.groups.get(key) or tenant.deleted.get(key) for key in ids)
    return sorted(str((each or {}).get("userPrincipalName") or (each or {}).get("displayName")) for each in found)


def marks(tenant: Any) -> list[str]:
    """Every mark of ours that stands on an account or group, the deleted ones among them."""
    found: list[str] = []
    for table in (tenant.users, tenant.groups, tenant.deleted):
        for each in table.values():
            found += [str(value) for name, value in each.items() if name.endswith("_rollbook") and value]
            if each.get("uniqueName"):
                found.append(str(each["uniqueName"]))
            elif each.get("externalSourceDetail"):
                found.append(str(each["externalSourceDetail"]))
    return found


def untouched(tenant: Any, ids: list[str]) -> dict[str, Any]:
    """These objects whole, with who is in them; to be compared with a later look."""
    held: dict[str, Any] = {}
    for key in ids:
        found = tenant.users.get(key) or tenant.groups.get(key) or {}
        own = {name: value for name, value in found.items() if name not in ("_seq", "memberOf")}
        held[key] = (own, sorted(tenant.owners.of(key)), sorted(tenant.members.of(key)))
    return held
