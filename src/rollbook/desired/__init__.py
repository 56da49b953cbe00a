"""roster x profile -> what the tenant should hold. Pure: frames in, frames out; knows nothing of Microsoft's answers."""

from rollbook.desired.build import Linked, Managed, build_desired, manage
from rollbook.desired.current import Counting, counting
from rollbook.desired.hierarchies import ManagedNodes, managed_nodes
from rollbook.desired.people import TenantFacts, managed_people
from rollbook.desired.teams import ManagedTeams, every_team, managed_teams

__all__ = [
    "Counting",
    "Linked",
    "Managed",
    "ManagedNodes",
    "ManagedTeams",
    "TenantFacts",
    "build_desired",
    "counting",
    "every_team",
    "manage",
    "managed_nodes",
    "managed_people",
    "managed_teams",
]
