"""The profile document: every setting declared once, with its meaning, unit, default and the reason for that default.

Form help, documentation and validation are drawn from these declarations. A document is data (JSON, YAML); nothing in it is
code. `parse` reports all mistakes together, each with its path.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError, model_validator

from rollbook.errors import ProfileInvalid
from rollbook.profiles.mappings import Mapping as Row
from rollbook.profiles.mappings import check_targets, suggested_mappings
from rollbook.profiles.part import Part
from rollbook.profiles.upgrades import upgraded
from rollbook.roster.vocabulary import TeacherType, UserType

Membership = Literal["owner", "member", "none"]
CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class Actions(Part):
    """What a synchronization may do for one user type. Any action on means: matched, linked, and enrolled when linked."""

    create: bool = Field(description="Make an account for a person who has none.")
    update: bool = Field(description="Keep attributes and licences of an existing account in step with the register.")
    deactivate: bool = Field(description="Disable the sign-in of a person who left. Accounts are never deleted.")
    sso: bool = Field(description="Let the person sign in to Rollbook with Microsoft 365.")

    @property
    def managed(self) -> bool:
        """Whether people of this type are matched and enrolled at all."""
        return self.create or self.update or self.deactivate or self.sso


class Role(Part):
    """Domain, licence and country of one user type."""

    domain: str | None = Field(
        default=None,
        description="Domain of new user names. Empty: the tenant's default domain, because every tenant has one.",
        examples=["pupils.school.example"],
    )
    licence: str | None = Field(
        default=None,
        description="SKU part number assigned to each enabled account. Empty: none is assigned.",
        examples=["STANDARDWOFFPACK_STUDENT"],
    )
    usage_location: CountryCode | None = Field(
        default=None,
        description="Two-letter country in which the licence is used. Empty: the tenant's own country.",
        examples=["GR"],
    )


def _suggested_actions() -> dict[UserType, Actions]:
    """Suggested actions: students and teachers entirely; employees are kept, not made; parents are left alone."""
    everything = Actions(create=True, update=True, deactivate=True, sso=True)
    return {
        UserType.TEACHER: everything,
        UserType.EMPLOYEE: Actions(create=False, update=True, deactivate=False, sso=True),
        UserType.STUDENT: everything,
        UserType.PARENT: Actions(create=False, update=False, deactivate=False, sso=False),
    }


def _suggested_roles() -> dict[UserType, Role]:
    return {
        UserType.TEACHER: Role(licence="STANDARDWOFFPACK_FACULTY"),
        UserType.EMPLOYEE: Role(licence="STANDARDWOFFPACK_FACULTY"),
        UserType.STUDENT: Role(licence="STANDARDWOFFPACK_STUDENT"),
        UserType.PARENT: Role(),
    }


class Users(Part):
    """People become accounts."""

    actions: dict[UserType, Actions] = Field(
        default_factory=_suggested_actions, description="Create, Update, Deactivate, SSO for each user type."
    )
    roles: dict[UserType, Role] = Field(
        default_factory=_suggested_roles, description="Domain, licence and country for each user type."
    )
    precedence: tuple[UserType, ...] = Field(
        default=(UserType.TEACHER, UserType.EMPLOYEE, UserType.STUDENT, UserType.PARENT),
        description="A person of several types is provisioned under the first of these.",
    )
    match: Literal["sis_number", "username", "email", "nothing"] = Field(
        default="sis_number",
        description=(
            "How an account that is already there is found the first time: the SIS number as employee id, the user name "
            "before the @, or the e-mail as user name. By default the SIS number, since only an administrator can change "
            "an employee id. Afterwards the object id is used."
        ),
    )
    user_name: Literal["given.family", "family.given", "username", "sis_number"] = Field(
        default="given.family",
        description="What new user names are made of, before the @; equal ones are numbered from 2.",
    )
    language: Literal["any", "german", "nordic", "greek"] = Field(
        default="any",
        description=(
            "How names become Latin letters in user names: by the language's own table first (German ae, Nordic aa, Greek "
            "ELOT 743), then by a table for all scripts."
        ),
    )
    mappings: dict[str, Row] = Field(
        default_factory=suggested_mappings,
        description="Where the properties of an account come from: a row for each property that is kept.",
    )
    lead_days: int = Field(
        default=14, ge=0, le=120, description="Days before it begins from which an enrolment counts as current."
    )
    without_enrolments: bool = Field(
        default=True, description="Whether students and teachers without a current enrolment get an account (disabled)."
    )

    @model_validator(mode="after")
    def _complete(self) -> Users:
        missing = [
            t.value for t in UserType if t not in self.actions or t not in self.roles or t not in self.precedence
        ]
        if missing:
            raise ValueError(
                f"every user type needs actions, a role and a precedence; missing for: {', '.join(missing)}"
            )
        check_targets(self.mappings)
        if len(set(self.precedence)) != len(self.precedence):
            raise ValueError("a user type stands in the precedence twice")
        return self


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
    keep_previous: bool = Field(
        default=False, description="Keep people in a team after their enrolment ended; nobody is removed or demoted."
    )


class Profile(Part):
    """One version of an execution profile's settings. `academic_period` names a school year by its sourced id."""

    document_version: Literal[2] = Field(default=2, description="Version of this document's form, for upgrades.")
    academic_period: str | None = Field(
        default=None,
        description="Sourced id of the school year. Empty: the one that holds the day of the synchronization.",
    )
    users: Users = Field(default_factory=Users)
    teams: Teams = Field(default_factory=Teams)
    enrolments: Enrolments = Field(default_factory=Enrolments)


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
