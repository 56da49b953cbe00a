"""The memberships of teams and of a nested hierarchy of location, grade and stream by nothing but polars joins and group-bys.

What is least to be done for them, as the bound for `desired`: people, classes and nodes have their links already, there is one school
year, and nothing is said of why somebody belongs there.
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from rollbook.desired import Linked, Managed
from rollbook.roster.tables import Roster

PATH = ["location", "grade", "stream"]
KEY = ["team", "user", "relation"]
AHEAD = dt.timedelta(days=14)


class Bare:
    """What is there already, by the register's keys; `memberships` is what is measured."""

    def __init__(self, roster: Roster, as_of: dt.date, managed: Managed, linked: Linked) -> None:
        self._roster, self._as_of = roster, as_of
        self._users = linked.people.filter("present").select("person", "user_type", user="link")
        teams = managed.teams.classes.join(linked.teams, on=["key", "period"]).select("klass", team="link")
        self._classes = roster.classes.join(teams, on="klass").select("klass", "team", "location", "grade")
        links = managed.nodes.nodes.select("key", "node").join(linked.nodes.select("key", "link"), on="key")
        number = links.select("node", team="link")
        nodes = managed.nodes.nodes.join(number, on="node").join(
            number.select(parent="node", above="team"), on="parent", how="left"
        )
        self._nodes = (
            nodes.join(roster.locations.select(at="location", location_id="sourced_id"), on="location_id", how="left")
            .join(roster.grades.select(of="grade", grade_id="sourced_id"), on="grade_id", how="left")
            .select("team", "above", "stream", location="at", grade="of")
        )

    def memberships(self) -> pl.DataFrame:
        """[team, user, relation] of everybody in every team and node."""
        learning, teaching = self._current(self._roster.enrolments), self._current(self._roster.teachings)
        relations = [(learning, 0), (teaching, 0), (teaching, 1)]
        teams = pl.concat([_related(rows, relation) for rows, relation in relations]).unique()
        return pl.concat([teams, self._in_nodes(learning, teaching)])

    def _current(self, rows: pl.DataFrame) -> pl.DataFrame:
        begun = (pl.col("begin") <= self._as_of + AHEAD).fill_null(value=True)
        lasting = (pl.col("end") > self._as_of).fill_null(value=True)
        return (
            rows.filter(begun & lasting)
            .select("person", "klass")
            .join(self._classes, on="klass")
            .join(self._users, on="person")
        )

    def _in_nodes(self, learning: pl.DataFrame, teaching: pl.DataFrame) -> pl.DataFrame:
        own = self._roster.affiliations.select("person", "user_type", "stream", at="location", of="grade")
        place = pl.coalesce("location", "at").alias("location")
        pupils, staff = (own.filter(pl.col("user_type") == each).drop("user_type") for each in ("student", "teacher"))
        learners = learning.join(pupils, on="person").select(
            "user", place, pl.coalesce("of", "grade").alias("grade"), "stream"
        )
        teachers = teaching.join(staff, on="person").select("user", place, "grade", "stream")
        idle = self._users.join(learning, on="person", how="anti").join(teaching, on="person", how="anti")
        found = pl.concat([learners.unique(), teachers.unique(), self._idle(idle, learning, pupils)])
        inside = found.join(self._nodes, on=PATH, nulls_equal=True).select("team", "user")
        parents = self._nodes.select("team", "above").drop_nulls()
        higher, above = [], inside
        while above.height:
            above = above.join(parents, on="team").select("user", team="above").select("team", "user")
            higher.append(above)
        deepest = inside.join(pl.concat(higher), on=["team", "user"], how="anti")
        nested = parents.select(team="above", user="team")
        return pl.concat([_related(deepest, 0), _related(nested, 0)])

    def _idle(self, idle: pl.DataFrame, learning: pl.DataFrame, pupils: pl.DataFrame) -> pl.DataFrame:
        """Where people are who neither learn nor teach: parents where their children are."""
        parents = idle.filter(pl.col("user_type") == "parent")
        families = self._roster.guardianships.join(parents, left_on="parent", right_on="person")
        of_learning = families.join(learning.select("person", "location"), left_on="child", right_on="person")
        resting = families.join(learning, left_on="child", right_on="person", how="anti").join(
            self._users.select("person"), left_on="child", right_on="person", how="semi"
        )
        of_resting = resting.join(pupils.select("person", location="at"), left_on="child", right_on="person")
        rest = idle.filter(pl.col("user_type") != "parent")
        others = rest.join(self._roster.affiliations.select("person", "location"), on="person")
        found = pl.concat([rows.select("user", "location") for rows in (of_learning, of_resting, others)]).unique()
        none = pl.lit(None)
        return found.drop_nulls().select(
            "user", "location", none.cast(pl.Int64).alias("grade"), none.cast(pl.String).alias("stream")
        )


def _related(rows: pl.DataFrame, relation: int) -> pl.DataFrame:
    return rows.select("team", "user", pl.lit(relation, dtype=pl.UInt8).alias("relation"))
