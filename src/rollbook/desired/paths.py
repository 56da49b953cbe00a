"""Paths: where people stand in the school, as rows of chosen levels (product.md section 8).

A path has a column of codes for each level, null where somebody lacks it, which does not end the path. Distinct paths are few
whatever the number of people: people are joined to them by number, and only the paths themselves are ever looked into.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from rollbook.desired.current import among
from rollbook.profiles.hierarchies import Level
from rollbook.roster.tables import Roster
from rollbook.roster.vocabulary import UserType

OF_CLASS = (Level.ACADEMIC_PERIOD, Level.LOCATION, Level.GRADE, Level.GROUP, Level.SUBJECT, Level.MARKING_PERIOD)
"""What a class, or else its group, says of a path."""

OF_PERSON = (Level.LOCATION, Level.GRADE, Level.STREAM)
"""What a person's own affiliation says of a path."""

SAYS: Mapping[tuple[UserType, Level], tuple[str, ...]] = {
    (UserType.STUDENT, Level.GRADE): ("person", "class"),
    (UserType.TEACHER, Level.GRADE): ("class",),
}
"""Who says what a level is where it is not the class, else the person: a pupil of grade 7 is so in a class of grade 8 too."""


@dataclass(frozen=True, slots=True)
class Paths:
    """`paths` [path, a column of codes for each level] are distinct; `people` [person, path] may have several each."""

    paths: pl.DataFrame
    people: pl.DataFrame


def entities(roster: Roster, level: Level) -> pl.DataFrame:
    """[code, id, name, short, department] of everything there is on a level; streams and grade levels have no id.

    `short` is what the school's system calls its code.
    """
    none = pl.lit(None, dtype=pl.String)
    department = pl.when(pl.col("kind") == "department").then("name").otherwise(none)
    texts = {Level.GRADE_LEVEL: roster.grades["level"], Level.STREAM: roster.affiliations["stream"]}
    tables = {
        Level.INSTITUTE: (roster.institutes.head(1), "institute", "name"),
        Level.ACADEMIC_PERIOD: (roster.academic_periods, "period", "title"),
        Level.LOCATION: (roster.locations, "location", "name"),
        Level.GRADE: (roster.grades, "grade", "name"),
        Level.GROUP: (roster.groups, "group", "name"),
        Level.SUBJECT: (roster.subjects, "subject", "name"),
        Level.MARKING_PERIOD: (roster.marking_periods, "marking", "title"),
    }
    found, key, name = tables[level] if level in tables else (_texts(texts[level]), "number", "text")
    return found.select(
        code=key,
        id="sourced_id",
        name=pl.coalesce(name, "sourced_id"),
        short="code" if "code" in found.columns else none,
        department=department if level == Level.LOCATION else none,
    )


def _texts(texts: pl.Series) -> pl.DataFrame:
    """Distinct texts [number, text, sourced_id null] in their order."""
    distinct = texts.drop_nulls().unique().sort().alias("text").to_frame()
    numbered = pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    return distinct.with_columns(number=numbered, sourced_id=pl.lit(None, dtype=pl.String))


@dataclass(frozen=True, slots=True)
class Standing:
    """Where people stand: `combinations` [combination, a column of codes for each level] and `people` [person, combination]."""

    combinations: pl.DataFrame
    people: pl.DataFrame


def together(levels: Sequence[Level], parts: Sequence[Standing]) -> Paths:
    """The paths of people who stand in several parts of the school. A path on which every level is lacking is none."""
    columns = [str(level) for level in levels]
    lacking = pl.all_horizontal(pl.col(columns).is_null())
    found = pl.concat([part.combinations.select(columns) for part in parts]).filter(~lacking)
    distinct = found.unique().sort(columns, nulls_last=False).with_row_index("path")
    numbered = [part.combinations.join(distinct, on=columns, nulls_equal=True) for part in parts]
    pairs = [
        part.people.join(paths.select("combination", "path"), on="combination").select("person", "path")
        for paths, part in zip(numbered, parts, strict=True)
    ]
    return Paths(distinct, distinct_pairs(pl.concat(pairs)))


def distinct_pairs(pairs: pl.DataFrame) -> pl.DataFrame:
    """The rows of two columns of keys, each once: as one integer a row, which is found again sooner than two."""
    first, second = pairs.columns
    packed = pairs.select(pl.col(first).cast(pl.Int64) * PACKED + pl.col(second).cast(pl.Int64)).to_series()
    return pairs.filter(packed.is_first_distinct())


PACKED = 1 << 32
"""Keys are row ids, of which none comes near this."""


