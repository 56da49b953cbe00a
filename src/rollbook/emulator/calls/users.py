"""Users: create, change, delete softly, sign out (graph.md sections 2 and 13)."""

from __future__ import annotations

from ..ask import Ask
from ..odata.entities import GROUP, UNIT, USER
from ..odata.pages import collection, one, related, selected
from ..tenant.tenant import Tenant
from ..wire import Answer, Record, bad_request, conflict, denied, invalid_value
from . import licences, roles, rules, trash

SETTABLE = frozenset(
    "accountEnabled ageGroup businessPhones city companyName consentProvidedForMinor country department displayName "
    "employeeHireDate employeeId employeeLeaveDateTime employeeOrgData employeeType faxNumber givenName identities jobTitle "
    "mail mailNickname mobilePhone officeLocation onPremisesExtensionAttributes onPremisesImmutableId otherMails "
    "passwordPolicies passwordProfile postalCode preferredDataLocation preferredLanguage showInAddressList state streetAddress "
    "surname usageLocation userPrincipalName userType".split()
)
REQUIRED = ("displayName", "mailNickname", "userPrincipalName", "passwordProfile")
CLOUD_OWNED = frozenset(
    {"usageLocation", "preferredDataLocation", "ageGroup", "consentProvidedForMinor", "showInAddressList"}
)
"""What may be written although the user is synchronized from an on-premises directory."""
BASIC = frozenset({"id", "displayName", "givenName", "surname", "mail", "userPrincipalName"})
READERS = frozenset({"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"})
WRITERS = frozenset({"User.ReadWrite.All", "Directory.ReadWrite.All"})
NARROW = {
    "accountEnabled": "User.EnableDisableAccount.All",
    "passwordProfile": "User-PasswordProfile.ReadWrite.All",
    "mobilePhone": "User-Phone.ReadWrite.All",
    "businessPhones": "User-Phone.ReadWrite.All",
    "otherMails": "User-Mail.ReadWrite.All",
    "identities": "User.ManageIdentities.All",
}
"""What an application may change with a permission for nothing else (section 11)."""
LIMIT = 300_000


def check(tenant: Tenant, given: Record, known: Record | None) -> None:
    """400 for whatever in a new user, or a change of one, breaks a rule."""
    rules.check_known(tenant, given, SETTABLE, "User")
    rules.check_lengths(given, rules.USER_LENGTHS)
    rules.check_words(given, "User")
    rules.check_flag(given, "accountEnabled", "User")
    rules.check_country(given.get("usageLocation"))
    rules.check_contacts(given)
    rules.check_attributes(given.get("onPremisesExtensionAttributes"))
    rules.check_immutable_id(given.get("onPremisesImmutableId"))
    rules.check_policies(given.get("passwordPolicies"))
    for name in ("displayName", "mailNickname", "mail", "usageLocation", "accountEnabled"):
        if name in given and known is not None and given[name] in (None, ""):
            raise invalid_value(name, f"Property '{name}' cannot be cleared.")
    if given.get("mailNickname") is not None:
        rules.check_nickname(given["mailNickname"], "User")
    if "passwordProfile" in given:
        rules.check_password(
            given["passwordProfile"], given.get("passwordPolicies", (known or {}).get("passwordPolicies"))
        )
    if "userPrincipalName" in given:
        _check_name(tenant, given, known)
    if given.get("onPremisesImmutableId") is not None:
        _check_unique(tenant, "onPremisesImmutableId", given["onPremisesImmutableId"], known)


def _check_name(tenant: Tenant, given: Record, known: Record | None) -> None:
    domain = rules.check_user_name(given["userPrincipalName"], tenant)
    federated = domain["authenticationType"] == "Federated"
    if federated and not (given.get("onPremisesImmutableId") or (known or {}).get("onPremisesImmutableId")):
        rules.check_required({}, ("onPremisesImmutableId",))
    _check_unique(tenant, "userPrincipalName", given["userPrincipalName"], known)


def _check_unique(tenant: Tenant, name: str, value: str, known: Record | None) -> None:
    """400 ObjectConflict for a value another user has, seen at once whatever the lags (section 13.15)."""
    holder = tenant.users.one(name, value)
    if holder is not None and (known is None or holder["id"] != known["id"]):
        raise conflict(name)


def check_room(tenant: Tenant) -> None:
    """400 Directory_QuotaExceeded when the tenant holds all the objects it may (section 12)."""
    if len(tenant.users) + len(tenant.groups) + len(tenant.units) + len(tenant.deleted) >= LIMIT:
        raise bad_request(
            "The directory object quota limit for the tenant has been exceeded.", code="Directory_QuotaExceeded"
        )


def new(tenant: Tenant, given: Record) -> Record:
    """A user that was made, checked; `given` is the body of the call."""
    rules.check_required(given, REQUIRED)
    if not isinstance(given.get("accountEnabled"), bool):
        rules.check_required({}, ("accountEnabled",))
    check(tenant, given, None)
    check_room(tenant)
    kept = {name: value for name, value in given.items() if name != "passwordProfile"}
    mail = given.get("mail")
    return tenant.add_user(
        tenant.new_id(),
        given["userPrincipalName"],
        given["displayName"],
        **{
            **kept,
            "proxyAddresses": _proxies(tenant, mail, None) if mail else [],
            **_password(tenant, given["passwordProfile"]),
        },
    )


