"""What a profile makes of the register, looked at before anything is made: its teams and the tree of the school's structure.

A profile need not be enabled, and no tenant be connected; where one is, what the newest plan knows is told too. Nothing is changed.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from rollbook.acts.profiles import find as find_profile
from rollbook.acts.profiles import newest
from rollbook.acts.rollover import MADE_OF
from rollbook.acts.rollover import REASONS as NOT_WANTED
from rollbook.acts.spreadsheet import as_csv
from rollbook.acts.teams_known import known
from rollbook.acts.tenants import planned_with
from rollbook.apply.whys import cause_sentence
from rollbook.desired import managed_people
from rollbook.desired.outlook import TeamsToBe, Tree, numbered_text, teams_to_be, tree_to_be
from rollbook.desired.rollover import LINKED, State, Why, left_over, turn
from rollbook.directory.state import Relation
from rollbook.errors import InputRefused
from rollbook.plan.limits import MEMBERS_A_CLASS
from rollbook.profiles import Profile, parse, what_became
from rollbook.roster.tables import Roster
from rollbook.store import groupings
from rollbook.store.links import linked_subjects
from rollbook.store.memory import InstituteRegister
from rollbook.store.models import PARTS, Connection, Grouping, Institute, Link, Run, Tenant
from rollbook.store.proofs import newest_proven, read_groups
from rollbook.store.reasons import what_waits, why_undone

NO_TEACHER = "no teacher yet"
"""What the plan says too, of teams that nobody owns."""


@dataclass(frozen=True, slots=True)
class Request:
    """By which profile, on which day where the institute is."""

    institute: Institute
    profile: str
    day: dt.date


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody by sourced id; `waits` says why the account, or a licence, does, as far as the newest plan knows."""

    sourced_id: str
    name: str = field(repr=False)
    waits: str = ""


@dataclass(frozen=True, slots=True)
class Team:
    """A team as it will be; `made` says whether it has a group already (None: no tenant), `waits` what it still waits for.

    `kind` is that of the group that is there, else of the one that will be; `alike` says that others are called like it.
    """

    name: str
    sourced_id: str | None
    code: str | None
    academic_period: str | None
    kind: str
    owners: tuple[Person, ...]
    members: tuple[str, ...] = field(repr=False)  # sourced ids of everybody in it, owners among them
    held: int
    made: bool | None
    waits: tuple[str, ...]
    warnings: tuple[str, ...]
    alike: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """A team, or a group of a hierarchy, that is there and not wanted any more; `handle` is what `rollbook rollover` takes for it."""

    name: str
    handle: str
    reason: str
    archived: bool


@dataclass(frozen=True, slots=True)
class Teams:
    """The teams a profile makes, and those that are no longer managed; `run` is the plan that says what waits, None without one."""

    profile: str
    mode: str
    teams: tuple[Team, ...]
    left: tuple[Left, ...]
    run: int | None


@dataclass(frozen=True, slots=True)
class _Looked:
    """What both looks need: the register, the settings, who is managed, and the tenant if one is connected."""

    request: Request
    profile: str
    settings: Profile
    roster: Roster
    people: pl.DataFrame
    released: pl.Series
    tenant: Tenant | None


def _look(request: Request) -> _Looked:
    found = find_profile(request.institute, request.profile)
    settings = planned_with(request.institute, parse(newest(found).document), Connection.Purpose.MAIN)
    register = InstituteRegister(request.institute)
    roster = register.read()
    connection = Connection.objects.filter(institute=request.institute, purpose=Connection.Purpose.MAIN).first()
    people = managed_people(roster, settings, request.day, register.departed())
    tenant = connection.tenant if connection else None
    return _Looked(request, found.name, settings, roster, people, register.released(), tenant)