def in_classes(
    roster: Roster, levels: Sequence[Level], user_type: UserType, people: pl.DataFrame, rows: pl.DataFrame
) -> Standing:
    """Where those of `people` [person] stand who learn or teach, `rows` [person, klass].

    What classes say is numbered first, then what people say: there are far fewer combinations of both than enrolments.
    """
    classes, of_class = _numbered(_of_classes(roster, levels), "klass", "class")
    inside = rows.select("person", "klass").join(of_class, on="klass").select("person", "class")
    pairs = distinct_pairs(inside).filter(among("person", people))
    persons, of_person = _numbered(_of_people(roster, levels, user_type, pairs), "person", "affiliation")
    unplaced = pl.col("affiliation").fill_null(0)
    both = pairs.join(of_person, on="person", how="left").select(
        "person", combination=pl.col("class") * PACKED + unplaced
    )
    combination = pl.col("combination")
    distinct = both.select(combination.unique()).with_columns(
        (combination // PACKED).alias("class"), (combination % PACKED).alias("affiliation")
    )
    joined = distinct.join(classes, on="class").join(persons, on="affiliation", how="left")
    said = joined.with_columns(
        *(_said(user_type, level).alias(level) for level in {*OF_CLASS, *OF_PERSON}),
        _institute(roster).alias(Level.INSTITUTE),
    )
    graded = _with_grade_level(roster, said) if Level.GRADE_LEVEL in levels else said
    return Standing(graded.select("combination", *levels), both)


def _said(user_type: UserType, level: Level) -> pl.Expr:
    tellers = {"class": OF_CLASS, "person": OF_PERSON}
    order = SAYS.get((user_type, level), tuple(tellers))
    return pl.coalesce(f"{level} of {teller}" for teller in order if level in tellers[teller])


def _institute(roster: Roster) -> pl.Expr:
    code = roster.institutes["institute"][0] if roster.institutes.height else None
    return pl.lit(code, dtype=pl.Int64)


def _numbered(rows: pl.DataFrame, key: str, number: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The distinct rows without their key, numbered from 1; and [key, number]."""
    said = [name for name in rows.columns if name != key]
    distinct = rows.select(said).unique().with_row_index(number, offset=1).with_columns(pl.col(number).cast(pl.Int64))
    return distinct, rows.join(distinct, on=said, nulls_equal=True).select(key, number)


def _of_classes(roster: Roster, levels: Sequence[Level]) -> pl.DataFrame:
    """[klass, "LEVEL of class" for each of OF_CLASS], null where a level is not asked for; a row for each marking period."""
    groups = roster.groups.select("group", _location="location", _grade="grade")
    classes = roster.classes.join(groups, on="group", how="left")
    marking = pl.lit(None, dtype=pl.Int64)
    if Level.MARKING_PERIOD in levels:
        classes, marking = classes.join(roster.class_markings, on="klass", how="left"), pl.col("marking")
    said = {
        Level.ACADEMIC_PERIOD: pl.col("period"),
        Level.LOCATION: pl.coalesce("location", "_location"),
        Level.GRADE: pl.coalesce("grade", "_grade"),
        Level.GROUP: pl.col("group"),
        Level.SUBJECT: pl.col("subject"),
        Level.MARKING_PERIOD: marking,
    }
    return classes.select("klass", *_asked_for(said, levels, "class"))


def _of_people(roster: Roster, levels: Sequence[Level], user_type: UserType, people: pl.DataFrame) -> pl.DataFrame:
    """[person, "LEVEL of person" for each of OF_PERSON], by the first affiliation of the user type, else the first there is."""
    said = {
        Level.LOCATION: pl.col("location"),
        Level.GRADE: pl.col("grade"),
        Level.STREAM: pl.lit(None, dtype=pl.Int64),
    }
    affiliations = roster.affiliations.select("person", "user_type", "location", "grade", "stream")
    theirs = affiliations.filter(among("person", people))
    of_type = pl.col("user_type") == user_type.value
    others = theirs.filter(~of_type).sort("user_type", maintain_order=True)
    first = pl.concat([theirs.filter(of_type), others]).filter(pl.col("person").is_first_distinct())
    if Level.STREAM in levels:
        streams = entities(roster, Level.STREAM).select(stream="name", code="code")
        first, said[Level.STREAM] = first.join(streams, on="stream", how="left"), pl.col("code")
    return first.select("person", *_asked_for(said, levels, "person"))


def _asked_for(said: Mapping[Level, pl.Expr], levels: Sequence[Level], teller: str) -> list[pl.Expr]:
    """Levels that are not asked for are left null, so that they do not tell apart what is the same."""
    asked = {*levels, *((Level.GRADE,) if Level.GRADE_LEVEL in levels else ())}
    nothing = pl.lit(None, dtype=pl.Int64)
    return [(value if level in asked else nothing).alias(f"{level} of {teller}") for level, value in said.items()]


def _with_grade_level(roster: Roster, said: pl.DataFrame) -> pl.DataFrame:
    of_grade = roster.grades.select(Level.GRADE, name="level").join(
        entities(roster, Level.GRADE_LEVEL).select("name", grade_level="code"), on="name"
    )
    return said.join(of_grade.select(Level.GRADE, Level.GRADE_LEVEL), on=Level.GRADE, how="left")


def in_places(roster: Roster, levels: Sequence[Level], others: pl.DataFrame) -> Standing:
    """Where `others` [person, location] stand, who are only somewhere."""
    distinct = others.select("location").unique().with_row_index("combination")
    nothing = pl.lit(None, dtype=pl.Int64)
    said = {Level.INSTITUTE: _institute(roster), Level.LOCATION: pl.col("location")}
    numbered = others.join(distinct, on="location", nulls_equal=True).select("person", "combination")
    return Standing(
        distinct.select("combination", *(said.get(level, nothing).alias(level) for level in levels)), numbered
    )
