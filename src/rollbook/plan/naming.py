"""Which name a new object gets: the first free one of base, base2, base3 ... in the order of links, which never changes.

Names are compared folded to lower case, because Microsoft's are unique whatever their case.
"""

from __future__ import annotations

import polars as pl


def pick(candidates: pl.DataFrame, taken: pl.Series, suffix: str) -> pl.DataFrame:
    """A name for each link: [link, name].

    `candidates` has [link, base] and the column `suffix` names (what stands behind the number, such as "@school.example");
    `taken` are whole names, folded, that are in use or reserved. Only links whose base collides are looked at one by one.
    """
    ordered = candidates.sort("link").with_columns(first=pl.concat_str("base", suffix))
    alone = ordered.filter((pl.len().over("first") == 1) & ~pl.col("first").is_in(taken.implode()))
    colliding = ordered.join(alone, on="link", how="anti")
    used = set(alone["first"]) | set(taken)
    picked = [
        (link, _free(base, tail, used)) for link, base, tail in colliding.select("link", "base", suffix).iter_rows()
    ]
    numbered = pl.DataFrame(picked, schema={"link": pl.Int64, "name": pl.String}, orient="row")
    return pl.concat([alone.select("link", name="first"), numbered]).sort("link")


def _free(base: str, tail: str, used: set[str]) -> str:
    name, number = f"{base}{tail}", 1
    while name in used:
        number += 1
        name = f"{base}{number}{tail}"
    used.add(name)
    return name
