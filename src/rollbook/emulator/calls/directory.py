"""The tenant itself: organization, domains, licences, and the application's directory extensions."""

from __future__ import annotations

import re

from ..ask import Ask
from ..odata.pages import list_page, pick
from ..wire import Answer, Record, bad_request, conflict, not_found

_EXTENSION_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
_TARGETS = frozenset({"User", "Group", "AdministrativeUnit", "Application", "Device", "Organization"})


def organization(ask: Ask) -> Answer:
    """200 with the tenant's one entry."""
    tenant = ask.tenant
    verified = [
        {
            "name": d["id"],
            "isDefault": d["isDefault"],
            "isInitial": d["isInitial"],
            "type": "Managed",
            "capabilities": "Email",
        }
        for d in tenant.domains
    ]
    record = {
        "id": tenant.id,
        "displayName": tenant.config.tenant_name,
        "countryLetterCode": "GR",
        "tenantType": "AAD",
        "verifiedDomains": verified,
        "assignedPlans": [],
        "createdDateTime": "2026-01-01T00:00:00Z",
    }
    return list_page(ask, [record], lambda found, names: pick(found, names) if names else found)


def domains(ask: Ask) -> Answer:
    """200 with all domains."""
    return list_page(ask, ask.tenant.domains, lambda found, names: pick(found, names) if names else found)


def skus(ask: Ask) -> Answer:
    """200 with all licences, bought and consumed."""
    return list_page(ask, list(ask.tenant.skus.values()), lambda found, names: pick(found, names) if names else found)


def _own_application(ask: Ask) -> None:
    if ask.parameters["id"] not in (ask.tenant.application_id, ask.tenant.client_id):
        raise not_found(ask.parameters["id"])


def extensions(ask: Ask) -> Answer:
    """200 with the directory extensions of the application."""
    _own_application(ask)
    return list_page(ask, list(ask.tenant.extensions.values()), lambda found, names: found)


def register_extension(ask: Ask) -> Answer:
    """201 with a directory extension that users and groups can carry from now on (section 2.6)."""
    _own_application(ask)
    given = ask.record()
    name, targets = given.get("name"), given.get("targetObjects")
    if not isinstance(name, str) or not _EXTENSION_NAME.fullmatch(name):
        raise bad_request("Invalid value specified for property 'name' of resource 'ExtensionProperty'.")
    if given.get("dataType") not in ("String", "Boolean", "Integer", "DateTime", "LargeInteger", "Binary"):
        raise bad_request("Invalid value specified for property 'dataType' of resource 'ExtensionProperty'.")
    if not isinstance(targets, list) or not targets or not set(targets) <= _TARGETS:
        raise bad_request("Invalid value specified for property 'targetObjects' of resource 'ExtensionProperty'.")
    full = f"extension_{ask.tenant.client_id.replace('-', '')}_{name}"
    if ask.tenant.extensions.one("name", full) is not None:
        raise conflict("name")
    key = ask.tenant.new_id()
    record: Record = {
        "id": key,
        "deletedDateTime": None,
        "appDisplayName": "Rollbook (emulated)",
        "dataType": given["dataType"],
        "isMultiValued": False,
        "isSyncedFromOnPremises": False,
        "name": full,
        "targetObjects": targets,
    }
    ask.tenant.extensions.put(key, record)
    ask.tenant.index_extension(full)
    return Answer(
        201, record, {"Location": f"{ask.base}/applications/{ask.parameters['id']}/extensionProperties/{key}"}
    )
