"""Teams and nodes the register could have, noted under their keys, so that they can be named before a plan was ever made."""

from __future__ import annotations

import datetime as dt

from rollbook.acts.profiles import newest
from rollbook.desired import every_team
from rollbook.desired.hierarchies import hierarchies_in_use
from rollbook.desired.outside import nodes_of_everybody
from rollbook.profiles import Profile, parse
from rollbook.store import groupings
from rollbook.store.models import Grouping, Institute
from rollbook.store.rosters import read_roster


def note_teams(institute: Institute) -> None:
    """Remember every team that the institute's profiles could make of its register; what is known already costs a comparison."""
    modes = {profile.teams.create: profile for profile in _settings(institute)}
    if not modes:
        return
    roster = read_roster(institute)
    for profile in modes.values():
        groupings.remembered(institute, Grouping.Kind.TEAM, every_team(roster, profile))


def note_nodes(institute: Institute, day: dt.date) -> None:
    """Remember every node that the institute's profiles make of its whole register on a day, whatever their scope."""
    settings = [profile for profile in _settings(institute) if hierarchies_in_use(profile)]
    if not settings:
        return
    roster = read_roster(institute)
    for profile in settings:
        nodes = nodes_of_everybody(roster, profile, day)
        groupings.remembered(institute, Grouping.Kind.NODE, nodes.groupings())


def _settings(institute: Institute) -> list[Profile]:
    """The newest version of each profile of the institute."""
    return [parse(newest(profile).document) for profile in institute.profiles.order_by("pk")]
