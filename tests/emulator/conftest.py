"""What the tests of the emulator share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.emulator.client import Client


@pytest.fixture
def graph(tenant: Any) -> Iterator[Client]:
    """A client of an emulated tenant without quotas and delays."""
    client = Client(tenant)
    yield client
    client.close()
