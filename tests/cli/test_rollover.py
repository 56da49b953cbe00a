"""`rollbook rollover` as an administrator uses it at the end of a school year."""

from __future__ import annotations

import csv
import datetime as dt
import io
import shlex

import pytest
from tests.apply.wire import Later, connected, set_profile, synchronized, synchronized_on
from tests.cli.inside import said, told
from tests.store.world import ACTOR
from tests.years import SPAN, two_years
from typer.testing import CliRunner

from rollbook.acts.archiving import Chosen, propose_archiving
from rollbook.acts.runs import session
from rollbook.cli.app import app
from rollbook.errors import InputRefused
from rollbook.store.models import Run

AUTUMN, SUMMER, NEXT = (("--as-of", day) for day in ("2026-10-01", "2027-08-10", "2027-09-01"))
OLD_7A, NEW_8A = "7A-Maths-2027@2026-2027", "8A-Maths-2028@2027-2028"


@pytest.fixture
def school(sqlite_store, tenant):
    """A school of two years, synchronized in the first."""
    institute = connected(two_years(), tenant)
    synchronized(institute)
    return institute


def answering(text: str, *arguments: str):
    return CliRunner().invoke(app, list(arguments), input=text, catch_exceptions=False)


def test_what_ends_and_begins_is_shown_in_words_with_what_can_be_done(school):
    shown = said("rollover", *NEXT)

    assert "Ends: 1\n  Maths 7A (2026-2027), 7A-Maths-2027@2026-2027: its academic period is over" in shown
    assert "rollbook rollover archive --ended" in shown
    assert "Begins: 2" in shown
    assert "Maths 8A (2027-2028) from Maths 7A (2026-2027): 3 of 3 students were in it" in shown
    assert f"rollbook rollover continue {OLD_7A} {NEW_8A}" in shown
    assert "By the profile Suggested, on 2027-09-01." in shown
    assert shown == said("rollover", "show", *NEXT) == said("rollover", "Suggested", *NEXT)


def test_the_same_as_json_and_as_csv(school, tmp_path):
    document = told("rollover", *NEXT)

    assert (document["profile"], document["as_of"]) == ("Suggested", "2027-09-01")
    assert [row["id"] for row in document["ends"]] == [OLD_7A]
    assert [row["from"] for row in told("rollover", *AUTUMN)["begins"]] == [str(SPAN["2028"][0])] * 2
    assert [(pair["id"], pair["students_shared"]) for pair in document["candidates"]][-1] == (NEW_8A, 3)
    assert document["left_over"] == []
    file = tmp_path / "rollover.csv"
    said("rollover", *NEXT, "--csv", str(file))
    assert file.read_text() == said("rollover", *NEXT, "--csv", "-")
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert [row["state"] for row in rows].count("candidate") == len(document["candidates"])
    assert {row["id"] for row in rows if row["state"] == "ends"} == {OLD_7A}


def test_a_school_without_teams_says_so(sqlite_store, tenant):
    institute = connected(two_years(), tenant)
    set_profile(institute, teams__create="nothing")

    assert "No teams: none is linked, and by the profile Suggested none is wanted" in said("rollover", *AUTUMN)
    assert told("rollover", *AUTUMN)["begins"] == []


def test_groups_of_the_structure_that_are_left_over_are_listed_for_removal(sqlite_store, tenant):
    institute = connected(two_years(), tenant)
    set_profile(institute, teams__create="subject", hierarchies__general={"levels": {"group": {}}})
    synchronized(institute)
    set_profile(institute, hierarchies__general={"levels": {}})

    shown = said("rollover", *AUTUMN)

    assert "Groups of hierarchies listed for removal: 1\n  7A, general/security/group:7A: its hierarchy" in shown
    assert "Nothing is ever deleted here" in shown
    assert [row["id"] for row in told("rollover", *AUTUMN)["left_over"]] == ["general/security/group:7A"]


