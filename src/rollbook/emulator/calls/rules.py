"""Length and character rules of properties, as one table a kind of object (graph.md sections 2.1 and 5.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..wire import Record, bad_request, invalid_value

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

_LOCAL_PART = re.compile(r"[A-Za-z0-9'.\-_!#^~]+")
_NICKNAME_FORBIDDEN = re.compile(r'[@()\\\[\]";:<>, ]')
_COUNTRY = re.compile(r"[A-Z]{2}")
_CLASSES = (re.compile("[a-z]"), re.compile("[A-Z]"), re.compile("[0-9]"), re.compile("[^a-zA-Z0-9]"))


def check_lengths(record: Record, lengths: Mapping[str, int]) -> None:
    """400 InvalidValue for a text that is too long, or is no text at all."""
    for name, longest in lengths.items():
        value = record.get(name)
        if value is not None and not isinstance(value, str):
            raise invalid_value(name, f"Invalid value specified for property '{name}'.")
        if isinstance(value, str) and len(value) > longest:
            raise invalid_value(name, f"Property {name} value is too long. The maximum is {longest} characters.")


def check_required(record: Record, names: tuple[str, ...]) -> None:
    """400 for a property that has to be there."""
    for name in names:
        if record.get(name) in (None, ""):
            raise invalid_value(name, f"A value is required for property '{name}' of resource.")


def check_user_name(name: Any, domains: list[str]) -> None:
    """400 for a user principal name that breaks the rules of section 2.1."""
    if not isinstance(name, str) or name.count("@") != 1 or len(name) > 113:
        raise invalid_value("userPrincipalName", "Property userPrincipalName is invalid.")
    local, _, domain = name.partition("@")
    if not _LOCAL_PART.fullmatch(local) or local.endswith(".") or len(local) > 64 or len(domain) > 48:
        raise invalid_value("userPrincipalName", "Property userPrincipalName is invalid.")
    if domain.casefold() not in domains:
        message = "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names."
        raise invalid_value("userPrincipalName", message)


def check_country(value: Any) -> None:
    """400 for a usage location that is no two-letter country code."""
    if value is not None and not (isinstance(value, str) and _COUNTRY.fullmatch(value)):
        raise invalid_value("usageLocation", "Invalid value specified for property 'usageLocation' of resource 'User'.")


def check_password(profile: Any) -> None:
    """400 for a password that breaks the default policy: 8 to 256 characters, three of four classes, no Unicode."""
    password = profile.get("password") if isinstance(profile, dict) else None
    if not isinstance(password, str):
        raise invalid_value(
            "passwordProfile", "A value is required for property 'password' of resource 'passwordProfile'."
        )
    strong = sum(bool(kind.search(password)) for kind in _CLASSES) >= 3
    if not 8 <= len(password) <= 256 or not strong or not password.isascii():
        message = "The specified password does not comply with password complexity requirements. Please provide a different password."
        raise invalid_value("password", message)


def check_nickname(value: Any) -> None:
    """400 for a mail nickname that breaks the rules of section 5.1."""
    if not isinstance(value, str) or not value.isascii() or _NICKNAME_FORBIDDEN.search(value):
        raise invalid_value("mailNickname", "Invalid value specified for property 'mailNickname' of resource 'Group'.")


def refuse_unknown(record: Record, known: frozenset[str], kind: str) -> None:
    """400 for a property the resource does not have."""
    for name in record:
        if name not in known and "@odata" not in name:
            raise bad_request(f"Invalid property '{name}' for resource '{kind}'.")
