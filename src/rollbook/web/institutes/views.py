"""One school: its register in numbers, its last deliveries, its runs."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from rollbook.acts.freeze import frozen
from rollbook.acts.notice_words import panel
from rollbook.store.models import Delivery, Institute
from rollbook.store.overview import delivered, last_runs, people_by_type

DELIVERIES, RUNS, FINDINGS = 5, 20, 10


@require_safe
def institute(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """What a school's register holds, where it came from, and what was done with it."""
    school = get_object_or_404(Institute, public_id=public_id)
    deliveries = list(delivered().filter(source__institute=school).order_by("-pk")[:DELIVERIES])
    published = next((d for d in deliveries if d.state == Delivery.State.PUBLISHED), None)
    page = {
        "institute": school,
        "types": people_by_type(school),
        "published": published,
        "findings": published.findings[:FINDINGS] if published else [],
        "deliveries": deliveries,
        "runs": last_runs(limit=RUNS, institute=school),
        "frozen": frozen(school),
        "notices": panel(school),
    }
    return render(request, "web/institute.html", page)
