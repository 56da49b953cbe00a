"""What a tenant should hold, for 100,000 people, 750,000 enrolments and three levels of hierarchy: against bare joins, in memory."""

from __future__ import annotations

import multiprocessing
import resource
import tempfile
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import polars as pl

from bench.bare_joins import Bare
from bench.planning import AS_OF, FACTS, TEAM_LINKS_FROM, read
from bench.rows import Row, seconds
from rollbook import sample
from rollbook.desired import Linked, Managed, build_desired
from rollbook.desired import manage as managed_parts
from rollbook.directory.desired import Desired
from rollbook.profiles import Profile, parse
from rollbook.roster.tables import Roster

PEOPLE = 100_000
ENROLMENTS = 750_000
NODE_LINKS_FROM = 2_000_000
LEVELS = ("location", "grade", "stream")
CEILING = 2_000.0  # MB, of the issue that asked for this area
ALL = {"create": True, "update": True, "deactivate": True, "sso": True}


def measure() -> list[Row]:
    """The rows of the area `desired`."""
    with tempfile.TemporaryDirectory() as folder:
        sample.write(sample.school(PEOPLE), Path(folder))
        peak = _peak_memory(Path(folder))
        roster = school(Path(folder))
    profile = with_hierarchies()
    managed, linked = manage(roster, profile)
    bare = Bare(roster, AS_OF, managed, linked)
    _require_equal(bare, build_desired(roster, profile, AS_OF, FACTS, managed, linked))
    ours, least = seconds(lambda: desire(roster, profile)), seconds(bare.memberships)
    name = f"{PEOPLE:,} people, {ENROLMENTS:,} enrolments, {len(LEVELS)} levels"
    return [
        Row(f"{name}: desired against bare joins for the same memberships", ours, "s", least, 3.0),
        Row("memory of the whole process", peak, "MB", CEILING, 1.0),
    ]


def school(folder: Path) -> Roster:
    """The sample school as a Roster, with exactly ENROLMENTS of students: what is lacking are those of two clubs for each group."""
    roster = read(folder)
    clubs = [_club(roster, number) for number in (1, 2)]
    learning = pl.concat([enrolments for _, _, enrolments in clubs]).head(ENROLMENTS - roster.enrolments.height)
    numbers = pl.int_range(1, pl.len() + 1, dtype=pl.Int64) + _last(roster.enrolments["enrolment"])
    learning = learning.with_columns(enrolment=numbers).with_columns(sourced_id=pl.format("club-{}", "enrolment"))
    return replace(
        roster,
        subjects=pl.concat([roster.subjects, *(subjects for subjects, _, _ in clubs)]),
        classes=pl.concat([roster.classes, *(classes for _, classes, _ in clubs)]),
        enrolments=pl.concat([roster.enrolments, learning]),
    )


def _club(roster: Roster, number: int) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """A subject, a class of it for each homeroom, and the enrolments of the homerooms in those."""
    name, further = pl.lit(f"Club {number}"), number * _last(roster.classes["klass"])
    subject = pl.lit(_last(roster.subjects["subject"]) + number, dtype=pl.Int64)
    subjects = roster.subjects.head(1).with_columns(name=name, sourced_id=name, subject=subject)
    homerooms = roster.classes.filter(pl.col("kind") == "homeroom")
    classes = homerooms.with_columns(
        pl.col("klass") + further,
        sourced_id=pl.format("club-{}-{}", pl.lit(number), "sourced_id"),
        kind=pl.lit("scheduled", dtype=homerooms.schema["kind"]),
        subject=subject,
    )
    learning = roster.enrolments.join(homerooms, on="klass", how="semi").with_columns(pl.col("klass") + further)
    return subjects, classes, learning


def _last(keys: pl.Series) -> int:
    return int(keys.sort()[-1])


def with_hierarchies() -> Profile:
    """A profile that manages everybody, with LEVELS in the general hierarchy, nested."""
    return parse(
        {
            "users": {"actions": dict.fromkeys(("teacher", "employee", "student", "parent"), ALL)},
            "hierarchies": {"general": {"levels": {level: {} for level in LEVELS}}},
        }
    )


def manage(roster: Roster, profile: Profile) -> tuple[Managed, Linked]:
    """Who and what is managed, with links numbered as they come."""
    nobody = roster.affiliations.clear().select("person", "user_type")
    people, managed = managed_parts(roster, profile, AS_OF, nobody)
    people = people.with_columns(link=pl.col("person"), mark=pl.format("u{}", "person"))
    teams, nodes = managed.teams.teams, managed.nodes.groupings()
    return managed, Linked(people, _linked(teams, TEAM_LINKS_FROM), _linked(nodes, NODE_LINKS_FROM))


def _linked(groupings: pl.DataFrame, first: int) -> pl.DataFrame:
    numbers = pl.int_range(pl.len(), dtype=pl.Int64) + first
    return groupings.select("key", "period", link=numbers).with_columns(mark=pl.format("g{}", "link"))


def desire(roster: Roster, profile: Profile) -> Desired:
    """What an empty tenant should hold, from the register alone."""
    managed, linked = manage(roster, profile)
    return build_desired(roster, profile, AS_OF, FACTS, managed, linked)


def _require_equal(bare: Bare, desired: Desired) -> None:
    """A bound that does something else would be none."""
    key = ["team", "user", "relation"]
    ours, least = desired.state.memberships.select(key), bare.memberships().select(key)
    if not ours.sort(key).equals(least.sort(key)):
        only = (ours.join(least, on=key, how="anti"), least.join(ours, on=key, how="anti"))
        raise RuntimeError(f"the bare joins give other memberships: {only}")


def _peak_memory(folder: Path) -> float:
    """MB at the peak of a process of its own that reads the school and desires it."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_desire_and_tell, args=(folder, sender))
    child.start()
    sender.close()  # so that a child that dies ends the waiting
    peak = float(receiver.recv())
    child.join()
    return peak


def _desire_and_tell(folder: Path, sender: Connection) -> None:
    desire(school(folder), with_hierarchies())
    sender.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
