"""How soon a plan can be done at most, and which of Microsoft's quotas says so: counted from the changes, before anything is sent. Pure."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import polars as pl

from rollbook.apply.requests import ADDITIONS, RELATIONS_PER_REQUEST
from rollbook.graph.protocol import Request
from rollbook.graph.quotas import SUSTAINED, WRITES, Quota, Scope, draws
from rollbook.plan.changes import ChangeVerdict, Kind

OPEN = (int(ChangeVerdict.PLANNED), int(ChangeVerdict.SENT))

_DIRECTORY = Request("PATCH", "/groups/x")
_CLASS = Request("POST", "/education/classes")
_TEAM = Request("POST", "/teams")
_OTHER_TEAM = Request("POST", "/teams/x/archive")

REQUESTS: Mapping[Kind, tuple[Request, ...]] = {
    Kind.LINK_USER: (),
    Kind.LINK_GROUP: (),
    Kind.DISABLE_USER: (_DIRECTORY, _DIRECTORY),  # and the end of all sessions
    Kind.CREATE_CLASS: (_CLASS,),
    Kind.UPDATE_CLASS: (_CLASS,),
    Kind.CREATE_TEAM: (_TEAM,),
    Kind.ARCHIVE_TEAM: (_OTHER_TEAM,),
    Kind.UNARCHIVE_TEAM: (_OTHER_TEAM,),
}
"""Writes that stand for those of a kind, as far as quotas go; a change of the directory each for kinds not named here."""

WORTH_SAYING = 1.0


@dataclass(frozen=True, slots=True)
class Bound:
    """No run can be done before `seconds`, because of `quota` (None: nothing holds it back); `writes` are those it holds back.

    `young` says that teams are made of groups that are made too, which Microsoft may refuse for fifteen minutes.
    """

    seconds: float
    quota: Quota | None
    writes: int
    young: bool

    def as_json(self) -> dict[str, object]:
        """As `--json` prints it."""
        name = self.quota.name if self.quota else None
        return {"seconds": round(self.seconds, 1), "quota": name, "writes": self.writes, "young_teams": self.young}


NONE = Bound(0.0, None, 0, young=False)
"""Nothing holds anything back."""


def bound_of(changes: pl.DataFrame, left: Callable[[Quota], float] | None = None) -> Bound:
    """The bound of the open changes (schema CHANGES); `left` tells what is there of a quota now, else all of it is."""
    counts = requests_of(changes)
    drawn: Counter[Quota] = Counter()
    for request, count in counts.items():
        for draw in draws(request):
            if draw.quota.scope == Scope.OURS and not draw.each:
                drawn[draw.quota] += int(draw.cost * count)
    found = Bound(0.0, None, 0, counts[_TEAM] > 0 and _makes_groups(changes))
    for quota, cost in drawn.items():
        there = left(quota) if left is not None and quota is WRITES else quota.burst
        seconds = max(0.0, cost - there) / quota.rate
        if seconds > found.seconds:
            found = Bound(seconds, quota, cost, found.young)
    return found


def requests_of(changes: pl.DataFrame) -> Counter[Request]:
    """How many writes of each sort the open changes (schema CHANGES) take."""
    still = changes.filter(pl.col("verdict").is_in(OPEN))
    additions = pl.col("kind").is_in([int(kind) for kind in ADDITIONS])
    counts: Counter[Request] = Counter()
    for kind, count in still.filter(~additions).group_by("kind").len().iter_rows():
        for request in REQUESTS.get(Kind(kind), (_DIRECTORY,)):
            counts[request] += count
    creating = still.filter(pl.col("kind") == int(Kind.CREATE_UNIFIED)).select("subject", carried=pl.lit(20))
    joining = pl.col("kind") == int(Kind.JOIN_LICENCE_GROUP)
    groups = still.filter(additions).group_by("subject", joining.alias("joining")).len()
    left = groups.join(creating, on="subject", how="left").select(
        pl.max_horizontal(pl.col("len").cast(pl.Int64) - pl.col("carried").fill_null(0), 0)
    )
    counts[_DIRECTORY] += sum(math.ceil(count / RELATIONS_PER_REQUEST) for count in left.to_series())
    return counts


def _makes_groups(changes: pl.DataFrame) -> bool:
    making = [int(kind) for kind in (Kind.CREATE_CLASS, Kind.CREATE_UNIFIED)]
    return not changes.filter(pl.col("kind").is_in(making), pl.col("verdict").is_in(OPEN)).is_empty()


def sentence(bound: Bound, begins: dt.datetime | None = None, time_zone: str = "UTC") -> str:
    """The bound in plain words: not before a time of day if it begins now, else how long it takes at least; empty if it is no matter."""
    said = []
    if bound.quota is not None and bound.seconds >= WORTH_SAYING:
        rate = f"{bound.quota.size / bound.quota.seconds * bound.quota.sustained:.3g}"
        listed = f", {SUSTAINED:.0%} of what it lists," if bound.quota.sustained < 1 else ""
        if begins is None:
            when = f"Takes {duration(bound.seconds)} at least"
        else:
            when = f"Not before {begins.astimezone(ZoneInfo(time_zone)) + dt.timedelta(seconds=bound.seconds):%H:%M}"
        said.append(
            f"{when}, because Microsoft allows {rate} {bound.quota.what} a second{listed} and {bound.writes:,} are due."
        )
    if bound.young:
        said.append("New teams may take 15 minutes more: so long Microsoft may refuse to make a team of a new group.")
    return " ".join(said)


def duration(seconds: float) -> str:
    """A time span as people say it: 40 s, 12 min, 3 h 20 min."""
    if seconds < 100:
        return f"{math.ceil(seconds)} s"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
