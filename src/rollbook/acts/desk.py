"""A tenant held by somebody who decides about links by hand: no run goes on meanwhile, and plans made before no longer count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import polars as pl

from rollbook.acts.connections import ConnectedReader, connection_of, opened
from rollbook.acts.profiles import Author
from rollbook.directory.state import guarded
from rollbook.errors import InputRefused
from rollbook.store import leases, protection, runs
from rollbook.store.models import Connection, Institute, Run, Tenant


@dataclass(frozen=True, slots=True)
class Desk:
    """One institute's tenant, its reading side, and who sits there."""

    institute: Institute
    tenant: Tenant
    reader: ConnectedReader
    author: Author

    def users(self) -> pl.DataFrame:
        """All users of the tenant (schema directory.state.USERS)."""
        return guarded(self.reader.users(), self._listed())

    def look(self, object_ids: Sequence[str], names: Sequence[str]) -> pl.DataFrame:
        """The users of these ids and names that exist (schema directory.state.USERS)."""
        found = pl.concat([self.reader.users_by_id(object_ids), self.reader.users_by_upn(names)])
        holders = self.reader.role_holders()
        everybody = pl.lit(value=True) if holders is None else pl.col("object_id").is_in(list(holders))
        return guarded(found.with_columns(protected=everybody), self._listed())

    def _listed(self) -> pl.Series:
        return protection.protected(self.tenant)["object_id"]

    def changed(self, action: str, content: dict[str, Any]) -> None:
        """Links or decisions were changed: plans that wait no longer count, and the trail says so."""
        superseded = runs.supersede_waiting(self.tenant)
        self.author.note(self.institute, action, {**content, "superseded": superseded})


@contextmanager
def held(institute: Institute, author: Author, purpose: Connection.Purpose = Connection.Purpose.MAIN) -> Iterator[Desk]:
    """The institute's tenant, held while the block runs.

    Raises TenantBusy if somebody else holds it, InputRefused if a run was cut off: it is to be finished as it was planned.
    """
    connection = connection_of(institute, purpose)
    tenant = connection.tenant
    lease = leases.acquire(tenant, author.clock.now())
    try:
        begun = Run.objects.filter(tenant=tenant, state=Run.State.APPLYING).order_by("-number").first()
        if begun is not None:
            raise InputRefused(
                f"Run {begun.number} was begun and is not finished; it would go on with the links it knows.",
                remedy="Finish it with `rollbook sync`, then decide.",
            )
        with opened(connection, author.clock) as tenant_opened:
            yield Desk(institute, tenant, tenant_opened.reader, author)
    finally:
        leases.release(lease)
