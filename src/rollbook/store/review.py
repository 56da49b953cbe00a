"""Matches that wait for a person: what a stored plan says of them, as far as nobody decided since."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollbook.plan.changes import Cause, ChangeVerdict, Kind
from rollbook.plan.match import TO_REVIEW
from rollbook.store.models import Change, ChangeDetail, Decision, Link, Run, Tenant

LINKING = (Kind.LINK_USER, Kind.LINK_GROUP)


@dataclass(frozen=True, slots=True)
class Pending:
    """One link that waits, and the candidates as the plan stored them: object_id, name, display_name, why."""

    link: Link
    cause: Cause
    candidates: Sequence[Mapping[str, Any]]


def newest_run(tenant: Tenant, institute_id: int) -> Run | None:
    """The newest plan of an institute in a tenant, whatever became of it."""
    return Run.objects.filter(tenant=tenant, institute=institute_id).order_by("-number").first()


def pending(run: Run) -> list[Pending]:
    """Everybody and everything whose match waits in this plan, in its order; without what was linked or decided since."""
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
