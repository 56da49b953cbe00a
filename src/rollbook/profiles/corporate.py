"""What a corporate tenant means for a profile: employees are kept elsewhere, so what concerns them is locked (product.md section 2).

Three views of one profile, as pure functions: what the administrator sees, what the institute's own tenant is planned with, and
what the corporate tenant is planned with. The stored profile stays as it was saved.
"""

from __future__ import annotations

from collections.abc import Sequence

from rollbook.profiles.difference import Difference, differences
from rollbook.profiles.document import Profile
from rollbook.profiles.hierarchies import Hierarchies
from rollbook.profiles.users import Actions, Role
from rollbook.roster.vocabulary import UserType

KEPT = UserType.EMPLOYEE
"""The user type that a corporate tenant keeps."""

LOCKED = Actions(create=False, update=False, deactivate=False, sso=True)
NO_ACTION = Actions(create=False, update=False, deactivate=False, sso=False)

WHY = (
    "the organisation's corporate tenant keeps employees: they are matched there by reading its directory, "
    "and its own administration makes, changes and disables their accounts"
)


def locked(profile: Profile, domain: str) -> Profile:
    """The profile as it counts where a corporate tenant with this default domain is installed."""
    return _with(profile, {**profile.users.actions, KEPT: LOCKED}, {**profile.users.roles, KEPT: Role(domain=domain)})


def locks(domain: str) -> Sequence[tuple[str, str, str]]:
    """Every setting that is locked: its path, its value as people read it, and why."""
    actions = [
        (f"users.actions.{KEPT.value}.{name}", "yes" if on else "no") for name, on in LOCKED.model_dump().items()
    ]
    return [(path, value, WHY) for path, value in [*actions, (f"users.roles.{KEPT.value}.domain", domain)]]


def disagreements(profile: Profile) -> Sequence[Difference]:
    """What the profile says of employees' actions other than what is locked."""
    path = f"users.actions.{KEPT.value}"
    found = differences(profile.users.actions[KEPT].model_dump(), LOCKED.model_dump())
    return [Difference(f"{path}.{each.path}", each.before, each.after) for each in found]


def agreeing(profile: Profile) -> Profile:
    """The profile with employees' actions as they are locked; all else as it says."""
    return _with(profile, {**profile.users.actions, KEPT: LOCKED}, profile.users.roles)


def in_own_tenant(profile: Profile) -> Profile:
    """What the institute's own tenant is planned with: whoever is an employee first is not managed there at all."""
    return _with(profile, {**profile.users.actions, KEPT: NO_ACTION}, profile.users.roles)


def in_corporate_tenant(profile: Profile) -> Profile:
    """What the corporate tenant is planned with: employees alone, matched and linked, and nothing else; no teams, no hierarchies."""
    actions = {kind: LOCKED if kind == KEPT else NO_ACTION for kind in UserType}
    only = _with(profile, actions, {kind: Role() for kind in UserType})
    no_teams = only.teams.model_copy(update={"create": "nothing"})
    return only.model_copy(update={"teams": no_teams, "hierarchies": Hierarchies()})


def _with(profile: Profile, actions: dict[UserType, Actions], roles: dict[UserType, Role]) -> Profile:
    users = profile.users.model_copy(update={"actions": actions, "roles": roles})
    return profile.model_copy(update={"users": users})
