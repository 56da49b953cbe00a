"""`rollbook serve`: the portal, on this machine only."""

from __future__ import annotations

import ipaddress
import json
from typing import Annotated

import typer

from rollbook.cli.console import Json
from rollbook.errors import InputRefused


def serve(
    host: Annotated[str, typer.Option(help="Loopback address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 picks a free one.")] = 8364,
    as_json: Json = False,
) -> None:
    """Serve the portal until Ctrl-C. There is no sign-in yet, so it answers on this machine only."""
    from rollbook.store.setup import open_store
    from rollbook.web.server import run

    if not ipaddress.ip_address(host).is_loopback:
        raise InputRefused(
            f"{host} is not an address of this machine alone, and the portal has no sign-in yet.",
            remedy="Use 127.0.0.1.",
        )
    open_store()
    run(host, port, lambda url: typer.echo(json.dumps({"portal": url}) if as_json else f"The portal is at {url}"))
