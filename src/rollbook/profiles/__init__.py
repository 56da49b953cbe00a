"""WHAT THE ADMINISTRATOR DECIDED: the versioned profile document and its rules. Pure: no I/O, no time."""

from rollbook.profiles import corporate
from rollbook.profiles.difference import Difference, differences
from rollbook.profiles.document import Profile, parse, suggested
from rollbook.profiles.exchange import Exported, from_yaml, to_yaml
from rollbook.profiles.mappings import PROPERTIES, TARGETS, Mapping
from rollbook.profiles.schedule import Slot, Standing, Status, Stretch, followed, overlaps, running, standing, timeline
from rollbook.profiles.users import Actions, Licence, Role

__all__ = [
    "PROPERTIES",
    "TARGETS",
    "Actions",
    "Difference",
    "Exported",
    "Licence",
    "Mapping",
    "Profile",
    "Role",
    "Slot",
    "Standing",
    "Status",
    "Stretch",
    "corporate",
    "differences",
    "followed",
    "from_yaml",
    "overlaps",
    "parse",
    "running",
    "standing",
    "suggested",
    "timeline",
    "to_yaml",
]
