"""A school told in sentences: who is in it, what they are, what they are taught, and what becomes of them.

`Register` adds to the School of tests/world.py what an administrator would say: a grade, a location, a group and a subject, a
second school year, somebody who leaves, comes back, vanishes from the delivery, or is called something else now.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl
from tests.world import BEGIN, END, School, frame

from rollbook.roster.tables import Roster

FIRST_YEAR = "2026-2027"
PLACES = ("location", "department", "grade")
TRAITS = ("grade_type", "stream")


def day(text: str) -> dt.date:
    """A day as people write it here: 2026-10-01."""
    return dt.date.fromisoformat(text)


def listed(key: str, names: Iterable[str], **columns: Any) -> list[dict[str, Any]]:
    """A row of the register for each different name, in their order, numbered from 1 as `key`."""
    return [
        {key: number, "sourced_id": f"{key} {name}", "line": 0, "name": name, **columns}
        for number, name in enumerate(dict.fromkeys(names), start=1)
    ]


def numbers(rows: list[dict[str, Any]], key: str) -> dict[str, int]:
    """What turns names of a register table into keys."""
    return {row["name"]: row[key] for row in rows}


@dataclass
class Register(School):
    """A School with places and years: `student("Maria Papadaki", "7A", grade="7th grade")`."""

    years: dict[str, tuple[dt.date, dt.date]] = field(default_factory=lambda: {FIRST_YEAR: (BEGIN, END)})
    year_of_class: dict[str, str] = field(default_factory=dict)
    taught: dict[str, tuple[str, str]] = field(default_factory=dict)
    places: dict[str, dict[str, str]] = field(default_factory=dict)
    places_of_class: dict[str, dict[str, str]] = field(default_factory=dict)
    vanished: set[str] = field(default_factory=set)

    def student(self, name: str, klass: str | None = None, **facts: Any) -> Register:
        """A student, enrolled in a class if one is named."""
        self._somebody(name, "student", facts)
        return self.joins(name, klass) if klass else self

    def teacher(self, name: str, klass: str | None = None, **facts: Any) -> Register:
        """A teacher, teaching a class if one is named."""
        self._somebody(name, "teacher", facts)
        return self.teaches(name, klass) if klass else self

    def employee(self, name: str, **facts: Any) -> Register:
        """Somebody of the staff who does not teach."""
        return self._somebody(name, "employee", facts)

    def parent(self, name: str, of: Sequence[str] = (), **facts: Any) -> Register:
        """A parent of these children."""
        self._somebody(name, "parent", facts)
        mine = self.people[name]["person"]
        self.guardians += [{"child": self.people[child]["person"], "parent": mine} for child in of]
        return self

    def _somebody(self, name: str, user_type: str, facts: dict[str, Any]) -> Register:
        self.places[name] = {kind: facts.pop(kind) for kind in (*PLACES, *TRAITS) if kind in facts}
        self.person(name, user_type, **facts)
        return self

    def opens(self, year: str, begin: str, end: str) -> Register:
        """One more school year, which goes by its title."""
        self.years[year] = day(begin), day(end)
        return self

    def klass(
        self,
        title: str,
        teachers: list[str] | None = None,
        students: list[str] | None = None,
        *,
        year: str | None = None,
        **dates: dt.date,
    ) -> Register:
        """A class of a school year with these people, for the year's days unless `begin` and `end` are given."""
        begin, end = self.years[self.year_of_class.setdefault(title, year or FIRST_YEAR)]
        super().klass(title, teachers, students, **{"begin": begin, "end": end, **dates})
        return self

    def is_taught(self, title: str, *, group: str, subject: str) -> Register:
        """A class is this subject for this group; any other class is a group and a subject of its own."""
        self.taught[title] = group, subject
        return self

    def is_of(self, title: str, **places: str) -> Register:
        """A class belongs to this location or grade."""
        self.places_of_class[title] = places
        return self

    def joins(self, name: str, title: str, begin: str | None = None, end: str | None = None) -> Register:
        """Somebody is enrolled in a class, from and until these days if they are given."""
        return self.klass(title, students=[name], **_given(begin, end))

    def teaches(
        self, name: str, title: str, begin: str | None = None, end: str | None = None, *, kind: str = "teacher"
    ) -> Register:
        """Somebody teaches a class, as this teacher type."""
        self.klass(title, teachers=[name], **_given(begin, end))
        self.teachings[-1]["teacher_type"] = kind
        return self

    def stops(self, name: str, title: str, end: str) -> Register:
        """Somebody's enrolment or teaching in a class ends on this day, which is the first without it."""
        person, klass = self.people[name]["person"], self.classes[title]
        for row in (*self.enrolments, *self.teachings):
            if (row["person"], row["klass"]) == (person, klass):
                row["end"] = day(end)
        return self

    def returns(self, name: str) -> Register:
        """Somebody who had left, or vanished, is back."""
        self.vanished.discard(name)
        return self.changes(name, active=True)

    def changes(self, name: str, **facts: Any) -> Register:
        """The register now says something else about somebody, who stays the same person."""
        self.people[name] |= facts
        return self

    def vanishes(self, name: str) -> Register:
        """Somebody is not in the next deliveries any more, and nothing of theirs is."""
        self.vanished.add(name)
        return self

    def roster(self) -> Roster:
        """The school as a Roster, with its years and places, without whoever vanished."""
        plain = super().roster()
        places = self._places()
        known = {kind: numbers(rows, "grade" if kind == "grade" else "location") for kind, rows in places.items()}
        placed = self._placed(plain.affiliations, known)
        tables = {
            "locations": frame("locations", [*places["location"], *places["department"]]),
            "grades": frame("grades", places["grade"]),
        }
        gone = {self.people[name]["person"] for name in self.vanished}
        here = plain.people.filter(~pl.col("person").is_in(gone))
        children = plain.guardianships.join(here, left_on="child", right_on="person", how="semi")
        return replace(
            plain,
            **tables,
            **self._taught(plain.classes, known),
            people=here,
            affiliations=placed.join(here, on="person", how="semi"),
            guardianships=children.join(here, left_on="parent", right_on="person", how="semi"),
            enrolments=plain.enrolments.join(here, on="person", how="semi"),
            teachings=plain.teachings.join(here, on="person", how="semi"),
        )

    def _places(self) -> dict[str, list[dict[str, Any]]]:
        """The rows of each kind of place people or classes belong to; departments are locations too, numbered after them."""
        said = [*self.places.values(), *self.places_of_class.values()]
        named = {kind: list(dict.fromkeys(row[kind] for row in said if kind in row)) for kind in PLACES}
        return {
            "location": listed("location", named["location"], kind="school"),
            "department": [
                row | {"location": row["location"] + len(named["location"]), "sourced_id": f"department {row['name']}"}
                for row in listed("location", named["department"], kind="department")
            ],
            "grade": listed("grade", named["grade"]),
        }

    def _placed(self, affiliations: pl.DataFrame, known: Mapping[str, Mapping[str, int]]) -> pl.DataFrame:
        """Affiliations with the places of people, and what else they are."""
        rows = [
            {"person": self.people[name]["person"]}
            | {kind: known[kind][said[kind]] if kind in PLACES else said[kind] for kind in said}
            for name, said in self.places.items()
        ]
        schema = {"person": pl.Int64, **dict.fromkeys(PLACES, pl.Int64), **dict.fromkeys(TRAITS, pl.String)}
        whole = pl.DataFrame(rows, schema)
        found = affiliations.drop(*PLACES, *TRAITS).join(whole, on="person", how="left", maintain_order="left")
        return found.select(affiliations.columns)

    def _taught(self, classes: pl.DataFrame, known: Mapping[str, Mapping[str, int]]) -> dict[str, pl.DataFrame]:
        """The tables of years, groups and subjects, and the classes that point into them."""
        taught = {title: self.taught.get(title, (title, title)) for title in self.year_of_class}
        groups = listed("group", (group for group, _ in taught.values()))
        subjects = listed("subject", (subject for _, subject in taught.values()))
        years = [
            {"period": number, "sourced_id": title, "line": 0, "title": title, "begin": begin, "end": end}
            for number, (title, (begin, end)) in enumerate(self.years.items(), start=1)
        ]
        number = {"group": numbers(groups, "group"), "subject": numbers(subjects, "subject")}
        pointers = [
            {
                "title": title,
                "period": list(self.years).index(self.year_of_class[title]) + 1,
                "group": number["group"][group],
                "subject": number["subject"][subject],
                **{kind: known[kind][name] for kind, name in self.places_of_class.get(title, {}).items()},
            }
            for title, (group, subject) in taught.items()
        ]
        columns = ("period", "group", "subject", "location", "grade")
        pointing = pl.DataFrame(pointers, {"title": pl.String, **dict.fromkeys(columns, pl.Int64)})
        return {
            "academic_periods": frame("academic_periods", years),
            "groups": frame("groups", groups),
            "subjects": frame("subjects", subjects),
            "classes": classes.drop(columns).join(pointing, on="title", maintain_order="left").select(classes.columns),
        }


def _given(begin: str | None, end: str | None) -> dict[str, dt.date]:
    return {name: day(text) for name, text in (("begin", begin), ("end", end)) if text is not None}
