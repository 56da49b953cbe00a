"""Differences of groups: which are made, which become teams, which change, which wait; of teams and of the school's structure.

What a group is made with, and by which kind of change, follows from what it is (KINDS); everything else is the same for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from rollbook.directory.desired import Desired
from rollbook.directory.state import Relation, State
from rollbook.plan.accounts import Accounts
from rollbook.plan.changes import Cause, Kind
from rollbook.plan.context import Context
from rollbook.plan.match import Matched, beside_actual, is_ours
from rollbook.plan.naming import pick
from rollbook.plan.rows import rows, together, values, waits

ATTRIBUTES = ("display_name", "description", "class_code")
"""What is kept in step. An address is not: people know it, and it is written on paper."""


@dataclass(frozen=True, slots=True)
class MadeBy:
    """How a kind of group is made, what is said when, and how it is changed."""

    create: Kind
    update: Kind
    values: tuple[str, ...]


KINDS: Mapping[str, MadeBy] = {
    "class": MadeBy(Kind.CREATE_CLASS, Kind.UPDATE_CLASS, (*ATTRIBUTES, "external_id", "mail_nickname")),
    "unified": MadeBy(
        Kind.CREATE_UNIFIED, Kind.UPDATE_GROUP, ("display_name", "description", "mail_nickname", "behaviours")
    ),
    "security": MadeBy(Kind.CREATE_GROUP, Kind.UPDATE_GROUP, ("display_name", "description")),
}


@dataclass(frozen=True, slots=True)
class Groups:
    """The changes of groups, and which of them people can be put into afterwards: [team, purpose, security, has_team]."""

    changes: pl.DataFrame
    open: pl.DataFrame


def diff_groups(desired: Desired, actual: State, matched: Matched, accounts: Accounts, context: Context) -> Groups:
    """What has to change so that groups and teams are as desired. No group that needs an owner is made before it has one."""
    wanted = desired.state.groups.filter(pl.col("purpose") != "licence")
    linked = beside_actual(wanted, actual.groups, matched.groups)
    untouchable = pl.col("dynamic_now") | pl.col("on_premises_now")
    there = linked.filter(~untouchable, is_ours())
    absent = _absent(wanted, matched, desired)
    ownerless, hindered = _without_owner(desired, accounts)
    blocked = pl.concat([ownerless, hindered])
    creating = _named(absent.join(blocked, on="link", how="anti"), desired.nicknames, actual, context)
    to_be_teams = pl.col("has_team")
    to_make = there.filter(to_be_teams, ~pl.col("has_team_now"))
    unmade = pl.concat(
        [
            absent.select("link", "purpose", "has_team"),
            to_make.select("link", "purpose", "has_team"),
        ]
    )
    teams = pl.concat(
        [
            creating.filter(to_be_teams).select("link", template=_template("kind")),
            to_make.select("link", template=_template("kind_now")),
        ]
    ).join(blocked, on="link", how="anti")
    changes = together(
        [
            *_creations(creating),
            rows(teams.sort("link"), Kind.CREATE_TEAM, Cause.NO_TEAM, after=values("template")),
            *_ownerless(unmade, ownerless, hindered),
            *_left_alone(wanted, linked, matched, desired),
            *_updates(there, desired.creation_only),
        ]
    )
    return Groups(changes, pl.concat([_open(creating, has_team=to_be_teams), _open(there, has_team=to_be_teams)]))


def _template(kind: str) -> pl.Expr:
    """What a group of this kind becomes a team by: the template of classes is for class groups alone (graph.md section 6.3)."""
    return pl.when(pl.col(kind).cast(pl.String) == "class").then(pl.lit("educationClass")).otherwise(pl.lit("standard"))


def _open(groups: pl.DataFrame, has_team: pl.Expr) -> pl.DataFrame:
    already = pl.col("has_team_now") if "has_team_now" in groups.columns else pl.lit(value=False)
    kind = pl.col("kind_now") if "kind_now" in groups.columns else pl.col("kind")
    return groups.select(
        team="link", purpose="purpose", security=kind.cast(pl.String) == "security", has_team=already & has_team
    )


def _absent(wanted: pl.DataFrame, matched: Matched, desired: Desired) -> pl.DataFrame:
    """Groups that have to be made: not linked, nothing unclear about a match, and with values to be made from."""
    unclear = matched.changes.filter((pl.col("kind") == int(Kind.LINK_GROUP)) & pl.col("after").is_null())
    return (
        wanted.join(matched.groups, on="link", how="anti")
        .join(unclear.select(link="subject"), on="link", how="anti")
        .join(desired.unmapped_groups, on="link", how="anti")
    )


def _creations(creating: pl.DataFrame) -> list[pl.DataFrame]:
    return [
        rows(
            creating.filter(pl.col("kind") == kind),
            made.create,
            pl.when(pl.col("purpose") == "team").then(int(Cause.NO_CLASS)).otherwise(int(Cause.NO_GROUP)),
            after=values(*made.values),
        )
        for kind, made in KINDS.items()
    ]


def _ownerless(unmade: pl.DataFrame, ownerless: pl.DataFrame, hindered: pl.DataFrame) -> list[pl.DataFrame]:
    """Teams wait for a teacher, groups of the structure for the owner the profile names."""
    team = pl.col("purpose") == "team"
    nodes = unmade.filter(~team).join(pl.concat([ownerless, hindered]), on="link", how="semi")
    teams = unmade.filter(team)
    return [
        waits(teams.join(ownerless, on="link", how="semi"), Kind.CREATE_TEAM, Cause.NO_TEACHER),
        waits(teams.join(hindered, on="link", how="semi"), Kind.CREATE_TEAM, Cause.OWNERS_WAIT),
        waits(nodes, Kind.CREATE_UNIFIED, Cause.GROUP_OWNER_WAITS),
    ]


def _left_alone(wanted: pl.DataFrame, linked: pl.DataFrame, matched: Matched, desired: Desired) -> list[pl.DataFrame]:
    """What is linked and cannot be changed, each with its reason; and what no values could be made for."""
    known = wanted.join(matched.groups, on="link", how="semi").join(desired.emptied, on="link", how="anti")
    gone = known.join(linked, on="link", how="anti")
    team = pl.col("purpose") == "team"
    return [
        waits(gone.filter(team), Kind.UPDATE_GROUP, Cause.TEAM_GONE),
        waits(gone.filter(~team), Kind.UPDATE_GROUP, Cause.GROUP_GONE),
        waits(linked.filter("dynamic_now"), Kind.UPDATE_GROUP, Cause.DYNAMIC_GROUP),
        waits(
            linked.filter(~pl.col("dynamic_now"), pl.col("on_premises_now")), Kind.UPDATE_GROUP, Cause.KEPT_ON_PREMISES
        ),
        waits(
            linked.filter(~pl.col("dynamic_now"), ~pl.col("on_premises_now"), ~is_ours()),
            Kind.UPDATE_GROUP,
            Cause.FOREIGN_MARK,
        ),
        waits(
            wanted.join(desired.unmapped_groups, on="link", how="semi"), Kind.UPDATE_GROUP, Cause.GROUP_MAPPING_FAILED
        ),
    ]


def _without_owner(desired: Desired, accounts: Accounts) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Groups that need an owner and have none, and those whose owners cannot be it yet: [link] each.

    A team needs an owner who may sign in and has a licence (graph.md section 13.7), any other Microsoft 365 group one who is there.
    """
    every = desired.state.groups.filter(pl.col("kind") != "security", pl.col("purpose") != "licence")
    owners = desired.reasons.filter(pl.col("relation") == int(Relation.OWNER)).select(link="team", user="user")
    able = (
        owners.join(accounts.usable, on="user")
        .join(every.select("link", "has_team"), on="link")
        .filter(~pl.col("has_team") | (pl.col("enabled") & pl.col("licensed")))
        .select("link")
        .unique()
    )
    owned = owners.select("link").unique()
    needing = every.select("link")
    return (
        needing.join(owned, on="link", how="anti"),
        needing.join(owned, on="link", how="semi").join(able, on="link", how="anti"),
    )


