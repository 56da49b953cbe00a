"""The emulator as a server on loopback: HTTP in, the right part asked, HTTP out. One thread, so calls never overlap."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import orjson
import uvicorn

from .clock import Clock
from .config import Config
from .control import Control
from .counters import Counters
from .faults import CloseConnection, Faults
from .graph import VERSION, Graph, Incoming
from .pages import page
from .quotas import Quotas
from .signin.tokens import SignIn
from .tenant.journal import FileJournal, Journal, MemoryJournal
from .tenant.tenant import Tenant
from .wire import Answer

CONTROL = "/_emulator"


class Application:
    """The ASGI application of one emulated Microsoft 365."""

    def __init__(self, config: Config, shutdown: Callable[[], None]) -> None:
        clock = Clock(config.speed)
        journal: Journal = FileJournal(config.state) if config.state else MemoryJournal()
        self.tenant = Tenant(config, clock, journal)
        self.signin = SignIn(self.tenant, clock)
        counters = Counters(self.tenant)
        self.graph = Graph(self.tenant, self.signin, Quotas(clock, config.quota_scale), counters, Faults())
        self._control = Control(self.graph, shutdown)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        body = await _body(receive)
        try:
            answer = self._answer(scope, body)
        except CloseConnection:
            _close(receive)
            return
        if self.graph.latency:
            await asyncio.sleep(self.graph.latency)
            self.graph.latency = 0.0
        await _send(send, answer)

    def _answer(self, scope: dict[str, Any], body: bytes) -> Answer:
        path, query = scope["raw_path"].decode(), scope["query_string"].decode()
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = f"{headers.get('x-forwarded-proto', 'http')}://{headers.get('host', '')}"
        method = scope["method"]
        if path.startswith(f"{VERSION}/"):
            return self.graph.answer(Incoming(method, path.removeprefix(VERSION), query, headers, body, host))
        if path.startswith(CONTROL):
            try:
                asked = orjson.loads(body) if body else None
            except orjson.JSONDecodeError as error:
                return Answer(400, {"error": f"the body is no JSON: {error}"})
            return self._control.answer(method, path.removeprefix(CONTROL), asked)
        return self._signin(method, path, body, host) or self._page(path, query)

    def _signin(self, method: str, path: str, body: bytes, host: str) -> Answer | None:
        named, _, rest = path.lstrip("/").partition("/")
        if method == "GET" and rest == "v2.0/.well-known/openid-configuration":
            return self.signin.discovery(named, host)
        if method == "GET" and rest == "discovery/v2.0/keys":
            return self.signin.keys()
        if method == "POST" and rest == "oauth2/v2.0/token":
            self.graph.counters.tokens += 1
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            return self.signin.token(named, form, host)
        return None

    def _page(self, path: str, query: str) -> Answer:
        search = parse_qs(query).get("search", [""])[0]
        html = page(self.graph, path, search)
        if html is None:
            return Answer(404, {"error": {"code": "NotFound", "message": f"Nothing is at {path}."}})
        return Answer(200, html)


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


async def _send(send: Any, answer: Answer) -> None:
    text = isinstance(answer.body, str)
    raw = b"" if answer.body is None else answer.body.encode() if text else orjson.dumps(answer.body)
    kind = "text/html; charset=utf-8" if text else "application/json"
    headers = {"Content-Length": str(len(raw)), **({"Content-Type": kind} if raw else {}), **answer.headers}
    if answer.status == 204:
        del headers["Content-Length"]
    encoded = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    await send({"type": "http.response.body", "body": raw})


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
        self._server = uvicorn.Server(
            uvicorn.Config(
                self.application, log_level="warning", lifespan="off", server_header=False, date_header=False
            )
        )
        self._thread: threading.Thread | None = None
        self.login = f"http://{self.config.host}:{self._socket.getsockname()[1]}"
        self.graph = f"{self.login}{VERSION}"
        self.control = f"{self.login}{CONTROL}"

    @property
    def tenants(self) -> list[dict[str, Any]]:
        """The tenants, with the administrator of each."""
        tenant = self.application.tenant
        admin = {"username": f"admin@{self.config.initial_domain}", "password": tenant.admin_password}
        return [{"id": tenant.id, "domain": self.config.domain, "admin": admin}]

    @property
    def apps(self) -> list[dict[str, Any]]:
        """The app registrations, with their secrets."""
        tenant = self.application.tenant
        app = {"client_id": tenant.client_id, "client_secret": tenant.client_secret}
        return [{**app, "tenant": tenant.id, "consented": True}]

    def announcement(self) -> dict[str, Any]:
        """What `rollbook emulator serve` prints when it is ready."""
        return {
            "graph": self.graph,
            "login": self.login,
            "control": self.control,
            "certificate": None,
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
            self.application.tenant.close()
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
