"""A synchronization killed with SIGKILL, at many points, and taken up again: nothing twice, nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from tests.apply.wire import connected, control, synchronized, users_of
from tests.store.world import a_school

from rollbook.plan.changes import ChangeVerdict
from rollbook.store.models import Intent, Run
from rollbook.store.runs import verdict_counts

pytestmark = pytest.mark.kill

SCRIPT = """
    import os, signal, sys
    from rollbook.store.setup import open_store
    open_store()
    from rollbook.graph.transport import Transport
    from rollbook.store.journal import StoreJournal
    from rollbook.store.models import Institute
    from tests.apply.wire import synchronized

    point, number = sys.argv[1], int(sys.argv[2])
    seen = {"n": 0}

    def die(at):
        if at == point:
            seen["n"] += 1
            if seen["n"] == number:
                os.kill(os.getpid(), signal.SIGKILL)

    send, intend, answer = Transport.send, StoreJournal.intend, StoreJournal.answer

    def sending(self, request):
        writes = request.body and any(r["method"] != "GET" for r in request.body.get("requests", []))
        if writes:
            die("before-sending")
        result = send(self, request)
        if writes:
            die("after-sending")
        return result

    def answering(self, answers):
        die("before-answer")
        answer(self, answers)
        die("after-answer")

    def intending(self, intents):
        intend(self, intents)
        die("after-intent")

    Transport.send, StoreJournal.intend, StoreJournal.answer = sending, intending, answering
    synchronized(Institute.objects.get())
"""


@pytest.mark.parametrize("point", ["after-intent", "before-sending", "after-sending", "before-answer", "after-answer"])
@pytest.mark.parametrize("number", [1, 3, 6])
def test_a_killed_synchronization_is_taken_up_again(sqlite_store: Path, tenant, point: str, number: int):
    institute = connected(a_school(25), tenant)
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{sqlite_store}",
        "PYTHONPATH": os.pathsep.join(map(str, (Path(__file__).parents[2] / "src", Path(__file__).parents[2]))),
    }

    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), point, str(number)], env=environment, check=False, timeout=120
    )
    assert killed.returncode == -signal.SIGKILL
    assert Run.objects.get().state == "applying"
    assert Intent.objects.exists()

    done = synchronized(institute)

    names = [user["displayName"] for user in users_of(tenant)]
    assert len(names) == len(set(names)) == 26
    held = control(tenant, "/state")
    assert (held["classes"], held["teams"], held["memberships"], held["licensed"]) == (1, 1, 27, 26)
    assert done.proof.holds
    first = Run.objects.order_by("number").first()
    assert first is not None
    assert first.state == "applied"
    assert set(verdict_counts(first)) == {ChangeVerdict.DONE}
    assert done.plan.counts["changes"] == 0
