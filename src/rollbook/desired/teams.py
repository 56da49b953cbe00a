"""What becomes a team: which teams there are under a profile's mode, what they are called, which classes they hold.

A team's identity is its mode, its group and / or subject, and the academic period (product.md section 6): the key says the first
two in the school's own ids, so that it is the same in a register that was read anew.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from rollbook.desired import current
from rollbook.desired.keys import escaped
from rollbook.desired.mapping import fields_used, mapped
from rollbook.desired.names import nicknames, transliterated
from rollbook.desired.scope import in_scope
from rollbook.directory.state import as_groups
from rollbook.profiles import TEAM_PROPERTIES, TEAM_TARGETS, Profile
from rollbook.roster.tables import Roster

PARTS: Mapping[str, tuple[str, ...]] = {
    "nothing": (),
    "group": ("group",),
    "subject": ("subject",),
    "group_subject": ("group", "subject"),
}
"""What a team is made of, by mode."""

MADE = {"key": pl.String, "period": pl.Int64}
TEAMS = {**MADE, "sourced_id": pl.String, "code": pl.String, "label": pl.String}


@dataclass(frozen=True, slots=True)
class ManagedTeams:
    """The teams a profile is about: `teams` (schema TEAMS) and what each of them holds, `classes` [klass, key, period].

    `sourced_id`, `code` and `label` are what the school's records call a team; they need not be unique. `described` [key, period,
    classes, every property of SAME] is what all of their classes say of them, those outside the profile's scope too.
    """

    teams: pl.DataFrame
    classes: pl.DataFrame
    described: pl.DataFrame


def managed_teams(
    roster: Roster,
    profile: Profile,
    as_of: dt.date,
    made: pl.DataFrame | None = None,
    counting: current.Counting | None = None,
) -> ManagedTeams:
    """Teams of the academic periods that count, in whose classes somebody currently learns or teaches.

    A team that is there already, one of `made` [key, period], stays managed when nobody does any more, so that nobody is left
    in it who does not belong. `counting` is what counts on that day, if it is known already.
    """
    every = classes = team_classes(roster, profile.teams.create)
    if classes.height:
        counting = counting or current.counting(roster, profile, as_of)
        busy = pl.concat([counting.enrolments["klass"].unique(), counting.teachings["klass"].unique()]).implode()
        classes = classes.join(counting.periods, on="period", how="semi")
        classes = classes.join(in_scope(roster, profile).classes, on="klass", how="semi")
        wanted = classes.filter(pl.col("klass").is_in(busy)).select(MADE.keys()).unique()
        if made is not None:
            wanted = pl.concat([wanted, made.select(MADE.keys())]).unique()
        classes = classes.join(wanted, on=["key", "period"], how="semi").sort("klass")
    described = _described(roster, every.join(classes, on=["key", "period"], how="semi"))
    return ManagedTeams(_called(described, profile), classes, described)


def classes_of(roster: Roster, profile: Profile, teams: pl.DataFrame) -> pl.DataFrame:
    """[klass, key, period] of all classes of `teams` [key, period], whatever the scope: a team is called by all of them."""
    return team_classes(roster, profile.teams.create).join(teams, on=["key", "period"], how="semi").sort("klass")


def every_team(roster: Roster, profile: Profile) -> pl.DataFrame:
    """All teams the register could have under a profile's mode, of every academic period (schema TEAMS)."""
    return _called(_described(roster, team_classes(roster, profile.teams.create)), profile)


