"""Why somebody's account, or a team, is as it is: the rule, the row of the register, the run, the answer of Microsoft.

By the profile that runs on the day, from what is stored: nothing is asked of the tenant, and nothing is changed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from rollbook.acts import teams_known
from rollbook.acts.connections import connection_of
from rollbook.acts.links import Subject, find_subject, shown
from rollbook.acts.naming import PERSON, Desk
from rollbook.acts.profiles import profile_in_force
from rollbook.acts.tenants import planned_with
from rollbook.desired import managed_people
from rollbook.desired.outlook import TeamsToBe, Tree, teams_to_be, tree_to_be
from rollbook.desired.scope import in_scope
from rollbook.desired.teams import team_classes
from rollbook.directory.state import Relation
from rollbook.errors import InputRefused
from rollbook.plan.memberships import BECAUSE
from rollbook.plan.sentences import REASONS
from rollbook.profiles import Profile, parse
from rollbook.roster.tables import Roster
from rollbook.roster.vocabulary import UserType
from rollbook.store import groupings, protection
from rollbook.store.identities import names_of, read_people
from rollbook.store.memory import InstituteRegister
from rollbook.store.models import Account, Connection, Grouping, Institute, Link, Run
from rollbook.store.provenance import Event, Said, events, last_said_of, said_of
from rollbook.words import article

EVENTS = 40
PEOPLE_LISTED = 40


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact in words, and where it comes from ("" where from no row)."""

    text: str = field(repr=False)
    source: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that makes an account or a team what it is. `parts` are facts by their heading, in the order they are read."""

    kind: str
    name: str = field(repr=False)
    sourced_id: str
    parts: Mapping[str, tuple[Fact, ...]] = field(repr=False)
    events: tuple[Event, ...] = field(repr=False)
    more_events: int = 0  # that are not among them


@dataclass(frozen=True, slots=True)
class _Look:
    """The register and the rules on one day."""

    institute: Institute
    day: dt.date
    at_most: int | None
    profile: Profile
    called: str
    roster: Roster
    people: pl.DataFrame
    teams: TeamsToBe
    tree: Tree


def explain(institute: Institute, text: str, day: dt.date, at_most: int | None = EVENTS) -> Explanation:
    """The person (by sourced id or SIS number), or else the team (as `rollbook rollover` names it), that `text` means.

    Of what runs did, the newest `at_most`.

    Raises InputRefused where it means neither, or several.
    """
    found = PERSON.found(institute, text)
    if len(found) == 1:
        return _person(_look(institute, day, at_most), found[0]["entity"], found[0]["sourced_id"])
    if found:
        Desk(institute).the(PERSON, text)
    gone = _gone(institute, text)
    if gone is not None:
        return _person(_look(institute, day, at_most), gone.key, gone.sourced_id)
    rows = teams_known.known(institute)
    if teams_known.meant(rows, text).is_empty():
        raise InputRefused(
            f"{text!r} names neither a person nor a team.",
            remedy="Name a person by sourced id or SIS number (`rollbook accounts list`), a team as `rollbook rollover` does.",
        )
    team = teams_known.find(rows, text)
    return _team(_look(institute, day, at_most), team)


def _gone(institute: Institute, text: str) -> Subject | None:
    """Who was in the register under this sourced id or SIS number and is no longer; None if nobody was."""
    once = read_people(institute)
    if once.filter((pl.col("sourced_id") == text) | (pl.col("sis_number") == text)).is_empty():
        return None
    return find_subject(institute, text, Link.Kind.USER.value)


def _look(institute: Institute, day: dt.date, at_most: int | None) -> _Look:
    version = profile_in_force(institute, day)
    settings = planned_with(institute, parse(version.document), Connection.Purpose.MAIN)
    register = InstituteRegister(institute)
    roster = register.read()
    people = managed_people(roster, settings, day, register.departed())
    made = groupings.made(connection_of(institute).tenant, institute, Grouping.Kind.TEAM)
    return _Look(
        institute,
        day,
        at_most,
        settings,
        f"{version.profile.name}, version {version.number}",
        roster,
        people,
        teams_to_be(roster, settings, day, people, made.select("key", "period"), register.released()),
        tree_to_be(roster, settings, day, people),
    )


def _person(look: _Look, person: int, sourced_id: str) -> Explanation:
    names = look.roster.people.filter(pl.col("person") == person)
    name = (
        " ".join(part for part in names.select("given_name", "family_name").row(0) if part)
        if names.height
        else names_of(look.institute, [person]).get(person) or sourced_id
    )
    held = shown(look.institute, Subject(Link.Kind.USER.value, person, 0, sourced_id))
    parts = {
        "In the register": _said_of_person(look, person),
        f"By the profile {look.called}": _rules_of_person(look, person),
        "At Microsoft": _account(held.link, held.account.user_principal_name if held.account else None, held.account),
        "Teams and groups": _places(look, person),
    }
    return Explanation("person", name, sourced_id, parts, *_events(look, held.link))


def _said_of_person(look: _Look, person: int) -> tuple[Fact, ...]:
    """The person's own rows, then each enrolment and teaching with its class and days."""
    facts = [
        Fact("is a person of the register", str(said)) for said in said_of(look.institute, "people", "entity", [person])
    ]
    types = look.roster.affiliations.filter(pl.col("person") == person)["user_type"].cast(pl.String).unique().sort()
    facts += [Fact(f"is {article(word)}") for word in types]
    classes = look.roster.classes.select("klass", pl.coalesce("title", "sourced_id").alias("title"))
    for table, key, act in (("enrolments", "enrolment", "learns in"), ("teachings", "teaching", "teaches")):
        frame: pl.DataFrame = getattr(look.roster, table)
        rows = frame.filter(pl.col("person") == person).join(classes, on="klass", how="left").sort("title")
        sources = _by_entity(said_of(look.institute, table, "person", [person]))
        facts += [
            Fact(f"{act} {row['title']}{_days(row['begin'], row['end'])}", sources.get(row[key], ""))
            for row in rows.iter_rows(named=True)
        ]
    return tuple(facts) or (Fact("is no longer in the register", last_said_of(look.institute, person)),)


