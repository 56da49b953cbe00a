"""What every kind of object looks like to a reader: its properties, which are shown unasked, what can be searched and expanded.

One description a kind; reading a collection, an object or a delta is the same for all of them (pages, delta).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..tenant.lags import View
from ..tenant.tables import Table
from ..tenant.tenant import OBJECT_TYPE, Tenant
from ..wire import Record, Refusal, bad_request, not_found

Names = Sequence[str] | None
Related = Callable[[Tenant, Record], list[Record]]
COLLECTIONS = frozenset(
    "assignedLabels assignedLicenses assignedPlans businessPhones creationOptions groupTypes identities imAddresses infoCatalogs "
    "licenseAssignmentStates onPremisesProvisioningErrors otherMails provisionedPlans proxyAddresses relatedContacts "
    "resourceBehaviorOptions resourceProvisioningOptions serviceProvisioningErrors".split()
)
"""Properties that hold several values: empty, never null."""
EXPANDED = 20
"""Microsoft expands at most this many objects."""


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind of object.

    type: its OData type. path: its collection, as contexts name it. table: where its records are.
    default: the properties shown without `$select`; all of `known` if empty. known: all that can be selected.
    remote: properties kept outside the directory, which no collection can show (501).
    search: what `$search` looks at. directory: whether ConsistencyLevel and advanced queries concern it.
    named: the property that may stand in an address instead of the id.
    belongs: which records of the table are of this kind. shape: computes what is not stored as it is shown.
    expands: what `$expand` can bring.
    """

    type: str
    path: str
    table: Callable[[Tenant], Table]
    known: frozenset[str]
    default: tuple[str, ...] = ()
    remote: frozenset[str] = frozenset()
    search: tuple[str, ...] = ()
    directory: bool = True
    named: str | None = None
    belongs: Callable[[Record], bool] | None = None
    shape: Callable[[Tenant, Record], Record] | None = None
    expands: Mapping[str, Related] = field(default_factory=dict)

    def find(self, tenant: Tenant, key: str, view: View = View.BY_ID) -> Record:
        """The object of this id as a reader sees it; 404 if there is none."""
        table = self.table(tenant)
        if self.named is not None and "@" in key and (found := table.one(self.named, key)) is not None:
            key = found["id"]
        record = table.seen(key, view) or table.seen(key.lower(), view)
        if record is None or (self.belongs is not None and not self.belongs(record)):
            raise not_found(key)
        return record

    def to_change(self, tenant: Tenant, key: str) -> Record:
        """The object of this id as it is, for a write: only whether it is found follows what a reader sees. 404 if it is not.

        A reader may see an earlier version of it; written back, that would undo what somebody wrote in between.
        """
        found = self.find(tenant, key)
        return self.table(tenant).get(found["id"]) or found

    def check_selected(self, tenant: Tenant, names: Names, *, collection: bool) -> None:
        """400 for a property the type does not have, 501 for one that no collection can show."""
        for name in names or ():
            if collection and name in self.remote:
                raise Refusal(501, "NotImplemented", f"The property '{name}' cannot be selected on a collection.")
            if name not in self.known and name not in self.remote and not _is_extension(tenant, name):
                message = f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type '{self.type}'."
                raise bad_request(message, code="BadRequest")

    def show(self, tenant: Tenant, record: Record, names: Names) -> Record:
        """The object as Graph shows it: the default set, or what was selected; null where it has no value."""
        full = record if self.shape is None else self.shape(tenant, record)
        shown = {"id": record["id"]}
        for name in names or self.default or sorted(self.known):
            value = full.get(name)
            shown[name] = [] if value is None and name in COLLECTIONS else value
        return shown

    def show_expanded(self, tenant: Tenant, record: Record, names: Names, expanded: Sequence[str]) -> Record:
        """The object with the related objects of `$expand`, of each relation the first EXPANDED."""
        shown = self.show(tenant, record, names)
        for name in expanded:
            shown[name] = [show_object(tenant, other, None) for other in self.expands[name](tenant, record)[:EXPANDED]]
        return shown


def _is_extension(tenant: Tenant, name: str) -> bool:
    return name.startswith("extension_") and (name == OBJECT_TYPE or tenant.extensions.one("name", name) is not None)


def show_object(tenant: Tenant, record: Record, names: Names) -> Record:
    """A directory object of whichever kind, with its type."""
    entity = USER if "userPrincipalName" in record else UNIT if "_unit" in record else GROUP
    wanted = [name for name in names or () if name in entity.known or _is_extension(tenant, name)] or None
    return {"@odata.type": f"#{entity.type}", **entity.show(tenant, record, wanted)}


