"""Where stories begin: a school of thirty before its first synchronization, and before its second, with what each has to end with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.store.world import deliver

from chaos import installation, people, schools
from chaos.bed import Bed, Expected, expected

FIRST, SECOND, EARLY, EDITED = "first", "second", "early", "edited"
PHASES = (FIRST, SECOND)
"""EARLY: the second, when half of its delivery is there. EDITED: the second, after somebody edited the tenant by hand."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A tenant and a store as they were before a synchronization; `requests` is how many that takes undisturbed."""

    phase: str
    bed: Bed
    store: Path
    wanted: Expected
    requests: int

    def begin(self) -> Bed:
        """Everything as it was then."""
        installation.copied(self.store, "story")
        self.bed.tap.clear()
        self.bed.pages = None
        self.bed.control("faults", [])
        self.bed.control("restore", {"name": SECOND if self.phase in (EARLY, EDITED) else self.phase})
        self.bed.clock.waited = 0.0
        return self.bed


@cache
def scenes(*, documented: bool = False, kept: bool = False) -> dict[str, Scene]:
    """Every phase of the school of thirty, rehearsed undisturbed; in a tenant with quotas and delays, or one kept in a file."""
    name = f"{'slow-' if documented else ''}{'kept-' if kept else ''}"
    bed = Bed(documented, installation.HOME / f"{name}tenant.state" if kept else None)
    home = installation.HOME
    bed.populate(schools.thirty(), f"{name}{FIRST}")
    bed.control("snapshot", {"name": FIRST})
    installation.release()
    first = _rehearsed(FIRST, bed, home / f"{name}{FIRST}.sqlite3")
    bed.control("snapshot", {"name": SECOND})
    between = installation.copied(home / "rehearsal.sqlite3", f"{name}between")
    found = {FIRST: first}
    for phase, whole, edit in ((SECOND, True, None), (EARLY, False, _the_rest), (EDITED, True, people.edit_by_hand)):
        bed.control("restore", {"name": SECOND})
        here = installation.copied(between, f"{name}{phase}")
        deliver(schools.edits(schools.thirty(), whole=whole), accepted=True)
        installation.release()
        found[phase] = _rehearsed(phase, bed, here, edit)
    return found


def _the_rest(_: Bed) -> None:
    the_rest_comes()


def the_rest_comes() -> None:
    """The whole second delivery, where half of it was there before."""
    deliver(schools.edits(schools.thirty()), accepted=True)
    installation.release()


def _rehearsed(phase: str, bed: Bed, here: Path, edit: Callable[[Bed], None] | None = None) -> Scene:
    """The scene that begins here, played undisturbed after `edit`; the store `rehearsal` stands at its end afterwards."""
    installation.copied(here, "rehearsal")
    if edit is not None:
        edit(bed)
    bed.tap.clear()
    bed.attempt()
    requests = bed.tap.seen
    bed.clock.sleep(7_200)
    bed.settle()
    return Scene(phase, bed, here, expected(bed), requests)
