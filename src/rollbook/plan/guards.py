"""Guards: how much a plan may change before a person has to agree. They object and say what they hold; they never stop anything.

Limits hold in absolute numbers and in percent of all that is managed; a guard trips when either is exceeded, so that tiny
tenants are guarded too. A single change never trips a percentage: in a school of thirty, one leaver is ordinary.

Two guards look at what was read instead. A register far below the one last carried out may be half a delivery; a reading of the tenant
far below what was known may have left something out. Whatever would delete, or make again, because of it waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from rollbook.plan.changes import HELD, ChangeVerdict, Kind, Objection, nothing_held
from rollbook.profiles import Guards, Limit


@dataclass(frozen=True, slots=True)
class Guard:
    """Changes of these kinds are counted, of all that is managed `of` this; the numbers are the profile's, by the code's name."""

    code: str
    kinds: tuple[Kind, ...]
    of: str  # "users", "memberships" or "teams"


REMOVALS = (Kind.REMOVE_MEMBER, Kind.REMOVE_OWNER, Kind.DEMOTE_OWNER, Kind.REMOVE_STRANGER)

GUARDS: tuple[Guard, ...] = (
    Guard("accounts-created", (Kind.CREATE_USER,), "users"),
    Guard("accounts-disabled", (Kind.DISABLE_USER,), "users"),
    Guard("accounts-unlicensed", (Kind.UNLICENSE_USER, Kind.LEAVE_LICENCE_GROUP), "users"),
    Guard("accounts-renamed", (Kind.RENAME_USER,), "users"),
    Guard("members-removed", REMOVALS, "memberships"),
    Guard("teams-archived", (Kind.ARCHIVE_TEAM,), "teams"),
)

TAKING_AWAY = (Kind.DISABLE_USER, Kind.UNLICENSE_USER, Kind.LEAVE_LICENCE_GROUP, *REMOVALS, Kind.ARCHIVE_TEAM)
"""What somebody loses something by."""

GROUPS_MADE = (Kind.CREATE_CLASS, Kind.CREATE_UNIFIED, Kind.CREATE_GROUP)
MAKING = (Kind.CREATE_USER, Kind.RESTORE_USER, *GROUPS_MADE, Kind.CREATE_TEAM)
"""What would be there twice, had the reading left out the first."""

JOINING = (Kind.ADD_OWNER, Kind.ADD_MEMBER, Kind.JOIN_LICENCE_GROUP)

MOVED, EMPTIED, REGISTER, TENANT, GROUP = (
    "teams-moved",
    "teams-emptied",
    "register-shrank",
    "tenant-shrank",
    "group-shrank",
)
READINGS = frozenset({TENANT, GROUP})
"""Objections to what was read of the tenant: no approval of a plan waives them, somebody has to say that the tenant really is so."""

FEW = 3
"""So few objects or rows less are ordinary, whatever percentage they are."""

THIN = 0.5
"""A group with less than this share of what it last held reads as one whose members were left out."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What guards judge a plan by.

    `managed` counts what is managed now, by users, memberships and teams; `members` [team, members] are sizes of teams as they are.
    `accounts` and `groups` count what was in the tenant when it was last seen and is what this plan is about, `lost_accounts` and
    `lost_groups` those of them that are there no longer; `sizes` [link, before, now] are the relations groups held when last seen,
    and hold now. `teams` (links) are the teams that are wanted, `left` (links) those last seen with people and in which nobody
    belongs any more. `register` and `applied` count the rows of the register now, and when it was last carried out. `weights`
    [seq, people] are changes about more than one person; any other counts as one.
    """

    managed: Mapping[str, int]
    members: pl.DataFrame
    accounts: int = 0
    groups: int = 0
    lost_accounts: int = 0
    lost_groups: int = 0
    sizes: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema={"link": pl.Int64, "before": pl.Int64, "now": pl.Int64})
    )
    teams: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.Int64))
    left: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.Int64))
    register: Mapping[str, int] = field(default_factory=dict)
    applied: Mapping[str, int] = field(default_factory=dict)
    weights: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"seq": pl.Int32, "people": pl.Int64}))


@dataclass(frozen=True, slots=True)
class Judged:
    """The objections to a plan, and which changes each of them holds (schema HELD)."""

    objections: tuple[Objection, ...] = ()
    held: pl.DataFrame = field(default_factory=nothing_held)


def judge(changes: pl.DataFrame, evidence: Evidence, limits: Guards) -> Judged:
    """Every guard that the planned changes (schema CHANGES) trip, and what it holds."""
    planned = changes.filter(pl.col("verdict") == int(ChangeVerdict.PLANNED))
    found = [
        *(_counted(guard, planned, evidence, limits) for guard in GUARDS),
        _emptied(planned, evidence, limits),
        _moved(planned, evidence, limits),
        _register(planned, evidence, limits),
        *_tenant(planned, evidence, limits),
        _thinned(planned, evidence),
    ]
    told = [each for each in found if each is not None]
    held = [rows.select("seq", code=pl.lit(objection.code)).cast(pl.Schema(HELD)) for objection, rows in told]
    return Judged(tuple(objection for objection, _ in told), pl.concat([nothing_held(), *held]))


Found = tuple[Objection, pl.DataFrame] | None


def _of(planned: pl.DataFrame, kinds: Sequence[Kind]) -> pl.DataFrame:
    return planned.filter(pl.col("kind").is_in([int(kind) for kind in kinds]))


def exceeds(count: int, managed: int, limit: Limit) -> bool:
    """Whether so many changes, of so many managed, are more than nobody has to agree to."""
    over_percent = managed > 0 and count * 100 > limit.percent * managed
    return count > limit.count or (over_percent and count > 1)


def limit_of(code: str, limits: Guards) -> Limit:
    """The profile's numbers for a guard."""
    found: Limit = getattr(limits, code.replace("-", "_"))
    return found


