"""What somebody types into the register by hand -> values, by the same rules as the cells of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from rollbook.roster.findings import Severity
from rollbook.roster.vocabulary import TeacherType, UserType
from rollbook.sources.columns import Column, FileSpec, Value
from rollbook.sources.decode import LINE
from rollbook.sources.validate import READERS, Rejections

PERSON: Mapping[str, Column] = {
    "given_name": Column("first name"),
    "middle_name": Column("middle name"),
    "family_name": Column("last name"),
    "preferred_given_name": Column("preferred first name"),
    "preferred_family_name": Column("preferred last name"),
    "username": Column("user name"),
    "email": Column("email"),
    "phone": Column("phone"),
    "sis_number": Column("SIS number"),
    "external_id": Column("external id"),
    "registration_end": Column("end of registration", Value.DATE),
}
"""Columns of a person that can be typed, by their names in the register."""

PLACE: Mapping[str, Column] = {"grade_type": Column("grade type"), "stream": Column("stream")}
"""Columns of an affiliation that are typed as they are; its grade, location and department are looked up."""

SOURCED_ID = Column("sourcedId")
TYPE = Column("user type", Value.WORD, words=tuple(UserType))
ROLE = Column("role", Value.WORD, words=(UserType.STUDENT.value, *TeacherType))
BEGIN, END = Column("begin", Value.DATE), Column("end", Value.DATE)


def read_cells(column: Column, texts: Sequence[str]) -> tuple[list[Any], list[str]]:
    """The value of each text, None for an empty one, and a sentence for each that cannot be taken as it is."""
    found = Rejections(FileSpec("by hand", (column,)))
    cells = pl.DataFrame(
        {LINE: range(len(texts)), column.name: [text.strip() or None for text in texts]},
        schema={LINE: pl.Int32, column.name: pl.String},
    )
    values = READERS[column.value](column, cells, found)[column.name].to_list()
    wrong = [finding for finding in found.findings if finding.severity is not Severity.NOTE]
    return values, [f"{finding.message} {finding.remedy}" for finding in wrong]