def _called(described: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    """What `described` teams are called in the school's records (schema TEAMS)."""
    named = _natural(described, profile)
    return named.select(*MADE, sourced_id="id", code="code", label="name").cast(pl.Schema(TEAMS))


def team_classes(roster: Roster, mode: str) -> pl.DataFrame:
    """[klass, key, period] of the classes that belong to a team at all; a class without its mode's parts belongs to none."""
    parts = PARTS[mode]
    placed = (
        roster.classes.select("klass", "group", "subject", "period", class_id="sourced_id")
        .join(roster.groups.select("group", group_id="sourced_id"), on="group", how="left")
        .join(roster.subjects.select("subject", subject_id="sourced_id"), on="subject", how="left")
    )
    if not parts:
        return placed.clear().select("klass", pl.lit("").alias("key"), "period")
    whole = pl.all_horizontal(pl.col(f"{part}_id").is_not_null() for part in parts)
    key = pl.concat_str(
        [pl.lit(mode), *(pl.format(f"{part}:{{}}", escaped(pl.col(f"{part}_id"))) for part in parts)],
        separator="/",
        ignore_nulls=True,
    )
    # A class without a subject is no combination with anything: it stands for itself.
    alone = (
        pl.format(f"{mode}/class:{{}}", escaped(pl.col("class_id")))
        if len(parts) > 1
        else pl.lit(None, dtype=pl.String)
    )
    keyed = placed.with_columns(key=pl.when(whole).then(key).otherwise(alone))
    return keyed.filter(pl.col("key").is_not_null(), pl.col("period").is_not_null()).select("klass", "key", "period")


def teams(
    roster: Roster, profile: Profile, managed: ManagedTeams, links: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The desired groups of teams (schema GROUPS), nicknames still open; [link, base] candidates for those; mappings that failed.

    The latter are [link, target, problem]. `links` has [key, period, link, mark].
    """
    described = managed.described.join(links, on=["key", "period"])
    rows = properties(roster, profile, described)
    made, problems = mapped(rows, profile.teams.mappings, TEAM_TARGETS, "link")
    values = made.join(described.select("link", "mark"), on="link")
    frame = values.select(
        "link",
        "display_name",
        "description",
        "class_code",
        "external_id",
        "mark",
        purpose=pl.lit("team"),
        kind=pl.lit("class" if profile.teams.template == "class" else "unified"),
        has_team=pl.lit(value=True),
        behaviours=pl.lit(["WelcomeEmailDisabled"], dtype=pl.List(pl.String)),
    )
    bases = nicknames(transliterated(values["mail_nickname"]))
    return (
        as_groups(frame).sort("link"),
        values.select("link", base=bases).sort("link"),
        problems,
    )


SAME = (
    "class_title class_code class_id group group_id group_code subject subject_id subject_code "
    "grade grade_level location location_id department"
).split()
"""Properties a team has where all of its classes agree."""


def _described(roster: Roster, classes: pl.DataFrame) -> pl.DataFrame:
    """[key, period, number of classes, every property of SAME] of the teams of `classes` [klass, key, period]."""
    groups = roster.groups.select(
        "group", group_name="name", group_id="sourced_id", group_code="code", _place="location", _grade="grade"
    )
    subjects = roster.subjects.select("subject", subject_name="name", subject_id="sourced_id", subject_code="code")
    departments = pl.when(pl.col("kind") == "department").then("name")
    places = roster.locations.select("location", location_name="name", location_id="sourced_id", department=departments)
    found = (
        classes.join(roster.classes.drop("period"), on="klass")
        .join(groups, on="group", how="left")
        .join(subjects, on="subject", how="left")
        .with_columns(
            pl.coalesce("location", "_place").alias("location"), pl.coalesce("grade", "_grade").alias("grade")
        )
        .join(places, on="location", how="left")
        .join(roster.grades.select("grade", grade_name="name", grade_level="level"), on="grade", how="left")
        .select(
            "key",
            "period",
            "group_id",
            "group_code",
            "subject_id",
            "subject_code",
            "grade_level",
            "location_id",
            "department",
            class_title="title",
            class_code="code",
            class_id="sourced_id",
            group="group_name",
            subject="subject_name",
            grade="grade_name",
            location="location_name",
        )
    )
    several = found.select("key", "period").is_duplicated()
    merged = (
        found.filter(several)
        .group_by("key", "period")
        .agg(
            *(pl.when(pl.col(name).n_unique() == 1).then(pl.col(name).first()).alias(name) for name in SAME),
            classes=pl.len(),
        )
    )
    # Nearly every team is of one class, of which there is nothing to compare.
    single = found.filter(~several).with_columns(classes=pl.lit(1, dtype=pl.get_index_type())).select(merged.columns)
    return pl.concat([single, merged]).sort("key", "period")


def _natural(described: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    """The teams with `name`, `about`, `id`, `code`, `code_or_name`: what a school would call them, whatever the mode."""
    mode = profile.teams.create

    def joined(separator: str, *names: str) -> pl.Expr:
        return pl.concat_str([pl.col(name) for name in names], separator=separator, ignore_nulls=True)

    def filled(text: pl.Expr) -> pl.Expr:
        return pl.when(text.str.len_chars() > 0).then(text)

    several = pl.col("classes") > 1
    names: Mapping[str, tuple[pl.Expr, pl.Expr, pl.Expr]] = {
        "group": (pl.col("group"), pl.col("group_id"), pl.col("group_code")),
        "subject": (pl.col("subject"), pl.col("subject_id"), pl.col("subject_code")),
        "group_subject": (
            pl.coalesce(pl.when(~several).then("class_title"), filled(joined(" ", "subject", "group"))),
            pl.when(several).then(joined("+", "group_id", "subject_id")).otherwise(pl.col("class_id")),
            pl.when(several).then(filled(joined("-", "group_code", "subject_code"))).otherwise(pl.col("class_code")),
        ),
    }
    name, sourced_id, code = names.get(mode, names["group_subject"])
    natural = described.with_columns(
        name=name, id=sourced_id, code=code, about=filled(joined(", ", "subject", "group"))
    )
    return natural.with_columns(code_or_name=pl.coalesce("code", "name"))


def properties(roster: Roster, profile: Profile, described: pl.DataFrame) -> pl.DataFrame:
    """[link, every property of profiles.TEAM_PROPERTIES] of the teams of `described`, which has [key, period, link]."""
    school = roster.institutes.head(1).select(institute="name", institute_id="sourced_id")
    institute = school.row(0) if school.height else (None, None)
    periods = roster.academic_periods.select("period", academic_period="title", academic_period_id="sourced_id")
    rows = (
        _natural(described, profile)
        .join(periods, on="period", how="left")
        .join(_of_students(roster, profile, described), on=["key", "period"], how="left")
        .with_columns(
            institute=pl.lit(institute[0], dtype=pl.String), institute_id=pl.lit(institute[1], dtype=pl.String)
        )
    )
    return rows.select("link", *TEAM_PROPERTIES)


def _of_students(roster: Roster, profile: Profile, teams: pl.DataFrame) -> pl.DataFrame:
    """[key, period, grade_type, stream] of `teams` [key, period] whose students are all of one; looked up only where a mapping asks."""
    nothing = teams.select("key", "period")
    if fields_used(profile.teams.mappings).isdisjoint({"grade_type", "stream"}):
        return nothing.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in ("grade_type", "stream"))
    students = roster.affiliations.filter(pl.col("user_type").cast(pl.String) == "student").unique("person")
    return (
        roster.enrolments.select("person", "klass")
        .join(classes_of(roster, profile, teams), on="klass")
        .join(students.select("person", "grade_type", "stream"), on="person")
        .group_by("key", "period")
        .agg(
            pl.when(pl.col(name).n_unique() == 1).then(pl.col(name).first()).alias(name)
            for name in ("grade_type", "stream")
        )
    )
