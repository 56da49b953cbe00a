"""People become accounts: the settings of users, each declared once with its meaning, unit, default and why."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from rollbook.profiles import expressions
from rollbook.profiles.mappings import OF_PEOPLE, PROPERTIES, suggested_mappings
from rollbook.profiles.mappings import Mapping as Row
from rollbook.profiles.part import Part, refuse
from rollbook.roster.vocabulary import UserType

CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]

NAME_SHAPES = {
    "given.family": "first and last name with a dot: maria.papadaki",
    "family.given": "last and first name with a dot: papadaki.maria",
    "g.family": "first letter and last name with a dot: m.papadaki",
    "given.f": "first name and first letter of the last with a dot: maria.p",
    "gfamily": "first letter and last name: mpapadaki",
    "givenfamily": "first and last name: mariapapadaki",
    "username": "the user name in the register, before the @",
    "sis_number": "the SIS number",
}
"""What a user name can be made of without an expression."""

BLOCKED_NAMES = tuple(
    "abuse admin administrator hostmaster majordomo postmaster root secure security ssl-admin webmaster".split()
)
"""Names Microsoft reserves for mail administration (graph.md section 5.1) and nobody's user name should be."""

LONGEST_NAME = 56
"""Of Microsoft's 64 characters before the @, eight are kept free for the numbers of equal names."""


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


class Licence(Part):
    """One product and what of it is switched off."""

    sku: str = Field(min_length=1, description="SKU part number of the product.", examples=["STANDARDWOFFPACK_STUDENT"])
    plans_off: tuple[str, ...] | None = Field(
        default=None,
        description=(
            "Service plans switched off, by name; an empty list switches all on. Left out: what somebody set by hand stays."
        ),
        examples=[["YAMMER_EDU"]],
    )


class Role(Part):
    """Domain, licences and country of one user type."""

    domain: str | None = Field(
        default=None,
        description="Domain of new user names. Empty: the tenant's default domain, because every tenant has one.",
        examples=["pupils.school.example"],
    )
    licences: tuple[Licence, ...] = Field(
        default=(), description="Products for each current account, the most wanted first. Empty: none is assigned."
    )
    licence_choice: Literal["every", "first_with_seats"] = Field(
        default="every",
        description=(
            "Whether everybody gets every product of the list, or the first one that still has seats; whoever has one of the "
            "list keeps it then."
        ),
    )
    usage_location: CountryCode | None = Field(
        default=None,
        description="Two-letter country in which the licence is used. Empty: the tenant's own country.",
        examples=["GR"],
    )

    @model_validator(mode="after")
    def _different(self) -> Role:
        named = [licence.sku for licence in self.licences]
        if len(set(named)) != len(named):
            raise ValueError("a licence stands in the list twice")
        return self


def suggested_actions() -> dict[UserType, Actions]:
    """Suggested actions: students and teachers entirely; employees are kept, not made; parents are left alone."""
    everything = Actions(create=True, update=True, deactivate=True, sso=True)
    return {
        UserType.TEACHER: everything,
        UserType.EMPLOYEE: Actions(create=False, update=True, deactivate=False, sso=True),
        UserType.STUDENT: everything,
        UserType.PARENT: Actions(create=False, update=False, deactivate=False, sso=False),
    }


def _suggested_roles() -> dict[UserType, Role]:
    staff, student = (Licence(sku=f"STANDARDWOFFPACK_{whose}") for whose in ("FACULTY", "STUDENT"))
    return {
        UserType.TEACHER: Role(licences=(staff,)),
        UserType.EMPLOYEE: Role(licences=(staff,)),
        UserType.STUDENT: Role(licences=(student,)),
        UserType.PARENT: Role(),
    }


