"""What is remembered of one tenant, as `sync.Memory` and `sync.Register` ask for it: links, names, what waited."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from rollbook.plan.changes import ChangeVerdict
from rollbook.plan.context import LINKS, RESERVED, WAITED
from rollbook.roster.tables import USER_TYPE, Roster
from rollbook.store import decisions, links, protection
from rollbook.store.bulk import read_frame, table_of
from rollbook.store.models import Change, Institute, Link, NameReservation, Profile, Run, Tenant
from rollbook.store.rosters import read_departed, read_roster


@dataclass(frozen=True, slots=True)
class InstituteRegister:
    """One institute's register (sync.Register)."""

    institute: Institute

    def read(self) -> Roster:
        """All of it, as published."""
        return read_roster(self.institute)

    def departed(self) -> pl.DataFrame:
        """[person, user_type] of people who are no longer in it."""
        return read_departed(self.institute).cast({"user_type": USER_TYPE})


@dataclass(frozen=True, slots=True)
class TenantMemory:
    """What is remembered of one tenant, seen from one institute and profile (sync.Memory)."""

    tenant: Tenant
    institute: Institute
    profile: Profile

    def reserve_links(self, kind: str, subjects: pl.DataFrame) -> pl.DataFrame:
        """[subject, period, link, mark] of all `subjects` [subject, period]; missing links are made in bulk."""
        return links.reserve(self.tenant, self.institute, kind, subjects)

    def links(self, kind: str) -> pl.DataFrame:
        """All links of this kind in the tenant (schema LINKS)."""
        statement = (
            "SELECT id, object_id, CASE WHEN origin = 'adopted' THEN 1 ELSE 0 END, "
            "CASE WHEN disabled_by_run IS NULL THEN 0 ELSE 1 END "
            f"FROM {table_of(Link)} WHERE tenant_id = %s AND kind = %s ORDER BY id"
        )
        raw = {**LINKS, "adopted": pl.Int64, "disabled_by_us": pl.Int64}
        return read_frame(statement, [self.tenant.pk, kind], raw).cast(pl.Schema(LINKS))

    def reserved_names(self, kind: str) -> pl.DataFrame:
        """Reserved names of this kind (schema RESERVED)."""
        statement = f"SELECT folded, link_id FROM {table_of(NameReservation)} WHERE tenant_id = %s AND namespace = %s"
        return read_frame(statement, [self.tenant.pk, kind], RESERVED)

    def decisions(self) -> pl.DataFrame:
        """What people decided about matches (schema DECISIONS)."""
        return decisions.in_force(self.tenant)

    def protected(self) -> pl.Series:
        """Object ids of accounts that are never touched, whatever roles they hold."""
        return protection.protected(self.tenant)["object_id"]

    def waited(self) -> pl.DataFrame:
        """What waited when this institute was last synchronized with the tenant (schema WAITED)."""
        done = (Run.State.APPLIED, Run.State.PROVEN, Run.State.NOT_PROVEN)
        last = (
            Run.objects.filter(tenant=self.tenant, institute=self.institute, state__in=done).order_by("-number").first()
        )
        statement = f'SELECT kind, subject, "object", cause FROM {table_of(Change)} WHERE run_id = %s AND verdict = %s'
        return read_frame(statement, [last.pk if last else 0, int(ChangeVerdict.WAITS)], WAITED)

    def first_run(self) -> bool:
        """Whether no run of this profile was ever applied in this tenant."""
        begun = Run.objects.filter(tenant=self.tenant, profile_version__profile=self.profile, started_at__isnull=False)
        return not begun.exists()
