"""What can be mapped, by the word people use for it: people, teams, or a level of a hierarchy."""

from __future__ import annotations

from collections.abc import Mapping as Table

from rollbook.errors import InputRefused
from rollbook.profiles.document import Profile
from rollbook.profiles.group_mappings import OF_NODES, OF_TEAMS
from rollbook.profiles.hierarchies import Hierarchies, Hierarchy, Level, levels_in_use
from rollbook.profiles.mappings import OF_PEOPLE
from rollbook.profiles.rows import Mappable, Row

KINDS: Table[str, Mappable] = {"people": OF_PEOPLE, "teams": OF_TEAMS, **dict.fromkeys(Level, OF_NODES)}
"""What rows can be about; each level has rows of its own."""


def mappable(of: str) -> Mappable:
    """What rows about this read and fill; InputRefused, with the words there are, if there is no such thing."""
    if of not in KINDS:
        raise InputRefused(f"Nothing is called {of!r} that could be mapped.", remedy=f"There are: {', '.join(KINDS)}.")
    return KINDS[of]


def rows_of(profile: Profile, of: str, hierarchy: str = "general") -> Table[str, Row]:
    """The rows a profile has for this; InputRefused if it is a level that is not on, or left out, in that hierarchy."""
    mappable(of)
    if hierarchy not in Hierarchies.model_fields:
        names = ", ".join(Hierarchies.model_fields)
        raise InputRefused(f"There is no hierarchy {hierarchy!r}.", remedy=f"There are: {names}.")
    if of == "people":
        return profile.users.mappings
    if of == "teams":
        return profile.teams.mappings
    found: Hierarchy = getattr(profile.hierarchies, hierarchy)
    level, used = Level(of), levels_in_use(found, profile.teams)
    if level in used:
        return found.levels[level].mappings
    why = f"left out, because teams.create is {profile.teams.create}" if level in found.levels else "not on"
    raise InputRefused(
        f"In the {hierarchy} hierarchy the level {level.words} is {why}.",
        remedy=f"Levels in use there: {', '.join(used) or 'none'}.",
    )
