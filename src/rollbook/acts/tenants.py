"""What a corporate tenant means for an institute's profiles: how they count, how they may be saved, what plans are made with."""

from __future__ import annotations

from collections.abc import Sequence

from rollbook.acts.connections import corporate_connection
from rollbook.profiles import Difference, Profile, corporate
from rollbook.store.models import Connection, Institute


def planned_with(institute: Institute, settings: Profile, purpose: Connection.Purpose) -> Profile:
    """The settings that a plan for one of the institute's tenants is made with."""
    if corporate_connection(institute) is None:
        return settings
    if purpose == Connection.Purpose.CORPORATE:
        return corporate.in_corporate_tenant(settings)
    return corporate.in_own_tenant(settings)


def as_it_counts(institute: Institute, settings: Profile) -> Profile:
    """The settings with what a corporate tenant locks, as people see them."""
    found = corporate_connection(institute)
    return settings if found is None else corporate.locked(settings, found.tenant.default_domain)


def locks(institute: Institute) -> Sequence[tuple[str, str, str]]:
    """The settings a corporate tenant locks: path, value as people read it, why. Empty without one."""
    found = corporate_connection(institute)
    return [] if found is None else corporate.locks(found.tenant.default_domain)


def corrections(institute: Institute, settings: Profile) -> Sequence[Difference]:
    """What saving these settings corrects, because a corporate tenant locks it; empty without one."""
    return [] if corporate_connection(institute) is None else corporate.disagreements(settings)


def as_it_may_be(institute: Institute, settings: Profile) -> Profile:
    """The settings as they may be saved: what a corporate tenant locks is corrected."""
    return settings if corporate_connection(institute) is None else corporate.agreeing(settings)
