"""Classes of the education API: groups with class attributes, of the same id (graph.md sections 6 and 13)."""

from __future__ import annotations

from collections.abc import Sequence

from ..ask import Ask
from ..odata.pages import pick, selected, table_page
from ..tenant.tenant import Tenant
from ..wire import Answer, Record, not_found
from . import groups, rules

PROPERTIES = [
    "id",
    "displayName",
    "mailNickname",
    "description",
    "classCode",
    "createdBy",
    "externalId",
    "externalName",
    "externalSource",
    "externalSourceDetail",
    "grade",
    "term",
    "course",
]
SETTABLE = frozenset(PROPERTIES) - {"id", "createdBy"}
OBJECT_TYPE = "extension_fe2174665583431c953114ff7268b7b3_Education_ObjectType"


def is_class(record: Record) -> bool:
    """Only groups whose Education_ObjectType is Section are classes (section 13.2)."""
    return record.get(OBJECT_TYPE) == "Section"


def show(record: Record, names: Sequence[str] | None) -> Record:
    """A class as Graph shows it."""
    return pick(record, names or PROPERTIES)


def find(tenant: Tenant, key: str) -> Record:
    """The class of this id; 404 if there is none."""
    record = tenant.groups.get(key)
    if record is None or not is_class(record):
        raise not_found(key)
    return record


def _check(given: Record) -> None:
    rules.refuse_unknown(given, SETTABLE, "educationClass")
    rules.check_lengths(given, rules.GROUP_LENGTHS)


def create(ask: Ask) -> Answer:
    """201 with the class; its group has hidden members and no team yet."""
    given = ask.record()
    rules.check_required(given, ("displayName", "mailNickname"))
    _check(given)
    groups.check_nickname(ask.tenant, given["mailNickname"])
    group = {
        **given,
        "mailEnabled": True,
        "securityEnabled": False,
        "visibility": "HiddenMembership",
        "creationOptions": ["classAssignments"],
        "createdBy": {"application": {"id": ask.app_id}},
        OBJECT_TYPE: "Section",
    }
    record = groups.group_record(ask.tenant, group, ["Unified"])
    ask.tenant.groups.put(record["id"], record)
    body = {"@odata.context": f"{ask.base}/$metadata#education/classes/$entity", **show(record, None)}
    return Answer(201, body, {"Location": f"{ask.base}/education/classes/{record['id']}"})


def read(ask: Ask) -> Answer:
    """200 with one class."""
    return Answer(200, show(find(ask.tenant, ask.parameters["id"]), selected(ask)))


def listing(ask: Ask) -> Answer:
    """200 with a page of classes."""
    return table_page(ask, ask.tenant.groups, show, only=is_class)


def update(ask: Ask) -> Answer:
    """200 with the class; only what is given changes."""
    known, given = find(ask.tenant, ask.parameters["id"]), ask.record()
    _check(given)
    if "mailNickname" in given:
        groups.check_nickname(ask.tenant, given["mailNickname"], known["id"])
    record = {**known, **given}
    ask.tenant.groups.put(known["id"], record)
    return Answer(200, show(record, None))


def delete(ask: Ask) -> Answer:
    """204; the group goes with its class."""
    find(ask.tenant, ask.parameters["id"])
    return groups.delete(ask)
