"""A school told in sentences: who is in it, what they are, what they are taught, where and when, and what becomes of them.

`Register` adds to the School of tests/world.py what an administrator would say: a grade, a location within another, a group and
a subject, terms, a second school year, somebody who leaves, comes back, moves to another class, stands in for somebody, vanishes
from the delivery, and a group or a person that is called something else now. Whatever is renamed keeps, in sentences, the name it
was first told by.
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


def numbers(rows: list[dict[str, Any]], key: str) -> dict[str, int]:
    """What turns names of a register table, as they were first told, into keys."""
    return {row["told"]: row[key] for row in rows}


def table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """The rows of a register table, without what they were first told by."""
    return frame(name, [{column: value for column, value in row.items() if column != "told"} for row in rows])


@dataclass
class Register(School):
    """A School with places and years: `student("Maria Papadaki", "7A", grade="7th grade")`."""

    years: dict[str, tuple[dt.date, dt.date]] = field(default_factory=lambda: {FIRST_YEAR: (BEGIN, END)})
    terms: dict[str, tuple[str, dt.date, dt.date]] = field(default_factory=dict)
    terms_of_class: dict[str, list[str]] = field(default_factory=dict)
    year_of_class: dict[str, str] = field(default_factory=dict)
    taught: dict[str, tuple[str, str]] = field(default_factory=dict)
    places: dict[str, dict[str, str]] = field(default_factory=dict)
    places_of_class: dict[str, dict[str, str]] = field(default_factory=dict)
    within: dict[tuple[str, str], str | None] = field(default_factory=dict)
    called: dict[tuple[str, str], str] = field(default_factory=dict)
    codes: dict[tuple[str, str], str] = field(default_factory=dict)
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
        """Somebody of the staff who does not teach, of a location or department if one is named."""
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

    def place(self, name: str, within: str | None = None, *, kind: str = "location") -> Register:
        """A location, or a department, within another location if one is named."""
        self.within[kind, name] = within
        return self

    def opens(self, year: str, begin: str, end: str) -> Register:
        """One more school year, which goes by its title."""
        self.years[year] = day(begin), day(end)
        return self

    def term(self, name: str, begin: str, end: str, *, year: str = FIRST_YEAR) -> Register:
        """A term, or another marking period, of a school year."""
        self.terms[name] = year, day(begin), day(end)
        return self

    def klass(
        self,
        title: str,
        teachers: list[str] | None = None,
        students: list[str] | None = None,
        *,
        begin: dt.date | None = None,
        end: dt.date | None = None,
        year: str | None = None,
    ) -> Register:
        """A class of a school year with these people, for the year's days unless `begin` and `end` are given."""
        first, last = self.years[self.year_of_class.setdefault(title, year or FIRST_YEAR)]
        super().klass(title, teachers, students, begin=begin or first, end=end or last)
        return self

    def again(self, title: str, year: str, *, teachers: list[str], students: list[str], name: str = "") -> Register:
        """The same group is taught the same subject in another year: another class of that title, told as "7A (2027-2028)"."""
        other = name or f"{title} ({year})"
        self.taught[other] = self.taught.get(title, (title, title))
        self.called["class", other] = self.called.get(("class", title), title)
        if title in self.places_of_class:
            self.places_of_class[other] = self.places_of_class[title]
        return self.klass(other, teachers, students, year=year)

    def is_taught(self, title: str, *, group: str, subject: str) -> Register:
        """A class is this subject for this group; any other class is a group and a subject of its own."""
        self.taught[title] = group, subject
        return self

    def is_of(self, title: str, **places: str) -> Register:
        """A class belongs to this location or grade, and so does its group."""
        self.places_of_class[title] = places
        return self

    def is_in(self, title: str, *terms: str) -> Register:
        """A class is taught in these terms."""
        self.terms_of_class[title] = list(terms)
        return self

    def renames(self, kind: str, name: str, to: str) -> Register:
        """A group, subject, location, department, grade, class, term or year is called something else from now on."""
        self.called[kind, name] = to
        return self

    def has_code(self, kind: str, name: str, code: str) -> Register:
        """A group, a subject or a location has this code."""
        self.codes[kind, name] = code
        return self

    def joins(self, name: str, title: str, begin: str | None = None, end: str | None = None) -> Register:
        """Somebody is enrolled in a class, from and until these days if they are given."""
        return self.klass(title, students=[name], begin=_day(begin), end=_day(end))

    def teaches(
        self, name: str, title: str, begin: str | None = None, end: str | None = None, *, kind: str = "teacher"
    ) -> Register:
        """Somebody teaches a class, as this teacher type."""
        self.klass(title, teachers=[name], begin=_day(begin), end=_day(end))
        self.teachings[-1]["teacher_type"] = kind
        return self

    def stops(self, name: str, title: str, end: str) -> Register:
        """Somebody's enrolment or teaching in a class ends on this day, which is the first without it."""
        for row in self._of(name, title):
            row["end"] = day(end)
        return self

    def _of(self, name: str, title: str) -> list[dict[str, Any]]:
        person, klass = self.people[name]["person"], self.classes[title]
        return [row for row in (*self.enrolments, *self.teachings) if (row["person"], row["klass"]) == (person, klass)]

    def moves(self, name: str, here: str, there: str, on: str) -> Register:
        """A student is in another class from this day on."""
        return self.stops(name, here, on).joins(name, there, on)

    def is_away(self, name: str, title: str, begin: str, end: str, *, instead: str) -> Register:
        """A teacher does not teach a class in these days, and somebody else does."""
        (held,) = self._of(name, title)
        kind, until = held["teacher_type"], held["end"]
        self.stops(name, title, begin).teaches(name, title, end, until.isoformat(), kind=kind)
        return self.teaches(instead, title, begin, end, kind=kind)

    def returns(self, name: str) -> Register:
        """Somebody who had left, or vanished, is back."""
        self.vanished.discard(name)
        return self.changes(name, active=True)

    def changes(self, name: str, **facts: Any) -> Register:
        """The register now says something else about somebody, who stays the same person."""
        self.places[name] = self.places.get(name, {}) | {
            kind: facts.pop(kind) for kind in (*PLACES, *TRAITS) if kind in facts
        }
        self.people[name] |= facts
        return self

    def vanishes(self, name: str) -> Register:
        """Somebody is not in the next deliveries any more, and nothing of theirs is."""
        self.vanished.add(name)
        return self

    def class_on(self, title: str, on: dt.date, lead_days: int = 0) -> tuple[set[str], set[str]]:
        """Who learns and who teaches in a class on a day, read off the rows one by one, those to come within the lead days too.

        Whoever was there to the end of the school year is there until the next one begins.
        """
        active = {facts["person"]: name for name, facts in self.people.items() if facts["active"]}
        _, closing = self.years[self.year_of_class[title]]
        following = min((begin for begin, _ in self.years.values() if begin >= closing), default=dt.date.max)
        soon = on + dt.timedelta(days=lead_days)

        def there(row: Mapping[str, Any]) -> bool:
            end = following if row["end"] == closing else row["end"]
            return row["klass"] == self.classes[title] and row["begin"] <= soon and on < end and row["person"] in active

        learn, teach = (
            {active[row["person"]] for row in rows if there(row)} - self.vanished
            for rows in (self.enrolments, self.teachings)
        )
        return learn, teach

    def roster(self) -> Roster:
        """The school as a Roster, with its years and places, without whoever vanished."""
        plain = super().roster()
        places = self._places()
        known = {kind: numbers(rows, "grade" if kind == "grade" else "location") for kind, rows in places.items()}
        placed = self._placed(plain.affiliations, known)
        gone = {self.people[name]["person"] for name in self.vanished}
        here = plain.people.filter(~pl.col("person").is_in(gone))
        children = plain.guardianships.join(here, left_on="child", right_on="person", how="semi")
        return replace(
            plain,
            locations=table("locations", [*places["location"], *places["department"]]),
            grades=table("grades", places["grade"]),
            **self._years(),
            **self._taught(plain.classes, known),
            people=here,
            affiliations=placed.join(here, on="person", how="semi"),
            guardianships=children.join(here, left_on="parent", right_on="person", how="semi"),
            enrolments=plain.enrolments.join(here, on="person", how="semi"),
            teachings=plain.teachings.join(here, on="person", how="semi"),
        )

    def _listed(self, key: str, names: Iterable[str], **columns: Any) -> list[dict[str, Any]]:
        """A row of the register for each different name, in their order, numbered from 1 as `key`, as it is called now."""
        coded = () if key == "grade" else ("code",)
        return [
            {
                key: number,
                "told": name,
                "sourced_id": f"{key} {name}",
                "line": 0,
                "name": self.called.get((key, name), name),
                **{column: self.codes.get((key, name)) for column in coded},
                **columns,
            }
            for number, name in enumerate(dict.fromkeys(names), start=1)
        ]

    def _places(self) -> dict[str, list[dict[str, Any]]]:
        """The rows of each kind of place people or classes belong to; departments are locations too, numbered after them."""
        said = [*self.places.values(), *self.places_of_class.values()]
        named = {kind: list(dict.fromkeys(row[kind] for row in said if kind in row)) for kind in PLACES}
        for kind, name in self.within:
            named[kind] = list(dict.fromkeys([*named[kind], name]))
        whole = [self.within[place] for place in self.within if self.within[place] is not None]
        named["location"] = list(dict.fromkeys([*named["location"], *(name for name in whole if name)]))
        locations = self._listed("location", named["location"], kind="school")
        number = numbers(locations, "location")
        departments = [
            {name: value for name, value in row.items() if name != "department"}
            | {"location": row["department"] + len(locations)}
            for row in self._listed("department", named["department"], kind="department")
        ]
        for kind, rows in (("location", locations), ("department", departments)):
            for row in rows:
                row["parent"] = number.get(self.within.get((kind, row["told"])) or "")
        return {
            "location": locations,
            "department": departments,
            "grade": self._listed("grade", named["grade"]),
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

    def _years(self) -> dict[str, pl.DataFrame]:
        """The tables of years and terms, and in which terms classes are taught."""
        year, term = list(self.years), list(self.terms)
        periods = [
            {"period": number, "sourced_id": title, "line": 0, "title": self.called.get(("year", title), title)}
            | {"begin": begin, "end": end}
            for number, (title, (begin, end)) in enumerate(self.years.items(), start=1)
        ]
        markings = [
            {"marking": number, "sourced_id": f"term {name}", "line": 0, "title": self.called.get(("term", name), name)}
            | {"begin": begin, "end": end, "period": year.index(of) + 1}
            for number, (name, (of, begin, end)) in enumerate(self.terms.items(), start=1)
        ]
        taught = [
            {"klass": self.classes[title], "marking": term.index(name) + 1}
            for title, names in self.terms_of_class.items()
            for name in names
        ]
        return {
            "academic_periods": frame("academic_periods", periods),
            "marking_periods": frame("marking_periods", markings),
            "class_markings": frame("class_markings", taught),
        }

    def _taught(self, classes: pl.DataFrame, known: Mapping[str, Mapping[str, int]]) -> dict[str, pl.DataFrame]:
        """The tables of groups and subjects, and the classes that point into them."""
        taught = {title: self.taught.get(title, (title, title)) for title in self.year_of_class}
        at = {
            title: {kind: known[kind][name] for kind, name in self.places_of_class.get(title, {}).items()}
            for title in taught
        }
        groups = self._listed("group", (group for group, _ in taught.values()))
        subjects = self._listed("subject", (subject for _, subject in taught.values()))
        for row in groups:
            row |= next((at[title] for title, (group, _) in taught.items() if group == row["told"] and at[title]), {})
        number = {"group": numbers(groups, "group"), "subject": numbers(subjects, "subject")}
        pointers = [
            {
                "title": title,
                "named": self.called.get(("class", title), title),
                "period": list(self.years).index(self.year_of_class[title]) + 1,
                "group": number["group"][group],
                "subject": number["subject"][subject],
                **at[title],
            }
            for title, (group, subject) in taught.items()
        ]
        columns = ("period", "group", "subject", "location", "grade")
        schema = {"title": pl.String, "named": pl.String, **dict.fromkeys(columns, pl.Int64)}
        pointing = pl.DataFrame(pointers, schema)
        told = classes.drop(columns).join(pointing, on="title", maintain_order="left").drop("title")
        return {
            "groups": table("groups", groups),
            "subjects": table("subjects", subjects),
            "classes": told.rename({"named": "title"}).select(classes.columns),
        }


def _day(text: str | None) -> dt.date | None:
    return day(text) if text is not None else None
