"""Enrolments and teachings as memberships of teams, each with the reason somebody belongs there; and standing extra owners."""

from __future__ import annotations

import polars as pl

from rollbook.desired.scope import below
from rollbook.directory.desired import REASONS
from rollbook.directory.state import Relation, packed
from rollbook.profiles import Profile
from rollbook.roster.tables import TEACHER_TYPE, Roster


def memberships(
    profile: Profile,
    enrolments: pl.DataFrame,
    teachings: pl.DataFrame,
    users: pl.DataFrame,
    teams: pl.DataFrame,
    extra: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Every reason for every relation (schema REASONS). An owner is member too, as Microsoft asks of class teams (graph.md section 6.2).

    `enrolments` [person, klass, begin, held], `users` [person, user] of people who are present, `teams` [klass, team], `extra`
    [team, person]. Whoever belongs in a team for several reasons appears several times; `settled` leaves one.
    """

    def placed(rows: pl.DataFrame) -> pl.DataFrame:
        # Lazily, so that of most of a million rows only what is asked for is carried through both joins.
        both = rows.lazy().join(teams.lazy(), on="klass").join(users.lazy(), on="person")
        return both.drop("person", "klass").collect()

    owning = [] if extra is None else [_rows(extra.join(users, on="person"), kind, "extra_owner") for kind in Relation]
    return pl.concat([_teachers(profile, placed(teachings)), _students(profile, placed(enrolments)), *owning])


def settled(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows [team, user, relation, because, day, held] with one for each relation (schema REASONS): the first of BECAUSE, held only if
    nothing else puts somebody there.

    Nearly all relations have one reason, and a million rows are sorted by one integer far sooner than by six columns: only those
    with several are put in the order of their reasons.
    """
    typed = rows.select(REASONS.keys()).cast(pl.Schema(REASONS)).with_columns(packed()).sort("packed")
    relation = pl.col("packed")
    again = (relation == relation.shift(1)) | (relation == relation.shift(-1))
    several = typed.filter(again)
    if several.height:
        first = several.sort("packed", "held", "because", "day", nulls_last=True).unique(
            "packed", keep="first", maintain_order=True
        )
        typed = typed.filter(~again.fill_null(value=False)).merge_sorted(first, "packed")
    return typed.drop("packed")


def _students(profile: Profile, enrolments: pl.DataFrame) -> pl.DataFrame:
    role = profile.enrolments.student
    relations = {"none": (), "member": (Relation.MEMBER,), "owner": (Relation.OWNER, Relation.MEMBER)}[role]
    parts = [_rows(enrolments, relation, "enrolment") for relation in relations]
    return pl.concat([_rows(enrolments.clear(), Relation.MEMBER, "enrolment"), *parts])


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
    return pl.concat([_rows(owners, Relation.OWNER, "teaching"), _rows(members, Relation.MEMBER, "teaching")])


def _rows(rows: pl.DataFrame, relation: Relation, because: str) -> pl.DataFrame:
    """Rows [team, user, and begin and held if they have that] as reasons (schema REASONS)."""
    day = pl.col("begin") if "begin" in rows.columns else pl.lit(None, dtype=pl.Date)
    held = pl.col("held") if "held" in rows.columns else pl.lit(value=False)
    return rows.select(
        "team",
        "user",
        pl.lit(int(relation), dtype=pl.UInt8).alias("relation"),
        pl.lit(because, dtype=REASONS["because"]).alias("because"),
        day.alias("day"),
        held.alias("held"),
    )


def extra_owners(roster: Roster, profile: Profile, classes: pl.DataFrame) -> pl.DataFrame:
    """[team, person]: who owns teams besides their teachers, by location; `classes` has [klass, team].

    A location stands for what lies below it too; a class without one is where its group is. A person and a location may have left
    the register since the profile was saved, and nothing follows from them then.
    """
    frames = [pl.DataFrame(schema={"team": pl.Int64, "person": pl.Int64})]
    group_place = roster.groups.select("group", _place="location")
    placed = (
        classes.join(roster.classes.select("klass", "location", "group"), on="klass")
        .join(group_place, on="group", how="left")
        .select("team", location=pl.coalesce("location", "_place"))
    )
    for owner in profile.teams.extra_owners:
        there = placed
        if owner.location is not None:
            there = placed.filter(pl.col("location").is_in(below(roster, (owner.location,)).implode()))
        person = roster.people.filter(pl.col("sourced_id") == owner.person).select("person")
        frames.append(there.select("team").unique().join(person, how="cross"))
    return pl.concat(frames).unique(maintain_order=True)
