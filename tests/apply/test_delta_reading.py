"""The mirror of the directory over the emulated tenant: what delta tells leads to the same as reading everything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.apply.wire import connected, control, synchronized, users_of
from tests.store.world import NOW, Frozen, a_school

from rollbook.acts.connections import ConnectedReader, connection_of, opened
from rollbook.emulator import Config, Emulator
from rollbook.store import mirrored
from rollbook.store.models import Connection

RELATION = ["group_object_id", "user_object_id", "relation"]


def equal(connection: Connection, reader: ConnectedReader) -> bool:
    """Whether the mirror holds what a whole reading shows."""
    held = connection.tenant
    users = mirrored.users(held, None, reader.mark_property, reader.role_holders())
    groups = mirrored.groups(held, None).sort("object_id")
    members = mirrored.members(held, groups["object_id"])
    return (
        reader.users().sort("object_id").equals(users.sort("object_id"))
        and reader.groups().sort("object_id").equals(groups)
        and reader.memberships(groups["object_id"].to_list()).sort(RELATION).equals(members.sort(RELATION))
    )


@pytest.fixture(params=[410, 400])
def refusing(request) -> Iterator[Emulator]:
    """A tenant that refuses old links in one of the two documented forms, and tells entries again by chance."""
    with Emulator(Config(quota_scale=None, delays=None, expired_delta=request.param)) as running:
        yield running


def test_rounds_lead_to_what_a_whole_reading_shows_also_when_a_link_has_expired(store, refusing):
    connection = connection_of(connected_once(refusing))
    with opened(connection, Frozen()) as known:
        reader = known.reader
        assert mirrored.catch_up(connection.tenant, reader, NOW) > 0
        assert equal(connection, reader)
        assert mirrored.catch_up(connection.tenant, reader, NOW) == 0
        edited, deleted, third = users_of(refusing)[:3]
        group = next(iter(refusing.directory.groups.values()))["id"]

        control(refusing, "/edit", {"user": edited["id"], "set": {"jobTitle": "Head", "department": None}})
        control(refusing, "/delete", {"user": deleted["id"]})
        control(refusing, "/people", {"group": group, "user": third["id"], "remove": True})
        assert mirrored.catch_up(connection.tenant, reader, NOW) > 0
        assert equal(connection, reader)

        control(refusing, "/edit", {"user": edited["id"], "set": {"jobTitle": None}})
        control(refusing, "/advance", {"seconds": 8 * 86_400})
        assert mirrored.catch_up(connection.tenant, reader, NOW) == 1
        assert equal(connection, reader)


def connected_once(tenant):
    """A school whose first synchronization is done."""
    institute = connected(a_school(), tenant)
    synchronized(institute)
    return institute


def test_a_round_that_cannot_be_written_is_told_again(sqlite_store, tenant, monkeypatch):
    connection = connection_of(connected_once(tenant))
    with opened(connection, Frozen()) as known:
        mirrored.catch_up(connection.tenant, known.reader, NOW)
        control(tenant, "/edit", {"user": users_of(tenant)[0]["id"], "set": {"jobTitle": "Head"}})

        def full(**_):
            raise OSError("disk full")

        monkeypatch.setattr(mirrored.DeltaLink.objects, "update_or_create", full)
        with pytest.raises(OSError, match="disk full"):
            mirrored.catch_up(connection.tenant, known.reader, NOW)
        monkeypatch.undo()
        assert mirrored.catch_up(connection.tenant, known.reader, NOW) == 1
        assert equal(connection, known.reader)