def _counted(guard: Guard, planned: pl.DataFrame, evidence: Evidence, limits: Guards) -> Found:
    rows, limit = _of(planned, guard.kinds), limit_of(guard.code, limits)
    weighed = rows.select("seq").join(evidence.weights, on="seq", how="left")
    count = int(weighed["people"].fill_null(1).sum())
    return _limited(guard.code, count, evidence.managed.get(guard.of, 0), limit, rows)


def _limited(code: str, count: int, managed: int, limit: Limit, held: pl.DataFrame) -> Found:
    if not exceeds(count, managed, limit):
        return None
    return Objection(code, count, managed, limit.count, limit.percent, administrator=count > limit.count), held


def _emptied(planned: pl.DataFrame, evidence: Evidence, limits: Guards) -> Found:
    leaving = _of(planned, (Kind.REMOVE_MEMBER, Kind.REMOVE_STRANGER))
    losses = leaving.group_by(team="subject").agg(lost=pl.len())
    of = limits.teams_emptied
    emptied = losses.join(evidence.members.filter(pl.col("members") >= of.members), on="team").filter(
        pl.col("lost") * 100 > pl.col("members") * of.percent
    )
    if emptied.is_empty():
        return None
    objection = Objection(
        EMPTIED, emptied.height, evidence.members.height, 0, of.percent, administrator=emptied.height > of.count
    )
    return objection, _of(planned, REMOVALS).filter(pl.col("subject").is_in(emptied["team"].implode()))


def _moved(planned: pl.DataFrame, evidence: Evidence, limits: Guards) -> Found:
    """Teams that begin beside as many that everybody leaves: the same classes under other ids."""
    beginning = _of(planned, GROUPS_MADE).filter(pl.col("subject").is_in(evidence.teams.implode()))
    links = pl.concat([beginning["subject"], evidence.left]).implode()
    concerned = _of(planned, (*GROUPS_MADE, Kind.CREATE_TEAM, *REMOVALS)).filter(pl.col("subject").is_in(links))
    count = min(beginning.height, evidence.left.len())
    return _limited(MOVED, count, evidence.managed.get("teams", 0), limits.teams_moved, concerned)


def _far_fewer(before: int, now: int, percent: float) -> bool:
    fewer = before - now
    return (fewer > FEW and fewer * 100 > percent * before) or (now == 0 and before > 1)


def _register(planned: pl.DataFrame, evidence: Evidence, limits: Guards) -> Found:
    """The table of the register that shrank most, if one did and anybody would lose something."""
    percent, rows = limits.register_shrank, _of(planned, TAKING_AWAY)
    counts = [(name, before, evidence.register.get(name, 0)) for name, before in evidence.applied.items()]
    shrunken = [each for each in counts if _far_fewer(each[1], each[2], percent)]
    if not shrunken or rows.is_empty():
        return None
    name, before, now = min(shrunken, key=lambda each: each[2] / each[1])
    return Objection(REGISTER, before - now, before, 0, percent, administrator=True, what=name), rows


def _tenant(planned: pl.DataFrame, evidence: Evidence, limits: Guards) -> list[Found]:
    """The reading of accounts, or of groups, that left out many of those we knew."""
    percent = limits.reading_shrank
    counts = (
        ("accounts", evidence.accounts, evidence.lost_accounts),
        ("groups", evidence.groups, evidence.lost_groups),
    )
    shrunken = [each for each in counts if _far_fewer(each[1], each[1] - each[2], percent)]
    if not shrunken:
        return []
    what, before, lost = max(shrunken, key=lambda each: each[2] / each[1])
    objection = Objection(TENANT, lost, before, 0, percent, administrator=True, what=what)
    return [(objection, _of(planned, (*TAKING_AWAY, *MAKING)))]


def _thinned(planned: pl.DataFrame, evidence: Evidence) -> Found:
    """Groups that hold far fewer than they did, and would get many again: their members may have been left out of the reading."""
    adding = _of(planned, JOINING).group_by(link="subject").agg(adding=pl.len())
    thin = (
        evidence.sizes.filter(pl.col("before") > FEW, pl.col("now") < pl.col("before") * THIN)
        .join(adding, on="link")
        .filter(pl.col("adding") * 2 >= pl.col("before") - pl.col("now"))
    )
    if thin.is_empty():
        return None
    held = _of(planned, (*JOINING, *REMOVALS, Kind.CREATE_TEAM)).filter(pl.col("subject").is_in(thin["link"].implode()))
    return Objection(GROUP, thin.height, evidence.sizes.height, 0, THIN * 100, administrator=True), held
