"""Which teams end, go on and begin when an academic period or a profile changes, and which groups of the structure are left over.

It only says so. A team that ends is left alone by every synchronization; whether its chat goes on in another team, or is archived,
is decided by a person (product.md section 6).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from rollbook.desired import current
from rollbook.desired.continuing import CANDIDATES, candidates
from rollbook.desired.hierarchies import hierarchies_in_use, managed_nodes
from rollbook.desired.node_groups import abandoned
from rollbook.desired.outside import narrowed, nodes_of_everybody, unreached
from rollbook.desired.teams import PARTS, TEAMS, managed_teams, team_classes
from rollbook.profiles import Profile
from rollbook.roster.tables import Roster

Schema = Mapping[str, pl.DataType | type[pl.DataType]]

LINKED: Schema = {**TEAMS, "link": pl.Int64, "archived": pl.Boolean}
"""Teams that are linked to a group, as they are remembered."""


class State(StrEnum):
    """What becomes of a team."""

    ENDS = "ends"  # linked, and not wanted any more
    CONTINUES = "continues"  # linked and wanted
    BEGINS = "begins"  # wanted now or in the coming academic period, and not linked


class Why(StrEnum):
    """Why a team ends, or a group of the structure is left over."""

    PERIOD_OVER = "period_over"
    OTHER_PERIOD = "other_period"  # the profile is about another academic period
    NOTHING = "nothing"  # by the profile nothing is a team
    MODE_CHANGED = "mode_changed"
    OUT_OF_SCOPE = "out_of_scope"
    CLASS_GONE = "class_gone"  # the register does not have its classes any more
    GROUP_TYPE_CHANGED = "group_type_changed"
    LEVEL_OFF = "level_off"  # the hierarchy, or a level of the path, is off or used by teams
    NOBODY_THERE = "nobody_there"  # nobody's path leads there any more


TURNS: Schema = {
    **LINKED,  # link and archived are null where a team begins
    "state": pl.String,  # State
    "why": pl.String,  # Why; of what ends
    "day": pl.Date,  # the first day of the coming period, for what is not wanted before; else null
}

LEFT: Schema = {"key": pl.String, "link": pl.Int64, "label": pl.String, "archived": pl.Boolean, "why": pl.String}


@dataclass(frozen=True, slots=True)
class Turn:
    """Every team that is linked or wanted (`teams`, schema TURNS), and which may be one chat going on (schema CANDIDATES)."""

    teams: pl.DataFrame
    candidates: pl.DataFrame


def turn(roster: Roster, profile: Profile, as_of: dt.date, linked: pl.DataFrame, earlier: Roster | None = None) -> Turn:
    """What becomes of teams on `as_of`; `linked` (schema LINKED) are those that are there, `earlier` classes as they were before."""
    there = linked.select("key", "period")
    now = managed_teams(roster, profile, as_of, there).teams
    coming, day = _coming(roster, profile, as_of)
    later = coming.join(now, on=["key", "period"], how="anti").with_columns(day=pl.lit(day, dtype=pl.Date))
    wanted = pl.concat([now.with_columns(day=pl.lit(None, dtype=pl.Date)), later])
    begins = wanted.join(there, on=["key", "period"], how="anti").with_columns(state=pl.lit(State.BEGINS.value))
    states = linked.join(
        wanted.select("key", "period", "day", wanted=pl.lit(value=True)), on=["key", "period"], how="left"
    )
    reasons = _reasons(roster, profile, as_of, states.filter(pl.col("wanted").is_null()))
    told = states.join(reasons, on="link", how="left").with_columns(
        state=pl.when("wanted").then(pl.lit(State.CONTINUES.value)).otherwise(pl.lit(State.ENDS.value))
    )
    teams = pl.concat([_as_turns(told), _as_turns(begins)]).sort("state", "period", "label", "key", nulls_last=True)
    return Turn(teams, candidates(roster, profile, _may_continue(roster, teams), begins, earlier))


def _as_turns(frame: pl.DataFrame) -> pl.DataFrame:
    missing = [pl.lit(None, dtype=kind).alias(name) for name, kind in TURNS.items() if name not in frame.columns]
    return frame.with_columns(missing).select(TURNS.keys()).cast(pl.Schema(TURNS))


def _coming(roster: Roster, profile: Profile, as_of: dt.date) -> tuple[pl.DataFrame, dt.date | None]:
    """Teams (schema TEAMS) of the academic period that begins next, and when it does; of the profile's own, if it names one."""
    begins = roster.academic_periods.filter(pl.col("begin") > as_of).sort("begin", "period")
    if profile.academic_period is not None:
        begins = begins.filter(pl.col("sourced_id") == profile.academic_period)
    for period, day in begins.select("period", "begin").iter_rows():
        teams = managed_teams(roster, profile, day).teams.filter(pl.col("period") == period)
        if teams.height:
            return teams, day
    return pl.DataFrame(schema=pl.Schema(TEAMS)), None


