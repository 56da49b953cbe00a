"""`rollbook passwords` as an administrator uses it: files, questions, exit status."""

from __future__ import annotations

import csv
import io
import stat
from pathlib import Path

import pytest
from pypdf import PdfReader
from tests.apply.wire import joined, synchronized
from tests.cli.inside import Inside
from tests.sources.folder import ROWS, write

from rollbook.store.models import Connection, Institute, Run

DAY = ("--as-of", "2026-10-01")
PEOPLE = [
    *ROWS["users"],
    {"sourcedId": "g1", "role": "student", "givenName": "Μαρία", "familyName": "Παπαδάκη"},
    {"sourcedId": "g2", "role": "student", "givenName": "=1+1", "familyName": "Pupil"},
]
ENROLLED = [
    *ROWS["enrollments"],
    *({"sourcedId": f"m{n}", "userSourcedId": n, "role": "student"} for n in ("g1", "g2")),
]


@pytest.fixture
def shell(sqlite_store, tenant, tmp_path: Path, monkeypatch):
    """An installation whose small school was synchronized."""
    monkeypatch.chdir(tmp_path)
    opened = Inside(monkeypatch)
    folder = write(tmp_path / "r", users=PEOPLE, enrollments=ENROLLED)
    assert opened("import", str(folder)).returncode == 0
    synchronized(joined(Institute.objects.get(), tenant))
    return opened


@pytest.fixture
def alone(shell):
    """The same while nothing answers where its tenant was."""
    Connection.objects.update(graph_url="http://127.0.0.1:9/v1.0", login_url="http://127.0.0.1:9")
    return shell


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def test_nobody_is_meant_by_accident_and_first_passwords_are_listed_handed_over_and_gone(alone, tmp_path):
    for options in ((), ("--all", "--class", "7A Maths")):
        refused = alone("passwords", "slips", "slips.pdf", *options)
        assert (refused.returncode, "Say whose passwords" in refused.stderr) == (3, True)
    assert alone("passwords", "new", "--yes").returncode == 3
    assert alone("passwords", "slips", "slips.pdf", "--all", "--paper", "A7").returncode == 2
    assert alone("passwords", "slips", "slips.pdf", "--class", "9Z", *DAY).returncode == 3

    status, listed = alone.json("passwords", "list", *DAY)
    assert (status, listed["waiting"]) == (0, 5)
    assert "5 passwords wait" in alone("passwords", "list", *DAY).stdout

    printed = alone("passwords", "slips", "slips.pdf", "--class", "7A Maths", "--paper", "letter", *DAY)
    assert printed.returncode == 0, printed.stderr
    assert "4 passwords in 1 section" in printed.stdout
    text = "".join(page.extract_text() for page in PdfReader(tmp_path / "slips.pdf").pages)
    assert "Μαρία Παπαδάκη" in text
    assert stat.S_IMODE((tmp_path / "slips.pdf").stat().st_mode) == 0o600

    status, handed = alone.json("passwords", "csv", "rest.csv", "--all", *DAY)
    assert (status, handed["count"]) == (0, 1)
    assert [row["class"] for row in rows(tmp_path / "rest.csv")] == ["Teachers and staff"]
    assert alone.json("passwords", "list", *DAY)[1]["waiting"] == 0
    again = alone("passwords", "csv", "again.csv", "--all", *DAY)
    assert (again.returncode, "Nobody who is meant" in again.stderr) == (3, True)


def test_a_code_is_redeemed_once(alone, tmp_path):
    made = alone("passwords", "codes", "codes.csv", "--class", "7A Maths", *DAY)
    assert (made.returncode, "4 claim codes" in made.stdout) == (0, True)
    (row,) = [row for row in rows(tmp_path / "codes.csv") if row["sourced_id"] == "g2"]
    assert row["name"] == "'=1+1 Pupil"

    status, redeemed = alone.json("passwords", "redeem", row["code"])
    assert (status, redeemed["user_name"]) == (0, row["user_name"])
    assert len(redeemed["password"]) == 14
    assert alone("passwords", "redeem", row["code"]).returncode == 3
    assert alone("passwords", "codes", "codes.txt", "--all", *DAY).returncode == 3


def test_new_passwords_are_set_after_asking_and_a_run_that_was_put_aside_by_apply(shell, tmp_path):
    assert shell("passwords", "csv", "first.csv", "--all", *DAY).returncode == 0

    refused = shell("passwords", "new", "--class", "7A Maths", *DAY, text="n\n")
    assert refused.returncode == 1
    assert "Μαρία Παπαδάκη gets a new password: an administrator asked for it" in refused.stdout
    assert "Set a new password for 4 people" in refused.stderr
    assert shell.json("passwords", "list", *DAY)[1]["waiting"] == 0

    done = shell("passwords", "new", "--class", "7A Maths", *DAY, text="y\n")
    assert done.returncode == 0, done.stderr
    status, one = shell.json("passwords", "new", "--person", "g1", "--yes", *DAY)
    assert (status, one["verdicts"]) == (0, {"done": 1})

    assert shell("passwords", "csv", "second.csv", "--all", *DAY).returncode == 0
    first = {row["sourced_id"]: row["password"] for row in rows(tmp_path / "first.csv")}
    second = {row["sourced_id"]: row["password"] for row in rows(tmp_path / "second.csv")}
    assert len(second) == 4
    assert all(second[person] != first[person] for person in second)
    settled = shell("sync", *DAY)
    assert settled.returncode == 0, settled.stderr
    assert "0 changes" in settled.stdout

    shell("passwords", "new", "--person", "g1", *DAY, text="n\n")
    run = Run.objects.latest("number")
    Run.objects.filter(pk=run.pk).update(state="approval_due")

    applied = shell("apply", str(run.number), text="y\n")

    assert applied.returncode == 0, applied.stderr
    assert "1 done" in applied.stdout
    assert "proven" not in applied.stdout
