"""Planning 20,000 people: memory of desired + diff against its ceiling, and the diff of memberships against bare anti-joins."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import resource
import tempfile
from pathlib import Path

import polars as pl

from bench.rows import Row, seconds
from rollbook import sample, sources
from rollbook.desired import Linked, Managed, TenantFacts, build_desired, managed_nodes, managed_people, managed_teams
from rollbook.directory.desired import OUTSIDE, Desired
from rollbook.directory.state import State
from rollbook.plan.changes import Plan
from rollbook.plan.context import DECISIONS, GRANTED, LINKS, RESERVED, SEATS, WAITED, Context
from rollbook.plan.limits import BEYOND
from rollbook.plan.make import make_plan
from rollbook.plan.match import match
from rollbook.plan.memberships import Rules, diff_memberships
from rollbook.plan.owners import Acting
from rollbook.profiles import suggested
from rollbook.roster.tables import Roster

PEOPLE = 20_000
AS_OF = dt.date(2026, 10, 1)
TEAM_LINKS_FROM = 1_000_000
CEILING = 1_000.0  # MB, of the issue that asked for this area
FACTS = TenantFacts(
    "school.example",
    frozenset({"school.example"}),
    "GR",
    {"STANDARDWOFFPACK_STUDENT": "student", "STANDARDWOFFPACK_FACULTY": "staff"},
)


def measure() -> list[Row]:
    """The rows of the area `plan`."""
    with tempfile.TemporaryDirectory() as folder:
        sample.write(sample.school(PEOPLE), Path(folder))
        peak, baseline = _peak_memory(Path(folder))
        roster = read(Path(folder))
    wanted = desire(roster)
    actual = _shifted(wanted.reasons.select("team", "user", "relation"))
    profile = suggested()
    teams = wanted.state.groups.select(
        "purpose", team="link", security=pl.lit(value=False), has_team=pl.lit(value=True)
    )
    none = pl.DataFrame(schema=pl.Schema(BEYOND))
    actual_people = actual.with_columns(user_object_id=pl.lit(None, dtype=pl.String))
    everybody = wanted.state.users.select(user="link", enabled=pl.lit(value=True), licensed=pl.lit(value=True))
    acting = Acting(everybody, pl.Series([], dtype=pl.String))
    rules = Rules(teams["team"], lambda *_: none, acting, pl.DataFrame(schema=pl.Schema(OUTSIDE)))
    diff = seconds(lambda: diff_memberships(wanted.reasons, actual_people, teams, rules, profile))
    bare = seconds(lambda: _bare_anti_joins(wanted.reasons, actual))
    return [
        Row("memory of desired + diff, 20,000 people", peak - baseline, "MB", CEILING, 1.0),
        Row("memory of the whole process, 20,000 people", peak, "MB", CEILING, 1.0),
        Row("diff of memberships against bare anti-joins", diff, "s", bare, 5.0),
    ]


def read(folder: Path) -> Roster:
    """The sample school as a Roster."""
    reading = sources.read(folder)
    if reading.roster is None:
        raise RuntimeError(f"the sample school was refused: {reading.findings}")
    return reading.roster


def desire(roster: Roster) -> Desired:
    """What an empty tenant should hold; links equal the keys of people and classes."""
    profile = suggested()
    nobody = roster.affiliations.clear().select("person", "user_type")
    people = managed_people(roster, profile, AS_OF, nobody)
    people = people.with_columns(link=pl.col("person"), mark=pl.format("u{}", "person"))
    teams = managed_teams(roster, profile, AS_OF)
    links = teams.teams.with_row_index("link", TEAM_LINKS_FROM).select("key", "period", pl.col("link").cast(pl.Int64))
    linked = Linked(people, links.with_columns(mark=pl.format("c{}", "link")))
    nodes = managed_nodes(roster, profile, AS_OF, people)
    return build_desired(roster, profile, AS_OF, FACTS, Managed(teams, nodes), linked)


def plan_all(roster: Roster) -> Plan:
    """Desired and the whole plan against an empty tenant."""
    desired, actual = desire(roster), State()
    context = _empty_context(desired)
    matched = match(desired, actual, context, suggested())
    return make_plan(desired, actual, matched, context, suggested())


def _empty_context(desired: Desired) -> Context:
    def unmade(links: pl.Series) -> pl.DataFrame:
        columns = dict.fromkeys(LINKS) | {"adopted": False, "disabled_by_us": False}
        return pl.DataFrame({**columns, "link": links}, schema=pl.Schema(LINKS))

    return Context(
        tenant="bench",
        profile_version=1,
        as_of=AS_OF,
        first_run=True,
        user_links=unmade(desired.state.users["link"]),
        group_links=unmade(desired.state.groups["link"]),
        user_names=pl.DataFrame(schema=pl.Schema(RESERVED)),
        nicknames=pl.DataFrame(schema=pl.Schema(RESERVED)),
        seats=pl.DataFrame([("student", PEOPLE), ("staff", PEOPLE)], schema=pl.Schema(SEATS), orient="row"),
        decisions=pl.DataFrame(schema=pl.Schema(DECISIONS)),
        granted=pl.DataFrame(schema=pl.Schema(GRANTED)),
        waited=pl.DataFrame(schema=pl.Schema(WAITED)),
    )


def _shifted(desired: pl.DataFrame) -> pl.DataFrame:
    """What a tenant would hold in which one relation in a hundred is missing and as many are surplus."""
    return desired.with_columns(
        user=pl.when(pl.int_range(pl.len()) % 100 == 0).then(pl.col("user") + 1_000_000).otherwise("user")
    )


def _bare_anti_joins(desired: pl.DataFrame, actual: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    key = ["team", "user", "relation"]
    return desired.join(actual, on=key, how="anti"), actual.join(desired, on=key, how="anti")


def _peak_memory(folder: Path) -> tuple[float, float]:
    """MB at the peak of a process of its own that reads the school and plans it, and before it began planning."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_plan_and_tell, args=(folder, sender))
    child.start()
    sender.close()  # so that a child that dies ends the waiting
    peak, baseline = receiver.recv()
    child.join()
    return peak, baseline


def _plan_and_tell(folder: Path, sender: multiprocessing.connection.Connection) -> None:
    roster = read(folder)
    baseline = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    plan_all(roster)
    sender.send((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, baseline))
