"""Pruning: what runs and deliveries left and nobody asks for any more is forgotten, by hand or by a worker every day."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from typing import Any

from rollbook.acts.actor import Actor, require
from rollbook.apply.approval import Role
from rollbook.clock import Clock
from rollbook.store import retention, trail
from rollbook.store.keeping import Keeping, keeping
from rollbook.store.retention import Pruned, Pruning

BREATH = 0.02
"""Seconds between two transactions, in which others get at the database."""

SCHEDULE = Actor("schedule", "retention")
"""Who prunes where nobody asked for it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What went, or would go; `shrinks` is whether an SQLite file became smaller by it, `free` the share of it that is free now."""

    pruned: Pruned
    kept: Keeping
    shrinks: bool
    free: float


def prune(actor: Actor, clock: Clock, *, dry: bool = False, rewrite: bool = False) -> Report:
    """Forget what is past the settings of this installation (store.keeping); only say what, if `dry`.

    The space becomes free for what is written later. An SQLite file gives it back to the disk, too, if it was made so; an older one is
    `rewrite`-n once for that, which keeps others from writing for seconds to minutes. PostgreSQL's autovacuum sees to it itself.
    """
    require(actor, Role.INSTITUTE_ADMIN, "prune what runs left")
    kept = keeping(os.environ)
    breathe = partial(clock.sleep, BREATH)
    pruned = Pruning(kept, clock.now(), dry, breathe).carried_out()
    if not dry:
        retention.give_back(breathe)
        if rewrite:
            retention.rewrite()
        if pruned.runs_gone or pruned.rows:
            _note(pruned, actor, clock)
    return Report(pruned, kept, retention.shrinks(), retention.free_space())


def _note(pruned: Pruned, actor: Actor, clock: Clock) -> None:
    content: dict[str, Any] = {"runs_gone": pruned.runs_gone, "runs_emptied": pruned.runs_emptied, **pruned.rows}
    trail.append(
        actor_kind=actor.kind,
        actor=actor.name,
        place=actor.place,
        action="store.pruned",
        at=clock.now(),
        content=content,
    )


def prune_daily(clock: Clock) -> None:
    """The same, as a worker's chore."""
    prune(SCHEDULE, clock)
