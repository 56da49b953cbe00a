"""A disk that is full on our side: a sentence, nothing lost, and taken up again when there is room."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from tests.apply.wire import connected, control, synchronized, users_of
from tests.store.world import a_school

from rollbook.errors import StoreUnusable
from rollbook.store.models import Connection, Intent
from rollbook.store.setup import explained


def leave_room(pages: int | None) -> None:
    """The database may grow by this many pages more; None: as far as it likes."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        held = int(cursor.fetchone()[0])
        cursor.execute(f"PRAGMA max_page_count = {held + pages if pages is not None else 1_000_000}")


@pytest.mark.parametrize("pages", [0, 12])
def test_a_full_disk_is_told_and_the_synchronization_is_taken_up_again(sqlite_store: Path, tenant: Any, pages: int):
    institute = connected(a_school(60), tenant)
    leave_room(pages)

    with pytest.raises(StoreUnusable, match=r"disk .* is full") as told, explained():
        synchronized(institute)
    assert "goes on where it was" in told.value.remedy
    leave_room(None)
    assert bool(Intent.objects.count()) == (pages == 12), "with some room it gets as far as sending"

    assert synchronized(institute).proof.holds
    names = [user["displayName"] for user in users_of(tenant)]
    assert len(names) == len(set(names)) == 61
    assert control(tenant, "/state")["memberships"] == 62
    assert Connection.objects.get().failing_since is None
