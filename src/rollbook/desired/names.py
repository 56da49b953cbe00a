r"""Candidates for user names and nicknames: what Microsoft accepts, made from what the register says. The plan picks.

Microsoft: a user name's local part allows A-Z a-z 0-9 ' . - _ ! # ^ ~, no dot at its end, 64 characters
(graph.md section 2.1); a nickname is ASCII without @ ( ) \ [ ] " ; : < > , blank and dot, 64 characters (section 5.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import polars as pl

from rollbook.desired.languages import latin
from rollbook.desired.mapping import evaluated
from rollbook.directory.desired import NAMES
from rollbook.profiles import Profile
from rollbook.profiles.expressions import fields_of
from rollbook.profiles.users import LONGEST_NAME

NICKNAME_LENGTH = 48


def transliterated(names: pl.Series, language: str = "any") -> pl.Series:
    """The names in ASCII as a language writes them (languages.LANGUAGES); each distinct one once, if it is not ASCII already."""
    # As ASCII, and only so, a text has as many bytes as characters.
    foreign = names.filter((names.str.len_bytes() != names.str.len_chars()).fill_null(value=False)).unique()
    if foreign.is_empty():
        return names
    return names.replace(foreign, foreign.map_elements(partial(latin, language=language), return_dtype=pl.String))


def local_parts(raw: pl.Series, longest: int = LONGEST_NAME) -> pl.Series:
    """ASCII texts as local parts of user names: lower case, letters, digits, dot, hyphen, underscore; empty becomes null."""
    kept = (
        pl.col("text")
        .str.replace_all(r"\s+", "-")
        .str.replace_all(r"[^a-z0-9._\-]+", "")
        .str.replace_all(r"-*\.[.\-]*", ".")
        .str.replace_all(r"-{2,}", "-")
        .str.strip_chars("-.")
        .str.slice(0, longest)
        .str.strip_chars("-.")
    )
    return _mended(raw.str.to_lowercase(), r"^[a-z0-9]+([._\-][a-z0-9]+)*$", longest, kept)


def _mended(texts: pl.Series, orderly: str, longest: int, kept: pl.Expr) -> pl.Series:
    """The texts; those that are not `orderly` already, or too long, become what is `kept` of the column "text", null if that is empty.

    Most are in order as they are, and only the others are worked upon.
    """
    fine = texts.str.contains(orderly) & (texts.str.len_bytes() <= longest)
    others = texts.filter(~fine).unique()
    if others.is_empty():
        return texts
    made = others.alias("text").to_frame().select(pl.when(kept.str.len_bytes() > 0).then(kept)).to_series()
    return texts.replace(others, made)


def candidates(rows: pl.DataFrame, profile: Profile, people: pl.DataFrame, roles: pl.DataFrame) -> pl.DataFrame:
    """Candidates for the user names of present people, the most wanted first (schema NAMES).

    `rows` has [person, what `fields_read` names], `people` [person, link, user_type, present], `roles` [user_type, domain].
    """
    settings = profile.users.names
    present = people.filter("present").join(roles, on="user_type", how="left").select("person", "link", "domain")
    read = rows.select("person", *sorted(fields_read(profile)))
    wanted = present.select("person").join(read, on="person", how="left", maintain_order="left")
    frames = [pl.DataFrame(schema=pl.Schema(NAMES))]
    for rank, candidate in enumerate(settings.candidates):
        raw = _in_latin(wanted, candidate, settings.language)
        based = wanted.select("person").with_columns(base=local_parts(raw, settings.longest))
        frames.append(
            present.join(based, on="person").select("link", pl.lit(rank).cast(pl.Int64).alias("rank"), "base", "domain")
        )
    return pl.concat(frames).sort("link", "rank")


def fields_read(profile: Profile) -> frozenset[str]:
    """The properties that the candidates for user names read."""
    candidates = profile.users.names.candidates
    read = [fields_of(each) if "{{" in each else SHAPES[each].meta.root_names() for each in candidates]
    return frozenset(("called_first", "called_last")).union(*read)


def _in_latin(wanted: pl.DataFrame, candidate: str, language: str) -> pl.Series:
    """What a candidate makes of each row, in Latin letters; nothing is left out yet."""
    if "{{" in candidate:
        return transliterated(evaluated(wanted, candidate)[0], language)
    names = (transliterated(wanted[name], language) for name in ("called_first", "called_last"))
    return transliterated(wanted.with_columns(names).select(SHAPES[candidate]).to_series(), language)


def left_out(rows: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    """[person, letters]: the characters that the first candidate for a user name has to do without, of those it has."""
    settings = profile.users.names
    made = rows.select("person").with_columns(raw=_in_latin(rows, settings.candidates[0], settings.language))
    letters = pl.col("raw").str.to_lowercase().str.replace_all(r"[a-z0-9._\-\s]+", "").alias("letters")
    return made.select("person", letters).filter(pl.col("letters").str.len_chars() > 0)


def _initial(name: str) -> pl.Expr:
    return pl.col(name).str.slice(0, 1)


def _with_dot(*parts: pl.Expr | str) -> pl.Expr:
    return pl.concat_str(parts, separator=".", ignore_nulls=True)


SHAPES: Mapping[str, pl.Expr] = {
    "given.family": _with_dot("called_first", "called_last"),
    "family.given": _with_dot("called_last", "called_first"),
    "g.family": _with_dot(_initial("called_first"), "called_last"),
    "given.f": _with_dot("called_first", _initial("called_last")),
    "gfamily": pl.concat_str([_initial("called_first"), "called_last"], ignore_nulls=True),
    "givenfamily": pl.concat_str(["called_first", "called_last"], ignore_nulls=True),
    "username": pl.col("username").str.split("@").list.first(),
    "sis_number": pl.col("sis_number"),
}
"""How each word of profiles.users.NAME_SHAPES is put together from properties."""


def nicknames(raw: pl.Series, nameless: str = "class") -> pl.Series:
    """ASCII texts as mail nicknames: lower case, letters, digits, hyphen; empty becomes `nameless`."""
    kept = (
        pl.col("text")
        .str.replace_all(r"[^a-z0-9]+", "-")
        .str.strip_chars("-")
        .str.slice(0, NICKNAME_LENGTH)
        .str.strip_chars("-")
    )
    return _mended(raw.str.to_lowercase(), r"^[a-z0-9]+(-[a-z0-9]+)*$", NICKNAME_LENGTH, kept).fill_null(nameless)
