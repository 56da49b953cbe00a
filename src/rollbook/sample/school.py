"""A seeded school of any size: locations, grades, groups, subjects, people of many languages, and what makes real rosters hard.

Name twins, teachers of several classes, assistants, parents of several children, teachers who are parents, late enrolments,
leavers, and a few classes without a teacher. Equal arguments give an equal school. Everybody is invented.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rollbook.sample.names import ELECTIVES, LANGUAGES, PLACES, STREAMS, SUBJECTS

GROUP_SIZE = 24
GRADES = tuple(f"{grade:02}" for grade in range(1, 13))
FIRST_ELECTIVE_GRADE = 10
TEACHERLESS_ONE_IN = 150
DISTRICT = "district"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SampleSchool:
    """Rows of each OneRoster file, by file name without its ending."""

    year: int
    orgs: list[Row] = field(default_factory=list)
    academicSessions: list[Row] = field(default_factory=list)  # noqa: N815 - the format's own name
    courses: list[Row] = field(default_factory=list)
    users: list[Row] = field(default_factory=list)
    classes: list[Row] = field(default_factory=list)
    enrollments: list[Row] = field(default_factory=list)


def school(people: int, seed: int = 1, year: int = 2026) -> SampleSchool:
    """A school of exactly `people` people whose school year begins in August of `year`.

    Sessions, classes and enrolments of another year have other ids, people and courses the same.
    """
    return _Builder(people, random.Random(seed), SampleSchool(year)).build()


@dataclass(slots=True)
class _Group:
    """The people taught together, and where."""

    school: str
    grade: str
    letter: str
    students: list[Row]

    @property
    def name(self) -> str:
        return f"{int(self.grade)}{self.letter}"


class _Builder:
    """Fills a SampleSchool from the top down; every draw comes from the one seeded generator."""

    def __init__(self, people: int, draw: random.Random, made: SampleSchool) -> None:
        self._draw = draw
        self._made = made
        self._weights = [language.weight for language in LANGUAGES]
        self._teachers = max(2, round(people * 0.065))
        self._employees = max(1, round(people * 0.015))
        self._parents = round(people * 0.15)
        self._students = people - self._teachers - self._employees - self._parents
        self._number = 100_000
        self._begin = dt.date(made.year, 8, 24)
        self._end = dt.date(made.year + 1, 7, 1)

    def build(self) -> SampleSchool:
        """The whole school."""
        schools = self._places()
        self._sessions()
        self._courses()
        groups = self._groups(schools)
        teachers = self._staff(schools)
        self._families(groups, teachers)
        for group in groups:
            self._teach_group(group, teachers[group.school])
        self._teach_electives(groups, teachers)
        return self._made

    def _places(self) -> list[str]:
        """One school for about 500 students, three at least where the size allows; a department each."""
        count = max(
            1, min(len(PLACES), self._students // 500, 20) if self._students >= 1_500 else min(3, self._students // 50)
        )
        self._made.orgs.append(_org(DISTRICT, "Sample School District", "local", ""))
        names = []
        for number in range(1, count + 1):
            name = f"school-{number}"
            self._made.orgs.append(_org(name, f"{PLACES[number - 1]} School", "school", DISTRICT))
            self._made.orgs.append(_org(f"{name}-upper", f"{PLACES[number - 1]} Upper Department", "department", name))
            names.append(name)
        return names

    def _sessions(self) -> None:
        middle = dt.date(self._made.year + 1, 1, 25)
        year = str(self._made.year + 1)
        title = f"{self._made.year}-{year}"
        for sourced_id, name, kind, begin, end, parent in (
            (f"year-{self._made.year}", f"School year {title}", "schoolYear", self._begin, self._end, ""),
            (f"term-{self._made.year}-1", f"Autumn {title}", "term", self._begin, middle, f"year-{self._made.year}"),
            (f"term-{self._made.year}-2", f"Spring {title}", "term", middle, self._end, f"year-{self._made.year}"),
        ):
            row = {"sourcedId": sourced_id, "title": name, "type": kind, "startDate": begin, "endDate": end}
            self._made.academicSessions.append(row | {"parentSourcedId": parent, "schoolYear": year})

    def _courses(self) -> None:
        for grade in GRADES:
            electives = ELECTIVES if int(grade) >= FIRST_ELECTIVE_GRADE else ()
            for title, code in (("Homeroom", "HOM"), *SUBJECTS, *electives):
                row = {
                    "sourcedId": f"course-{code}-{grade}",
                    "schoolYearSourcedId": f"year-{self._made.year}",
                    "title": f"{title} {int(grade)}",
                }
                row |= {"courseCode": f"{code}{grade}", "grades": grade, "orgSourcedId": DISTRICT, "subjects": title}
                self._made.courses.append(row)

    def _groups(self, schools: Sequence[str]) -> list[_Group]:
        """Groups of equal size, spread over schools and grades."""
        count = max(1, round(self._students / GROUP_SIZE))
        per_school: dict[tuple[str, str], int] = {}
        groups = []
        for number in range(count):
            place, grade = schools[number % len(schools)], GRADES[number // len(schools) % len(GRADES)]
            letter = per_school.get((place, grade), 0)
            per_school[place, grade] = letter + 1
            groups.append(_Group(place, grade, _letter(letter), []))
        twin: tuple[str, str] | None = None
        for number in range(self._students):
            group = groups[number % count]
            # One in a hundred has the same full name as the one before.
            name = twin if twin and number % 100 == 99 else self._name()
            twin = name
            row = self._person("student", group.school, name, grades=group.grade)
            row["metadata.stream"] = STREAMS[number % len(STREAMS)] if int(group.grade) >= FIRST_ELECTIVE_GRADE else ""
            if number % 97 == 50:
                row["enabledUser"] = "false"
            group.students.append(row)
        return groups

    def _staff(self, schools: Sequence[str]) -> dict[str, list[Row]]:
        teachers: dict[str, list[Row]] = {place: [] for place in schools}
        for number in range(self._teachers):
            place = schools[number % len(schools)]
            teachers[place].append(self._person("teacher", place, self._name(), mail="staff"))
        for number in range(self._employees):
            self._person("administrator", schools[number % len(schools)], self._name(), mail="office")
        return teachers

    def _families(self, groups: Sequence[_Group], teachers: dict[str, list[Row]]) -> None:
        """Parents of one to three children, who may be in different groups; some teachers are parents too."""
        students = [student for group in groups for student in group.students]
        self._draw.shuffle(students)
        children = iter(students)
        for _ in range(self._parents):
            first = next(children, None)
            family = self._draw.choice(LANGUAGES[0].family) if first is None else first["familyName"]
            given = self._name()[0]
            parent = self._person("parent", DISTRICT, (given, family), mail="home")
            for child in [first, *(next(children, None) for _ in range(self._draw.choice((0, 0, 1, 1, 2))))]:
                if child is not None:
                    child["agentSourcedIds"] = parent["sourcedId"]
        for place in teachers.values():
            for teacher in place[::25]:
                child = self._draw.choice(students)
                child["agentSourcedIds"] = ",".join(filter(None, (child["agentSourcedIds"], teacher["sourcedId"])))

    def _person(self, role: str, org: str, name: tuple[str, str], *, mail: str = "", grades: str = "") -> Row:
        self._number += 1
        handle = f"{role[0]}{self._number}"
        row = {
            "sourcedId": f"user-{self._number}",
            "enabledUser": "true",
            "orgSourcedIds": org,
            "role": role,
            "username": handle,
            "givenName": name[0],
            "familyName": name[1],
            "identifier": str(self._number),
            "email": f"{handle}@{mail}.example" if mail else "",
            "agentSourcedIds": "",
            "grades": grades,
            "metadata.stream": "",
        }
        self._made.users.append(row)
        return row

    def _name(self) -> tuple[str, str]:
        language = self._draw.choices(LANGUAGES, self._weights)[0]
        return self._draw.choice(language.given), self._draw.choice(language.family)

    def _teach_group(self, group: _Group, teachers: Sequence[Row]) -> None:
        home = self._class(group, "Homeroom", "HOM", group.name, "homeroom")
        self._teach(home, group.school, teachers, group.students)
        for title, code in SUBJECTS:
            klass = self._class(group, title, code, f"{group.name} {title}", "scheduled")
            self._teach(klass, group.school, teachers, group.students)

    def _teach_electives(self, groups: Sequence[_Group], teachers: dict[str, list[Row]]) -> None:
        """Two groups of a grade mixed: half of both learn one subject, the rest another."""
        for pair in _pairs([g for g in groups if int(g.grade) >= FIRST_ELECTIVE_GRADE]):
            everybody = [student for group in pair for student in group.students]
            chosen = self._draw.sample(ELECTIVES, 2)
            for part, (title, code) in enumerate(chosen):
                name = f"{'/'.join(group.name for group in pair)} {title}"
                klass = self._class(pair[0], title, code, name, "scheduled")
                self._teach(klass, pair[0].school, teachers[pair[0].school], everybody[part::2])

    def _class(self, group: _Group, title: str, code: str, name: str, kind: str) -> Row:
        number = len(self._made.classes) + 1
        row = {
            "sourcedId": f"class-{self._made.year}-{number}",
            "title": name,
            "grades": group.grade,
            "courseSourcedId": f"course-{code}-{group.grade}",
            "classCode": f"{code}-{group.name}-{group.school.rpartition('-')[2]}",
            "classType": kind,
            "schoolSourcedId": group.school,
            "termSourcedIds": f"term-{self._made.year}-1,term-{self._made.year}-2",
            "subjects": title,
        }
        self._made.classes.append(row)
        return row

    def _teach(self, klass: Row, place: str, teachers: Sequence[Row], students: Sequence[Row]) -> None:
        number = len(self._made.classes)
        scheduled = klass["classType"] == "scheduled"
        if not (scheduled and number % TEACHERLESS_ONE_IN == TEACHERLESS_ONE_IN // 2):
            teacher = teachers[number % len(teachers)]
            self._enrol(klass, place, teacher, "teacher", primary="true")
            if number % 10 == 0 and len(teachers) > 1:
                self._enrol(klass, place, teachers[(number + 1) % len(teachers)], "aide")
        for student in students:
            self._enrol(klass, place, student, "student", span=self._span(student))

    def _span(self, student: Row) -> dict[str, dt.date]:
        """Most learn for the whole year; some come late, some leave early."""
        number = int(student["identifier"])
        if number % 33 == 0:
            return {"beginDate": self._begin + dt.timedelta(days=20 + number % 60)}
        if number % 51 == 0:
            return {"endDate": self._begin + dt.timedelta(days=30 + number % 40)}
        return {}

    def _enrol(
        self, klass: Row, place: str, person: Row, role: str, primary: str = "", span: Row | None = None
    ) -> None:
        self._made.enrollments.append(
            {
                "sourcedId": f"enrollment-{self._made.year}-{len(self._made.enrollments) + 1}",
                "classSourcedId": klass["sourcedId"],
                "schoolSourcedId": place,
                "userSourcedId": person["sourcedId"],
                "role": role,
                "primary": primary,
                "beginDate": self._begin,
                "endDate": self._end,
                **(span or {}),
            }
        )


def _org(sourced_id: str, name: str, kind: str, parent: str) -> Row:
    return {"sourcedId": sourced_id, "name": name, "type": kind, "identifier": sourced_id, "parentSourcedId": parent}


def _letter(number: int) -> str:
    """A, B ... Z, AA, AB ..."""
    letters = ""
    while number >= 0:
        letters = chr(ord("A") + number % 26) + letters
        number = number // 26 - 1
    return letters


def _pairs(groups: Sequence[_Group]) -> Iterator[tuple[_Group, _Group]]:
    """Neighbouring groups of one school and grade, two by two."""
    alike: dict[tuple[str, str], list[_Group]] = {}
    for group in groups:
        alike.setdefault((group.school, group.grade), []).append(group)
    for same in alike.values():
        yield from zip(same[::2], same[1::2], strict=False)
