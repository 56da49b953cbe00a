"""Execution profiles: made, copied, saved as versions, enabled, compared, restored. Every act leaves an entry in the trail.

A version is never changed, only followed by another. Whoever saves says which version they started from; if somebody else saved
meanwhile, nothing is lost: the save is refused, with what the other changed.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from rollbook.acts.actor import Actor
from rollbook.acts.lost_settings import require_known
from rollbook.acts.tenants import as_it_may_be
from rollbook.clock import Clock
from rollbook.errors import InputRefused
from rollbook.profiles import (
    Difference,
    Exported,
    Slot,
    Standing,
    differences,
    overlaps,
    parse,
    running,
    standing,
    suggested,
)
from rollbook.profiles import Profile as Settings
from rollbook.store import trail
from rollbook.store.models import Institute, Profile, ProfileVersion, Run

NAME_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Listed:
    """A profile with its newest version and what it is on a day."""

    profile: Profile
    version: ProfileVersion
    standing: Standing


def slots(institute: Institute) -> list[Slot]:
    """What the rule of overlap needs to know of an institute's profiles."""
    return [slot_of(profile) for profile in institute.profiles.order_by("pk")]


def slot_of(profile: Profile) -> Slot:
    """What the rule of overlap needs to know of one profile."""
    return Slot(profile.name, profile.begin, profile.end, profile.enabled_at, profile.ever_enabled)


def listed(institute: Institute, day: dt.date) -> list[Listed]:
    """Every profile of an institute, the newest first."""
    among = slots(institute)
    return [
        Listed(profile, newest(profile), standing(slot_of(profile), among, day))
        for profile in institute.profiles.order_by("-pk")
    ]


def newest(profile: Profile) -> ProfileVersion:
    """The version that counts."""
    return profile.versions.order_by("-number")[0]


def find(institute: Institute, name: str) -> Profile:
    """The profile of this name; InputRefused, with the names there are, if there is none."""
    found = institute.profiles.filter(name=name).first() or institute.profiles.filter(name__iexact=name).first()
    if found is None:
        names = ", ".join(institute.profiles.order_by("pk").values_list("name", flat=True))
        raise InputRefused(f"{institute.name} has no profile {name!r}.", remedy=f"There are: {names}.")
    return found


def version_of(profile: Profile, number: int | None) -> ProfileVersion:
    """One version of a profile, by default the newest; InputRefused if there is none of this number."""
    if number is None:
        return newest(profile)
    found = profile.versions.filter(number=number).first()
    if found is None:
        last = newest(profile).number
        raise InputRefused(f"{profile.name} has no version {number}.", remedy=f"Its versions are 1 to {last}.")
    return found


def profile_in_force(institute: Institute, day: dt.date) -> ProfileVersion:
    """The newest version of the profile that runs on this day (profiles.schedule); InputRefused if none does."""
    slot = running(slots(institute), day)
    if slot is None:
        raise InputRefused(
            f"{institute.name} has no execution profile that runs on {day}, so nothing says what to synchronize.",
            remedy="Enable one of its profiles (`rollbook profile list`, `rollbook profile enable NAME`).",
        )
    return newest(institute.profiles.get(name=slot.name))


@dataclass(frozen=True, slots=True)
class Author:
    """Who acts, by which clock."""

    actor: Actor
    clock: Clock

    def note(self, institute: Institute, action: str, content: dict[str, Any]) -> None:
        """An entry in the trail."""
        trail.append(
            actor_kind=self.actor.kind,
            actor=self.actor.name,
            place=self.actor.place,
            action=action,
            at=self.clock.now(),
            content=content,
            institute=institute,
        )


def create(
    institute: Institute, exported: Exported, author: Author, note: str = "", action: str = "profile.made"
) -> Profile:
    """A new profile, a draft until it is enabled. InputRefused if its name is taken, its period makes no sense, or it names locations
    that the register does not have.

    What a corporate tenant locks is corrected, here as in `save` (acts.tenants.corrections tells what).
    """
    _check_name(institute, exported.name)
    _check_period(exported.begin, exported.end)
    require_known(institute, exported.profile)
    with transaction.atomic():
        profile = Profile.objects.create(
            institute=institute, name=exported.name, begin=exported.begin, end=exported.end
        )
        _append(profile, 1, as_it_may_be(institute, exported.profile), author, note)
        author.note(institute, action, {"profile": str(profile.public_id), "version": 1})
    return profile


def _check_name(institute: Institute, name: str) -> None:
    if not 0 < len(name.strip()) <= NAME_LENGTH:
        raise InputRefused(f"A profile's name has 1 to {NAME_LENGTH} characters.", remedy="Choose another.")
    if institute.profiles.filter(name__iexact=name).exists():
        raise InputRefused(f"There is a profile {name!r} already.", remedy="Choose another name.")


def _check_period(begin: dt.date | None, end: dt.date | None) -> None:
    if begin is not None and end is not None and end < begin:
        raise InputRefused(f"The period ends on {end}, before it begins on {begin}.", remedy="Correct one of them.")


