"""Which group a class belongs to: the homeroom that all its students share, else itself. Pure, set-based."""

from __future__ import annotations

import polars as pl


def group_classes(classes: pl.DataFrame, enrolments: pl.DataFrame) -> pl.DataFrame:
    """[klass, home]: `home` is the class that stands for the group of `klass`.

    `classes` has [klass, kind], `enrolments` [person, klass]. A homeroom stands for itself. A scheduled class stands for the
    one homeroom every one of its students is in; if there is none, or more than one, for itself.
    """
    homerooms = classes.filter(pl.col("kind") == "homeroom").select("klass", home="klass")
    placed = enrolments.join(homerooms, on="klass", how="left")
    in_home = placed.filter(pl.col("home").is_not_null()).select("person", "home").unique()
    taught = placed.filter(pl.col("home").is_null()).select("person", "klass")
    # Nearly everybody is in one homeroom: a class shares it if it is the only one its students have, and none has none.
    single = in_home.filter(pl.len().over("person") == 1)
    several = in_home.join(single, on="person", how="anti")
    met = taught.join(single, on="person", how="left").group_by("klass")
    alike = met.agg(pl.col("home").max(), least=pl.col("home").min(), without=pl.col("home").null_count())
    shared = alike.filter((pl.col("home") == pl.col("least")) & (pl.col("without") == 0)).select("klass", "home")
    if several.height:
        involved = taught.join(several, on="person", how="semi").select("klass").unique()
        shared = pl.concat([shared, _shared_by_all(taught.join(involved, on="klass", how="semi"), in_home)])
    return (
        classes.select("klass")
        .join(shared, on="klass", how="left")
        .with_columns(pl.coalesce("home", "klass").alias("home"))
    )


def _shared_by_all(taught: pl.DataFrame, in_home: pl.DataFrame) -> pl.DataFrame:
    """[klass, home] for classes some of whose students are in several homerooms: the one home that all of them are in."""
    pairs = taught.unique()
    sizes = pairs.group_by("klass").agg(size=pl.len())
    return (
        pairs.join(in_home, on="person")
        .group_by("klass", "home")
        .agg(there=pl.len())
        .join(sizes, on="klass")
        .filter(pl.col("there") == pl.col("size"))
        .filter(pl.len().over("klass") == 1)
        .select("klass", "home")
    )
