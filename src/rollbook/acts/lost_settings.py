"""What an execution profile names and the register does not have: refused when it is saved, said afterwards.

A register changes after a profile was saved. A standing owner whose location is gone owns nothing there; nobody else is stopped.
"""

from __future__ import annotations

from rollbook.errors import ProfileInvalid
from rollbook.profiles import Profile
from rollbook.store.models import Institute
from rollbook.store.rosters import location_ids

LISTED = 12


def lost(institute: Institute, settings: Profile) -> list[tuple[str, str]]:
    """(path, sentence) of each setting that names a location the register does not have (any more)."""
    owners = settings.teams.extra_owners
    if not any(owner.location for owner in owners):
        return []
    known = location_ids(institute)
    return [
        (
            f"teams.extra_owners.{at}.location",
            f"the register has no location {owner.location!r}, so {owner.person} owns no team because of it",
        )
        for at, owner in enumerate(owners)
        if owner.location and owner.location not in known
    ]


def require_known(institute: Institute, settings: Profile) -> None:
    """ProfileInvalid, with every mistake, if settings that are about to be saved name what the register does not have."""
    mistakes = lost(institute, settings)
    if not mistakes:
        return
    known = sorted(location_ids(institute))
    more = f" and {len(known) - LISTED} more" if len(known) > LISTED else ""
    raise ProfileInvalid(
        f"The profile has {len(mistakes)} mistake(s): {'; '.join(f'{path}: {said}' for path, said in mistakes)}.",
        mistakes,
        remedy=f"There are: {', '.join(known[:LISTED]) or 'no locations'}{more}. The profile in force stays as it is until then.",
    )
