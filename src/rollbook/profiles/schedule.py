"""When which profile runs: status and the overlap rule, as pure functions of an institute's profiles and a day (product.md section 3).

A profile's synchronization period holds both its days; an open side has no end. Of the enabled profiles whose period holds a day,
exactly one runs: the one that starts latest; on a tie, the one that was enabled last.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Slot:
    """What the rule needs to know of a profile. `enabled_at` is None while it is not enabled; `ever` tells that it once was."""

    name: str
    begin: dt.date | None
    end: dt.date | None
    enabled_at: dt.datetime | None
    ever: bool = False

    def holds(self, day: dt.date) -> bool:
        """Whether the day is in the synchronization period."""
        return (self.begin is None or self.begin <= day) and (self.end is None or day <= self.end)


class Status(Enum):
    """What a profile is on a day."""

    DRAFT = "Draft"
    UPCOMING = "Enabled from"
    BEHIND = "Enabled behind"
    RUNNING = "Running"
    DISABLED = "Disabled"
    ENDED = "Ended"


@dataclass(frozen=True, slots=True)
class Standing:
    """A status with what belongs to it: the day it begins, or the profile that goes before."""

    status: Status
    begin: dt.date | None = None
    behind: str | None = None

    def __str__(self) -> str:
        """As the list shows it."""
        if self.status is Status.UPCOMING and self.begin is not None:
            return f"{self.status.value} {self.begin.isoformat()}"
        return f"{self.status.value} {self.behind}" if self.behind else self.status.value


def running(slots: Sequence[Slot], day: dt.date) -> Slot | None:
    """The one profile that runs on this day, or None."""
    candidates = [slot for slot in slots if slot.enabled_at is not None and slot.holds(day)]
    return max(candidates, key=_precedence, default=None)


def _precedence(slot: Slot) -> tuple[dt.date, dt.datetime]:
    assert slot.enabled_at is not None
    return slot.begin or dt.date.min, slot.enabled_at


def followed(slots: Sequence[Slot], day: dt.date, ran: Mapping[str, dt.datetime]) -> Slot | None:
    """The profile whose settings count between synchronizations, such as who may sign in; None if none ever ran.

    It is the one that runs on this day, else the one that ran last, enabled or not; `ran` tells by name when each last did.
    """
    ever = [slot for slot in slots if slot.name in ran]
    return running(slots, day) or max(ever, key=lambda slot: ran[slot.name], default=None)


def standing(slot: Slot, slots: Sequence[Slot], day: dt.date) -> Standing:
    """What a profile is on this day, among the others of its institute."""
    if slot.end is not None and slot.end < day:
        return Standing(Status.ENDED)
    if slot.enabled_at is None:
        return Standing(Status.DISABLED if slot.ever else Status.DRAFT)
    if slot.begin is not None and day < slot.begin:
        return Standing(Status.UPCOMING, begin=slot.begin)
    first = running(slots, day)
    if first is None or first.name == slot.name:
        return Standing(Status.RUNNING)
    return Standing(Status.BEHIND, behind=first.name)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days in a row, both ends included, on which the same profile runs. None: open."""

    begin: dt.date | None
    end: dt.date | None
    name: str


def timeline(slots: Sequence[Slot]) -> list[Stretch]:
    """Which enabled profile runs when, in order; days without one are left out."""
    enabled = [slot for slot in slots if slot.enabled_at is not None]
    starts = {slot.begin or dt.date.min for slot in enabled}
    starts |= {slot.end + dt.timedelta(days=1) for slot in enabled if slot.end is not None and slot.end < dt.date.max}
    edges = sorted(starts)
    found: list[Stretch] = []
    for number, begin in enumerate(edges):
        end = edges[number + 1] - dt.timedelta(days=1) if number + 1 < len(edges) else None
        slot = running(enabled, begin)
        if slot is None:
            continue
        shown = None if begin == dt.date.min else begin
        if found and found[-1].name == slot.name and found[-1].end == begin - dt.timedelta(days=1):
            found[-1] = Stretch(found[-1].begin, end, slot.name)
        else:
            found.append(Stretch(shown, end, slot.name))
    return found


def overlaps(slot: Slot, slots: Sequence[Slot]) -> list[str]:
    """Names of the other enabled profiles whose period meets this one's."""
    return [
        other.name
        for other in slots
        if other.name != slot.name
        and other.enabled_at is not None
        and (slot.begin or dt.date.min) <= (other.end or dt.date.max)
        and (other.begin or dt.date.min) <= (slot.end or dt.date.max)
    ]
