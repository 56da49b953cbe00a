"""What all scenarios share: an emulated tenant, begun anew for each of them, and one that takes its time as Microsoft does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.apply.wire import control
from tests.scenarios.stage import Stage
from tests.scenarios.tenant import SEATS, Tenant

SOME_SEATS = {"student_seats": SEATS["student"], "faculty_seats": SEATS["staff"]}


@pytest.fixture(scope="session")
def _running() -> Iterator[Any]:
    from rollbook.emulator import Config, Emulator

    with Emulator(Config(quota_scale=None, delays=None, **SOME_SEATS)) as running:
        yield running


@pytest.fixture(scope="session")
def _running_as_documented() -> Iterator[Any]:
    from rollbook.emulator import Config, Emulator

    with Emulator(Config(**SOME_SEATS)) as running:
        yield running


@pytest.fixture
def stage(sqlite_store: Path, _running: Any) -> Iterator[Stage]:
    """An empty school and an empty tenant that does everything at once."""
    yield from _an_empty_stage(_running, documented=False)


@pytest.fixture
def slow_stage(sqlite_store: Path, _running_as_documented: Any) -> Iterator[Stage]:
    """An empty school and an empty tenant that keeps every documented quota, delay and lag; time goes by when it is waited for."""
    yield from _an_empty_stage(_running_as_documented, documented=True)


def _an_empty_stage(running: Any, *, documented: bool) -> Iterator[Stage]:
    control(running, "/faults", [])
    control(running, "/reset", {})
    tenant = Tenant(running)
    yield Stage(tenant, documented)
    tenant.close()