def _days(begin: dt.date | None, end: dt.date | None) -> str:
    """From when until when; the end day is outside (roster-formats)."""
    return (f", from {begin}" if begin else "") + (f" until before {end}" if end else "")


def _by_entity(rows: Iterable[Said]) -> dict[int, str]:
    """Where each record stands, by the source that counts most."""
    found: dict[int, str] = {}
    for row in rows:
        found.setdefault(row.entity, str(row))
    return found


def _rules_of_person(look: _Look, person: int) -> tuple[Fact, ...]:
    if (
        look.roster.people.filter(pl.col("person") == person).height
        and not in_scope(look.roster, look.profile).people.filter(pl.col("person") == person).height
    ):
        return (Fact("is outside the profile's scope, or left out of it: nothing is done"),)
    managed = look.people.filter(pl.col("person") == person)
    if managed.is_empty():
        return (Fact("no action is on for any user type of this person: nothing is done"),)
    row = managed.row(0, named=True)
    kind = UserType(str(row["user_type"]))
    actions = look.profile.users.actions[kind]
    on = [word for word in ("create", "update", "deactivate", "sso") if getattr(actions, word)]
    facts = [Fact(f"counts as {article(kind.value)}; actions that are on: {', '.join(on) or 'none'}")]
    if row["current"]:
        facts.append(Fact("is current: the account is kept, and may sign in"))
    elif row["present"]:
        facts.append(Fact("is in the register without a current enrolment"))
    else:
        facts.append(Fact("has left" + (f", on {row['ended']}" if row["ended"] else "")))
    return tuple(facts)


