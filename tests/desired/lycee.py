"""A school told by its structure: locations, grades, groups, subjects and terms, and where people learn, teach and work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl
from tests.world import AUTUMN, BEGIN, END, frame

from rollbook.desired import managed_people
from rollbook.desired.hierarchies import ManagedNodes, managed_nodes
from rollbook.profiles import Profile, parse
from rollbook.roster.tables import Roster

YEAR = {"period": 1, "sourced_id": "2027", "line": 0, "title": "2026-2027", "begin": BEGIN, "end": END}
ALL = {"create": True, "update": True, "deactivate": True, "sso": True}


@dataclass
class Lycee:
    """Everything is named, and found by its name; sourced ids are the names in small letters when it was told."""

    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    institute: str | None = "Lycee"

    def _row(self, table: str, key: str, name: str, named: str = "name", **columns: Any) -> int:
        rows = self.tables.setdefault(table, [])
        known = next((row for row in rows if row[named] == name), None)
        if known is None:
            known = {key: len(rows) + 1, "sourced_id": name.lower().replace(" ", "-"), "line": 0, named: name}
            rows.append(known)
        known |= columns
        return int(known[key])

    def location(self, name: str | None, kind: str = "school") -> int | None:
        """The key of a location."""
        return self._row("locations", "location", name, kind=kind, code=f"L-{name}") if name else None

    def grade(self, name: str | None, level: str | None = None) -> int | None:
        """The key of a grade; naming it with a level places it there."""
        placed = {"level": level} if level else {}
        return self._row("grades", "grade", name, **placed) if name else None

    def group(self, name: str | None, location: str | None = None, grade: str | None = None) -> int | None:
        """The key of a group; where it is, if that is said."""
        said = {"location": self.location(location), "grade": self.grade(grade)}
        placed = {place: key for place, key in said.items() if key is not None}
        return self._row("groups", "group", name, **placed) if name else None

    def klass(self, title: str, subject: str | None = None, terms: Iterable[str] = (), **placed: str | None) -> Lycee:
        """A class of a group, a subject, at a location, for a grade: as far as that is said."""
        said = {"group": self.group, "location": self.location, "grade": self.grade}
        columns: dict[str, Any] = {name: find(placed.get(name)) for name, find in said.items()}  # type: ignore[operator]
        columns["subject"] = self._row("subjects", "subject", subject) if subject else None
        klass = self._row("classes", "klass", title, "title", **columns, period=1, kind="scheduled")
        for term in terms:
            marking = self._row("marking_periods", "marking", term, "title", period=1)
            self.tables.setdefault("class_markings", []).append({"klass": klass, "marking": marking})
        return self

    def person(self, name: str, user_type: str, stream: str | None = None, **placed: str | None) -> int:
        """The key of a person of this user type, at a location and of a grade."""
        person = self._row("people", "person", name, "given_name", active=True)
        places = {"location": self.location(placed.get("location")), "grade": self.grade(placed.get("grade"))}
        rows = self.tables.setdefault("affiliations", [])
        if not any(row["person"] == person and row["user_type"] == user_type for row in rows) or placed:
            rows.append({"person": person, "user_type": user_type, "stream": stream} | places)
        return person

    def student(self, name: str, *classes: str, stream: str | None = None, **placed: str | None) -> Lycee:
        """Somebody who learns in these classes."""
        self._inside("enrolments", "enrolment", self.person(name, "student", stream, **placed), classes)
        return self

    def teacher(self, name: str, *classes: str, **placed: str | None) -> Lycee:
        """Somebody who teaches these classes."""
        rows = self._inside("teachings", "teaching", self.person(name, "teacher", **placed), classes)
        for row in rows:
            row["teacher_type"] = "teacher"
        return self

    def employee(self, name: str, **placed: str | None) -> Lycee:
        """Somebody who works there."""
        self.person(name, "employee", **placed)
        return self

    def parent(self, name: str, *children: str) -> Lycee:
        """The parent of these children."""
        parent = self.person(name, "parent")
        pairs = [{"child": self.person(child, "student"), "parent": parent} for child in children]
        self.tables.setdefault("guardianships", []).extend(pairs)
        return self

    def _inside(self, table: str, key: str, person: int, classes: Sequence[str]) -> list[dict[str, Any]]:
        rows = self.tables.setdefault(table, [])
        for title in classes:
            klass = self._row("classes", "klass", title, "title")
            begin: dict[str, dt.date] = {"begin": BEGIN, "end": END}
            number = len(rows) + 1
            rows.append(
                {key: number, "sourced_id": f"{key}-{number}", "line": 0, "person": person, "klass": klass} | begin
            )
        return rows

    def leaves(self, name: str) -> Lycee:
        """Somebody is no longer active there."""
        next(row for row in self.tables["people"] if row["given_name"] == name)["active"] = False
        return self

    def renamed(self, table: str, old: str, new: str) -> Lycee:
        """Something is called otherwise, and stays what it is."""
        for row in self.tables[table]:
            row |= {column: new for column in ("name", "title") if row.get(column) == old}
        return self

    def roster(self) -> Roster:
        """The school as a Roster."""
        own = {"institute": 1, "sourced_id": "lycee-1", "line": 0, "name": self.institute}
        return replace(
            Roster(academic_periods=frame("academic_periods", [YEAR])),
            institutes=frame("institutes", [own] if self.institute else []),
            **{table: frame(table, rows) for table, rows in self.tables.items()},
        )


def profile_with(
    general: Sequence[str] = (),
    student: Sequence[str] = (),
    teacher: Sequence[str] = (),
    teams: str = "nothing",
    **settings: Any,
) -> Profile:
    """A profile with these levels in each hierarchy, whose users are all managed; `settings` are those of every hierarchy."""
    levels = {"general": general, "student": student, "teacher": teacher}
    return parse(
        {
            "teams": {"create": teams},
            "users": {"actions": dict.fromkeys(("student", "teacher", "employee", "parent"), ALL)},
            "hierarchies": {
                name: {"levels": {level: {} for level in chosen}, **settings}
                for name, chosen in levels.items()
                if chosen
            },
        }
    )


def nodes_of(roster: Roster, profile: Profile) -> ManagedNodes:
    """The nodes of a register under a profile, in autumn."""
    nobody = roster.affiliations.select("person", "user_type").clear()
    return managed_nodes(roster, profile, AUTUMN, managed_people(roster, profile, AUTUMN, nobody))


def tree(school: Lycee, profile: Profile, hierarchy: str = "general", *, deepest: bool = False) -> dict[str, set[str]]:
    """The names of the people in each node of a hierarchy, by the names on its path; only of those who are no deeper, if asked."""
    roster = school.roster()
    managed = nodes_of(roster, profile)
    rows = managed.belonging.filter(pl.col("deepest") | (not deepest)).join(
        roster.people.select("person", "given_name"), on="person"
    )
    nodes = managed.nodes.filter(pl.col("hierarchy") == hierarchy)
    return {
        label: set(rows.filter(pl.col("node") == node)["given_name"])
        for node, label in nodes.select("node", "label").iter_rows()
    }
