"""Every call that is answered: method, segments, handler, and the permissions of which one is needed (graph.md section 11)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..ask import Ask
from ..wire import Answer
from . import directory, education, groups, teams, users

Handler = Callable[[Ask], Answer]

USERS_READ = ("User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All")
USERS_WRITE = ("User.ReadWrite.All", "Directory.ReadWrite.All")
LICENCES_WRITE = ("LicenseAssignment.ReadWrite.All", *USERS_WRITE)
LICENCES_READ = ("LicenseAssignment.Read.All", "Organization.Read.All", "Directory.Read.All", "Directory.ReadWrite.All")
DOMAINS_READ = ("Domain.Read.All", "Domain.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All")
ORGANIZATION_READ = ("Organization.Read.All", "User.Read.All", "Directory.Read.All", "Directory.ReadWrite.All")
GROUPS_READ = (
    "Group.ReadBasic.All",
    "GroupMember.Read.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
)
GROUPS_CREATE = ("Group.Create", "Group.ReadWrite.All", "Directory.ReadWrite.All")
GROUPS_WRITE = ("Group.ReadWrite.All", "Directory.ReadWrite.All")
GROUPS_DELETE = ("Group.ReadWrite.All",)
MEMBERS_READ = ("GroupMember.ReadBasic.All", "GroupMember.Read.All", *GROUPS_READ[2:])
MEMBERS_WRITE = ("GroupMember.ReadWrite.All", *GROUPS_WRITE)
CLASSES_READ = ("EduRoster.Read.All", "EduRoster.ReadWrite.All")
CLASSES_WRITE = ("EduRoster.ReadWrite.All",)
TEAMS_CREATE = ("Team.Create", "Group.ReadWrite.All", "Directory.ReadWrite.All")
TEAMS_READ = (
    "Team.ReadBasic.All",
    "TeamSettings.Read.All",
    "TeamSettings.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
)
TEAM_MEMBERS_READ = ("TeamMember.Read.All", "TeamMember.ReadWrite.All", "TeamMember.ReadWriteNonOwnerRole.All")
APPLICATIONS_READ = ("Application.Read.All", "Application.ReadWrite.OwnedBy", "Application.ReadWrite.All")
APPLICATIONS_WRITE = ("Application.ReadWrite.OwnedBy", "Application.ReadWrite.All")

GRANTED = (
    "User.ReadWrite.All",
    "LicenseAssignment.ReadWrite.All",
    "Organization.Read.All",
    "Domain.Read.All",
    "Group.ReadWrite.All",
    "Member.Read.Hidden",
    "Team.Create",
    "TeamSettings.ReadWrite.All",
    "TeamMember.ReadWrite.All",
    "EduRoster.ReadWrite.All",
    "AdministrativeUnit.ReadWrite.All",
    "RoleManagement.Read.Directory",
    "User-PasswordProfile.ReadWrite.All",
    "Application.ReadWrite.OwnedBy",
)
"""What the emulated tenant's administrator has consented to for its one application: all that section 11 names."""


