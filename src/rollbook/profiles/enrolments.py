"""Enrolments: who belongs to a team, as what, since when and how long; each setting declared once."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field, field_validator

from rollbook.profiles.part import Part
from rollbook.roster.vocabulary import TeacherType

Membership = Literal["owner", "member", "none"]


def _default_memberships() -> dict[TeacherType, Membership]:
    owners = {TeacherType.TEACHER, TeacherType.ASSISTANT}
    return {kind: "owner" if kind in owners else "none" for kind in TeacherType}


class Enrolments(Part):
    """Enrolments become memberships."""

    student: Membership = Field(
        default="member",
        description=(
            "What a student is in the team of a class: owner, member or none. By default a member, because owners can change "
            "and delete the team."
        ),
    )
    teachers: dict[TeacherType, Membership] = Field(
        default_factory=_default_memberships,
        description=(
            "What each teacher type is in the team of a class; a type left out is none. By default teachers and assistants own "
            "it, because they teach with it; the others are not in it, because they do not."
        ),
    )
    sync_start_date: dt.date | None = Field(
        default=None,
        description=(
            "A day, as 2026-09-14: student enrolments that begin before it are held. They are not added by themselves until "
            "somebody releases them (`rollbook release`); who is in the team already stays. Empty: none is held, because a "
            "school wants its pupils in."
        ),
        examples=["2026-09-14"],
    )
    keep_previous: bool = Field(
        default=False,
        description=(
            "Keep people in a team after their enrolment ended; nobody is removed or demoted. By default not, because a class "
            "is read by those who are in it. Goes before remove_unknown; the groups of hierarchies are not kept."
        ),
    )
    remove_unknown: bool = Field(
        default=False,
        description=(
            "Remove people who are in a team and not in the register; owners, guests and protected accounts stay. By default "
            "not: whoever was added by hand is left alone and shown."
        ),
    )

    @field_validator("teachers", mode="after")
    @classmethod
    def _every_type(cls, given: dict[TeacherType, Membership]) -> dict[TeacherType, Membership]:
        return {kind: given.get(kind, "none") for kind in TeacherType}