def _named(creating: pl.DataFrame, nicknames: pl.DataFrame, actual: State, context: Context) -> pl.DataFrame:
    """The groups to be made with their mail nicknames: one they had reserved, else the first that is free."""
    own = context.nicknames.join(creating, on="link", how="semi").unique("link", keep="first", maintain_order=True)
    in_use = actual.groups["mail_nickname"].str.to_lowercase()
    own = own.join(in_use.to_frame("folded"), on="folded", how="anti")
    taken = pl.concat([in_use, context.nicknames["folded"]]).drop_nulls().unique()
    addressed = creating.filter(pl.col("kind") != "security")
    candidates = addressed.join(own, on="link", how="anti").select("link").join(nicknames, on="link")
    picked = pick(candidates.with_columns(suffix=pl.lit("")), taken, "suffix")
    named = pl.concat([picked, own.select("link", name="folded")])
    return (
        creating.drop("mail_nickname").join(named.rename({"name": "mail_nickname"}), on="link", how="left").sort("link")
    )


def _updates(there: pl.DataFrame, creation_only: pl.DataFrame) -> list[pl.DataFrame]:
    """Groups whose values differ; of a group that is no class, the class code is no value."""
    is_class = pl.col("kind_now").cast(pl.String) == "class"
    found = []
    for kind, part, names in (
        (Kind.UPDATE_CLASS, there.filter(is_class), ATTRIBUTES),
        (Kind.UPDATE_GROUP, there.filter(~is_class), ATTRIBUTES[:2]),
    ):
        fixed = [creation_only.filter(pl.col("attribute") == name)["link"].implode() for name in names]
        targets = part.with_columns(
            pl.when(pl.col("link").is_in(links))
            .then(pl.col(f"{name}_now"))
            .otherwise(pl.coalesce(name, f"{name}_now"))
            .alias(name)
            for name, links in zip(names, fixed, strict=True)
        )
        differing = targets.filter(pl.any_horizontal(pl.col(n).ne_missing(pl.col(f"{n}_now")) for n in names))
        before = pl.struct(pl.col(f"{n}_now").alias(n) for n in names).struct.json_encode()
        found.append(rows(differing.sort("link"), kind, Cause.VALUES_DIFFER, before=before, after=values(*names)))
    return found
