"""The register by hand: people added, corrected, deactivated, given back to the delivery; enrolments added and ended.

Each act is one edit (store.edits) in one transaction with its entry in the trail, which holds ids only. What is said by hand
counts more than any delivery, also later ones, record by record: a person, what they are, an enrolment.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rollbook.acts.naming import CLASS, DEPARTMENT, GRADE, LISTED, LOCATION, PERSON, Desk, listed
from rollbook.acts.profiles import Author
from rollbook.roster.vocabulary import UserType
from rollbook.sources import byhand
from rollbook.store.edits import Edit, by_hand
from rollbook.store.models import MANUAL, Institute, Person
from rollbook.store.records import Record, by_entity, of_person, said
from rollbook.store.register import BY_NAME

NAMES = ("given_name", "family_name", "preferred_given_name", "preferred_family_name")
LOOKED_UP = {"grade": GRADE, "location": LOCATION, "department": DEPARTMENT}
STUDENT, TEACHER, PARENT = UserType.STUDENT.value, UserType.TEACHER.value, UserType.PARENT.value

ABOUT_PERSON = {
    "people": "r.entity = %s",
    "affiliations": "r.person = %s",
    "enrolments": "r.person = %s",
    "teachings": "r.person = %s",
    "guardianships": "%s IN (r.child, r.parent)",
}
"""Which rows of each table are about a person."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed about a person.

    `texts` by the names of columns (of people and of what they are), "" to empty one; `types` as words, all of them if any;
    `classes` and `children` as people call them, to be added.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    types: Sequence[str] = ()
    classes: Sequence[str] = ()
    children: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """Whom an edit was about (sourced id), what it changed (columns or tables), whether they had been in the register before."""

    person: str
    changed: tuple[str, ...]
    known: bool = True


def add_person(institute: Institute, typed: Typed, author: Author, sourced_id: str = "") -> Done:
    """Somebody who is not in the register; whoever was once, by that sourced id, is the same person again."""
    desk = Desk(institute)
    with by_hand(institute, author.clock.now()) as edit:
        record = _empty("people") | _values(desk, byhand.PERSON, typed.texts) | {"active": True}
        record["sourced_id"] = _new_id(desk, sourced_id)
        _check_person(desk, record)
        types = _types(desk, typed.types)
        if not typed.types:
            desk.wrong(f"A person needs a user type: {', '.join(UserType)}.")
        place = _place(desk, typed.texts)
        classes = [found["entity"] for text in typed.classes if (found := desk.find(CLASS, text))]
        if classes and not {STUDENT, TEACHER} & set(types):
            desk.wrong("Only students and teachers have classes.")
        children = _children(desk, typed.children, types)
        desk.settle()
        (person,) = edit.say("people", [record])
        edit.say("affiliations", [{"person": person, "user_type": each} | place for each in types])
        _enrol(edit, person, classes, STUDENT if STUDENT in types else TEACHER)
        edit.say("guardianships", [{"parent": person, "child": child} for child in children])
        _note(author, edit, "person.added", person)
    return Done(record["sourced_id"], tuple(edit.changed), known=person not in edit.made)


def edit_person(institute: Institute, who: str, typed: Typed, author: Author, *, active: bool | None = None) -> Done:
    """Somebody corrected: what was not typed stays as it is. Their record is the hand's from then on, whoever delivers it."""
    desk = Desk(institute)
    with by_hand(institute, author.clock.now()) as edit:
        before = desk.find(PERSON, who)
        values = _values(desk, byhand.PERSON, typed.texts)
        types, place = _types(desk, typed.types), _place(desk, typed.texts)
        if before is None:
            raise desk.refusal()
        now = of_person("affiliations", institute, before["entity"])
        record = before | values | ({} if active is None else {"active": active})
        _check_person(desk, record, before)
        are = _replaced(now, types, place)
        if not are:
            desk.wrong(f"{before['sourced_id']} needs a user type: {', '.join(UserType)}.")
        children = _children(desk, typed.children, {row["user_type"] for row in are})
        desk.settle()
        changed = [column for column in BY_NAME["people"].content if record[column] != before[column]]
        if changed:
            edit.say("people", [_row("people", record)], corrects=_corrects(before))
        changed += _say_affiliations(edit, before["entity"], now, are)
        edit.say("guardianships", [{"parent": before["entity"], "child": child} for child in children])
        changed += ["children"] * bool(children)
        if edit.changed:
            _note(author, edit, "person.edited", before["entity"], columns=changed)
    return Done(before["sourced_id"], tuple(changed))


