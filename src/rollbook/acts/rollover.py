"""The end of an academic period: which teams end, go on and begin, which a person may let go on, which groups are left over.

Looking changes nothing. Letting a team go on moves its link and its mark to the team that begins, and nothing at Microsoft: the next
synchronization gives it the new name and people.
"""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from django.db import transaction

from rollbook.acts.connections import connection_of
from rollbook.acts.desk import Desk
from rollbook.acts.profiles import Author, newest, profile_in_force
from rollbook.acts.profiles import find as find_profile
from rollbook.acts.teams_known import Team, find, known
from rollbook.desired import managed_people
from rollbook.desired.continuing import in_both
from rollbook.desired.rollover import LEFT, LINKED, State, Turn, Why, left_over, turn
from rollbook.errors import InputRefused
from rollbook.profiles import Profile, parse
from rollbook.store import decisions, links
from rollbook.store.links import By
from rollbook.store.memory import InstituteRegister
from rollbook.store.models import Decision, Institute, Link, ProfileVersion
from rollbook.store.rosters import read_earlier_classes

MADE_OF = {"group": "each group", "subject": "each subject", "group_subject": "each combination of group and subject"}

REASONS: Mapping[Why, str] = {
    Why.PERIOD_OVER: "its academic period is over",
    Why.OTHER_PERIOD: "the profile is about another academic period",
    Why.NOTHING: "by the profile nothing becomes a team",
    Why.MODE_CHANGED: "the profile makes a team of {made_of} now",
    Why.OUT_OF_SCOPE: "the profile leaves it out",
    Why.CLASS_GONE: "the register has none of its classes any more",
    Why.GROUP_TYPE_CHANGED: "its hierarchy makes groups of the other type now",
    Why.LEVEL_OFF: "its hierarchy or one of its levels is off, or Teams uses the level",
    Why.NOBODY_THERE: "nobody's path leads there any more, so everybody is taken out but its owners",
}


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: by which profile (empty: the one that runs), on which day where the institute is, by whom."""

    institute: Institute
    profile: str | None
    day: dt.date
    author: Author

    def version(self) -> ProfileVersion:
        """The version of the profile that counts."""
        if self.profile is None:
            return profile_in_force(self.institute, self.day)
        return newest(find_profile(self.institute, self.profile))


@dataclass(frozen=True, slots=True)
class Line:
    """One team, or group of the structure. `handle` is what to type for it; `after` names the team whose chat it goes on with."""

    state: str
    name: str
    handle: str
    link: int | None
    reason: str
    day: dt.date | None
    archived: bool
    after: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two teams that may be one chat going on; `shared` of the `students` of the new one were among the `before` of the old."""

    old: str
    old_handle: str
    new: str
    new_handle: str
    same_group: bool
    shared: int
    students: int
    before: int

    @property
    def command(self) -> str:
        """What to type to let it go on."""
        return shlex.join(["rollbook", "rollover", "continue", self.old_handle, self.new_handle])

    @property
    def told(self) -> str:
        """How the two belong together."""
        same = "the same in another academic period; " if self.same_group else ""
        if not self.before:
            return f"{same}the register does not have its students any more"
        return f"{same}{self.shared} of {self.students} students were in it"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a rollover would be about, by a profile on a day."""

    profile: str
    day: dt.date
    teams: tuple[Line, ...]
    candidates: tuple[Candidate, ...]
    left: tuple[Line, ...]

    def of(self, state: State) -> list[Line]:
        """The teams that end, go on, or begin."""
        return [each for each in self.teams if each.state == state]


def look(request: Request) -> Seen:
    """What ends, goes on and begins, which may be one chat, and what is left over. Nothing is asked of Microsoft."""
    version = request.version()
    profile, rows = parse(version.document), known(request.institute)
    found, left = judged(request.institute, profile, request.day, rows)
    return Seen(
        version.profile.name,
        request.day,
        tuple(_lines(request.institute, found.teams, rows, profile)),
        tuple(_candidates(found.candidates, rows)),
        tuple(_left(left, rows)),
    )


def judged(institute: Institute, profile: Profile, day: dt.date, rows: pl.DataFrame) -> tuple[Turn, pl.DataFrame]:
    """What becomes of teams, and the groups of the structure that are left over (schema LEFT), of `rows` (schema KNOWN)."""
    register = InstituteRegister(institute)
    roster = register.read()
    linked = rows.filter(pl.col("object_id").is_not_null())
    teams = linked.filter(pl.col("kind") == Link.Kind.TEAM.value).select(LINKED.keys()).cast(pl.Schema(LINKED))
    nodes = linked.filter(pl.col("kind") == Link.Kind.NODE.value).select("key", "link", "label", "archived")
    turned = turn(roster, profile, day, teams, read_earlier_classes(institute))
    if nodes.is_empty():
        return turned, pl.DataFrame(schema=pl.Schema(LEFT))
    people = managed_people(roster, profile, day, register.departed())
    return turned, left_over(roster, profile, day, people, nodes)


def _lines(institute: Institute, teams: pl.DataFrame, rows: pl.DataFrame, profile: Profile) -> list[Line]:
    of_teams = rows.filter(pl.col("kind") == Link.Kind.TEAM.value)
    after = links.taken_over(connection_of(institute).tenant, Link.Kind.TEAM)
    called = after.join(of_teams.select(before="link", after="name"), on="before").select("link", "after")
    named = teams.join(of_teams.select("key", "period", "name", "handle"), on=["key", "period"], maintain_order="left")
    told = named.join(called, on="link", how="left", maintain_order="left")
    return [_line(row, row["state"], profile) for row in told.iter_rows(named=True)]


def _left(left: pl.DataFrame, rows: pl.DataFrame) -> list[Line]:
    named = left.join(rows.select("link", "name", "handle"), on="link", maintain_order="left")
    return [_line({"day": None, "after": None, **row}, "left") for row in named.iter_rows(named=True)]


def _line(row: Mapping[str, Any], state: str, profile: Profile | None = None) -> Line:
    made_of = MADE_OF.get(profile.teams.create, "") if profile else ""
    reason = REASONS[Why(row["why"])].format(made_of=made_of) if row["why"] else ""
    archived, after = bool(row["archived"]), row["after"] or ""
    return Line(state, row["name"], row["handle"], row["link"], reason, row["day"], archived, after)


def _candidates(found: pl.DataFrame, rows: pl.DataFrame) -> list[Candidate]:
    old = rows.select("link", old="name", old_handle="handle")
    new = rows.filter(pl.col("kind") == Link.Kind.TEAM.value).select("key", "period", new="name", new_handle="handle")
    named = found.join(old, on="link", maintain_order="left").join(new, on=["key", "period"], maintain_order="left")
    return [Candidate(**row) for row in named.select(Candidate.__slots__).iter_rows(named=True)]


@dataclass(frozen=True, slots=True)
class GoingOn:
    """A team that goes on as another one; `told` are the sentences somebody should read before they say so."""

    old: Team
    new: Team
    told: tuple[str, ...] = ()


def going_on(request: Request, old_text: str, new_text: str) -> GoingOn:
    """The two teams that are named, checked: NEW may take over OLD's team. InputRefused with a sentence where it may not."""
    rows = known(request.institute)
    teams = rows.filter(pl.col("kind") == Link.Kind.TEAM.value)
    old, new = find(teams, old_text), find(teams, new_text)
    _require_different(old, new)
    roster = InstituteRegister(request.institute).read()
    turned, _ = judged(request.institute, parse(request.version().document), request.day, teams)
    wanted = turned.teams.filter(pl.col("link") == old.link)["state"].to_list() == [State.CONTINUES.value]
    if wanted and not (old.begin and new.begin and old.begin < new.begin):
        raise InputRefused(
            f"{old.name} is still wanted beside {new.name}, so it cannot go on as it.",
            remedy="Only a team that ends, or of an earlier academic period, goes on as another.",
        )
    earlier = read_earlier_classes(request.institute)
    shared, students = in_both(roster, (old.key, old.period), (new.key, new.period), earlier)
    told = [
        f"{shared:,} of the {students:,} students of {new.name} were in it; the others will read what was written there."
    ]
    if wanted:
        told.append(
            f"{old.name} is still kept in step today; from now on nobody is added to it or removed from it, until {new.name} counts."
        )
    return GoingOn(old, new, tuple(told))


