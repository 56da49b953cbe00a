"""Trying mappings: what a profile makes of real people, without planning or sending anything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from rollbook.acts.profiles import newest
from rollbook.desired import managed_people
from rollbook.desired.mapping import mapped, properties
from rollbook.errors import InputRefused
from rollbook.profiles import parse
from rollbook.store.memory import InstituteRegister
from rollbook.store.models import Institute, Profile


@dataclass(frozen=True, slots=True)
class Tried:
    """One person: sourced id, name, the value of each mapped target, and a sentence for each that has none it could use."""

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
    targets = list(settings.users.mappings)
    whole = chosen.select("person", "id", shown="name").join(values, on="person", maintain_order="left")
    return [
        Tried(row["id"], row["shown"] or "", {name: row[name] for name in targets}, told.get(row["person"], {}))
        for row in whole.iter_rows(named=True)
    ]
