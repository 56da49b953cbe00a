"""Which group a class belongs to: the homeroom that all its students share, else itself. Pure, set-based."""

from __future__ import annotations

import polars as pl


def group_classes(classes: pl.DataFrame, enrolments: pl.DataFrame) -> pl.DataFrame:
    """[klass, home]: `home` is the class that stands for the group of `klass`.

    `classes` has [klass, kind], `enrolments` [person, klass]. A homeroom stands for itself. A scheduled class stands for the
    one homeroom every one of its students is in; if there is none, or more than one, for itself.
    """
    homerooms = classes.filter(pl.col("kind") == "homeroom").select(home="klass")
    in_home = enrolments.join(homerooms, left_on="klass", right_on="home", how="semi").select("person", home="klass")
    taught = (
        classes.filter(pl.col("kind") != "homeroom")
        .select("klass")
        .join(enrolments.select("person", "klass").unique(), on="klass")
    )
    sizes = taught.group_by("klass").agg(size=pl.len())
    shared = (
        taught.join(in_home.unique(), on="person")
        .group_by("klass", "home")
        .agg(there=pl.len())
        .join(sizes, on="klass")
        .filter(pl.col("there") == pl.col("size"))
        .filter(pl.len().over("klass") == 1)
        .select("klass", "home")
    )
    return (
        classes.select("klass")
        .join(shared, on="klass", how="left")
        .with_columns(pl.coalesce("home", "klass").alias("home"))
    )
