"""Teams the register could have, noted under their keys, so that they can be named before a plan was ever made."""

from __future__ import annotations

from rollbook.acts.profiles import newest
from rollbook.desired import every_team
from rollbook.profiles import parse
from rollbook.store import groupings
from rollbook.store.models import Grouping, Institute
from rollbook.store.rosters import read_roster


def note_teams(institute: Institute) -> None:
    """Remember every team that the institute's profiles could make of its register; what is known already costs a comparison."""
    settings = [parse(newest(profile).document) for profile in institute.profiles.order_by("pk")]
    modes = {profile.teams.create: profile for profile in settings}
    if not modes:
        return
    roster = read_roster(institute)
    for profile in modes.values():
        groupings.remembered(institute, Grouping.Kind.TEAM, every_team(roster, profile))
