"""A connection that fails: told once, left alone by schedules for longer and longer, free as soon as it works."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.store.world import ACTOR, NOW, Frozen, a_school, a_tenant, deliver

from rollbook import errors
from rollbook.acts.connections import Credentials, remember
from rollbook.acts.failing import health, watched
from rollbook.errors import ApprovalDue, InputRefused, Resting, Stop
from rollbook.store import quarantine
from rollbook.store.models import Connection, Trail

EXPIRED = Stop("The client secret has expired.", remedy="Make a new one.", code="AADSTS7000222", request_id="trace-1")


@pytest.fixture
def connection(store: str) -> Connection:
    institute, _, _ = deliver(a_school(1))
    given = Credentials("tid-1", "app", "secret", "http://127.0.0.1:1", "http://127.0.0.1:1", emulated=True)
    return remember(institute, a_tenant(institute), given, "mark", Frozen())


def fail(connection: Connection, error: Stop = EXPIRED) -> None:
    with pytest.raises(Stop), watched(connection, ACTOR, Frozen()):
        raise error


def test_a_failing_connection_is_told_once_and_tried_less_and_less_often(connection: Connection):
    pauses = []
    for _ in range(7):
        fail(connection)
        connection.refresh_from_db()
        assert connection.retry_at is not None
        pauses.append(connection.retry_at - NOW)

    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (dt.timedelta(minutes=5), dt.timedelta(hours=12))
    assert Trail.objects.filter(action="connection.failing").count() == 1
    assert connection.state == Connection.State.NEEDS_ATTENTION
    told = health(connection)
    assert told.failures == 7
    assert told.notice is not None
    assert told.notice["request_id"] == "trace-1"


def test_another_reason_is_told_anew(connection: Connection):
    fail(connection)
    fail(connection, Stop("A conditional access policy refused our sign-in."))

    assert Trail.objects.filter(action="connection.failing").count() == 2


def test_a_schedule_leaves_it_alone_until_its_time_and_it_leaves_quarantine_by_itself(connection: Connection):
    fail(connection)
    connection.refresh_from_db()
    with pytest.raises(Resting, match="secret has expired"):
        quarantine.refuse_while_resting(connection, NOW)
    quarantine.refuse_while_resting(connection, NOW + dt.timedelta(minutes=5))

    with watched(connection, ACTOR, Frozen()):
        pass

    connection.refresh_from_db()
    quarantine.refuse_while_resting(connection, NOW)
    assert (connection.failures, connection.notice) == (0, None)
    assert connection.state == Connection.State.CONNECTED
    assert Trail.objects.filter(action="connection.works").count() == 1


def test_a_connection_somebody_froze_does_not_count_as_failing(connection: Connection):
    fail(connection, errors.Frozen("The connection is frozen."))

    connection.refresh_from_db()
    assert (connection.failures, connection.state) == (0, Connection.State.CONNECTED)


def test_a_plan_that_waits_for_a_person_shows_that_the_connection_works(connection: Connection):
    fail(connection)

    with pytest.raises(ApprovalDue), watched(connection, ACTOR, Frozen()):
        raise ApprovalDue("look", "0123")

    connection.refresh_from_db()
    assert connection.state == Connection.State.CONNECTED


def test_what_is_wrong_with_the_input_says_nothing_about_the_connection(connection: Connection):
    with pytest.raises(InputRefused), watched(connection, ACTOR, Frozen()):
        raise InputRefused("no")

    connection.refresh_from_db()
    assert connection.failing_since is None
