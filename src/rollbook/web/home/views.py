"""The first page: schools and their last runs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from rollbook.acts.notice_words import panel
from rollbook.store.overview import institutes, last_runs

RUNS = 10


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """All schools with the state of each, and the last runs of all."""
    page = {"institutes": institutes(), "runs": last_runs(limit=RUNS), "notices": panel(), "with_school": True}
    return render(request, "web/home.html", page)
