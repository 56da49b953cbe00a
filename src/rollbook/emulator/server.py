"""The emulator as a server on loopback: HTTP in, the right part asked, HTTP out. One thread, so calls never overlap."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import parse_qs

import orjson
import uvicorn

from .clock import Clock
from .cloud import Cloud
from .config import Config
from .control import Control
from .counters import Counters
from .faults import CloseConnection, Faults
from .graph import VERSION, Flight, Graph, Incoming
from .pages import Pages
from .quotas import Quotas
from .signin.service import SignIn
from .tenant.journal import FileJournal, Journal, MemoryJournal
from .tenant.tenant import Tenant
from .tls import Files, make_certificate
from .wire import Answer

CONTROL = "/_emulator"


class Application:
    """The ASGI application of one emulated Microsoft 365."""

    def __init__(self, config: Config, shutdown: Callable[[], None]) -> None:
        clock = Clock(config.speed)
        journal: Journal = FileJournal(config.state) if config.state else MemoryJournal()
        self.cloud = Cloud(config, clock, journal)
        self.signin = SignIn(self.cloud)
        counters = Counters(self.cloud)
        quotas = Quotas(clock, config.quota_scale)
        self.graph = Graph(self.cloud, self.signin.access, quotas, counters, Faults(config.seed))
        self.control = Control(self.graph, self.signin, shutdown)
        self._pages = Pages(self.graph, self.control)
        self._scheme = "https" if config.tls else "http"

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        flight = Flight()
        body = await _body(receive)
        try:
            answer = self._answer(scope, body, flight)
        except CloseConnection:
            flight.left = monotonic()
            _close(receive)
            return
        if flight.latency:
            await asyncio.sleep(flight.latency)
        await _send(send, answer, truncated=flight.truncated)
        flight.left = monotonic()
        if flight.truncated:
            _close(receive)

    def _answer(self, scope: dict[str, Any], body: bytes, flight: Flight) -> Answer:
        path, query = scope["raw_path"].decode(), scope["query_string"].decode()
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        host = f"{headers.get('x-forwarded-proto', self._scheme)}://{headers.get('host', '')}"
        method = scope["method"]
        if path.startswith(f"{VERSION}/"):
            return self.graph.answer(Incoming(method, path[len(VERSION) :], query, headers, body, host, flight))
        if path.startswith(CONTROL):
            return self._controlled(method, path.removeprefix(CONTROL), query, body)
        if path.endswith("/token"):
            self.graph.counters.tokens += 1
        try:
            answer = self.signin.answer(method, path, query, headers, body, host)
        finally:
            self.cloud.save()
        if answer is None:
            answer = self._pages.answer(method, path, query, body, headers.get("origin"), host)
        if answer is None:
            return Answer(404, {"error": {"code": "NotFound", "message": f"Nothing is at {path}."}})
        return answer

    def _controlled(self, method: str, path: str, query: str, body: bytes) -> Answer:
        """A control call; reading ones may say in the query what others say in the body."""
        try:
            asked = (
                orjson.loads(body) if body else {name: values[0] for name, values in parse_qs(query).items()} or None
            )
        except orjson.JSONDecodeError as error:
            return Answer(400, {"error": f"the body is no JSON: {error}"})
        return self.control.answer(method, path, asked)


async def _body(receive: Any) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _close(receive: Any) -> None:
    """End the connection without an answer; uvicorn's request cycle, whose method `receive` is, holds the transport."""
    receive.__self__.transport.abort()


