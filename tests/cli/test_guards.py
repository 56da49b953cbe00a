"""`rollbook approve`, `refuse`, `freeze` and `thaw` as an office uses them, on both databases."""

from __future__ import annotations

import pytest
from tests.apply.wire import account_of, connected, synchronized
from tests.cli.inside import said, told
from tests.store.world import a_school, deliver
from typer.testing import CliRunner

from rollbook.cli.app import app
from rollbook.errors import ApprovalDue, Exit, Frozen, InputRefused
from rollbook.store.models import Approval, Trail

DAY = ("--as-of", "2026-10-01", "--quiet")


def by_verdict(document) -> dict[str, int]:
    return {verdict: count for verdict, count in document["verdicts"].items() if count}


def enabled(tenant, *names: str) -> list[bool]:
    return [account_of(tenant, name)["accountEnabled"] for name in names]


@pytest.fixture
def three_leave(store, tenant):
    """A school of nine pupils and a teacher, carried out, of whom three pupils leave."""
    school = a_school(9)
    institute = connected(school, tenant)
    synchronized(institute)
    for number in range(3):
        school.leaves(f"Pupil No{number}")
    deliver(school)
    return tenant


def test_a_plan_is_approved_and_refused_in_parts_and_the_refusal_is_remembered(three_leave, monkeypatch):
    document = told("plan", *DAY)
    assert (document["needs"], by_verdict(document)) == ("operator", {"unapproved": 6})
    assert "waits for approval: many accounts would be disabled" in [line.get("hold") for line in document["plan"]]
    run = str(document["run"])

    monkeypatch.setenv("ROLLBOOK_ROLE", "viewer")
    with pytest.raises(ApprovalDue, match="A viewer approves no plans"):
        said("approve", run, "--all")
    monkeypatch.setenv("ROLLBOOK_ROLE", "operator")
    assert told("approve", run, "--person", "S2")["going"] == 2
    assert told("refuse", run, "--person", "S3", "--because", "on leave")["declined"] == 2
    monkeypatch.delenv("ROLLBOOK_ROLE")

    assert {row["sis_number"]: (row["state"], row["why"]) for row in told("accounts", "list") if row["why"]} == {
        "S2": ("active", "disable user: planned, not carried out yet"),
        "S3": ("active", "disable user: refused by a person; asked again when its cause changes"),
        "S4": ("active", "disable user: waits for approval"),
    }

    (refused, needing) = [line["hold"] for line in told("show", run)["plan"] if line["verdict"] == "declined"]
    assert ": on leave; asked again" in refused + needing
    assert "refused by" in said("show", run)
    decisions = told("show", run)["decisions"]
    assert [(each["decided"], each["role"], each["what"]) for each in decisions] == [
        ("approved", "operator", "2 changes"),
        ("refused", "operator", "2 changes"),
    ]
    assert "on leave" in said("explain", "S3")
    trail = told("trail", "--action", "run.")
    assert [entry["action"] for entry in trail[:3]] == ["run.refused", "run.approved", "run.planned"]
    assert trail[0]["content"]["declined"] == 2
    assert "on leave" not in said("trail")
    assert len(told("trail", "--limit", "1")) == 1

    # Equal content keeps what was decided.
    again = told("plan", *DAY)
    assert again["fingerprint"] == document["fingerprint"]
    assert by_verdict(again) == {"planned": 2, "unapproved": 2, "declined": 2}

    run = str(again["run"])
    assert CliRunner().invoke(app, ["apply", run, "--yes", "--quiet"]).exit_code == Exit.APPROVAL_DUE
    assert enabled(three_leave, "Pupil No0", "Pupil No1", "Pupil No2") == [False, True, True]
    told("approve", run, "--all")
    assert CliRunner().invoke(app, ["apply", run, "--yes", "--quiet"]).exit_code == Exit.OK
    assert enabled(three_leave, "Pupil No0", "Pupil No1", "Pupil No2") == [False, True, False]
    assert by_verdict(told("show", run)) == {"done": 4, "declined": 2}
    assert told("plan", *DAY)["changes"] == 0
    assert list(Trail.objects.filter(action="run.refused").values_list("content__declined", flat=True)) == [2]


