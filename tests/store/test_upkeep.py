"""Backups, restoring them, migrating and moving to PostgreSQL: nothing is lost, nothing is overwritten unasked."""

from __future__ import annotations

import json
import os
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from tests.cli.inside import Inside
from tests.conftest import use_database
from tests.store.test_retention import World, a_run, change
from tests.store.world import ACTOR, NOW, Frozen, a_school, a_tenant, deliver

from rollbook.acts import backups
from rollbook.apply.approval import Role
from rollbook.errors import InputRefused, StoreUnusable
from rollbook.plan.changes import ChangeVerdict, Kind
from rollbook.store import jobs, setup, trail
from rollbook.store.archive import read
from rollbook.store.home import home
from rollbook.store.models import Institute, Link, PersonRecord, ProfileVersion, Run, Secret, TenantLease, User
from rollbook.store.vault import Vault


def filled() -> World:
    """A school with everything that is of a kind of its own: JSON, moments, truths, bytes, identifiers, rows between tables."""
    institute, _, _ = deliver(a_school())
    world = World(institute, a_tenant(institute), ProfileVersion.objects.get(profile__institute=institute))
    a_run(
        world,
        1,
        NOW,
        [change(1, Kind.UPDATE_USER, 1, None, ChangeVerdict.DONE)],
        proof={"missing": 0, "é": [1.5, None]},
    )
    secret = Vault().encrypt("hush")
    Secret.objects.create(
        tenant=world.tenant, purpose="credential", key_id=Vault().key_id, ciphertext=secret, made_at=NOW
    )
    User.objects.create_user("anna", password="x" * 12)
    return world


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, as Django reads it."""
    tables = {}
    for model in apps.get_models(include_auto_created=True):
        rows = model._default_manager.order_by("pk").values()
        tables[model._meta.db_table] = [
            {name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()}
            for row in rows
        ]
    return tables


@pytest.fixture
def tools(_postgres: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's own tools, of the version of the server of these tests."""
    monkeypatch.setenv("PATH", f"{_postgres.bin_path}{os.pathsep}{os.environ['PATH']}")


def test_what_was_backed_up_comes_back_and_only_where_somebody_agrees(tools: None, store: str, tmp_path: Path):
    filled()
    file = tmp_path / "monday.backup"
    backups.backup(file, ACTOR, Frozen(), with_keys=False)
    before = everything()
    Institute.objects.update(name="Renamed since")

    with pytest.raises(InputRefused, match="would be replaced"):
        backups.restore(file, ACTOR, Frozen(), agreed=False)
    jobs.seen("worker-1", 1, NOW)
    with pytest.raises(InputRefused, match="A worker is running"):
        backups.restore(file, ACTOR, Frozen(), agreed=True)
    jobs.gone("worker-1")
    assert Institute.objects.get().name == "Renamed since"
    done = backups.restore(file, ACTOR, Frozen(), agreed=True)

    after = everything()
    assert [entry["action"] for entry in after["store_trail"][-1:]] == ["store.restored"]
    after["store_trail"].pop()
    assert after == before
    assert done.missing == []
    assert trail.first_broken() is None
    assert [path.name.partition(".before-restore-")[0] for path in done.kept] == (
        ["rollbook.sqlite3"] if store == "sqlite" else []
    )
    assert file.stat().st_mode & 0o077 == 0


def test_a_backup_holds_the_keys_only_if_asked_and_says_which_belong_to_it(
    sqlite_store: Path, tmp_path: Path, monkeypatch
):
    filled()
    without, with_keys = tmp_path / "a", tmp_path / "b"
    backups.backup(without, ACTOR, Frozen(), with_keys=False)
    backups.backup(with_keys, ACTOR, Frozen(), with_keys=True)
    with zipfile.ZipFile(without) as archive:
        assert set(archive.namelist()) == {"manifest.json", "rollbook.sqlite3"}
    with pytest.raises(InputRefused, match="exists already"):
        backups.backup(without, ACTOR, Frozen(), with_keys=False)

    monkeypatch.setenv("ROLLBOOK_HOME", str(tmp_path / "another machine"))
    assert backups.restore(without, ACTOR, Frozen(), agreed=True).missing == [
        "encryption.keys",
        "mark.key",
        "signing.key",
    ]
    assert not (home() / "encryption.keys").exists()
    assert backups.restore(with_keys, ACTOR, Frozen(), agreed=True).missing == []

    assert Vault().decrypt(Secret.objects.get().ciphertext) == "hush"
    assert (home() / "encryption.keys").stat().st_mode & 0o077 == 0


