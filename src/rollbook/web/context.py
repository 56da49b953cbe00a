"""What every page knows: the product's version."""

from __future__ import annotations

from django.http import HttpRequest

from rollbook import __version__


def product(request: HttpRequest) -> dict[str, str]:
    """The version for the footer."""
    return {"rollbook_version": __version__}
