"""The register, the memory of a tenant and its mirror asked by points (scoped.PartRegister, PartMemory, Mirror).

A plus before a column says that it is no use looking there by an index: without statistics, SQLite would rather walk through all
rows of a source or a tenant than look up the few that are asked for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import polars as pl
from django.db import connection

from rollbook.directory.state import Relation
from rollbook.plan.changes import ChangeVerdict
from rollbook.plan.context import DECISIONS, GRANTED, LINKS, RESERVED, WAITED, Guarding
from rollbook.roster import precedence
from rollbook.roster.tables import ENROLMENTS, USER_TYPE
from rollbook.scoped import HOLDERS
from rollbook.store import mirrored, releases, seen
from rollbook.store.bulk import among, read_frame, table_of
from rollbook.store.groupings import digest
from rollbook.store.memory import TenantMemory, waiting_runs
from rollbook.store.models import (
    Change,
    Decision,
    Enrolment,
    Grouping,
    Institute,
    Klass,
    LicenceGrant,
    Link,
    NameReservation,
    Run,
    Source,
    Teaching,
    Tenant,
)
from rollbook.store.register import BY_NAME, Table
from rollbook.store.rosters import read_departed, read_whole


class RegisterByPoints:
    """One institute's register; every question reads the rows it is about, and no others."""

    def __init__(self, institute: Institute) -> None:
        self._institute = institute
        self._sources = list(institute.sources.order_by("precedence", "pk"))

    def whole(self, table: str) -> pl.DataFrame:
        """All rows of a small table."""
        return read_whole(self._institute, self._sources, table)

    def where(self, table: str, column: str, values: pl.Series) -> pl.DataFrame:
        """The rows in which the column has one of these values; of several sources, for each record what counts."""
        stored = BY_NAME[table]
        frames = []
        for rank, source in enumerate(self._sources):
            name = "entity" if column == stored.key else column
            rows = _visible(stored, source, name, values).with_columns(rank=pl.lit(rank))
            frames.append(rows)
        if not frames or values.is_empty():
            return pl.DataFrame(schema=pl.Schema(stored.schema))
        rows = pl.concat(frames)
        if len(frames) > 1:
            if table == "affiliations":
                rows = precedence.of_first_source(rows, "person")
            rows = precedence.counting(rows, stored.identity)
        rows = rows.select(stored.schema.keys())
        return rows.sort(stored.key) if stored.key is not None else rows

    def witnesses(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """One class and one enrolment of each school year in which somebody learns or teaches."""
        periods = self.whole("academic_periods")["period"]
        classes: list[int] = []
        for period in periods:
            for source in self._sources:
                found = _busy_class(source, int(period))
                if found is not None:
                    classes.append(found)
                    break
        busy = self.where("classes", "klass", pl.Series(classes, dtype=pl.Int64))
        marks = {
            "enrolment": pl.int_range(-busy.height, 0, dtype=pl.Int64),
            "sourced_id": pl.lit(""),
            "line": pl.lit(0),
        }
        nobody = pl.lit(0, dtype=pl.Int64)
        learning = busy.select("klass", **marks, person=nobody, begin=pl.lit(None, pl.Date), end=pl.lit(None, pl.Date))
        return busy, learning.select(ENROLMENTS.keys()).cast(pl.Schema(ENROLMENTS))

    def departed(self, people: pl.Series) -> pl.DataFrame:
        """[person, user_type] of those of these people who are no longer in it."""
        return read_departed(self._institute, people).cast({"user_type": USER_TYPE})

    def released(self) -> pl.Series:
        """Keys of released enrolments."""
        return releases.released(self._institute)


def _visible(table: Table, source: Source, column: str, values: pl.Series) -> pl.DataFrame:
    """The source's published rows in which a column of the table has one of these values."""
    quote = connection.ops.quote_name
    columns = [quote("entity" if name == table.key else name) for name in table.schema]
    more = ", corrects" if table.correctable else ", FALSE" if connection.vendor == "postgresql" else ", 0"
    condition, listed = among(quote(column), values)
    return read_frame(
        f"SELECT {', '.join(columns)}{more} FROM {table_of(table.model)} "
        f"WHERE {condition} AND +source_id = %s AND +since <= %s AND +until > %s ORDER BY entity",
        [*listed, source.pk, source.published, source.published],
        {**table.schema, "corrects": pl.Boolean},
    )


def _busy_class(source: Source, period: int) -> int | None:
    """A class of a school year in which somebody learns or teaches; the first that is found."""
    for model in (Enrolment, Teaching):
        statement = (
            f"SELECT k.entity FROM {table_of(Klass)} k JOIN {table_of(model)} e ON e.klass = k.entity "
            "AND +e.source_id = k.source_id AND +e.since <= %s AND +e.until > %s "
            "WHERE k.period = %s AND k.source_id = %s AND k.since <= %s AND k.until > %s LIMIT 1"
        )
        now = source.published
        found = read_frame(statement, [now, now, period, source.pk, now, now], {"klass": pl.Int64})
        if found.height:
            return int(found["klass"][0])
    return None


@dataclass(frozen=True, slots=True)
class MemoryByPoints(TenantMemory):
    """What is remembered of one tenant; every question reads what it is about."""

    def holders(self, object_ids: Collection[str]) -> pl.DataFrame:
        """Links of the institute that hold these objects (schema HOLDERS)."""
        condition, listed = among("l.object_id", object_ids)
        statement = (
            "SELECT l.kind, l.id, l.subject, g.key, l.period, l.mark, l.object_id "
            f"FROM {table_of(Link)} l LEFT JOIN {table_of(Grouping)} g ON g.id = l.subject AND l.kind IN ('team', 'node') "
            f"WHERE l.tenant_id = %s AND {condition} AND l.institute_id = %s"
        )
        return read_frame(statement, [self.tenant.pk, *listed, self.institute.pk], HOLDERS)

    def objects_of(self, people: pl.Series) -> list[str]:
        """Object ids of these people's accounts."""
        condition, listed = among("subject", people)
        statement = (
            f"SELECT object_id FROM {table_of(Link)} WHERE tenant_id = %s AND kind = 'user' AND {condition} "
            "AND object_id IS NOT NULL"
        )
        return list(read_frame(statement, [self.tenant.pk, *listed], {"object_id": pl.String})["object_id"])

    def made_teams(self, teams: pl.DataFrame) -> pl.DataFrame:
        """[key, period, link, mark, object_id] of those of `teams` [key, period] that are linked to an object."""
        condition, listed = among("g.digest", map(digest, teams["key"].unique()))
        statement = (
            "SELECT g.key, g.period, l.id, l.mark, l.object_id "
            f"FROM {table_of(Grouping)} g CROSS JOIN {table_of(Link)} l WHERE l.subject = g.id AND l.kind = 'team' "
            f"AND l.tenant_id = %s AND l.object_id IS NOT NULL AND g.institute_id = %s AND g.kind = 'team' AND {condition} "
            "ORDER BY l.id"
        )
        schema = {"key": pl.String, "period": pl.Int64, "link": pl.Int64, "mark": pl.String, "object_id": pl.String}
        found = read_frame(statement, [self.tenant.pk, self.institute.pk, *listed], schema)
        return found.join(teams, on=["key", "period"], how="semi", maintain_order="left")

    def links_among(self, kinds: Sequence[str], links: pl.Series, object_ids: Collection[str]) -> pl.DataFrame:
        """Links that are among these, or hold one of these objects (schema LINKS)."""
        named = ", ".join(f"'{Link.Kind(kind).value}'" for kind in kinds)
        found = []
        for column, values in (("id", links), ("object_id", object_ids)):
            condition, listed = among(column, values)
            of_tenant = "+tenant_id" if column == "id" else "tenant_id"
            statement = (
                "SELECT id, object_id, CASE WHEN origin = 'adopted' THEN 1 ELSE 0 END, "
                "CASE WHEN disabled_by_run IS NULL THEN 0 ELSE 1 END, period, left_on "
                f"FROM {table_of(Link)} WHERE {condition} AND {of_tenant} = %s AND (kind || '') IN ({named})"
            )
            raw = {**LINKS, "adopted": pl.Int64, "disabled_by_us": pl.Int64}
            found.append(read_frame(statement, [*listed, self.tenant.pk], raw))
        return pl.concat(found).unique("link").sort("link").cast(pl.Schema(LINKS))

    def names_among(self, kind: str, day: dt.date, links: pl.Series, names: Collection[str]) -> pl.DataFrame:
        """Names reserved on a day for these links, or called so (schema RESERVED)."""
        found = []
        for column, values in (("link_id", links), ("folded", names)):
            condition, listed = among(column, values)
            of_tenant = "+tenant_id" if column == "link_id" else "tenant_id"
            statement = (
                f"SELECT folded, link_id FROM {table_of(NameReservation)} WHERE {condition} AND {of_tenant} = %s "
                "AND namespace = %s AND (until IS NULL OR until > %s) ORDER BY id"
            )
            found.append(read_frame(statement, [*listed, self.tenant.pk, kind, day], RESERVED))
        return pl.concat(found).unique(maintain_order=True)

    def granted_to(self, links: pl.Series) -> pl.DataFrame:
        """Licences we gave to these (schema GRANTED)."""
        condition, listed = among("link_id", links)
        statement = f"SELECT link_id, sku FROM {table_of(LicenceGrant)} WHERE {condition} ORDER BY link_id, sku"
        return read_frame(statement, listed, GRANTED)

    def decisions_on(self, links: pl.Series) -> pl.DataFrame:
        """What people decided about these (schema DECISIONS)."""
        condition, listed = among("link_id", links)
        statement = f"SELECT link_id, kind, object_id FROM {table_of(Decision)} WHERE {condition} AND ended_at IS NULL ORDER BY id"
        return read_frame(statement, listed, DECISIONS)

    def waited_of(self, links: pl.Series) -> pl.DataFrame:
        """What waited of these when they were last synchronized (schema WAITED)."""
        runs, of_runs = among("run_id", waiting_runs(self.tenant, self.institute))
        subjects, listed = among("subject", links)
        statement = (
            f'SELECT kind, subject, "object", cause FROM {table_of(Change)} '
            f"WHERE {runs} AND {subjects} AND verdict = {int(ChangeVerdict.WAITS)}"
        )
        return read_frame(statement, [*of_runs, *listed], WAITED).unique(maintain_order=True)

    def guarding(self, about: Sequence[int] | None = None) -> Guarding:
        """What guards compare a plan that is `about` these links with; all that is managed as the last look at everything left it."""
        runs = Run.objects.filter(tenant=self.tenant, institute=self.institute, looked__has_key="teams")
        last = runs.order_by("-number").first()
        known = None if last is None else {name: int(last.looked[name]) for name in seen.MANAGED}
        return seen.guarding(self.tenant, self.institute, about, known)


@dataclass(frozen=True, slots=True)
class MirrorByPoints:
    """The mirror of a tenant's directory; `protected` are ids of accounts nobody may change, None: all of them."""

    tenant: Tenant
    mark_property: str
    protected: frozenset[str] | None

    def users(self, object_ids: Collection[str]) -> pl.DataFrame:
        """These users (schema USERS)."""
        return mirrored.users(self.tenant, list(object_ids), self.mark_property, self.protected)

    def groups(self, object_ids: Collection[str]) -> pl.DataFrame:
        """These groups (schema GROUPS)."""
        return mirrored.groups(self.tenant, list(object_ids))

    def found(self, by: str, keys: Iterable[str]) -> list[str]:
        """Object ids of what has one of these keys."""
        return mirrored.found(self.tenant, by, keys)

    def taken(self, by: str, keys: Iterable[str]) -> set[str]:
        """Which of these keys something has."""
        return mirrored.taken(self.tenant, by, keys)

    def members(
        self,
        group_ids: Collection[str] | None = None,
        user_ids: Collection[str] | None = None,
        relation: Relation | None = None,
    ) -> pl.DataFrame:
        """[group_object_id, user_object_id, relation] of these groups, of these people, or of both."""
        return mirrored.members(self.tenant, group_ids, user_ids, relation)

    def count_members(self, group_ids: Collection[str]) -> pl.DataFrame:
        """[group_object_id, members] of these groups."""
        return mirrored.count_members(self.tenant, list(group_ids))
