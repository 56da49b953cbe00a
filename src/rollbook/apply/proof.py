"""The proof: expected against actual, team by team, each missing or extra person with one reason. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from rollbook.plan.memberships import difference


class Why(StrEnum):
    """The one reason a person is missing, extra or pending."""

    NOT_APPLIED = "the change was not applied; see the run"
    NOT_IN_REGISTER = "added by hand; people who are not in the register are left alone"
    LAST_OWNER = "is the last owner, and stays until somebody else is"
    KEPT = "kept by rule: previous enrolments are kept"
    NOT_REMOVED = "the removal was not applied; see the run"
    ACCOUNT_WAITS = "the person's account waits; see why in the run"
    TEAM_PENDING = "in the group; Microsoft is still making the team"


DEVIATIONS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "team": pl.Int64,
    "user": pl.Int64,
    "relation": pl.UInt8,
    "status": pl.String,  # missing | extra | pending | kept | waiting
    "why": pl.String,
}


@dataclass(frozen=True, slots=True)
class Proof:
    """Numbers of the comparison, and every deviation (schema DEVIATIONS). `kept` deviations are by rule, not faults."""

    teams: int
    members_expected: int
    missing: int
    extra: int
    pending: int
    deviations: pl.DataFrame

    @property
    def holds(self) -> bool:
        """Whether the tenant equals the register: nobody is missing and nobody is extra."""
        return self.missing == 0 and self.extra == 0

    def as_json(self) -> dict[str, int]:
        """The numbers as the command line prints them."""
        return {
            "teams": self.teams,
            "members_expected": self.members_expected,
            "missing": self.missing,
            "extra": self.extra,
            "pending": self.pending,
        }


def prove(
    expected: pl.DataFrame,
    actual: pl.DataFrame,
    teams: pl.DataFrame,
    spared: pl.DataFrame,
    waiting: pl.DataFrame | None = None,
    *,
    keep_previous: bool,
) -> Proof:
    """Compare memberships [team, user, relation] of `teams` [team, has_team].

    `spared` [team, user] are last owners who had to stay, `waiting` [user] people whose account waits for a stated reason, so that
    nothing is done for them. Actual rows without a user are people outside the register.
    """
    strangers = actual.filter(pl.col("user").is_null())
    absent, surplus = difference(
        expected.select("team", "user", "relation"), actual.drop_nulls("user").select("team", "user", "relation")
    )
    halted = waiting if waiting is not None else absent.select("user").clear()
    absent, held_up = absent.join(halted, on="user", how="anti"), absent.join(halted, on="user", how="semi")
    last_owners = surplus.join(spared, on=["team", "user"], how="semi")
    others = surplus.join(spared, on=["team", "user"], how="anti")
    unfinished = teams.filter(~pl.col("has_team")).select("team")
    unready = expected.join(unfinished, on="team", how="semi").join(absent, on=["team", "user", "relation"], how="anti")
    kept_or_extra = ("kept", Why.KEPT) if keep_previous else ("extra", Why.NOT_REMOVED)
    deviations = pl.concat(
        [
            _deviations(absent, "missing", Why.NOT_APPLIED),
            _deviations(others, *kept_or_extra),
            _deviations(last_owners, "kept", Why.LAST_OWNER),
            _deviations(strangers, "kept", Why.NOT_IN_REGISTER),
            _deviations(unready, "pending", Why.TEAM_PENDING),
            _deviations(held_up, "waiting", Why.ACCOUNT_WAITS),
        ]
    )
    counted = dict(deviations.group_by("status").len().iter_rows())
    return Proof(
        teams=teams.height,
        members_expected=expected.height,
        missing=counted.get("missing", 0),
        extra=counted.get("extra", 0),
        pending=counted.get("pending", 0),
        deviations=deviations,
    )


def _deviations(rows: pl.DataFrame, status: str, why: Why) -> pl.DataFrame:
    return rows.select("team", "user", "relation", pl.lit(status).alias("status"), pl.lit(why.value).alias("why")).cast(
        pl.Schema(DEVIATIONS)
    )
