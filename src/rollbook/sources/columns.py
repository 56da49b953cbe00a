"""The files and columns of OneRoster 1.1 CSV as one table: required or not, kind of value, words of an enumeration.

Source: roster-formats.md sections 1 and 2 (OneRoster 1.1 CSV binding). What the format has no column for, schools write into
extension columns `metadata.*`, each system with a spelling of its own; those understood stand here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Value(Enum):
    """What a cell holds."""

    TEXT = auto()
    WORD = auto()  # one of an enumeration, case-sensitive in the format, case-blind here with a note
    DATE = auto()
    BOOLEAN = auto()
    LIST = auto()
    IDENTIFIER = auto()  # of {Type:Id},{Type:Id} the first Id
    IGNORED = auto()  # never read, never kept: passwords


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `refers` names the file whose sourcedId it holds; if `followed`, the line that leads to is kept beside it.

    `spellings` are other names it goes by, in any case and with or without underscores.
    """

    name: str
    value: Value = Value.TEXT
    required: bool = False
    words: tuple[str, ...] = ()
    refers: str | None = None
    followed: bool = False
    spellings: tuple[str, ...] = ()

    @property
    def extension(self) -> bool:
        """Whether the format leaves the column to each system: what is wrong with its cells never costs the row."""
        return self.name.startswith("metadata.")


@dataclass(frozen=True, slots=True)
class FileSpec:
    """One file. `required` files must be there in every bulk delivery."""

    name: str
    columns: tuple[Column, ...]
    required: bool = True


def _text(name: str, *, required: bool = False, refers: str | None = None) -> Column:
    return Column(name, required=required, refers=refers)


LIFECYCLE = (
    Column("sourcedId", required=True),
    Column("status", Value.WORD, words=("active", "tobedeleted", "inactive")),
    Column("dateLastModified"),
)

ENROLLMENT_ROLES = ("student", "teacher", "aide", "proctor", "administrator")
USER_ROLES = ("administrator", "aide", "guardian", "parent", "proctor", "relative", "student", "teacher")

EXTENSIONS = (
    Column("metadata.externalId", spellings=("metadata.externalIdentifier",)),
    Column("metadata.gradeType", spellings=("metadata.typeOfGrade",)),
    Column("metadata.stream", spellings=("metadata.track", "metadata.specialisation", "metadata.specialization")),
    Column(
        "metadata.registrationEndDate",
        Value.DATE,
        spellings=("metadata.registrationEnd", "metadata.dateOfLeaving", "metadata.leavingDate"),
    ),
)
"""What a register knows of a person beyond the format's own columns, all of users.csv."""

FILES: dict[str, FileSpec] = {
    spec.name: spec
    for spec in (
        FileSpec(
            "orgs.csv",
            (
                *LIFECYCLE,
                _text("name", required=True),
                Column(
                    "type",
                    Value.WORD,
                    required=True,
                    words=("department", "school", "district", "local", "state", "national"),
                ),
                _text("identifier"),
                _text("parentSourcedId", refers="orgs.csv"),
            ),
        ),
        FileSpec(
            "academicSessions.csv",
            (
                *LIFECYCLE,
                _text("title", required=True),
                Column("type", Value.WORD, required=True, words=("gradingPeriod", "semester", "schoolYear", "term")),
                Column("startDate", Value.DATE, required=True),
                Column("endDate", Value.DATE, required=True),
                _text("parentSourcedId", refers="academicSessions.csv"),
                _text("schoolYear"),
            ),
        ),
        FileSpec(
            "courses.csv",
            (
                *LIFECYCLE,
                _text("title", required=True),
                _text("courseCode"),
                _text("orgSourcedId", required=True, refers="orgs.csv"),
            ),
        ),
        FileSpec(
            "users.csv",
            (
                *LIFECYCLE,
                Column("enabledUser", Value.BOOLEAN, required=True),
                Column("orgSourcedIds", Value.LIST, required=True, refers="orgs.csv"),
                Column("role", Value.WORD, required=True, words=USER_ROLES),
                _text("username", required=True),
                Column("userIds", Value.IDENTIFIER, spellings=("userId",)),
                _text("givenName", required=True),
                _text("familyName", required=True),
                _text("middleName"),
                _text("identifier"),
                _text("email"),
                _text("phone"),
                Column("agentSourcedIds", Value.LIST),
                Column("grades", Value.LIST),
                Column("password", Value.IGNORED),
                *EXTENSIONS,
            ),
        ),
        FileSpec(
            "classes.csv",
            (
                *LIFECYCLE,
                _text("title", required=True),
                Column("grades", Value.LIST),
                _text("courseSourcedId", required=True, refers="courses.csv"),
                _text("classCode"),
                Column("classType", Value.WORD, required=True, words=("homeroom", "scheduled")),
                _text("schoolSourcedId", required=True, refers="orgs.csv"),
                Column("termSourcedIds", Value.LIST, required=True, refers="academicSessions.csv"),
            ),
        ),
        FileSpec(
            "enrollments.csv",
            (
                *LIFECYCLE,
                Column("classSourcedId", required=True, refers="classes.csv", followed=True),
                _text("schoolSourcedId", required=True, refers="orgs.csv"),
                Column("userSourcedId", required=True, refers="users.csv", followed=True),
                Column("role", Value.WORD, required=True, words=ENROLLMENT_ROLES),
                Column("primary", Value.BOOLEAN),
                Column("beginDate", Value.DATE),
                Column("endDate", Value.DATE),
            ),
        ),
    )
}
"""In an order in which references point upward, or within a file."""

POLITELY_IGNORED = frozenset(
    f"{name}.csv"
    for name in (
        ["demographics", "categories", "classResources", "courseResources", "lineItems", "resources", "results"]
    )
)
"""Files of the format that a register does not need."""
