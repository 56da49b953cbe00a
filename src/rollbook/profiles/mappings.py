"""Mappings: which property of a person becomes which property of the account (product.md section 4).

A row has a type (property, static, expression), a value, a casing, and may count on creation only. The properties there are, the
targets Microsoft has and their lengths are declared here once; what a page offers, checks and explains is drawn from it.
"""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, model_validator

from rollbook.profiles import expressions
from rollbook.profiles.part import Part

PROPERTIES: Table[str, str] = {
    "name": "What the person is called: first and last name, preferred ones first.",
    "name_family_first": "Last and first name.",
    "name_family_comma": "Last and first name with a comma between them.",
    "called_first": "The preferred first name, else the first name.",
    "called_last": "The preferred last name, else the last name.",
    "first_name": "The first name in the register.",
    "middle_name": "The middle name.",
    "last_name": "The last name in the register.",
    "preferred_first_name": "The first name the person goes by, where it differs.",
    "preferred_last_name": "The last name the person goes by, where it differs.",
    "contact_email": "The e-mail address in the register; its owner can change it.",
    "username": "The user name in the register.",
    "id": "The person's sourced id.",
    "external_id": "The id another system knows the person by.",
    "sis_number": "The SIS number.",
    "employee_id": "The SIS number of teachers and employees; empty for others.",
    "employee_number": "The SIS number, if Microsoft takes it as an employee id (16 characters at most).",
    "phone": "The phone number.",
    "user_type": "teacher, employee, student or parent: the type the account is made for.",
    "status": "active: in the register and counted; inactive: in it, but not active there; left: no longer in it, or past the end.",
    "registration_end_date": "The day the registration ends, as 2027-07-01: the one given, else the last end of all classes; "
    "empty if one is open.",
    "active": "yes or no: whether the person is active in the institute.",
    "has_enrolments": "yes or no: enrolled in a class or teaching one that day, active or not; parents: one of their children.",
    "active_and_has_enrolments": "yes or no: active and, where the type asks for it, with a current enrolment.",
    "grade": "The grade.",
    "grade_type": "The grade type, such as full-time or science.",
    "grade_level": "The level of the grade, by the institute's own table (`rollbook grade-levels show`).",
    "stream": "The stream: track or specialisation.",
    "location": "The location.",
    "department": "The department within the location.",
    "institute": "The institute's name.",
    "groups": "The groups the person's classes stand for, with commas.",
    "today": "The day that counts, as 2026-10-01.",
}
"""Every property of a person a mapping can use, with its meaning."""


YES_NO = ("yes", "no")
TRUTHS = frozenset({"active", "has_enrolments", "active_and_has_enrolments"})
"""The properties that say yes or no."""


@dataclass(frozen=True, slots=True)
class Target:
    """A property of an account: how long Microsoft lets it be, whether it has to be there, what it means.

    `words` are the only values it takes; empty: any text.
    """

    longest: int
    meaning: str
    required: bool = False
    words: tuple[str, ...] = ()


TARGETS: Table[str, Target] = {
    "account_enabled": Target(
        3,
        "Whether the person may sign in, yes or no. No acts only where Deactivate is on, yes only on accounts that Rollbook "
        "itself disabled.",
        required=True,
        words=YES_NO,
    ),
    "display_name": Target(256, "The name shown everywhere.", required=True),
    "given_name": Target(64, "First name."),
    "surname": Target(64, "Last name."),
    "employee_id": Target(16, "Number by which accounts are matched; only an administrator can change it."),
    "job_title": Target(128, "Job title, shown on the person's card."),
    "department": Target(64, "Department, shown on the person's card."),
    "company_name": Target(64, "Company, shown on the person's card."),
    "street_address": Target(1024, "Street and number."),
    "postal_code": Target(40, "Postal code."),
    "city": Target(128, "City."),
    "state": Target(128, "State or region."),
    "country": Target(128, "Country, as it is to be shown; licences use the role's country code."),
    "office_location": Target(128, "Room or building, shown on the person's card."),
    "mobile_phone": Target(
        64, "Mobile phone; Microsoft lets applications set it only where no administrator role is held."
    ),
    "business_phone": Target(64, "Telephone, the one number Microsoft keeps."),
}
"""Every property of an account that can be mapped (graph.md section 2.1)."""

