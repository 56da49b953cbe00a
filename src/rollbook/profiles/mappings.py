"""Mappings of people: which property of a person becomes which property of the account (product.md section 4).

The properties there are, the targets Microsoft has and their lengths are declared here once; those of teams and of the nodes of
hierarchies in `group_mappings`.
"""

from __future__ import annotations

from collections.abc import Mapping as Table
from typing import ClassVar

from rollbook.profiles.rows import YES_NO, Mappable, Row, Target

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

TRUTHS = frozenset({"active", "has_enrolments", "active_and_has_enrolments"})
"""The properties that say yes or no."""

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


OF_PEOPLE = Mappable("people", "accounts", PROPERTIES, TARGETS, LOCKED, TRUTHS)


class Mapping(Row):
    """One row of people: where the value of a property of their accounts comes from."""

    about: ClassVar[Mappable] = OF_PEOPLE


def suggested_mappings() -> dict[str, Mapping]:
    """Names and number as the register has them; the card's other lines are left to the school."""
    return {
        "account_enabled": Mapping(value="active_and_has_enrolments"),
        "display_name": Mapping(value="name"),
        "given_name": Mapping(value="called_first"),
        "surname": Mapping(value="called_last"),
        "employee_id": Mapping(value="employee_number"),
    }
