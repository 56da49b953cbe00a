"""Which team that is there and which that begins may be one chat going on: the same group, or mostly the same students.

Only a person decides it: a new pupil of next year's 7A would read what last year's 7A wrote.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from rollbook.desired.teams import PARTS, team_classes
from rollbook.profiles import Profile
from rollbook.roster.tables import Roster

ENOUGH = 0.5
"""From this share on, of all who are in either, the students of two teams count as the same people."""

AT_MOST = 3
"""How many candidates are told for one team that begins."""

CANDIDATES: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "link": pl.Int64,  # of the team that is there
    "key": pl.String,  # of the team that begins
    "period": pl.Int64,
    "same_group": pl.Boolean,  # the same class, group or subject in another academic period
    "shared": pl.Int64,  # students who are in both, by the register
    "students": pl.Int64,  # students of the team that begins
    "before": pl.Int64,  # students of the team that is there; 0 also where the register does not have them any more
}


def candidates(
    roster: Roster, profile: Profile, there: pl.DataFrame, begins: pl.DataFrame, earlier: Roster | None = None
) -> pl.DataFrame:
    """Pairs that a person may declare to be one chat going on (schema CANDIDATES), the likeliest first for each that begins.

    `there` [link, key, period, begin, ends] are teams of an earlier period, or ones that end anyway; `begins` [key, period].
    `earlier` are the classes as they were before, with their groups and subjects: a team that lost all its classes to others - a
    group or subject was corrected in the midst of the year - had the students who are in those classes now.
    """
    starts = roster.academic_periods.select("period", starts="begin")
    new = begins.select("key", "period").join(starts, on="period", how="left").with_row_index("new")
    olds = _inside(roster, there.select("link", "key", "period"), "link", earlier)
    news = _inside(roster, new, "new")
    before_it, after_it = pl.col("old_begin") < pl.col("starts"), pl.col("old_begin") > pl.col("starts")
    pairs = pl.concat([_same_group(there, new), _same_people(olds, news)]).unique()
    told = (
        pairs.join(there.select("link", old_key="key", old_begin="begin", ends="ends"), on="link")
        .join(new, on="new")
        .filter(before_it.fill_null(value=False) | (pl.col("ends") & ~after_it.fill_null(value=False)))
    )
    counted = _counted(told, olds, news).with_columns(same_group=pl.col("old_key") == pl.col("key"))
    share = pl.col("shared") / (pl.col("students") + pl.col("before") - pl.col("shared"))
    alike = counted.filter(pl.col("same_group") | (share >= ENOUGH)).with_columns(share=share.fill_nan(0.0))
    ranked = alike.sort(
        "period", "key", "same_subject", "teachers", "share", "link", descending=[False, False, True, True, True, False]
    )
    chosen = ranked.group_by("new", maintain_order=True).head(AT_MOST)
    return chosen.select(CANDIDATES.keys()).cast(pl.Schema(CANDIDATES))


def _inside(roster: Roster, teams: pl.DataFrame, of: str, earlier: Roster | None = None) -> dict[str, pl.DataFrame]:
    """Who and what is in `teams` [`of`, key, period], by the register: [`of`, person] of students and teachers, [`of`, subject].

    Of a team without classes, who is in those it had `earlier`.
    """
    modes = set(teams["key"].str.split("/").list.first())
    held = _held(roster, modes)
    classes = teams.join(held, on=["key", "period"]).select(of, "klass")
    if earlier is not None:
        without = teams.join(held, on=["key", "period"], how="anti")
        had = without.join(_held(earlier, modes).unique(), on=["key", "period"])
        classes = pl.concat([classes, had.select(of, "klass")])
    subjects = roster.classes.select("klass", "subject").join(
        roster.subjects.select("subject", name="name"), on="subject"
    )
    return {
        "students": classes.join(roster.enrolments, on="klass").select(of, "person").unique(),
        "teachers": classes.join(roster.teachings, on="klass").select(of, "person").unique(),
        "subjects": classes.join(subjects, on="klass").select(of, "name").unique(),
    }


def _held(roster: Roster, modes: Collection[str]) -> pl.DataFrame:
    """[klass, key, period] of the classes of teams of these modes."""
    return pl.concat([team_classes(roster, mode) for mode in PARTS if mode in modes or mode == "nothing"])


def in_both(
    roster: Roster, old: tuple[str, int], new: tuple[str, int], earlier: Roster | None = None
) -> tuple[int, int]:
    """How many students of one team (key, period) are in another one too, and how many it has; `earlier` as for candidates."""
    named = {"key": pl.String, "period": pl.Int64, "at": pl.Int64}
    teams = [pl.DataFrame([(*each, 0)], schema=named, orient="row") for each in (old, new)]
    inside = [_inside(roster, team, "at", earlier) for team in teams]
    before, now = (each["students"].select("person") for each in inside)
    return now.join(before, on="person", how="semi").height, now.height


def _same_group(there: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    both = there.join(new.select("key", "new", new_period="period"), on="key")
    return both.filter(pl.col("period") != pl.col("new_period")).select("link", "new")


def _same_people(olds: Mapping[str, pl.DataFrame], news: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """[link, new] that share a student."""
    return olds["students"].join(news["students"], on="person").select("link", "new").unique()


def _counted(pairs: pl.DataFrame, olds: Mapping[str, pl.DataFrame], news: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The pairs with how many are in both and in each, how many teachers stay, and whether the subject is the same."""

    def both(what: str, by: str, name: str) -> pl.DataFrame:
        shared = pairs.select("link", "new").join(olds[what], on="link").join(news[what], on=["new", by])
        return shared.group_by("link", "new").agg(pl.len().alias(name))

    counted = (
        pairs.join(both("students", "person", "shared"), on=["link", "new"], how="left")
        .join(both("teachers", "person", "teachers"), on=["link", "new"], how="left")
        .join(both("subjects", "name", "same_subject"), on=["link", "new"], how="left")
        .join(news["students"].group_by("new").agg(students=pl.len()), on="new", how="left")
        .join(olds["students"].group_by("link").agg(before=pl.len()), on="link", how="left")
    )
    numbers = ("shared", "teachers", "same_subject", "students", "before")
    return counted.with_columns(pl.col(numbers).fill_null(0).cast(pl.Int64)).with_columns(pl.col("same_subject") > 0)
