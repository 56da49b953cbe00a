"""Administrative units: made, changed, filled (the contract's directory calls, graph.md section 12)."""

from __future__ import annotations

from ..addresses import referenced_id
from ..ask import Ask
from ..odata.entities import UNIT
from ..odata.pages import related
from ..tenant.tenant import Tenant
from ..wire import Answer, Record, bad_request, denied, not_found
from . import groups, relations, rules, trash

SETTABLE = frozenset(
    "description displayName isMemberManagementRestricted membershipRule membershipRuleProcessingState membershipType "
    "visibility".split()
)
LENGTHS = {"displayName": 256, "description": 1024}
MOST_PER_OBJECT = 30


def _check(tenant: Tenant, given: Record) -> None:
    rules.check_known(tenant, given, SETTABLE, "AdministrativeUnit")
    rules.check_lengths(given, LENGTHS)
    if given.get("visibility") not in (None, "Public", "HiddenMembership"):
        raise rules.wrong("visibility", "AdministrativeUnit")


def record_of(tenant: Tenant, given: Record, **more: object) -> Record:
    """A unit with defaults under what was given, stored."""
    record: Record = {"description": None, "visibility": None, **given, "id": tenant.new_id(), "_unit": True, **more}
    tenant.units.put(record["id"], record)
    return record


def create(ask: Ask) -> Answer:
    """201 with the unit."""
    given = ask.record()
    rules.check_required(given, ("displayName",))
    _check(ask.tenant, given)
    record = record_of(ask.tenant, given)
    shown = {"@odata.context": f"{ask.base}/$metadata#directory/administrativeUnits/$entity"}
    shown |= UNIT.show(ask.tenant, record, None)
    return Answer(201, shown, {"Location": f"{ask.base}/directory/administrativeUnits/{record['id']}"})


def _find(ask: Ask) -> Record:
    return UNIT.find(ask.tenant, ask.parameters["id"])


def update(ask: Ask) -> Answer:
    """204; only what is given changes."""
    known, given = UNIT.to_change(ask.tenant, ask.parameters["id"]), ask.record()
    _check(ask.tenant, given)
    if "isMemberManagementRestricted" in given:
        raise bad_request("Property 'isMemberManagementRestricted' can only be set when the unit is created.")
    ask.tenant.units.put(known["id"], {**known, **given})
    return Answer(204)


def delete(ask: Ask) -> Answer:
    """204; softly."""
    trash.throw(ask.tenant, ask.tenant.units, _find(ask))
    return Answer(204)


def members(ask: Ask) -> Answer:
    """200 with a page of the unit's members."""
    found = relations.objects(ask.tenant, ask.tenant.unit_members.seen(_find(ask)["id"]))
    return related(ask, found, lambda record, _: relations.visible(ask, record))


def member_references(ask: Ask) -> Answer:
    """200 with a page of references to the unit's members."""
    found = relations.objects(ask.tenant, ask.tenant.unit_members.seen(_find(ask)["id"]))
    return related(ask, found, lambda record, _: f"{ask.base}/directoryObjects/{record['id']}")


def add_member(ask: Ask) -> Answer:
    """204; one user or group. 400 for the 31st unit of an object."""
    known, key = _find(ask), referenced_id(ask.record().get("@odata.id"))
    tie(ask, known, key)
    return Answer(204)


def tie(ask: Ask, unit: Record, key: str) -> None:
    """One more member of a unit."""
    tenant = ask.tenant
    if key not in tenant.users and key not in tenant.groups:
        raise not_found(key)
    if unit.get("isMemberManagementRestricted") and "AdministrativeUnit.ReadWrite.All" not in ask.roles:
        raise denied()
    if key in tenant.unit_members.of(unit["id"]):
        raise bad_request(
            "One or more added object references already exist for the following modified properties: 'members'."
        )
    if len(tuple(tenant.unit_members.to(key))) >= MOST_PER_OBJECT:
        raise bad_request(
            f"An object can be in at most {MOST_PER_OBJECT} administrative units.", "Directory_QuotaExceeded"
        )
    tenant.unit_members.tie(unit["id"], key)


def create_member(ask: Ask) -> Answer:
    """201 with a group that is made inside the unit."""
    known, given = _find(ask), dict(ask.record())
    if given.pop("@odata.type", "").lower().lstrip("#") != "microsoft.graph.group":
        raise bad_request("Only groups can be created in an administrative unit by this call.")
    made = groups.create(Ask(**{**{n: getattr(ask, n) for n in ask.__slots__}, "body": given}))
    ask.tenant.unit_members.tie(known["id"], made.body["id"])
    return Answer(201, {"@odata.type": "#microsoft.graph.group", **made.body}, made.headers)


def remove_member(ask: Ask) -> Answer:
    """204; one member less."""
    known = _find(ask)
    target = ask.parameters.get("target") or referenced_id(ask.query.get("@id"))
    if target not in ask.tenant.unit_members.of(known["id"]):
        raise not_found(target)
    ask.tenant.unit_members.cut(known["id"], target)
    return Answer(204)
