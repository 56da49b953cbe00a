"""Pruning: what runs and deliveries left and nobody asks for any more is forgotten, by hand or by a worker every day."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from django.db import DatabaseError, connections

from rollbook.acts.actor import Actor, require
from rollbook.apply.approval import Role
from rollbook.clock import Clock
from rollbook.errors import RollbookError
from rollbook.store import retention, trail
from rollbook.store.keeping import Keeping, keeping
from rollbook.store.retention import Pruned, Pruning

log = structlog.get_logger()

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


class Daily:
    """Prunes beside whatever else a worker does, in a thread of its own: it may take longer than a worker may be silent."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None

    def __call__(self, clock: Clock) -> None:
        """Begin, unless the last one is still at it."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=prune_once, args=(clock,), name="prune", daemon=True)
            self._thread.start()


def prune_once(clock: Clock) -> None:
    """Prune, unless another worker does; a database that is away is said so, and the next day comes."""
    try:
        with retention.alone() as alone:
            if alone:
                prune(SCHEDULE, clock)
    except (DatabaseError, RollbookError) as error:
        log.warning("prune: was cut off, and is gone on with by the next one", error=type(error).__name__)
    finally:
        connections.close_all()


prune_aside = Daily()
"""What a worker does once a day."""
