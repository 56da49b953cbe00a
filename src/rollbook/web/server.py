"""The portal as a server: Django through WSGI in a thread pool, health as a native route, in one process on loopback."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, cast

import uvicorn
from a2wsgi import WSGIMiddleware
from django.db import close_old_connections
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from rollbook.clock import SystemClock
from rollbook.errors import InputRefused, StoreUnusable
from rollbook.store.setup import require_current

THREADS = 8


async def _health(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


def _ready(request: Request) -> PlainTextResponse:
    """Whether pages can be answered: the database is there, and of this version."""
    try:
        require_current()
    except StoreUnusable as error:
        return PlainTextResponse(f"not ready: {error.message}\n", status_code=503)
    finally:
        close_old_connections()
    return PlainTextResponse("ready\n")


def _metrics(request: Request) -> Response:
    """What Prometheus asks for; of this process and of the store."""
    from rollbook.store.metrics import CONTENT_TYPE, exposed  # the store has to be open

    try:
        return Response(exposed(SystemClock()), media_type=CONTENT_TYPE)
    finally:
        close_old_connections()


def application() -> Starlette:
    """The ASGI application of the portal; the store has to be open."""
    from django.core.wsgi import get_wsgi_application

    # Two packages describe the same protocols by types of their own.
    portal: Any = WSGIMiddleware(cast(Any, get_wsgi_application()), workers=THREADS)
    return Starlette(
        routes=[Route("/healthz", _health), Route("/readyz", _ready), Route("/metrics", _metrics), Mount("/", portal)]
    )


def run(host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `on_ready` is told the address once connections are accepted."""
    # asyncio sets TCP_NODELAY only where the protocol is named; without it a kept connection waits 40 ms an answer.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise InputRefused(
            f"Port {port} cannot be used: {error.strerror}.",
            remedy="Name another with --port, or 0 for any that is free.",
        ) from error
    bound.listen(128)
    shown = f"[{host}]" if ":" in host else host
    on_ready(f"http://{shown}:{bound.getsockname()[1]}")
    config = uvicorn.Config(application(), log_level="warning", lifespan="off", server_header=False)
    uvicorn.Server(config).run(sockets=[bound])
