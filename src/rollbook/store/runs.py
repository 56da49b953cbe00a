"""Runs: plans stored whole, approvals, states, and what pages and the command line ask about them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from django.db import connection, transaction
from django.db.models import Max, QuerySet

from rollbook.apply.approval import needs_person
from rollbook.plan.changes import CHANGES, DETAILS, ChangeVerdict, Forecast, Objection, Plan
from rollbook.roster.vocabulary import UserType
from rollbook.store import approvals
from rollbook.store.bulk import insert_frame, read_frame, table_of
from rollbook.store.models import (
    Approval,
    Change,
    ChangeDetail,
    Grouping,
    Institute,
    Link,
    PersonRecord,
    ProfileVersion,
    Run,
    Tenant,
)
from rollbook.store.models.tenancy import TYPES_PER_INSTITUTE

WAITING_STATES = (Run.State.PLANNED, Run.State.APPROVAL_DUE)


def save_plan(
    plan: Plan,
    tenant: Tenant,
    institute: Institute,
    version: ProfileVersion,
    actor: str,
    at: dt.datetime,
    purpose: Run.Purpose = Run.Purpose.SYNCHRONIZATION,
    scope: Run.Scope = Run.Scope.EVERYTHING,
    looked: Mapping[str, Any] | None = None,
) -> Run:
    """The run that holds this plan. It supersedes plans of its purpose that still wait; equal content keeps their approval.

    A plan for a part of the school supersedes only plans of its own scope, for it says nothing of the rest.
    """
    with transaction.atomic():
        waiting = Run.objects.filter(tenant=tenant, institute=institute, purpose=purpose, state__in=WAITING_STATES)
        if scope in (Run.Scope.CHANGED, Run.Scope.PEOPLE):
            waiting = waiting.filter(scope=scope)
        number = (Run.objects.filter(tenant=tenant).aggregate(last=Max("number"))["last"] or 0) + 1
        kept, lost = _approvals(waiting, plan.fingerprint)
        supersedes = {"runs": sorted(waiting.values_list("number", flat=True)), "approvals": lost}
        _supersede(waiting, by=number)
        run = Run.objects.create(
            tenant=tenant,
            institute=institute,
            profile_version=version,
            number=number,
            purpose=purpose,
            scope=scope,
            looked=dict(looked or {}) | ({"supersedes": supersedes} if supersedes["runs"] else {}),
            state=Run.State.APPROVAL_DUE if needs_person(plan) else Run.State.PLANNED,
            as_of=plan.as_of,
            fingerprint=plan.fingerprint,
            first_run=plan.first_run,
            counts=dict(plan.counts),
            objections=[dataclasses.asdict(objection) for objection in plan.objections],
            forecast=[dataclasses.asdict(entry) for entry in plan.forecast],
            actor=actor,
            made_at=at,
        )
        insert_frame(Change, plan.changes.with_columns(run_id=pl.lit(run.pk)))
        insert_frame(ChangeDetail, plan.details.with_columns(run_id=pl.lit(run.pk)))
        approvals.save_held(run, plan)
        Approval.objects.filter(pk__in=[approval.pk for approval in kept]).update(run=run)
    return run


def _approvals(waiting: QuerySet[Run], fingerprint: str) -> tuple[list[Approval], int]:
    """Approvals of runs that wait: those that are kept, because they are for this content, and how many count no longer."""
    given = list(Approval.objects.filter(run__in=waiting))
    lost = [each for each in given if each.fingerprint != fingerprint and (each.waived or each.kinds or each.items)]
    return [each for each in given if each.fingerprint == fingerprint], len(lost)


def load_plan(run: Run) -> Plan:
    """The plan as it was stored; verdicts are those it has now."""
    return Plan(
        tenant=run.tenant.tid,
        profile_version=run.profile_version_id,
        as_of=run.as_of,
        changes=load_changes(run),
        details=load_details(run),
        objections=tuple(Objection(**objection) for objection in run.objections),
        fingerprint=run.fingerprint,
        first_run=run.first_run,
        counts=run.counts,
        forecast=tuple(Forecast(**entry) for entry in run.forecast),
        held=approvals.held(run),
        register=run.register,
    )


def load_changes(run: Run) -> pl.DataFrame:
    """All changes of a run (schema CHANGES), by seq."""
    return read_frame(f"{select_changes()} WHERE run_id = %s ORDER BY seq", [run.pk], CHANGES)


def select_changes() -> str:
    """SELECT of the columns of CHANGES from the changes' table."""
    columns = ", ".join(connection.ops.quote_name(name) for name in CHANGES)
    return f"SELECT {columns} FROM {table_of(Change)}"


