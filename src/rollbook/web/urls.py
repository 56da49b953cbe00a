"""Addresses of the portal, grouped by the thing they are about."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("rollbook.web.home.urls")),
    path("institutes/", include("rollbook.web.institutes.urls")),
    path("runs/", include("rollbook.web.runs.urls")),
]

handler404 = "rollbook.web.errors.not_found"
handler500 = "rollbook.web.errors.server_error"
