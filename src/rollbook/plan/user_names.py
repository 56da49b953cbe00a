"""What accounts are called: names for new ones, and other names for those whose name no longer follows from the register."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from rollbook.directory.state import State
from rollbook.plan.changes import Cause, Kind
from rollbook.plan.context import Context
from rollbook.plan.naming import pick
from rollbook.plan.rows import rows, together, values
from rollbook.profiles import Profile


def taken_names(actual: State, context: Context, candidates: pl.DataFrame, profile: Profile) -> pl.Series:
    """Whole user names nobody new may get, folded: in use, reserved for somebody, or blocked in any of our domains."""
    in_use = actual.users.filter(~pl.col("deleted"))["user_principal_name"].str.to_lowercase()
    domains = candidates.select("domain").drop_nulls().unique()
    blocked = pl.DataFrame({"name": profile.users.names.blocked}, schema={"name": pl.String}).join(domains, how="cross")
    whole = blocked.select(pl.concat_str(pl.col("name").str.to_lowercase(), pl.lit("@"), "domain").alias("folded"))
    return pl.concat([in_use, context.user_names["folded"], whole["folded"]]).drop_nulls().unique()


def named(
    people: pl.DataFrame, candidates: pl.DataFrame, actual: State, context: Context, profile: Profile
) -> pl.DataFrame:
    """[link, name] for each of `people` [link] for whom a name can be made. `candidates` has schema NAMES.

    A name reserved for the same link is its own, if nobody uses it: a creation that was cut off gets it again.
    """
    mine = candidates.join(people.select("link"), on="link", how="semi").drop_nulls("base")
    in_use = actual.users.filter(~pl.col("deleted")).select(folded=pl.col("user_principal_name").str.to_lowercase())
    own = (
        context.user_names.join(mine, on="link", how="semi")
        .join(in_use, on="folded", how="anti")
        .unique("link", keep="first", maintain_order=True)
    )
    taken = taken_names(actual, context, mine, profile)
    open_names = mine.join(own, on="link", how="anti").with_columns(suffix=pl.lit("@") + pl.col("domain"))
    return pl.concat([pick(open_names, taken, "suffix"), own.select("link", name="folded")]).sort("link")


def renames(
    there: pl.DataFrame, candidates: pl.DataFrame, actual: State, context: Context, profile: Profile
) -> pl.DataFrame:
    """Accounts whose name follows from no candidate any more, numbers aside, if the profile renames at all.

    `there` are accounts that may be updated, beside what they are now.
    """
    if not profile.users.names.rename_on_change:
        return together([])
    present = there.filter("present").join(candidates.drop_nulls("base").select("link"), on="link", how="semi")
    now = present.select("link", now=pl.col("user_principal_name_now").str.to_lowercase())
    fitting = now.join(candidates.drop_nulls("base"), on="link").filter(
        pl.col("now")
        .str.strip_prefix(pl.col("base"))
        .str.strip_suffix(pl.concat_str(pl.lit("@"), "domain"))
        .str.contains(r"^\d*$")
    )
    changed = now.join(fitting, on="link", how="anti")
    # Names reserved for somebody who is renamed are old ones of theirs, which only they might get again.
    others = replace(context, user_names=context.user_names.join(changed, on="link", how="anti"))
    chosen = named(changed, candidates, actual, others, profile).join(changed, on="link").sort("link")
    shown = chosen.with_columns(
        user_principal_name="name",
        mail_nickname=pl.col("name").str.split("@").list.first(),
        before=pl.struct(user_principal_name="now").struct.json_encode(),
    )
    return rows(
        shown,
        Kind.RENAME_USER,
        Cause.NAME_CHANGED,
        before="before",
        after=values("user_principal_name", "mail_nickname"),
    )
