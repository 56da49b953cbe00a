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
    "create": pl.Boolean,
    "update": pl.Boolean,
    "deactivate": pl.Boolean,
}

REASONS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "team": pl.Int64,
    "user": pl.Int64,
    "relation": pl.UInt8,
    "teaching": pl.Boolean,  # True: because of a teaching, False: because of an enrolment
    "day": pl.Date,  # when it begins; null where the register does not say
}


@dataclass(frozen=True, slots=True)
class Desired:
    """What the tenant should hold, and what the plan needs to know beside it.

    `people` (schema PEOPLE) says what may be done for each linked person; `user_names` [link, base, domain] and `nicknames`
    [link, base] are candidates, the plan picks after matching; `reasons` (schema REASONS) says why somebody belongs in a team;
    `unmapped` [link] are people for whom a mapping failed, so that nothing is done for them.
    """

    state: State
    people: pl.DataFrame
    user_names: pl.DataFrame
    nicknames: pl.DataFrame
    reasons: pl.DataFrame
    unmapped: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"link": pl.Int64}))
