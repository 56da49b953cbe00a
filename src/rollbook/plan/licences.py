"""Licences: who gets which, as long as seats last; what we gave and the profile no longer gives. Set-based."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from rollbook.plan.changes import Cause, Forecast, Kind
from rollbook.plan.context import Context
from rollbook.plan.rows import rows, together, values, waits
from rollbook.profiles import Profile

NOTHING = pl.lit([], dtype=pl.List(pl.String))


@dataclass(frozen=True, slots=True)
class Licensing:
    """The changes of licences; [link] of who has or gets one; the forecast of seats; [link, sku] that end with a group's membership."""

    changes: pl.DataFrame
    licensed: pl.DataFrame
    forecast: tuple[Forecast, ...]
    ending: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"link": pl.Int64, "sku": pl.String}))


def license_people(
    there: pl.DataFrame, creating: pl.DataFrame, licences: pl.DataFrame, context: Context, profile: Profile
) -> Licensing:
    """What has to change so that people have their licences; seats go in the profile's order of user types, then of people.

    `there` are existing accounts beside what they are now, `creating` those that are made; `licences` has schema LICENCES.
    """
    people = wanted_people(there, creating)
    wishes = wishes_of(people, licences, profile)
    granted, short = seats_for(wishes.filter("missing"), context.seats)
    stale = _stale(people, context.granted, short)
    return Licensing(
        changes=together([_given(people, granted, wishes, stale), waits(short, Kind.LICENSE_USER, Cause.NO_SEATS)]),
        licensed=pl.concat(
            [people.filter(pl.col("has").list.len() > 0).select("link"), granted.select("link")]
        ).unique(),
        forecast=forecast(wishes, granted, licences, context.seats),
    )


def wanted_people(there: pl.DataFrame, creating: pl.DataFrame) -> pl.DataFrame:
    """[link, user_type, licences, has, off]: what current people should have and have now; `licences` is empty for others."""
    kept = there.filter("update").select("link", "user_type", "licences", has="licences_now", off="plans_off_now")
    made = creating.select("link", "user_type", "licences", has=NOTHING, off=NOTHING)
    return pl.concat([kept, made])


