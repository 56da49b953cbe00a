"""Synchronizations that cost what changed: requests and time of one without changes and of one person's, by the size of the school.

Each size is measured in a process of its own, `python -m bench.scoped PEOPLE`, with a store and an emulated tenant of its own. A batch
counts as one request. Time is compared with the bare thinking about the same part, everything it asks for answered from memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.rows import Row

SIZES = (1_000, 10_000, 100_000)
FLAT = 1.2
CONSTANT = 2.0
"""Seconds a synchronization may take beside thinking: sign-in, its few requests one after the other, the store."""

REPEATS = 5


def measure(sizes: tuple[int, ...] = SIZES) -> list[Row]:
    """Part (b) of the area `sync`."""
    found = {}
    for size in sizes:
        print(f"bench: a school of {size:,} ...", file=sys.stderr)
        done = subprocess.run(
            [sys.executable, "-m", "bench.scoped", str(size)], stdout=subprocess.PIPE, text=True, check=True
        )
        found[size] = json.loads(done.stdout)
    smallest = found[sizes[0]]
    rows = [
        Row(
            f"requests of {what}, {size:,} people",
            found[size][what]["requests"],
            "requests",
            smallest[what]["requests"],
            FLAT,
        )
        for what in smallest
        for size in sizes
    ]
    rows += [
        Row(
            f"time of {what}, {size:,} people",
            found[size][what]["seconds"],
            "s",
            found[size][what]["pure"] + CONSTANT,
            1.0,
        )
        for what in smallest
        for size in sizes
    ]
    return rows


@dataclass
class Recorded:
    """Answers what another object answered to the same questions in the same order: what is left is the thinking."""

    of: Any
    answers: list[Any] = field(default_factory=list)
    place: int | None = None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """A question, asked or answered from memory."""
        asked = getattr(self.of, name)

        def ask(*given: Any, **named: Any) -> Any:
            if self.place is None:
                self.answers.append(asked(*given, **named))
                return self.answers[-1]
            self.place += 1
            return self.answers[self.place - 1]

        return ask


def _measured(size: int) -> dict[str, dict[str, float]]:
    """Requests, seconds, and seconds of thinking, of both synchronizations in a school of this size."""
    from bench.emulating import EMULATOR, Running, server

    with tempfile.TemporaryDirectory(prefix="rollbook-bench-") as home:
        os.environ["ROLLBOOK_HOME"] = str(Path(home) / "store")
        os.environ.pop("DATABASE_URL", None)
        with server([*EMULATOR, "--state", str(Path(home) / "tenant.sqlite3")]) as (line, _):
            tenant = Running(line)
            return _both(size, tenant, json.loads(line))


def _both(size: int, tenant: Any, said: dict[str, Any]) -> dict[str, dict[str, float]]:
    from rollbook.store.setup import open_store

    open_store()
    from bench import settling
    from rollbook.acts.scopes import synchronize_changed, synchronize_people
    from rollbook.desired import near
    from rollbook.store.models import PersonRecord

    school = settling.settled(size, tenant, said)
    nothing = _timed(tenant, lambda: settling.agreed(school, synchronize_changed))
    nothing["pure"] = _thinking(settling, school, near.seeds())
    turn = iter(range(REPEATS + 1))
    person = PersonRecord.objects.get(sourced_id="p7")

    def change() -> None:
        # As a delivery would say it; that this one is written beside the others is no part of what is measured.
        PersonRecord.objects.filter(pk=person.pk).update(given_name=f"Given{next(turn)}x")

    one = _timed(tenant, lambda: settling.agreed(school, synchronize_people, ["p7"]), change)
    one["pure"] = _thinking(settling, school, near.seeds([person.entity]))
    return {"a synchronization without changes": nothing, "a synchronization of one person": one}


def _timed(tenant: Any, work: Callable[[], object], before: Callable[[], object] = lambda: None) -> dict[str, float]:
    """The median of seconds, and the most requests, of some repeats after one that is not counted."""
    seconds, worked, requests = [], [], []
    for _ in range(REPEATS + 1):
        before()
        tenant.control("counters/reset", {})
        began, busy = time.perf_counter(), time.process_time()
        work()
        seconds.append(time.perf_counter() - began)
        worked.append(time.process_time() - busy)
        requests.append(tenant.counted()["requests"])
    return {
        "requests": max(requests[1:]),
        "seconds": sorted(seconds[1:])[REPEATS // 2],
        "worked": sorted(worked[1:])[REPEATS // 2],
    }


def _thinking(settling: Any, school: Any, wanted: Any) -> float:
    """Seconds of planning a part, everything it asks for answered from memory."""
    from rollbook.acts.scopes import world_of
    from rollbook.scoped import World, draft_part

    with settling.opened(school) as session:
        real = world_of(session)
        world = [Recorded(part) for part in (real.register, real.memory, real.mirror, real.tenant)]
        draft_part(session.scope, wanted, World(*world))
        times = []
        for _ in range(REPEATS):
            for part in world:
                part.place = 0
            began = time.perf_counter()
            draft_part(session.scope, wanted, World(*world))
            times.append(time.perf_counter() - began)
    return sorted(times)[REPEATS // 2]


if __name__ == "__main__":
    print(json.dumps(_measured(int(sys.argv[1]))))
