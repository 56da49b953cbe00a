"""What guards compare with: the tenant as a reading nobody doubts last saw it, the register as it was last carried out. In bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from django.db import connection, transaction
from django.db.models import Sum

from rollbook.plan.changes import ChangeVerdict, Kind
from rollbook.plan.context import SEEN_ACCOUNTS, SEEN_GROUPS, Guarding
from rollbook.plan.guards import REGISTER
from rollbook.store import approvals
from rollbook.store.bulk import among, execute_many, insert_frame, read_frame, table_of
from rollbook.store.links import FEW
from rollbook.store.models import Account, Change, Institute, Link, Run, SeenGroup, Source, Tenant
from rollbook.store.register import BY_NAME

MANAGED = ("users", "memberships", "teams")
"""What is managed, as guards count it."""

COUNTED = ("people", "classes", "enrolments")
"""The tables of the register whose rows are counted; of people those who are active."""


def guarding(
    tenant: Tenant,
    institute: Institute,
    about: Sequence[int] | None = None,
    known: Mapping[str, int] | None = None,
) -> Guarding:
    """What guards compare a plan of the whole institute with, or one that is `about` these links alone.

    Of a part only that part is compared, but for the register: where it may have shrunk since it was last carried out, it is counted
    whole. How much is managed in all is counted here if it is not `known`.
    """
    whole = about is None
    counted = whole or _may_have_shrunk(tenant, institute)
    return Guarding(
        accounts=_accounts(tenant, institute, about),
        groups=_groups(tenant, institute, about),
        declined=approvals.declined(tenant, institute),
        register=register_rows(institute) if counted else {},
        applied=_applied(tenant, institute) if counted else {},
        managed={} if whole else known or managed(tenant, institute),
        whole=whole,
    )


def _only(column: str, about: Sequence[int] | None) -> tuple[str, str, list[Any]]:
    """The condition that a link is one of these, a plus that keeps from looking by other indices (store.points), and parameters."""
    if about is None:
        return "TRUE", "", []
    condition, listed = among(column, about)
    return condition, "+", listed


def _accounts(tenant: Tenant, institute: Institute, about: Sequence[int] | None) -> pl.DataFrame:
    only, plus, listed = _only("a.link_id", about)
    statement = (
        f"SELECT a.link_id, a.object_id FROM {table_of(Account)} a JOIN {table_of(Link)} l ON l.id = a.link_id "
        f"WHERE {only} AND {plus}a.tenant_id = %s AND {plus}l.institute_id = %s ORDER BY a.link_id"
    )
    return read_frame(statement, [*listed, tenant.pk, institute.pk], SEEN_ACCOUNTS)


def _groups(tenant: Tenant, institute: Institute, about: Sequence[int] | None) -> pl.DataFrame:
    only, plus, listed = _only("s.link_id", about)
    statement = (
        f"SELECT s.link_id, s.relations, CASE WHEN l.kind = 'team' THEN 1 ELSE 0 END FROM {table_of(SeenGroup)} s "
        f"JOIN {table_of(Link)} l ON l.id = s.link_id "
        f"WHERE {only} AND {plus}s.tenant_id = %s AND {plus}l.institute_id = %s ORDER BY s.link_id"
    )
    raw = {**SEEN_GROUPS, "team": pl.Int64}
    return read_frame(statement, [*listed, tenant.pk, institute.pk], raw).cast(pl.Schema(SEEN_GROUPS))


def managed(tenant: Tenant, institute: Institute) -> dict[str, int]:
    """All that is managed, counted where it is remembered: accounts, relations of groups, teams."""
    accounts = Account.objects.filter(tenant=tenant, link__institute=institute)
    groups = SeenGroup.objects.filter(tenant=tenant, link__institute=institute)
    return {
        "users": accounts.count(),
        "memberships": groups.aggregate(relations=Sum("relations"))["relations"] or 0,
        "teams": groups.filter(link__kind=Link.Kind.TEAM).count(),
    }


def register_rows(institute: Institute) -> dict[str, int]:
    """How many rows of each table of COUNTED the institute's register has, as published; a record of several sources once."""
    sources = list(institute.sources.all())
    return {name: _rows(name, sources) for name in COUNTED} if sources else {}


def _rows(name: str, sources: list[Source]) -> int:
    published = " OR ".join(["(source_id = %s AND since <= %s AND until > %s)"] * len(sources))
    values = [value for s in sources for value in (s.pk, s.published, s.published)]
    active = " AND active" if name == "people" else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT COUNT(DISTINCT entity) FROM {table_of(BY_NAME[name].model)} WHERE ({published}){active}", values
        )
        return int(cursor.fetchone()[0])


