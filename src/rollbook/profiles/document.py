"""The profile document: every setting declared once, with its meaning, unit, default and the reason for that default.

Form help, documentation and validation are drawn from these declarations. A document is data (JSON, YAML); nothing in it is
code. `parse` reports all mistakes together, each with its path.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError

from rollbook.errors import ProfileInvalid
from rollbook.profiles.part import Part
from rollbook.profiles.upgrades import upgraded
from rollbook.profiles.users import Users
from rollbook.roster.vocabulary import TeacherType

Membership = Literal["owner", "member", "none"]


class Teams(Part):
    """Classes become Teams."""

    create: Literal["nothing", "group_subject"] = Field(
        default="group_subject", description="A team for each combination of group and subject, or none at all."
    )
    display_name: Literal["title", "group subject", "subject group"] = Field(
        default="title", description="What a team is called: the class's own title, or group and subject."
    )
    match: Literal["external_id", "nothing"] = Field(
        default="external_id", description="How a class that is already there is found the first time."
    )


def _default_memberships() -> dict[TeacherType, Membership]:
    owners = {TeacherType.TEACHER, TeacherType.ASSISTANT}
    return {kind: "owner" if kind in owners else "none" for kind in TeacherType}


class Enrolments(Part):
    """Enrolments become memberships."""

    student: Literal["member", "none"] = Field(
        default="member", description="What a student is in the team of a class."
    )
    teachers: dict[TeacherType, Membership] = Field(
        default_factory=_default_memberships, description="What each teacher type is in the team of a class."
    )
    sync_start_date: dt.date | None = Field(
        default=None,
        description="Students whose enrolment begins before this day are held: not added by themselves, until released. "
        "Empty: nobody is held.",
    )
    keep_previous: bool = Field(
        default=False, description="Keep people in a team after their enrolment ended; nobody is removed or demoted."
    )


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

    document_version: Literal[3] = Field(default=3, description="Version of this document's form, for upgrades.")
    academic_period: str | None = Field(
        default=None,
        description="Sourced id of the school year. Empty: the one that holds the day of the synchronization.",
    )
    scope: Chosen = Field(default_factory=Chosen, description="A part of the school to begin with; empty: everybody.")
    left_out: LeftOut = Field(default_factory=LeftOut, description="People and classes that are left alone.")
    users: Users = Field(default_factory=Users, description="People become accounts.")
    teams: Teams = Field(default_factory=Teams, description="Classes become Teams.")
    enrolments: Enrolments = Field(default_factory=Enrolments, description="Enrolments become memberships.")


def suggested() -> Profile:
    """The profile a new institute starts from: every default, and the suggested actions."""
    return Profile()


def parse(document: Mapping[str, Any]) -> Profile:
    """The profile a document describes; all mistakes are reported together, each with the path of its setting."""
    try:
        return Profile.model_validate(upgraded(document))
    except ValidationError as error:
        mistakes = [(".".join(str(step) for step in entry["loc"]), entry["msg"]) for entry in error.errors()]
        listed = "; ".join(f"{path or 'profile'}: {sentence}" for path, sentence in mistakes)
        raise ProfileInvalid(
            f"The profile has {len(mistakes)} mistake(s): {listed}.",
            mistakes,
            remedy="Correct the settings named; the profile in force stays as it is until then.",
        ) from error
