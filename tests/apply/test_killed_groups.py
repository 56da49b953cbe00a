"""A synchronization killed with SIGKILL while it makes groups, demotes, archives; and taken up again: nothing twice, nobody outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from tests.apply.crafted import MATHS, a_standard_team, as_planned, every_kind, people_of, saved, two_teachers, verdicts
from tests.apply.wire import connected, opened, set_profile, synchronized

from rollbook.acts.runs import finish_unfinished
from rollbook.plan.changes import Kind
from rollbook.store.models import Institute, Run

pytestmark = pytest.mark.kill

SCRIPT = """
    import os, signal, sys
    from rollbook.store.setup import open_store
    open_store()
    from rollbook.graph.transport import Transport
    from rollbook.store.journal import StoreJournal
    from rollbook.store.models import Institute, Run
    from tests.apply.wire import opened

    point, kind, number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    state = {"numbers": set(), "sending": False, "seen": 0}

    def die(at):
        if at == point:
            state["seen"] += 1
            if state["seen"] == number:
                os.kill(os.getpid(), signal.SIGKILL)

    send, intend, answer = Transport.send, StoreJournal.intend, StoreJournal.answer

    def sending(self, request):
        asked = request.body.get("requests", []) if request.body else []
        ours = state["sending"] and any(each["method"] != "GET" for each in asked)
        if ours:
            die("before-sending")
        result = send(self, request)
        if ours:
            die("after-sending")
        return result

    def answering(self, answers):
        ours = state["numbers"] & {each.number for each in answers}
        if ours:
            die("before-answer")
        answer(self, answers)
        if ours:
            die("after-answer")

    def intending(self, intents):
        intend(self, intents)
        mine = {each.number for each in intents if each.kind == kind}
        state["numbers"] |= mine
        state["sending"] = bool(mine)
        if mine:
            die("after-intent")

    Transport.send, StoreJournal.intend, StoreJournal.answer = sending, intending, answering
    with opened(Institute.objects.get()) as session:
        session.apply(Run.objects.order_by("-number").first())
"""
POINTS = ["after-intent", "before-sending", "after-sending", "before-answer", "after-answer"]


def killed(store: Path, run: Run, point: str, kind: Kind, number: int = 1) -> None:
    """The newest run, begun by a process that is killed at this point of the `number`th request of this kind."""
    root = Path(__file__).parents[2]
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{store}",
        "PYTHONPATH": os.pathsep.join(map(str, (root / "src", root))),
    }
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), point, str(int(kind)), str(number)]
    ended = subprocess.run(command, env=environment, check=False, timeout=120)
    run.refresh_from_db()
    assert ended.returncode == -signal.SIGKILL
    assert run.state == "applying"


def taken_up(institute: Institute) -> None:
    """The killed run, gone on with to its end."""
    with opened(institute) as session:
        assert finish_unfinished(session) is not None


THOROUGHLY = (Kind.CREATE_UNIFIED, Kind.DEMOTE_OWNER, Kind.ARCHIVE_TEAM)
ONCE = (Kind.CREATE_GROUP, Kind.CREATE_TEAM, Kind.REMOVE_STRANGER)


@pytest.mark.parametrize(
    ("kind", "point"),
    [*((kind, point) for kind in THOROUGHLY for point in POINTS), *((kind, "after-sending") for kind in ONCE)],
)
def test_a_run_killed_at_a_newer_kind_of_change_is_taken_up_again(
    sqlite_store: Path, tenant: Any, point: str, kind: Kind
):
    institute = a_standard_team(tenant)
    run = saved(institute, every_kind(tenant))

    killed(sqlite_store, run, point, kind)
    taken_up(institute)

    assert set(verdicts(run).values()) == {"DONE"}
    assert as_planned(tenant)
    assert len(tenant.directory.groups) == 4


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("point", POINTS)
def test_a_run_killed_between_the_two_halves_of_a_demotion_over_the_group_leaves_nobody_outside(
    sqlite_store: Path, tenant: Any, point: str, number: int
):
    institute = connected(two_teachers(), tenant)
    synchronized(institute)
    set_profile(institute, enrolments__teachers__assistant="member")
    for roster in list(tenant.directory.rosters.values()):
        tenant.directory.rosters.put(roster["id"], {**roster, "people": {}})  # it shows nobody yet
    with opened(institute) as session:
        plan, _ = session.plan()
        run = session.save(plan)
        session.approve(run, plan, plan.fingerprint)

    killed(sqlite_store, run, point, Kind.DEMOTE_OWNER, number)
    taken_up(institute)

    assert verdicts(run) == {"DEMOTE_OWNER": "DONE"}
    assert people_of(tenant, MATHS, "owners") == ["Nikos Vasilakis"]
    assert "Eleni Assistant" in people_of(tenant, MATHS)


def test_a_whole_synchronization_killed_while_its_group_is_made_is_proven_in_the_end(sqlite_store: Path, tenant: Any):
    institute = connected(two_teachers(25), tenant)
    set_profile(institute, teams__create="group", teams__template="standard")
    with opened(institute) as session:
        plan, _ = session.plan()
        run = session.save(plan)
        session.approve(run, plan, plan.fingerprint)

    killed(sqlite_store, run, "after-sending", Kind.CREATE_UNIFIED)
    done = synchronized(institute)

    assert set(verdicts(run).values()) == {"DONE"}
    assert len(tenant.directory.groups) == 1
    assert done.plan.counts["changes"] == 0
    assert done.proof.holds