class UserNames(Part):
    """What accounts are called before the @. Once given, a name stays, unless it may be renamed."""

    candidates: tuple[str, ...] = Field(
        default=("given.family",),
        min_length=1,
        description=(
            "What new user names are made of, tried in this order; where all are taken, the first is numbered from 2. Each is "
            f"one of {', '.join(NAME_SHAPES)}, or an expression."
        ),
        examples=[["given.family", "{{ first_letter(called_first) }}.{{ called_last }}"]],
    )
    language: Literal["any", "german", "nordic", "greek"] = Field(
        default="any",
        description=(
            "How names become Latin letters in user names: by the language's own table first (German ae, Nordic aa, Greek "
            "ELOT 743), then by a table for all scripts."
        ),
    )
    longest: int = Field(
        default=LONGEST_NAME,
        ge=4,
        le=LONGEST_NAME,
        description="Characters before the @, numbers of equal names aside; Microsoft takes 64 in all.",
    )
    blocked: tuple[str, ...] = Field(
        default=BLOCKED_NAMES,
        description="Names nobody gets, before the @. By default those that mail administration uses everywhere.",
    )
    rename_on_change: bool = Field(
        default=False,
        description=(
            "Give an account another user name when the person's name or domain changed. By default not: people sign in with it "
            "and others know it."
        ),
    )
    keep_days: int = Field(
        default=365,
        ge=0,
        le=3650,
        description="Days for which the name of somebody who left, or was renamed, is given to nobody else.",
    )

    @model_validator(mode="after")
    def _readable(self) -> UserNames:
        for candidate in self.candidates:
            if "{{" not in candidate and candidate not in NAME_SHAPES:
                raise ValueError(f"there is no {candidate!r}; there are {', '.join(NAME_SHAPES)}, and expressions")
            if "{{" in candidate:
                try:
                    expressions.check(candidate, PROPERTIES)
                except expressions.ExpressionFailed as failed:
                    raise ValueError(f"{candidate}: {failed}") from failed
        return self


class Graces(Part):
    """What happens to somebody who left, and when. Days count from the day they left."""

    disable_days: int = Field(
        default=0, ge=0, le=3650, description="Days after leaving until the sign-in is disabled and sessions end."
    )
    unlicense: bool = Field(
        default=False,
        description=(
            "Whether the licences Rollbook gave are taken back some day. By default not, because mailbox and files start to "
            "expire then."
        ),
    )
    unlicense_days: int = Field(
        default=90, ge=0, le=3650, description="Days after leaving until licences are taken back, if they are."
    )


class Users(Part):
    """People become accounts."""

    actions: dict[UserType, Actions] = Field(
        default_factory=suggested_actions, description="Create, Update, Deactivate, SSO for each user type."
    )
    roles: dict[UserType, Role] = Field(
        default_factory=_suggested_roles, description="Domain, licences and country for each user type."
    )
    licences_by_group: bool = Field(
        default=False,
        description=(
            "Give licences through one flat security group a user type instead of one by one; needs group-based licensing "
            "(Entra ID P1, or Office 365 E3 / A3 and up)."
        ),
    )
    precedence: tuple[UserType, ...] = Field(
        default=(UserType.TEACHER, UserType.EMPLOYEE, UserType.STUDENT, UserType.PARENT),
        description="A person of several types is provisioned under the first of these; seats are given in this order too.",
    )
    match: Literal["sis_number", "username", "email", "nothing"] = Field(
        default="sis_number",
        description=(
            "How an account that is already there is found the first time: the SIS number as employee id, the user name "
            "before the @, or the e-mail as user name. By default the SIS number, since only an administrator can change "
            "an employee id. Afterwards the object id is used."
        ),
    )
    names: UserNames = Field(default_factory=UserNames, description="What new user names are made of.")
    mappings: dict[str, Row] = Field(
        default_factory=suggested_mappings,
        description="Where the properties of an account come from: a row for each property that is kept.",
    )
    leaving: Graces = Field(default_factory=Graces, description="What happens to somebody who left, and when.")
    lead_days: int = Field(
        default=14, ge=0, le=120, description="Days before it begins from which an enrolment counts as current."
    )
    without_enrolments: bool = Field(
        default=True, description="Whether students and teachers without a current enrolment get an account (disabled)."
    )

    @field_validator("mappings")
    @classmethod
    def _usable(cls, rows: dict[str, Row]) -> dict[str, Row]:
        refuse(OF_PEOPLE.mistakes(rows))
        return rows

    @model_validator(mode="after")
    def _complete(self) -> Users:
        missing = [
            t.value for t in UserType if t not in self.actions or t not in self.roles or t not in self.precedence
        ]
        if missing:
            raise ValueError(
                f"every user type needs actions, a role and a precedence; missing for: {', '.join(missing)}"
            )
        choosing = [t.value for t, role in self.roles.items() if role.licence_choice == "first_with_seats"]
        if self.licences_by_group and choosing:
            raise ValueError(
                f"through a group everybody gets every product of the list; {choosing[0]} asks for the first with seats"
            )
        if len(set(self.precedence)) != len(self.precedence):
            raise ValueError("a user type stands in the precedence twice")
        return self
