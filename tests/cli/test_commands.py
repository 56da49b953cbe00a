"""The command line as people and machines use it: standard output, exit status; where it matters, a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.apply.wire import joined, synchronized
from tests.cli.inside import Inside
from tests.sources.folder import ROWS, with_row, write

from rollbook.apply.whys import STATUSES
from rollbook.cli import processes
from rollbook.emulator import Config, Emulator
from rollbook.store.models import Institute


class Program:
    """Runs `rollbook`, the real program, in an installation of its own: a second or more for each command."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {**os.environ, "ROLLBOOK_HOME": str(home / "state"), "COLUMNS": "200"}
        for name in ("DATABASE_URL", "POLARS_MAX_THREADS"):
            self.environment.pop(name, None)

    def __call__(self, *arguments: str, text: str = "", timeout: float = 150) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "rollbook", *arguments],
            cwd=self.home,
            env=self.environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


@pytest.fixture
def program(tmp_path: Path):
    """The program where nothing is yet."""
    opened = Program(tmp_path)
    yield opened
    opened("emulator", "stop")


@pytest.fixture
def installed(program: Program, _sqlite_template: Path) -> Program:
    """The program where its database was made already, which takes longest of all."""
    state = program.home / "state"
    state.mkdir(mode=0o700)
    shutil.copy(_sqlite_template, state / "rollbook.sqlite3")
    return program


