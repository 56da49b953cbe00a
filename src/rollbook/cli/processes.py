"""Processes the command line starts beside itself: found again by a file in the installation's folder, stopped by their pid."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rollbook.clock import SystemClock
from rollbook.errors import InputRefused

CLOCK = SystemClock()

_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}
"""Processes this one started, by pid: they stay visible to us as children until they are waited for."""
READY_SECONDS = 60.0
STOP_SECONDS = 10.0


def answers(url: str) -> bool:
    """Whether a server answers at this address on this machine."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - addresses of our own, on loopback
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def get_json(url: str) -> Any:
    """The JSON document at this address on this machine."""
    with urllib.request.urlopen(url, timeout=60) as response:  # noqa: S310
        return json.load(response)


def post(url: str, body: Any = None) -> None:
    """Ask a control address on this machine to do what it does."""
    sent = json.dumps({} if body is None else body).encode()
    request = urllib.request.Request(url, data=sent, method="POST", headers={"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=60):  # noqa: S310
        return


def start(arguments: Sequence[str], log: Path) -> tuple[int, dict[str, Any]]:
    """A process of this program that outlives this one: its pid, and the JSON line it says when it is ready.

    It writes to `log`. Raises InputRefused with the last line of it if the process ends before it is ready.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w+", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "rollbook", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _CHILDREN[process.pid] = process
    deadline = CLOCK.monotonic() + READY_SECONDS
    while CLOCK.monotonic() < deadline:
        said = [line for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
        if said:
            return process.pid, json.loads(said[0])
        if process.poll() is not None:
            break
        CLOCK.sleep(0.05)
    else:
        stop(process.pid)
    lines = log.read_text(encoding="utf-8").strip().splitlines()
    raise InputRefused(
        f"`rollbook {' '.join(arguments[:2])}` did not start: {lines[-1] if lines else 'it said nothing'}",
        remedy=f"See {log}.",
    )


def alive(pid: int) -> bool:
    """Whether a process of this pid runs."""
    child = _CHILDREN.get(pid)
    if child is not None:
        return child.poll() is None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def stop(pid: int) -> None:
    """End the process, kindly at first."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if not alive(pid):
            return
        os.kill(pid, how)
        deadline = CLOCK.monotonic() + STOP_SECONDS
        while alive(pid) and CLOCK.monotonic() < deadline:
            CLOCK.sleep(0.05)
