"""Length and character rules of properties, as one table a kind of object (graph.md sections 2.1 and 5.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..tenant.tenant import OBJECT_TYPE, Tenant
from ..wire import Record, bad_request, conflict, invalid_value

USER_LENGTHS: Mapping[str, int] = {
    "displayName": 256,
    "mailNickname": 64,
    "givenName": 64,
    "surname": 64,
    "jobTitle": 128,
    "department": 64,
    "companyName": 64,
    "city": 128,
    "state": 128,
    "country": 128,
    "postalCode": 40,
    "streetAddress": 1024,
    "mobilePhone": 64,
    "employeeId": 16,
}
GROUP_LENGTHS: Mapping[str, int] = {"displayName": 256, "mailNickname": 64, "description": 1024}
WORDS: Mapping[str, tuple[str | None, ...]] = {
    "ageGroup": (None, "Minor", "NotAdult", "Adult"),
    "consentProvidedForMinor": (None, "Granted", "Denied", "NotRequired"),
    "userType": (None, "Member", "Guest"),
    "externalSource": (None, "sis", "manual"),
    "primaryRole": ("student", "teacher", "none"),
}
PASSWORD_POLICIES = frozenset({"None", "DisablePasswordExpiration", "DisableStrongPassword"})
MOST_MAILS = LONGEST_MAIL = 250
LONGEST_ATTRIBUTE = 1_024
LONGEST_EXTENSION = 256

_LOCAL_PART = re.compile(r"[A-Za-z0-9'.\-_!#^~]+")
_NICKNAME_FORBIDDEN = re.compile(r'[@()\\\[\]";:<>, ]')
_COUNTRY = re.compile(r"[A-Z]{2}")
_CLASSES = (re.compile("[a-z]"), re.compile("[A-Z]"), re.compile("[0-9]"), re.compile("[^a-zA-Z0-9]"))


def wrong(name: str, kind: str) -> Exception:
    """400 InvalidValue for a property of a resource."""
    return invalid_value(name, f"Invalid value specified for property '{name}' of resource '{kind}'.")


def check_lengths(record: Record, lengths: Mapping[str, int]) -> None:
    """400 InvalidValue for a text that is too long, or is no text at all."""
    for name, longest in lengths.items():
        value = record.get(name)
        if value is not None and not isinstance(value, str):
            raise invalid_value(name, f"Invalid value specified for property '{name}'.")
        if isinstance(value, str) and len(value) > longest:
            raise invalid_value(name, f"Property {name} value is too long. The maximum is {longest} characters.")


def check_words(record: Record, kind: str) -> None:
    """400 InvalidValue for a word that is not of the property's enumeration."""
    for name, words in WORDS.items():
        if name in record and record[name] not in words:
            raise wrong(name, kind)


def check_required(record: Record, names: tuple[str, ...]) -> None:
    """400 for a property that has to be there."""
    for name in names:
        if record.get(name) in (None, ""):
            raise invalid_value(name, f"A value is required for property '{name}' of resource.")


def check_flag(record: Record, name: str, kind: str) -> None:
    """400 for something else than true or false."""
    if not isinstance(record.get(name, True), bool):
        raise wrong(name, kind)


def check_user_name(name: Any, tenant: Tenant) -> Record:
    """The domain of a user principal name; 400 for one that breaks the rules of section 2.1."""
    if not isinstance(name, str) or name.count("@") != 1 or len(name) > 113:
        raise invalid_value("userPrincipalName", "Property userPrincipalName is invalid.")
    local, _, domain = name.partition("@")
    if not _LOCAL_PART.fullmatch(local) or local.endswith(".") or len(local) > 64 or len(domain) > 48:
        raise invalid_value("userPrincipalName", "Property userPrincipalName is invalid.")
    known = tenant.domains.get(domain.lower())
    if known is None or not known["isVerified"]:
        message = "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names."
        raise invalid_value("userPrincipalName", message)
    return known


