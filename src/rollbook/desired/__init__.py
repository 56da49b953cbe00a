"""roster x profile -> what the tenant should hold. Pure: frames in, frames out; knows nothing of Microsoft's answers."""

from rollbook.desired.build import Desired, TenantFacts, build_desired, managed_classes, managed_people

__all__ = ["Desired", "TenantFacts", "build_desired", "managed_classes", "managed_people"]
