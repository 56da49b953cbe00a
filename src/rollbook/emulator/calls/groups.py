"""Groups and their owners and members (graph.md section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..addresses import referenced_id
from ..ask import Ask
from ..odata.pages import list_page, pick, selected, table_page
from ..tenant.links import Links, Span
from ..tenant.tenant import Tenant
from ..wire import Answer, Record, bad_request, conflict, denied, not_found
from . import rules, users

DEFAULT = [
    "id",
    "deletedDateTime",
    "classification",
    "createdDateTime",
    "creationOptions",
    "description",
    "displayName",
    "expirationDateTime",
    "groupTypes",
    "isAssignableToRole",
    "mail",
    "mailEnabled",
    "mailNickname",
    "membershipRule",
    "onPremisesSyncEnabled",
    "preferredDataLocation",
    "proxyAddresses",
    "renewedDateTime",
    "resourceBehaviorOptions",
    "resourceProvisioningOptions",
    "securityEnabled",
    "uniqueName",
    "visibility",
]
SETTABLE = frozenset(
    [
        "displayName",
        "description",
        "groupTypes",
        "isAssignableToRole",
        "mailEnabled",
        "mailNickname",
        "preferredLanguage",
        "securityEnabled",
        "theme",
        "uniqueName",
        "visibility",
    ]
)
CREATION_ONLY = frozenset({"resourceBehaviorOptions", "creationOptions"})
OWN_REQUEST = frozenset(
    [
        "accessType",
        "allowExternalSenders",
        "autoSubscribeNewMembers",
        "hideFromAddressLists",
        "hideFromOutlookClients",
        "isSubscribedByMail",
    ]
)
RELATIONS_PER_REQUEST = 20
MOST_OWNERS = 100
BEHAVIOURS = frozenset(
    [
        "AllowOnlyMembersToPost",
        "CalendarMemberReadOnly",
        "ConnectorsDisabled",
        "HideGroupInOutlook",
        "SubscribeMembersToCalendarEventsDisabled",
        "SubscribeNewGroupMembers",
        "WelcomeEmailDisabled",
        "ProvisionSiteOnDemand",
    ]
)


def show(record: Record, names: Sequence[str] | None) -> Record:
    """A group as Graph shows it: the default set, or what was selected."""
    return pick(record, names or DEFAULT)


def find(tenant: Tenant, key: str) -> Record:
    """The group of this id; 404 if there is none."""
    record = tenant.groups.get(key)
    if record is None:
        raise not_found(key)
    return record


def is_unified(record: Record) -> bool:
    """Whether this is a Microsoft 365 group."""
    return "Unified" in record["groupTypes"]


def check_nickname(tenant: Tenant, nickname: Any, own: str | None = None) -> None:
    """400 for a nickname that breaks the rules, or that another Microsoft 365 group has."""
    rules.check_nickname(nickname)
    for key in tenant.groups.find("mailNickname", nickname) or ():
        held = tenant.groups.get(key)
        if key != own and held is not None and is_unified(held):
            raise conflict("mailNickname")


def _check(tenant: Tenant, given: Record, known: Record | None) -> None:
    allowed = SETTABLE if known is not None else SETTABLE | CREATION_ONLY
    extensions = frozenset(entry["name"] for entry in tenant.extensions.values())
    rules.refuse_unknown(given, allowed | extensions, "Group")
    rules.check_lengths(given, rules.GROUP_LENGTHS)
    unknown = set(given.get("resourceBehaviorOptions") or ()) - BEHAVIOURS
    if unknown:
        raise bad_request(f"Invalid value '{sorted(unknown)[0]}' for property 'resourceBehaviorOptions'.")
    unique = given.get("uniqueName")
    if unique is not None and not isinstance(unique, str):
        raise bad_request("Invalid value specified for property 'uniqueName' of resource 'Group'.")
    if unique is not None:
        holder = tenant.groups.one("uniqueName", unique)
        if known is not None and known.get("uniqueName") not in (None, unique):
            raise bad_request("Property 'uniqueName' is immutable once it was set.")
        if holder is not None and (known is None or holder["id"] != known["id"]):
            raise conflict("uniqueName")
    seen = (given.get("visibility", known["visibility"]), known["visibility"]) if known is not None else ("", "")
    if seen[0] != seen[1] and "HiddenMembership" in seen:
        raise bad_request("HiddenMembership can only be set when the group is created.")


def _new(tenant: Tenant, given: Record) -> Record:
    """The record of a group that may be made, checked; not stored yet."""
    for name in ("mailEnabled", "securityEnabled"):
        if not isinstance(given.get(name), bool):
            rules.check_required({}, (name,))
    rules.check_required(given, ("displayName", "mailNickname"))
    kinds = given.get("groupTypes") or []
    unified = "Unified" in kinds
    if (unified and not given["mailEnabled"]) or (not unified and given["mailEnabled"]):
        raise bad_request("Distribution lists and mail-enabled security groups cannot be made by this call.")
    if not unified and not given["securityEnabled"]:
        raise bad_request("A security group has to be security-enabled.")
    if unified:
        check_nickname(tenant, given["mailNickname"])
    else:
        rules.check_nickname(given["mailNickname"])
    _check(tenant, given, None)
    return group_record(tenant, given, kinds)


def group_record(tenant: Tenant, given: Record, kinds: list[str]) -> Record:
    """A group with Microsoft's defaults under what was given."""
    unified = "Unified" in kinds
    return {
        "creationOptions": [],
        "resourceBehaviorOptions": [],
        "visibility": "Public" if unified else "Private",
        "description": None,
        "uniqueName": None,
        **{name: value for name, value in given.items() if "@odata" not in name},
        "id": tenant.new_id(),
        "groupTypes": kinds,
        "mail": f"{given['mailNickname']}@{tenant.config.domain}" if unified else None,
        "proxyAddresses": [],
        "resourceProvisioningOptions": [],
        "createdDateTime": tenant.stamp(),
        "renewedDateTime": tenant.stamp(),
        "_made": tenant.clock.now(),
    }


