"""One run: what became of it, how far it is, and every change with its sentence and reason."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Iterator

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from rollbook.acts.freeze import frozen
from rollbook.acts.pending import pending
from rollbook.plan.changes import Objection
from rollbook.plan.sentences import objection_sentence
from rollbook.store.changes import Line, select
from rollbook.store.models import Run
from rollbook.store.overview import deviations, stages, waiting_reasons
from rollbook.web.errors import bad_request
from rollbook.web.runs.filters import KINDS, VERDICTS, Filter, FilterInvalid

PAGE = 50
COLUMNS = ("seq", "kind", "verdict", "sentence", "reason", "answer")


def _run(public_id: uuid.UUID) -> Run:
    runs = Run.objects.select_related("institute", "tenant", "profile_version__profile")
    return get_object_or_404(runs, public_id=public_id)


@require_safe
def run(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The run in numbers: stages, what waits and why, what was objected, the proof."""
    found = _run(public_id)
    page = {
        "run": found,
        "institute": found.institute,
        "stages": stages(found),
        "pending": pending(found),
        "waiting": waiting_reasons(found),
        "objections": [objection_sentence(Objection(**entry)) for entry in found.objections],
        "deviations": deviations(found),
        "frozen": frozen(found.institute),
    }
    return render(request, "web/run.html", page)


@require_safe
def progress(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """How far the run is, as the part of its page that is asked for again while it is applied."""
    found = _run(public_id)
    return render(request, "web/progress.html", {"run": found, "stages": stages(found)})


@require_safe
def changes(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The changes page by page, filtered."""
    found = _run(public_id)
    try:
        chosen = Filter.read(request.GET)
    except FilterInvalid as error:
        return bad_request(request, str(error))
    selection = select(found, chosen.kind, chosen.verdict, chosen.name)
    page = Paginator(range(selection.count), PAGE).get_page(request.GET.get("page"))
    content = {
        "run": found,
        "institute": found.institute,
        "chosen": chosen,
        "kinds": KINDS,
        "verdicts": VERDICTS,
        "page": page,
        "lines": selection.lines(offset=(page.number - 1) * PAGE, limit=PAGE),
        "count": selection.count,
    }
    return render(request, "web/changes.html", content)


def _all_lines(request: HttpRequest, public_id: uuid.UUID) -> tuple[Run, Iterator[Line]]:
    found = _run(public_id)
    chosen = Filter.read(request.GET)
    return found, iter(select(found, chosen.kind, chosen.verdict, chosen.name).lines())


@require_safe
def changes_csv(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse | StreamingHttpResponse:
    """The filtered changes as CSV, in the order of application."""
    try:
        found, lines = _all_lines(request, public_id)
    except FilterInvalid as error:
        return bad_request(request, str(error))
    response = StreamingHttpResponse(_csv(lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="run-{found.number}-changes.csv"'
    return response


def _csv(lines: Iterator[Line]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for line in lines:
        writer.writerow([_harmless(str(getattr(line, column))) for column in COLUMNS])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _harmless(cell: str) -> str:
    """A cell that a spreadsheet does not take for a formula: names come from elsewhere."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t")) else cell


@require_safe
def changes_json(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse | StreamingHttpResponse:
    """The filtered changes as one JSON document."""
    try:
        _, lines = _all_lines(request, public_id)
    except FilterInvalid as error:
        return bad_request(request, str(error))
    return StreamingHttpResponse(_json(lines), content_type="application/json")


def _json(lines: Iterator[Line]) -> Iterator[str]:
    yield "["
    for number, line in enumerate(lines):
        entry = {column: getattr(line, column) for column in COLUMNS}
        yield ("," if number else "") + json.dumps(entry, ensure_ascii=False)
    yield "]"