LOCKED: Table[str, str] = {
    "user_principal_name": "made of users.names and the domain of the role, because it has to be unique in the tenant",
    "mail_nickname": "the user name before the @",
    "usage_location": "the country of the role, because licences depend on it",
    "password": "random for each person, and changed at the first sign-in",
}
"""Properties of an account that no mapping sets, and what does."""


class Mapping(Part):
    """One row: where the value of a target comes from."""

    type: Literal["property", "static", "expression"] = Field(
        default="property", description="A property of the person, the same text for everybody, or an expression."
    )
    value: str = Field(description="Name of the property, the text, or the expression.", examples=["name"])
    casing: Literal["none", "lower", "upper"] = Field(
        default="none", description="Letters as they are, small, or capital."
    )
    on_creation_only: bool = Field(
        default=False, description="Set it when the account is made, and leave it alone afterwards."
    )

    @model_validator(mode="after")
    def _sensible(self) -> Mapping:
        if not self.value.strip():
            raise ValueError("a mapping needs a value")
        if self.type == "property" and self.value not in PROPERTIES:
            raise ValueError(f"there is no property {self.value!r}; there are {', '.join(PROPERTIES)}")
        if self.type == "expression":
            try:
                expressions.check(self.value, PROPERTIES)
            except expressions.ExpressionFailed as failed:
                raise ValueError(str(failed)) from failed
        return self


def suggested_mappings() -> dict[str, Mapping]:
    """Names and number as the register has them; the card's other lines are left to the school."""
    return {
        "account_enabled": Mapping(value="active_and_has_enrolments"),
        "display_name": Mapping(value="name"),
        "given_name": Mapping(value="called_first"),
        "surname": Mapping(value="called_last"),
        "employee_id": Mapping(value="employee_number"),
    }


def check_targets(mappings: Table[str, Mapping]) -> None:
    """ValueError naming a target there is none of or nobody may map, a required one that is missing, or a value it cannot hold."""
    for name, mapping in mappings.items():
        target = TARGETS.get(name)
        if target is None:
            why = f"{name} is not mapped: it is {LOCKED[name]}" if name in LOCKED else f"there is no target {name!r}"
            raise ValueError(f"{why}; there are {', '.join(TARGETS)}")
        if mapping.type == "static" and len(mapping.value) > target.longest:
            raise ValueError(f"{name} holds {target.longest} characters at most")
        if target.words:
            _check_words(name, mapping, target)
    missing = [name for name, target in TARGETS.items() if target.required and name not in mappings]
    if missing:
        raise ValueError(f"{missing[0]} is required, so it has to be mapped")


def _check_words(name: str, mapping: Mapping, target: Target) -> None:
    wanted = " or ".join(target.words)
    if mapping.type == "static" and mapping.value not in target.words:
        raise ValueError(f"{name} is {wanted}, not {mapping.value!r}")
    if mapping.type == "property" and mapping.value not in TRUTHS:
        raise ValueError(f"{name} is {wanted}; {mapping.value} is not. Take one of {', '.join(sorted(TRUTHS))}")


@dataclass(frozen=True, slots=True)
class Choice:
    """A target as a picker offers it; `grey` says why it cannot be chosen, empty if it can."""

    target: str
    meaning: str
    grey: str = ""


def choices(mappings: Table[str, Mapping]) -> list[Choice]:
    """Every property of an account, with those greyed that are mapped already, required, or set otherwise."""
    offered = [
        Choice(
            name,
            target.meaning,
            ("required" if target.required else "already mapped") if name in mappings or target.required else "",
        )
        for name, target in TARGETS.items()
    ]
    return [*offered, *(Choice(name, f"It is {why}.", "set elsewhere") for name, why in LOCKED.items())]
