"""How long what runs and deliveries left is kept: the settings, each with its meaning, and which runs are past them. Frames only."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from rollbook.errors import InputRefused

Schema = Mapping[str, pl.DataType | type[pl.DataType]]

NEWEST_RUNS = 50
"""Of a tenant, so many newest runs are kept whole whatever their age: as many as `rollbook explain` looks at."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as documentation and messages name it."""

    name: str
    variable: str
    default: int
    unit: str
    meaning: str
    why: str


SETTINGS: Sequence[Setting] = (
    Setting(
        "preview_days",
        "ROLLBOOK_KEEP_PREVIEW_DAYS",
        14,
        "days",
        "a plan that was replaced by a newer one before anything of it was carried out",
        "nobody approves it any more; two weeks are enough to look up what it had said",
    ),
    Setting(
        "quiet_days",
        "ROLLBOOK_KEEP_QUIET_DAYS",
        7,
        "days",
        "what waited in a run that carried nothing out",
        "the newest look at everything says what waits now; a week shows since when",
    ),
    Setting(
        "change_days",
        "ROLLBOOK_KEEP_CHANGE_DAYS",
        180,
        "days",
        "changes, values, requests and answers of a run that carried something out",
        "so long `show` tells each of them and `undo` can put them back; half a year is a school term and its holidays",
    ),
    Setting(
        "changes",
        "ROLLBOOK_KEEP_CHANGES",
        2_000_000,
        "changes",
        "of an institute in a tenant, the oldest runs giving way first, whatever their age",
        "bounds the database whatever happens: two million changes take about 300 MB",
    ),
    Setting(
        "run_days",
        "ROLLBOOK_KEEP_RUN_DAYS",
        730,
        "days",
        "a run in numbers: when, who, how many, approvals, the proof's result",
        "this school year can be compared with the last one",
    ),
    Setting(
        "delivery_days",
        "ROLLBOOK_KEEP_DELIVERY_DAYS",
        60,
        "days",
        "the findings of a delivery, and rows of people and enrolments that a later delivery replaced",
        "a complaint about a file comes within weeks; old rows hold names that somebody no longer has",
    ),
)
"""Every setting of an installation about what is kept."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """How much is kept. Each number is explained in SETTINGS; an environment variable overrides its default."""

    preview_days: int
    quiet_days: int
    change_days: int
    changes: int
    run_days: int
    delivery_days: int


def keeping(environment: Mapping[str, str]) -> Keeping:
    """The settings of this installation. Raises InputRefused if a variable is no number of at least 1."""
    return Keeping(**{setting.name: _number(setting, environment) for setting in SETTINGS})


def _number(setting: Setting, environment: Mapping[str, str]) -> int:
    text = environment.get(setting.variable) or str(setting.default)
    if not text.isdecimal() or int(text) < 1:
        raise InputRefused(
            f"{setting.variable} is {text!r}, which is no number of {setting.unit}.",
            remedy=f"It says how long this is kept: {setting.meaning}. The default is {setting.default}.",
        )
    return int(text)


RUNS: Schema = {
    "run": pl.Int64,
    "number": pl.Int64,
    "institute": pl.Int64,
    "profile": pl.Int64,
    "state": pl.String,
    "part": pl.Boolean,  # it was about a part of the school
    "synchronization": pl.Boolean,
    "first_run": pl.Boolean,
    "begun": pl.Boolean,
    "proven": pl.Boolean,
    "counted": pl.Boolean,  # it remembers the rows of the register it was made from
    "totals": pl.Boolean,  # it remembers how much is managed
    "needed": pl.Boolean,  # something names it, as an account it disabled
    "pruned": pl.Boolean,
    "last": pl.Datetime("us", "UTC"),  # when it ended, or was made
    "changes": pl.Int64,  # rows that are there
    "acted": pl.Boolean,  # one of them did more than wait
}
"""The runs of one tenant, as the choice looks at them."""

OPEN = ("planned", "approval_due", "applying")
"""States of runs that wait, or are not finished."""

BEGUN_SYNC = pl.col("synchronization") & pl.col("begun")
WHOLE = ~pl.col("part")

NEWEST: Sequence[tuple[pl.Expr, tuple[str, ...]]] = (
    (BEGUN_SYNC & WHOLE & (pl.col("state") != "applying"), ("institute",)),  # what waits (store.memory.waiting_runs)
    (WHOLE, ("institute",)),  # matches to review, what teams wait for (store.review, acts.structure)
    (pl.col("proven") & WHOLE, ("institute",)),  # the proof that is shown (store.proofs.newest_proven)
    (pl.col("proven"), ("institute",)),
    (BEGUN_SYNC & pl.col("counted"), ("institute",)),  # what the next register is compared with (store.seen)
    (pl.col("totals"), ("institute",)),  # what guards compare a part with (store.points)
    (BEGUN_SYNC, ("institute",)),
    (BEGUN_SYNC, ("profile",)),  # which profile ran last (acts.accounts.settings_followed)
    (BEGUN_SYNC & ~pl.col("first_run"), ("profile",)),  # whether its first run is over (store.memory.first_run)
)
"""Of which runs the newest of each institute or profile is asked for again, and so is kept whole."""


@dataclass(frozen=True, slots=True)
class Expired:
    """Runs that are past the settings: `gone` are deleted, of `emptied` only the numbers stay. Keys of runs, the oldest first."""

    gone: list[int]
    emptied: list[int]


def expired(runs: pl.DataFrame, kept: Keeping, now: dt.datetime) -> Expired:
    """Which of a tenant's runs (schema RUNS) are past the settings, and are not asked for any more."""

    def older(days: int) -> pl.Expr:
        return pl.col("last") < now - dt.timedelta(days=days)

    free = (
        runs.sort("number")
        .with_columns(beyond=pl.col("changes").reverse().cum_sum().reverse().over("institute") > kept.changes)
        .filter(~pl.col("state").is_in(OPEN))
        .join(pinned(runs), on="run", how="anti")
    )
    never_begun = (pl.col("state") == "superseded") & ~pl.col("begun")
    replaced = never_begun & older(kept.preview_days)
    over = pl.col("pruned") & (pl.col("changes") == 0) & ~pl.col("needed") & older(kept.run_days)
    quiet = ~pl.col("acted") & older(kept.quiet_days)
    emptied = ~pl.col("pruned") & ~never_begun & (quiet | older(kept.change_days) | pl.col("beyond"))
    return Expired(_keys(free.filter(replaced | over)), _keys(free.filter(emptied)))


