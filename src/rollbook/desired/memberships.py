"""Enrolments and teachings as memberships of class teams, each with the reason somebody belongs there."""

from __future__ import annotations

import polars as pl

from rollbook.directory.desired import REASONS
from rollbook.directory.state import Relation
from rollbook.profiles import Profile
from rollbook.roster.tables import TEACHER_TYPE


def memberships(
    profile: Profile,
    enrolments: pl.DataFrame,
    teachings: pl.DataFrame,
    people: pl.DataFrame,
    classes: pl.DataFrame,
) -> pl.DataFrame:
    """One row a relation (schema REASONS). An owner is member too, as Microsoft asks of class teams (graph.md section 6.2).

    Whoever is both taught and teaching in a class appears once a relation, for the teaching.
    """
    users = people.filter("present").select("person", user="link")
    teams = classes.select("klass", team="link")
    students = _students(profile, enrolments)
    teachers = _teachers(profile, teachings)
    return (
        pl.concat([teachers, students])
        .join(users, on="person")
        .join(teams, on="klass")
        .sort("teaching", "day", descending=[True, False], nulls_last=True)
        .unique(subset=["team", "user", "relation"], keep="first", maintain_order=True)
        .select(REASONS.keys())
        .cast(pl.Schema(REASONS))
        .sort("team", "relation", "user")
    )


def _students(profile: Profile, enrolments: pl.DataFrame) -> pl.DataFrame:
    wanted = enrolments if profile.enrolments.student == "member" else enrolments.clear()
    return _rows(wanted, Relation.MEMBER, teaching=False)


def _teachers(profile: Profile, teachings: pl.DataFrame) -> pl.DataFrame:
    role = pl.DataFrame(
        {
            "teacher_type": [kind.value for kind in profile.enrolments.teachers],
            "role": list(profile.enrolments.teachers.values()),
        },
        schema={"teacher_type": TEACHER_TYPE, "role": pl.String},
    )
    with_role = teachings.join(role, on="teacher_type")
    owners = with_role.filter(pl.col("role") == "owner")
    members = with_role.filter(pl.col("role").is_in(["owner", "member"]))
    return pl.concat([_rows(owners, Relation.OWNER, teaching=True), _rows(members, Relation.MEMBER, teaching=True)])


def _rows(rows: pl.DataFrame, relation: Relation, *, teaching: bool) -> pl.DataFrame:
    return rows.select(
        "person",
        "klass",
        pl.lit(int(relation), dtype=pl.UInt8).alias("relation"),
        pl.lit(value=teaching).alias("teaching"),
        pl.col("begin").alias("day"),
    )