def _password(tenant: Tenant, profile: Record) -> Record:
    return {
        "_password": profile["password"],
        "_change": bool(profile.get("forceChangePasswordNextSignIn", True)),
        "lastPasswordChangeDateTime": tenant.stamp(),
    }


def _proxies(tenant: Tenant, mail: str, own: str | None) -> list[str]:
    """The proxy addresses that follow from a mail address; one that another object has is silently not added (section 2.1)."""
    for table in (tenant.users, tenant.groups):
        if any(key != own for key in table.find("mail", mail) or ()):
            return []
    return [f"SMTP:{mail}"]


def create(ask: Ask) -> Answer:
    """201 with the default properties; the account can be found under its name at once."""
    record = new(ask.tenant, ask.record())
    body = {"@odata.context": f"{ask.base}/$metadata#users/$entity", **USER.show(ask.tenant, record, None)}
    return Answer(201, body, {"Location": f"{ask.base}/users/{record['id']}"})


def read(ask: Ask) -> Answer:
    """200 with one user."""
    _check_readable(ask)
    return Answer(200, one(ask, USER, USER.find(ask.tenant, ask.parameters["id"])))


def listing(ask: Ask) -> Answer:
    """200 with a page of users."""
    _check_readable(ask)
    return collection(ask, USER)


def _check_readable(ask: Ask) -> None:
    """403 for more than the basic properties with User.ReadBasic.All alone (section 11)."""
    if READERS.isdisjoint(ask.roles) and not BASIC.issuperset(selected(ask) or ()):
        raise denied()


def update(ask: Ask) -> Answer:
    """204; only what is given changes. Sensitive properties of role holders are refused with 403."""
    given = ask.record()
    _check_permitted(ask, given)
    known = USER.to_change(ask.tenant, ask.parameters["id"])
    change(ask.tenant, known, given)
    return Answer(204)


def change(tenant: Tenant, known: Record, given: Record) -> Record:
    """The user, changed; 403 or 400 where that is refused."""
    if roles.SENSITIVE & given.keys() and roles.holds(tenant, known):
        raise denied()
    if known.get("onPremisesSyncEnabled") and not CLOUD_OWNED.issuperset(given):
        raise bad_request("Unable to update the specified properties for on-premises mastered Directory Sync objects.")
    roles.check_unrestricted(tenant, known)
    check(tenant, given, known)
    kept = {name: value for name, value in given.items() if name != "passwordProfile"}
    if "passwordProfile" in given:
        kept |= _password(tenant, given["passwordProfile"])
    if kept.get("mail"):
        kept["proxyAddresses"] = _proxies(tenant, kept["mail"], known["id"])
    record = {**known, **kept}
    tenant.users.put(known["id"], record)
    return record


def _check_permitted(ask: Ask, given: Record) -> None:
    """403 where a property needs a permission of its own; passwords do even for those who may write all else (13.8)."""
    names = set(given)
    if not WRITERS.isdisjoint(ask.roles):
        names &= {"passwordProfile"}
    elif "accountEnabled" in names and READERS.isdisjoint(ask.roles):
        raise denied()
    if any(NARROW.get(name) not in ask.roles for name in names):
        raise denied()


def delete(ask: Ask) -> Answer:
    """204; the user is kept among the deleted ones for 30 days, and leaves every group."""
    remove(ask.tenant, USER.find(ask.tenant, ask.parameters["id"]))
    return Answer(204)


def remove(tenant: Tenant, known: Record) -> None:
    """Delete a user softly: seats are free again, memberships end until they are restored."""
    if roles.holds(tenant, known):
        raise denied()
    roles.check_unrestricted(tenant, known)
    licences.release_all(tenant, known)
    trash.throw(tenant, tenant.users, tenant.users.get(known["id"]) or known)


def revoke_sessions(ask: Ask) -> Answer:
    """200 with true (section 2.3)."""
    known = USER.to_change(ask.tenant, ask.parameters["id"])
    if roles.holds(ask.tenant, known):
        raise denied()
    ask.tenant.users.put(
        known["id"], {**known, "signInSessionsValidFromDateTime": ask.tenant.stamp(), "_signed_out": ask.now}
    )
    return Answer(200, {"@odata.context": f"{ask.base}/$metadata#Edm.Boolean", "value": True})


def member_of(ask: Ask) -> Answer:
    """200 with the groups and administrative units a user is in directly."""
    known, tenant = USER.find(ask.tenant, ask.parameters["id"]), ask.tenant
    found = [tenant.groups.get(key) for key in tenant.members.to(known["id"])]
    found += [tenant.units.get(key) for key in tenant.unit_members.to(known["id"])]

    def show(record: Record, names: object) -> Record:
        entity = UNIT if "_unit" in record else GROUP
        return {"@odata.type": f"#{entity.type}", **entity.show(tenant, record, selected(ask))}

    return related(ask, [record for record in found if record is not None], show)
