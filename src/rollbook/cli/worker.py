"""`rollbook worker`: carries out synchronizations that were asked for, until it is told to end."""

from __future__ import annotations

import json
import os
import signal
import threading
from typing import Annotated

import typer

from rollbook.cli import logs
from rollbook.cli.console import Json

Slots = Annotated[
    int, typer.Option("--concurrency", min=1, max=64, help="So many tenants at once; never one of them twice.")
]


MetricsPort = Annotated[int, typer.Option(min=0, max=65535, help="Port for Prometheus on loopback; 0: none.")]


def worker(concurrency: Slots = 4, metrics_port: MetricsPort = 0, as_json: Json = False) -> None:
    """Work until SIGTERM or Ctrl-C: schedules, changes in the register, whatever is asked for (`rollbook queue`).

    When it is to end, what is under way comes to the end of a batch, and goes on with the next worker.
    """
    from rollbook.store.setup import open_store

    logs.configure()
    open_store()  # the modules below need it
    from rollbook.acts.chores import CHORES
    from rollbook.acts.worker import Worker
    from rollbook.cli.processes import CLOCK

    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    if metrics_port:
        from prometheus_client import start_http_server

        start_http_server(metrics_port, addr="127.0.0.1")
    process = Worker(concurrency, CLOCK, CHORES)
    typer.echo(
        json.dumps({"worker": process.name}) if as_json else f"Worker {process.name}, {concurrency} tenants at once"
    )
    if not process.run(stop):
        # A synchronization waits for an answer of Microsoft's: it is killed, and goes on with the next worker.
        os._exit(0)
