"""Which current enrolments the sync start date holds back: whoever began before it is in a team only once somebody says so.

What is held counts as current everywhere else: the account, its licences and the groups of the structure are as if it were not.
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from rollbook.desired.current import current_enrolments
from rollbook.desired.people import managed_people
from rollbook.desired.scope import in_scope
from rollbook.profiles import Profile
from rollbook.roster.tables import Roster


def with_held(enrolments: pl.DataFrame, since: dt.date | None, released: pl.Series) -> pl.DataFrame:
    """`enrolments` [enrolment, person, klass, begin, ...] and `held`: begun before the day `since`, and not released.

    Somebody with several current enrolments in one class is held there only if all of them are. What has no begin date is never
    held: nothing says that it began before, and holding it would leave out the whole of a school that gives no dates. Without
    `since` nothing is held. `released` are keys of enrolments.
    """
    if since is None:
        return enrolments.with_columns(held=pl.lit(value=False))
    before = (pl.col("begin") < since).fill_null(value=False)
    alone = before & ~pl.col("enrolment").is_in(released.implode())
    # In two steps: inside the window polars would look through all that is released anew for each group.
    return enrolments.with_columns(held=alone).with_columns(pl.col("held").all().over("person", "klass"))


def held_enrolments(roster: Roster, profile: Profile, as_of: dt.date, released: pl.Series) -> pl.DataFrame:
    """[enrolment, person, klass, begin] of what is held on a day, of the people and classes the profile is about."""
    since = profile.enrolments.sync_start_date
    current = current_enrolments(roster, profile, as_of)
    if since is None or not gives_students_teams(profile):
        return current.clear()
    nobody = roster.affiliations.select("person", "user_type").clear()
    people = managed_people(roster, profile, as_of, nobody).filter("present")
    return (
        with_held(current, since, released)
        .filter("held")
        .drop("held")
        .join(people, on="person", how="semi")
        .join(in_scope(roster, profile).classes, on="klass", how="semi")
        .sort("klass", "person", "enrolment")
    )


def gives_students_teams(profile: Profile) -> bool:
    """Whether an enrolment makes anybody part of a team at all."""
    return profile.teams.create != "nothing" and profile.enrolments.student != "none"
