"""The typed columnar frames a register is made of, one polars schema per table, and the `Roster` that holds them.

Keys are small integers local to one Roster: a source numbers its rows, the store uses its own row ids. `sourced_id` is what the
school's system calls the record and is what a delivery is compared by. `line` is the line of the file a row was read from
(0 where there is none). Dates are local to the institute and half-open: the `end` day is outside. Null means "not given".
Names of people stand in `people` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import polars as pl

from rollbook.roster.vocabulary import ClassKind, LocationKind, TeacherType, UserType

Key = pl.Int64
USER_TYPE = pl.Enum([t.value for t in UserType])
TEACHER_TYPE = pl.Enum([t.value for t in TeacherType])
CLASS_KIND = pl.Enum([k.value for k in ClassKind])
LOCATION_KIND = pl.Enum([k.value for k in LocationKind])

Schema = Mapping[str, pl.DataType | type[pl.DataType]]

INSTITUTES: Schema = {"institute": Key, "sourced_id": pl.String, "line": pl.Int32, "name": pl.String, "code": pl.String}

LOCATIONS: Schema = {
    "location": Key,
    "sourced_id": pl.String,
    "line": pl.Int32,
    "name": pl.String,
    "code": pl.String,
    "kind": LOCATION_KIND,
    "parent": Key,  # -> locations.location
}

ACADEMIC_PERIODS: Schema = {
    "period": Key,
    "sourced_id": pl.String,
    "line": pl.Int32,
    "title": pl.String,
    "begin": pl.Date,
    "end": pl.Date,
}

MARKING_PERIODS: Schema = {
    "marking": Key,
    "sourced_id": pl.String,
    "line": pl.Int32,
    "title": pl.String,
    "begin": pl.Date,
    "end": pl.Date,
    "period": Key,  # -> academic_periods.period
}

GRADES: Schema = {
    "grade": Key,
    "sourced_id": pl.String,
    "line": pl.Int32,
    "name": pl.String,
    "level": pl.String,  # from the institute's own table of levels (roster.levels), never from a source
}

GROUPS: Schema = {
    "group": Key,
    "sourced_id": pl.String,  # of the homeroom, or of the class that is its own group
    "line": pl.Int32,
    "name": pl.String,
    "code": pl.String,
    "location": Key,
    "grade": Key,
}

SUBJECTS: Schema = {
    "subject": Key,
    "sourced_id": pl.String,
    "line": pl.Int32,
    "name": pl.String,
    "code": pl.String,
    "location": Key,
}

CLASSES: Schema = {
    "klass": Key,
    "sourced_id": pl.String,
    "line": pl.Int32,
    "title": pl.String,
    "code": pl.String,
    "kind": CLASS_KIND,
    "group": Key,
    "subject": Key,
    "location": Key,
    "grade": Key,
    "period": Key,  # -> academic_periods.period
}

CLASS_MARKINGS: Schema = {"klass": Key, "marking": Key}

PEOPLE: Schema = {
    "person": Key,
    "sourced_id": pl.String,
    "line": pl.Int32,
    "active": pl.Boolean,
    "given_name": pl.String,
    "middle_name": pl.String,
    "family_name": pl.String,
    "preferred_given_name": pl.String,
    "preferred_family_name": pl.String,
    "username": pl.String,
    "email": pl.String,
    "phone": pl.String,
    "sis_number": pl.String,
    "external_id": pl.String,
    "registration_end": pl.Date,  # only where a source says it
}

AFFILIATIONS: Schema = {
    "person": Key,
    "user_type": USER_TYPE,
    "location": Key,  # null: the institute itself
    "grade": Key,
    "department": Key,  # -> locations.location
    "grade_type": pl.String,
    "stream": pl.String,
}

GUARDIANSHIPS: Schema = {"child": Key, "parent": Key}  # both -> people.person

ENROLMENTS: Schema = {
    "enrolment": Key,
    "sourced_id": pl.String,
    "line": pl.Int32,
    "person": Key,
    "klass": Key,
    "begin": pl.Date,
    "end": pl.Date,
}

TEACHINGS: Schema = {
    "teaching": Key,
    "sourced_id": pl.String,
    "line": pl.Int32,
    "person": Key,
    "klass": Key,
    "teacher_type": TEACHER_TYPE,
    "begin": pl.Date,
    "end": pl.Date,
}


def table(schema: Schema) -> pl.DataFrame:
    """An empty frame of that schema."""
    return pl.DataFrame(schema=dict(schema))


@dataclass(frozen=True, slots=True)
class Roster:
    """One institute's register as typed frames; every field's schema is the constant of the same name in capitals."""

    institutes: pl.DataFrame = field(default_factory=lambda: table(INSTITUTES))
    locations: pl.DataFrame = field(default_factory=lambda: table(LOCATIONS))
    academic_periods: pl.DataFrame = field(default_factory=lambda: table(ACADEMIC_PERIODS))
    marking_periods: pl.DataFrame = field(default_factory=lambda: table(MARKING_PERIODS))
    grades: pl.DataFrame = field(default_factory=lambda: table(GRADES))
    groups: pl.DataFrame = field(default_factory=lambda: table(GROUPS))
    subjects: pl.DataFrame = field(default_factory=lambda: table(SUBJECTS))
    classes: pl.DataFrame = field(default_factory=lambda: table(CLASSES))
    class_markings: pl.DataFrame = field(default_factory=lambda: table(CLASS_MARKINGS))
    people: pl.DataFrame = field(default_factory=lambda: table(PEOPLE))
    affiliations: pl.DataFrame = field(default_factory=lambda: table(AFFILIATIONS))
    guardianships: pl.DataFrame = field(default_factory=lambda: table(GUARDIANSHIPS))
    enrolments: pl.DataFrame = field(default_factory=lambda: table(ENROLMENTS))
    teachings: pl.DataFrame = field(default_factory=lambda: table(TEACHINGS))

    def __post_init__(self) -> None:
        """Refuse a frame whose columns or types are not those of its table: a defect of ours, never of the input."""
        for entry in fields(self):
            frame: pl.DataFrame = getattr(self, entry.name)
            expected = pl.Schema(SCHEMAS[entry.name])
            if frame.schema != expected:
                raise TypeError(f"roster table {entry.name}: expected {expected}, got {frame.schema}")


SCHEMAS: Mapping[str, Schema] = {
    "institutes": INSTITUTES,
    "locations": LOCATIONS,
    "academic_periods": ACADEMIC_PERIODS,
    "marking_periods": MARKING_PERIODS,
    "grades": GRADES,
    "groups": GROUPS,
    "subjects": SUBJECTS,
    "classes": CLASSES,
    "class_markings": CLASS_MARKINGS,
    "people": PEOPLE,
    "affiliations": AFFILIATIONS,
    "guardianships": GUARDIANSHIPS,
    "enrolments": ENROLMENTS,
    "teachings": TEACHINGS,
}