def test_what_goes_ahead_goes_and_the_command_says_that_the_rest_waits(three_leave):
    document = told("plan", *DAY)
    run = str(document["run"])
    told("approve", run, "--kind", "members-removed")

    applied = CliRunner().invoke(app, ["apply", run, "--yes", "--quiet"])

    assert applied.exit_code == Exit.APPROVAL_DUE
    assert "3 changes wait for approval of an operator: many accounts would be disabled (3)" in applied.stdout
    assert f"rollbook approve {run} --all" in applied.stdout
    assert by_verdict(told("show", run)) == {"done": 3, "unapproved": 3}
    told("approve", run, "--all")
    assert CliRunner().invoke(app, ["apply", run, "--yes", "--quiet"]).exit_code == Exit.OK
    assert by_verdict(told("show", run)) == {"done": 6}
    assert [row.waived for row in Approval.objects.order_by("pk")][-2:] == [
        ["members-removed"],
        ["accounts-disabled", "members-removed"],
    ]
    with pytest.raises(InputRefused, match="does not wait"):
        said("approve", run, "--all")


def test_a_superseded_plan_says_which_one_counts_instead_and_how_many_approvals_count_no_longer(three_leave):
    older = str(told("plan", *DAY)["run"])
    told("approve", older, "--kind", "members-removed")
    school = a_school(9)
    for number in range(4):
        school.leaves(f"Pupil No{number}")
    deliver(school)
    newer = told("plan", *DAY)

    assert newer["supersedes"] == {"runs": [int(older)], "approvals": 1}
    assert f"1 approval of run {older} no longer counts" in said("show", str(newer["run"]))
    shown = said("show", older)
    assert f"Superseded by run {newer['run']}" in shown
    assert "rollbook approve" not in shown
    for command in (("approve", older, "--all"), ("apply", older)):  # which does not ask first
        with pytest.raises(InputRefused, match=f"superseded by run {newer['run']}"):
            said(*command)


def test_a_mistyped_part_is_refused_and_named(three_leave):
    run = str(told("plan", *DAY)["run"])

    for part, sentence in (
        (("--kind", "accounts-eaten"), "neither a guard nor a kind"),
        (("--item", "99"), "no open change 99"),
        (("--person", "nobody"), "has no person"),
        ((), "Say what is meant"),
    ):
        with pytest.raises(InputRefused, match=sentence):
            said("approve", run, *part)
        with pytest.raises(InputRefused, match=sentence):
            said("refuse", run, *part)


def test_a_frozen_connection_is_said_wherever_a_run_would_start(three_leave, monkeypatch):
    run = str(told("plan", *DAY)["run"])
    assert "frozen since" in told("freeze", "--because", "moving house")["frozen"]

    assert "moving house" in told("plan", *DAY)["frozen"]
    for command in (("sync", *DAY), ("apply", run, "--yes", "--quiet")):
        with pytest.raises(Frozen, match="moving house") as stopped:
            said(*command)
        assert stopped.value.exit_code == Exit.FROZEN
    assert "moving house" in said("show")
    with pytest.raises(InputRefused, match="frozen since"):
        said("freeze")
    monkeypatch.setenv("ROLLBOOK_ROLE", "operator")
    with pytest.raises(InputRefused, match="may not thaw") as refused:
        said("thaw")
    assert refused.value.exit_code == Exit.APPROVAL_DUE
    monkeypatch.delenv("ROLLBOOK_ROLE")
    said("thaw")
    assert "frozen" not in told("plan", *DAY)
    assert all(enabled(three_leave, "Pupil No0", "Pupil No1", "Pupil No2"))
