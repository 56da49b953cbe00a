"""Groups: kinds, rules at creation and after, upsert (graph.md section 5)."""

from __future__ import annotations

from typing import Any

from ..ask import Ask
from ..odata.entities import GROUP
from ..odata.pages import one
from ..tenant.tenant import Tenant
from ..wire import Answer, Record, bad_request, conflict, denied, not_found
from . import relations, roles, rules, trash, users

SETTABLE = frozenset(
    "classification description displayName groupTypes isAssignableToRole mailEnabled mailNickname membershipRule "
    "membershipRuleProcessingState preferredDataLocation preferredLanguage securityEnabled theme uniqueName visibility".split()
)
CREATION_ONLY = frozenset({"resourceBehaviorOptions", "creationOptions"})
OWN_REQUEST = frozenset(
    "accessType allowExternalSenders autoSubscribeNewMembers hideFromAddressLists hideFromOutlookClients isFavorite "
    "isSubscribedByMail unseenConversationsCount unseenCount unseenMessagesCount".split()
)
BEHAVIOURS = frozenset(
    "AllowOnlyMembersToPost CalendarMemberReadOnly ConnectorsDisabled HideGroupInOutlook "
    "SubscribeMembersToCalendarEventsDisabled SubscribeNewGroupMembers WelcomeEmailDisabled ProvisionSiteOnDemand".split()
)
VISIBILITIES = (None, "Public", "Private", "HiddenMembership")
ONLY_PEOPLE = frozenset({"GroupMember.ReadWrite.All"})
"""What suffices for a PATCH of nothing but members (section 11)."""


def is_unified(record: Record) -> bool:
    """Whether this is a Microsoft 365 group."""
    return "Unified" in record["groupTypes"]


def _check(tenant: Tenant, given: Record, known: Record | None) -> None:
    rules.check_known(tenant, given, SETTABLE if known is not None else SETTABLE | CREATION_ONLY, "Group")
    rules.check_lengths(given, rules.GROUP_LENGTHS)
    if "displayName" in given and not given["displayName"]:
        rules.check_required(given, ("displayName",))
    unknown = set(given.get("resourceBehaviorOptions") or ()) - BEHAVIOURS
    if unknown:
        raise bad_request(f"Invalid value '{sorted(unknown)[0]}' for property 'resourceBehaviorOptions'.")
    if given.get("visibility") not in VISIBILITIES:
        raise rules.wrong("visibility", "Group")
    _check_unique_name(tenant, given.get("uniqueName"), known)
    if known is not None:
        _check_fixed(given, known)


def _check_unique_name(tenant: Tenant, unique: Any, known: Record | None) -> None:
    if unique is None:
        return
    if not isinstance(unique, str):
        raise rules.wrong("uniqueName", "Group")
    holder = tenant.groups.one("uniqueName", unique)
    if known is not None and known.get("uniqueName") not in (None, unique):
        raise bad_request("Property 'uniqueName' is immutable once it was set.")
    if holder is not None and (known is None or holder["id"] != known["id"]):
        raise conflict("uniqueName")


def _check_fixed(given: Record, known: Record) -> None:
    """400 for what cannot be changed after the creation."""
    seen = (given.get("visibility", known["visibility"]), known["visibility"])
    if seen[0] != seen[1] and "HiddenMembership" in seen:
        raise bad_request("HiddenMembership can only be set when the group is created.")
    for name in ("mailEnabled", "isAssignableToRole"):
        if name in given and given[name] != known.get(name):
            raise bad_request(f"Property '{name}' cannot be changed.")
    if "groupTypes" in given and ("Unified" in given["groupTypes"]) != is_unified(known):
        raise bad_request("Property 'groupTypes' cannot be changed between kinds of groups.")


