"""A school of several years in words: which group is taught what, in which school year, by whom."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from tests.world import School, frame

from rollbook.roster.tables import Roster

SPAN = {
    "2027": (dt.date(2026, 9, 1), dt.date(2027, 7, 1)),
    "2028": (dt.date(2027, 9, 1), dt.date(2028, 7, 1)),
}
"""School years by the year they end in; the end day is outside."""


@dataclass
class Years(School):
    """`taught("7A", "Maths", "2027", "Nikos Vasilakis", ["Maria Papadaki"])`; years and classes have readable sourced ids."""

    taught_in: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    years: tuple[str, ...] = ("2027", "2028")

    def taught(self, group: str, subject: str, year: str, teacher: str, students: list[str]) -> Years:
        """A class of a group in a subject, from the first to the last day of a school year."""
        begin, end = SPAN[year]
        self.taught_in.setdefault((group, subject, year), {"klass": len(self.taught_in) + 1})
        self.classes[f"{subject} {group} {year}"] = self.taught_in[group, subject, year]["klass"]
        self.klass(f"{subject} {group} {year}", [teacher], students, begin=begin, end=end)
        return self

    def forget(self, year: str) -> Years:
        """A year is no longer in the register: not its classes, nor who learnt or taught there."""
        gone = {row["klass"] for (_, _, of), row in self.taught_in.items() if of == year}
        self.taught_in = {key: row for key, row in self.taught_in.items() if key[2] != year}
        for rows in (self.enrolments, self.teachings):
            rows[:] = [row for row in rows if row["klass"] not in gone]
        return self

    def roster(self) -> Roster:
        """The school as a Roster, with all its years."""
        periods = {year: number for number, year in enumerate(self.years, 1)}
        groups = {name: number for number, name in enumerate(dict.fromkeys(key[0] for key in self.taught_in), 1)}
        subjects = {name: number for number, name in enumerate(dict.fromkeys(key[1] for key in self.taught_in), 1)}
        classes = [
            {
                **row,
                "sourced_id": f"{group}-{subject}-{year}",
                "line": 0,
                "title": f"{subject} {group}",
                "kind": "scheduled",
                "group": groups[group],
                "subject": subjects[subject],
                "period": periods[year],
            }
            for (group, subject, year), row in self.taught_in.items()
            if year in periods
        ]
        return Roster(
            academic_periods=frame("academic_periods", [_period(year, number) for year, number in periods.items()]),
            groups=frame("groups", [_named("group", name, number) for name, number in groups.items()]),
            subjects=frame("subjects", [_named("subject", name, number) for name, number in subjects.items()]),
            classes=frame("classes", classes),
            people=frame("people", list(self.people.values())),
            affiliations=frame("affiliations", self.types),
            guardianships=frame("guardianships", self.guardians),
            enrolments=frame("enrolments", self.enrolments),
            teachings=frame("teachings", self.teachings),
        )


def _period(year: str, number: int) -> dict[str, Any]:
    begin, end = SPAN[year]
    title = f"{int(year) - 1}-{year}"
    return {"period": number, "sourced_id": year, "line": 0, "title": title, "begin": begin, "end": end}


def _named(key: str, name: str, number: int) -> dict[str, Any]:
    return {key: number, "sourced_id": name, "line": 0, "name": name, "code": name}


def two_years() -> Years:
    """7A of one year becomes 8A of the next, with the same students and teacher; next year's 7A has new ones."""
    old, new = [f"Pupil No{n}" for n in range(3)], [f"Young No{n}" for n in range(3)]
    return (
        Years()
        .taught("7A", "Maths", "2027", "Nikos Vasilakis", old)
        .taught("8A", "Maths", "2028", "Nikos Vasilakis", old)
        .taught("7A", "Maths", "2028", "Anna Ioannou", new)
    )
