"""Differences of memberships: the smallest set of relations to add and to remove. Nobody is removed and added again.

A relation is packed into one integer (team, user, relation), so that a million of them compare by one anti-join each way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from rollbook.directory.state import Relation, packed
from rollbook.plan.changes import Cause, Kind
from rollbook.plan.owners import Acting, Succession, succession
from rollbook.plan.rows import rows, together, values, waits
from rollbook.profiles import Profile


def difference(desired: pl.DataFrame, actual: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is desired and not there, and what is there and not desired; both keep their columns."""
    left, right = desired.with_columns(packed()), actual.with_columns(packed())
    return (
        left.join(right.select("packed"), on="packed", how="anti").drop("packed"),
        right.join(left.select("packed"), on="packed", how="anti").drop("packed"),
    )


@dataclass(frozen=True, slots=True)
class Memberships:
    """The changes of memberships (schema ROWS), and which of them rely on an owner this plan adds: [team, user, successor]."""

    changes: pl.DataFrame
    relying: pl.DataFrame


Limits = Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]
"""Which of the relations that would be added are beyond a limit of Microsoft (schema limits.BEYOND), given those that end."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What memberships heed beside what is desired.

    `nested` are links of groups that may stand in groups, `limits` those of Microsoft, `acting` who can be an owner, `outside` (schema
    directory.desired.OUTSIDE) where people belong by what is outside the profile's scope.
    """

    nested: pl.Series
    limits: Limits
    acting: Acting
    outside: pl.DataFrame


def diff_memberships(
    reasons: pl.DataFrame,
    actual: pl.DataFrame,
    groups: pl.DataFrame,
    rules: Rules,
    profile: Profile,
) -> Memberships:
    """The changes that make the memberships as desired.

    `reasons` (schema REASONS) is desired, restricted to people and groups that are there or are being made; `actual` [team, user,
    relation, user_object_id] is what the tenant holds, user null for people who are not in the register; `groups` [team, purpose,
    security, has_team] are the groups it is about. What is held is neither added nor ended, and what is beyond a limit of Microsoft
    is not added.
    """
    security = groups.filter("security").select("team")
    # Nobody owns a group of the structure but by hand: who does is left alone.
    by_hand = actual.join(security, on="team", how="semi").filter(pl.col("relation") == int(Relation.OWNER))
    known = actual.drop_nulls("user").select("team", "user", "relation")
    adding, unwanted = difference(reasons, known.join(by_hand, on=["team", "user", "relation"], how="anti"))
    removing = unwanted.join(groups.select("team", "purpose"), on="team")
    if profile.enrolments.keep_previous:
        removing = removing.filter(pl.col("purpose") != "team")
    held, adding = adding.filter("held"), adding.filter(~pl.col("held"))
    beyond = rules.limits(adding, removing)
    too_many = adding.drop("because", "day", "held").join(beyond, on=["team", "user", "relation"])
    adding = adding.join(beyond, on=["team", "user", "relation"], how="anti")
    following = _following(removing, adding, actual, groups, rules.acting)
    removing = removing.join(following.spared, on=["team", "user"], how="anti")
    changes = together(
        [
            _additions(adding),
            waits(held, Kind.ADD_MEMBER, Cause.HELD, subject="team", object="user", day="day"),
            waits(too_many, _adding_kind(), pl.col("cause"), subject="team", object="user"),
            *_removals(removing, reasons, groups, rules),
            waits(following.spared, Kind.REMOVE_OWNER, Cause.LAST_OWNER, subject="team", object="user"),
        ]
    )
    return Memberships(changes, following.relying)


BECAUSE: Mapping[str, Cause] = {
    "teaching": Cause.TEACHING_CURRENT,
    "extra_owner": Cause.EXTRA_OWNER,
    "enrolment": Cause.ENROLMENT_CURRENT,
    "structure": Cause.IN_STRUCTURE,
    "nested": Cause.NESTED,
}
"""Why somebody is added, by what desired says of it."""


def _adding_kind() -> pl.Expr:
    owner = pl.col("relation") == int(Relation.OWNER)
    return pl.when(owner).then(int(Kind.ADD_OWNER)).otherwise(int(Kind.ADD_MEMBER))