def deactivate_person(institute: Institute, who: str, author: Author) -> Done:
    """Somebody who counts as having left, until they are edited to be active again or given back to the delivery."""
    desk = Desk(institute)
    with by_hand(institute, author.clock.now()) as edit:
        before = desk.the(PERSON, who)
        if not before["active"]:
            desk.wrong(f"{before['sourced_id']} is not active already.")
        desk.settle()
        edit.say("people", [_row("people", before) | {"active": False}], corrects=_corrects(before))
        _note(author, edit, "person.deactivated", before["entity"])
    return Done(before["sourced_id"], ("active",))


def reset_person(institute: Institute, who: str, author: Author) -> Done:
    """Somebody of whom all is forgotten that was said by hand, enrolments included, so that the delivery counts again."""
    desk = Desk(institute)
    with by_hand(institute, author.clock.now()) as edit:
        person = desk.the(PERSON, who)
        key, name = person["entity"], person["sourced_id"]
        if said("people", institute, "r.entity = %s AND s.kind <> %s", [key, MANUAL]).is_empty():
            desk.wrong(
                f"No delivery has {name}, so there is nothing that would count; "
                f"if they left, use: rollbook person deactivate {name}."
            )
        for table, about in ABOUT_PERSON.items():
            rows = said(table, institute, f"{about} AND s.kind = %s", [key, MANUAL])
            edit.forget(table, rows["entity"].to_list())
        if not edit.changed:
            desk.wrong(f"Nothing was said by hand of {name}.")
        desk.settle()
        _note(author, edit, "person.reset", key)
    return Done(name, tuple(edit.changed))


def add_enrolment(
    institute: Institute,
    who: str,
    klass: str,
    author: Author,
    day: dt.date,
    *,
    role: str = STUDENT,
    begin: str = "",
    end: str = "",
) -> Done:
    """Somebody enrolled in a class, or teaching it in any other `role`; from the start and for good where no day is given."""
    desk = Desk(institute)
    with by_hand(institute, author.clock.now()) as edit:
        person, taken = desk.find(PERSON, who), desk.find(CLASS, klass)
        role = desk.read(byhand.ROLE, role) or STUDENT
        span = desk.read(byhand.BEGIN, begin), desk.read(byhand.END, end)
        if None not in span and span[1] <= span[0]:
            desk.wrong(f"It ends on {span[1]}, which is not after its begin on {span[0]}; the end day is outside.")
        if person is not None:
            _check_type(desk, person, STUDENT if role == STUDENT else TEACHER)
        if person is None or taken is None:
            raise desk.refusal()
        _check_free(desk, person, taken, role, span, day)
        desk.settle()
        _enrol(edit, person["entity"], [taken["entity"]], role, *span)
        _note(author, edit, "enrolment.added", person["entity"], klass=taken["entity"])
    return Done(person["sourced_id"], tuple(edit.changed))


def end_enrolment(institute: Institute, who: str, klass: str, author: Author, day: dt.date, on: str = "") -> Done:
    """Somebody who is no longer in a class, as whatever they were, from the day `on` (default: `day`) onwards."""
    desk = Desk(institute)
    with by_hand(institute, author.clock.now()) as edit:
        person, left = desk.find(PERSON, who), desk.find(CLASS, klass)
        last = desk.read(byhand.END, on) or day
        if person is None or left is None:
            raise desk.refusal()
        key, name = person["entity"], person["sourced_id"]
        own = {table: of_person(table, institute, key) for table in ("enrolments", "teachings")}
        here = [(table, row) for table, rows in own.items() for row in rows if row["klass"] == left["entity"]]
        going = [(table, row) for table, row in here if row["end"] is None or row["end"] > last]
        if not here:
            classes = by_entity("classes", institute, [row["klass"] for rows in own.values() for row in rows])
            there = listed(CLASS, list(classes.values())[:LISTED]) or "none"
            desk.wrong(f"{name} is not in the class {left['sourced_id']}; they are in: {there}.")
        elif not going:
            desk.wrong(f"{name} left the class {left['sourced_id']} on {max(row['end'] for _, row in here)} already.")
        desk.settle()
        for table, row in going:
            # What has not begun by then never does.
            end = max(last, row["begin"] or last)
            edit.say(table, [_row(table, row) | {"end": end}], corrects=_corrects(row))
        _note(author, edit, "enrolment.ended", key, klass=left["entity"])
    return Done(name, tuple(edit.changed))


@dataclass(frozen=True, slots=True)
class Shown:
    """What counts of somebody: `fields` by column, `delivered` where a delivery says otherwise, what they are, their classes.

    `by_hand` is "no", "corrected" or "added". In `types` and `classes` stand names of places and titles, and who says so.
    """

    person: str
    active: bool
    by_hand: str
    fields: Mapping[str, Any]
    delivered: Mapping[str, Any]
    types: Sequence[Mapping[str, Any]]
    classes: Sequence[Mapping[str, Any]]
    children: Sequence[str]
    parents: Sequence[str]