async def _send(send: Any, answer: Answer, *, truncated: bool = False) -> None:
    text = isinstance(answer.body, str)
    raw = b"" if answer.body is None else answer.body.encode() if text else orjson.dumps(answer.body)
    kind = "text/html; charset=utf-8" if text else "application/json"
    headers = {"Content-Length": str(len(raw)), **({"Content-Type": kind} if raw else {}), **answer.headers}
    if answer.status == 204:
        del headers["Content-Length"]
    if answer.headers.get("Content-Type") == "text/plain":
        headers["Content-Type"] = "text/plain"
    encoded = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    await send(
        {"type": "http.response.body", "body": raw[: len(raw) // 2] if truncated else raw, "more_body": truncated}
    )


class Emulator:
    """An emulated Microsoft 365 in a thread of its own: `with Emulator(Config()) as tenant: tenant.graph ...`."""

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        self._socket = _bound(self.config)
        try:
            self.application = Application(self.config, self._shutdown)
        except BaseException:
            self._socket.close()
            raise
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._files = self._certificate()
        self._server = uvicorn.Server(
            uvicorn.Config(
                self.application,
                log_level="warning",
                lifespan="off",
                server_header=False,
                date_header=False,
                ssl_certfile=self._files.certificate if self._files else None,
                ssl_keyfile=self._files.key if self._files else None,
            )
        )
        self._thread: threading.Thread | None = None
        scheme = "https" if self.config.tls else "http"
        shown = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
        self.login = f"{scheme}://{shown}:{self._socket.getsockname()[1]}"
        self.graph = f"{self.login}{VERSION}"
        self.control = f"{self.login}{CONTROL}"

    def _certificate(self) -> Files | None:
        """With TLS a new certificate, beside the state or in a folder of its own."""
        if not self.config.tls:
            return None
        if self.config.state:
            return make_certificate(self.config.state.parent)
        self._folder = tempfile.TemporaryDirectory(prefix="emulator-")
        return make_certificate(Path(self._folder.name))

    @property
    def certificate(self) -> Path | None:
        """The certificate as a PEM file, usable as a CA file; None without TLS."""
        return self._files.certificate if self._files else None

    @property
    def tenants(self) -> list[dict[str, Any]]:
        """The tenants, with the administrator of each."""
        return [
            {
                "id": tenant.id,
                "domain": tenant.domain,
                "admin": {"username": f"admin@{tenant.initial}", "password": tenant.admin_password},
            }
            for tenant in self.application.cloud.tenants.values()
        ]

    @property
    def directory(self) -> Tenant:
        """The first tenant itself, for those who share the process with it."""
        return next(iter(self.application.cloud.tenants.values()))

    @property
    def apps(self) -> list[dict[str, Any]]:
        """The app registrations with their secrets, each with a tenant that consented, or the first one."""
        cloud = self.application.cloud
        first = next(iter(cloud.tenants.values()))
        found = []
        for app in cloud.apps.values():
            home = next((t for t in cloud.tenants.values() if app["client_id"] in t.consents), None)
            secret = app["secrets"][0]["value"] if app["secrets"] else None
            entry = {"client_id": app["client_id"], "client_secret": secret}
            found.append({**entry, "tenant": (home or first).id, "consented": home is not None})
        return found

    def announcement(self) -> dict[str, Any]:
        """What `rollbook emulator serve` prints when it is ready."""
        return {
            "graph": self.graph,
            "login": self.login,
            "control": self.control,
            "certificate": str(self.certificate) if self.certificate else None,
            "tenants": self.tenants,
            "apps": self.apps,
        }

    def __enter__(self) -> Emulator:
        """The emulator, answering."""
        self._thread = threading.Thread(target=self.run, name="emulator", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop answering and release the file."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()

    def run(self) -> None:
        """Serve in this thread until told to stop."""
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self.application.cloud.close()
            if self._folder is not None:
                self._folder.cleanup()
            self._socket.close()

    def _shutdown(self) -> None:
        self._server.should_exit = True


def _bound(config: Config) -> socket.socket:
    """A socket that already accepts connections, so that nobody has to wait until the server is up."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it every kept connection waits 40 ms an answer.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((config.host, config.port))
    except OSError:
        bound.close()
        raise
    bound.listen(256)
    return bound


def serve(config: Config, announce: Callable[[dict[str, Any]], None]) -> None:
    """Serve in the foreground until SIGINT, SIGTERM or the control call; `announce` is called once it can be asked."""
    emulator = Emulator(config)
    announce(emulator.announcement())
    emulator.run()
