"""What lies around a part in the tenant: accounts, groups and names that matter for it, found by points."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from rollbook.directory.desired import Desired
from rollbook.directory.state import MEMBERSHIPS, Relation
from rollbook.plan.match import Matched, beside_actual, is_ours
from rollbook.scoped.ports import Mirror, World
from rollbook.sync import TEAM, USER, Scope


@dataclass(frozen=True, slots=True)
class Held:
    """What is desired, whom it is about (`mine` [link, mark]), and the links of everybody and everything in it."""

    desired: Desired
    mine: pl.DataFrame
    user_links: pl.DataFrame
    group_links: pl.DataFrame

    def open(self, marked: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
        """Rows of `marked` [link, ...] that have no object yet."""
        return marked.join(links.drop_nulls("object_id"), on="link", how="anti")


MATCHED_BY = {
    "sis_number": ("employee_id", ("number",)),
    "email": ("mail", ("name", "mail")),
    "username": ("username", ("local",)),
}
"""What people are found by the first time: the desired value, and the keys of the mirror."""

GROUPS_BY = {"email": "address", "name": "display", "external_id": "external"}


def users_near(held: Held, scope: Scope, world: World) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All accounts that matter: linked ones, those with our mark or property, in our teams, or with a name we may want.

    And the names (schema RESERVED) that are reserved for these people, or that they may want.
    """
    desired, mirror, settings = held.desired, world.mirror, scope.profile.users
    ids = held.user_links["object_id"].drop_nulls().to_list()
    fresh = held.open(held.mine, held.user_links)
    ids += mirror.found("mark", fresh["mark"].drop_nulls())
    if settings.match in MATCHED_BY:
        column, keys = MATCHED_BY[settings.match]
        source = desired.usernames if column == "username" else desired.state.users
        values = source.join(fresh, on="link", how="semi")[column].drop_nulls().to_list()
        ids += [found for by in keys for found in mirror.found(by, values)]
    teams = desired.state.groups.filter(pl.col("purpose") == TEAM)
    objects = held.group_links.join(teams, on="link", how="semi")["object_id"].drop_nulls()
    ids += mirror.members(group_ids=objects)["user_object_id"].to_list()
    others = held.group_links["object_id"].drop_nulls()
    ids += mirror.members(group_ids=others, relation=Relation.OWNER)["user_object_id"].to_list()
    users = mirror.users(dict.fromkeys(ids))
    back = users.filter("deleted").join(held.user_links, on="object_id").select("link")
    naming = held.mine if settings.names.rename_on_change else pl.concat([fresh.select("link"), back])
    names = desired.user_names.join(naming, on="link", how="semi").drop_nulls("base")
    names = names.select("link", "base", tail=pl.lit("@") + pl.col("domain"))
    taken = _names_in_use(names, "name", USER, scope.as_of, world)
    more = set(mirror.found("name", taken)) - set(users["object_id"])
    reserved = world.memory.names_among(USER, scope.as_of, held.mine["link"], taken)
    return pl.concat([users, mirror.users(sorted(more))]), reserved