def _require_different(old: Team, new: Team) -> None:
    """InputRefused unless OLD has a team, NEW has none, and they do not go back in time."""
    if old == new:
        raise InputRefused(
            f"{old.name} is the same team twice.", remedy="Name the one that ends, then the one that begins."
        )
    _require_team(old)
    if new.object_id is not None:
        raise InputRefused(
            f"{new.name} has a team of its own already.",
            remedy=f"Nothing was changed. End its link first, that team then stays as it is: {unlinking(new)}",
        )
    if old.begin and new.begin and old.begin > new.begin:
        raise InputRefused(
            f"{old.name} belongs to a later academic period than {new.name}.",
            remedy="A team goes on into a later one only.",
        )


def _require_team(team: Team) -> None:
    """InputRefused unless the team is linked to a group."""
    if team.object_id is None:
        raise InputRefused(f"{team.name} has no team.", remedy="`rollbook rollover` lists those that have one.")


def _require_open(desk: Desk, team: Team) -> None:
    """InputRefused if the team is archived: Microsoft is asked, because somebody may have done that there, or undone it."""
    archived = bool(desk.reader.archived([str(team.object_id)]))
    held = [int(team.link or 0)]
    links.remember_archived(desk.tenant, held if archived else [], [] if archived else held, desk.author.clock.now())
    if archived:
        command = shlex.join(["rollbook", "rollover", "unarchive", team.handle])
        raise InputRefused(f"The team of {team.name} is archived.", remedy=f"Take it back first: {command}")


