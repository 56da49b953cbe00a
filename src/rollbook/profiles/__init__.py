"""WHAT THE ADMINISTRATOR DECIDED: the versioned profile document and its rules. Pure: no I/O, no time."""

from rollbook.profiles.document import Actions, Profile, Role, parse, suggested

__all__ = ["Actions", "Profile", "Role", "parse", "suggested"]
