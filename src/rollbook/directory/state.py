"""The frames of a tenant: what is desired of it and what it actually holds have one shape, so they can be compared.

`link` is our link id (integer; null where an object is not ours), `object_id` Microsoft's (null where not made yet).
A membership is one relation: somebody who is owner and member has two rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import IntEnum

import polars as pl

Schema = Mapping[str, pl.DataType | type[pl.DataType]]


class Relation(IntEnum):
    """The two relations a person can have to a group at Microsoft; a teacher has both."""

    MEMBER = 0
    OWNER = 1


USERS: Schema = {
    "link": pl.Int64,
    "object_id": pl.String,
    "user_principal_name": pl.String,  # desired: null until the plan picked one
    "mail_nickname": pl.String,
    "mail": pl.String,
    "display_name": pl.String,
    "given_name": pl.String,
    "surname": pl.String,
    "employee_id": pl.String,
    "job_title": pl.String,
    "department": pl.String,
    "company_name": pl.String,
    "street_address": pl.String,
    "postal_code": pl.String,
    "city": pl.String,
    "state": pl.String,
    "country": pl.String,
    "office_location": pl.String,
    "mobile_phone": pl.String,
    "business_phone": pl.String,
    "account_enabled": pl.Boolean,
    "usage_location": pl.String,
    "licences": pl.List(pl.String),  # SKU ids; actual ones are sorted
    "plans_off": pl.List(pl.String),  # ids of the service plans that are off, over all licences, sorted
    "mark": pl.String,
    "on_premises": pl.Boolean,  # kept by the school's own Active Directory
    "guest": pl.Boolean,
    "protected": pl.Boolean,  # holds a directory role, or roles cannot be read: never changed in any way
    "deleted": pl.Boolean,  # softly: it can be restored for 30 days, and is otherwise not there
    "restricted": pl.Boolean,  # in an administrative unit with restricted management: only its own administrators change it
}

MAPPED = tuple(
    "display_name given_name surname employee_id job_title department company_name street_address postal_code city state "
    "country office_location mobile_phone business_phone".split()
)
"""The properties of an account that a profile's mappings fill."""

PURPOSES = ("team", "node", "licence")
"""What a group of ours is for: a team, a node of a hierarchy, or to carry licences."""

GROUP_KINDS = ("class", "unified", "security", "other")
"""A class group and a plain Microsoft 365 group can be teams; only security groups can be nested. Other ones (distribution lists,
mail-enabled security groups) cannot be changed by anybody through Graph (graph.md section 5.1)."""

GROUPS: Schema = {
    "link": pl.Int64,
    "object_id": pl.String,  # class, group and team share it
    "purpose": pl.Enum(PURPOSES),  # null in what a tenant holds
    "kind": pl.Enum(GROUP_KINDS),
    "display_name": pl.String,
    "description": pl.String,
    "mail_nickname": pl.String,
    "mail": pl.String,
    "class_code": pl.String,
    "external_id": pl.String,
    "mark": pl.String,  # a class carries it as externalSourceDetail, any other group as uniqueName
    "has_team": pl.Boolean,
    "dynamic": pl.Boolean,  # Microsoft finds its members by a rule, so nobody else adds or removes them
    "on_premises": pl.Boolean,  # kept by the school's own Active Directory
    "licences": pl.List(pl.String),  # SKU ids its members get, sorted
    "plans_off": pl.List(pl.String),  # ids of the service plans that are off, sorted
    "behaviours": pl.List(pl.String),  # resourceBehaviorOptions, which only a creation sets
}
"""Every group, whatever it is for: of classes, of Teams, of the school's structure, of licences."""

MEMBERSHIPS: Schema = {
    "team": pl.Int64,  # link of the team or group
    "user": pl.Int64,  # link of the user, or of a group that is nested; null: somebody who is not in the register
    "relation": pl.UInt8,  # Relation
    "user_object_id": pl.String,  # null in a desired state
}


USER_BITS = 31
"""Link ids are row ids of one table; two thousand million of them are beyond any tenant's object limit (300,000)."""


def packed() -> pl.Expr:
    """One integer a membership, in the order of team, relation and user: a million of them are compared and sorted by it."""
    relation, user = pl.col("relation").cast(pl.Int64), pl.col("user").cast(pl.Int64)
    return (pl.col("team") * (1 << (USER_BITS + 1)) + relation * (1 << USER_BITS) + user).alias("packed")


@dataclass(frozen=True, slots=True)
class State:
    """Users, groups and memberships of one tenant; every field's schema is the constant of the same name in capitals."""

    users: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=dict(USERS)))
    groups: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=dict(GROUPS)))
    memberships: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=dict(MEMBERSHIPS)))

    def __post_init__(self) -> None:
        """Refuse a frame of another shape: a defect of ours, caught where it is made."""
        for entry in fields(self):
            frame: pl.DataFrame = getattr(self, entry.name)
            expected = pl.Schema(SCHEMAS[entry.name])
            if frame.schema != expected:
                raise TypeError(f"state table {entry.name}: expected {expected}, got {frame.schema}")


def guarded(users: pl.DataFrame, object_ids: pl.Series) -> pl.DataFrame:
    """Users (schema USERS) of whom those with these object ids are protected too."""
    return users.with_columns(protected=pl.col("protected") | pl.col("object_id").is_in(object_ids.implode()))


SCHEMAS: Mapping[str, Schema] = {"users": USERS, "groups": GROUPS, "memberships": MEMBERSHIPS}


def of_purpose(groups: pl.DataFrame, purpose: str) -> pl.DataFrame:
    """The groups (schema GROUPS) that are for this purpose."""
    return groups.filter(pl.col("purpose") == purpose)


ABSENT: Mapping[str, bool | list[str]] = {
    **dict.fromkeys(("has_team", "dynamic", "on_premises"), False),
    **{name: [] for name in ("licences", "plans_off", "behaviours")},
}
"""What a group is that is said nothing else of; everything not named here is null then."""


def as_groups(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows of some columns of GROUPS as groups (schema GROUPS); what is not given is null, false or empty."""
    missing = [
        pl.lit(ABSENT.get(name), dtype=kind).alias(name) for name, kind in GROUPS.items() if name not in frame.columns
    ]
    return frame.with_columns(missing).select(GROUPS.keys()).cast(pl.Schema(GROUPS))
