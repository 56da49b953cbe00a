"""The words of a register, as the field uses them. Labels shown to people may differ (Terminology); these are keys."""

from __future__ import annotations

from enum import StrEnum


class UserType(StrEnum):
    """What a person is in an institute; a person may be several."""

    TEACHER = "teacher"
    EMPLOYEE = "employee"
    STUDENT = "student"
    PARENT = "parent"


class TeacherType(StrEnum):
    """How a teacher takes part in a class."""

    TEACHER = "teacher"
    ASSISTANT = "assistant"
    SPECIAL_ASSOCIATE = "special_associate"
    SUPERVISOR = "supervisor"
    SECOND_SUPERVISOR = "second_supervisor"
    MENTOR = "mentor"


class ClassKind(StrEnum):
    """A homeroom keeps a group of people together; a scheduled class teaches them a subject."""

    HOMEROOM = "homeroom"
    SCHEDULED = "scheduled"


class LocationKind(StrEnum):
    """What kind of place a location is; a department is a subdivision of another location."""

    CAMPUS = "campus"
    SCHOOL = "school"
    DEPARTMENT = "department"