def shown(institute: Institute, who: str) -> Shown:
    """Somebody as the register has them, and where the hand says what no delivery does."""
    row = Desk(institute).the(PERSON, who)
    key = row["entity"]
    others = said("people", institute, "r.entity = %s AND s.kind <> %s", [key, MANUAL]).head(1).to_dicts()
    manual = row["source_kind"] == MANUAL
    families = said("guardianships", institute, ABOUT_PERSON["guardianships"], [key]).to_dicts()
    known = by_entity(
        "people", institute, [person for family in families for person in (family["child"], family["parent"])]
    )
    return Shown(
        row["sourced_id"],
        row["active"],
        ("corrected" if row["corrects"] else "added") if manual else "no",
        {name: row[name] for name in byhand.PERSON},
        {n: o[n] for o in others for n in (*byhand.PERSON, "active") if o[n] != row[n]},
        _shown_types(institute, key),
        _shown_classes(institute, key),
        sorted({known[f["child"]]["sourced_id"] for f in families if f["parent"] == key and f["child"] in known}),
        sorted({known[f["parent"]]["sourced_id"] for f in families if f["child"] == key and f["parent"] in known}),
    )


def _shown_types(institute: Institute, person: int) -> list[dict[str, Any]]:
    rows = of_person("affiliations", institute, person)
    grades = by_entity("grades", institute, [row["grade"] for row in rows])
    places = by_entity("locations", institute, [row[name] for row in rows for name in ("location", "department")])
    called = {"grade": grades, "location": places, "department": places}
    return [
        {"type": row["user_type"]}
        | {name: among[row[name]]["name"] if row[name] in among else None for name, among in called.items()}
        | {name: row[name] for name in byhand.PLACE}
        | {"by_hand": row["source_kind"] == MANUAL}
        for row in rows
    ]


def _shown_classes(institute: Institute, person: int) -> list[dict[str, Any]]:
    rows = [row for table in ("teachings", "enrolments") for row in of_person(table, institute, person)]
    classes = by_entity("classes", institute, [row["klass"] for row in rows])
    found = [
        {
            "class": classes[row["klass"]]["sourced_id"],
            "title": classes[row["klass"]]["title"],
            "as": row.get("teacher_type", STUDENT),
            "begin": row["begin"],
            "end": row["end"],
            "by_hand": row["source_kind"] == MANUAL,
        }
        for row in rows
        if row["klass"] in classes
    ]
    return sorted(found, key=lambda row: (row["class"], row["begin"] or dt.date.min))


