"""`rollbook serve`: the portal and a worker in one process, on this machine only."""

from __future__ import annotations

import ipaddress
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from rollbook.cli import logs
from rollbook.cli.console import Json, err
from rollbook.cli.worker import Slots
from rollbook.errors import InputRefused, TenantBusy


def serve(
    host: Annotated[str, typer.Option(help="Loopback address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 picks a free one.")] = 8364,
    with_worker: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Carry out synchronizations in this process, too.")
    ] = True,
    concurrency: Slots = 4,
    as_json: Json = False,
) -> None:
    """Serve the portal until Ctrl-C, and carry out synchronizations: by schedule, after changes in the register, whatever is asked for.

    There is no sign-in yet, so it answers on this machine only.
    """
    from rollbook.store.setup import open_store
    from rollbook.web.server import run

    if not ipaddress.ip_address(host).is_loopback:
        raise InputRefused(
            f"{host} is not an address of this machine alone, and the portal has no sign-in yet.",
            remedy="Use 127.0.0.1.",
        )
    logs.configure()
    open_store()
    with working(concurrency if with_worker else 0):
        run(host, port, lambda url: typer.echo(json.dumps({"portal": url}) if as_json else f"The portal is at {url}"))


@contextmanager
def working(slots: int) -> Iterator[None]:
    """A worker of so many slots in a thread beside the block; none where there is one already, or `slots` is 0."""
    if not slots:
        yield
        return
    from rollbook.acts.chores import CHORES
    from rollbook.acts.worker import Worker
    from rollbook.cli.processes import CLOCK

    stop = threading.Event()
    left: list[bool] = []

    def work() -> None:
        try:
            left.append(Worker(slots, CLOCK, CHORES).run(stop))
        except TenantBusy as busy:
            err.print(f"{busy.message} The portal is served without one.", markup=False)

    thread = threading.Thread(target=work, name="worker")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if left == [False]:
        # A synchronization waits for an answer of Microsoft's: it is killed, and goes on when a worker begins again.
        os._exit(0)
