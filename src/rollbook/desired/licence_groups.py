"""Licence groups: one flat security group a user type, which carries the products of its role."""

from __future__ import annotations

import polars as pl

from rollbook.directory.desired import LICENCE_GROUPS
from rollbook.directory.state import GROUPS
from rollbook.roster.tables import Roster

OF_TYPE = {"user_type": LICENCE_GROUPS["user_type"], "link": pl.Int64, "mark": pl.String}


def groups_of_licences(roster: Roster, groups: pl.DataFrame, licences: pl.DataFrame) -> pl.DataFrame:
    """The desired groups (schema GROUPS) of `groups` [user_type, link, mark], with the products of `licences` (schema LICENCES)."""
    school = roster.institutes["name"][0] if roster.institutes.height else "this school"
    products = licences.group_by("user_type").agg(
        licences=pl.col("sku").sort(),
        plans_off=pl.col("plans_off").list.explode(empty_as_null=True).drop_nulls().sort(),
    )
    none = pl.lit(None, dtype=pl.String)
    named = groups.join(products, on="user_type").select(
        "link",
        none.alias("object_id"),
        pl.format("Licences: {}, {}", pl.col("user_type").cast(pl.String), pl.lit(school)).alias("display_name"),
        pl.lit("Kept by Rollbook: its members get their Microsoft licences through it.").alias("description"),
        "licences",
        "plans_off",
        "mark",
    )
    return named.cast(pl.Schema(GROUPS)).sort("link")