def test_a_team_goes_on_after_a_question_and_is_given_back(school):
    refused = answering("n\n", "rollover", "continue", OLD_7A, "8A-Maths-2028", *SUMMER)
    assert refused.exit_code == 1
    assert "3 of the 3 students of Maths 8A (2027-2028) were in it" in refused.stdout
    assert "from now on nobody is added to it" in refused.stdout
    assert told("rollover", *SUMMER)["continues"][0]["id"] == OLD_7A

    done = answering("y\n", "rollover", "continue", OLD_7A, "8A-Maths-2028", *SUMMER)
    assert "Maths 8A (2027-2028) goes on with the team of Maths 7A (2026-2027)." in done.stdout
    assert "from 2027-09-01; goes on from Maths 7A (2026-2027)" in said("rollover", *SUMMER)
    assert "Maths 7A (2026-2027) has its team back; Maths 8A" in said("rollover", "part", "8A-Maths-2028", "--yes")
    assert told("rollover", *SUMMER)["continues"][0]["id"] == OLD_7A
    moved = told("rollover", "continue", OLD_7A, NEW_8A, "--yes", *SUMMER)
    assert (moved["old"], moved["new"]) == (OLD_7A, NEW_8A)
    assert told("rollover", "part", NEW_8A, "--yes")["object_id"] == moved["object_id"]


def test_ambiguous_names_and_nothing_named_are_refused(school):
    with pytest.raises(InputRefused, match="may be any of 2 teams"):
        said("rollover", "continue", "Maths 7A", NEW_8A, *SUMMER)
    with pytest.raises(InputRefused, match="Say which teams are meant"):
        said("rollover", "archive")
    with pytest.raises(InputRefused, match="Say which teams are meant"):
        said("rollover", "unarchive")
    with pytest.raises(InputRefused, match="has no profile 'Nonsense'"):
        said("rollover", "Nonsense")


def test_teams_are_archived_and_taken_back_after_a_question_that_says_what_it_means(school, tenant):
    synchronized_on(school, dt.date(2027, 9, 1))

    refused = answering("n\n", "rollover", "archive", "--ended", *NEXT)
    assert refused.exit_code == 1
    assert "Maths 7A's team is archived: an administrator asked for it" in refused.stdout
    assert "Archive 1 team? An archived team can be read and no longer written in; everybody stays" in refused.stderr
    assert Run.objects.order_by("-number")[0].state == "superseded"

    done = answering("y\n", "rollover", "archive", "--ended", *NEXT)
    assert (done.exit_code, "1 done" in done.stdout) == (0, True)
    shown = said("rollover", *NEXT)
    assert "its academic period is over; archived" in shown
    assert "archive --ended" not in shown
    again = told("rollover", "archive", OLD_7A, "--yes", *NEXT)
    assert [line["reason"] for line in again["plan"]] == ["waits: is archived already"]

    asked = answering("y\n", "rollover", "unarchive", "Maths 7A@2026-2027", *NEXT)
    assert "Take 1 team back from the archive?" in asked.stderr
    assert not any(row["archived"] for row in told("rollover", *NEXT)["ends"])


def test_an_archived_team_that_is_wanted_again_is_told_with_what_to_do(school):
    set_profile(school, teams__create="nothing")
    told("rollover", "archive", "--ended", "--yes", *AUTUMN)
    set_profile(school, teams__create="group_subject")

    shown = said("rollover", *AUTUMN)

    assert "Goes on: 1\n  Maths 7A (2026-2027), 7A-Maths-2027@2026-2027: archived" in shown
    assert f"rollbook rollover unarchive {OLD_7A}" in shown


def test_a_proposal_that_waits_is_carried_out_by_its_number(school, tenant):
    with session(school, dt.date(2027, 9, 1), ACTOR, Later(dt.date(2027, 9, 1))) as held:
        run = propose_archiving(held, Chosen(ended=True))

    asked = answering("y\n", "apply", str(run.number))

    assert "Archive 1 team?" in asked.stderr
    assert told("rollover", *NEXT)["ends"][0]["archived"] is True


def test_a_class_of_two_modes_is_asked_for_in_words_that_can_be_typed(school):
    set_profile(school, teams__create="subject")
    synchronized(school)

    with pytest.raises(InputRefused, match="may be any of") as refused:
        said("rollover", "archive", "Maths", "--yes", *AUTUMN)
    handle = refused.value.remedy.split("Name one of: ")[1].split(" (")[0]
    assert said("link", "show", "--class", OLD_7A).startswith("7A-Maths-2027: ")
    assert told("rollover", "archive", *shlex.split(handle), "--yes", *AUTUMN)["plan"]
