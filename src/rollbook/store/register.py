"""The register's tables side by side: frame, model, columns, references. One table instead of one function per kind."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl
from django.db import models as django_models

from rollbook.roster import tables
from rollbook.store import models
from rollbook.store.models.versioned import Correctable


@dataclass(frozen=True, slots=True)
class Table:
    """How one frame of a Roster is stored.

    `key` is its integer key (None: identified by all it says), `references` maps its columns to the frame they point into,
    `added` are columns that no source says and no row holds, because they are joined to what is read.
    """

    name: str
    model: type[django_models.Model]
    key: str | None
    references: dict[str, str] = field(default_factory=dict)
    added: tuple[str, ...] = ()

    @property
    def schema(self) -> tables.Schema:
        """Columns and types that are stored."""
        return {name: kind for name, kind in tables.SCHEMAS[self.name].items() if name not in self.added}

    @property
    def content(self) -> list[str]:
        """Columns that make two versions of a row differ; the line of the file does not."""
        return [name for name in self.schema if name not in (self.key, "sourced_id", "line")]

    @property
    def identity(self) -> list[str]:
        """Columns of the frame by which two rows are the same record."""
        return self.content if self.key is None else [self.key]

    @property
    def needed(self) -> dict[str, str]:
        """The references without which a row says nothing."""
        return {
            column: target for column, target in self.references.items() if not self.model._meta.get_field(column).null
        }

    @property
    def correctable(self) -> bool:
        """Whether rows of it may be corrections."""
        return issubclass(self.model, Correctable)

    @property
    def row_id(self) -> pl.Expr:
        """What a record is compared by over deliveries: its sourced id, else all it says, texts by their hash to keep it short."""
        if self.key is not None:
            return pl.col("sourced_id")
        said = [
            pl.when(pl.col(name).is_not_null()).then(pl.col(name).hash(seed=1)) if kind == pl.String else pl.col(name)
            for name, kind in self.schema.items()
        ]
        return pl.concat_str([part.cast(pl.String).fill_null("-") for part in said], separator=":")

    @property
    def digest(self) -> pl.Expr:
        """A hash of what a row says, which tells two versions of it apart."""
        return pl.struct(self.content).hash(seed=1).reinterpret(signed=True).alias("digest")


TABLES: tuple[Table, ...] = (
    Table("locations", models.Location, "location", {"parent": "locations"}),
    Table("academic_periods", models.AcademicPeriod, "period"),
    Table("marking_periods", models.MarkingPeriod, "marking", {"period": "academic_periods"}),
    Table("grades", models.Grade, "grade", added=("level",)),
    Table("groups", models.Group, "group", {"location": "locations", "grade": "grades"}),
    Table("subjects", models.Subject, "subject", {"location": "locations"}),
    Table(
        "classes",
        models.Klass,
        "klass",
        {
            "group": "groups",
            "subject": "subjects",
            "location": "locations",
            "grade": "grades",
            "period": "academic_periods",
        },
    ),
    Table("class_markings", models.ClassMarking, None, {"klass": "classes", "marking": "marking_periods"}),
    Table("people", models.PersonRecord, "person"),
    Table(
        "affiliations",
        models.Affiliation,
        None,
        {"person": "people", "location": "locations", "department": "locations", "grade": "grades"},
    ),
    Table("guardianships", models.Guardianship, None, {"child": "people", "parent": "people"}),
    Table("enrolments", models.Enrolment, "enrolment", {"person": "people", "klass": "classes"}),
    Table("teachings", models.Teaching, "teaching", {"person": "people", "klass": "classes"}),
)
"""In an order in which references point upward or within a table. Institutes are rows of their own, not versioned."""

BY_NAME: dict[str, Table] = {table.name: table for table in TABLES}
