"""Pages for what went wrong: what, and where to go from there."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return render(
        request,
        "web/error.html",
        {"title": "Nothing is here", "said": "The address is wrong, or what it named is gone."},
        status=404,
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """500, without anything that could fail again."""
    return render(
        request,
        "web/error.html",
        {"title": "That went wrong", "said": "It is a defect of ours; the log of the portal says more."},
        status=500,
    )


def bad_request(request: HttpRequest, said: str) -> HttpResponse:
    """400 with a sentence."""
    return render(request, "web/error.html", {"title": "That cannot be shown", "said": said}, status=400)
