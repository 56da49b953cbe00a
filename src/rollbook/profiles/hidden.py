"""What is said of levels that are on in a hierarchy and yet left out, because Teams uses them."""

from __future__ import annotations

from rollbook.profiles.document import Profile
from rollbook.profiles.hierarchies import Hierarchies, Level, hidden_levels


def what_returns(before: Profile, after: Profile) -> list[str]:
    """A sentence for each level that is on, was left out because Teams used it, and is not any more."""
    back = hidden_levels(before.teams) - hidden_levels(after.teams)
    return [
        f"hierarchies.{name}.levels.{level}: the level {level.words} counts now, because teams.create is "
        f"{after.teams.create}; its groups are made, and those of old are kept in step again."
        for name in Hierarchies.model_fields
        for level in Level
        if level in back and level in getattr(after.hierarchies, name).levels
    ]


MADE_ONLY = ("disable_welcome_email", "hide_in_outlook")


def what_stays(before: Profile, after: Profile) -> list[str]:
    """A sentence for each changed setting that Microsoft, or Rollbook, obeys only when something is made."""
    told = []
    if before.teams.template != after.teams.template:
        told.append(
            "teams.template: teams that are there stay what they are; it counts for those that are made from now on."
        )
    for name in Hierarchies.model_fields:
        old, new = getattr(before.hierarchies, name), getattr(after.hierarchies, name)
        told += [
            f"hierarchies.{name}.{setting}: only possible when a group is made; groups that are there stay as they are."
            for setting in MADE_ONLY
            if getattr(old, setting) != getattr(new, setting) and old.levels
        ]
    return told


def what_became(profile: Profile) -> list[str]:
    """A sentence for each level that is on but left out, because Teams uses it."""
    hidden = hidden_levels(profile.teams)
    return [
        f"hierarchies.{name}.levels.{level}: the level {level.words} is left out, because teams.create is "
        f"{profile.teams.create}; groups made for it are left as they are and listed."
        for name in Hierarchies.model_fields
        for level in Level
        if level in hidden and level in getattr(profile.hierarchies, name).levels
    ]