@dataclass(frozen=True, slots=True)
class Call:
    """One operation. `kind` is what the counters call it."""

    method: str
    pattern: tuple[str, ...]
    handler: Handler
    permissions: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Method and path, with names in braces for what varies."""
        return f"{self.method} /{'/'.join(self.pattern)}"


def _call(method: str, path: str, handler: Handler, permissions: tuple[str, ...]) -> Call:
    return Call(method, tuple(path.strip("/").split("/")), handler, permissions)


CALLS: tuple[Call, ...] = (
    _call("GET", "/users", users.listing, USERS_READ),
    _call("POST", "/users", users.create, USERS_WRITE),
    _call("GET", "/users/{id}", users.read, USERS_READ),
    _call("PATCH", "/users/{id}", users.update, USERS_WRITE),
    _call("DELETE", "/users/{id}", users.delete, ("User.DeleteRestore.All", *USERS_WRITE)),
    _call("POST", "/users/{id}/assignLicense", users.assign_license, LICENCES_WRITE),
    _call("POST", "/users/{id}/revokeSignInSessions", users.revoke_sessions, ("User.RevokeSessions.All", *USERS_WRITE)),
    _call("GET", "/groups", groups.listing, GROUPS_READ),
    _call("POST", "/groups", groups.create, GROUPS_CREATE),
    _call("GET", "/groups/{id}", groups.read, GROUPS_READ),
    _call("PATCH", "/groups/{id}", groups.update, GROUPS_WRITE),
    _call("DELETE", "/groups/{id}", groups.delete, GROUPS_DELETE),
    _call("GET", "/groups/(uniqueName)/{id}", groups.by_unique_name, GROUPS_READ),
    _call("PATCH", "/groups/(uniqueName)/{id}", groups.upsert, GROUPS_WRITE),
    _call("GET", "/groups/{id}/{relation:members,owners}", groups.related, MEMBERS_READ),
    _call("POST", "/groups/{id}/{relation:members,owners}/$ref", groups.add_reference, MEMBERS_WRITE),
    _call("DELETE", "/groups/{id}/{relation:members,owners}/{target}/$ref", groups.remove_reference, MEMBERS_WRITE),
    _call("DELETE", "/groups/{id}/members/{target}", groups.delete_member, USERS_WRITE),
    _call("PUT", "/groups/{id}/team", teams.put, TEAMS_CREATE),
    _call("GET", "/groups/{id}/team", teams.read, TEAMS_READ),
    _call("POST", "/teams", teams.create, TEAMS_CREATE),
    _call("GET", "/teams/{id}", teams.read, TEAMS_READ),
    _call("GET", "/teams/{id}/members", teams.members, TEAM_MEMBERS_READ),
    _call("GET", "/teams/{id}/operations/{operation}", teams.operation, (*TEAMS_CREATE, *TEAMS_READ)),
    _call("GET", "/education/classes", education.listing, CLASSES_READ),
    _call("POST", "/education/classes", education.create, CLASSES_WRITE),
    _call("GET", "/education/classes/{id}", education.read, CLASSES_READ),
    _call("PATCH", "/education/classes/{id}", education.update, CLASSES_WRITE),
    _call("DELETE", "/education/classes/{id}", education.delete, CLASSES_WRITE),
    _call("GET", "/organization", directory.organization, ORGANIZATION_READ),
    _call("GET", "/domains", directory.domains, DOMAINS_READ),
    _call("GET", "/subscribedSkus", directory.skus, LICENCES_READ),
    _call("GET", "/applications/{id}/extensionProperties", directory.extensions, APPLICATIONS_READ),
    _call("POST", "/applications/{id}/extensionProperties", directory.register_extension, APPLICATIONS_WRITE),
    _call("GET", "/applications/(appId)/{id}/extensionProperties", directory.extensions, APPLICATIONS_READ),
    _call("POST", "/applications/(appId)/{id}/extensionProperties", directory.register_extension, APPLICATIONS_WRITE),
)


def match(call: Call, segments: list[str]) -> Mapping[str, str] | None:
    """The values of the call's braces if these segments are its path, else None."""
    found: dict[str, str] = {}
    for part, segment in zip(call.pattern, segments, strict=True):
        if part.startswith("{"):
            name, _, words = part.strip("{}").partition(":")
            if words and segment not in words.split(","):
                return None
            if segment.startswith("("):
                return None
            found[name] = segment
        elif part.casefold() != segment.casefold():
            return None
    return found


BY_SHAPE: dict[tuple[str, int], list[Call]] = {}
for _each in CALLS:
    BY_SHAPE.setdefault((_each.method, len(_each.pattern)), []).append(_each)


def find_call(method: str, segments: list[str]) -> tuple[Call, Mapping[str, str]] | None:
    """The call for this method and path, with the values of its braces; None if there is none."""
    for call in BY_SHAPE.get((method, len(segments)), ()):
        found = match(call, segments)
        if found is not None:
            return call, found
    return None
