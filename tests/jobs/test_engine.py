"""What we rely on of the job engine, tried with real processes and real kills, on both databases (docs/decisions/0013-jobs.md)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.kill

SCRIPT = """
    import os, sys, threading, time
    from pathlib import Path
    from rollbook.jobs import Engine, place_of
    from rollbook.store.database import database

    folder, name, url, give, dead = Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5]

    def said(word, job):
        with (folder / "said").open("a") as file:
            file.write(f"{word} {job} {name}\\n")

    def turn(job, number):
        said("begin", job)
        while not (folder / "go").exists():
            time.sleep(0.02)
        time.sleep(0.1)
        said("end", job)

    engine = Engine(place_of(database(url, folder), folder), name, 4, turn)
    engine.start()
    for pair in filter(None, give.split(",")):
        job, tenant = map(int, pair.split(":"))
        engine.give(job, 1, tenant)
        engine.give(job, 1, tenant)
    if dead:
        engine.take_over([dead])
    said("ready", 0)
    while not (folder / f"stop-{name}").exists():
        time.sleep(0.02)
    engine.stop(5)
"""


class Play:
    """Workers as processes, and what they said, in order."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, give: str = "", dead: str = "") -> subprocess.Popen[bytes]:
        """A worker that gives `give` ("job:tenant,...") to the engine, each twice, and takes over what `dead` had."""
        arguments = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(self.folder), name, self.url, give, dead]
        root = Path(__file__).parents[2]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(root / "src"), str(root)))}
        process = subprocess.Popen(arguments, env=environment)
        self.processes.append(process)
        return process

    def said(self) -> list[str]:
        path = self.folder / "said"
        return path.read_text().splitlines() if path.exists() else []

    def wait_for(self, count: int, word: str) -> list[str]:
        """The lines, once so many begin with the word; no test waits longer than a minute for that."""
        deadline = time.monotonic() + 60
        while sum(line.startswith(word) for line in self.said()) < count:
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.02)
        return self.said()

    def let_go(self) -> None:
        """Turns end from now on."""
        (self.folder / "go").touch()


@pytest.fixture
def play(store: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Play]:
    url = "" if store == "sqlite" else request.getfixturevalue("postgres_store")
    found = Play(tmp_path, url)
    yield found
    for process in found.processes:
        if process.poll() is None:
            process.kill()
        process.wait()


def test_a_turn_given_twice_is_taken_once_and_one_tenant_has_one_at_a_time(play: Play):
    play.start("one", "1:7,2:7,3:8")

    play.wait_for(2, "begin")
    play.let_go()
    said = [line.rpartition(" ")[0] for line in play.wait_for(3, "end")]

    assert sorted(line for line in said if line.startswith("begin")) == ["begin 1", "begin 2", "begin 3"]
    assert said.index("end 1") < said.index("begin 2")
    assert said.index("begin 3") < said.index("end 1")


def test_what_a_killed_worker_was_at_goes_on_with_the_next_one(play: Play):
    first = play.start("one", "1:7,2:7")
    play.wait_for(1, "begin")
    first.send_signal(signal.SIGKILL)
    first.wait()

    play.let_go()
    play.start("two", dead="one")
    said = play.wait_for(2, "end")

    ended = [line for line in said if line.startswith("end")]
    assert ended == ["end 1 two", "end 2 two"]


def test_a_worker_that_is_stopped_kindly_ends_its_turn_first(play: Play):
    first = play.start("one", "1:7")
    play.wait_for(1, "begin")
    (play.folder / "stop-one").touch()
    play.let_go()

    assert first.wait(30) == 0
    assert "end 1 one" in play.said()