def load_details(run: Run, kinds: Sequence[int] | None = None) -> pl.DataFrame:
    """Attribute values of a run's changes (schema DETAILS), of all kinds or of some."""
    chosen = ""
    if kinds is not None:
        listed = ", ".join(str(int(kind)) for kind in kinds)
        chosen = f"AND c.kind IN ({listed})"
    statement = (
        f"SELECT d.seq, d.subject, d.before, d.after FROM {table_of(ChangeDetail)} d "
        f"JOIN {table_of(Change)} c ON c.run_id = d.run_id AND c.seq = d.seq "
        f"WHERE d.run_id = %s {chosen} ORDER BY d.seq"
    )
    return read_frame(statement, [run.pk], DETAILS)


def supersede_waiting(tenant: Tenant) -> int:
    """Plans of the tenant that wait no longer count, because what they were made from changed; how many there were."""
    return _supersede(Run.objects.filter(tenant=tenant, state__in=WAITING_STATES))


def _supersede(waiting: QuerySet[Run], by: int | None = None) -> int:
    """None of these runs waits any more; one of which a part was carried out is what its proof says. How many there were.

    `by` is the number of the run whose plan counts instead; they remember it.
    """
    count = 0
    for run in waiting if by is not None else ():
        run.looked = {**run.looked, "superseded_by": by}
        run.save(update_fields=["looked"])
    for run in waiting.filter(started_at__isnull=False):
        equal = run.proof is not None and not run.proof["missing"] and not run.proof["extra"]
        run.state = Run.State.PROVEN if equal else Run.State.NOT_PROVEN if run.proof else Run.State.APPLIED
        run.save(update_fields=["state"])
        count += 1
    return count + waiting.update(state=Run.State.SUPERSEDED)


def unfinished(tenant: Tenant, institute: Institute) -> Run | None:
    """The run that was begun and not ended: killed, or stopped by a fault that concerns all requests."""
    begun = Run.objects.filter(tenant=tenant, institute=institute, state=Run.State.APPLYING)
    return begun.order_by("-number").first()


def verdict_counts(run: Run) -> dict[ChangeVerdict, int]:
    """How many changes of a run have which verdict."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT verdict, COUNT(*) FROM {table_of(Change)} WHERE run_id = %s GROUP BY verdict",
            [run.pk],
        )
        return {ChangeVerdict(verdict): count for verdict, count in cursor.fetchall()}


LABELS = {"link": pl.Int64, "label": pl.String}


def labels(tenant: Tenant, links: Sequence[int] | None = None) -> dict[int, str]:
    """What a school calls the people, teams and groups these links (all, if None) stand for; the newest record counts."""
    name = "TRIM(COALESCE(r.preferred_given_name, r.given_name, '') || ' ' || COALESCE(r.preferred_family_name, r.family_name, ''))"
    found: dict[int, str] = {}
    chosen = "" if links is None else f"AND l.id IN ({', '.join(str(int(link)) for link in links) or '0'})"
    newest = f"(SELECT MAX(n.since) FROM {table_of(PersonRecord)} n WHERE n.entity = r.entity)"
    people = (
        f"SELECT l.id, {name} FROM {table_of(Link)} l JOIN {table_of(PersonRecord)} r ON r.entity = l.subject "
        f"WHERE l.tenant_id = %s AND l.kind = 'user' AND r.since = {newest} {chosen}"
    )
    grouped = (
        f"SELECT l.id, g.label FROM {table_of(Link)} l JOIN {table_of(Grouping)} g ON g.id = l.subject "
        f"WHERE l.tenant_id = %s AND l.kind IN ('team', 'node') {chosen}"
    )
    for statement in (people, grouped):
        found.update(read_frame(statement, [tenant.pk], LABELS).iter_rows())
    groups = Link.objects.filter(tenant=tenant, kind=Link.Kind.LICENCE)
    wanted = None if links is None else set(links)
    for link, subject in groups.values_list("pk", "subject"):
        if wanted is None or link in wanted:
            found[link] = f"Licences of {list(UserType)[subject % TYPES_PER_INSTITUTE].value}s"
    return found
