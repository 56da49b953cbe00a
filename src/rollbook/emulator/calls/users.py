"""Users: create, read, change, delete softly, license, sign out (graph.md sections 2 and 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..ask import Ask
from ..odata.pages import pick, selected, table_page
from ..tenant.tenant import Tenant
from ..wire import Answer, Record, Refusal, bad_request, conflict, denied, invalid_value, not_found
from . import rules

DEFAULT = [
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
]
SETTABLE = frozenset(
    [
        "accountEnabled",
        "ageGroup",
        "businessPhones",
        "city",
        "companyName",
        "consentProvidedForMinor",
        "country",
        "department",
        "displayName",
        "employeeHireDate",
        "employeeId",
        "employeeType",
        "givenName",
        "jobTitle",
        "mail",
        "mailNickname",
        "mobilePhone",
        "officeLocation",
        "onPremisesImmutableId",
        "otherMails",
        "passwordPolicies",
        "passwordProfile",
        "postalCode",
        "preferredLanguage",
        "state",
        "streetAddress",
        "surname",
        "usageLocation",
        "userPrincipalName",
        "userType",
    ]
)
REQUIRED = ("displayName", "mailNickname", "userPrincipalName", "passwordProfile")
SENSITIVE = frozenset(
    [
        "accountEnabled",
        "mobilePhone",
        "businessPhones",
        "otherMails",
        "passwordProfile",
        "onPremisesImmutableId",
        "userPrincipalName",
    ]
)


def show(record: Record, names: Sequence[str] | None) -> Record:
    """A user as Graph shows it: the default set, or what was selected. Passwords are never shown."""
    return pick(record, [n for n in (names or DEFAULT) if n != "passwordProfile"])


def find(tenant: Tenant, key: str) -> Record:
    """The user of this id or user principal name; 404 if there is none."""
    record = tenant.users.get(key) or tenant.users.one("userPrincipalName", key)
    if record is None:
        raise not_found(key)
    return record


def _check(tenant: Tenant, given: Record, known: Record | None) -> None:
    extensions = frozenset(entry["name"] for entry in tenant.extensions.values())
    rules.refuse_unknown(given, SETTABLE | extensions, "User")
    rules.check_lengths(given, rules.USER_LENGTHS)
    for name in extensions & given.keys():
        if given[name] is not None and (not isinstance(given[name], str) or len(given[name]) > 256):
            raise bad_request(f"Invalid value for extension property '{name}'.")
    if not isinstance(given.get("accountEnabled", True), bool):
        raise invalid_value(
            "accountEnabled", "Invalid value specified for property 'accountEnabled' of resource 'User'."
        )
    rules.check_country(given.get("usageLocation"))
    if "displayName" in given and not given["displayName"]:
        rules.check_required(given, ("displayName",))
    if "passwordProfile" in given:
        rules.check_password(given["passwordProfile"])
    if "userPrincipalName" in given:
        rules.check_user_name(given["userPrincipalName"], [domain["id"] for domain in tenant.domains])
        holder = tenant.users.one("userPrincipalName", given["userPrincipalName"])
        if holder is not None and (known is None or holder["id"] != known["id"]):
            raise conflict("userPrincipalName")


def create(ask: Ask) -> Answer:
    """201 with the default properties; the account can be found under its name at once."""
    given = ask.record()
    rules.check_required(given, REQUIRED)
    if not isinstance(given.get("accountEnabled"), bool):
        rules.check_required({}, ("accountEnabled",))
    _check(ask.tenant, given, None)
    key = ask.tenant.new_id()
    kept = {name: value for name, value in given.items() if name != "passwordProfile"}
    record = {
        "businessPhones": [],
        "userType": "Member",
        **kept,
        "id": key,
        "assignedLicenses": [],
        "createdDateTime": ask.tenant.stamp(),
        "_change_password": bool(given["passwordProfile"].get("forceChangePasswordNextSignIn")),
    }
    ask.tenant.users.put(key, record)
    body = {"@odata.context": f"{ask.base}/$metadata#users/$entity", **show(record, None)}
    return Answer(201, body, {"Location": f"{ask.base}/users/{key}"})


def read(ask: Ask) -> Answer:
    """200 with one user."""
    return Answer(200, show(find(ask.tenant, ask.parameters["id"]), selected(ask)))


def listing(ask: Ask) -> Answer:
    """200 with a page of users."""
    return table_page(ask, ask.tenant.users, show)


def update(ask: Ask) -> Answer:
    """204; only what is given changes. Sensitive properties of administrators are refused with 403."""
    known, given = find(ask.tenant, ask.parameters["id"]), ask.record()
    if known.get("_admin") and SENSITIVE & given.keys():
        raise denied()
    if known.get("onPremisesSyncEnabled"):
        raise bad_request("Unable to update the specified properties for on-premises mastered Directory Sync objects.")
    _check(ask.tenant, given, known)
    kept = {name: value for name, value in given.items() if name != "passwordProfile"}
    ask.tenant.users.put(known["id"], {**known, **kept})
    return Answer(204)


def delete(ask: Ask) -> Answer:
    """204; the user is kept among the deleted ones for 30 days, and leaves every group."""
    known = find(ask.tenant, ask.parameters["id"])
    remove(ask.tenant, known)
    return Answer(204)


def remove(tenant: Tenant, known: Record) -> None:
    """Delete a user softly: seats are free again, memberships end."""
    if known.get("_admin"):
        raise denied()
    for licence in known["assignedLicenses"]:
        tenant.consumed(licence["skuId"], -1)
    tenant.members.cut_all(known["id"])
    tenant.owners.cut_all(known["id"])
    tenant.users.drop(known["id"])
    tenant.deleted.put(known["id"], {**known, "deletedDateTime": tenant.stamp()})


def revoke_sessions(ask: Ask) -> Answer:
    """200 with true."""
    known = find(ask.tenant, ask.parameters["id"])
    ask.tenant.users.put(known["id"], {**known, "signInSessionsValidFromDateTime": ask.tenant.stamp()})
    return Answer(200, {"@odata.context": f"{ask.base}/$metadata#Edm.Boolean", "value": True})


def assign_license(ask: Ask) -> Answer:
    """200 with the user; all additions and removals together or none (section 3)."""
    tenant, known, given = ask.tenant, find(ask.tenant, ask.parameters["id"]), ask.record()
    adding, removing = given.get("addLicenses"), given.get("removeLicenses")
    if not isinstance(adding, list) or not isinstance(removing, list) or not all(isinstance(e, dict) for e in adding):
        raise bad_request("The parameters addLicenses and removeLicenses are both required.")
    held: dict[str, Any] = {licence["skuId"]: licence for licence in known["assignedLicenses"]}
    for sku in removing:
        if sku not in held:
            raise bad_request(f"User does not have a corresponding license: {sku}.")
    if adding and not known.get("usageLocation"):
        raise bad_request("License assignment cannot be done for user with invalid usage location.")
    new = {entry.get("skuId"): entry for entry in adding}
    for sku in new:
        _check_seat(tenant, sku, held)
    after = {sku: licence for sku, licence in held.items() if sku not in removing}
    for sku, entry in new.items():
        after[sku] = {"skuId": sku, "disabledPlans": list(entry.get("disabledPlans") or [])}
    for sku in after.keys() ^ held.keys():
        tenant.consumed(sku, 1 if sku in after else -1)
    record = {**known, "assignedLicenses": list(after.values())}
    tenant.users.put(known["id"], record)
    return Answer(200, show(record, None))


def _check_seat(tenant: Tenant, sku: Any, held: dict[str, Any]) -> None:
    record = tenant.skus.get(sku) if isinstance(sku, str) else None
    if record is None:
        raise bad_request(f"License {sku} does not correspond to a valid company License.")
    if sku not in held and record["consumedUnits"] >= record["prepaidUnits"]["enabled"]:
        raise Refusal(400, "Request_BadRequest", f"Subscription with SKU {sku} does not have any available licenses.")