def _keys(runs: pl.DataFrame) -> list[int]:
    return runs["run"].to_list()


def pinned(runs: pl.DataFrame) -> pl.DataFrame:
    """[run] of those that are kept whole whatever their age: the newest, and what later plans, pages and commands ask for."""
    ordered = runs.sort("number")
    found = [ordered.tail(NEWEST_RUNS).select("run")]
    found += [ordered.filter(which).unique(by, keep="last").select("run") for which, by in NEWEST]
    # Of what waits, a part since the last look at everything says more than that look.
    whole = ordered.filter(NEWEST[0][0]).group_by("institute").agg(since=pl.col("number").max())
    since = ordered.filter(BEGUN_SYNC).join(whole, on="institute", how="left")
    found.append(since.filter(pl.col("number") > pl.col("since").fill_null(0)).select("run"))
    # A first run of which a part still waits keeps the next one a first run.
    over = ordered.filter(BEGUN_SYNC & ~pl.col("first_run")).select("profile")
    found.append(ordered.filter(BEGUN_SYNC).join(over, on="profile", how="anti").select("run"))
    return pl.concat(found).unique()


def described(kept: Keeping) -> list[dict[str, Any]]:
    """Each setting with what it is now, as `rollbook prune --json` and the documentation list them."""
    return [{**dataclasses.asdict(setting), "now": getattr(kept, setting.name)} for setting in SETTINGS]
