"""What a tenant should hold, and what a plan needs to know beside it. A value: `desired` makes it, `plan` reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from rollbook.directory.state import State

PEOPLE: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "link": pl.Int64,
    "user_type": pl.Enum,  # roster.tables.USER_TYPE
    "present": pl.Boolean,  # in the register and active there; False: somebody who left
    "current": pl.Boolean,  # present, and has what the type needs (Inst.Active-Has Enrolments)
    "ended": pl.Date,  # the last day on which an enrolment or teaching ended; null if none did
    "create": pl.Boolean,
    "update": pl.Boolean,
    "deactivate": pl.Boolean,
}

LICENCES: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "user_type": pl.Enum(["teacher", "employee", "student", "parent"]),  # roster.tables.USER_TYPE
    "rank": pl.Int64,  # the most wanted first
    "sku": pl.String,
    "part": pl.String,  # the SKU's part number, as people know it
    "plans": pl.List(pl.String),  # ids of all service plans of the SKU
    "plans_off": pl.List(pl.String),  # ids of those that are off, sorted; null: whatever is set at Microsoft stays
    "first_only": pl.Boolean,  # one licence of the list is enough
}

LICENCE_GROUPS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "user_type": pl.Enum(["teacher", "employee", "student", "parent"]),
    "group": pl.Int64,  # link of the group that carries the type's licences
}

NAMES: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "link": pl.Int64,
    "rank": pl.Int64,  # the first alternative first
    "base": pl.String,  # before the @; null: nothing usable could be made
    "domain": pl.String,
}

BECAUSE = ("teaching", "extra_owner", "enrolment", "structure", "nested")
"""Why somebody, or a group, belongs in a group; the first that applies is the one that is told."""

REASONS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "team": pl.Int64,
    "user": pl.Int64,
    "relation": pl.UInt8,
    "because": pl.Enum(BECAUSE),
    "day": pl.Date,  # when it begins; null where the register does not say
    "held": pl.Boolean,  # not added by itself, and not ended where it is there: held by the sync start date
}

OUTSIDE: Mapping[str, pl.DataType | type[pl.DataType]] = {"team": pl.Int64, "user": pl.Int64, "relation": pl.UInt8}

MATCH_KEYS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "link": pl.Int64,
    "by": pl.String,  # email: the mail nickname; name; external_id
    "key": pl.String,
}

CREATION_ONLY: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "link": pl.Int64,
    "attribute": pl.String,  # of GROUPS: set when the group is made, and left alone afterwards
}


@dataclass(frozen=True, slots=True)
class Desired:
    """What the tenant should hold, and what the plan needs to know beside it.

    `people` (schema PEOPLE) says what may be done for each linked person; `user_names` (schema NAMES) and `nicknames` [link, base]
    are candidates for user names and for the mail nicknames of groups, the plan picks after matching; `usernames` [link, username]
    are the register's own, before the @; `reasons` (schema REASONS) says why somebody belongs in a group; `licences` (schema
    LICENCES) belong to current accounts, given through `licence_groups` (schema LICENCE_GROUPS) where there are any. For the people
    of `unmapped` [link] and the groups of `unmapped_groups` [link] a mapping failed, so that nothing is done for them. In the groups
    of `emptied` [link], which are ours, nobody belongs any more; those of `unmanaged` [link], ours too, are left as they are, because
    their level is off or hidden, or because the scope does not reach them. `outside` (schema OUTSIDE) are relations that the register
    asks for outside the profile's scope: they are neither added nor ended. `match_keys` (schema MATCH_KEYS) is what groups are found by the
    first time, `creation_only` (schema CREATION_ONLY) which of their attributes are not kept in step.
    """

    state: State
    people: pl.DataFrame
    user_names: pl.DataFrame
    nicknames: pl.DataFrame
    reasons: pl.DataFrame
    usernames: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema={"link": pl.Int64, "username": pl.String})
    )
    licences: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=pl.Schema(LICENCES)))
    licence_groups: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=pl.Schema(LICENCE_GROUPS)))
    unmapped: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"link": pl.Int64}))
    unmapped_groups: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"link": pl.Int64}))
    emptied: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"link": pl.Int64}))
    unmanaged: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"link": pl.Int64}))
    outside: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=pl.Schema(OUTSIDE)))
    match_keys: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=pl.Schema(MATCH_KEYS)))
    creation_only: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=pl.Schema(CREATION_ONLY)))