def _new(ask: Ask, given: Record) -> Record:
    """The record of a group that may be made, checked; not stored yet."""
    tenant = ask.tenant
    for name in ("mailEnabled", "securityEnabled"):
        if not isinstance(given.get(name), bool):
            rules.check_required({}, (name,))
    rules.check_required(given, ("displayName", "mailNickname"))
    kinds = given.get("groupTypes") or []
    if not isinstance(kinds, list) or not {"Unified", "DynamicMembership"}.issuperset(kinds):
        raise rules.wrong("groupTypes", "Group")
    unified = "Unified" in kinds
    if unified != given["mailEnabled"]:
        raise bad_request("Distribution lists and mail-enabled security groups cannot be made by this call.")
    if not unified and not given["securityEnabled"]:
        raise bad_request("A security group has to be security-enabled.")
    if not unified and given.get("visibility") == "HiddenMembership":
        raise bad_request("HiddenMembership is for Microsoft 365 groups only.")
    if "DynamicMembership" in kinds and not given.get("membershipRule"):
        rules.check_required({}, ("membershipRule",))
    if given.get("isAssignableToRole"):
        if roles.MANAGE_ROLES not in ask.roles:
            raise denied()
        if not given["securityEnabled"] or given.get("visibility", "Private") != "Private":
            raise bad_request("A role-assignable group has to be security-enabled and private.")
    if unified:
        rules.check_free_nickname(tenant, given["mailNickname"])
    else:
        rules.check_nickname(given["mailNickname"])
    _check(tenant, given, None)
    users.check_room(tenant)
    return group_record(tenant, given, kinds)


def group_record(tenant: Tenant, given: Record, kinds: list[str]) -> Record:
    """A group with Microsoft's defaults under what was given."""
    unified = "Unified" in kinds
    mail = f"{given['mailNickname']}@{tenant.domain}" if unified else None
    return {
        "creationOptions": [],
        "resourceBehaviorOptions": [],
        "description": None,
        "uniqueName": None,
        "assignedLicenses": [],
        **{name: value for name, value in given.items() if "@odata" not in name},
        "visibility": given.get("visibility") or ("Public" if unified else "Private"),
        "id": tenant.new_id(),
        "groupTypes": kinds,
        "mail": mail,
        "proxyAddresses": [f"SMTP:{mail}"] if mail else [],
        "resourceProvisioningOptions": [],
        "createdDateTime": tenant.stamp(),
        "renewedDateTime": tenant.stamp(),
        "_made": tenant.clock.now(),
    }


def create(ask: Ask) -> Answer:
    """201 with the group and up to 20 relations."""
    given = dict(ask.record())
    owners, members = given.pop("owners@odata.bind", []), given.pop("members@odata.bind", [])
    if (owners or members) and users.READERS.isdisjoint(ask.roles) and "Group.ReadWrite.All" not in ask.roles:
        raise denied()
    record = _new(ask, given)
    if owners or members:
        _relate_new(ask, record, owners, members)
    else:
        ask.tenant.groups.put(record["id"], record)
    body = {"@odata.context": f"{ask.base}/$metadata#groups/$entity", **GROUP.show(ask.tenant, record, None)}
    return Answer(201, body, {"Location": f"{ask.base}/groups/{record['id']}"})


def _relate_new(ask: Ask, record: Record, owners: Any, members: Any) -> None:
    """Relations are checked before the group is there, so that a refused call leaves nothing behind."""
    creating = {**record, "isAssignableToRole": False}
    chosen = relations.check_all(ask, creating, owners, members)
    ask.tenant.groups.put(record["id"], record)
    relations.tie_all(ask.tenant, record, chosen)


def read(ask: Ask) -> Answer:
    """200 with one group."""
    return Answer(200, one(ask, GROUP, GROUP.find(ask.tenant, ask.parameters["id"])))


def update(ask: Ask) -> Answer:
    """204; attributes, or up to 20 relations added all or none."""
    given = ask.record()
    people = {"members@odata.bind"}.issuperset(given)
    if relations.GROUP_WRITERS.isdisjoint(ask.roles) and not (people and not ONLY_PEOPLE.isdisjoint(ask.roles)):
        raise denied()
    return _update(ask, GROUP.to_change(ask.tenant, ask.parameters["id"]))


