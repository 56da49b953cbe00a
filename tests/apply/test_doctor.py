"""`rollbook doctor`: each thing that can be wrong is said, with what to do; the rest goes on being looked at."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from tests.apply.wire import connected, control
from tests.cli.inside import Inside
from tests.conftest import use_database
from tests.store.world import a_school

from rollbook.acts import doctor
from rollbook.clock import SystemClock
from rollbook.graph.permissions import NEEDED
from rollbook.store import jobs
from rollbook.store.database import sqlite
from rollbook.store.models import Connection, Institute, Job, Secret, Worker

Found = list[tuple[str, str, str, str]]


@pytest.fixture
def joined(sqlite_store: Path, tenant: Any) -> Any:
    """A school that is connected to an emulated tenant, and a worker."""
    connected(a_school(1), tenant)
    jobs.seen("worker-1", 4, dt.datetime.now(dt.UTC))
    return tenant


def found() -> Found:
    """What is not well, as (what, state, said, remedy)."""
    rows = [(f.what, str(f.state), f.said, f.remedy) for f in doctor.examined(SystemClock())]
    return [row for row in rows if row[1] != "ok"]


def test_an_installation_that_is_well_is_well(joined: Any, monkeypatch):
    status, told = Inside(monkeypatch).json("doctor")

    assert (status, told["well"], found()) == (0, True, [])
    assert {entry["what"] for entry in told["findings"]} >= {
        "disk",
        "database",
        "migrations",
        "keys",
        "clock",
        "settings",
    }
    assert any("good until 2299" in entry["said"] for entry in told["findings"])


def test_what_is_wrong_with_a_tenant_is_told_each_with_what_to_do(joined: Any, monkeypatch):
    app = joined.apps[0]
    soon = dt.datetime.now(dt.UTC).timestamp() + 86_400
    secrets = [{"value": app["client_secret"], "expires": soon}]
    control(joined, "/apps", {"client_id": app["client_id"], "secrets": secrets})
    monkeypatch.setattr(doctor, "NEEDED", {**NEEDED, "Mail.Send": "sends mail"})
    monkeypatch.setattr(doctor, "OFF", -dt.timedelta(1))

    ran = Inside(monkeypatch)("doctor")

    assert ran.returncode == 1
    (clock, permission, expiry) = found()
    assert clock[:2] == ("clock", "warning")
    assert "NTP" in clock[3]
    assert permission[1:3] == ("wrong", "The permission Mail.Send is missing: it sends mail.")
    assert (expiry[1], "is good until" in expiry[2], "new secret" in expiry[3]) == ("warning", True, True)
    assert permission[2] in ran.stdout


def test_a_tenant_that_is_not_there_is_told_and_so_is_a_frozen_one(joined: Any):
    Connection.objects.update(frozen_at=dt.datetime(2026, 10, 1, tzinfo=dt.UTC), frozen_by="anna")
    Connection.objects.update(login_url="http://127.0.0.1:9")

    frozen, gone = found()

    assert "anna" in frozen[2]
    assert gone[1:3] == ("wrong", "Nothing answers at http://127.0.0.1:9.")
    assert "rollbook emulator serve" in gone[3]


def test_a_queue_nobody_serves_and_jobs_that_failed_are_told(joined: Any):
    institute, now = Institute.objects.get(), dt.datetime.now(dt.UTC)
    common = {
        "institute": institute,
        "tenant": Connection.objects.get().tenant,
        "kind": "changed",
        "cause": "hand",
        "actor": "anna",
    }
    Job.objects.create(**common, asked_at=now - dt.timedelta(hours=2), since=now)
    Job.objects.create(
        **common, asked_at=now, since=now, state="failed", notice={"message": "Out of luck.", "remedy": "Try again."}
    )
    Worker.objects.all().delete()

    nobody, late, failed = found()

    assert "rollbook serve" in nobody[3]
    assert late[2] == "1 job has waited for over an hour."
    assert failed[2].endswith("for The School failed: Out of luck.")


def test_keys_that_do_not_belong_to_the_database_and_a_full_disk_are_wrong(joined: Any, monkeypatch):
    Secret.objects.update(key_id="another")
    monkeypatch.setattr(doctor, "TOO_LITTLE", 10**18)
    monkeypatch.setenv("ROLLBOOK_KEEP_RUN_DAYS", "long")

    said = {row[0]: row for row in found()}

    assert said["keys"][1] == said["disk"][1] == said["settings"][1] == "wrong"
    assert "encryption.keys" in said["keys"][3]


def test_without_a_database_of_this_version_what_needs_it_is_left_out(joined: Any):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('store', '0999_future', CURRENT_TIMESTAMP)"
        )

    ((what, state, said, remedy),) = found()

    assert (what, state) == ("migrations", "wrong")
    assert "newer version" in said
    assert "Install that version" in remedy


def test_where_there_is_no_database_none_is_made(tmp_path: Path):
    use_database(sqlite(tmp_path / "none.sqlite3"))

    ((what, state, _, remedy),) = found()

    assert (what, state) == ("database", "wrong")
    assert "rollbook migrate" in remedy
    assert not (tmp_path / "none.sqlite3").exists()
