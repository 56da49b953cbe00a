"""What a plan has to know beside desired and actual: links, reserved names, seats, what waited before. Point-query results."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

Schema = Mapping[str, pl.DataType | type[pl.DataType]]

LINKS: Schema = {
    "link": pl.Int64,
    "object_id": pl.String,  # null: nothing made or matched yet
    "adopted": pl.Boolean,  # matched rather than made by us, so it carries no mark of ours
    "disabled_by_us": pl.Boolean,
    "period": pl.Int64,  # the academic period of a team; 0 for everything else
    "left_on": pl.Date,  # the first day the person was seen to have left; null: has not, or was not seen yet
}

RESERVED: Schema = {"folded": pl.String, "link": pl.Int64}

SEATS: Schema = {"sku": pl.String, "free": pl.Int64}

GRANTED: Schema = {"link": pl.Int64, "sku": pl.String}

WAITED: Schema = {"kind": pl.UInt8, "subject": pl.Int64, "object": pl.Int64, "cause": pl.UInt8}

REFUSED, NEW, NOBODY = "refused", "new", "nobody"

DECISIONS: Schema = {
    "link": pl.Int64,
    "decision": pl.String,  # REFUSED: not this object; NEW: none is meant, so one is made; NOBODY: there is to be none
    "object_id": pl.String,  # of what is refused, empty otherwise
}


AROUND: Schema = {"user": pl.Int64, "enabled": pl.Boolean, "licensed": pl.Boolean}

SIZES: Schema = {"team": pl.Int64, "members": pl.Int64}


@dataclass(frozen=True, slots=True)
class Beyond:
    """What lies beyond a plan that is about a part of the school only: people with accounts of whom nothing but memberships is planned
    (`around`, schema AROUND), and members of groups that were not read whole (`sizes`, schema SIZES).
    """

    around: pl.DataFrame
    sizes: pl.DataFrame


SEEN_ACCOUNTS: Schema = {"link": pl.Int64, "object_id": pl.String}

SEEN_GROUPS: Schema = {
    "link": pl.Int64,
    "relations": pl.Int64,  # owners and members it held
    "team": pl.Boolean,  # made from classes, rather than from the structure or for licences
}

DECLINED: Schema = {
    "kind": pl.UInt8,
    "subject": pl.Int64,
    "object": pl.Int64,
    "cause": pl.UInt8,
    "day": pl.Date,
    "digest": pl.String,  # of the values it would have brought (plan.declines.digest)
}


def _frame(schema: Schema) -> pl.DataFrame:
    return pl.DataFrame(schema=pl.Schema(schema))


@dataclass(frozen=True, slots=True)
class Guarding:
    """What guards compare a plan with: the tenant as it was last seen, the register as it was last carried out, what was refused.

    `accounts` and `groups` have the schemas SEEN_ACCOUNTS and SEEN_GROUPS, `declined` has DECLINED. `register` and `applied` count
    the rows of the register now, and when it was last carried out, by table. `managed` counts all that is managed, by users,
    memberships and teams; `whole` says that the plan is about all of it, so that it can count for itself.
    """

    accounts: pl.DataFrame = field(default_factory=lambda: _frame(SEEN_ACCOUNTS))
    groups: pl.DataFrame = field(default_factory=lambda: _frame(SEEN_GROUPS))
    declined: pl.DataFrame = field(default_factory=lambda: _frame(DECLINED))
    register: Mapping[str, int] = field(default_factory=dict)
    applied: Mapping[str, int] = field(default_factory=dict)
    managed: Mapping[str, int] = field(default_factory=dict)
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of one plan. Frames have the schemas named like the fields; names are folded to lower case."""

    tenant: str
    profile_version: int
    as_of: dt.date
    first_run: bool
    user_links: pl.DataFrame  # LINKS
    group_links: pl.DataFrame  # LINKS: of teams, of nodes, of groups that carry licences
    user_names: pl.DataFrame  # RESERVED: whole user names, domain included
    nicknames: pl.DataFrame  # RESERVED
    seats: pl.DataFrame  # SEATS
    granted: pl.DataFrame  # GRANTED: licences we gave, which alone we may take back
    waited: pl.DataFrame  # WAITED: what waited, and why, when the tenant was last synchronized
    decisions: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=pl.Schema(DECISIONS)))  # of people
    guarding: Guarding = field(default_factory=Guarding)
    beyond: Beyond | None = None  # of a plan that is about a part only
