"""The proof of real runs over HTTP: teams and groups of the structure, what waits, what was put in by hand, what teams lack."""

from __future__ import annotations

import csv
import io

import pytest
from tests.apply.wire import connected, control, faults, set_profile, synchronized
from tests.cli.inside import said, told
from tests.store.world import a_school
from tests.world import School
from typer.testing import CliRunner

from rollbook.cli.app import app

MATHS = "7A Maths"
GRADES = {"levels": {"location": {}, "grade": {}}}


def lines(group: str | None = None, *more: str) -> list[tuple[str, str, str]]:
    """(who, status, reason) of every deviation, of one group or of all."""
    wanted = ("--group", group) if group else ()
    return [(row["who"], row["status"], row["reason"]) for row in told("proof", *wanted, *more)["deviations"]]


def groups() -> dict[str, dict[str, object]]:
    return {row["group"]: row for row in told("proof")["groups"]}


def group_id(tenant, name: str) -> str:
    (found,) = [each["id"] for each in tenant.directory.groups.values() if each["displayName"] == name]
    return str(found)


def test_a_run_in_which_nothing_deviates_is_told_by_its_groups(sqlite_store, tenant):
    synchronized(connected(a_school(), tenant))

    row = groups()[MATHS]
    assert (row["purpose"], row["kind"], row["has_team"], row["archived"]) == ("team", "class", True, False)
    assert (row["expected"], row["actual"], row["waits"]) == (5, 5, None)
    assert lines() == []
    printed = said("proof")
    assert "7A Maths" in printed
    assert "Run 1, for 2026-10-01: proven equal: 1 group, 5 memberships expected, 5 there; 0 missing" in printed


def test_a_class_without_a_teacher_waits_with_its_people(sqlite_store, tenant):
    school = a_school().klass("7B Art", students=["Maria Papadaki", "Jan Kowalski"])
    synchronized(connected(school, tenant))

    assert lines("7B Art") == [
        ("Maria Papadaki", "waiting", "the group waits: no teacher yet"),
        ("Jan Kowalski", "waiting", "the group waits: no teacher yet"),
    ]
    row = groups()["7B Art"]
    assert (row["there"], row["expected"], row["waiting"], row["waits"]) == (False, 2, 2, "no teacher yet")
    assert told("proof")["holds"]


