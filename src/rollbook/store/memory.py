"""What is remembered of one tenant, as `sync.Memory` and `sync.Register` ask for it: links, names, what waited."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from django.db import transaction

from rollbook.plan.changes import ChangeVerdict
from rollbook.plan.context import GRANTED, LINKS, RESERVED, WAITED, Guarding
from rollbook.roster.tables import USER_TYPE, Roster
from rollbook.store import approvals, decisions, groupings, history, links, protection, releases, seen
from rollbook.store.bulk import among, execute_many, read_frame, table_of
from rollbook.store.identities import licence_subject
from rollbook.store.models import PARTS, Change, Institute, LicenceGrant, Link, NameReservation, Profile, Run, Tenant
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

    def released(self) -> pl.Series:
        """Keys of enrolments that the sync start date does not hold back any more, because somebody released them."""
        return releases.released(self.institute)


@dataclass(frozen=True, slots=True)
class TenantMemory:
    """What is remembered of one tenant, seen from one institute and profile (sync.Memory)."""

    tenant: Tenant
    institute: Institute
    profile: Profile
    at: dt.datetime | None = None  # when it is asked; without it, what earlier runs did counts as settled

    def reserve_links(self, kind: str, subjects: pl.DataFrame) -> pl.DataFrame:
        """[subject, period, link, mark] of all `subjects` [subject, period]; missing links are made in bulk."""
        return links.reserve(self.tenant, self.institute, kind, subjects)

    def group_links(self, kind: str, groups: pl.DataFrame) -> pl.DataFrame:
        """[key, period, link, mark] of `groups` [key, period, sourced_id, code, label] of this kind; missing links are made."""
        subjects = groupings.remembered(self.institute, kind, groups)
        reserved = self.reserve_links(kind, subjects.select("subject", "period"))
        return subjects.join(reserved, on=["subject", "period"]).select("key", "period", "link", "mark")

    def made_groups(self, kind: str) -> pl.DataFrame:
        """[key, period, link, mark] of the institute's groups of this kind that are linked to an object."""
        return groupings.made(self.tenant, self.institute, kind)

    def licence_links(self, user_types: Sequence[str]) -> pl.DataFrame:
        """[user_type, link, mark] of the licence groups of these user types; missing links are made."""
        wanted = pl.DataFrame({"user_type": user_types}, schema={"user_type": USER_TYPE})
        place = pl.col("user_type").to_physical().cast(pl.Int64) + licence_subject(self.institute, 0)
        numbered = wanted.with_columns(subject=place, period=pl.lit(0, dtype=pl.Int64))
        reserved = self.reserve_links("licence", numbered.select("subject", "period"))
        return numbered.join(reserved, on=["subject", "period"]).select("user_type", "link", "mark")

    def links(self, kind: str) -> pl.DataFrame:
        """All links of this kind in the tenant (schema LINKS)."""
        statement = (
            "SELECT id, object_id, CASE WHEN origin = 'adopted' THEN 1 ELSE 0 END, "
            "CASE WHEN disabled_by_run IS NULL THEN 0 ELSE 1 END, period, left_on "
            f"FROM {table_of(Link)} WHERE tenant_id = %s AND kind = %s ORDER BY id"
        )
        raw = {**LINKS, "adopted": pl.Int64, "disabled_by_us": pl.Int64}
        return read_frame(statement, [self.tenant.pk, kind], raw).cast(pl.Schema(LINKS))

    def reserved_names(self, kind: str, day: dt.date) -> pl.DataFrame:
        """Names of this kind that are reserved on a day (schema RESERVED)."""
        statement = (
            f"SELECT folded, link_id FROM {table_of(NameReservation)} "
            "WHERE tenant_id = %s AND namespace = %s AND (until IS NULL OR until > %s) ORDER BY id"
        )
        return read_frame(statement, [self.tenant.pk, kind, day], RESERVED)

    def granted(self) -> pl.DataFrame:
        """Licences we gave in the tenant and did not take back (schema GRANTED)."""
        statement = (
            f"SELECT g.link_id, g.sku FROM {table_of(LicenceGrant)} g JOIN {table_of(Link)} l ON l.id = g.link_id "
            "WHERE l.tenant_id = %s ORDER BY g.link_id, g.sku"
        )
        return read_frame(statement, [self.tenant.pk], GRANTED)

    def note_leaving(self, leaving: pl.DataFrame, staying: pl.DataFrame) -> None:
        """Remember since when people of `leaving` [link, since] have left, once; forget it of `staying` [link].

        Only rows that differ are written, so that an ordinary day costs nothing.
        """
        about = pl.concat([leaving["link"], staying["link"]])
        chosen, listed = among("id", about) if about.len() <= links.FEW else ("TRUE", [])
        statement = f"SELECT id, left_on FROM {table_of(Link)} WHERE {chosen} AND +tenant_id = %s AND kind = 'user'"
        known = read_frame(statement, [*listed, self.tenant.pk], {"link": pl.Int64, "left_on": pl.Date})
        new = leaving.join(known.filter(pl.col("left_on").is_null()), on="link").select("since", "link")
        back = known.filter(pl.col("left_on").is_not_null()).join(staying, on="link", how="semi")
        rows = [*new.iter_rows(), *((None, link) for link in back["link"])]
        if rows:
            with transaction.atomic():
                execute_many(f"UPDATE {table_of(Link)} SET left_on = %s WHERE id = %s", rows)

    def decisions(self) -> pl.DataFrame:
        """What people decided about matches (schema DECISIONS)."""
        return decisions.in_force(self.tenant)

    def protected(self) -> pl.Series:
        """Object ids of accounts that are never touched, whatever roles they hold."""
        return protection.protected(self.tenant)["object_id"]

    def waited(self) -> pl.DataFrame:
        """What waited when this institute was last synchronized with the tenant (schema WAITED)."""
        chosen, listed = among("run_id", waiting_runs(self.tenant, self.institute))
        statement = (
            f'SELECT kind, subject, "object", cause FROM {table_of(Change)} '
            f"WHERE {chosen} AND verdict = {int(ChangeVerdict.WAITS)}"
        )
        return read_frame(statement, listed, WAITED).unique(maintain_order=True)

    def done_about(self, changes: pl.DataFrame) -> pl.DataFrame:
        """What earlier runs did about the subjects of these changes, oldest first (schema DONE). Asks only if there are any."""
        return history.done_about(self.tenant, changes["subject"].unique().to_list(), self.at)

    def first_run(self) -> bool:
        """Whether no run of this profile was ever applied in this tenant; a part of a first one is not one."""
        runs = Run.objects.filter(tenant=self.tenant, purpose=Run.Purpose.SYNCHRONIZATION)
        applied = runs.filter(profile_version__profile=self.profile, started_at__isnull=False)
        if applied.filter(first_run=False).exists():
            return False
        return all(approvals.unapproved(run) for run in applied)

    def guarding(self, about: Sequence[int] | None = None) -> Guarding:
        """What guards compare a plan of the whole institute with, or one that is `about` these links alone."""
        return seen.guarding(self.tenant, self.institute, about)


def waiting_runs(tenant: Tenant, institute: Institute) -> list[int]:
    """The institute's last run about everything that was begun in the tenant and is not under way, and those about a part since."""
    runs = Run.objects.filter(tenant=tenant, institute=institute, purpose=Run.Purpose.SYNCHRONIZATION)
    begun = runs.filter(started_at__isnull=False).exclude(state=Run.State.APPLYING)
    whole = begun.exclude(scope__in=PARTS).order_by("-number").first()
    if whole is None:
        return list(begun.values_list("pk", flat=True))
    return [whole.pk, *begun.filter(number__gt=whole.number).values_list("pk", flat=True)]