def _reasons(roster: Roster, profile: Profile, as_of: dt.date, ending: pl.DataFrame) -> pl.DataFrame:
    """[link, why] of teams that are not wanted any more: the first reason that applies."""
    periods = roster.academic_periods.select("period", "begin", "end", known=pl.lit(value=True))
    counted = current.academic_periods(roster, profile, as_of).select("period") if periods.height else periods
    first = counted.join(periods, on="period")["begin"].min()
    mode = profile.teams.create
    there = team_classes(roster, mode).select("key", "period").unique().with_columns(there=pl.lit(value=True))
    placed = (
        ending.join(periods, on="period", how="left")
        .join(counted.select("period", counted=pl.lit(value=True)), on="period", how="left")
        .join(there, on=["key", "period"], how="left")
        .with_columns(pl.col("known", "counted", "there").fill_null(value=False))
    )
    made_as = pl.col("key").str.split("/").list.first()
    over = (pl.col("end") <= as_of) | (pl.col("begin") < pl.lit(first, dtype=pl.Date))
    reasons = {
        Why.CLASS_GONE: ~pl.col("known"),
        Why.PERIOD_OVER: ~pl.col("counted") & over.fill_null(value=True),
        Why.OTHER_PERIOD: ~pl.col("counted"),
        Why.NOTHING: pl.lit(mode == "nothing"),
        Why.MODE_CHANGED: made_as.is_in([known for known in PARTS if known != mode]),
        Why.OUT_OF_SCOPE: pl.col("there"),
    }
    why = pl.coalesce(*(pl.when(applies).then(pl.lit(reason.value)) for reason, applies in reasons.items()))
    return placed.select("link", why=why.fill_null(Why.CLASS_GONE.value))


def _may_continue(roster: Roster, teams: pl.DataFrame) -> pl.DataFrame:
    """[link, key, period, begin, ends] of teams whose chat might go on in another: not archived, and ending now or later."""
    begins = roster.academic_periods.select("period", "begin")
    linked = teams.filter(pl.col("link").is_not_null(), ~pl.col("archived"))
    return linked.join(begins, on="period", how="left").select(
        "link", "key", "period", "begin", ends=pl.col("state") == State.ENDS.value
    )


def left_over(
    roster: Roster, profile: Profile, as_of: dt.date, people: pl.DataFrame, linked: pl.DataFrame
) -> pl.DataFrame:
    """Groups of the structure that nobody stands behind any more (schema LEFT); none of them is ever deleted.

    What is only outside the profile's scope is not among them.

    `people` [person, user_type, present] are the managed ones, `linked` [key, link, label, archived] the groups that are there.
    """
    managed = managed_nodes(roster, profile, as_of, people)
    if narrowed(roster, profile):
        beyond = unreached(nodes_of_everybody(roster, profile, as_of), managed, linked)
        linked = linked.join(beyond, on="key", how="anti")
    gone = abandoned(profile, managed, linked)
    types = {f"{name}/{hierarchy.group_type}" for name, (hierarchy, _) in hierarchies_in_use(profile).items()}
    begun = {name.partition("/")[0] for name in types}
    parts = pl.col("key").str.split("/")
    of_type = pl.concat_str(parts.list.get(0), pl.lit("/"), parts.list.get(1)).is_in(sorted(types))
    why = (
        pl.when(parts.list.get(0).is_in(sorted(begun)) & ~of_type)
        .then(pl.lit(Why.GROUP_TYPE_CHANGED.value))
        .otherwise(pl.lit(Why.LEVEL_OFF.value))
    )
    reasons = pl.concat(
        [
            gone.left.select("link", why=why),
            gone.emptied.select("link", why=pl.lit(Why.NOBODY_THERE.value)),
        ]
    )
    return linked.join(reasons, on="link").select(LEFT.keys()).cast(pl.Schema(LEFT)).sort("label", "key")


__all__ = ["CANDIDATES", "LEFT", "LINKED", "TURNS", "State", "Turn", "Why", "left_over", "turn"]