def _values(desk: Desk, columns: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """The values of the columns that were typed."""
    return {name: desk.read(column, texts[name]) for name, column in columns.items() if name in texts}


def _place(desk: Desk, texts: Mapping[str, str]) -> dict[str, Any]:
    """The columns of an affiliation that were typed; what is looked up as the entity that is meant."""
    place = _values(desk, byhand.PLACE, texts)
    for name, calling in LOOKED_UP.items():
        if name in texts:
            text = texts[name].strip()
            found = desk.find(calling, text) if text else None
            place[name] = found["entity"] if found else None
    return place


def _types(desk: Desk, words: Sequence[str]) -> list[str]:
    """The user types, once each."""
    return list(dict.fromkeys(word for word in desk.read_all(byhand.TYPE, words) if word))


def _new_id(desk: Desk, text: str) -> str:
    """The sourced id typed, which nobody in the register has; one nobody ever has if none was typed."""
    sourced_id = desk.read(byhand.SOURCED_ID, text) or f"hand-{uuid.uuid4().hex[:12]}"
    if any(row["sourced_id"] == sourced_id for row in PERSON.found(desk.institute, sourced_id)):
        desk.wrong(f"There is a person {sourced_id!r} already; correct them with: rollbook person edit {sourced_id}.")
    return str(sourced_id)


def _check_person(desk: Desk, record: Record, before: Record | None = None) -> None:
    """Somebody has to be called something, and a SIS number is one person's."""
    if not any(record[name] for name in NAMES):
        desk.wrong("A person needs a first or a last name.")
    number = record["sis_number"]
    if number is None or (before is not None and before["sis_number"] == number):
        return
    same = [row for row in PERSON.found(desk.institute, number) if row["sis_number"] == number]
    if same:
        desk.wrong(f"The SIS number {number!r} is that of {', '.join(row['sourced_id'] for row in same)} already.")


def _children(desk: Desk, texts: Sequence[str], types: Iterable[str]) -> list[int]:
    """The people named as children of somebody, who has to be a parent."""
    if texts and PARENT not in types:
        desk.wrong("Only parents have children here; add the type parent.")
    return [found["entity"] for text in texts if (found := desk.find(PERSON, text))]


def _replaced(now: Sequence[Record], types: Sequence[str], place: Record) -> list[Record]:
    """What somebody is after an edit: of the types given, if any, where they are now, except for what was typed."""
    kept = [row for row in now if not types or row["user_type"] in types]
    home = {name: now[0][name] if now else None for name in ("location", "department")}
    fresh = [home | {"user_type": each} for each in types if each not in {row["user_type"] for row in kept}]
    rows = [_row("affiliations", row) | place for row in kept] + [_empty("affiliations") | row | place for row in fresh]
    return [row for number, row in enumerate(rows) if _same_place(row) not in map(_same_place, rows[:number])]


def _same_place(row: Record) -> tuple[Any, ...]:
    return tuple(row[name] for name in BY_NAME["affiliations"].content if name != "person")


def _say_affiliations(edit: Edit, person: int, now: Sequence[Record], are: Sequence[Record]) -> list[str]:
    """The columns in which what somebody is differs from what they were; if any does, it is said anew."""
    if set(map(_same_place, now)) == set(map(_same_place, are)):
        return []
    edit.forget("affiliations", [row["entity"] for row in now if row["source_kind"] == MANUAL])
    edit.say(
        "affiliations",
        [{name: row[name] for name in BY_NAME["affiliations"].content} | {"person": person} for row in are],
    )
    columns = (name for name in BY_NAME["affiliations"].content if name != "person")
    return [name for name in columns if {row[name] for row in now} != {row[name] for row in are}]


def _check_type(desk: Desk, person: Record, wanted: str) -> None:
    types = sorted({row["user_type"] for row in of_person("affiliations", desk.institute, person["entity"])})
    if wanted not in types:
        options = " ".join(f"--type {each}" for each in [*types, wanted])
        desk.wrong(
            f"{person['sourced_id']} is {', '.join(types) or 'of no type'}, not {wanted}; "
            f"change that first: rollbook person edit {person['sourced_id']} {options}."
        )


def _check_free(
    desk: Desk, person: Record, klass: Record, role: str, span: tuple[dt.date | None, dt.date | None], day: dt.date
) -> None:
    """Nobody is in one class twice at a time in one role; what is over by `day` stands in nobody's way."""
    begin, end = span
    table = "enrolments" if role == STUDENT else "teachings"
    for row in of_person(table, desk.institute, person["entity"]):
        alike = row["klass"] == klass["entity"] and row.get("teacher_type", STUDENT) == role
        over = row["end"] is not None and row["end"] <= day
        before = end is not None and row["begin"] is not None and end <= row["begin"]
        after = begin is not None and row["end"] is not None and row["end"] <= begin
        if alike and not (over or before or after):
            until = f"from {row['begin'] or 'the start'} to {row['end'] or 'no end'}"
            desk.wrong(f"{person['sourced_id']} is in the class {klass['sourced_id']} as {role} already, {until}.")


def _enrol(
    edit: Edit, person: int, classes: Sequence[int], role: str, begin: dt.date | None = None, end: dt.date | None = None
) -> None:
    """Say that somebody is in these classes; every role but that of a student is a teacher's."""
    table, more = ("enrolments", {}) if role == STUDENT else ("teachings", {"teacher_type": role})
    rows = [{"person": person, "klass": klass, "begin": begin, "end": end} | more for klass in dict.fromkeys(classes)]
    edit.say(table, [row | {"sourced_id": f"hand-{uuid.uuid4().hex[:12]}"} for row in rows])


def _empty(table: str) -> Record:
    return dict.fromkeys(BY_NAME[table].content)


def _row(table: str, record: Record) -> Record:
    """A record as an edit takes it: the same record, with what it says."""
    wanted = ("entity", "sourced_id", *BY_NAME[table].content)
    return {name: record[name] for name in wanted}


def _corrects(record: Record) -> bool:
    """Whether what is said instead is a correction: always, unless the record was made by hand."""
    return bool(record["corrects"]) or record["source_kind"] != MANUAL


def _note(author: Author, edit: Edit, action: str, person: int, **more: Any) -> None:
    public_id = Person.objects.values_list("public_id", flat=True).get(pk=person)
    content = {"person": str(public_id), "edit": edit.number, "changed": edit.changed, **more}
    author.note(edit.source.institute, action, content)