def groups_near(held: Held, scope: Scope, world: World) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All groups that matter: linked ones, those with our mark or property, or with a nickname we may want; and those names."""
    desired, mirror = held.desired, world.mirror
    ids = held.group_links["object_id"].drop_nulls().to_list()
    fresh = held.open(desired.state.groups.select("link", "mark"), held.group_links)
    ids += mirror.found("mark", fresh["mark"].drop_nulls())
    keys = desired.match_keys.join(fresh, on="link", how="semi").drop_nulls("key")
    for by in keys["by"].unique():
        ids += mirror.found(GROUPS_BY[by], keys.filter(pl.col("by") == by)["key"])
    names = desired.nicknames.join(fresh, on="link", how="semi").drop_nulls("base")
    taken = _names_in_use(names.select("link", "base", tail=pl.lit("")), "nickname", TEAM, scope.as_of, world)
    ids += mirror.found("nickname", taken)
    reserved = world.memory.names_among(TEAM, scope.as_of, desired.state.groups["link"], taken)
    return mirror.groups(dict.fromkeys(ids)), reserved


NUMBERS = (1, 50, 1_000, 100_000)
"""Up to which number names are looked at, one after the other, until everybody who asks finds a free one."""


def _names_in_use(names: pl.DataFrame, by: str, kind: str, day: dt.date, world: World) -> list[str]:
    """Names in use or reserved among those that `names` [link, base, tail] may become, numbered from 2 where that is needed."""
    in_use: set[str] = set()
    nobody = pl.Series([], dtype=pl.Int64)
    whole = pl.concat_str("base", "number", "tail").str.to_lowercase()
    done = 0
    for most in NUMBERS:
        if names.is_empty():
            break
        numbers = pl.DataFrame({"number": ["" if n == 1 else str(n) for n in range(done + 1, most + 1)]})
        asked = names.join(numbers, how="cross").with_columns(name=whole)
        distinct = asked["name"].unique().to_list()
        in_use |= world.mirror.taken(by, distinct)
        in_use |= set(world.memory.names_among(kind, day, nobody, distinct)["folded"])
        free = asked.filter(~pl.col("name").is_in(list(in_use))).group_by("link").agg(free=pl.col("name").n_unique())
        # Whoever shares a name with others may be the last of them to choose.
        rivals = (
            names.with_columns(rivals=pl.col("link").n_unique().over("base", "tail"))
            .group_by("link")
            .agg(pl.col("rivals").max())
        )
        served = rivals.join(free, on="link").filter(pl.col("free") >= pl.col("rivals"))
        names, done = names.join(served, on="link", how="anti"), most
    return sorted(in_use)


def bystanders(others: pl.DataFrame, whole: Desired, links: pl.DataFrame, users: pl.DataFrame) -> pl.DataFrame:
    """Who else has an account that can be in groups (schema AROUND), with its object id."""
    known = others.join(whole.unmapped, on="link", how="anti").with_columns(object_id=pl.lit(None, dtype=pl.String))
    there = beside_actual(known, users, links.drop_nulls("object_id").select("link", "object_id", "adopted"))
    return there.filter(is_ours(), ~pl.col("deleted_now")).select(
        "object_id", user="link", enabled="account_enabled_now", licensed=pl.col("licences_now").list.len() > 0
    )


def memberships(desired: Desired, matched: Matched, around: pl.DataFrame, mirror: Mirror) -> pl.DataFrame:
    """Relations (schema MEMBERSHIPS): of teams all, of other groups those of the people it is about, of owners, of nested groups."""
    held = matched.groups.select("link", "object_id")
    teams = held.join(desired.state.groups.filter(pl.col("purpose") == TEAM), on="link", how="semi")
    partly = held.join(teams, on="link", how="anti")
    mine = matched.users.select("link", "object_id")
    named = around.select("object_id", link="user")
    owner = pl.col("relation") == int(Relation.OWNER)
    owning = (
        desired.reasons.filter(owner).join(partly.select(team="link"), on="team", how="semi").select("team", "user")
    )
    standing = named.join(owning.select(link="user"), on="link", how="semi")
    within = [*mine["object_id"], *partly["object_id"], *standing["object_id"]]
    objects = partly["object_id"]
    some = pl.concat([mirror.members(objects, within), mirror.members(objects, relation=Relation.OWNER)])
    everybody = pl.concat([mine, named.select("link", "object_id"), partly])
    known = pl.concat([mine, standing.select("link", "object_id"), partly])
    partial = _linked(some.unique(maintain_order=True), partly, known)
    # Who owns one group by the profile is somebody outside in another: nothing is known of them there.
    about = pl.col("user").is_in(pl.concat([mine["link"], partly["link"]]).implode())
    inside = pl.concat([partial.filter(about), partial.join(owning, on=["team", "user"], how="semi").filter(~about)])
    outside = partial.join(inside, on=["team", "user"], how="anti").filter(owner)
    return pl.concat(
        [
            _linked(mirror.members(teams["object_id"]), teams, everybody),
            inside,
            outside.with_columns(pl.lit(None, dtype=pl.Int64).alias("user")),
        ]
    )


def _linked(read: pl.DataFrame, groups: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    return (
        read.join(groups.select(group_object_id="object_id", team="link"), on="group_object_id")
        .join(people.select(user_object_id="object_id", user="link"), on="user_object_id", how="left")
        .select(MEMBERSHIPS.keys())
        .cast(pl.Schema(MEMBERSHIPS))
    )