def _update(ask: Ask, known: Record) -> Answer:
    given = dict(ask.record())
    bound = [name for name in given if name in ("owners@odata.bind", "members@odata.bind")]
    owners, members = given.pop("owners@odata.bind", []), given.pop("members@odata.bind", [])
    alone = OWN_REQUEST & given.keys()
    if alone and (alone != given.keys() or bound):
        raise bad_request(f"The property '{sorted(alone)[0]}' has to be set in a request of its own.")
    if alone:
        return _update_alone(ask, known, given)
    if given:
        change(ask.tenant, known, given, store=False)
    if bound:
        relations.relate(ask, known, owners, members)
    if given:
        change(ask.tenant, known, given)
    return Answer(204)


def _update_alone(ask: Ask, known: Record, given: Record) -> Answer:
    """200 for the properties that need a PATCH of their own, and Group.ReadWrite.All (section 5.1)."""
    if "Group.ReadWrite.All" not in ask.roles:
        raise denied()
    ask.tenant.groups.put(known["id"], {**known, **given})
    return Answer(200, GROUP.show(ask.tenant, {**known, **given}, None))


def change(tenant: Tenant, known: Record, given: Record, *, store: bool = True) -> None:
    """Attributes of a group, checked and, unless that was all that was wanted, stored."""
    if known.get("onPremisesSyncEnabled"):
        raise bad_request("Unable to update the specified properties for on-premises mastered Directory Sync objects.")
    roles.check_unrestricted(tenant, known)
    _check(tenant, given, known)
    if "mailNickname" in given and is_unified(known):
        rules.check_free_nickname(tenant, given["mailNickname"], known["id"])
    elif "mailNickname" in given:
        rules.check_nickname(given["mailNickname"])
    if store:
        tenant.groups.put(known["id"], {**known, **given})


def upsert(ask: Ask) -> Answer:
    """204 for a group of this uniqueName that is there; 201 with `Prefer: create-if-missing` for one that was made."""
    unique = ask.parameters["id"]
    known = ask.tenant.groups.one("uniqueName", unique)
    if known is not None:
        return _update(ask, known)
    if "create-if-missing" not in ask.headers.get("prefer", ""):
        raise not_found(unique)
    given = ask.record()
    if any("@odata.bind" in name for name in given):
        raise bad_request("Relations cannot be given when a group is made by its uniqueName.")
    record = _new(ask, {**given, "uniqueName": unique})
    ask.tenant.groups.put(record["id"], record)
    shown = GROUP.show(ask.tenant, record, None)
    return Answer(201, shown, {"Location": f"{ask.base}/groups/{record['id']}"})


def by_unique_name(ask: Ask) -> Answer:
    """200 with the group of this uniqueName."""
    known = ask.tenant.groups.one("uniqueName", ask.parameters["id"])
    if known is None:
        raise not_found(ask.parameters["id"])
    return Answer(200, one(ask, GROUP, known))


def delete(ask: Ask) -> Answer:
    """204; the group and its team are kept among the deleted ones."""
    known = GROUP.find(ask.tenant, ask.parameters["id"])
    roles.check_unrestricted(ask.tenant, known)
    roles.check_role_group(ask, known)
    remove(ask.tenant, known)
    return Answer(204)


def remove(tenant: Tenant, known: Record) -> None:
    """Delete a group softly; licences it gave are taken back."""
    people = list(tenant.members.of(known["id"]))
    licensed = bool(known.get("assignedLicenses"))
    trash.throw(tenant, tenant.groups, tenant.groups.get(known["id"]) or known)
    if licensed:
        tenant.agenda.later("licences", tenant.clock.now(), tenant.delays.licences, group=known["id"], users=people)