def wishes_of(people: pl.DataFrame, licences: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    """A row a person and product of their list, in the order seats are given; `missing` where one is needed."""
    order = {t.value: place for place, t in enumerate(profile.users.precedence)}
    held = pl.col("has").list.contains(pl.col("sku"))
    one_of_list = held.any().over("link")
    now_off = pl.col("off").list.set_intersection("plans").list.sort()
    return (
        people.filter(pl.col("licences").list.len() > 0)
        .join(licences, on="user_type")
        .with_columns(turn=pl.col("user_type").cast(pl.String).replace_strict(order, return_dtype=pl.Int32))
        .sort("turn", "link", "rank")
        .with_columns(
            missing=pl.when("first_only").then(~one_of_list).otherwise(~held),
            replanned=held & pl.col("plans_off").is_not_null() & (now_off != pl.col("plans_off")),
        )
    )


def seats_for(missing: pl.DataFrame, seats: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Which wishes get a seat, and [link] of who is left out. The most wanted products are given first.

    Loops over the places of the lists, never over people.
    """
    free = seats.select("sku", "free")
    granted = [missing.clear()]
    short = [missing.clear()]
    longest = missing.select(pl.col("rank").max()).item()
    for rank in range(0 if longest is None else longest + 1):
        served = pl.concat(granted).filter("first_only").select("link")
        asking = missing.filter(pl.col("rank") == rank).join(served, on="link", how="anti", maintain_order="left")
        placed = asking.with_columns(place=pl.int_range(1, pl.len() + 1).over("sku")).join(
            free, on="sku", how="left", maintain_order="left"
        )
        fits = pl.col("place") <= pl.col("free").fill_null(0)
        given = placed.filter(fits).select(missing.columns)
        granted.append(given)
        short.append(placed.filter(~fits).select(missing.columns))
        used = given.group_by("sku").agg(used=pl.len())
        free = free.join(used, on="sku", how="left").select("sku", pl.col("free") - pl.col("used").fill_null(0))
    given = pl.concat(granted)
    left = pl.concat(short)
    satisfied = given.filter("first_only").select("link")
    out = pl.concat(
        [left.filter(~pl.col("first_only")), left.filter("first_only").join(satisfied, on="link", how="anti")]
    )
    return given, out.select("link").unique().sort("link")


def _stale(people: pl.DataFrame, ours: pl.DataFrame, short: pl.DataFrame) -> pl.DataFrame:
    """[link, remove]: products we gave that are no longer on the list; nobody loses one before its successor is there."""
    current = people.filter(pl.col("licences").list.len() > 0).join(short, on="link", how="anti")
    return (
        current.join(ours, on="link")
        .filter(pl.col("has").list.contains(pl.col("sku")) & ~pl.col("licences").list.contains(pl.col("sku")))
        .group_by("link")
        .agg(remove=pl.col("sku").sort())
    )


def _given(people: pl.DataFrame, granted: pl.DataFrame, wishes: pl.DataFrame, stale: pl.DataFrame) -> pl.DataFrame:
    """One change a person: all products to add with their plans, all to remove."""
    adding = pl.concat([granted, wishes.filter("replanned")]).with_columns(licence=product())
    added = (
        adding.sort("link", "rank")
        .group_by("link", maintain_order=True)
        .agg(licences="licence", new=pl.col("missing").any())
    )
    changing = (
        people.select("link", had="has", off="off")
        .join(added, on="link", how="left")
        .join(stale, on="link", how="left")
        .filter(pl.col("licences").is_not_null() | pl.col("remove").is_not_null())
        .with_columns(pl.col("licences").fill_null([]), pl.col("remove").fill_null([]))
        .sort("link")
    )
    cause = (
        pl.when(pl.col("new").fill_null(value=False)).then(int(Cause.NO_LICENCE)).otherwise(int(Cause.LICENCE_CHANGED))
    )
    before = pl.struct(licences="had", plans_off="off").struct.json_encode()
    return rows(changing, Kind.LICENSE_USER, cause, before=before, after=values("licences", "remove"))


def forecast(
    wishes: pl.DataFrame, granted: pl.DataFrame, licences: pl.DataFrame, seats: pl.DataFrame
) -> tuple[Forecast, ...]:
    """Seats of every product of the lists; whoever may have one of several is counted for the product they get, else the first."""
    open_wishes = wishes.filter("missing")
    got = granted.select("link", "sku", got=pl.lit(value=True))
    counted = open_wishes.join(got, on=["link", "sku"], how="left").with_columns(pl.col("got").fill_null(value=False))
    served = counted.filter("first_only", "got").select("link")
    others = counted.filter(pl.col("first_only") & ~pl.col("got")).join(served, on="link", how="anti")
    relevant = pl.concat(
        [
            counted.filter(~pl.col("first_only") | pl.col("got")),
            others.unique("link", keep="first", maintain_order=True),
        ]
    )
    needed = relevant.group_by("sku").agg(needed=pl.len(), short=(~pl.col("got")).sum())
    products = licences.select("sku", "part").unique(maintain_order=True).join(needed, on="sku", how="left")
    table = (
        products.join(seats, on="sku", how="left")
        .with_columns(pl.col("needed", "short", "free").fill_null(0))
        .sort("part")
    )
    return tuple(
        Forecast(sku, part, needed, free, short)
        for sku, part, needed, free, short in table.select("sku", "part", "needed", "free", "short").iter_rows()
    )


def grace_over(context: Context, profile: Profile) -> pl.Expr:
    """Whether somebody who left loses the licences we gave by now, if the profile takes them back at all."""
    if not profile.users.leaving.unlicense:
        return pl.lit(value=False)
    over = pl.col("since") + pl.duration(days=profile.users.leaving.unlicense_days) <= context.as_of
    return ~pl.col("account_enabled") & pl.col("deactivate") & over


def product() -> pl.Expr:
    """One product and its plans that are off, as requests say it."""
    return pl.struct(sku="sku", off=pl.col("plans_off").fill_null([]))


def taken_back(there: pl.DataFrame, context: Context, profile: Profile) -> pl.DataFrame:
    """[link, since, sku]: licences we gave to people who left long enough ago, if the profile takes them back at all.

    `there` has the column `since`, the day from which graces count.
    """
    gone = there.filter(grace_over(context, profile))
    ours = gone.join(context.granted, on="link").filter(pl.col("licences_now").list.contains(pl.col("sku")))
    return ours.select("link", "since", "sku", "licences_now", "plans_off_now")


def take_back(taken: pl.DataFrame) -> pl.DataFrame:
    """The changes that take licences back: one a person of `taken` (as `taken_back` returns it)."""
    now = pl.col("since", "licences_now", "plans_off_now").first()
    losing = taken.group_by("link").agg(now, remove=pl.col("sku").sort()).sort("link")
    before = pl.struct(licences="licences_now", plans_off="plans_off_now").struct.json_encode()
    return rows(losing, Kind.UNLICENSE_USER, Cause.GRACE_OVER, day="since", before=before, after=values("remove"))