@pytest.fixture
def shell(sqlite_store, tmp_path: Path, monkeypatch):
    """The commands inside this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROLLBOOK_HOME", str(tmp_path / "state"))
    return Inside(monkeypatch)


def test_help_lists_every_command_quickly(program):
    ran = program("--help")

    assert ran.returncode == 0
    for command in (
        "demo",
        "check",
        "sample",
        "import",
        "plan",
        "show",
        "apply",
        "sync",
        "serve",
        "emulator",
        "version",
    ):
        assert command in ran.stdout


def test_a_wrong_option_is_the_wrong_use_of_a_command(program):
    assert program("check").returncode == 2
    assert program("plan", "--colour", "red").returncode == 2


def test_a_refusal_is_the_exit_status_of_the_process(program):
    ran = program("check", "nowhere")

    assert ran.returncode == 3
    assert "nothing at nowhere" in ran.stdout


def test_check_tells_machines_and_people_the_same(shell, tmp_path: Path):
    good = write(tmp_path / "good")
    rejected = write(tmp_path / "bad", **with_row("users", sourcedId="w", role="wizard", givenName="x", familyName="y"))

    status, document = shell.json("check", str(rejected))
    assert status == 1
    assert document["verdict"] == "usable-with-rejects"
    assert document["files"]["users.csv"] == {"read": 4, "accepted": 3, "rejected": 1}
    (finding,) = [entry for entry in document["findings"] if entry["severity"] == "rejected"]
    assert finding.keys() == {"severity", "code", "file", "line", "column", "value", "message", "remedy", "count"}
    assert "wizard" in shell("check", str(rejected)).stdout
    assert shell("check", str(good)).returncode == 0
    assert shell.json("check", str(tmp_path / "missing"))[0] == 3


def test_sample_writes_a_school_once(shell, tmp_path: Path):
    assert shell("sample", "school", "--people", "120").returncode == 0
    assert shell("check", "school").returncode == 0
    again = shell("sample", "school")
    assert again.returncode == 3
    assert "nothing was written" in again.stderr
    assert shell("sample", "other", "--people", "5").returncode == 2


def test_commands_that_need_a_school_say_so(shell):
    for command in ("plan", "sync", "show"):
        ran = shell(command)
        assert ran.returncode == 3
        assert "rollbook import" in ran.stderr


def test_a_school_that_is_not_connected_says_so(shell, tmp_path: Path):
    shell("import", str(write(tmp_path / "r")))

    ran = shell("plan", "--as-of", "2026-10-01")

    assert ran.returncode == 3
    assert "not connected" in ran.stderr


def test_an_import_that_is_refused_changes_nothing_and_a_shrunk_one_waits(shell, tmp_path: Path):
    many = {
        "users": [
            *ROWS["users"],
            *({"sourcedId": f"x{n}", "role": "student", "givenName": "a", "familyName": "b"} for n in range(20)),
        ]
    }
    assert shell("import", str(write(tmp_path / "r", **many))).returncode == 0

    refused = shell("import", str(tmp_path / "nowhere"))
    assert (refused.returncode, "nothing at" in refused.stderr) == (3, True)
    status, document = shell.json("import", str(write(tmp_path / "less")))
    assert (status, document["state"]) == (3, "staged")
    assert shell("import", str(tmp_path / "less"), "--accept").returncode == 0


def test_the_demo_keeps_its_promises_and_its_state(program):
    ran = program("demo", "--headless", "--json", "--people", "150")

    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    first, second, proof = document["first_sync"], document["second_sync"], document["proof"]
    assert document["school"]["people"] == 150
    assert first["applied"] + first["waiting"] == first["changes"] > 1_000
    assert first["failed"] == 0
    assert first["least_writes"] <= first["writes"] <= 1.02 * first["least_writes"]
    assert first["requests"] < first["writes"]
    assert (second["changes"], second["writes"]) == (0, 0)
    assert (proof["missing"], proof["extra"], proof["pending"]) == (0, 0, 0)
    assert proof["members_expected"] > proof["teams"] > 0
    assert "approves plan" in ran.stderr
    note = json.loads((program.home / "state" / "emulator.json").read_text())
    assert not processes.alive(note["pid"])

    again = json.loads(program("demo", "--headless", "--json", "--people", "150").stdout)
    assert again["first_sync"]["changes"] == 0
    assert again["first_sync"]["writes"] == 0


def test_the_demo_takes_a_real_roster(installed, shared: Path):
    ran = installed("demo", "--headless", "--json", "--from", str(shared / "data" / "or11-small-gospelnerd"))

    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert document["school"] == {"people": 79, "classes": 42, "enrolments": 504}
    assert document["proof"] == {"teams": 42, "groups": 0, "members_expected": 588, **dict.fromkeys(STATUSES, 0)}
    assert document["first_sync"]["writes"] == document["first_sync"]["least_writes"]


def test_the_demo_refuses_a_roster_that_cannot_be_used_and_leaves_no_process(installed, tmp_path: Path):
    ran = installed("demo", "--headless", "--from", str(tmp_path / "nowhere"))

    assert ran.returncode == 3
    assert "nothing at" in ran.stderr
    note = json.loads((installed.home / "state" / "emulator.json").read_text())
    assert not processes.alive(note["pid"])


def test_plan_approve_apply_and_show_by_hand(shell, tmp_path: Path):
    """The way of a person: the school is synchronized, then it changes."""
    state, folder, day = tmp_path / "state" / "tenant.state", write(tmp_path / "r"), ("--as-of", "2026-10-01")
    state.parent.mkdir()
    with Emulator(Config(state=state, quota_scale=None, delays=None)) as tenant:
        assert shell("import", str(folder)).returncode == 0
        synchronized(joined(Institute.objects.get(), tenant))
        students = [
            {"sourcedId": f"n{n}", "role": "student", "givenName": f"New{n}", "familyName": "Pupil"} for n in range(3)
        ]
        enrolled = [{"sourcedId": f"m{n}", "userSourcedId": f"n{n}", "role": "student"} for n in range(3)]
        write(folder, users=[*ROWS["users"], *students], enrollments=[*ROWS["enrollments"], *enrolled])
        assert shell("import", str(folder)).returncode == 0

        shown = shell("plan", *day)
        assert shown.stdout.lstrip().startswith("what")
        assert "9 changes planned, nothing waits" in shown.stdout
        assert "New1 Pupil gets an account: in the register, without an account" in shown.stdout
        assert "7A Maths gains New1 Pupil: enrolment began 2026-09-01" in shown.stdout
        due = shell("sync", *day)
        assert due.returncode == 4
        assert shell("sync", *day, "--approve", "0" * 12).returncode == 4
        status, document = shell.json("plan", *day)
        assert (status, document["changes"]) == (0, 9)
        run = str(document["run"])
        assert shell("apply", run, text="n\n").returncode == 1
        applied = shell("apply", run, text="y\n")
        assert applied.returncode == 0, applied.stderr
        assert "proven equal" in applied.stdout
        assert shell("apply", run, "--yes").returncode == 3
        status, document = shell.json("show", run)
        assert document["verdicts"] == {"done": 9}
        assert shell("sync", *day).returncode == 0
    stopped = shell("sync", *day)
    assert stopped.returncode == 7
    assert "Nothing answers" in stopped.stderr
    port = tenant.graph.split(":")[2].split("/")[0]
    assert f"rollbook emulator serve --port {port} --state {state} --quota-scale off" in stopped.stderr


def test_the_portal_answers_only_on_this_machine(shell):
    ran = shell("serve", "--host", "0.0.0.0")

    assert ran.returncode == 3
    assert "no sign-in yet" in ran.stderr


def test_a_port_that_is_taken_is_said_as_such(installed, monkeypatch):
    monkeypatch.setenv("ROLLBOOK_HOME", str(installed.home / "state"))
    pid, said = processes.start(["serve", "--port", "0", "--json"], installed.home / "portal.log")
    try:
        ran = installed("serve", "--port", said["portal"].rpartition(":")[2])
        assert ran.returncode == 3
        assert "cannot be used" in ran.stderr
        assert processes.answers(f"{said['portal']}/healthz")
    finally:
        processes.stop(pid)
    assert not processes.alive(pid)