def create(ask: Ask) -> Answer:
    """201 with the group and up to 20 relations."""
    given = dict(ask.record())
    owners, members = given.pop("owners@odata.bind", []), given.pop("members@odata.bind", [])
    record = _new(ask.tenant, given)
    ask.tenant.groups.put(record["id"], record)
    try:
        if owners or members:
            relate(ask.tenant, record, owners, members)
    except Exception:
        ask.tenant.groups.drop(record["id"])
        raise
    body = {"@odata.context": f"{ask.base}/$metadata#groups/$entity", **show(record, None)}
    return Answer(201, body, {"Location": f"{ask.base}/groups/{record['id']}"})


def read(ask: Ask) -> Answer:
    """200 with one group."""
    return Answer(200, show(find(ask.tenant, ask.parameters["id"]), selected(ask)))


def listing(ask: Ask) -> Answer:
    """200 with a page of groups."""
    return table_page(ask, ask.tenant.groups, show)


def update(ask: Ask) -> Answer:
    """204; attributes, or up to 20 relations added all or none."""
    return _update(ask, find(ask.tenant, ask.parameters["id"]))


def _update(ask: Ask, known: Record) -> Answer:
    given = dict(ask.record())
    owners, members = given.pop("owners@odata.bind", []), given.pop("members@odata.bind", [])
    alone = OWN_REQUEST & given.keys()
    if alone and alone != given.keys():
        raise bad_request(f"The property '{sorted(alone)[0]}' has to be set in a request of its own.")
    if alone:
        ask.tenant.groups.put(known["id"], {**known, **given})
        return Answer(200, show({**known, **given}, None))
    _check(ask.tenant, given, known)
    if "mailNickname" in given and is_unified(known):
        check_nickname(ask.tenant, given["mailNickname"], known["id"])
    if owners or members:
        relate(ask.tenant, known, owners, members)
    if given:
        ask.tenant.groups.put(known["id"], {**known, **given})
    return Answer(204)


def upsert(ask: Ask) -> Answer:
    """204 for a group of this uniqueName that is there; 201 with `Prefer: create-if-missing` for one that was made."""
    unique = ask.parameters["id"]
    known = ask.tenant.groups.one("uniqueName", unique)
    if known is not None:
        return _update(ask, known)
    if "create-if-missing" not in ask.headers.get("prefer", ""):
        raise not_found(unique)
    record = _new(ask.tenant, {**ask.record(), "uniqueName": unique})
    ask.tenant.groups.put(record["id"], record)
    return Answer(201, show(record, None), {"Location": f"{ask.base}/groups/{record['id']}"})


def by_unique_name(ask: Ask) -> Answer:
    """200 with the group of this uniqueName."""
    known = ask.tenant.groups.one("uniqueName", ask.parameters["id"])
    if known is None:
        raise not_found(ask.parameters["id"])
    return Answer(200, show(known, selected(ask)))


