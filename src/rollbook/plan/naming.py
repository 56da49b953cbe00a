"""Which name a new object gets: the first free alternative, else the first one numbered from 2, in the order of links.

Names are compared folded to lower case, because Microsoft's are unique whatever their case. The order of links never changes, so
the same people get the same names whatever order a register lists them in.
"""

from __future__ import annotations

import polars as pl


def pick(candidates: pl.DataFrame, taken: pl.Series, suffix: str) -> pl.DataFrame:
    """A name for each link: [link, name].

    `candidates` has [link, base], the column `suffix` names (what stands behind the number, such as "@school.example") and, if
    there are alternatives, rank (0 first); `taken` are whole names, folded, that are in use or reserved. Only links whose first
    base collides are looked at one by one.
    """
    ranked = candidates if "rank" in candidates.columns else candidates.with_columns(rank=pl.lit(0))
    ordered = ranked.sort("link", "rank").with_columns(first=pl.concat_str("base", suffix))
    firsts = ordered.unique("link", keep="first", maintain_order=True)
    alone = firsts.filter((pl.len().over("first") == 1) & ~pl.col("first").is_in(taken.implode()))
    used = set(alone["first"]) | set(taken)
    colliding = (
        ordered.join(alone, on="link", how="anti")
        .group_by("link", maintain_order=True)
        .agg("first", pl.col("base").first(), pl.col(suffix).first().alias("tail"))
        .select("link", "first", "base", "tail")
    )
    picked = [(link, _free(names, base, tail, used)) for link, names, base, tail in colliding.iter_rows()]
    numbered = pl.DataFrame(picked, schema={"link": pl.Int64, "name": pl.String}, orient="row")
    return pl.concat([alone.select("link", name="first"), numbered]).sort("link")


def _free(alternatives: list[str], base: str, tail: str, used: set[str]) -> str:
    name, number = next((name for name in alternatives if name not in used), ""), 1
    while not name:
        number += 1
        numbered = f"{base}{number}{tail}"
        name = "" if numbered in used else numbered
    used.add(name)
    return name
