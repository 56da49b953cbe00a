"""The profile document: every setting declared once, with its meaning, unit, default and the reason for that default.

Form help, documentation and validation are drawn from these declarations. A document is data (JSON, YAML); nothing in it is
code. `parse` reports all mistakes together, each with its path.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError

from rollbook.errors import ProfileInvalid
from rollbook.profiles.enrolments import Enrolments
from rollbook.profiles.guards import Guards
from rollbook.profiles.hierarchies import Hierarchies
from rollbook.profiles.part import Part
from rollbook.profiles.starts import Starts
from rollbook.profiles.teams import Teams
from rollbook.profiles.upgrades import upgraded
from rollbook.profiles.users import Users
from rollbook.words import counted


class Chosen(Part):
    """Only these: a careful start with a part of the school. All lists empty: everybody.

    A chosen location, grade or group stands for its people, its classes, and everybody who learns or teaches in those.
    """

    locations: tuple[str, ...] = Field(default=(), description="Sourced ids of locations; what lies below counts too.")
    grades: tuple[str, ...] = Field(default=(), description="Names of grades, as the register has them.")
    groups: tuple[str, ...] = Field(default=(), description="Sourced ids of groups (homerooms).")
    people: tuple[str, ...] = Field(default=(), description="Sourced ids of single people, with their classes.")

    @property
    def everybody(self) -> bool:
        """Whether nothing is chosen, which means everybody."""
        return not (self.locations or self.grades or self.groups or self.people)


class LeftOut(Part):
    """People and classes a synchronization leaves alone, one by one: not made, not changed, not disabled."""

    people: tuple[str, ...] = Field(default=(), description="Sourced ids of people who are left alone.")
    classes: tuple[str, ...] = Field(default=(), description="Sourced ids of classes that are left alone.")


class Profile(Part):
    """One version of an execution profile's settings. `academic_period` names a school year by its sourced id."""

    document_version: Literal[5] = Field(default=5, description="Version of this document's form, for upgrades.")
    academic_period: str | None = Field(
        default=None,
        description="Sourced id of the school year. Empty: the one that holds the day of the synchronization.",
    )
    scope: Chosen = Field(default_factory=Chosen, description="A part of the school to begin with; empty: everybody.")
    left_out: LeftOut = Field(default_factory=LeftOut, description="People and classes that are left alone.")
    starts: Starts = Field(default_factory=Starts, description="What starts a synchronization by itself.")
    guards: Guards = Field(default_factory=Guards, description="How much may change before a person has to agree.")
    users: Users = Field(default_factory=Users, description="People become accounts.")
    teams: Teams = Field(default_factory=Teams, description="Groups, subjects or both become Teams.")
    enrolments: Enrolments = Field(default_factory=Enrolments, description="Enrolments become memberships.")
    hierarchies: Hierarchies = Field(
        default_factory=Hierarchies,
        description="The school's structure becomes security groups or Microsoft 365 groups.",
    )


def suggested() -> Profile:
    """The profile a new institute starts from: every default, and the suggested actions."""
    return Profile()


def parse(document: Mapping[str, Any]) -> Profile:
    """The profile a document describes; all mistakes are reported together, each with the path of its setting."""
    try:
        return Profile.model_validate(upgraded(document))
    except ValidationError as error:
        mistakes = [(_path(entry["loc"]), entry["msg"].removeprefix("Value error, ")) for entry in error.errors()]
        listed = "; ".join(f"{path or 'profile'}: {sentence}" for path, sentence in mistakes)
        raise ProfileInvalid(
            f"The profile has {counted(len(mistakes), 'mistake')}: {listed}.",
            mistakes,
            remedy="Correct the settings named; the profile in force stays as it is until then.",
        ) from error


def _path(steps: tuple[int | str, ...]) -> str:
    """The path of a setting; a mistake in a key of a table is one of what stands under that key."""
    return ".".join(str(step) for step in steps if step != "[key]")
