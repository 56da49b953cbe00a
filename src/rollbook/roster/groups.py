"""Which group a class belongs to: the homeroom that all its students share, else itself; and whichever it was, it stays. Pure.

A team's key holds the group of its classes: a class whose group changes has another team. So one guest must not change it, nor
the classes of another school year (decision 0010).
"""

from __future__ import annotations

import polars as pl

from rollbook.roster.periods import same_year


def group_classes(classes: pl.DataFrame, enrolments: pl.DataFrame, former: pl.DataFrame | None = None) -> pl.DataFrame:
    """[klass, home]: `home` is the class that stands for the group of `klass`.

    `classes` has [klass, kind, begin, end], the latter of its school year; `enrolments` [person, klass, counts], where those who
    left do not count; `former` [klass, home] what stood for a class before. A homeroom stands for itself. A scheduled class keeps
    what stood for it, as long as that is there in the same school year and at least half of its students are in it. Otherwise the
    one homeroom of its school year every one of its students is in stands for it; if there is none, or more than one, itself.
    """
    pairs = _counting(classes, enrolments)
    derived = _derived(classes, pairs)
    if former is None or former.is_empty():
        return derived
    kept = _kept(classes, pairs, derived, former)
    return derived.join(kept.select("klass", kept="home"), on="klass", how="left").select(
        "klass", home=pl.coalesce("kept", "home")
    )


def _counting(classes: pl.DataFrame, enrolments: pl.DataFrame) -> pl.DataFrame:
    """[person, klass] that count; of a class that all have left, and of homerooms of people who have no other, the others too."""
    pairs = enrolments.select("person", "klass")
    counts = enrolments["counts"]
    if counts.all():
        return pairs
    now, over = pairs.filter(counts), pairs.filter(~counts)
    homerooms = classes.filter(pl.col("kind") == "homeroom").select("klass")
    idle = over.join(now, on="klass", how="anti")
    at_home = now.join(homerooms, on="klass", how="semi")
    left = over.join(homerooms, on="klass", how="semi").join(at_home, on="person", how="anti")
    return pl.concat([now, pl.concat([idle, left]).unique()])


def _derived(classes: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """[klass, home] by who is in which class now, each school year by itself."""
    homerooms = classes.filter(pl.col("kind") == "homeroom")
    spans = classes.select("begin", "end").unique()
    if spans.height <= 1:
        return _of_one_year(classes, homerooms, pairs)
    found = [classes.clear().select("klass", home="klass")]
    for begin, end in spans.iter_rows():
        year = (pl.lit(begin, dtype=pl.Date), pl.lit(end, dtype=pl.Date))
        of = classes.filter(pl.col("begin").eq_missing(year[0]) & pl.col("end").eq_missing(year[1]))
        beside = homerooms.filter(same_year(pl.col("begin"), pl.col("end"), *year))
        inside = pl.concat([of.select("klass"), beside.select("klass")]).unique()
        found.append(_of_one_year(of, beside, pairs.join(inside, on="klass", how="semi")))
    return pl.concat(found)


def _of_one_year(classes: pl.DataFrame, homerooms: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """[klass, home] of `classes`, for which `homerooms` may stand."""
    placed = pairs.join(homerooms.select("klass", home="klass"), on="klass", how="left")
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


def _kept(classes: pl.DataFrame, pairs: pl.DataFrame, derived: pl.DataFrame, former: pl.DataFrame) -> pl.DataFrame:
    """[klass, home] of `former`, as far as it differs from `derived` and still holds. Few differ, mostly none."""
    changed = derived.rename({"home": "now"}).join(former.select("klass", "home"), on="klass")
    scheduled = classes.filter(pl.col("kind") != "homeroom").select("klass", "begin", "end")
    beside = classes.select(home="klass", home_begin="begin", home_end="end")
    of_year = same_year(pl.col("begin"), pl.col("end"), pl.col("home_begin"), pl.col("home_end"))
    there = changed.filter(pl.col("home") != pl.col("now")).join(scheduled, on="klass").join(beside, on="home")
    asked = there.filter(of_year).select("klass", "home")
    if asked.is_empty():
        return asked
    students = pairs.join(asked, on="klass").unique()
    inside = students.join(pairs.select("person", home="klass"), on=["person", "home"], how="semi")
    return (
        asked.join(students.group_by("klass").agg(size=pl.len()), on="klass", how="left")
        .join(inside.group_by("klass").agg(inside=pl.len()), on="klass", how="left")
        .filter(2 * pl.col("inside").fill_null(0) >= pl.col("size").fill_null(0))
        .select("klass", "home")
    )