def teams_of(request: Request) -> Teams:
    """The teams of a profile by academic period and name, 7A before 10A; InputRefused if there is no such profile."""
    look = _look(request)
    placed = _placed(look, Grouping.Kind.TEAM)
    made = placed.filter(pl.col("object_id").is_not_null())
    found = teams_to_be(
        look.roster, look.settings, request.day, look.people, made.select("key", "period"), look.released
    )
    run = _newest_plan(look)
    said = _said_of_teams(run, placed)
    owners = _owners(look, found, run)
    there = set(made.select("key", "period").iter_rows())
    problems = _problems(found.problems)
    members = _members(look.roster, found)
    kinds = _kinds_there(look, placed)
    rows = sorted(
        found.teams.iter_rows(named=True), key=lambda row: (row["begin"] or dt.date.max, numbered_text(row["name"]))
    )
    teams = tuple(
        _team(
            row,
            _Beside(owners.get(row["team"], ()), members.get(row["team"], ()), problems.get(row["team"], ())),
            said.get((row["key"], row["period"]), ()),
            None if look.tenant is None else (row["key"], row["period"]) in there,
        )
        for row in ({**row, "kind": kinds.get((row["key"], row["period"]), row["kind"])} for row in rows)
    )
    teams = _told_apart(teams)
    left = _left_teams(look, made)
    return Teams(look.profile, look.settings.teams.create, teams, left, run.number if run else None)


def _kinds_there(look: _Looked, placed: pl.DataFrame) -> dict[tuple[str, int], str]:
    """The kind of group each team has at Microsoft, by the newest proof; a template that was changed since makes new ones only."""
    run = newest_proven(look.tenant, look.request.institute) if look.tenant else None
    if run is None:
        return {}
    seen = read_groups(run).filter("there").select("kind", link="team")
    found = placed.drop_nulls("object_id").join(seen, on="link").select("key", "period", "kind")
    return {(key, period): kind for key, period, kind in found.iter_rows()}