def _append(profile: Profile, number: int, settings: Settings, author: Author, note: str) -> ProfileVersion:
    return ProfileVersion.objects.create(
        profile=profile,
        number=number,
        document=settings.model_dump(mode="json"),
        author=author.actor.name,
        saved_at=author.clock.now(),
        note=note,
    )


def new(institute: Institute, name: str, begin: dt.date | None, end: dt.date | None, author: Author) -> Profile:
    """A new profile with the suggested settings."""
    return create(institute, Exported(name, begin, end, suggested()), author, "suggested settings")


def copy(
    profile: Profile, name: str, begin: dt.date | None, end: dt.date | None, period: str | None, author: Author
) -> Profile:
    """A profile with every setting of another one, but its own name, dates and academic period; never enabled, no runs."""
    settings = parse(newest(profile).document)
    if period is not None:
        settings = settings.model_copy(update={"academic_period": period or None})
    return create(
        profile.institute, Exported(name, begin, end, settings), author, f"copied from {profile.name}", "profile.copied"
    )


def save(profile: Profile, exported: Exported, author: Author, note: str = "") -> ProfileVersion:
    """The next version, with the name and period given. InputRefused if somebody saved since the version it started from.

    ProfileInvalid if it names locations that the register does not have.
    """
    _check_period(exported.begin, exported.end)
    if exported.name != profile.name:
        _check_name(profile.institute, exported.name)
    with transaction.atomic():
        held = Profile.objects.select_for_update().get(pk=profile.pk)
        last = newest(held)
        if exported.version is not None and exported.version != last.number:
            raise _overtaken(held, exported.version, last)
        version = last
        settings = as_it_may_be(held.institute, exported.profile)
        if parse(last.document) != settings:
            require_known(held.institute, settings)
            version = _append(held, last.number + 1, settings, author, note)
        held.name, held.begin, held.end = exported.name, exported.begin, exported.end
        held.save(update_fields=["name", "begin", "end"])
        content = {"profile": str(held.public_id), "version": version.number}
        author.note(held.institute, "profile.saved", content)
    profile.refresh_from_db()
    return version


def _overtaken(profile: Profile, base: int, last: ProfileVersion) -> InputRefused:
    """What somebody else changed since a version."""
    started = version_of(profile, base)
    changed = "; ".join(str(each) for each in differences(started.document, last.document)) or "nothing that counts"
    return InputRefused(
        f"{profile.name} was saved by {last.author} meanwhile (version {last.number}; you started from {base}). "
        f"They changed: {changed}.",
        remedy="Nothing was saved and your file is as it was. Export again, carry your changes over, and save that.",
    )


def restore(profile: Profile, number: int, author: Author) -> ProfileVersion:
    """An earlier version's settings as the next version."""
    settings = parse(version_of(profile, number).document)
    exported = Exported(profile.name, profile.begin, profile.end, settings)
    return save(profile, exported, author, f"version {number} restored")


def enable(profile: Profile, author: Author) -> list[str]:
    """Let a profile run in its period; returns the names of enabled profiles whose periods meet its own."""
    with transaction.atomic():
        profile.enabled_at = author.clock.now()
        profile.ever_enabled = True
        profile.save(update_fields=["enabled_at", "ever_enabled"])
        author.note(profile.institute, "profile.enabled", {"profile": str(profile.public_id)})
    return overlaps(slot_of(profile), slots(profile.institute))


def disable(profile: Profile, author: Author) -> None:
    """Let a profile run no more. InputRefused if it does not."""
    if profile.enabled_at is None:
        raise InputRefused(f"{profile.name} is not enabled.", remedy="Nothing needs to be done.")
    with transaction.atomic():
        profile.enabled_at = None
        profile.save(update_fields=["enabled_at"])
        author.note(profile.institute, "profile.disabled", {"profile": str(profile.public_id)})


def delete(profile: Profile, author: Author) -> None:
    """A profile that never ran is gone, with its versions. InputRefused if it ran: its runs and the trail name it."""
    if Run.objects.filter(profile_version__profile=profile).exists():
        raise InputRefused(
            f"{profile.name} ran, or was planned with, so it is kept: its runs say what it was.",
            remedy=f"Let it run no more with `rollbook profile disable {profile.name!r}`.",
        )
    with transaction.atomic():
        author.note(profile.institute, "profile.deleted", {"profile": str(profile.public_id)})
        profile.delete()


def compare(profile: Profile, older: int | None, newer: int | None) -> list[Difference]:
    """What differs between two versions: by default the newest and the one before it."""
    after = version_of(profile, newer)
    before = version_of(profile, older if older is not None else max(1, after.number - 1))
    return differences(before.document, after.document)


def exported(profile: Profile, number: int | None = None) -> Exported:
    """A profile as it travels."""
    version = version_of(profile, number)
    return Exported(profile.name, profile.begin, profile.end, parse(version.document), version.number)
