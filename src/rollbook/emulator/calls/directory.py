"""The tenant itself: organization, domains, licences, and the directory extensions of applications (sections 2.6, 3, 4)."""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ..ask import Ask
from ..clock import iso
from ..odata.pages import related, selected
from ..wire import Answer, Record, bad_request, conflict, not_found

NEVER = "2299-12-31T00:00:00Z"
"""The end of a secret that has none, as Microsoft shows it."""

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


def application(ask: Ask) -> Answer:
    """200 with the application itself: how it is called, and when its secrets and certificates end; never what they are."""
    _own_application(ask)
    record = {
        "id": ask.app["object_id"],
        "appId": ask.app["client_id"],
        "displayName": ask.app["name"],
        "passwordCredentials": [_secret(known) for known in ask.app["secrets"]],
        "keyCredentials": [_certificate(pem) for pem in ask.app["certificates"]],
    }
    return Answer(200, _show(record, selected(ask)))


def _secret(known: Record) -> Record:
    """A passwordCredential as it is read: `hint` is all that is told of the secret."""
    key = hashlib.sha256(known["value"].encode()).hexdigest()
    return {
        "customKeyIdentifier": None,
        "displayName": "Rollbook",
        "endDateTime": NEVER if known["expires"] is None else iso(known["expires"]),
        "hint": known["value"][:3],
        "keyId": str(uuid.UUID(key[:32])),
        "secretText": None,
        "startDateTime": None,
    }


def _certificate(pem: str) -> Record:
    """A keyCredential as it is read, without its key."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    thumbprint = hashlib.sha1(certificate.public_bytes(Encoding.DER), usedforsecurity=False)
    return {
        "customKeyIdentifier": base64.b64encode(thumbprint.digest()).decode(),
        "displayName": certificate.subject.rfc4514_string(),
        "endDateTime": iso(certificate.not_valid_after_utc.timestamp()),
        "key": None,
        "keyId": str(uuid.UUID(thumbprint.hexdigest()[:32])),
        "startDateTime": iso(certificate.not_valid_before_utc.timestamp()),
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
    }


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
