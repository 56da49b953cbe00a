"""The emulated tenant on one core: single calls against a bare route, batches, and a large tenant against a small one."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.load import Connection, median_seconds, per_second, request
from bench.rows import Row

SMALL, LARGE, CLASSES, CLASS_SIZE = 1_000, 100_000, 40_000, 24
GETS, BATCHES = 4_000, 400
MOST_BYTES = 1_500_000_000
MOST_SECONDS = 20.0
READS, CREATIONS = 30_000.0, 4_000.0


def measure() -> list[Row]:
    """The rows of the area `emulator`."""
    with tempfile.TemporaryDirectory(prefix="rollbook-bench-") as folder:
        return [*_calls(), *_sizes(Path(folder))]


def _pinned() -> None:
    """The server gets the last core for itself, where the system lets us say so."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


@contextlib.contextmanager
def server(command: list[str]) -> Iterator[tuple[str, int]]:
    """A server of its own on one core; its first line, and its pid. Stopped at the end."""
    running = subprocess.Popen(
        [sys.executable, "-m", *command],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=_pinned,  # noqa: PLW1509
    )
    assert running.stdout is not None
    try:
        yield running.stdout.readline(), running.pid
    finally:
        running.terminate()
        running.wait()
        running.stdout.close()


class Running:
    """An emulator that was started: port, token, control calls."""

    def __init__(self, line: str) -> None:
        said = json.loads(line)
        self.control_url = said["control"]
        self.port = int(urllib.parse.urlsplit(said["login"]).port or 0)
        app = said["apps"][0]
        form = {
            "client_id": app["client_id"],
            "client_secret": app["client_secret"],
            "grant_type": "client_credentials",
        }
        form["scope"] = "https://graph.microsoft.com/.default"
        url = f"{said['login']}/{app['tenant']}/oauth2/v2.0/token"
        with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode()) as answer:
            self.token = json.load(answer)["access_token"]

    def control(self, call: str, body: dict[str, Any]) -> None:
        """Ask for a control call."""
        asked = urllib.request.Request(f"{self.control_url}/{call}", json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(asked) as answer:
            answer.read()

    def counted(self) -> dict[str, Any]:
        """What the emulator counted since the last reset."""
        with urllib.request.urlopen(f"{self.control_url}/counters") as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def get(self, path: str) -> dict[str, Any]:
        """One Graph answer."""
        connection = Connection(self.port)
        connection.send(self.bytes("GET", path))
        found: dict[str, Any] = json.loads(connection.receive())
        connection.close()
        return found

    def bytes(self, method: str, path: str, body: Any = None) -> bytes:
        """A Graph request, ready to be sent."""
        raw = b"" if body is None else json.dumps(body).encode()
        return request(method, f"/v1.0{path.replace(' ', '%20')}", self.token, raw)


EMULATOR = ["rollbook", "emulator", "serve", "--port", "0", "--quota-scale", "off", "--delays", "off"]


def _calls() -> list[Row]:
    with server(["bench.bare"]) as (line, _):
        asked = [request("GET", f"/v1.0/users/{number}") for number in range(GETS)]
        bare = per_second(int(line), asked)
    with server(EMULATOR) as (line, _):
        tenant = Running(line)
        created = per_second(tenant.port, [_creations(tenant, number) for number in range(BATCHES)]) * 20
        keys = [user["id"] for user in tenant.get("/users?$top=999&$select=id")["value"]]
        gets = [tenant.bytes("GET", f"/users/{keys[number % len(keys)]}") for number in range(GETS)]
        single = per_second(tenant.port, gets)
        read = per_second(tenant.port, [_reads(tenant, keys, number) for number in range(BATCHES)]) * 20
    return [
        Row("GET by id against a bare Starlette route", single, "calls/s", bare, 0.3, floor=True),
        Row("batched reads", read, "calls/s", READS, 1.0, floor=True),
        Row("batched user creations", created, "calls/s", CREATIONS, 1.0, floor=True),
    ]


def _creations(tenant: Running, batch: int) -> bytes:
    calls = []
    for number in range(batch * 20, batch * 20 + 20):
        body = {
            "accountEnabled": True,
            "displayName": f"User {number}",
            "mailNickname": f"user{number}",
            "userPrincipalName": f"user{number}@sample-school.example",
            "passwordProfile": {"password": "Correct-horse-1"},
        }
        headers = {"Content-Type": "application/json"}
        calls.append({"id": str(number), "method": "POST", "url": "/users", "headers": headers, "body": body})
    return tenant.bytes("POST", "/$batch", {"requests": calls})


def _reads(tenant: Running, keys: list[str], batch: int) -> bytes:
    chosen = (keys[(batch * 20 + number) % len(keys)] for number in range(20))
    calls = [{"id": str(number), "method": "GET", "url": f"/users/{key}"} for number, key in enumerate(chosen)]
    return tenant.bytes("POST", "/$batch", {"requests": calls})


def _sizes(folder: Path) -> list[Row]:
    """A tenant of 1,000 users beside one of 100,000 with 1,000,000 memberships: pages, memory, saving, loading."""
    with server(EMULATOR) as (line, _):
        tenant = Running(line)
        tenant.control("seed", {"people": SMALL, "classes": 40, "class_size": CLASS_SIZE})
        small = _pages(tenant)
    state = str(folder / "large.state")
    with server([*EMULATOR, "--state", state]) as (line, pid):
        tenant = Running(line)
        began = time.perf_counter()
        tenant.control("seed", {"people": LARGE, "classes": CLASSES, "class_size": CLASS_SIZE})
        saved = time.perf_counter() - began
        large = _pages(tenant)
        held = float(_resident(pid))
    began = time.perf_counter()
    with server([*EMULATOR, "--state", state]) as (line, _):
        loaded = time.perf_counter() - began
        assert len(Running(line).get("/users?$top=999")["value"]) == 999
    pages = [Row(f"{name}: 100,000 users against 1,000", large[name], "s", small[name], 2.0) for name in small]
    return [
        *pages,
        Row("memory of 100,000 users with 1,000,000 memberships", held, "bytes", MOST_BYTES, 1.0),
        Row("that tenant seeded and saved", saved, "s", MOST_SECONDS, 1.0),
        Row("that tenant loaded", loaded, "s", MOST_SECONDS, 1.0),
    ]


def _pages(tenant: Running) -> dict[str, float]:
    """Median seconds of pages whose cost should not depend on how many others there are."""
    group = tenant.get("/groups?$filter=mailNickname eq 'class7'")["value"][0]["id"]
    link = tenant.get("/users/delta?$deltatoken=latest")["@odata.deltaLink"]
    user = tenant.get("/users?$top=1")["value"][0]["id"]
    change = Connection(tenant.port)
    change.send(tenant.bytes("PATCH", f"/users/{user}", {"jobTitle": "changed"}))
    change.receive()
    change.close()
    later = link.partition("/v1.0")[2]
    return {
        "first delta page": median_seconds(tenant.port, tenant.bytes("GET", "/users/delta")),
        "delta after one change": median_seconds(tenant.port, tenant.bytes("GET", later)),
        "filter by employeeId": median_seconds(tenant.port, tenant.bytes("GET", "/users?$filter=employeeId eq '7'")),
        "member page": median_seconds(tenant.port, tenant.bytes("GET", f"/groups/{group}/members")),
    }


def _resident(pid: int) -> int:
    """Bytes of memory a process has, now."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024