def _groups_of(tenant: Tenant, record: Record) -> list[Record]:
    keys = (*tenant.members.to(record["id"]), *tenant.unit_members.to(record["id"]))
    return [found for key in keys if (found := tenant.groups.get(key) or tenant.units.get(key)) is not None]


def people_of(tenant: Tenant, keys: Sequence[str]) -> list[Record]:
    """The live users and groups of these ids."""
    return [found for key in keys if (found := tenant.users.get(key) or tenant.groups.get(key)) is not None]


def is_class(record: Record) -> bool:
    """Only groups whose Education_ObjectType is Section are classes (section 13.2)."""
    return record.get(OBJECT_TYPE) == "Section"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _restricted(tenant: Tenant, record: Record) -> Record:
    """The object with `isManagementRestricted`, which follows from the administrative units it is in; null in none."""
    if not len(tenant.units):
        return record
    units = (tenant.units.get(key) for key in tenant.unit_members.to(record["id"]))
    restricted = any(unit and unit.get("isMemberManagementRestricted") for unit in units)
    return {**record, "isManagementRestricted": True} if restricted else record


USER = Entity(
    "microsoft.graph.user",
    "users",
    lambda tenant: tenant.users,
    _words(
        "id accountEnabled ageGroup assignedLicenses assignedPlans authorizationInfo businessPhones city companyName "
        "consentProvidedForMinor country createdDateTime creationType deletedDateTime department displayName employeeHireDate "
        "employeeId employeeLeaveDateTime employeeOrgData employeeType externalUserState externalUserStateChangeDateTime "
        "faxNumber givenName identities imAddresses isManagementRestricted isResourceAccount jobTitle "
        "lastPasswordChangeDateTime legalAgeGroupClassification licenseAssignmentStates mail mailNickname mobilePhone "
        "officeLocation onPremisesDistinguishedName onPremisesDomainName onPremisesExtensionAttributes onPremisesImmutableId "
        "onPremisesLastSyncDateTime onPremisesProvisioningErrors onPremisesSamAccountName onPremisesSecurityIdentifier "
        "onPremisesSyncEnabled onPremisesUserPrincipalName otherMails passwordPolicies passwordProfile postalCode "
        "preferredDataLocation preferredLanguage provisionedPlans proxyAddresses securityIdentifier serviceProvisioningErrors "
        "showInAddressList signInActivity signInSessionsValidFromDateTime state streetAddress surname usageLocation "
        "userPrincipalName userType"
    ),
    tuple(
        "businessPhones displayName givenName id jobTitle mail mobilePhone officeLocation preferredLanguage surname "
        "userPrincipalName".split()
    ),
    remote=_words(
        "aboutMe birthday hireDate interests mySite pastProjects preferredName responsibilities schools skills mailboxSettings"
    ),
    search=("displayName", "givenName", "surname", "mail", "mailNickname", "userPrincipalName", "otherMails"),
    named="userPrincipalName",
    shape=_restricted,
    expands={"memberOf": _groups_of},
)
GROUP = Entity(
    "microsoft.graph.group",
    "groups",
    lambda tenant: tenant.groups,
    _words(
        "id accessType allowExternalSenders assignedLabels assignedLicenses autoSubscribeNewMembers classification "
        "createdDateTime creationOptions deletedDateTime description displayName expirationDateTime groupTypes "
        "hasMembersWithLicenseErrors hideFromAddressLists hideFromOutlookClients infoCatalogs isArchived isAssignableToRole "
        "isFavorite isManagementRestricted isSubscribedByMail licenseProcessingState mail mailEnabled mailNickname "
        "membershipRule membershipRuleProcessingState onPremisesDomainName onPremisesLastSyncDateTime "
        "onPremisesNetBiosName onPremisesProvisioningErrors onPremisesSamAccountName onPremisesSecurityIdentifier "
        "onPremisesSyncEnabled organizationId preferredDataLocation preferredLanguage proxyAddresses renewedDateTime "
        "resourceBehaviorOptions resourceProvisioningOptions securityEnabled securityIdentifier serviceProvisioningErrors "
        "theme uniqueName unseenConversationsCount unseenCount unseenMessagesCount visibility welcomeMessageEnabled"
    ),
    tuple(
        "id deletedDateTime classification createdDateTime creationOptions description displayName expirationDateTime "
        "groupTypes isAssignableToRole mail mailEnabled mailNickname membershipRule membershipRuleProcessingState "
        "onPremisesDomainName onPremisesLastSyncDateTime onPremisesNetBiosName onPremisesProvisioningErrors "
        "onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncEnabled preferredDataLocation preferredLanguage "
        "proxyAddresses renewedDateTime resourceBehaviorOptions resourceProvisioningOptions securityEnabled "
        "securityIdentifier serviceProvisioningErrors theme uniqueName visibility".split()
    ),
    search=("displayName", "description", "mail", "mailNickname"),
    shape=_restricted,
    expands={
        "members": lambda tenant, record: people_of(tenant, list(tenant.members.seen(record["id"]))),
        "owners": lambda tenant, record: people_of(tenant, list(tenant.owners.seen(record["id"]))),
    },
)
UNIT = Entity(
    "microsoft.graph.administrativeUnit",
    "directory/administrativeUnits",
    lambda tenant: tenant.units,
    _words(
        "id deletedDateTime description displayName isMemberManagementRestricted membershipRule membershipRuleProcessingState "
        "membershipType visibility"
    ),
    search=("displayName", "description"),
    expands={
        "members": lambda tenant, record: people_of(tenant, list(tenant.unit_members.seen(record["id"]))),
    },
)
CLASS = Entity(
    "microsoft.graph.educationClass",
    "education/classes",
    lambda tenant: tenant.groups,
    _words(
        "id classCode course createdBy description displayName externalId externalName externalSource externalSourceDetail "
        "grade mailNickname term"
    ),
    directory=False,
    belongs=is_class,
    expands={
        "members": lambda tenant, record: people_of(tenant, list(tenant.members.seen(record["id"]))),
        "teachers": lambda tenant, record: people_of(tenant, list(tenant.owners.seen(record["id"]))),
        "schools": lambda tenant, record: [
            found for key in tenant.school_classes.to(record["id"]) if (found := tenant.units.get(key)) is not None
        ],
    },
)


