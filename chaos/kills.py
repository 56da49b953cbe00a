"""A real `rollbook sync` killed with SIGKILL at seeded moments, in a school of five hundred, delivery after delivery.

The moment is a request of the process, and some milliseconds: so it lies anywhere - while it reads, plans, writes to its store, waits.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from tests.store.world import ACTOR, deliver

from chaos import installation, schools
from chaos.bed import DAY, Bed, Expected, Unsettled, expected, faults
from chaos.cases import Ended
from rollbook.acts.runs import session
from rollbook.store.models import Institute

KILLS, PEOPLE, DELIVERIES = 20, 500, 5
ATTEMPTS = 4
"""So many synchronizations for each kill at most: some end before their moment comes."""

LONGEST = 0.25
"""Seconds between the request and the kill, at most."""

ROOT = Path(__file__).parents[1]


@dataclass
class Story:
    """One school's deliveries, and what each has to end with."""

    draw: random.Random
    bed: Bed
    wanted: list[Expected] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    killed: int = 0
    told: list[str] = field(default_factory=list)

    def rehearse(self, people: int, deliveries: int) -> None:
        """Every delivery, synchronized undisturbed; then everything is as at the beginning."""
        school = schools.large(people)
        self.bed.populate(school, "begin")
        self.bed.control("snapshot", {"name": "begin"})
        installation.copied(installation.HOME / "begin.sqlite3", "rehearsal")
        for number in range(deliveries):
            if number:
                deliver(schools.years_on(school, number), accepted=True)
                installation.release()
            self.bed.tap.clear()
            self.bed.attempt()
            self.requests.append(self.bed.tap.seen)
            self.bed.settle()
            self.wanted.append(expected(self.bed))
        installation.copied(installation.HOME / "begin.sqlite3", "story")
        self.bed.control("restore", {"name": "begin"})

    def keep(self) -> None:
        """Remember how school and tenant are now, before a delivery is synchronized."""
        self.bed.control("snapshot", {"name": "before"})
        installation.copied(installation.HOME / "story.sqlite3", "before")
        installation.copied(installation.HOME / "before.sqlite3", "story")

    def begin_again(self) -> None:
        """As it was kept: a synchronization of few requests may have ended before its moment came."""
        self.bed.control("restore", {"name": "before"})
        installation.copied(installation.HOME / "before.sqlite3", "story")

    def kill_once(self, number: int) -> bool:
        """Whether a synchronization of this delivery was killed; False if it ended first."""
        fingerprint = self._fingerprint()
        self.bed.tap.clear()
        at, delay = self.draw.randint(2, max(4, int(self.requests[number] * 0.4))), self.draw.uniform(0.0, LONGEST)
        running = subprocess.Popen(
            [sys.executable, "-m", "rollbook", "sync", "--quiet", "--as-of", str(DAY), "--approve", fingerprint],
            env=_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.bed.tap.happens[at] = [lambda: threading.Timer(delay, _kill, [running]).start()]
        killed = running.wait(timeout=300) == -signal.SIGKILL
        self.bed.tap.clear()
        if killed:
            self.killed += 1
            self.told.append(f"delivery {number}: killed {delay * 1_000:.0f} ms after its request {at}")
        return killed

    def _fingerprint(self) -> str:
        """What the process has to be told so that nobody is asked."""
        with session(Institute.objects.get(), DAY, ACTOR, self.bed.clock) as opened:
            plan, _ = opened.plan()
        installation.release()
        return plan.fingerprint


def _kill(running: subprocess.Popen[bytes]) -> None:
    if running.poll() is None:
        os.kill(running.pid, signal.SIGKILL)


def _environment() -> dict[str, str]:
    path = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    store = installation.HOME / "story.sqlite3"
    return {**os.environ, "DATABASE_URL": f"sqlite:///{store}", "PYTHONPATH": path}


def play(name: str, kills: int = KILLS, people: int = PEOPLE, deliveries: int = DELIVERIES) -> Ended:
    """As many kills as asked for, spread over the deliveries; after those of each, the tenant is as undisturbed."""
    story = Story(random.Random(name), Bed())
    found: list[str] = []
    synchronizations = 0
    try:
        story.rehearse(people, deliveries)
        school = schools.large(people)
        each = -(-kills // deliveries)
        for number in range(deliveries):
            if number:
                deliver(schools.years_on(school, number), accepted=True)
                installation.release()
            story.keep()
            until = min(kills, story.killed + each)
            for _ in range(ATTEMPTS * each):
                if story.killed == until:
                    break
                if not story.kill_once(number):
                    story.begin_again()
            try:
                synchronizations += len(story.bed.settle())
            except Unsettled as unsettled:
                found.append(str(unsettled))
            found += [f"delivery {number}: {fault}" for fault in faults(story.bed, story.wanted[number])]
            if story.killed == kills:
                break
    finally:
        story.bed.stop()
    if not story.killed:
        found.append("nothing was killed")
    return Ended(name, tuple(found), synchronizations, tuple(story.told))
