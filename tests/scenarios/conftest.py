"""What all scenarios share: one emulated tenant, begun anew for each of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.apply.wire import control
from tests.scenarios.stage import Stage
from tests.scenarios.tenant import SEATS, Tenant


@pytest.fixture(scope="session")
def _running() -> Iterator[Any]:
    from rollbook.emulator import Config, Emulator

    seats = {"student_seats": SEATS["student"], "faculty_seats": SEATS["staff"]}
    with Emulator(Config(quota_scale=None, delays=None, **seats)) as running:
        yield running


@pytest.fixture
def stage(sqlite_store: Path, _running: Any) -> Iterator[Stage]:
    """An empty school and an empty tenant."""
    control(_running, "/faults", [])
    control(_running, "/reset", {})
    tenant = Tenant(_running)
    yield Stage(tenant)
    tenant.close()