def test_whoever_gets_no_account_waits_with_the_plans_own_reason(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    set_profile(institute, users__actions__student={"create": False, "update": True, "deactivate": False, "sso": False})
    synchronized(institute)

    assert lines() == [("Pupil No0", "waiting", "the account waits: no account, creating is off")]


def test_whoever_is_held_is_told_so_until_released(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    set_profile(institute, enrolments__sync_start_date="2026-09-15")
    synchronized(institute)

    assert [status for _, status, _ in lines()] == ["held"]
    said("release", "--all", "--yes", "--as-of", "2026-10-01")
    synchronized(institute)
    assert lines() == []


def test_whoever_was_put_in_by_hand_is_kept_and_told_by_object_id(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    synchronized(institute)
    name = "by.hand@sample-school.example"
    control(tenant, "/seed", {"users": [{"userPrincipalName": name, "displayName": "By Hand"}]})
    control(tenant, "/people", {"group": group_id(tenant, MATHS), "user": name})
    stranger = tenant.directory.users.one("userPrincipalName", name)["id"]
    synchronized(institute)

    (row,) = told("proof")["deviations"]
    assert (row["who"], row["object_id"], row["status"]) == ("somebody outside the register", stranger, "kept")
    assert "By Hand" not in said("proof")


def test_whoever_microsoft_refuses_is_missing_with_its_answer(sqlite_store, tenant):
    institute = connected(a_school(1), tenant)
    faults(tenant, {"match": "POST /users$", "status": 400, "code": "Request_BadRequest", "times": 1})
    synchronized(institute)

    ran = CliRunner().invoke(app, ["proof"], catch_exceptions=False)
    assert ran.exit_code == 5
    assert "NOT equal" in ran.stdout
    assert "(p1), owner: what has to be there first could not be made: " in ran.stdout
    assert "missing  7A Maths: Nikos Vasilakis (p1), member: what has to be there first could not be made" in ran.stdout


def test_groups_of_the_structure_are_proven_with_the_groups_nested_in_them(sqlite_store, tenant):
    school = School().klass(MATHS, teachers=["Nikos Vasilakis"], students=["Maria Papadaki"])
    institute = connected(school, tenant)
    set_profile(institute, hierarchies__general={"levels": {"institute": {}, "academic_period": {}}})
    synchronized(institute)

    found = [row for row in told("proof")["groups"] if row["purpose"] == "hierarchy"]
    assert [row["kind"] for row in found] == ["security", "security"]
    assert [(row["expected"], row["actual"], row["pending"]) for row in found] == [(1, 1, 0), (2, 2, 0)]
    inner = found[1]["group"]
    tenant.directory.members.cut(group_id(tenant, found[0]["group"]), group_id(tenant, inner))
    faults(tenant, {"match": "PATCH /groups/", "status": 403, "code": "Authorization_RequestDenied", "times": 9})
    synchronized(institute)
    ran = CliRunner().invoke(app, ["proof"], catch_exceptions=False)
    assert ran.exit_code == 5
    assert f"{inner}, member: Microsoft refused the change" in ran.stdout


def test_licence_groups_are_proven_too(sqlite_store, tenant):
    institute = connected(a_school(2), tenant)
    set_profile(institute, users__licences_by_group=True)
    synchronized(institute)

    of_licences = {row["group"]: row for row in told("proof")["groups"] if row["purpose"] == "licence"}
    assert of_licences["Licences: student, The School"]["expected"] == 2
    assert of_licences["Licences: student, The School"]["actual"] == 2


def test_the_file_has_a_row_for_every_deviation_and_every_equal_group(sqlite_store, tenant, tmp_path):
    school = a_school(1).klass("=7B Art", students=["Maria Papadaki"])
    synchronized(connected(school, tenant))
    file = tmp_path / "proof.csv"

    said("proof", "--csv", str(file))

    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    assert [(row["group"], row["who"], row["status"], row["expected"]) for row in rows] == [
        ("'=7B Art", "Maria Papadaki", "waiting", "1"),
        (MATHS, "", "equal", "3"),
    ]
    assert said("proof", "--csv", "-").startswith("group,group_id,purpose,expected")


def test_teams_of_one_name_are_told_apart_in_the_file(sqlite_store, tenant, tmp_path):
    school = a_school(1).klass("Art", teachers=["Ana Lima"]).klass("Kunst", students=["Maria Papadaki"])
    institute = connected(school, tenant)
    set_profile(institute, teams__mappings__display_name={"type": "static", "value": "Art"})
    synchronized(institute)

    said("proof", "--csv", str(tmp_path / "proof.csv"))

    rows = list(csv.DictReader(io.StringIO((tmp_path / "proof.csv").read_text(encoding="utf-8-sig"))))
    found = [(row["group"], row["group_id"], row["status"], row["expected"]) for row in rows]
    assert found == [("Art", "c3", "waiting", "1"), ("Art", "c1", "equal", "3"), ("Art", "c2", "equal", "2")]


def test_a_group_is_chosen_by_a_part_of_its_name(sqlite_store, tenant):
    synchronized(connected(a_school().klass("7B Art", students=["Maria Papadaki"]), tenant))

    assert [row["group"] for row in told("proof", "--group", "maths")["groups"]] == [MATHS]
    with pytest.raises(Exception, match="no group called 'Physics'"):
        said("proof", "--group", "Physics")


def test_a_class_team_nobody_activated_is_told_from_one_whose_roster_is_on_its_way(sqlite_store):
    from rollbook.emulator import Config, Emulator

    with Emulator(Config(quota_scale=None, delays=None)) as tenant:
        institute = connected(a_school(1), tenant)
        synchronized(institute)
        assert lines() == []

        activation = "in the group; waits until a teacher activates the class team"
        assert lines(None, "--roster") == [("Pupil No0", "pending", activation)]
        control(tenant, "/activate", {"team": group_id(tenant, MATHS)})
        assert lines(None, "--roster") == []
