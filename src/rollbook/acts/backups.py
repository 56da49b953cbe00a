"""Backups, restoring one, and moving the store to PostgreSQL: what an operator of the installation does, with its entry in the trail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rollbook.acts.actor import Actor, require
from rollbook.apply.approval import Role
from rollbook.clock import Clock
from rollbook.errors import InputRefused
from rollbook.store import archive, jobs, leases, moving, trail
from rollbook.store.archive import Manifest, Restored
from rollbook.store.models import TenantLease
from rollbook.store.setup import migrate


def backup(path: Path, actor: Actor, clock: Clock, *, with_keys: bool) -> Manifest:
    """A backup of the database in one file, with the keys if asked. The trail says that it was made."""
    require(actor, Role.INSTITUTE_ADMIN, "make a backup")
    _note("store.backed_up", actor, clock, {"with_keys": with_keys})
    return archive.write(path, clock.now(), with_keys=with_keys)


def restore(path: Path, actor: Actor, clock: Clock, *, agreed: bool) -> Restored:
    """The database as a backup has it, of this version afterwards. InputRefused if one would be replaced and nobody `agreed` to that."""
    require(actor, Role.INSTITUTE_ADMIN, "restore a backup")
    manifest = archive.read(path)
    if archive.in_use() and not agreed:
        raise InputRefused(
            f"The database in use would be replaced by the one of {manifest.made_at}.",
            remedy="Stop everything that uses it, then add --yes.",
        )
    _refuse_while_working(clock)
    restored = archive.restore(path, clock.now())
    migrate()
    _note("store.restored", actor, clock, {"made_at": manifest.made_at, "version": manifest.version})
    return restored


def move_to_postgres(url: str, actor: Actor, clock: Clock, told: Callable[[str], None]) -> dict[str, int]:
    """Rows by table that were copied to an empty database on PostgreSQL. InputRefused while a tenant is being synchronized."""
    require(actor, Role.INSTITUTE_ADMIN, "move the database")
    _refuse_while_working(clock)
    if TenantLease.objects.filter(expires_at__gt=clock.now()).exclude(holder="").exists():
        raise InputRefused(
            "A synchronization is going on.",
            remedy="Wait until it has finished, stop what could begin another, and try again.",
        )
    copied = moving.move(url, told)
    _note("store.moved", actor, clock, {"rows": sum(copied.values())})
    return copied


def _refuse_while_working(clock: Clock) -> None:
    """Raises InputRefused if a worker was seen a moment ago: it would go on with the database that was."""
    if archive.has("store_worker") and jobs.alive(clock.now(), leases.PATIENCE):
        raise InputRefused(
            "A worker is running.", remedy="Stop `rollbook serve` and every `rollbook worker`, and try again."
        )


def _note(action: str, actor: Actor, clock: Clock, content: dict[str, Any]) -> None:
    trail.append(
        actor_kind=actor.kind, actor=actor.name, place=actor.place, action=action, at=clock.now(), content=content
    )
