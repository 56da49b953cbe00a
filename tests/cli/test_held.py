"""`rollbook held` and `rollbook release` as an administrator uses them."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.apply.wire import connected, set_profile, synchronized
from tests.cli.inside import said, told
from tests.store.world import a_school, deliver
from typer.testing import CliRunner

from rollbook.cli.app import app
from rollbook.errors import InputRefused
from rollbook.store.models import Connection

DAY = ("--as-of", "2026-10-01")


@pytest.fixture
def school(sqlite_store):
    """Three students who began before the sync start date, and one who began later."""
    late = dt.date(2026, 9, 20)
    institute, _, _ = deliver(a_school(3).klass("7A Maths", students=["Late Comer"], begin=late))
    set_profile(institute, enrolments__sync_start_date="2026-09-15")
    return institute


def answering(text: str, *arguments: str):
    return CliRunner().invoke(app, list(arguments), input=text, catch_exceptions=False)


def test_who_is_held_is_listed_for_people_and_for_machines(school):
    listed = said("held", *DAY)

    assert "7A Maths: Pupil No0 (p2), began 2026-09-01" in listed
    assert "Late Comer" not in listed
    assert "3 enrolments of 3 people are held: begun before 2026-09-15, the sync start date" in listed
    assert "rollbook release PERSON" in listed
    document = told("held", "p3", *DAY)
    assert (document["held"], document["people"], document["sync_start_date"]) == (1, 1, "2026-09-15")
    (row,) = document["enrolments"]
    assert (row["person"], row["class"], row["title"], row["begin"]) == ("p3", "c1", "7A Maths", "2026-09-01")
    assert row["reason"].startswith("The enrolment began on 2026-09-01")
    assert row["what_to_do"].endswith("rollbook release p3")


def test_one_is_released_and_held_again(school):
    released = said("release", "p2", *DAY)

    assert "1 enrolment of 1 person is released." in released
    assert "The next synchronization adds them to their teams: rollbook sync" in released
    assert "2 enrolments of 2 people are held" in said("held", *DAY)
    assert "Nothing is held" in said("release", "p2", *DAY)
    assert "1 enrolment of 1 person is no longer released." in said("release", "p2", "--undo", *DAY)
    assert "3 enrolments" in said("held", "--class", "7A Maths", *DAY)
    assert "Nothing was released of them" in said("release", "p2", "--undo", *DAY)


def test_everybody_is_released_after_a_question_only(school):
    with pytest.raises(InputRefused, match="Say whose"):
        said("release", *DAY)
    with pytest.raises(InputRefused, match="Say whose"):
        said("release", "p2", "--all", *DAY)

    refused = answering("n\n", "release", "--all", *DAY)
    assert refused.exit_code == 1
    assert "3 enrolments of 3 people are held. Release everybody?" in refused.stderr
    assert told("held", *DAY)["held"] == 3
    agreed = answering("y\n", "release", "--all", *DAY)
    assert (agreed.exit_code, "3 enrolments of 3 people are released." in agreed.stdout) == (0, True)
    assert "or is released" in said("held", *DAY)

    assert answering("n\n", "release", "--all", "--undo", *DAY).exit_code == 1
    assert told("release", "--all", "--undo", "--yes", *DAY) == {"held_again": 3, "people": 3}
    assert told("release", "--all", "--yes", *DAY) == {"released": 3, "people": 3, "why_nothing": None}


def test_without_a_sync_start_date_nothing_is_held_and_that_is_said(school):
    set_profile(school, enrolments__sync_start_date=None)

    assert "the profile Suggested has no sync start date" in said("held", *DAY)
    assert told("held", *DAY)["enrolments"] == []
    assert "no sync start date" in said("release", "--all", *DAY)


def test_a_long_list_is_cut_and_says_how_to_see_it_all(sqlite_store):
    school = a_school(4)
    for number in range(41):
        school.klass(f"Choir {number}", students=["Pupil No0"])
    institute, _, _ = deliver(school)
    set_profile(institute, enrolments__sync_start_date="2026-09-15")

    cut = said("held", *DAY)
    assert "... and 5 more; all of them with --all or --json" in cut
    assert "... in 2 more classes" in cut
    whole = said("held", "--all", *DAY)
    assert (whole.count("began"), "more" in whole) == (45, False)


def test_who_is_in_the_team_already_is_told_where_a_tenant_is_connected(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    synchronized(institute)
    set_profile(institute, enrolments__sync_start_date="2026-09-15")
    assert [row["in_team"] for row in told("held", *DAY)["enrolments"]] == [True]
    assert "in the team already" in said("held", *DAY)

    Connection.objects.update(graph_url="http://127.0.0.1:9/v1.0", login_url="http://127.0.0.1:9")
    ran = CliRunner().invoke(app, ["held", *DAY], catch_exceptions=False)
    assert "Who is in a team already is not told: Nothing answers" in ran.stderr
    assert "1 enrolment of 1 person is held" in ran.stdout
