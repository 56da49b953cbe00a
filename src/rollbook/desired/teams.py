"""Classes of the register as class teams: which are managed, how their groups should look, what they could be called."""

from __future__ import annotations

import datetime as dt

import polars as pl

from rollbook.desired import current
from rollbook.desired.names import nicknames, transliterated
from rollbook.desired.scope import in_scope
from rollbook.directory.state import TEAMS
from rollbook.profiles import Profile
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
    described = (
        roster.classes.join(roster.groups.select("group", group_name="name"), on="group", how="left")
        .join(roster.subjects.select("subject", subject_name="name"), on="subject", how="left")
        .join(classes.select("klass", "link", "mark"), on="klass")
    )
    shapes = {
        "title": pl.coalesce("title", "subject_name"),
        "group subject": pl.concat_str(["group_name", "subject_name"], separator=" ", ignore_nulls=True),
        "subject group": pl.concat_str(["subject_name", "group_name"], separator=" ", ignore_nulls=True),
    }
    none = pl.lit(None, dtype=pl.String)
    frame = described.select(
        "link",
        none.alias("object_id"),
        shapes[profile.teams.display_name].str.slice(0, DISPLAY_NAME_LENGTH).alias("display_name"),
        pl.concat_str(["subject_name", "group_name"], separator=", ", ignore_nulls=True).alias("description"),
        none.alias("mail_nickname"),
        pl.col("code").alias("class_code"),
        pl.col("sourced_id").alias("external_id"),
        "mark",
        pl.lit(value=True).alias("has_team"),
        pl.lit(value=False).alias("dynamic"),
    )
    return frame.cast(pl.Schema(TEAMS)).sort("link")


def nickname_bases(roster: Roster, classes: pl.DataFrame) -> pl.DataFrame:
    """Candidates for mail nicknames: [link, base], from the class code, else its title."""
    named = roster.classes.join(classes.select("klass", "link"), on="klass").select(
        "link", raw=pl.coalesce("code", "title")
    )
    named = named.with_columns(transliterated(named["raw"]))
    return named.select("link", base=nicknames("raw")).sort("link")
