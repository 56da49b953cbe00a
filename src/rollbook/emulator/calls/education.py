"""The education API: classes are groups, schools are administrative units, users are users, of the same ids (sections 6, 13)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..addresses import referenced_id
from ..ask import Ask
from ..odata.entities import CLASS, LEARNER, SCHOOL, Entity
from ..odata.pages import related, selected
from ..tenant.links import Links
from ..tenant.tenant import OBJECT_TYPE, Tenant
from ..wire import Answer, Record, bad_request, denied, not_found
from . import groups, relations, rules, trash, units, users

CLASS_SETTABLE = CLASS.known - {"id", "createdBy"}
SCHOOL_SETTABLE = SCHOOL.known - {"id", "createdBy"}
LEARNER_OWN = frozenset(
    "createdBy externalSource externalSourceDetail mailingAddress middleName onPremisesInfo primaryRole relatedContacts "
    "residenceAddress student teacher".split()
)
READ_ONLY = frozenset({"createdBy", "relatedContacts", "assignedLicenses"})


def _made_by(ask: Ask) -> Record:
    return {"application": {"id": ask.app_id, "displayName": None}, "user": None, "device": None}


def _created(ask: Ask, entity: Entity, record: Record) -> Answer:
    body = {"@odata.context": f"{ask.base}/$metadata#{entity.path}/$entity", **entity.show(ask.tenant, record, None)}
    return Answer(201, body, {"Location": f"{ask.base}/{entity.path}/{record['id']}"})


# classes


def _check_class(tenant: Tenant, given: Record) -> None:
    rules.check_known(tenant, given, CLASS_SETTABLE, "Group")
    rules.check_lengths(given, rules.GROUP_LENGTHS)
    rules.check_words(given, "educationClass")


def create_class(ask: Ask) -> Answer:
    """201 with the class; its group has hidden members and no team yet."""
    given = ask.record()
    rules.check_required(given, ("displayName", "mailNickname"))
    _check_class(ask.tenant, given)
    rules.check_free_nickname(ask.tenant, given["mailNickname"])
    users.check_room(ask.tenant)
    group = {
        **given,
        "mailEnabled": True,
        "securityEnabled": False,
        "visibility": "HiddenMembership",
        "creationOptions": ["classAssignments"],
        "createdBy": _made_by(ask),
        OBJECT_TYPE: "Section",
    }
    record = groups.group_record(ask.tenant, group, ["Unified"])
    ask.tenant.groups.put(record["id"], record)
    return _created(ask, CLASS, record)


def update_class(ask: Ask) -> Answer:
    """200 with the class; only what is given changes."""
    known, given = CLASS.to_change(ask.tenant, ask.parameters["id"]), ask.record()
    _check_class(ask.tenant, given)
    if "mailNickname" in given:
        rules.check_free_nickname(ask.tenant, given["mailNickname"], known["id"])
    record = {**known, **given}
    ask.tenant.groups.put(known["id"], record)
    return Answer(200, CLASS.show(ask.tenant, record, None))


def delete_class(ask: Ask) -> Answer:
    """204; the group goes with its class."""
    groups.remove(ask.tenant, CLASS.find(ask.tenant, ask.parameters["id"]))
    return Answer(204)


def class_people(ask: Ask) -> Answer:
    """200 with a page of the class's members or teachers, as education users."""
    known = CLASS.find(ask.tenant, ask.parameters["id"])
    return _page(ask, LEARNER, relations.people(ask, known, ask.parameters["relation"]))


def class_references(ask: Ask) -> Answer:
    """200 with a page of references to the class's members or teachers."""
    known = CLASS.find(ask.tenant, ask.parameters["id"])
    return _references(ask, LEARNER, relations.people(ask, known, ask.parameters["relation"]))


def add_to_class(ask: Ask) -> Answer:
    """204; one member or teacher. Members are hidden, so Member.Read.Hidden is needed besides (section 6.2)."""
    known, name = CLASS.find(ask.tenant, ask.parameters["id"]), ask.parameters["relation"]
    if name == "members" and "Member.Read.Hidden" not in ask.roles:
        raise denied()
    reference = [ask.record().get("@odata.id")]
    relations.relate(ask, known, reference if name == "teachers" else [], reference if name == "members" else [])
    return Answer(204)


def remove_from_class(ask: Ask) -> Answer:
    """204; one member or teacher less."""
    known = CLASS.find(ask.tenant, ask.parameters["id"])
    target = ask.parameters.get("target") or referenced_id(ask.query.get("@id"))
    relations.cut(ask, known, ask.parameters["relation"], target)
    return Answer(204)


# schools


def _check_school(tenant: Tenant, given: Record) -> None:
    rules.check_known(tenant, given, SCHOOL_SETTABLE, "AdministrativeUnit")
    rules.check_lengths(given, units.LENGTHS)
    rules.check_words(given, "educationSchool")


def create_school(ask: Ask) -> Answer:
    """201 with the school, which is an administrative unit too."""
    given = ask.record()
    rules.check_required(given, ("displayName",))
    _check_school(ask.tenant, given)
    shared = {name: given.get(name) for name in ("displayName", "description", "externalId")}
    own = {name: value for name, value in given.items() if name not in shared}
    record = units.record_of(ask.tenant, shared, _school={**own, "createdBy": _made_by(ask)})
    return _created(ask, SCHOOL, record)


