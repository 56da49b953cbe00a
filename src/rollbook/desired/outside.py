"""What a narrowed scope does not reach: people of the scope also stand outside it, and nothing changes there (product.md section 3)."""

from __future__ import annotations

import datetime as dt

import polars as pl

from rollbook.desired import current
from rollbook.desired.hierarchies import ManagedNodes, hierarchies_in_use, managed_nodes
from rollbook.desired.people import managed_people
from rollbook.desired.scope import in_scope
from rollbook.profiles import Profile
from rollbook.roster.tables import Roster


def narrowed(roster: Roster, profile: Profile) -> bool:
    """Whether the profile is about a part of the school only, by its scope or by what it leaves out."""
    about = in_scope(roster, profile)
    return about.people.height < roster.people.height or about.classes.height < roster.classes.height


def nodes_of_everybody(
    roster: Roster, profile: Profile, as_of: dt.date, counting: current.Counting | None = None
) -> ManagedNodes:
    """The nodes there would be without a scope and with nobody left out, and who would belong in them."""
    everything = Profile()
    whole = profile.model_copy(update={"scope": everything.scope, "left_out": everything.left_out})
    nobody = roster.affiliations.select("person", "user_type").clear()
    people = managed_people(roster, whole, as_of, nobody, counting) if hierarchies_in_use(whole) else nobody
    return managed_nodes(roster, whole, as_of, people, counting)


def unreached(whole: ManagedNodes, managed: ManagedNodes, made: pl.DataFrame) -> pl.DataFrame:
    """Those of the groups `made` [key, ...] that stand for a node of the `whole` school, though for none that is managed."""
    return made.join(whole.nodes, on="key", how="semi").join(managed.nodes, on="key", how="anti")
