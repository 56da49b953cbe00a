"""Taking a delivery into the register."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from rollbook import sources
from rollbook.acts.actor import Actor
from rollbook.acts.institutes import ensure_institute
from rollbook.acts.show import UNSEEN, Show
from rollbook.clock import Clock
from rollbook.errors import DeliveryRefused
from rollbook.roster.findings import Severity
from rollbook.roster.former import Former
from rollbook.store import trail
from rollbook.store.deliveries import Received, import_roster
from rollbook.store.former import read_former
from rollbook.store.models import Delivery, Institute, Organisation


@dataclass(frozen=True, slots=True)
class Imported:
    """A delivery that was read and stored; `delivery.state` tells whether it is published or waits to be accepted."""

    institute: Institute
    delivery: Delivery
    reading: sources.Reading


def import_delivery(
    path: Path,
    actor: Actor,
    clock: Clock,
    *,
    institute: str | None = None,
    accepted: bool = False,
    regroup: bool = False,
    show: Show = UNSEEN,
) -> Imported:
    """Read the delivery at `path` and publish it. Raises DeliveryRefused, with nothing changed, if it cannot be used.

    Classes keep the groups they had (roster.groups), unless they are asked to `regroup`.
    """
    show.tell("reading")
    reading = sources.read(path, institute=institute, recall=partial(_known, clock, regroup))
    if reading.roster is None:
        raise _refused(reading)
    home, source = ensure_institute(reading.roster, reading.format, actor, clock)
    received = Received(reading.format, reading.verdict.value, reading.files, reading.findings, clock.now())
    delivery = import_roster(
        source, reading.roster, received, accepted=accepted, staged=partial(show.progress, "storing")
    )
    trail.append(
        actor_kind=actor.kind,
        actor=actor.name,
        place=actor.place,
        action=f"delivery.{delivery.state}",
        at=clock.now(),
        content={"delivery": delivery.number, "rows": delivery.rows, "changed": delivery.changed},
        institute=home,
    )
    return Imported(home, delivery, reading)


def _known(clock: Clock, regroup: bool, form: str, sourced_id: str) -> Former:
    """What the institute's register said before, and the day it is there."""
    home = Institute.objects.filter(
        organisation=Organisation.objects.order_by("pk").first(), sourced_id=sourced_id
    ).first()
    if home is None:
        return Former(day=clock.now().date())
    return read_former(home, form, clock.now().astimezone(ZoneInfo(home.time_zone)).date(), regroup=regroup)


def _refused(reading: sources.Reading) -> DeliveryRefused:
    said = [finding for finding in reading.findings if finding.severity is Severity.REFUSED]
    return DeliveryRefused(
        " ".join(finding.message for finding in said), remedy=" ".join(finding.remedy for finding in said)
    )
