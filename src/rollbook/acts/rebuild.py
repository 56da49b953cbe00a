"""Links remade from the marks that objects carry in the tenant, after a database was lost. Writes nothing at Microsoft."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import polars as pl
from django.db import transaction

from rollbook.acts.desk import Desk
from rollbook.acts.groupings import note_nodes, note_teams
from rollbook.store import decisions, links, mirror
from rollbook.store.identities import read_subjects
from rollbook.store.links import By
from rollbook.store.marks import recognised
from rollbook.store.models import Connection, Institute, Link

REASON = "rebuilt from marks"
OF_GROUPS = (Link.Kind.TEAM, Link.Kind.NODE, Link.Kind.LICENCE)
"""What a group may be for: its mark says which."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many links were remade and how many held their object already; what was left alone: (kind, name, why)."""

    made: int
    known: int
    left: Sequence[tuple[str, str, str]]


def rebuild(desk: Desk) -> Rebuilt:
    """Every link whose mark an object of the tenant carries, bound to it: of people, teams, nodes and licences.

    What is in doubt is left alone and told.
    """
    now = desk.author.clock.now()
    users = desk.users()
    for institute in _institutes(desk):
        note_teams(institute)
        note_nodes(institute, now.astimezone(ZoneInfo(institute.time_zone)).date())
    accounts = users.select("object_id", "mark", "employee_id", name="user_principal_name").drop_nulls("mark")
    groups = desk.reader.groups().select(
        "object_id", "mark", name="display_name", employee_id=pl.lit(None, dtype=pl.String)
    )
    by = By(desk.author.actor.name, now, REASON)
    done = Rebuilt(0, 0, [])
    with transaction.atomic():
        done = _bound(desk, Link.Kind.USER, _pairs(desk, Link.Kind.USER, accounts), by, done)
        unclaimed = groups.drop_nulls("mark")
        for kind in OF_GROUPS:
            pairs = _pairs(desk, kind, unclaimed)
            unclaimed = unclaimed.join(pairs.drop_nulls("link"), on="object_id", how="anti")
            done = _bound(desk, kind, pairs.drop_nulls("link"), by, done)
        done = _bound(desk, Link.Kind.TEAM, _pairs(desk, Link.Kind.TEAM, unclaimed), by, done, told="group")
        content = {"made": done.made, "known": done.known, "left": len(done.left)}
        if done.made:
            mirror.see(desk.tenant, mirror.Reading(users, now))
            desk.changed("links.rebuilt", content)
        else:
            desk.author.note(desk.institute, "links.rebuilt", content)
    return done


def _bound(desk: Desk, kind: Link.Kind, pairs: pl.DataFrame, by: By, done: Rebuilt, told: str | None = None) -> Rebuilt:
    """What was done before and with `pairs`: those without a doubt are bound, the others told under the kind, or as `told`."""
    doubts = _doubts(desk, kind, pairs)
    left = [(told or kind.value, name, why) for name, why in doubts.select("name", "why").sort("name").iter_rows()]
    clear = pairs.drop_nulls("link").join(doubts, on="object_id", how="anti")
    wanted = clear.select("link", "object_id", object_mark="mark")
    return Rebuilt(
        done.made + links.change(desk.tenant, desk.institute, kind, wanted, by),
        done.known + pairs.filter(pl.col("held") == pl.col("object_id")).height,
        [*done.left, *left],
    )


def _pairs(desk: Desk, kind: str, objects: pl.DataFrame) -> pl.DataFrame:
    """Marked objects with the link whose mark it is: [object_id, mark, employee_id, name, link, held, subject]; link null if nobody's.

    Marks that no link has are derived from what the registers of the tenant's institutes call people, classes and nodes.
    """
    known = links.held(desk.tenant, kind)
    strange = objects.join(known, on="mark", how="anti").join(links.given_up(desk.tenant), on="mark", how="anti")
    reserved = [known.select("link", "mark", "held", "subject")]
    for institute in _institutes(desk):
        found = recognised(desk.tenant, institute, kind, strange["mark"].to_list())
        own = links.reserve(desk.tenant, institute, kind, found.select("subject", "period").unique())
        of_found = found.join(own.drop("mark"), on=["subject", "period"])
        holding = links.held(desk.tenant, kind).select("link", "held")
        reserved.append(of_found.join(holding, on="link").select("link", "mark", "held", "subject"))
    return objects.join(pl.concat(reserved), on="mark", how="left")


def _institutes(desk: Desk) -> list[Institute]:
    sharing = Connection.objects.filter(tenant=desk.tenant).values_list("institute", flat=True)
    return list(Institute.objects.filter(pk__in=list(sharing)).order_by("pk"))


def _doubts(desk: Desk, kind: str, pairs: pl.DataFrame) -> pl.DataFrame:
    """[object_id, name, why] of objects that are left alone; the first reason of each."""
    given_up = links.given_up(desk.tenant).with_columns(left=pl.lit(value=True))
    refused = decisions.in_force(desk.tenant).select("link", "object_id").with_columns(refused=pl.lit(value=True))
    every = pl.concat([links.held(desk.tenant, each) for each in Link.Kind])
    holders = every.drop_nulls("held").select(object_id="held", holder="link")
    looked = (
        pairs.join(given_up, on="mark", how="left")
        .join(refused.unique(), on=["link", "object_id"], how="left")
        .join(holders, on="object_id", how="left")
        .join(_owners_by_number(desk, kind, pairs), on="object_id", how="left")
    )
    unclaimed = pl.col("link").is_null()
    why = (
        pl.when(unclaimed & pl.col("holder").is_not_null())
        .then(None)  # taken over by hand: it is linked, whatever it carries
        .when(unclaimed & pl.col("left"))
        .then(pl.lit("its link was undone by a person"))
        .when(unclaimed)
        .then(pl.lit("nobody here knows its mark"))
        .when(pl.col("refused"))
        .then(pl.lit("its link was undone by a person"))
        .when(pl.col("held").is_not_null() & (pl.col("held") != pl.col("object_id")))
        .then(pl.lit("whoever the mark stands for is linked to another one"))
        .when(pl.col("holder").is_not_null() & (pl.col("holder") != pl.col("link")))
        .then(pl.lit("it is linked to somebody else"))
        .when((pl.len().over("link") > 1) | (pl.len().over("object_id") > 1))
        .then(pl.lit("several carry this mark"))
        .when("others")
        .then(pl.lit("it carries one person's mark and another's SIS number"))
    )
    return looked.with_columns(why=why).drop_nulls("why").select("object_id", "name", "why").unique("object_id")


def _owners_by_number(desk: Desk, kind: str, pairs: pl.DataFrame) -> pl.DataFrame:
    """[object_id, others]: whether an account's employee id is the SIS number of somebody else and not of whom its mark stands for."""
    numbers = [read_subjects(institute, kind).select("subject", "number") for institute in _institutes(desk)]
    known = pl.concat(numbers).drop_nulls("number").unique()
    owners = pairs.drop_nulls(["employee_id", "link"]).join(
        known.rename({"subject": "owner"}), left_on="employee_id", right_on="number"
    )
    return owners.group_by("object_id").agg(others=(pl.col("owner") != pl.col("subject")).all())