def _additions(adding: pl.DataFrame) -> pl.DataFrame:
    causes = {word: int(cause) for word, cause in BECAUSE.items()}
    return rows(
        adding,
        _adding_kind(),
        pl.col("because").cast(pl.String).replace_strict(causes, return_dtype=pl.UInt8),
        subject="team",
        object="user",
        day="day",
    )


def _removals(removing: pl.DataFrame, reasons: pl.DataFrame, groups: pl.DataFrame, rules: Rules) -> list[pl.DataFrame]:
    """Relations that end. Of a team, whoever stays a member is demoted rather than removed as owner.

    Microsoft ends the membership together with the ownership there (graph.md section 5.2), so that somebody would be out of the
    team until added again.
    """
    owner = pl.col("relation") == int(Relation.OWNER)
    belonging = pl.concat([part.select("team", "user", "relation") for part in (reasons, rules.outside)])
    members = belonging.filter(pl.col("relation") == int(Relation.MEMBER)).select("team", "user")
    teams = groups.filter("has_team").select("team")
    demoted = removing.filter(owner).join(teams, on="team", how="semi").join(members, on=["team", "user"], how="semi")
    ended = removing.join(demoted, on=["team", "user", "relation"], how="anti")
    node = pl.col("purpose") == "node"
    owning = removing.filter(owner).select("team", "user", taught=pl.lit(value=True))
    ended = ended.join(owning, on=["team", "user"], how="left")
    cause = (
        pl.when(node & pl.col("user").is_in(rules.nested.implode()))
        .then(int(Cause.NOT_NESTED))
        .when(node)
        .then(int(Cause.NOT_IN_STRUCTURE))
        .when(owner | pl.col("taught"))
        .then(int(Cause.TEACHING_ENDED))
        .otherwise(int(Cause.ENROLMENT_ENDED))
    )
    kind = pl.when(owner).then(int(Kind.REMOVE_OWNER)).otherwise(int(Kind.REMOVE_MEMBER))
    return [
        rows(ended, kind, cause, subject="team", object="user"),
        rows(demoted, Kind.DEMOTE_OWNER, Cause.STILL_MEMBER, subject="team", object="user"),
    ]


def _following(
    removing: pl.DataFrame, adding: pl.DataFrame, actual: pl.DataFrame, groups: pl.DataFrame, acting: Acting
) -> Succession:
    """Who follows the owners who leave; whoever stays as owner also stays as member. A security group needs no owner."""
    owner = pl.col("relation") == int(Relation.OWNER)
    return succession(
        removing.filter(owner).select("team", "user"),
        adding.filter(owner).select("team", "user"),
        actual,
        groups.filter(~pl.col("security")),
        acting,
    )


def strangers(memberships: pl.DataFrame, groups: pl.DataFrame, users: pl.DataFrame, linked: pl.Series) -> pl.DataFrame:
    """[team, user_object_id] of members who are not in the register and have to leave, where the profile asks for that.

    `users` (schema directory.state.USERS) are the tenant's, `linked` the object ids of everybody any register of the tenant knows.
    Protected accounts and guests stay, whom somebody invited on purpose; owners stay: one by hand may be the only one who can open a team.
    """
    owners = memberships.filter(pl.col("relation") == int(Relation.OWNER)).select("team", "user_object_id")
    return (
        memberships.filter(pl.col("user").is_null(), pl.col("relation") == int(Relation.MEMBER))
        .join(groups.select("team"), on="team", how="semi")
        .filter(~pl.col("user_object_id").is_in(linked.implode()))
        .join(
            users.filter(~pl.col("protected"), ~pl.col("guest")),
            left_on="user_object_id",
            right_on="object_id",
            how="semi",
        )
        .join(owners, on=["team", "user_object_id"], how="anti")
        .sort("team", "user_object_id")
        .select("team", "user_object_id")
    )


def remove_strangers(unknown: pl.DataFrame) -> pl.DataFrame:
    """The removals of people who are not in the register (schema ROWS), `unknown` [team, user_object_id]."""
    named = unknown.with_columns(object_id="user_object_id")
    return rows(named, Kind.REMOVE_STRANGER, Cause.UNKNOWN_PERSON, subject="team", after=values("object_id"))
