"""Opening the store: a sentence for every database that cannot be used."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from django.db import connection
from tests.conftest import use_database

from rollbook.errors import Exit, StoreUnusable
from rollbook.store import setup
from rollbook.store.database import database, sqlite


def test_a_new_database_is_made_and_opening_it_again_changes_nothing(tmp_path: Path):
    use_database(sqlite(tmp_path / "new.sqlite3"))

    setup.open_store()
    setup.open_store()

    assert "store_person" in connection.introspection.table_names()
    assert not (tmp_path / "new.sqlite3.before-update").exists()


def test_a_database_from_an_older_version_is_updated_and_kept_as_it_was_beside(sqlite_store: Path):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
        cursor.execute("DROP TABLE django_session")

    setup.open_store()

    assert "django_session" in connection.introspection.table_names()
    before = sqlite3.connect(sqlite_store.with_name("rollbook.sqlite3.before-update"))
    tables = {name for (name,) in before.execute("SELECT name FROM sqlite_master")}
    before.close()
    assert "django_session" not in tables


def test_a_database_from_a_newer_version_is_refused(store):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('store', '0999_future', CURRENT_TIMESTAMP)"
        )

    with pytest.raises(StoreUnusable, match="newer version") as refused:
        setup.open_store()

    assert refused.value.exit_code == Exit.STORE


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path):
    file = tmp_path / "letter.sqlite3"
    file.write_text("Dear parents, " * 1000)
    use_database(sqlite(file))

    with pytest.raises(StoreUnusable, match="is not a database"):
        setup.open_store()

    assert file.read_text().startswith("Dear parents")


def test_a_full_disk_is_said_as_such(sqlite_store: Path):
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")

    with pytest.raises(StoreUnusable, match="is full"), setup.explained(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE filler AS SELECT zeroblob(9000000)")


def test_a_postgresql_that_is_not_there_is_said_as_such(tmp_path: Path):
    use_database(database(f"postgresql://nobody@/nothing?host={tmp_path}", tmp_path))

    with pytest.raises(StoreUnusable, match=r"cannot be reached|does not exist"):
        setup.open_store()


def test_an_unknown_kind_of_database_is_refused_with_the_ones_there_are(tmp_path: Path):
    with pytest.raises(StoreUnusable, match="oracle") as refused:
        database("oracle://x/y", tmp_path)

    assert "postgresql://" in refused.value.remedy


def test_keys_are_made_once_and_readable_by_their_owner_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from rollbook.store import home

    monkeypatch.setenv("ROLLBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ROLLBOOK_SECRET_KEY", raising=False)

    first = home.signing_key()

    assert home.signing_key() == first
    assert (tmp_path / "home" / "signing.key").stat().st_mode & 0o077 == 0
    assert len(home.encryption_keys()) == 1