def check_country(value: Any) -> None:
    """400 for a usage location that is no two-letter country code."""
    if value is not None and not (isinstance(value, str) and _COUNTRY.fullmatch(value)):
        raise wrong("usageLocation", "User")


def check_password(profile: Any, policies: Any = None) -> None:
    """400 for a password that breaks the default policy: 8 to 256 characters, three of four classes, no Unicode."""
    password = profile.get("password") if isinstance(profile, dict) else None
    if not isinstance(password, str):
        raise invalid_value(
            "passwordProfile", "A value is required for property 'password' of resource 'passwordProfile'."
        )
    weak_allowed = isinstance(policies, str) and "DisableStrongPassword" in policies
    strong = weak_allowed or sum(bool(kind.search(password)) for kind in _CLASSES) >= 3
    if not 8 <= len(password) <= 256 or not strong or not password.isascii():
        message = "The specified password does not comply with password complexity requirements. Please provide a different password."
        raise invalid_value("password", message)


def check_policies(value: Any) -> None:
    """400 for password policies that are none."""
    parts = [part.strip() for part in value.split(",")] if isinstance(value, str) else []
    if value is not None and (not parts or not PASSWORD_POLICIES.issuperset(parts)):
        raise wrong("passwordPolicies", "User")


def check_contacts(record: Record) -> None:
    """400 for more than one business phone, too many or too long other mails."""
    phones, mails = record.get("businessPhones", []), record.get("otherMails", [])
    if not isinstance(phones, list) or len(phones) > 1 or not all(isinstance(p, str) and len(p) <= 64 for p in phones):
        raise wrong("businessPhones", "User")
    short = isinstance(mails, list) and all(isinstance(mail, str) and len(mail) <= LONGEST_MAIL for mail in mails)
    if not short or len(mails) > MOST_MAILS:
        raise wrong("otherMails", "User")


def check_attributes(value: Any) -> None:
    """400 for extension attributes that are none of the fifteen, or too long."""
    names = {f"extensionAttribute{number}" for number in range(1, 16)}
    if value is not None and not (isinstance(value, dict) and value.keys() <= names):
        raise wrong("onPremisesExtensionAttributes", "User")
    for name, text in (value or {}).items():
        if text is not None and not (isinstance(text, str) and len(text) <= LONGEST_ATTRIBUTE):
            raise wrong(name, "User")


def check_immutable_id(value: Any) -> None:
    """400 for an immutable id with characters it must not have."""
    if value is not None and (not isinstance(value, str) or "$" in value or "_" in value):
        raise wrong("onPremisesImmutableId", "User")


def check_nickname(value: Any, kind: str = "Group") -> None:
    """400 for a mail nickname that breaks the rules of section 5.1."""
    if not isinstance(value, str) or not value or not value.isascii() or _NICKNAME_FORBIDDEN.search(value):
        raise wrong("mailNickname", kind)


def check_free_nickname(tenant: Tenant, nickname: Any, own: str | None = None) -> None:
    """400 for a nickname that breaks the rules, or that another Microsoft 365 group has (section 13.4)."""
    check_nickname(nickname)
    for key in tenant.groups.find("mailNickname", nickname) or ():
        held = tenant.groups.get(key)
        if key != own and held is not None and "Unified" in held["groupTypes"]:
            raise conflict("mailNickname")


def check_known(tenant: Tenant, record: Record, known: frozenset[str], kind: str) -> None:
    """400 for a property the resource does not have; extension values are text of 256 characters at most."""
    for name, value in record.items():
        if name in known or "@odata" in name:
            continue
        extension = tenant.extensions.one("name", name) if name.startswith("extension_") else None
        if extension is None and name != OBJECT_TYPE:
            raise bad_request(f"Invalid property '{name}' for resource '{kind}'.")
        if extension is not None and kind not in extension["targetObjects"]:
            raise bad_request(f"The extension property '{name}' is not meant for resource '{kind}'.")
        if value is not None and (not isinstance(value, str) or len(value) > LONGEST_EXTENSION):
            raise bad_request(f"Invalid value for extension property '{name}'.")
