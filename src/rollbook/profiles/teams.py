"""Teams: what of the register becomes one, what it is called, how one that is there is found; each setting declared once."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from rollbook.profiles.group_mappings import OF_TEAMS, TeamMapping, suggested_team_mappings
from rollbook.profiles.part import Part, SourcedId, refuse

TeamMode = Literal["nothing", "group", "subject", "group_subject"]


class ExtraOwner(Part):
    """Somebody who owns teams beside their teachers, such as a head of school."""

    location: SourcedId | None = Field(
        default=None,
        description=(
            "Sourced id of a location; teams of what lies below it count too. Empty: the teams of all locations, because most "
            "schools have one."
        ),
    )
    person: SourcedId = Field(description="Sourced id of the person, who needs an account that is managed here.")


class Teams(Part):
    """Groups, subjects or their combinations become Teams."""

    create: TeamMode = Field(
        default="group_subject",
        description=(
            "What becomes a team: nothing, each group, each subject, or each combination of group and subject, which is the "
            "default because that is what one teacher teaches. Teams that this no longer asks for are left alone and listed."
        ),
    )
    template: Literal["class", "standard"] = Field(
        default="class",
        description=(
            "Class teams have assignments and a class notebook, and pupils wait until a teacher activates them; standard teams "
            "are plain ones, private and without a welcome mail. By default class, because it is a school. Teams that are there "
            "stay what they are."
        ),
    )
    match: Literal["email", "name", "external_id", "nothing"] = Field(
        default="external_id",
        description=(
            "How a team that is already there is found the first time, among all groups: by the name of its mailbox, its display "
            "name, or its external id. By default the external id, since people do not change it. Afterwards the object id is "
            "used."
        ),
    )
    mappings: dict[str, TeamMapping] = Field(
        default_factory=suggested_team_mappings,
        description="Where the properties of a team come from: a row for each property that is kept.",
    )
    extra_owners: tuple[ExtraOwner, ...] = Field(
        default=(),
        description=(
            "People who own teams beside the teachers, everywhere or below a location. By default nobody, because owners can "
            "read everything."
        ),
        examples=[[{"location": "school-1", "person": "p17"}]],
    )

    @field_validator("mappings")
    @classmethod
    def _usable(cls, rows: dict[str, TeamMapping], info: ValidationInfo) -> dict[str, TeamMapping]:
        mistakes = OF_TEAMS.mistakes(rows)
        if info.data.get("match") == "external_id" and "external_id" not in rows:
            mistakes.append((("external_id",), "external_id is what teams are matched by, so it has to be mapped"))
        refuse(mistakes)
        return rows

    @field_validator("extra_owners")
    @classmethod
    def _different(cls, owners: tuple[ExtraOwner, ...]) -> tuple[ExtraOwner, ...]:
        refuse([((at,), "stands in the list twice") for at, owner in enumerate(owners) if owner in owners[:at]])
        return owners
