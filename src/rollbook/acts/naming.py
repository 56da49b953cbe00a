"""How people name what is in the register, and what they are told where that does not say which. Sentences hold ids, no names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from rollbook.errors import InputRefused
from rollbook.sources.byhand import read_cells
from rollbook.sources.columns import Column
from rollbook.store.models import Institute
from rollbook.store.records import Calling, Record

LISTED = 6
"""How much of what there is is told, where something is not found."""

_DEPARTMENT = pl.col("kind") == "department"

PERSON = Calling("people", "person", {"id": "sourced_id", "sis": "sis_number"})
CLASS = Calling("classes", "class", {"id": "sourced_id", "code": "code", "title": "title"})
GRADE = Calling("grades", "grade", {"id": "sourced_id", "name": "name"})
LOCATION = Calling("locations", "location", {"id": "sourced_id", "code": "code", "name": "name"}, ~_DEPARTMENT)
DEPARTMENT = Calling("locations", "department", {"id": "sourced_id", "code": "code", "name": "name"}, _DEPARTMENT)

_SHOWN: Mapping[str, Callable[[Record], str]] = {
    "people": lambda row: f"{row['sourced_id']} (SIS number {row['sis_number'] or 'none'})",
    "classes": lambda row: f"{row['sourced_id']} ({row['title']})",
    "grades": lambda row: str(row["name"]),
    "locations": lambda row: f"{row['sourced_id']} ({row['name']})",
}


def listed(calling: Calling, rows: Sequence[Record]) -> str:
    """Some records, so that somebody recognises the one they meant."""
    return ", ".join(_SHOWN[calling.table](row) for row in rows)


@dataclass(slots=True)
class Desk:
    """Reads what somebody typed about an institute's register, and gathers every mistake before anything is done."""

    institute: Institute
    mistakes: list[str] = field(default_factory=list)

    def wrong(self, sentence: str) -> None:
        """Something has to be corrected first."""
        self.mistakes.append(sentence)

    def settle(self) -> None:
        """Raises InputRefused with all mistakes, if there are any."""
        if self.mistakes:
            raise self.refusal()

    def refusal(self) -> InputRefused:
        """All mistakes in one."""
        return InputRefused(
            " ".join(self.mistakes), remedy="Nothing was changed. Correct that and run the command again."
        )

    def read(self, column: Column, text: str) -> Any:
        """The value of what was typed; None if it is empty or wrong."""
        return self.read_all(column, [text])[0]

    def read_all(self, column: Column, texts: Sequence[str]) -> list[Any]:
        """The value of each text; None for one that is empty or wrong."""
        values, wrong = read_cells(column, texts)
        for sentence in wrong:
            self.wrong(sentence[:1].upper() + sentence[1:])
        return values

    def find(self, calling: Calling, text: str) -> Record | None:
        """The record called so; if there is none or there are several, what there is is told."""
        found = calling.found(self.institute, text)
        if len(found) == 1:
            return found[0]
        if found:
            several = listed(calling, found[:LISTED])
            self.wrong(
                f"{text!r} may be more than one {calling.noun}: {several}; write id: before the id of the one you mean."
            )
        else:
            there = listed(calling, calling.like(self.institute, text, LISTED)) or "none yet"
            self.wrong(f"There is no {calling.noun} {text!r}; there is, for example: {there}.")
        return None

    def the(self, calling: Calling, text: str) -> Record:
        """The record called so. Raises InputRefused, with what there is, if that does not say which."""
        found = self.find(calling, text)
        self.settle()
        assert found is not None
        return found
