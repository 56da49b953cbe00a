"""The tenant itself: organization, domains, licences, and the directory extensions of applications (sections 2.6, 3, 4)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..ask import Ask
from ..odata.pages import related
from ..wire import Answer, Record, bad_request, conflict, not_found

_EXTENSION_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
_TARGETS = frozenset({"User", "Group", "AdministrativeUnit", "Application", "Device", "Organization"})
_DATA_TYPES = frozenset({"Binary", "Boolean", "DateTime", "Integer", "LargeInteger", "String"})


def _show(record: Record, names: Sequence[str] | None) -> Record:
    """What was selected, with the id; else everything."""
    if not names:
        return {name: value for name, value in record.items() if not name.startswith("_")}
    unknown = [name for name in names if name not in record]
    if unknown:
        raise bad_request(
            f"Parsing OData Select and Expand failed: Could not find a property named '{unknown[0]}'.",
            code="BadRequest",
        )
    return {"id": record["id"], **{name: record[name] for name in names}}


def organization(ask: Ask) -> Answer:
    """200 with the tenant's one entry."""
    tenant = ask.tenant
    verified = [
        {
            "name": d["id"],
            "isDefault": d["isDefault"],
            "isInitial": d["isInitial"],
            "type": d["authenticationType"],
            "capabilities": "Email, OfficeCommunicationsOnline",
        }
        for d in tenant.domains.values()
        if d["isVerified"]
    ]
    record = {
        "id": tenant.id,
        "displayName": tenant.name,
        "countryLetterCode": "GR",
        "tenantType": "AAD",
        "verifiedDomains": verified,
        "assignedPlans": [],
        "createdDateTime": "2026-01-01T00:00:00Z",
        "onPremisesSyncEnabled": None,
    }
    return related(ask, [record], _show)


def domains(ask: Ask) -> Answer:
    """200 with all domains."""
    return related(ask, list(ask.tenant.domains.values()), _show)


def skus(ask: Ask) -> Answer:
    """200 with all licences, bought and consumed."""
    return related(ask, list(ask.tenant.skus.values()), _show)


def _own_application(ask: Ask) -> None:
    if ask.parameters["id"] not in (ask.app["object_id"], ask.app["client_id"]):
        raise not_found(ask.parameters["id"])


def extensions(ask: Ask) -> Answer:
    """200 with the directory extensions of the application."""
    _own_application(ask)
    mine = [record for record in ask.tenant.extensions.values() if record["_app"] == ask.app_id]
    return related(ask, mine, _show)


def register_extension(ask: Ask) -> Answer:
    """201 with a directory extension that users and groups can carry from now on (section 2.6)."""
    _own_application(ask)
    given = ask.record()
    name, targets = given.get("name"), given.get("targetObjects")
    if not isinstance(name, str) or not _EXTENSION_NAME.fullmatch(name):
        raise bad_request("Invalid value specified for property 'name' of resource 'ExtensionProperty'.")
    if given.get("dataType") not in _DATA_TYPES:
        raise bad_request("Invalid value specified for property 'dataType' of resource 'ExtensionProperty'.")
    if given["dataType"] != "String":
        raise bad_request(
            "The emulated tenant knows extensions of dataType String only.", code="Request_UnsupportedQuery"
        )
    if not isinstance(targets, list) or not targets or not set(targets) <= _TARGETS:
        raise bad_request("Invalid value specified for property 'targetObjects' of resource 'ExtensionProperty'.")
    full = f"extension_{ask.app_id.replace('-', '')}_{name}"
    if ask.tenant.extensions.one("name", full) is not None:
        raise conflict("name")
    key = ask.tenant.new_id()
    record: Record = {
        "id": key,
        "deletedDateTime": None,
        "appDisplayName": ask.app["name"],
        "dataType": given["dataType"],
        "isMultiValued": False,
        "isSyncedFromOnPremises": False,
        "name": full,
        "targetObjects": targets,
        "_app": ask.app_id,
    }
    ask.tenant.extensions.put(key, record)
    ask.tenant.index_extension(full)
    address = f"{ask.base}/applications/{ask.parameters['id']}/extensionProperties/{key}"
    return Answer(201, _show(record, None), {"Location": address})
