"""Institutes, as far as they come with a delivery: the topmost org becomes one, with its first profile."""

from __future__ import annotations

from django.db import transaction

from rollbook.acts.actor import Actor
from rollbook.clock import Clock
from rollbook.profiles import suggested
from rollbook.roster.tables import Roster
from rollbook.store import trail
from rollbook.store.models import Institute, Organisation, Profile, ProfileVersion, Source

ORGANISATION = "This installation"
FIRST_PROFILE = "Suggested"


def ensure_institute(roster: Roster, kind: str, actor: Actor, clock: Clock) -> tuple[Institute, Source]:
    """The institute a delivery feeds, and its source of this kind; both made, with a suggested profile, if they are new."""
    sourced_id, name = roster.institutes.select("sourced_id", "name").row(0)
    with transaction.atomic():
        organisation = Organisation.objects.order_by("pk").first() or Organisation.objects.create(name=ORGANISATION)
        institute, new = Institute.objects.get_or_create(
            organisation=organisation, sourced_id=sourced_id, defaults={"name": name}
        )
        source, _ = Source.objects.get_or_create(institute=institute, kind=kind)
        if new:
            _first_profile(institute, actor, clock)
            trail.append(
                actor_kind=actor.kind,
                actor=actor.name,
                place=actor.place,
                action="institute.made",
                at=clock.now(),
                content={"institute": str(institute.public_id)},
                institute=institute,
            )
    return institute, source


def _first_profile(institute: Institute, actor: Actor, clock: Clock) -> None:
    profile = Profile.objects.create(institute=institute, name=FIRST_PROFILE, enabled_at=clock.now(), ever_enabled=True)
    ProfileVersion.objects.create(
        profile=profile,
        number=1,
        document=suggested().model_dump(mode="json"),
        author=actor.name,
        saved_at=clock.now(),
        note="suggested settings",
    )
