"""WHAT THE ADMINISTRATOR DECIDED: the versioned profile document and its rules. Pure: no I/O, no time."""

from rollbook.profiles import corporate
from rollbook.profiles.difference import Difference, differences
from rollbook.profiles.document import Profile, parse, suggested
from rollbook.profiles.enrolments import Enrolments
from rollbook.profiles.exchange import Exported, from_yaml, to_yaml
from rollbook.profiles.group_mappings import (
    NODE_PROPERTIES,
    NODE_TARGETS,
    OF_NODES,
    OF_TEAMS,
    TEAM_PROPERTIES,
    TEAM_TARGETS,
    NodeMapping,
    TeamMapping,
)
from rollbook.profiles.guards import Emptied, Guards, Limit
from rollbook.profiles.hidden import what_became, what_returns, what_stays
from rollbook.profiles.hierarchies import (
    Hierarchies,
    Hierarchy,
    Level,
    LevelSettings,
    hidden_levels,
    levels_in_use,
)
from rollbook.profiles.mappable import mappable, rows_of
from rollbook.profiles.mappings import OF_PEOPLE, PROPERTIES, TARGETS, Mapping
from rollbook.profiles.rows import Choice, Mappable, Row, Target
from rollbook.profiles.schedule import Slot, Standing, Status, Stretch, followed, overlaps, running, standing, timeline
from rollbook.profiles.teams import ExtraOwner, TeamMode, Teams
from rollbook.profiles.users import Actions, Licence, Role

__all__ = [
    "NODE_PROPERTIES",
    "NODE_TARGETS",
    "OF_NODES",
    "OF_PEOPLE",
    "OF_TEAMS",
    "PROPERTIES",
    "TARGETS",
    "TEAM_PROPERTIES",
    "TEAM_TARGETS",
    "Actions",
    "Choice",
    "Difference",
    "Emptied",
    "Enrolments",
    "Exported",
    "ExtraOwner",
    "Guards",
    "Hierarchies",
    "Hierarchy",
    "Level",
    "LevelSettings",
    "Licence",
    "Limit",
    "Mappable",
    "Mapping",
    "NodeMapping",
    "Profile",
    "Role",
    "Row",
    "Slot",
    "Standing",
    "Status",
    "Stretch",
    "Target",
    "TeamMapping",
    "TeamMode",
    "Teams",
    "corporate",
    "differences",
    "followed",
    "from_yaml",
    "hidden_levels",
    "levels_in_use",
    "mappable",
    "overlaps",
    "parse",
    "rows_of",
    "running",
    "standing",
    "suggested",
    "timeline",
    "to_yaml",
    "what_became",
    "what_returns",
    "what_stays",
]
