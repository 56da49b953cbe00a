"""First match, then id: which objects of the tenant belong to our links. One hit links; anything unclear waits.

A match is only looked for where a link has no object id yet. The mark we set when creating comes first, since it survives a
lost database; then the property the profile chose.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from rollbook.directory.desired import Desired
from rollbook.directory.state import State
from rollbook.plan.changes import Cause, Kind
from rollbook.plan.context import Context
from rollbook.plan.rows import rows, together, values, waits
from rollbook.profiles import Profile
from rollbook.roster.vocabulary import UserType


@dataclass(frozen=True, slots=True)
class Matched:
    """Links and their objects, known and newly found: [link, object_id, adopted, disabled_by_us, fresh]; and the changes."""

    users: pl.DataFrame
    teams: pl.DataFrame
    changes: pl.DataFrame  # ROWS: LINK_USER, LINK_CLASS, planned or waiting


STAFF = (UserType.TEACHER.value, UserType.EMPLOYEE.value)


def match(desired: Desired, actual: State, context: Context, profile: Profile) -> Matched:
    """Every link with the object it stands for. Staff is never linked by a property that its owner can change."""
    wants, user_names = desired.state, desired.user_names
    staff = desired.people.filter(pl.col("user_type").cast(pl.String).is_in(STAFF)).select("link")
    keys = {
        "sis_number": (wants.users.select("link", key="employee_id"), pl.col("employee_id")),
        "username": (
            user_names.filter(pl.col("rank") == 0).select("link", key="base"),
            pl.col("user_principal_name").str.split("@").list.first(),
        ),
        "email": (wants.users.select("link", key="mail"), pl.col("user_principal_name")),
        "nothing": (wants.users.select("link", key="employee_id").clear(), pl.col("employee_id")),
    }
    wanted, offered = keys[profile.users.match]
    person_hits = _first_match(
        context.user_links,
        wants.users.select("link", "mark"),
        wanted,
        # A deleted account is found by its mark alone: its name may be somebody else's by now.
        actual.users.filter(~pl.col("guest")).select(
            "object_id", "mark", key=pl.when(~pl.col("deleted")).then(offered)
        ),
        staff if profile.users.match == "email" else staff.clear(),
    )
    external = wants.teams.select("link", key="external_id")
    class_hits = _first_match(
        context.team_links,
        wants.teams.select("link", "mark"),
        external if profile.teams.match == "external_id" else external.clear(),
        actual.teams.select("object_id", "mark", key=pl.col("external_id")),
        staff.clear(),
    )
    return Matched(
        users=person_hits.links,
        teams=class_hits.links,
        changes=together([person_hits.changes(Kind.LINK_USER), class_hits.changes(Kind.LINK_CLASS)]),
    )


@dataclass(frozen=True, slots=True)
class _Hits:
    links: pl.DataFrame
    found: pl.DataFrame  # [link, object_id, adopted]
    unclear: pl.DataFrame  # [link, cause]

    def changes(self, kind: Kind) -> pl.DataFrame:
        """The matches as changes that write nothing, and the unclear ones as changes that wait."""
        return together(
            [
                rows(self.found, kind, Cause.MATCHED, after=values("object_id", "adopted")),
                waits(self.unclear, kind, pl.col("cause")),
            ]
        )


def _first_match(
    links: pl.DataFrame, marks: pl.DataFrame, wanted: pl.DataFrame, offered: pl.DataFrame, held: pl.DataFrame
) -> _Hits:
    """Hits by mark, then by key. `held` [link] are those whose hit by key a person has to confirm."""
    open_links = links.filter(pl.col("object_id").is_null()).select("link")
    taken = links.filter(pl.col("object_id").is_not_null()).select("object_id")
    by_mark = (
        marks.join(open_links, on="link", how="semi")
        .join(offered.drop_nulls("mark").select("object_id", "mark"), on="mark")
        .select("link", "object_id", adopted=pl.lit(value=False))
        .unique("link", keep="first", maintain_order=True)
    )
    by_key = (
        wanted.join(open_links, on="link", how="semi")
        .join(by_mark, on="link", how="anti")
        .drop_nulls("key")
        .with_columns(pl.col("key").str.to_lowercase())
        .join(
            offered.drop_nulls("key").select("object_id", "mark", pl.col("key").str.to_lowercase()),
            on="key",
            maintain_order="left_right",
        )
    )
    ours_elsewhere = pl.concat([taken, by_mark.select("object_id")])
    marked = by_key.filter(pl.col("mark").is_not_null()).select("object_id")
    taken_hits = by_key.join(pl.concat([ours_elsewhere, marked]).unique(), on="object_id", how="semi")
    several = by_key.filter(pl.len().over("link") > 1)
    shared = by_key.filter(pl.len().over("object_id") > 1)
    ambiguous = pl.concat([several, shared]).select("link").unique()
    # The first reason that applies to a link is the one that is said.
    unclear = (
        pl.concat(
            [
                ambiguous.with_columns(cause=pl.lit(int(Cause.AMBIGUOUS_MATCH))),
                taken_hits.select("link", cause=pl.lit(int(Cause.MATCH_TAKEN))),
                by_key.join(held, on="link", how="semi").select("link", cause=pl.lit(int(Cause.STAFF_BY_EMAIL))),
            ]
        )
        .unique("link", keep="first", maintain_order=True)
        .sort("link")
    )
    clear = by_key.join(unclear, on="link", how="anti").select("link", "object_id", adopted=pl.lit(value=True))
    found = pl.concat([by_mark, clear]).sort("link")
    fresh = found.with_columns(disabled_by_us=pl.lit(value=False), fresh=pl.lit(value=True))
    # Links of other institutes in the same tenant only say what is taken; what they stand for is none of ours.
    known = links.drop_nulls("object_id").join(marks, on="link", how="semi").with_columns(fresh=pl.lit(value=False))
    columns = ["link", "object_id", "adopted", "disabled_by_us", "fresh"]
    return _Hits(pl.concat([known.select(columns), fresh.select(columns)]), found, unclear)


def beside_actual(wanted: pl.DataFrame, actual: pl.DataFrame, matched: pl.DataFrame) -> pl.DataFrame:
    """Desired rows whose object is in the tenant, beside what the object is now (columns suffixed `_now`)."""
    now = actual.drop("link").rename(lambda name: name if name == "object_id" else f"{name}_now")
    return wanted.drop("object_id").join(matched, on="link").join(now, on="object_id")


def is_ours() -> pl.Expr:
    """Whether link and mark of a row of `beside_actual` agree: our mark, or none on an object that was matched."""
    return ((pl.col("mark_now") == pl.col("mark")) | (pl.col("mark_now").is_null() & pl.col("adopted"))).fill_null(
        value=False
    )
