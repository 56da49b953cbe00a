"""How the emulated tenant serves and counts: answers leave at once, a bad batch does nothing, the least is the least."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from tests.emulator.client import Client, a_user

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def graph(tenant: Any) -> Iterator[Client]:
    client = Client(tenant)
    yield client
    client.close()


def test_answers_on_a_kept_connection_need_not_wait_for_an_acknowledgement(tenant: Any) -> None:
    """asyncio sets TCP_NODELAY only on sockets whose protocol is named; without it each answer waits some 40 ms."""
    assert tenant._socket.proto == socket.IPPROTO_TCP


def test_a_batch_that_is_refused_whole_has_done_nothing(graph: Client) -> None:
    good = {"id": "1", "method": "POST", "url": "/users", "headers": JSON, "body": a_user("half")}
    bad = {"id": "2", "method": "PATCH", "url": "/users/somebody", "body": {"displayName": "No content type"}}
    assert graph("POST", "/$batch", {"requests": [good, bad]}).status_code == 400
    assert graph("GET", f"/users/{a_user('half')['userPrincipalName']}").status_code == 404


def test_memberships_that_end_with_their_user_need_no_write_of_their_own(graph: Client, tenant: Any) -> None:
    owner, leaver, mover = graph.user("owner"), graph.user("leaver"), graph.user("mover")
    group = graph.klass("klass")
    assert graph.relate(group, owners=[owner], members=[owner, leaver, mover]).status_code == 204
    requests.post(f"{tenant.control}/counters/reset", timeout=5).raise_for_status()
    assert graph("DELETE", f"/users/{leaver}").status_code == 204
    assert graph("DELETE", f"/groups/{group}/members/{mover}/$ref").status_code == 204
    counters = requests.get(f"{tenant.control}/counters", timeout=5).json()
    assert (counters["writes"], counters["least_writes"]) == (2, 2)