def _account(link: Link | None, name: str | None, account: Account | None = None) -> tuple[Fact, ...]:
    """What it is linked to, how that came about, and what we did to it that still counts."""
    if link is None or link.object_id is None:
        return (Fact("is linked to nothing there"),)
    origin = "was made by Rollbook" if link.origin == Link.Origin.MADE else "was there before, and was linked"
    since = f", {link.linked_at:%Y-%m-%d}" if link.linked_at else ""
    facts = [Fact(f"{name or 'the object'} ({link.object_id}) {origin}{since}")]
    if account is not None and not account.account_enabled and not link.disabled_by_run:
        facts.append(
            Fact(f"is disabled, by somebody else; seen {account.seen_at:%Y-%m-%d}, and only they enable it again")
        )
    if link.disabled_by_run:
        facts.append(Fact(f"was disabled by run {Run.objects.get(pk=link.disabled_by_run).number}"))
    listed = protection.reason_of(link.tenant, link.object_id)
    if listed:
        facts.append(Fact(f"is never touched, {listed}; `rollbook protect remove {link.object_id}` ends that"))
    if link.archived_at:
        facts.append(Fact(f"was archived by Rollbook, {link.archived_at:%Y-%m-%d}"))
    return tuple(facts)


def _places(look: _Look, person: int) -> tuple[Fact, ...]:
    called = look.teams.teams.select("team", "key", "period", "name")
    inside = look.teams.inside.filter(pl.col("person") == person).join(called, on="team").sort("name", "relation")
    rows = _rows_behind(look, [person])
    facts = [
        Fact(
            f"{row['name']}: {_as(row['relation'])}, {_because(row['because'])}"
            f"{'; held by the sync start date' if row['held'] else ''}",
            rows.get((row["key"], row["period"], person, row["because"]), ""),
        )
        for row in inside.iter_rows(named=True)
    ]
    nodes = look.tree.belonging.filter(pl.col("person") == person).join(look.tree.nodes, on="node")
    facts += [
        Fact(
            f"{row['label']}: {'is in it directly' if row['deepest'] else 'is in a group inside it'}, by the school's structure"
        )
        for row in nodes.sort("hierarchy", "depth", "label").iter_rows(named=True)
    ]
    return tuple(facts) or (Fact("belongs in no team and no group"),)


def _as(relation: int) -> str:
    return "owner" if relation == int(Relation.OWNER) else "member"


def _because(word: str) -> str:
    return REASONS[BECAUSE[word]].removesuffix(" {day}").replace("began", "is current")


def _rows_behind(look: _Look, people: list[int]) -> dict[tuple[str, int, int, str], str]:
    """The row of the register behind (team's key, period, person, because), in words: the first that counts on the day."""
    classes = team_classes(look.roster, look.profile.teams.create)
    found: dict[tuple[str, int, int, str], str] = {}
    for table, key, because in (("teachings", "teaching", "teaching"), ("enrolments", "enrolment", "enrolment")):
        frame: pl.DataFrame = getattr(look.roster, table)
        over = (pl.col("end") <= look.day) | (pl.col("begin") > look.day)
        theirs = frame.filter(pl.col("person").is_in(people)).join(classes, on="klass")
        rows = theirs.sort(over.fill_null(value=False), "begin", key)
        sources = _by_entity(said_of(look.institute, table, "person", people))
        for row in rows.iter_rows(named=True):
            found.setdefault((row["key"], row["period"], row["person"], because), sources.get(row[key], ""))
    return found


MODES = {"group": "group", "subject": "subject", "group_subject": "group and subject", "nothing": "nothing"}


def _team(look: _Look, team: teams_known.Team) -> Explanation:
    if team.kind == Link.Kind.NODE.value:
        return _node(look, team)
    link = Link.objects.filter(pk=team.link).first() if team.link else None
    wanted = look.teams.teams.filter(pl.col("key") == team.key, pl.col("period") == team.period)
    parts = {
        "In the register": _said_of_team(look, team),
        f"By the profile {look.called}": _rules_of_team(look, wanted),
        "At Microsoft": _account(link, team.name),
        "People": _people_of(look, wanted),
    }
    return Explanation("team", team.name, team.handle, parts, *_events(look, link))


