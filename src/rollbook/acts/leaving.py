"""What a newly saved version of a profile leaves behind: teams and groups of hierarchies that are there and wanted no longer."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from rollbook.acts.rollover import judged
from rollbook.acts.teams_known import known
from rollbook.desired.rollover import State
from rollbook.profiles import Profile
from rollbook.store.models import Connection, Institute


@dataclass(frozen=True, slots=True)
class Leaving:
    """How many teams, and groups of hierarchies, the newer settings leave that the older ones wanted."""

    teams: int = 0
    nodes: int = 0


def left_by(institute: Institute, before: Profile, after: Profile, day: dt.date) -> Leaving:
    """What `after` leaves behind on a day that `before` wanted; nothing where neither Teams nor hierarchies changed."""
    same = (before.teams.create, before.hierarchies) == (after.teams.create, after.hierarchies)
    if same or not Connection.objects.filter(institute=institute, purpose=Connection.Purpose.MAIN).exists():
        return Leaving()
    rows = known(institute)
    if rows["object_id"].null_count() == rows.height:
        return Leaving()
    (teams, nodes), (teams_now, nodes_now) = (_left(institute, settings, day, rows) for settings in (before, after))
    return Leaving(len(teams_now - teams), len(nodes_now - nodes))


def _left(institute: Institute, settings: Profile, day: dt.date, rows: pl.DataFrame) -> tuple[set[int], set[int]]:
    """The links of teams, and of groups of hierarchies, of `rows` that these settings do not want."""
    turned, left = judged(institute, settings, day, rows)
    return set(turned.teams.filter(pl.col("state") == State.ENDS.value)["link"]), set(left["link"])
