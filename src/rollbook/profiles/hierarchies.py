"""Hierarchies: the levels of the school whose paths become groups, each setting declared once (product.md section 8)."""

from __future__ import annotations

from collections.abc import Mapping as Table
from enum import StrEnum
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from rollbook.profiles.group_mappings import (
    OF_NODES,
    NodeMapping,
    suggested_mappings_of_type,
    suggested_node_mappings,
)
from rollbook.profiles.part import Part, SourcedId, refuse
from rollbook.profiles.teams import TeamMode, Teams


class Level(StrEnum):
    """What a path can be made of, from the top down."""

    INSTITUTE = "institute"
    ACADEMIC_PERIOD = "academic_period"
    LOCATION = "location"
    GRADE = "grade"
    GRADE_LEVEL = "grade_level"
    STREAM = "stream"
    GROUP = "group"
    SUBJECT = "subject"
    MARKING_PERIOD = "marking_period"

    @property
    def words(self) -> str:
        """As a sentence says it."""
        return self.value.replace("_", " ")


class LevelSettings(Part):
    """A level that is on."""

    match: Literal["name", "external_id", "nothing"] = Field(
        default="name",
        description=(
            "How a group that is already there is found the first time: by its display name or its external id. By default the "
            "name, because groups somebody made by hand have no other. Afterwards the object id is used."
        ),
    )
    mappings: dict[str, NodeMapping] = Field(
        default_factory=suggested_node_mappings,
        description=(
            "Where the properties of this level's groups come from. By default they are called by their path, in the hierarchy "
            "of a user type with the type behind it, because both have the same paths."
        ),
    )

    @field_validator("mappings")
    @classmethod
    def _usable(cls, rows: dict[str, NodeMapping], info: ValidationInfo) -> dict[str, NodeMapping]:
        mistakes = OF_NODES.mistakes(rows)
        if info.data.get("match") == "external_id" and "external_id" not in rows:
            mistakes.append((("external_id",), "external_id is what groups are matched by, so it has to be mapped"))
        refuse(mistakes)
        return rows


class Hierarchy(Part):
    """Groups for the paths of the levels that are on, as they are found in real enrolments."""

    levels: dict[Level, LevelSettings] = Field(
        default_factory=dict,
        description=(
            f"The levels that are on, of {', '.join(Level)}. A level that Teams uses is left out. Empty: no groups, "
            "because not every school wants them."
        ),
        examples=[{"location": {}, "grade": {"match": "nothing"}}],
    )
    group_type: Literal["security", "unified"] = Field(
        default="security",
        description=(
            "Security groups are nested, each in the one above, for permissions; unified groups are flat Microsoft 365 groups "
            "with a mailbox, which hold the people of everything below. By default security, because they mail nobody. A "
            "change makes new groups; the old ones are left and listed."
        ),
    )
    disable_welcome_email: bool = Field(
        default=True,
        description=(
            "Make unified groups without the welcome mail to their members; only possible when a group is made. By default so, "
            "because a school's first synchronization would mail everybody many times."
        ),
    )
    hide_in_outlook: bool = Field(
        default=False,
        description=(
            "Make unified groups that Outlook does not show to their members; only possible when a group is made. By default "
            "shown, because mail is what they are for."
        ),
    )
    owners: tuple[SourcedId, ...] = Field(
        default=(),
        validate_default=True,
        description=(
            "Sourced ids of the people who own unified groups; Microsoft asks for one at least. Security groups have none."
        ),
    )
    make_team: bool = Field(
        default=False,
        validate_default=True,
        description="Make each unified group a team too. By default not, because groups of whole grades are for mail.",
    )

    @field_validator("owners")
    @classmethod
    def _owned(cls, owners: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if info.data.get("group_type") == "unified" and info.data.get("levels") and not owners:
            raise ValueError("unified groups need an owner: name somebody by the sourced id of the register")
        refuse([((at,), "stands in the list twice") for at, owner in enumerate(owners) if owner in owners[:at]])
        return owners

    @field_validator("make_team")
    @classmethod
    def _unified(cls, wanted: bool, info: ValidationInfo) -> bool:
        if wanted and info.data.get("group_type") == "security":
            raise ValueError("a security group cannot be a team: choose the group type unified, or leave it off")
        return wanted


class Hierarchies(Part):
    """The groups of the school's structure."""

    general: Hierarchy = Field(default_factory=Hierarchy, description="The hierarchy of everybody.")
    student: Hierarchy = Field(default_factory=Hierarchy, description="The hierarchy of students alone.")
    teacher: Hierarchy = Field(default_factory=Hierarchy, description="The hierarchy of teachers alone.")

    @field_validator("student", "teacher")
    @classmethod
    def _told_apart(cls, hierarchy: Hierarchy) -> Hierarchy:
        """The hierarchy with the user type in the names of levels that say nothing of names."""
        named = {"mappings": suggested_mappings_of_type()}
        levels = {
            level: settings if "mappings" in settings.model_fields_set else settings.model_copy(update=named)
            for level, settings in hierarchy.levels.items()
        }
        return hierarchy.model_copy(update={"levels": levels})


HIDDEN: Table[TeamMode, frozenset[Level]] = {
    "nothing": frozenset(),
    "group": frozenset({Level.GROUP}),
    "subject": frozenset({Level.SUBJECT}),
    "group_subject": frozenset({Level.GROUP, Level.SUBJECT}),
}
"""The levels that Teams uses, which hierarchies do not have therefore."""


def hidden_levels(teams: Teams) -> frozenset[Level]:
    """The levels that no hierarchy has, because Teams uses them."""
    return HIDDEN[teams.create]


def levels_in_use(hierarchy: Hierarchy, teams: Teams) -> tuple[Level, ...]:
    """The levels that are on and not hidden, from the top down."""
    return tuple(level for level in Level if level in hierarchy.levels and level not in hidden_levels(teams))
