"""Licence groups: one flat security group a user type, which carries the products of its role."""

from __future__ import annotations

import polars as pl

from rollbook.directory.desired import LICENCE_GROUPS
from rollbook.directory.state import as_groups
from rollbook.roster.tables import Roster

OF_TYPE = {"user_type": LICENCE_GROUPS["user_type"], "link": pl.Int64, "mark": pl.String}


def groups_of_licences(roster: Roster, groups: pl.DataFrame, licences: pl.DataFrame) -> pl.DataFrame:
    """The desired groups (schema GROUPS) of `groups` [user_type, link, mark], with the products of `licences` (schema LICENCES)."""
    school = roster.institutes["name"][0] if roster.institutes.height else "this school"
    products = licences.group_by("user_type").agg(
        licences=pl.col("sku").sort(),
        plans_off=pl.col("plans_off").list.explode(empty_as_null=True).drop_nulls().sort(),
    )
    named = groups.join(products, on="user_type").select(
        "link",
        "licences",
        "plans_off",
        "mark",
        purpose=pl.lit("licence"),
        kind=pl.lit("security"),
        display_name=pl.format("Licences: {}, {}", pl.col("user_type").cast(pl.String), pl.lit(school)),
        description=pl.lit("Kept by Rollbook: its members get their Microsoft licences through it."),
    )
    return as_groups(named).sort("link")
