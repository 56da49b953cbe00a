"""`python -m soak`: 200 tenants, three workers, edits, and a kill every ten seconds for two minutes.

Exit status 0 only if everything converged, no tenant was ever synchronized twice at once, and nobody has two accounts.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from soak.fleet import Fleet

WORKERS, SECONDS, BETWEEN_KILLS, EDITS_A_SECOND, QUIET_SECONDS = 3, 120, 10, 4, 600


def main() -> int:
    """Play it and print what came of it."""
    asked = _asked()
    fleet = Fleet(asked.tenants)
    try:
        return _conclude(_play(fleet, asked))
    finally:
        fleet.end()


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--tenants", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="how long workers are killed and edits flow")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _play(fleet: Fleet, asked: argparse.Namespace) -> dict[str, Any]:
    began, chance = time.monotonic(), random.Random(asked.seed)
    institutes = [fleet.school(number) for number in range(asked.tenants)]
    _tell(f"{len(institutes)} schools after {time.monotonic() - began:.0f} s")
    for _ in range(WORKERS):
        fleet.start_worker()
    _first(institutes)
    _tell(f"first plans agreed to after {time.monotonic() - began:.0f} s")
    kills, hits, edits, killed_at = 0, 0, 0, time.monotonic()
    until = time.monotonic() + asked.seconds
    while time.monotonic() < until:
        edits += _edit(chance.choice(institutes), edits)
        if time.monotonic() > killed_at + BETWEEN_KILLS:
            name = chance.choice(sorted(fleet.workers))
            hits += _busy(name)
            fleet.kill(name)
            kills, killed_at = kills + 1, time.monotonic()
            fleet.start_worker()
        time.sleep(1 / EDITS_A_SECOND)
    _tell(f"{kills} kills, {hits} of them in a run, {edits} edits; waiting for quiet")
    quiet = _quiet()
    return {
        "kills": kills,
        "hits": hits,
        "edits": edits,
        "quiet": quiet,
        "seconds": time.monotonic() - began,
        **_found(fleet, institutes),
    }


def _first(institutes: list[Any]) -> None:
    """The first plan of every school, made by workers and agreed to."""
    from rollbook.acts import approvals, jobs
    from rollbook.acts.actor import DEMO
    from rollbook.acts.approvals import Choice
    from rollbook.acts.jobs import Wanted
    from rollbook.acts.profiles import Author
    from rollbook.clock import SystemClock
    from rollbook.store.models import Job

    clock = SystemClock()
    asked = [jobs.ask(institute, Wanted(Job.Kind.EVERYTHING), DEMO, clock) for institute in institutes]
    waiting = {job.pk for job in asked}
    while waiting:
        for job in Job.objects.filter(pk__in=waiting, state=Job.State.APPROVAL_DUE).select_related("run"):
            assert job.run is not None
            approvals.agree(job.run, Choice(everything=True), Author(DEMO, clock))
            jobs.resume(job, DEMO, clock)
            waiting.discard(job.pk)
        time.sleep(0.2)


def _edit(institute: Any, number: int) -> int:
    """Somebody of the school is called otherwise, or comes."""
    from rollbook.acts.actor import DEMO
    from rollbook.acts.profiles import Author
    from rollbook.acts.register import Typed, add_person
    from rollbook.clock import SystemClock

    typed = Typed({"given_name": f"Late{number}", "family_name": f"Comer{number}"}, types=["student"])
    add_person(institute, typed, Author(DEMO, SystemClock()), f"late-{number}")
    return 1


def _busy(worker: str) -> bool:
    """Whether a worker is in the midst of a run."""
    from rollbook.store import jobs
    from rollbook.store.models import Job

    return Job.objects.filter(worker=worker, state__in=jobs.UNDER_WAY).exists()


def _quiet() -> bool:
    """Whether everything that was asked for came to its end within the time."""
    from rollbook.store import jobs
    from rollbook.store.models import Job

    deadline, still = time.monotonic() + QUIET_SECONDS, 0
    while time.monotonic() < deadline:
        still = 0 if Job.objects.exclude(state__in=(*jobs.ENDED, *jobs.HELD)).exists() else still + 1
        if still == 10:
            return True
        time.sleep(0.5)
    return False


def _found(fleet: Fleet, institutes: list[Any]) -> dict[str, Any]:
    """What is not as it should be, in numbers."""
    with ThreadPoolExecutor(2) as pool:
        left = Counter(pool.map(_left_to_do, institutes))
    return {
        "tenants": len(institutes),
        "not converged": sum(count for changes, count in left.items() if changes),
        "at once": _overlapping(),
        "accounts twice": _twice(fleet),
        "jobs": dict(_states()),
        "waiting for": dict(_waiting_for()),
    }


def _waiting_for() -> Counter[str]:
    """What holds the plans that wait for somebody."""
    from rollbook.store.models import Job, Run

    runs = Run.objects.filter(jobs__state=Job.State.APPROVAL_DUE)
    return Counter(str(objection["code"]) for run in runs for objection in run.objections)


def _states() -> Counter[str]:
    from rollbook.store.models import Job

    return Counter(Job.objects.values_list("state", flat=True))


def _left_to_do(institute: Any) -> int:
    """How many changes a look at everything, the tenant read anew, would still make."""
    import datetime as dt

    from django.db import close_old_connections

    from rollbook.acts.actor import DEMO
    from rollbook.acts.runs import session
    from rollbook.clock import SystemClock
    from rollbook.plan.changes import ChangeVerdict

    try:
        with session(institute, dt.datetime.now(dt.UTC).date(), DEMO, SystemClock()) as opened:
            plan, _ = opened.plan()
        return int((plan.changes["verdict"] == int(ChangeVerdict.PLANNED)).sum())
    finally:
        close_old_connections()


def _overlapping() -> int:
    """How often two jobs of one tenant were under way at once, as the trail has it."""
    from rollbook.store.models import Job, Trail

    tenant_of = {str(public): tenant for public, tenant in Job.objects.values_list("public_id", "tenant")}
    under_way: dict[int, set[str]] = defaultdict(set)
    twice = 0
    entries = Trail.objects.filter(action__startswith="job.").order_by("pk").values_list("action", "content")
    for action, content in entries:
        held = under_way[tenant_of[content["job"]]]
        if action in ("job.planning", "job.applying"):
            held.add(content["job"])
            twice += len(held) > 1
        elif not action.startswith("job.wish"):
            held.discard(content["job"])
    return twice


def _twice(fleet: Fleet) -> int:
    """How many accounts there are that are nobody's: beside the one of each linked person, and the tenant's administrator."""
    from rollbook.store.models import Link

    linked = Counter(
        Link.objects.filter(kind=Link.Kind.USER, object_id__isnull=False).values_list("tenant__tid", flat=True)
    )
    held = {
        tenant["id"]: fleet.control("state", {"tenant": tenant["id"]}, "GET")["users"]
        for tenant in fleet.said["tenants"]
    }
    return sum(users - 1 - linked[tid] for tid, users in held.items())


def _tell(text: str) -> None:
    print(f"soak: {text}", file=sys.stderr, flush=True)


def _conclude(found: dict[str, Any]) -> int:
    for name, value in found.items():
        print(f"{name:16} {value if not isinstance(value, float) else round(value)}")
    held = found["quiet"] and not (found["not converged"] or found["at once"] or found["accounts twice"])
    enough = found["hits"] >= min(10, found["kills"])
    print("soak: all as it should be" if held and enough else "soak: NOT as it should be")
    return 0 if held and enough else 1


if __name__ == "__main__":
    sys.exit(main())
