"""Matches that wait for a person: what a stored plan says of them, as far as nobody decided since."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollbook.plan.changes import Cause, ChangeVerdict, Kind
from rollbook.plan.match import TO_REVIEW
from rollbook.store.models import PARTS, Change, ChangeDetail, Decision, Link, Run, Tenant

LINKING = (Kind.LINK_USER, Kind.LINK_GROUP)


@dataclass(frozen=True, slots=True)
class Pending:
    """One link that waits, and the candidates as the plan stored them: object_id, name, display_name, why."""

    link: Link
    cause: Cause
    candidates: Sequence[Mapping[str, Any]]


def newest_run(tenant: Tenant, institute_id: int) -> Run | None:
    """The newest plan of an institute in a tenant that is about everything, whatever became of it; without one, the newest."""
    runs = Run.objects.filter(tenant=tenant, institute=institute_id).order_by("-number")
    return runs.exclude(scope__in=PARTS).first() or runs.first()


def pending(run: Run) -> list[Pending]:
    """Everybody and everything whose match waits in this plan, or in one for a part of the school since; in their order.

    Without what was linked or decided since.
    """
    since = Run.objects.filter(tenant=run.tenant, institute=run.institute_id, number__gt=run.number, scope__in=PARTS)
    found = [_pending(each) for each in (run, *since.order_by("number"))]
    return list({entry.link.pk: entry for part in found for entry in part}.values())


def _pending(run: Run) -> list[Pending]:
    waiting = Change.objects.filter(
        run=run,
        kind__in=[int(kind) for kind in LINKING],
        cause__in=[int(cause) for cause in TO_REVIEW],
        verdict=int(ChangeVerdict.WAITS),
    ).order_by("seq")
    details = dict(ChangeDetail.objects.filter(run=run, before__isnull=False).values_list("seq", "before"))
    # A link that holds an object was linked since.
    open_links = {link.pk: link for link in Link.objects.filter(tenant=run.tenant, object_id__isnull=True).iterator()}
    decided = set(
        Decision.objects.filter(tenant=run.tenant, ended_at__isnull=True)
        .exclude(kind=Decision.Kind.REFUSED)
        .values_list("link", flat=True)
    )
    return [
        Pending(open_links[subject], Cause(cause), json.loads(details.get(seq) or "{}").get("candidates") or [])
        for seq, subject, cause in waiting.values_list("seq", "subject", "cause")
        if subject in open_links and subject not in decided
    ]
