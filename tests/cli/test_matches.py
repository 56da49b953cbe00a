"""`rollbook match` as an office uses it."""

from __future__ import annotations

from tests.apply.desk import account
from tests.apply.wire import connected, control, set_profile, synchronized
from tests.cli.inside import said, told
from tests.store.world import a_school
from typer.testing import CliRunner

from rollbook.cli.app import app


def test_matches_are_listed_and_decided(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    first, second = account(tenant, "maria.a", employeeId="S2"), account(tenant, "maria.b", employeeId="S2")
    synchronized(institute)

    listed = said("match", "list")
    assert "Pupil No0 (p2, S2): several match; choose one" in listed
    assert first in listed
    assert "1 to review." in listed
    (entry,) = told("match", "list")
    assert [c["name"] for c in entry["candidates"]] == [
        "maria.a@sample-school.example",
        "maria.b@sample-school.example",
    ]

    assert "none, until decided otherwise" in said("match", "decide", "S2", "--nobody", "--because", "on leave")
    assert said("match", "list").strip() == "0 to review."
    assert "counts at the next plan" in said("match", "decide", "S2", "--new")
    assert second in said("match", "decide", "S2", second)
    assert told("link", "show", "p2")["object_id"] == second
    assert [d["decision"] for d in told("link", "show", "p2")["decisions"]] == ["nobody", "new"]
    assert "nobody  on leave until" in said("link", "show", "p2")


def test_exactly_one_decision_is_taken():
    for arguments in ([], ["--new", "--nobody"], ["someone@x", "--new"]):
        ran = CliRunner().invoke(app, ["match", "decide", "S2", *arguments])
        assert ran.exit_code == 2
        assert "exactly one" in ran.stderr


def test_a_group_of_a_hierarchy_that_several_match_is_listed_with_what_to_type_and_decided(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    set_profile(institute, hierarchies__general={"levels": {"institute": {}}})
    group = {"displayName": "The School", "mailEnabled": False, "securityEnabled": True}
    control(tenant, "/seed", {"groups": [{**group, "mailNickname": "one"}, {**group, "mailNickname": "two"}]})
    synchronized(institute)

    (entry,) = told("match", "list")
    assert entry["command"] == "rollbook match decide --class general/security/institute:school"
    assert "counts at the next plan" in said("match", "decide", "--class", "general/security/institute:school", "two")
    assert told("link", "show", "--class", "general/security/institute:school")["object_id"] in {
        candidate["object_id"] for candidate in entry["candidates"]
    }
