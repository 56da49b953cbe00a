"""A OneRoster folder with homerooms, told in words: which homerooms there are in a school year, who is in which class."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.sources.folder import ROWS, write

Row = dict[str, str]
HOME = {"sourcedId": "home", "title": "Homeroom", "orgSourcedId": "school"}
PHYSICS = {"sourcedId": "physics", "title": "Physics", "orgSourcedId": "school"}


@dataclass
class Homerooms:
    """`year("2026")`, then `klass("h7a", "2026", "s1", "s2", homeroom=True)`; every class is taught by t1."""

    sessions: list[Row] = field(default_factory=list)
    classes: dict[str, Row] = field(default_factory=dict)
    enrolled: dict[tuple[str, str], Row] = field(default_factory=dict)

    def year(self, begins: str, *, known_as: str = "") -> Homerooms:
        """A school year that begins in that year, with one term, whose id ends in `known_as` or the year."""
        first, last = f"{begins}-09-01", f"{int(begins) + 1}-07-01"
        for kind, name in (("schoolYear", "year"), ("term", "term")):
            row = {"sourcedId": f"{name}{known_as or begins}", "title": f"{name} {begins}", "type": kind}
            self.sessions.append(row | {"startDate": first, "endDate": last})
        return self

    def klass(self, name: str, year: str, *students: str, homeroom: bool = False, course: str = "maths") -> Homerooms:
        """A class; homerooms are listed in the year, others in its term."""
        kind, course, term = ("homeroom", "home", "year") if homeroom else ("scheduled", course, "term")
        row = {"sourcedId": name, "title": name, "classType": kind, "courseSourcedId": course}
        self.classes[name] = row | {"termSourcedIds": f"{term}{year}"}
        for person in ("t1", *students):
            self.joins(person, name, begins=year if year.isdigit() else "2026")
        return self

    def joins(self, person: str, klass: str, *, begins: str = "2026") -> Homerooms:
        """Somebody is in a class from the first day of a year to its last."""
        span = {"beginDate": f"{begins}-09-01", "endDate": f"{int(begins) + 1}-07-01"}
        role = "teacher" if person.startswith("t") else "student"
        row = {"sourcedId": f"{person}-{klass}", "userSourcedId": person, "classSourcedId": klass, "role": role}
        self.enrolled[person, klass] = row | span
        return self

    def folder(self, path: Path) -> Path:
        """The school, written."""
        people = sorted({person for person, _ in self.enrolled} - {"t1"})
        named = [
            {"sourcedId": person, "role": "student", "givenName": "Pupil", "familyName": f"No{person[1:]}"}
            for person in people
        ]
        return write(
            path,
            academicSessions=self.sessions,
            courses=[*ROWS["courses"], HOME, PHYSICS],
            users=[ROWS["users"][0], *named],
            classes=list(self.classes.values()),
            enrollments=list(self.enrolled.values()),
        )


def two_homerooms() -> Homerooms:
    """7A of s1 to s3 with maths, 7B of s4 and s5."""
    return (
        Homerooms()
        .year("2026")
        .klass("h7a", "2026", "s1", "s2", "s3", homeroom=True)
        .klass("h7b", "2026", "s4", "s5", homeroom=True)
        .klass("m7a", "2026", "s1", "s2", "s3")
    )


def with_next_year(school: Homerooms) -> Homerooms:
    """The same and next year beside it: the pupils of 7A go up into 8A, but for s3, who goes into 8B."""
    return (
        school.year("2027")
        .klass("h8a", "2027", "s1", "s2", homeroom=True)
        .klass("h8b", "2027", "s3", "s4", "s5", homeroom=True)
        .klass("m8a", "2027", "s1", "s2")
        .klass("m8b", "2027", "s3", "s4", "s5")
    )