def _school(_: Tenant, record: Record) -> Record:
    return {**record, **record["_school"]}


SCHOOL = Entity(
    "microsoft.graph.educationSchool",
    "education/schools",
    lambda tenant: tenant.units,
    _words(
        "id address createdBy description displayName externalId externalPrincipalId externalSource externalSourceDetail fax "
        "highestGrade lowestGrade phone principalEmail principalName schoolNumber"
    ),
    directory=False,
    belongs=lambda record: "_school" in record,
    shape=_school,
)


def _learner(_: Tenant, record: Record) -> Record:
    return {"primaryRole": "none", **record, **record.get("_education", {})}


LEARNER = Entity(
    "microsoft.graph.educationUser",
    "education/users",
    lambda tenant: tenant.users,
    _words(
        "id accountEnabled assignedLicenses businessPhones createdBy department displayName externalSource "
        "externalSourceDetail givenName mail mailNickname mailingAddress middleName mobilePhone officeLocation onPremisesInfo "
        "passwordPolicies preferredLanguage primaryRole relatedContacts residenceAddress showInAddressList "
        "student surname teacher usageLocation userPrincipalName userType"
    ),
    directory=False,
    named="userPrincipalName",
    shape=_learner,
)


def _team(tenant: Tenant, group: Record) -> Record:
    return {
        "id": group["id"],
        **{name: group["_team"].get(name) for name in TEAM_SETTINGS},
        "displayName": group["displayName"],
        "description": group.get("description"),
        "classification": group.get("classification"),
        "internalId": f"19:{group['id'].replace('-', '')}@thread.tacv2",
        "isArchived": bool(group["_team"].get("archived")),
        "visibility": "hiddenMembership" if is_class(group) else str(group["visibility"]).lower(),
        "specialization": "educationClass" if is_class(group) else "none",
        "createdDateTime": group["createdDateTime"],
        "tenantId": tenant.id,
        "webUrl": None,
    }


TEAM_SETTINGS = ("memberSettings", "guestSettings", "messagingSettings", "funSettings")
TEAM = Entity(
    "microsoft.graph.team",
    "teams",
    lambda tenant: tenant.groups,
    _words(
        "id classification createdDateTime description displayName funSettings guestSettings internalId isArchived "
        "memberSettings messagingSettings specialization tenantId visibility webUrl"
    ),
    directory=False,
    belongs=lambda record: "_team" in record,
    shape=_team,
)
ENTITIES = (USER, GROUP, UNIT, CLASS, SCHOOL, LEARNER, TEAM)