def unlinking(team: Team) -> str:
    """What to type to end a team's link."""
    return shlex.join(["rollbook", "link", "unlink", "--class", team.handle])


def continue_team(desk: Desk, pair: GoingOn) -> None:
    """Let NEW take over OLD's team, with its mark; OLD has none any more. Writes nothing at Microsoft.

    InputRefused if the team is archived.
    """
    _require_open(desk, pair.old)
    by = By(desk.author.actor.name, desk.author.clock.now(), "goes on")
    subject = pl.DataFrame(
        {"subject": [pair.new.subject], "period": [pair.new.period]}, schema={"subject": pl.Int64, "period": pl.Int64}
    )
    with transaction.atomic():
        new = links.reserve(desk.tenant, desk.institute, Link.Kind.TEAM, subject)["link"][0]
        _move(desk, pair.old, new, by)
        content = {"link": new, "before": pair.old.link, "object_id": pair.old.object_id}
        desk.changed("team.continued", content)


def parting(desk: Desk, new_text: str) -> GoingOn:
    """NEW, and the team whose chat it goes on with, which could have it back. InputRefused if it took over none."""
    rows = known(desk.institute)
    teams = rows.filter(pl.col("kind") == Link.Kind.TEAM.value)
    new = find(teams, new_text)
    _require_team(new)
    before = links.taken_over(desk.tenant, Link.Kind.TEAM).filter(pl.col("link") == new.link)["before"].to_list()
    if not before:
        raise InputRefused(f"{new.name} did not take over another team.", remedy="Nothing needs to be done.")
    old = find(teams.filter(pl.col("link") == before[0]), teams.filter(pl.col("link") == before[0])["handle"][0])
    if old.object_id is not None:
        raise InputRefused(f"{old.name} has another team by now.", remedy=f"End its link first: {unlinking(old)}")
    _require_open(desk, new)
    return GoingOn(old, new)


def part_team(desk: Desk, pair: GoingOn) -> None:
    """Give back what NEW took over, as `parting` found it; NEW gets a team of its own."""
    new, before = pair.new, int(pair.old.link or 0)
    now = desk.author.clock.now()
    by = By(desk.author.actor.name, now, "does not go on")
    with transaction.atomic():
        _move(desk, new, before, by)
        # Without this, it would wait for somebody to say whether the team it had is meant after all.
        decisions.decide(desk.tenant, int(new.link or 0), Decision.Kind.NEW, by.actor, by.reason, now)
        desk.changed("team.parted", {"link": new.link, "before": before, "object_id": new.object_id})


def _move(desk: Desk, holder: Team, taker: int, by: By) -> None:
    """The group of `holder`, with the mark it carries, is the link's `taker` from now on."""
    found = desk.reader.groups_by_id([str(holder.object_id)])
    if found.is_empty():
        raise InputRefused(
            f"The group of {holder.name} is no longer in the tenant.",
            remedy="Restore it at Microsoft, or undo the link.",
        )
    mark = found["mark"][0]
    if mark is not None and not Link.objects.filter(object_id=holder.object_id, mark=mark).exists():
        raise InputRefused(
            f"The group of {holder.name} does not carry our mark.",
            remedy="Look who else manages it; nothing was changed.",
        )
    schema = {"link": pl.Int64, "object_id": pl.String, "object_mark": pl.String}
    moved = [(holder.link, None, None), (taker, holder.object_id, mark)]
    links.change(desk.tenant, desk.institute, Link.Kind.TEAM, pl.DataFrame(moved, schema=schema, orient="row"), by)
