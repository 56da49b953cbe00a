"""roster x profile -> what the tenant should hold. Pure: frames in, frames out; knows nothing of Microsoft's answers."""

from rollbook.desired.build import build_desired
from rollbook.desired.people import TenantFacts, managed_people
from rollbook.desired.teams import managed_classes

__all__ = ["TenantFacts", "build_desired", "managed_classes", "managed_people"]