def _told_apart(teams: tuple[Team, ...]) -> tuple[Team, ...]:
    """The teams, those that are called like others of their academic period with a warning."""
    alike = Counter((team.academic_period, team.name.casefold()) for team in teams)
    return tuple(
        replace(team, warnings=(*team.warnings, f"{count} teams would be called {team.name}"), alike=True)
        if (count := alike[team.academic_period, team.name.casefold()]) > 1
        else team
        for team in teams
    )


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is told of a team beside its own row."""

    owners: tuple[Person, ...]
    members: tuple[str, ...]
    problems: Sequence[str]


def _placed(look: _Looked, kind: Grouping.Kind) -> pl.DataFrame:
    """Everything of this kind the institute ever had, with its link (schema groupings.PLACED); nothing without a tenant."""
    if look.tenant is None:
        return pl.DataFrame(schema=pl.Schema(groupings.PLACED))
    return groupings.placed(look.tenant, look.request.institute, kind)


def _newest_plan(look: _Looked) -> Run | None:
    runs = Run.objects.filter(institute=look.request.institute, purpose=Run.Purpose.SYNCHRONIZATION)
    return runs.filter(tenant=look.tenant).exclude(scope__in=PARTS).order_by("-number").first() if look.tenant else None


def _said_of_teams(run: Run | None, placed: pl.DataFrame) -> dict[tuple[str, int], list[str]]:
    """What the plan says each team, by key and academic period, waits for."""
    waiting = what_waits(run)
    said: dict[tuple[str, int], list[str]] = {}
    for key, period, cause in placed.join(waiting, on="link").select("key", "period", "cause").iter_rows():
        said.setdefault((key, period), []).append(cause_sentence(cause))
    return said


def _problems(problems: pl.DataFrame) -> dict[int, list[str]]:
    told: dict[int, list[str]] = {}
    for of, target, problem in problems.sort("of", "target").select("of", "target", "problem").iter_rows():
        told.setdefault(of, []).append(f"{target}: {problem}")
    return told


def _names(roster: Roster) -> pl.DataFrame:
    """[person, sourced_id, name] of everybody in the register."""
    parts = [pl.coalesce(f"preferred_{part}_name", f"{part}_name") for part in ("given", "family")]
    name = pl.concat_str(parts, separator=" ", ignore_nulls=True)
    return roster.people.select("person", "sourced_id", name=name)


def _owners(look: _Looked, found: TeamsToBe, run: Run | None) -> dict[int, tuple[Person, ...]]:
    """The owners of each team by name, with what their accounts wait for."""
    owning = found.inside.filter(pl.col("relation") == int(Relation.OWNER), ~pl.col("held")).select("team", "person")
    named = owning.join(_names(look.roster), on="person").join(_undone(look, run), on="person", how="left")
    people: dict[int, list[Person]] = {}
    for row in named.sort("team", "name", "sourced_id").iter_rows(named=True):
        people.setdefault(row["team"], []).append(Person(row["sourced_id"], row["name"], row["why"] or ""))
    return {team: tuple(each) for team, each in people.items()}


def _members(roster: Roster, found: TeamsToBe) -> dict[int, tuple[str, ...]]:
    """The sourced ids of everybody in each team."""
    inside = found.inside.filter(pl.col("relation") == int(Relation.MEMBER), ~pl.col("held"))
    named = inside.join(roster.people.select("person", "sourced_id"), on="person").sort("team", "sourced_id")
    return {team: tuple(ids) for team, ids in named.group_by("team").agg("sourced_id").iter_rows()}


def _undone(look: _Looked, run: Run | None) -> pl.DataFrame:
    """[person, why] of people whose accounts wait, by the newest plan."""
    if look.tenant is None:
        return pl.DataFrame(schema={"person": pl.Int64, "why": pl.String})
    links = linked_subjects(look.tenant, Link.Kind.USER).select("link", person="subject")
    return links.join(why_undone(run).filter(~pl.col("open")), on="link").select("person", "why")


def _team(row: Mapping[str, Any], beside: _Beside, said: Sequence[str], made: bool | None) -> Team:
    waits = [f"a mapping gives no usable value for {problem}" for problem in beside.problems]
    waits += [] if beside.owners else [NO_TEACHER]
    # What the register says today counts; what the plan says of it may be older.
    waits += [sentence for sentence in said if sentence != NO_TEACHER]
    waits += [f"the teacher {each.name} ({each.sourced_id}): {each.waits}" for each in beside.owners if each.waits]
    waits += [f"{row['held']:,} held by the sync start date; see `rollbook held`"] if row["held"] else []
    crowded = row["kind"] == "class" and row["members"] > MEMBERS_A_CLASS
    return Team(
        name=row["name"],
        sourced_id=row["sourced_id"],
        code=row["code"],
        academic_period=row["academic_period"],
        kind=row["kind"],
        owners=beside.owners,
        members=beside.members,
        held=row["held"],
        made=made,
        waits=tuple(waits),
        warnings=(CROWDED,) if crowded else (),
    )


CROWDED = f"more than {MEMBERS_A_CLASS} members: Assignments and the class notebook stop working above that"


def _left_teams(look: _Looked, made: pl.DataFrame) -> tuple[Left, ...]:
    """Teams that are there and that the profile wants no longer, each with the reason."""
    if made.is_empty():
        return ()
    named = known(look.request.institute)
    turned = turn(look.roster, look.settings, look.request.day, made.select(LINKED.keys()).cast(pl.Schema(LINKED)))
    return _not_wanted(turned.teams.filter(pl.col("state") == State.ENDS.value), named, look.settings)


def _not_wanted(rows: pl.DataFrame, named: pl.DataFrame, settings: Profile) -> tuple[Left, ...]:
    """What `rows` [link, why, archived] say, under the names and handles of `named` (schema teams_known.KNOWN)."""
    made_of = MADE_OF.get(settings.teams.create, "")
    told = rows.join(named.select("link", "name", "handle"), on="link", how="left", maintain_order="left")
    return tuple(
        Left(name, handle, NOT_WANTED[Why(why)].format(made_of=made_of), archived)
        for name, handle, why, archived in told.select("name", "handle", "why", "archived").iter_rows()
    )


def teams_as_csv(found: Teams) -> tuple[str, int]:
    """The teams as CSV text, a row each, and how many there are."""
    rows = [
        {
            "team": team.name,
            "sourced_id": team.sourced_id,
            "code": team.code,
            "academic_period": team.academic_period,
            "kind": team.kind,
            "owners": ", ".join(owner.name for owner in team.owners),
            "owner_ids": " ".join(owner.sourced_id for owner in team.owners),
            "members": len(team.members),
            "held": team.held,
            "made": team.made,
            "waits_for": "; ".join(team.waits),
            "warning": "; ".join(team.warnings),
        }
        for team in found.teams
    ]
    return as_csv(pl.DataFrame(rows, schema=CSV)), len(rows)


CSV: Mapping[str, pl.DataType | type[pl.DataType]] = {
    **dict.fromkeys(("team", "sourced_id", "code", "academic_period", "kind", "owners", "owner_ids"), pl.String),
    **dict.fromkeys(("members", "held"), pl.Int64),
    "made": pl.Boolean,
    **dict.fromkeys(("waits_for", "warning"), pl.String),
}


def left_as_csv(found: Teams) -> tuple[str, int]:
    """The teams that are no longer managed as CSV text, a row each, and how many there are."""
    schema = {"team": pl.String, "id": pl.String, "reason": pl.String, "archived": pl.Boolean}
    rows = [(each.name, each.handle, each.reason, each.archived) for each in found.left]
    return as_csv(pl.DataFrame(rows, schema=schema, orient="row")), len(rows)


@dataclass(frozen=True, slots=True)
class Hierarchies:
    """The tree of a profile: its nodes with people, failing mappings by node, what is said of levels left out, what is left over."""

    profile: str
    tree: Tree
    problems: Mapping[int, list[str]]
    left_out: tuple[str, ...]
    left: tuple[Left, ...]
    names: pl.DataFrame  # [person, sourced_id, name]

    def only(self, hierarchy: str | None) -> Hierarchies:
        """The nodes of one hierarchy, or of all."""
        if hierarchy is None:
            return self
        nodes = self.tree.nodes.filter(pl.col("hierarchy") == hierarchy)
        kept = set(nodes["node"])
        problems = {node: told for node, told in self.problems.items() if node in kept}
        left_out = tuple(told for told in self.left_out if told.startswith(f"hierarchies.{hierarchy}."))
        return replace(self, tree=replace(self.tree, nodes=nodes), problems=problems, left_out=left_out)

    def node(self, text: str) -> Mapping[str, Any]:
        """The one node whose key, path or group is called `text`; InputRefused if there is none, or several."""
        wanted = text.casefold()
        for column in ("key", "label", "called", "name"):
            found = self.tree.nodes.filter(pl.col(column).str.to_lowercase() == wanted)
            if found.height == 1:
                return found.row(0, named=True)
            if found.height > 1:
                keys = "; ".join(found["key"].head(8))
                raise InputRefused(
                    f"{text!r} may be any of {found.height} nodes.", remedy=f"Name one by its key: {keys}."
                )
        raise InputRefused(
            f"The tree has no node {text!r}.",
            remedy="Name it by its path, as the tree shows it, or by its key (--json).",
        )

    def people(self, node: int) -> pl.DataFrame:
        """[sourced_id, name, direct] of everybody in a node and below, those who are no deeper first."""
        inside = self.tree.belonging.filter(pl.col("node") == node).join(self.names, on="person")
        return inside.select("sourced_id", "name", direct="deepest").sort(
            ["direct", "name", "sourced_id"], descending=[True, False, False]
        )


def tree_of(request: Request) -> Hierarchies:
    """The tree of a profile's hierarchies with people in every node; InputRefused if there is no such profile."""
    look = _look(request)
    tree = tree_to_be(look.roster, look.settings, request.day, look.people)
    return Hierarchies(
        look.profile,
        tree,
        _problems(tree.problems),
        tuple(what_became(look.settings)),
        _left_nodes(look),
        _names(look.roster),
    )


def _left_nodes(look: _Looked) -> tuple[Left, ...]:
    """Groups of the structure that are there and for which no node stands any more, each with the reason."""
    made = _placed(look, Grouping.Kind.NODE).filter(pl.col("object_id").is_not_null())
    if made.is_empty():
        return ()
    rows = left_over(
        look.roster, look.settings, look.request.day, look.people, made.select("key", "link", "label", "archived")
    )
    return _not_wanted(rows, known(look.request.institute), look.settings)
