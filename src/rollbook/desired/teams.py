"""Classes of the register as class teams: which are managed, how their groups should look, what they could be called."""

from __future__ import annotations

import datetime as dt

import polars as pl

from rollbook.desired import current
from rollbook.desired.mapping import cased, made_of
from rollbook.desired.names import nicknames, transliterated
from rollbook.desired.scope import in_scope
from rollbook.directory.state import TEAMS
from rollbook.profiles import TEAM_PROPERTIES, Profile, TeamMapping
from rollbook.roster.tables import Roster

DISPLAY_NAME_LENGTH = 256


def managed_classes(roster: Roster, profile: Profile, as_of: dt.date) -> pl.DataFrame:
    """Classes of the academic period in which somebody currently learns or teaches: [klass, period]."""
    if profile.teams.create == "nothing":
        return roster.classes.clear().select("klass", "period")
    busy = pl.concat(
        [
            current.current_enrolments(roster, profile, as_of).select("klass"),
            current.current_teachings(roster, profile, as_of).select("klass"),
        ]
    ).unique()
    about = in_scope(roster, profile).classes
    classes = roster.classes.join(busy, on="klass", how="semi").join(about, on="klass", how="semi")
    return classes.select("klass", "period").sort("klass")


def teams(roster: Roster, profile: Profile, classes: pl.DataFrame) -> pl.DataFrame:
    """The desired class teams (schema TEAMS), nicknames still open. `classes` has [klass, link, mark]."""
    described = _properties(roster).join(classes.select("klass", "link", "mark"), on="klass", maintain_order="right")
    none = pl.lit(None, dtype=pl.String)
    frame = described.select(
        "link",
        none.alias("object_id"),
        _display_names(described, profile.teams.mappings["display_name"]),
        pl.col("about").alias("description"),
        none.alias("mail_nickname"),
        pl.col("code").alias("class_code"),
        pl.col("id").alias("external_id"),
        "mark",
        pl.lit(value=True).alias("has_team"),
        pl.lit(value=False).alias("dynamic"),
    )
    return frame.cast(pl.Schema(TEAMS)).sort("link")


def _properties(roster: Roster) -> pl.DataFrame:
    """[klass, every property of profiles.group_mappings.TEAM_PROPERTIES] of each class; what only its people have is null."""
    columns = ("sourced_id", "name", "code")
    groups = roster.groups.select("group", *(pl.col(name).alias(f"group_{name}") for name in columns))
    subjects = roster.subjects.select("subject", *(pl.col(name).alias(f"subject_{name}") for name in columns))
    both = pl.concat_str(["subject_name", "group_name"], separator=" ", ignore_nulls=True)
    known = (
        roster.classes.join(groups, on="group", how="left")
        .join(subjects, on="subject", how="left")
        .select(
            "klass",
            "code",
            name=pl.coalesce("title", both),
            about=pl.concat_str(["subject_name", "group_name"], separator=", ", ignore_nulls=True),
            id="sourced_id",
            code_or_name=pl.coalesce("code", "title", both),
            group="group_name",
            group_id="group_sourced_id",
            group_code="group_code",
            subject="subject_name",
            subject_id="subject_sourced_id",
            subject_code="subject_code",
            class_title="title",
            class_code="code",
            class_id="sourced_id",
        )
    )
    rest = [pl.lit(None, dtype=pl.String).alias(name) for name in TEAM_PROPERTIES if name not in known.columns]
    return known.with_columns(rest)


def _display_names(described: pl.DataFrame, row: TeamMapping) -> pl.Series:
    """What the row of display names makes of each class, cut to Microsoft's length."""
    made, _ = made_of(described, row)
    return cased(made, row).str.slice(0, DISPLAY_NAME_LENGTH).alias("display_name")


def nickname_bases(roster: Roster, classes: pl.DataFrame) -> pl.DataFrame:
    """Candidates for mail nicknames: [link, base], from the class code, else its title."""
    named = roster.classes.join(classes.select("klass", "link"), on="klass").select(
        "link", raw=pl.coalesce("code", "title")
    )
    named = named.with_columns(transliterated(named["raw"]))
    return named.select("link", base=nicknames("raw")).sort("link")
