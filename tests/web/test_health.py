"""What monitoring asks: alive, ready, metrics; on the real server's routes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
import urllib3
import uvicorn
from tests.apply.wire import connected, synchronized
from tests.store.world import ACTOR, Frozen, a_school

from rollbook.acts.jobs import Wanted, ask
from rollbook.clock import SystemClock
from rollbook.store.models import Job
from rollbook.web.server import application


class Site:
    """The real server, asked over HTTP."""

    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> tuple[int, str]:
        """Status and text."""
        answer = urllib3.request("GET", self._address + path)
        return answer.status, answer.data.decode()


@pytest.fixture
def site(sqlite_store) -> Iterator[Site]:
    bound = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application(), log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    yield Site(bound.getsockname()[1])
    server.should_exit = True
    thread.join()
    bound.close()


def test_it_is_alive_and_ready(site):
    assert site.get("/healthz") == (200, "ok")
    assert site.get("/readyz") == (200, "ready\n")


def test_without_its_database_it_is_alive_but_not_ready(site, sqlite_store):
    sqlite_store.write_bytes(b"no database at all, but some text")

    assert site.get("/healthz")[0] == 200
    assert site.get("/readyz")[0] == 503


def test_metrics_tell_runs_changes_jobs_and_requests_by_id_and_name_nobody(site, tenant):
    institute = connected(a_school(), tenant)
    synchronized(institute, SystemClock())
    ask(institute, Wanted(Job.Kind.CHANGED), ACTOR, Frozen())

    _, told = site.get("/metrics")

    assert 'rollbook_jobs{state="queued"} 1.0' in told
    assert 'rollbook_runs{state="proven"} 1.0' in told
    assert 'rollbook_changes{kind="create_user",verdict="done"} 4.0' in told
    assert f'rollbook_lag_seconds{{institute="{institute.public_id}"' in told
    assert 'rollbook_graph_requests_total{status="201"}' in told
    assert "rollbook_queue_age_seconds" in told
    assert "Pupil" not in told
