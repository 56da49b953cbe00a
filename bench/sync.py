"""Synchronizing: how near a first synchronization comes to what Microsoft's quotas allow, and what later ones cost."""

from __future__ import annotations

import importlib

from bench.rows import Row

PARTS = ("bench.first_sync", "bench.scoped")
"""Modules that each give rows of the area."""


def measure() -> list[Row]:
    """The rows of the area `sync`."""
    return [row for part in PARTS for row in importlib.import_module(part).measure()]