def _last_carried_out(tenant: Tenant, institute: Institute) -> Run | None:
    """The newest run about everything that carried out the register; no other says how many rows that had."""
    runs = Run.objects.filter(tenant=tenant, institute=institute, purpose=Run.Purpose.SYNCHRONIZATION)
    return runs.filter(started_at__isnull=False).exclude(register={}).order_by("-number").first()


def _may_have_shrunk(tenant: Tenant, institute: Institute) -> bool:
    """Whether the register, if it were counted, may be found far smaller than when it was last carried out: a few points say so."""
    last = _last_carried_out(tenant, institute)
    if last is None:
        return False
    then, sources = last.looked.get("deliveries", {}), {str(source.pk): source for source in institute.sources.all()}
    doubted = any(objection["code"] == REGISTER for objection in last.objections)
    if doubted or then.keys() != sources.keys():
        return True
    return any(sum(_fewer(name, sources[pk], then[pk]) for pk in sources) > 1 for name in COUNTED)


def _fewer(name: str, source: Source, since: int) -> int:
    """How many rows of a table a source says less than it did in the delivery of that number."""
    active = " AND active" if name == "people" else ""
    table, span = table_of(BY_NAME[name].model), [source.pk, since, source.published]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT (SELECT COUNT(*) FROM {table} WHERE source_id = %s AND until > %s AND until <= %s{active}) "
            f"- (SELECT COUNT(*) FROM {table} WHERE source_id = %s AND since > %s AND since <= %s{active})",
            [*span, *span],
        )
        return int(cursor.fetchone()[0])


def _applied(tenant: Tenant, institute: Institute) -> dict[str, int]:
    """The rows the register had when it was last carried out; none if it never was."""
    last = _last_carried_out(tenant, institute)
    return {str(name): int(rows) for name, rows in last.register.items()} if last else {}


def note_register(run: Run, rows: Mapping[str, int], *, believed: bool) -> None:
    """Remember with a run what the next one's register is compared with: these rows, or, if they are doubted, those before."""
    run.register = dict(rows) if believed else _applied(run.tenant, run.institute)
    run.save(update_fields=["register"])


def see_groups(tenant: Tenant, sizes: pl.DataFrame) -> int:
    """Remember how many relations these groups [link, relations] hold; how many rows were written."""
    only, plus, listed = _only("link_id", sizes["link"].to_list() if sizes.height <= FEW else None)
    statement = f"SELECT link_id, relations FROM {table_of(SeenGroup)} WHERE {only} AND {plus}tenant_id = %s"
    known = read_frame(statement, [*listed, tenant.pk], {"link": pl.Int64, "before": pl.Int64})
    compared = sizes.join(known, on="link", how="left")
    fresh = compared.filter(pl.col("before").is_null()).select("relations", link_id="link", tenant_id=pl.lit(tenant.pk))
    changed = compared.filter(pl.col("before") != pl.col("relations"))
    with transaction.atomic():
        insert_frame(SeenGroup, fresh)
        execute_many(
            f"UPDATE {table_of(SeenGroup)} SET relations = %s WHERE link_id = %s",
            changed.select("relations", "link").iter_rows(),
        )
    return fresh.height + changed.height


STEPS: Mapping[Kind, int] = {
    Kind.ADD_OWNER: 1,
    Kind.ADD_MEMBER: 1,
    Kind.JOIN_LICENCE_GROUP: 1,
    Kind.RETURN_STRANGER: 1,
    Kind.REMOVE_OWNER: -1,
    Kind.DEMOTE_OWNER: -1,
    Kind.REMOVE_MEMBER: -1,
    Kind.LEAVE_LICENCE_GROUP: -1,
    Kind.REMOVE_STRANGER: -1,
}
"""By how much a change that was carried out makes a group larger."""


def follow(run: Run) -> int:
    """Remember how many relations groups hold after what a run added and removed, so that nobody is doubted who left by it.

    For runs that are not proven, once: it counts what was done, not what is there. How many groups there are.
    """
    cases = " ".join(f"WHEN {int(kind)} THEN {step}" for kind, step in STEPS.items())
    statement = (
        f"SELECT c.subject, s.relations + SUM(CASE c.kind {cases} ELSE 0 END) FROM {table_of(Change)} c "
        f"JOIN {table_of(SeenGroup)} s ON s.link_id = c.subject WHERE c.run_id = %s AND c.verdict = %s "
        "GROUP BY c.subject, s.relations"
    )
    held = read_frame(statement, [run.pk, int(ChangeVerdict.DONE)], {"link": pl.Int64, "relations": pl.Int64})
    see_groups(run.tenant, held.with_columns(pl.col("relations").clip(lower_bound=0)))
    return held.height
