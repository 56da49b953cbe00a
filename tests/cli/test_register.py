"""`rollbook person`, `enrolment` and `grade-levels` as an administrator uses them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.inside import Inside
from tests.sources.folder import ROWS, write


@pytest.fixture
def shell(sqlite_store, tmp_path: Path, monkeypatch):
    """An installation with one small school."""
    monkeypatch.chdir(tmp_path)
    opened = Inside(monkeypatch)
    users = [row | {"grades": "07"} if row["role"] == "student" else row for row in ROWS["users"]]
    write(tmp_path / "school", users=users)
    assert opened("import", str(tmp_path / "school")).returncode == 0
    return opened


def said(shell: Inside, *arguments: str) -> str:
    ran = shell(*arguments)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_somebody_is_added_corrected_shown_deactivated_and_kept_over_a_delivery(shell, tmp_path):
    named = ("--first-name", "Zoë", "--last-name", "Laskari", "--sis-number", "9001")
    told = said(shell, "person", "add", "--id", "z1", *named, "--type", "student", "--grade", "07", "--class", "c1")
    assert "z1 is in the register." in told
    assert "z1: preferred first name." in said(shell, "person", "edit", "9001", "--preferred-first-name", "Zo")
    assert shell("import", str(tmp_path / "school"), "--accept").returncode == 0

    status, shown = shell.json("person", "show", "z1")
    assert (status, shown["by_hand"], shown["fields"]["preferred_given_name"]) == (0, "added", "Zo")
    assert [(row["class"], row["as"]) for row in shown["classes"]] == [("c1", "student")]
    assert "z1 counts as having left" in said(shell, "person", "deactivate", "z1")
    assert "z1: not active, kept by hand" in said(shell, "person", "show", "z1")
    assert "z1: active" in said(shell, "person", "edit", "z1", "--active")
    assert "nothing was changed" in said(shell, "person", "edit", "z1", "--active")


def test_what_a_delivery_says_is_corrected_and_counts_again_after_a_reset(shell):
    said(shell, "person", "edit", "s1", "--last-name", "Dimou", "--stream", "Music")
    shown = said(shell, "person", "show", "s1")

    assert "s1: active, corrected by hand" in shown
    assert "last name: Dimou (delivered: Papadaki)" in shown
    assert "student, grade 07, stream Music (by hand)" in shown
    assert "in c1 7A Maths as student, from 2026-09-01 to 2027-07-01" in shown
    assert "forgotten by hand: people, affiliations" in said(shell, "person", "reset", "s1")
    assert "last name: Papadaki" in said(shell, "person", "show", "s1")


def test_an_enrolment_is_ended_and_added(shell):
    assert "s1 is in c1 no longer from 2026-11-01" in said(shell, "enrolment", "end", "s1", "c1", "--on", "2026-11-01")
    begin = ("--begin", "2026-12-01")
    assert "s1 is in 7A Maths as student." in said(shell, "enrolment", "add", "s1", "7A Maths", *begin)
    assert "t1 is in c1 as assistant." in said(shell, "enrolment", "add", "t1", "c1", "--as", "Assistant")
    _, shown = shell.json("person", "show", "s1")
    assert [(row["begin"], row["end"]) for row in shown["classes"]] == [
        ("2026-09-01", "2026-11-01"),
        ("2026-12-01", None),
    ]


def test_all_mistakes_of_one_command_are_told_together_and_nothing_is_changed(shell):
    ran = shell("person", "edit", "nobody", "--grade", "99", "--registration-end", "soon", "--type", "wizard")

    assert ran.returncode == 3
    for part in ("no person 'nobody'", "no grade '99'", "soon is not a date", "wizard is not", "Nothing was changed"):
        assert part in ran.stderr
    assert shell("enrolment", "add", "s1", "nowhere", "--begin", "x").returncode == 3


def test_grade_levels_are_shown_set_and_removed(shell):
    assert "Without a level: 07" in said(shell, "grade-levels", "show")
    told = said(shell, "grade-levels", "set", "secondary", "07", "08")
    assert "secondary: 07, 08" in told
    assert "no grade 08 yet" in told
    assert shell.json("grade-levels", "show")[1] == {"levels": {"secondary": ["07", "08"]}, "without": []}
    assert "without a level now: 07, 08" in said(shell, "grade-levels", "remove", "Secondary")
    assert shell("grade-levels", "remove", "primary").returncode == 3
