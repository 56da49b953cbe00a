"""Trying mappings: what a profile makes of real people, without planning or sending anything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from rollbook.acts.profiles import newest
from rollbook.desired import managed_people
from rollbook.desired.mapping import mapped, properties
from rollbook.desired.names import candidates, left_out
from rollbook.errors import InputRefused
from rollbook.profiles import Profile as Settings
from rollbook.profiles import parse
from rollbook.store.memory import InstituteRegister
from rollbook.store.models import Institute, Profile

USER_NAME = "user_name"


@dataclass(frozen=True, slots=True)
class Tried:
    """One person: sourced id, name, the value of each mapped target, and a sentence for each that has none it could use.

    The target `user_name` is what a new account would be called before the @, as far as the register alone can tell.
    """

    person: str
    name: str
    values: Mapping[str, str | None]
    warnings: Mapping[str, str]


def tried(
    institute: Institute, profile: Profile, day: dt.date, *, person: str | None = None, sample: int = 20
) -> list[Tried]:
    """What the newest version's mappings make of one person, or of some spread over the register; InputRefused if there is none."""
    settings = parse(newest(profile).document)
    register = InstituteRegister(institute)
    roster = register.read()
    people = managed_people(roster, settings, day, register.departed())
    rows = properties(roster, people.filter("present"), day)
    chosen = (
        rows.filter(pl.col("id") == person) if person is not None else rows.gather_every(max(1, rows.height // sample))
    )
    if chosen.is_empty():
        whom = f"no person {person!r} whom the profile {profile.name} manages" if person else "nobody to try it on"
        raise InputRefused(f"{institute.name} has {whom}.", remedy="Name somebody by the sourced id of the register.")
    chosen = chosen.head(sample)
    values, problems = mapped(chosen, settings.users.mappings)
    told: dict[int, dict[str, str]] = {}
    for key, target, problem in problems.iter_rows():
        told.setdefault(key, {})[target] = problem
    names = _user_names(rows, settings, people)
    for key, alike in names.filter(pl.col("alike") > 1).select("person", "alike").iter_rows():
        if key in chosen["person"]:
            told.setdefault(key, {})[USER_NAME] = (
                f"{alike} people are called so; alternatives and numbers tell them apart"
            )
    targets = [*settings.users.mappings, USER_NAME]
    whole = (
        chosen.select("person", "id", shown="name")
        .join(values, on="person", maintain_order="left")
        .join(names, on="person", how="left", maintain_order="left")
    )
    for key, letters in left_out(chosen, settings).iter_rows():
        told.setdefault(key, {}).setdefault(USER_NAME, f"not allowed in user names and left out: {' '.join(letters)}")
    for key in whole.filter(pl.col(USER_NAME).is_null())["person"]:
        told.setdefault(key, {})[USER_NAME] = "no user name can be made"
    return [
        Tried(row["id"], row["shown"] or "", {name: row[name] for name in targets}, told.get(row["person"], {}))
        for row in whole.iter_rows(named=True)
    ]


def _user_names(rows: pl.DataFrame, settings: Settings, people: pl.DataFrame) -> pl.DataFrame:
    """[person, user_name, alike]: the first alternative of each present person, and how many people share it."""
    linked = people.select("person", "user_type", "present", link="person")
    roles = people.select("user_type").unique().with_columns(domain=pl.lit("", dtype=pl.String))
    found = (
        candidates(rows, settings, linked, roles).drop_nulls("base").unique("link", keep="first", maintain_order=True)
    )
    return found.select(person="link", user_name="base").with_columns(alike=pl.len().over("user_name"))
