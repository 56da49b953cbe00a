"""Every call that is answered: method, path, handler, and the permissions of which one is needed (graph.md section 11).

Permissions are those Microsoft lists as least or accepted; a test holds them against Microsoft's own description.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial

from ..ask import Ask
from ..odata.delta import delta
from ..odata.entities import CLASS, GROUP, LEARNER, SCHOOL, TEAM, UNIT, USER, Entity
from ..odata.pages import collection, count, one
from ..wire import Answer
from . import directory, education, groups, licences, relations, roles, roster, teams, trash, units, users

Handler = Callable[[Ask], Answer]


def _any(text: str) -> frozenset[str]:
    return frozenset(text.split())


DIRECTORY_READ = _any("Directory.Read.All Directory.ReadWrite.All")
USERS_DELTA = _any("User.Read.All User.ReadWrite.All") | DIRECTORY_READ
USERS_READ = USERS_DELTA | _any("User.ReadBasic.All User.ReadWrite.CrossCloud")
USERS_WRITE = _any("User.ReadWrite.All Directory.ReadWrite.All")
USERS_UPDATE = USERS_WRITE | _any(
    "User-Mail.ReadWrite.All User-PasswordProfile.ReadWrite.All User-Phone.ReadWrite.All User.EnableDisableAccount.All "
    "User.ManageIdentities.All User.ReadWrite.CrossCloud"
)
USERS_DELETE = _any("User.DeleteRestore.All User.ReadWrite.All User.ReadWrite.CrossCloud")
LICENCES_WRITE = _any("LicenseAssignment.ReadWrite.All") | USERS_WRITE
GROUP_LICENCES = _any("LicenseAssignment.ReadWrite.All Group.ReadWrite.All Directory.ReadWrite.All")
LICENCES_READ = (
    _any("LicenseAssignment.Read.All LicenseAssignment.ReadWrite.All Organization.Read.All Organization.ReadWrite.All")
    | DIRECTORY_READ
)
MEMBER_OF = _any("Group.ReadBasic.All GroupMember.ReadBasic.All") | DIRECTORY_READ
DOMAINS_READ = _any("Domain.Read.All Domain.ReadWrite.All") | DIRECTORY_READ
ORGANIZATION_READ = _any("Organization.Read.All Organization.ReadWrite.All User.Read.All") | DIRECTORY_READ
GROUPS_READ = DIRECTORY_READ | _any(
    "Group-NestingSupport.ReadWrite.All Group.ReadBasic.All Group-PreferredDataLocation.ReadWrite.All "
    "Group.ManageProtection.All Group.Read.All Group.ReadWrite.All GroupMember.Read.All"
)
GROUP_READ = GROUPS_READ | _any("Group-XTenantIdentitySync.Read.All")
GROUPS_DELTA = DIRECTORY_READ | _any(
    "Group-NestingSupport.ReadWrite.All Group.ReadBasic.All Group.Read.All Group.ReadWrite.All GroupMember.Read.All"
)
GROUPS_CREATE = _any(
    "Group.Create Directory.ReadWrite.All Group-PreferredDataLocation.ReadWrite.All Group.ReadWrite.All"
)
GROUPS_UPDATE = _any(
    "Group-NestingSupport.ReadWrite.All Directory.ReadWrite.All Group-PreferredDataLocation.ReadWrite.All "
    "Group.ManageProtection.All Group.ReadWrite.All GroupMember.ReadWrite.All"
)
GROUPS_WRITE = _any("Group.ReadWrite.All Directory.ReadWrite.All")
GROUPS_DELETE = _any("Group.ReadWrite.All")
MEMBERS_READ = _any(
    "GroupMember.ReadBasic.All Directory.Read.All Group.Read.All Group.ReadBasic.All Group.ReadWrite.All GroupMember.Read.All "
    "GroupMember.ReadWrite.All"
)
OWNERS_READ = _any(
    "Group.ReadWrite.All GroupMember.Read.All Directory.Read.All Group.Read.All GroupMember.ReadWrite.All"
)
MEMBERS_WRITE = _any("GroupMember.ReadWrite.All Group.ReadWrite.All Directory.ReadWrite.All")
CLASSES_READ = _any("EduRoster.Read.All EduRoster.ReadWrite.All")
CLASSES_WRITE = _any("EduRoster.ReadWrite.All")
EDUCATION_DELTA = _any("EduRoster.ReadBasic.All EduRoster.Read.All EduRoster.ReadWrite.All")
TEAMS_CREATE = _any("Team.Create Directory.ReadWrite.All Group.ReadWrite.All Teamwork.Migrate.All")
TEAMS_LIST = _any("Team.ReadBasic.All TeamSettings.Read.All TeamSettings.ReadWrite.All")
TEAM_READ = (
    TEAMS_LIST
    | DIRECTORY_READ
    | _any("TeamSettings.Read.Group TeamSettings.ReadWrite.Group Group.Read.All Group.ReadWrite.All")
)
TEAM_WRITE = _any("TeamSettings.ReadWrite.Group Directory.ReadWrite.All Group.ReadWrite.All TeamSettings.ReadWrite.All")
ROSTER_READ = _any(
    "TeamMember.Read.Group TeamMember.ReadWrite.All TeamMember.Read.All TeamMember.ReadWriteNonOwnerRole.All"
)
ROSTER_WRITE = _any("TeamMember.ReadWriteNonOwnerRole.All TeamMember.ReadWrite.All")
ROSTER_REMOVE = _any("TeamMember.ReadWrite.All")
OPERATIONS = TEAMS_CREATE | TEAM_READ | TEAM_WRITE
APPLICATIONS_READ = _any("Application.Read.All Application.ReadWrite.OwnedBy Application.ReadWrite.All")
APPLICATIONS_WRITE = _any("Application.ReadWrite.OwnedBy Application.ReadWrite.All")
UNITS_READ = _any("AdministrativeUnit.Read.All AdministrativeUnit.ReadWrite.All") | DIRECTORY_READ
UNITS_WRITE = _any("AdministrativeUnit.ReadWrite.All")
UNITS_FILL = _any("AdministrativeUnit.ReadWrite.All Directory.ReadWrite.All Group.Create Group.ReadWrite.All")
ROLES_READ = (
    _any("RoleManagement.Read.Directory RoleManagement.Read.All RoleManagement.ReadWrite.Directory") | DIRECTORY_READ
)
TRASH_READ = USERS_READ | GROUPS_READ | UNITS_READ
RESTORE = USERS_DELETE | GROUPS_DELETE | UNITS_WRITE


@dataclass(frozen=True, slots=True)
class Call:
    """One operation. `kind` is what the counters call it: method and path, with names in braces for what varies."""

    method: str
    pattern: tuple[str, ...]
    handler: Handler
    permissions: frozenset[str]
    kind: str


def _call(method: str, path: str, handler: Handler, permissions: frozenset[str]) -> Call:
    pattern = tuple(path.strip("/").split("/"))
    shown = "/".join(part.partition(":")[0] + "}" if ":" in part else part for part in pattern)
    return Call(method, pattern, handler, permissions, f"{method} /{shown}")


def _read(entity: Entity) -> Handler:
    return lambda ask: Answer(200, one(ask, entity, entity.find(ask.tenant, ask.parameters["id"])))


def _collections() -> list[Call]:
    """What is the same for every kind of object: the list, its count, its delta, one of them."""
    kinds: tuple[tuple[str, Entity, frozenset[str], frozenset[str] | None], ...] = (
        ("/groups", GROUP, GROUPS_READ, None),
        ("/directory/administrativeUnits", UNIT, UNITS_READ, None),
        ("/education/classes", CLASS, CLASSES_READ, EDUCATION_DELTA),
        ("/education/schools", SCHOOL, CLASSES_READ, EDUCATION_DELTA),
        ("/education/users", LEARNER, CLASSES_READ, EDUCATION_DELTA),
        ("/teams", TEAM, TEAMS_LIST, None),
    )
    calls: list[Call] = []
    for path, entity, listing, changes in kinds:
        calls.append(_call("GET", path, partial(collection, entity=entity), listing))
        if entity.directory:
            calls.append(_call("GET", f"{path}/$count", partial(count, entity=entity), listing))
        if changes is not None:
            removals = entity is not CLASS
            calls.append(_call("GET", f"{path}/delta", partial(delta, entity=entity, tells_removals=removals), changes))
    for path, entity, reading in (
        ("/directory/administrativeUnits/{id}", UNIT, UNITS_READ),
        ("/education/classes/{id}", CLASS, CLASSES_READ),
        ("/education/schools/{id}", SCHOOL, CLASSES_READ),
        ("/education/users/{id}", LEARNER, CLASSES_READ),
    ):
        calls.append(_call("GET", path, _read(entity), reading))
    return calls


def _relations(
    path: str, names: str, handlers: tuple[Handler, ...], reading: frozenset[str], writing: frozenset[str]
) -> list[Call]:
    """A relation of many: its objects, its references, one more, one less in both forms."""
    listing, references, adding, removing = handlers
    part = f"{path}/{{relation:{names}}}"
    return [
        _call("GET", part, listing, reading),
        _call("GET", f"{part}/$ref", references, reading),
        _call("POST", f"{part}/$ref", adding, writing),
        _call("DELETE", f"{part}/$ref", removing, writing),
        _call("DELETE", f"{part}/{{target}}/$ref", removing, writing),
    ]


def _group_delta(ask: Ask) -> Answer:
    return delta(ask, GROUP, {"members": ask.tenant.members, "owners": ask.tenant.owners})


GROUP_PEOPLE: tuple[Handler, ...] = (
    relations.listing,
    relations.references,
    relations.add_reference,
    relations.remove_reference,
)
CLASS_PEOPLE: tuple[Handler, ...] = (
    education.class_people,
    education.class_references,
    education.add_to_class,
    education.remove_from_class,
)
SCHOOL_SIDES: tuple[Handler, ...] = (
    education.school_people,
    education.school_references,
    education.add_to_school,
    education.remove_from_school,
)
UNIT_MEMBERS: tuple[Handler, ...] = (units.members, units.member_references, units.add_member, units.remove_member)

CALLS: tuple[Call, ...] = (
    _call("GET", "/users", users.listing, USERS_READ),
    _call("POST", "/users", users.create, USERS_WRITE),
    _call("GET", "/users/$count", partial(count, entity=USER), USERS_READ),
    _call("GET", "/users/delta", partial(delta, entity=USER), USERS_DELTA),
    _call("GET", "/users/{id}", users.read, USERS_READ),
    _call("PATCH", "/users/{id}", users.update, USERS_UPDATE),
    _call("DELETE", "/users/{id}", users.delete, USERS_DELETE),
    _call("POST", "/users/{id}/assignLicense", licences.assign_to_user, LICENCES_WRITE),
    _call(
        "POST", "/users/{id}/revokeSignInSessions", users.revoke_sessions, _any("User.RevokeSessions.All") | USERS_WRITE
    ),
    _call("GET", "/users/{id}/memberOf", users.member_of, MEMBER_OF),
    _call("GET", "/users/{id}/licenseDetails", licences.details, LICENCES_READ | USERS_DELTA),
    *_collections(),
    _call("GET", "/groups/delta", _group_delta, GROUPS_DELTA),
    _call("POST", "/groups", groups.create, GROUPS_CREATE),
    _call("GET", "/groups/{id}", groups.read, GROUP_READ),
    _call("PATCH", "/groups/{id}", groups.update, GROUPS_UPDATE),
    _call("DELETE", "/groups/{id}", groups.delete, GROUPS_DELETE),
    _call("GET", "/groups/(uniqueName)/{id}", groups.by_unique_name, GROUP_READ),
    _call("PATCH", "/groups/(uniqueName)/{id}", groups.upsert, GROUPS_WRITE),
    _call("POST", "/groups/{id}/assignLicense", licences.assign_to_group, GROUP_LICENCES),
    _call("GET", "/groups/{id}/membersWithLicenseErrors", licences.listing_in_error, MEMBERS_READ),
    *_relations("/groups/{id}", "members", GROUP_PEOPLE, MEMBERS_READ, MEMBERS_WRITE),
    *_relations("/groups/{id}", "owners", GROUP_PEOPLE, OWNERS_READ, GROUPS_WRITE),
    _call("DELETE", "/groups/{id}/members/{target}", relations.delete_member, USERS_WRITE),
    _call("PUT", "/groups/{id}/team", teams.put, GROUPS_WRITE),
    _call("GET", "/groups/{id}/team", teams.read, TEAM_READ),
    _call("DELETE", "/groups/{id}/team", teams.delete, TEAM_WRITE),
    _call("POST", "/teams", teams.create, TEAMS_CREATE),
    _call("GET", "/teams/{id}", teams.read, TEAM_READ),
    _call("PATCH", "/teams/{id}", teams.update, TEAM_WRITE),
    _call("DELETE", "/teams/{id}", teams.delete, TEAM_WRITE),
    _call("POST", "/teams/{id}/archive", teams.archive, TEAM_WRITE),
    _call("POST", "/teams/{id}/unarchive", teams.unarchive, TEAM_WRITE),
    _call("GET", "/teams/{id}/members", roster.listing, ROSTER_READ),
    _call("POST", "/teams/{id}/members", roster.add, ROSTER_WRITE),
    _call("POST", "/teams/{id}/members/add", roster.add_several, ROSTER_WRITE),
    _call("POST", "/teams/{id}/members/remove", roster.remove_several, ROSTER_REMOVE),
    _call("GET", "/teams/{id}/members/{membership}", roster.read, ROSTER_READ),
    _call("PATCH", "/teams/{id}/members/{membership}", roster.change, ROSTER_WRITE),
    _call("DELETE", "/teams/{id}/members/{membership}", roster.remove, ROSTER_WRITE),
    _call("GET", "/teams/{id}/operations/{operation}", teams.operation, OPERATIONS),
    _call("DELETE", "/teams/{id}/operations/{operation}", teams.forget_operation, OPERATIONS),
    _call("POST", "/education/classes", education.create_class, CLASSES_WRITE),
    _call("PATCH", "/education/classes/{id}", education.update_class, CLASSES_WRITE),
    _call("DELETE", "/education/classes/{id}", education.delete_class, CLASSES_WRITE),
    *_relations("/education/classes/{id}", "members,teachers", CLASS_PEOPLE, CLASSES_READ, CLASSES_WRITE),
    _call("POST", "/education/schools", education.create_school, CLASSES_WRITE),
    _call("PATCH", "/education/schools/{id}", education.update_school, CLASSES_WRITE),
    _call("DELETE", "/education/schools/{id}", education.delete_school, CLASSES_WRITE),
    *_relations("/education/schools/{id}", "classes,users", SCHOOL_SIDES, CLASSES_READ, CLASSES_WRITE),
    _call("POST", "/education/users", education.create_learner, CLASSES_WRITE),
    _call("PATCH", "/education/users/{id}", education.update_learner, CLASSES_WRITE),
    _call("DELETE", "/education/users/{id}", education.delete_learner, CLASSES_WRITE),
    _call("GET", "/education/users/{id}/classes", education.learner_classes, CLASSES_READ),
    _call("GET", "/education/users/{id}/taughtClasses", education.taught_classes, CLASSES_READ),
    _call("GET", "/education/users/{id}/schools", education.learner_schools, CLASSES_READ),
    _call("GET", "/organization", directory.organization, ORGANIZATION_READ),
    _call("GET", "/domains", directory.domains, DOMAINS_READ),
    _call("GET", "/subscribedSkus", directory.skus, LICENCES_READ),
    _call("GET", "/directory/deletedItems/{id}", trash.read, TRASH_READ),
    _call("DELETE", "/directory/deletedItems/{id}", trash.erase, RESTORE),
    _call("POST", "/directory/deletedItems/{id}/restore", trash.restore, RESTORE),
    _call("POST", "/directory/administrativeUnits", units.create, UNITS_WRITE),
    _call("PATCH", "/directory/administrativeUnits/{id}", units.update, UNITS_WRITE),
    _call("DELETE", "/directory/administrativeUnits/{id}", units.delete, UNITS_WRITE),
    *_relations("/directory/administrativeUnits/{id}", "members", UNIT_MEMBERS, UNITS_READ, UNITS_FILL),
    _call("POST", "/directory/administrativeUnits/{id}/members", units.create_member, UNITS_FILL),
    _call("GET", "/roleManagement/directory/roleAssignments", roles.assignments, ROLES_READ),
    _call("GET", "/roleManagement/directory/roleEligibilityScheduleInstances", roles.eligible, ROLES_READ),
    _call("GET", "/applications/{id}", directory.application, APPLICATIONS_READ),
    _call("GET", "/applications/(appId)/{id}", directory.application, APPLICATIONS_READ),
    _call("GET", "/applications/{id}/extensionProperties", directory.extensions, APPLICATIONS_READ),
    _call("POST", "/applications/{id}/extensionProperties", directory.register_extension, APPLICATIONS_WRITE),
    _call("GET", "/applications/(appId)/{id}/extensionProperties", directory.extensions, APPLICATIONS_READ),
    _call("POST", "/applications/(appId)/{id}/extensionProperties", directory.register_extension, APPLICATIONS_WRITE),
)
TYPED_TRASH = _call("GET", "/directory/deletedItems/{type}", trash.listing, TRASH_READ)


def _match(call: Call, segments: list[str]) -> Mapping[str, str] | None:
    """The values of the call's braces if these segments are its path, else None."""
    found: dict[str, str] = {}
    for part, segment in zip(call.pattern, segments, strict=True):
        if part.startswith("{"):
            name, _, words = part.strip("{}").partition(":")
            if (words and segment not in words.split(",")) or segment.startswith(("(", "$")):
                return None
            found[name] = segment
        elif part.casefold() != segment.casefold():
            return None
    return found


BY_SHAPE: dict[tuple[str, int, str], list[Call]] = {}
for _each in CALLS:
    BY_SHAPE.setdefault((_each.method, len(_each.pattern), _each.pattern[0].casefold()), []).append(_each)
FIRST = frozenset(call.pattern[0].casefold() for call in CALLS)


def find_call(method: str, segments: list[str]) -> tuple[Call, Mapping[str, str]] | None:
    """The call for this method and path, with the values of its braces; None if there is none."""
    if not segments:
        return None
    if segments[:2] == ["directory", "deletedItems"] and len(segments) == 3 and "." in segments[2] and method == "GET":
        return TYPED_TRASH, {"type": segments[2]}
    for call in BY_SHAPE.get((method, len(segments), segments[0].casefold()), ()):
        found = _match(call, segments)
        if found is not None:
            return call, found
    return None


@lru_cache(maxsize=1024)
def other_methods(segments: tuple[str, ...]) -> tuple[str, ...]:
    """The methods this path has calls for: whoever used another one is told 405."""
    methods = ("GET", "POST", "PATCH", "PUT", "DELETE")
    return tuple(method for method in methods if find_call(method, list(segments)) is not None)
