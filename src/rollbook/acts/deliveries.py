"""Taking a delivery into the register."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rollbook import sources
from rollbook.acts.actor import Actor
from rollbook.acts.institutes import ensure_institute
from rollbook.acts.show import UNSEEN, Show
from rollbook.clock import Clock
from rollbook.errors import DeliveryRefused
from rollbook.roster.findings import Severity
from rollbook.store import trail
from rollbook.store.deliveries import Received, import_roster
from rollbook.store.models import Delivery, Institute


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
    show: Show = UNSEEN,
) -> Imported:
    """Read the delivery at `path` and publish it. Raises DeliveryRefused, with nothing changed, if it cannot be used."""
    show.tell("reading")
    reading = sources.read(path, institute=institute)
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


def _refused(reading: sources.Reading) -> DeliveryRefused:
    said = [finding for finding in reading.findings if finding.severity is Severity.REFUSED]
    return DeliveryRefused(
        " ".join(finding.message for finding in said), remedy=" ".join(finding.remedy for finding in said)
    )