def delete(ask: Ask) -> Answer:
    """204; the group and its team are kept among the deleted ones."""
    tenant, known = ask.tenant, find(ask.tenant, ask.parameters["id"])
    tenant.members.cut_all(known["id"])
    tenant.owners.cut_all(known["id"])
    tenant.groups.drop(known["id"])
    tenant.deleted.put(known["id"], {**known, "deletedDateTime": tenant.stamp()})
    return Answer(204)


def relate(tenant: Tenant, group: Record, owners: Any, members: Any) -> None:
    """Add owners and members, all or none: 20 at most, each there and allowed, none of them a relation already."""
    if not isinstance(owners, list) or not isinstance(members, list):
        raise bad_request("A bind has to be a list of references.")
    if len(owners) + len(members) > RELATIONS_PER_REQUEST:
        raise bad_request(f"The request exceeds the maximum number of {RELATIONS_PER_REQUEST} references.")
    chosen = [
        (links, name, [referenced_id(entry) for entry in bind])
        for links, name, bind in ((tenant.owners, "owners", owners), (tenant.members, "members", members))
    ]
    for links, name, keys in chosen:
        _check_relations(tenant, group, links, name, keys)
    now = tenant.clock.now()
    for links, _, keys in chosen:
        for key in keys:
            links.tie(group["id"], key, Span(now))


def _check_relations(tenant: Tenant, group: Record, links: Links, name: str, keys: list[str]) -> None:
    held = links.of(group["id"])
    for key in keys:
        if tenant.users.get(key) is None and not (name == "members" and _may_nest(tenant, group, key)):
            raise not_found(key)
    if len(set(keys)) != len(keys) or any(key in held for key in keys):
        raise bad_request(
            f"One or more added object references already exist for the following modified properties: '{name}'."
        )
    if name == "owners" and len(held) + len(keys) > MOST_OWNERS:
        message = (
            f'Unable to perform operation as "{len(held) + len(keys)}" would exceed the maximum quota count '
            f'"{MOST_OWNERS}" for forward-link "owners".'
        )
        raise bad_request(message, code="Directory_QuotaExceeded")


def _may_nest(tenant: Tenant, group: Record, key: str) -> bool:
    """A security group may hold security groups; a Microsoft 365 group holds users only and is nested nowhere."""
    inner = tenant.groups.get(key)
    if inner is None:
        return False
    if is_unified(group) or is_unified(inner) or inner["id"] == group["id"]:
        raise bad_request("The group cannot be a member of this group.")
    return True


def _links(ask: Ask) -> tuple[Links, str]:
    tables = {"members": ask.tenant.members, "owners": ask.tenant.owners}
    name = ask.parameters["relation"]
    return tables[name], name


def add_reference(ask: Ask) -> Answer:
    """204; one owner or member."""
    known = find(ask.tenant, ask.parameters["id"])
    _, name = _links(ask)
    reference = [ask.record().get("@odata.id")]
    relate(ask.tenant, known, reference if name == "owners" else [], reference if name == "members" else [])
    return Answer(204)


def remove_reference(ask: Ask) -> Answer:
    """204; one owner or member less. The last owner of a Microsoft 365 group stays."""
    known, target = find(ask.tenant, ask.parameters["id"]), ask.parameters["target"]
    links, name = _links(ask)
    if target not in links.of(known["id"]):
        raise not_found(target)
    if name == "owners" and len(links.of(known["id"])) == 1 and is_unified(known):
        raise bad_request("The group must have at least one owner, hence this owner cannot be removed.")
    links.cut(known["id"], target)
    return Answer(204)


def delete_member(ask: Ask) -> Answer:
    """204; without /$ref this deletes the *user*, as Microsoft documents (section 5.2)."""
    if "User.ReadWrite.All" not in ask.roles and "Directory.ReadWrite.All" not in ask.roles:
        raise denied()
    users.remove(ask.tenant, users.find(ask.tenant, ask.parameters["target"]))
    return Answer(204)


def related(ask: Ask) -> Answer:
    """200 with a page of owners or members; those of hidden groups only with Member.Read.Hidden, silently none else."""
    known = find(ask.tenant, ask.parameters["id"])
    links, name = _links(ask)
    hidden = name == "members" and known["visibility"] == "HiddenMembership" and "Member.Read.Hidden" not in ask.roles
    keys = [] if hidden else list(links.of(known["id"]))
    found = [record for key in keys if (record := ask.tenant.users.get(key) or ask.tenant.groups.get(key))]
    return list_page(ask, found, _show_object)


def _show_object(record: Record, names: Sequence[str] | None) -> Record:
    user = "userPrincipalName" in record
    shown = users.show(record, names) if user else show(record, names)
    return {"@odata.type": "#microsoft.graph.user" if user else "#microsoft.graph.group", **shown}