def update_school(ask: Ask) -> Answer:
    """200 with the school."""
    known, given = SCHOOL.to_change(ask.tenant, ask.parameters["id"]), ask.record()
    _check_school(ask.tenant, given)
    shared: Record = {name: given[name] for name in ("displayName", "description", "externalId") if name in given}
    own = {name: value for name, value in given.items() if name not in shared}
    record: Record = {**known, **shared, "_school": {**known["_school"], **own}}
    ask.tenant.units.put(known["id"], record)
    return Answer(200, SCHOOL.show(ask.tenant, record, None))


def delete_school(ask: Ask) -> Answer:
    """204."""
    trash.throw(ask.tenant, ask.tenant.units, SCHOOL.find(ask.tenant, ask.parameters["id"]))
    return Answer(204)


def _school_side(ask: Ask) -> tuple[Record, Links, Entity]:
    """The school, the relation that the address names, and what is on its other side."""
    known = SCHOOL.find(ask.tenant, ask.parameters["id"])
    if ask.parameters["relation"] == "classes":
        return known, ask.tenant.school_classes, CLASS
    return known, ask.tenant.unit_members, LEARNER


def school_people(ask: Ask) -> Answer:
    """200 with a page of the school's classes or users."""
    known, links, entity = _school_side(ask)
    return _page(ask, entity, _kind(ask.tenant, entity, links.seen(known["id"])))


def school_references(ask: Ask) -> Answer:
    """200 with a page of references to the school's classes or users."""
    known, links, entity = _school_side(ask)
    return _references(ask, entity, _kind(ask.tenant, entity, links.seen(known["id"])))


def add_to_school(ask: Ask) -> Answer:
    """204; one class or user."""
    known, links, entity = _school_side(ask)
    target = entity.find(ask.tenant, referenced_id(ask.record().get("@odata.id")))
    if target["id"] in links.of(known["id"]):
        raise bad_request(
            f"One or more added object references already exist for the following modified properties: "
            f"'{ask.parameters['relation']}'."
        )
    links.tie(known["id"], target["id"])
    return Answer(204)


def remove_from_school(ask: Ask) -> Answer:
    """204; one class or user less."""
    known, links, _ = _school_side(ask)
    target = ask.parameters.get("target") or referenced_id(ask.query.get("@id"))
    if target not in links.of(known["id"]):
        raise not_found(target)
    links.cut(known["id"], target)
    return Answer(204)


# users


def create_learner(ask: Ask) -> Answer:
    """201 with the user, who is a directory user of the same id."""
    given = ask.record()
    record = users.new(ask.tenant, _directory_part(given))
    record = {**record, "_education": {**_own_part(given), "createdBy": _made_by(ask)}}
    ask.tenant.users.put(record["id"], record)
    return _created(ask, LEARNER, record)


def update_learner(ask: Ask) -> Answer:
    """200 with the user."""
    known, given = LEARNER.to_change(ask.tenant, ask.parameters["id"]), ask.record()
    own, shared = _own_part(given), _directory_part(given)
    record = users.change(ask.tenant, known, shared) if shared else known
    if own:
        record = {**record, "_education": {**record.get("_education", {}), **own}}
        ask.tenant.users.put(record["id"], record)
    return Answer(200, LEARNER.show(ask.tenant, record, None))


def delete_learner(ask: Ask) -> Answer:
    """204; the directory user goes too."""
    users.remove(ask.tenant, LEARNER.find(ask.tenant, ask.parameters["id"]))
    return Answer(204)


def _own_part(given: Record) -> Record:
    own = {name: value for name, value in given.items() if name in LEARNER_OWN}
    rules.check_words(own, "educationUser")
    for name in READ_ONLY & given.keys():
        raise bad_request(f"Property '{name}' is read-only.")
    return own


def _directory_part(given: Record) -> Record:
    return {name: value for name, value in given.items() if name not in LEARNER_OWN}


def learner_classes(ask: Ask) -> Answer:
    """200 with the classes a user is in."""
    known = LEARNER.find(ask.tenant, ask.parameters["id"])
    return _page(ask, CLASS, _kind(ask.tenant, CLASS, ask.tenant.members.to(known["id"])))


def taught_classes(ask: Ask) -> Answer:
    """200 with the classes a user teaches."""
    known = LEARNER.find(ask.tenant, ask.parameters["id"])
    return _page(ask, CLASS, _kind(ask.tenant, CLASS, ask.tenant.owners.to(known["id"])))


def learner_schools(ask: Ask) -> Answer:
    """200 with the schools a user is at."""
    known = LEARNER.find(ask.tenant, ask.parameters["id"])
    return _page(ask, SCHOOL, _kind(ask.tenant, SCHOOL, ask.tenant.unit_members.to(known["id"])))


def _kind(tenant: Tenant, entity: Entity, keys: Iterable[str]) -> list[Record]:
    """The live objects of these ids that are of this kind."""
    table = entity.table(tenant)
    found = (table.get(key) for key in keys)
    return [record for record in found if record is not None and (entity.belongs is None or entity.belongs(record))]


def _page(ask: Ask, entity: Entity, records: Sequence[Record]) -> Answer:
    entity.check_selected(ask.tenant, selected(ask), collection=True)
    return related(ask, records, lambda record, names: entity.show(ask.tenant, record, names))


def _references(ask: Ask, entity: Entity, records: Sequence[Record]) -> Answer:
    return related(ask, records, lambda record, _: f"{ask.base}/{entity.path}/{record['id']}")
