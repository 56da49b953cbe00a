"""A first synchronization of 2,000 people and their classes at Microsoft's documented quotas, on a clock that runs faster.

The bound is computed by the emulated tenant from its own record of the writes it accepted: the most any quota demanded, bursts
included, or the longest chain of writes to one object, with the pauses Microsoft demands between them. Time is the tenant's. The speed
is chosen so that the schedule is measured and not this machine: twenty changes a second times the speed have to stay well below what
client, store and emulated tenant can do together on two cores (some 400 a second where nothing else runs).
"""

from __future__ import annotations

import json
import multiprocessing
import os
import tempfile
import urllib.request
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from bench.emulating import server
from bench.rows import Row
from rollbook import sample

PEOPLE = 2_000
SPEED, SPEED_WITH_DELAYS, SPEED_ONE_BY_ONE = 2.0, 6.0, 8.0
"""Times the wall. With delays, the fifteen minutes in which Microsoft makes no team of a new group are most of the time, so that it
may run faster."""

LAST_LOOK = 30.0
"""Tenant seconds that Microsoft asks to be left between two looks at a team it makes (graph.md section 7.2): the last team of a run is
waited for after the last write, of which the emulated tenant's bound knows nothing."""


@dataclass(frozen=True, slots=True)
class First:
    """What one first synchronization took, in tenant seconds, and what the tenant says of it."""

    seconds: float
    planned_and_applied: float
    pace: dict[str, Any]
    counters: dict[str, Any]
    unproven: int

    @property
    def refused(self) -> int:
        """Answers 429."""
        return sum(count for what, count in self.counters["refused"].items() if ": 429" in what)

    @property
    def requests(self) -> int:
        """All calls, those in batches apart."""
        return int(self.counters["writes"] + self.counters["reads"])


def measure() -> list[Row]:
    """Rows (a) and (c) of the area `sync`."""
    with tempfile.TemporaryDirectory(prefix="rollbook-bench-") as folder:
        school = Path(folder) / "school"
        sample.write(sample.school(PEOPLE), school)
        quick = first_sync(school, Path(folder) / "quotas", SPEED, "off")
        documented = first_sync(school, Path(folder) / "delays", SPEED_WITH_DELAYS, "1")
        simple = one_by_one(school, Path(folder) / "simple", SPEED_ONE_BY_ONE)
    return [
        *_rows("", quick),
        *_rows(", Microsoft's delays too", documented, LAST_LOOK),
        Row("the same by one request per member, as simple tools do it", quick.seconds, "s", simple, 0.5),
    ]


def _rows(what: str, first: First, after: float = 0.0) -> list[Row]:
    """The rows of one synchronization; `after` is how long Microsoft itself takes at least behind the last write, in tenant seconds."""
    bound = first.pace["bound"]
    if first.unproven:
        raise RuntimeError(f"the tenant is not as it should be: {first.unproven} memberships differ")
    return [
        # As shares, so that 1 is the best there can be. The tenant's record begins with the first write and ends with the last answer;
        # the second row counts what this machine thinks before, between and after as well, as many times as the clock is fast.
        Row(f"first sync of 2,000 people{what}: bound / time", bound, "s", first.pace["seconds"], 0.95, floor=True),
        Row(
            f"  with planning and waiting for the last team{what}",
            bound + after,
            "s",
            first.planned_and_applied,
            0.95,
            floor=True,
        ),
        Row(f"  429 answers of all requests{what}", first.refused, "requests", first.requests, 0.01),
        Row(
            f"  writes, refused ones too{what}",
            first.counters["writes"],
            "writes",
            first.counters["least_writes"],
            1.02,
        ),
    ]


def first_sync(school: Path, home: Path, speed: float, delays: str) -> First:
    """A first synchronization, in a process of its own, against an emulated tenant in another."""
    return First(**_apart(_first_sync, school, home, speed, delays))


def one_by_one(school: Path, home: Path, speed: float) -> float:
    """Tenant seconds that the same takes by one request after the other."""
    return float(_apart(_one_by_one, school, home, speed)["seconds"])


def _apart(work: Any, *arguments: Any) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=work, args=(sender, *arguments))
    child.start()
    sender.close()  # so that a child that dies ends the waiting
    found: dict[str, Any] = receiver.recv()
    child.join()
    return found


def emulated(speed: float, delays: str) -> Any:
    """An emulated tenant with Microsoft's quotas, in a process of its own."""
    options = ["--port", "0", "--speed", str(speed), "--delays", delays]
    return server(["rollbook", "emulator", "serve", *options])


def control(said: dict[str, Any], call: str, body: Any = None) -> Any:
    """Ask for a control call."""
    raw = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(f"{said['control']}/{call}", raw, method="GET" if raw is None else "POST")
    with urllib.request.urlopen(asked) as answer:
        return json.load(answer)


def connected(school: Path, home: Path, said: dict[str, Any], clock: Any) -> Any:
    """The school's institute in a new store, connected to the tenant; and the day that counts."""
    os.environ["ROLLBOOK_HOME"] = str(home)
    os.environ.pop("DATABASE_URL", None)
    from rollbook.store.setup import open_store

    open_store()
    from rollbook.acts.actor import DEMO
    from rollbook.acts.connections import Credentials, connect
    from rollbook.acts.deliveries import import_delivery
    from rollbook.store.memory import InstituteRegister

    institute = import_delivery(school, DEMO, clock, accepted=True).institute
    app = said["apps"][0]
    identity = (app["tenant"], app["client_id"], app["client_secret"], said["graph"], said["login"])
    connect(institute, Credentials(*identity, emulated=True), DEMO, clock)
    control(said, "counters/reset", {})
    begin, end = InstituteRegister(institute).read().academic_periods.sort("begin").select("begin", "end").row(-1)
    return institute, begin + (end - begin) / 4


def _first_sync(pipe: Pipe, school: Path, home: Path, speed: float, delays: str) -> None:
    from rollbook.clock import FasterClock

    with emulated(speed, delays) as (line, _):
        said, clock = json.loads(line), FasterClock(speed)
        institute, day = connected(school, home, said, clock)
        from rollbook.acts.actor import DEMO
        from rollbook.acts.runs import session

        began = clock.monotonic()
        with session(institute, day, DEMO, clock) as opened:
            plan, view = opened.plan()
            run = opened.save(plan)
            opened.approve(run, plan, plan.fingerprint)
            applying = clock.monotonic()
            opened.apply(run)
            seconds = clock.monotonic() - applying
            whole = clock.monotonic() - began
            pace, counters = control(said, "pace"), control(said, "counters")
            proof = opened.prove(run, plan, view).as_json()
    unproven = proof["missing"] + proof["extra"]
    pipe.send(
        {"seconds": seconds, "planned_and_applied": whole, "pace": pace, "counters": counters, "unproven": unproven}
    )


def _one_by_one(pipe: Pipe, school: Path, home: Path, speed: float) -> None:
    from bench.one_by_one import carry_out
    from rollbook.clock import FasterClock

    with emulated(speed, "off") as (line, _):
        said, clock = json.loads(line), FasterClock(speed)
        institute, day = connected(school, home, said, clock)
        pipe.send({"seconds": carry_out(institute, day, said, clock)})