def test_what_is_no_backup_or_of_a_newer_version_is_refused_and_nothing_changes(sqlite_store: Path, tmp_path: Path):
    filled()
    letter = tmp_path / "letter"
    letter.write_text("Dear parents")
    with pytest.raises(InputRefused, match="is no backup"):
        read(letter)
    file = tmp_path / "newer"
    backups.backup(file, ACTOR, Frozen(), with_keys=False)
    with zipfile.ZipFile(file) as archive:
        manifest, database = json.loads(archive.read("manifest.json")), archive.read("rollbook.sqlite3")
    manifest["migrations"].append("0999_future")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        archive.writestr("rollbook.sqlite3", database)

    with pytest.raises(InputRefused, match="newer version"):
        backups.restore(file, ACTOR, Frozen(), agreed=True)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        archive.writestr("rollbook.sqlite3", database[:-10])
    with pytest.raises(InputRefused, match="is damaged"):
        backups.restore(file, ACTOR, Frozen(), agreed=True)
    assert Run.objects.count() == 1


def test_where_postgresqls_tools_are_missing_the_command_is_told(postgres_store: str, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(StoreUnusable, match="pg_dump is not installed") as refused:
        backups.backup(tmp_path / "file", ACTOR, Frozen(), with_keys=False)

    assert "pg_dump --exclude-schema=rollbook_jobs --format=custom" in refused.value.remedy
    assert not (tmp_path / "file").exists()


@pytest.fixture
def empty_postgres(_postgres: Any):
    """The address of an empty database."""
    _postgres.psql("CREATE DATABASE moved;")
    yield _postgres.get_uri(database="moved")
    connection.close()
    _postgres.psql("DROP DATABASE moved WITH (FORCE);")


def test_everything_moves_to_postgresql_and_goes_on_there(empty_postgres: str, sqlite_store: Path, monkeypatch):
    world = filled()
    before = everything()

    ran = Inside(monkeypatch)("move-to-postgres", empty_postgres)

    assert (ran.returncode, connection.vendor) == (0, "postgresql"), ran.stderr
    assert "DATABASE_URL" in ran.stdout
    after = everything()
    assert after["store_trail"].pop()["action"] == "store.moved"
    assert after == before
    assert trail.first_broken() is None
    # Numbers go on where they were.
    link = Link.objects.create(tenant=world.tenant, institute=world.institute, kind="user", subject=1, mark="m")
    deliver(a_school(9), accepted=True)
    assert link.pk
    assert PersonRecord.objects.count() > len(before["store_personrecord"])
    with sqlite3.connect(sqlite_store) as file:
        assert file.execute("SELECT COUNT(*) FROM store_link").fetchone() == (0,)
    file.close()


def test_a_move_is_refused_into_a_database_that_is_used_or_while_a_tenant_is(postgres_store: str, sqlite_store: Path):
    world = filled()
    lease = TenantLease.objects.create(tenant=world.tenant, holder="somebody", expires_at=NOW.replace(year=2030))
    with pytest.raises(InputRefused, match="A synchronization is going on"):
        backups.move_to_postgres(postgres_store, ACTOR, Frozen(), print)
    lease.delete()
    configured = dict(connection.settings_dict)
    from rollbook.store.database import database, sqlite

    use_database(database(postgres_store, home()))
    deliver(a_school())
    use_database(sqlite(Path(str(configured["NAME"]))))

    with pytest.raises(InputRefused, match="is not empty"):
        backups.move_to_postgres(postgres_store, ACTOR, Frozen(), print)


def test_migrate_says_what_is_pending_and_does_it_and_postgresql_waits_to_be_asked(store: str, monkeypatch):
    run = Inside(monkeypatch)
    assert run("migrate", "--check").returncode == 0
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
        cursor.execute("DROP TABLE django_session")

    assert run.json("migrate", "--check") == (8, {"pending": ["sessions.0001_initial"]})
    if store == "postgresql":
        with pytest.raises(StoreUnusable, match="1 migrations are pending") as refused:
            setup.open_store()
        assert "rollbook migrate" in refused.value.remedy
    assert run.json("migrate") == (0, {"applied": ["sessions.0001_initial"]})
    setup.open_store()
    assert "django_session" in connection.introspection.table_names()


def test_only_an_administrator_may(sqlite_store: Path, tmp_path: Path):
    from dataclasses import replace

    operator = replace(ACTOR, role=Role.OPERATOR)

    with pytest.raises(InputRefused, match="may not make a backup"):
        backups.backup(tmp_path / "x", operator, Frozen(), with_keys=False)