def _node(look: _Look, team: teams_known.Team) -> Explanation:
    """A group of the school's structure: its path, where it stands, and who is in it directly."""
    link = Link.objects.filter(pk=team.link).first() if team.link else None
    found = look.tree.nodes.filter(pl.col("key") == team.key)
    rules: tuple[Fact, ...] = (
        Fact("is not managed: nobody's path leads to it, or its level is off or hidden; it is left as it is"),
    )
    people: tuple[Fact, ...] = (Fact("nobody belongs in it"),)
    if found.height:
        node = found.row(0, named=True)
        above = look.tree.nodes.filter(pl.col("node") == node["parent"])["label"]
        stands = f", in the group {above[0]}" if above.len() and node["group_type"] == "security" else ""
        rules = (Fact(f"a {node['group_type']} group of the level {node['level']}, called {node['called']}{stands}"),)
        people = _people_of_node(look, node)
    parts = {
        "In the register": (Fact(f"is a group of the school's structure: {team.key}"),),
        f"By the profile {look.called}": rules,
        "At Microsoft": _account(link, team.name),
        "People": people,
    }
    return Explanation("hierarchy", team.name, team.handle, parts, *_events(look, link))


def _people_of_node(look: _Look, node: Mapping[str, Any]) -> tuple[Fact, ...]:
    belonging = look.tree.belonging.filter(pl.col("node") == node["node"])
    direct = belonging.filter("deepest") if node["group_type"] == "security" else belonging
    named = direct.join(_named(look.roster), on="person").sort("name")
    facts = [
        Fact(f"{name} ({sourced_id})")
        for name, sourced_id in named.head(PEOPLE_LISTED).select("name", "sourced_id").iter_rows()
    ]
    if named.height > PEOPLE_LISTED:
        facts.append(Fact(f"and {named.height - PEOPLE_LISTED:,} more; `rollbook tree` lists all"))
    below = belonging.height - direct.height
    if below:
        facts.append(Fact(f"{below:,} more through the groups that stand in it"))
    return tuple(facts)


def _named(roster: Roster) -> pl.DataFrame:
    """[person, sourced_id, name] of everybody in the register."""
    name = pl.concat_str("given_name", "family_name", separator=" ", ignore_nulls=True)
    return roster.people.select("person", "sourced_id", name=name)


def _said_of_team(look: _Look, team: teams_known.Team) -> tuple[Fact, ...]:
    classes = team_classes(look.roster, team.key.split("/")[0])
    held = classes.filter(pl.col("key") == team.key, pl.col("period") == team.period)
    rows = look.roster.classes.join(held, on="klass", how="semi").sort("title")
    sources = _by_entity(said_of(look.institute, "classes", "entity", rows["klass"].to_list()))
    return tuple(
        Fact(
            f"holds the class {row['title'] or row['sourced_id']} ({row['sourced_id']})", sources.get(row["klass"], "")
        )
        for row in rows.iter_rows(named=True)
    ) or (Fact("none of its classes is in the register any more"),)


def _rules_of_team(look: _Look, wanted: pl.DataFrame) -> tuple[Fact, ...]:
    if wanted.is_empty():
        return (Fact("is not managed: the profile wants no such team today; it is left as it is"),)
    row = wanted.row(0, named=True)
    made_of = MODES[look.profile.teams.create]
    kind = "class team" if row["kind"] == "class" else "standard team"
    return (Fact(f"a team for each {made_of} and academic period; a {kind} called {row['name']}"),)


def _people_of(look: _Look, wanted: pl.DataFrame) -> tuple[Fact, ...]:
    inside = look.teams.inside.join(wanted.select("team", "key", "period"), on="team").join(
        _named(look.roster), on="person"
    )
    shown_ones = inside.sort("relation", "name", descending=[True, False]).head(PEOPLE_LISTED)
    rows = _rows_behind(look, shown_ones["person"].unique().to_list())
    facts = [
        Fact(
            f"{row['name']} ({row['sourced_id']}): {_as(row['relation'])}, {_because(row['because'])}"
            f"{'; held by the sync start date' if row['held'] else ''}",
            rows.get((row["key"], row["period"], row["person"], row["because"]), ""),
        )
        for row in shown_ones.iter_rows(named=True)
    ]
    if inside.height > PEOPLE_LISTED:
        facts.append(Fact(f"and {inside.height - PEOPLE_LISTED:,} more; `rollbook teams --csv` lists all"))
    return tuple(facts) or (Fact("nobody belongs in it"),)


def _events(look: _Look, link: Link | None) -> tuple[tuple[Event, ...], int]:
    if link is None:
        return (), 0
    found, every = events(link.tenant, link.pk, look.at_most)
    return tuple(found), every - len(found)
