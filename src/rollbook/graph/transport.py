"""The one door to Microsoft Graph: a pool of connections, a bearer token, bytes out and bytes in."""

from __future__ import annotations

import ipaddress
import uuid
from typing import Protocol
from urllib.parse import urlsplit

import orjson
import urllib3
from prometheus_client import Counter

from rollbook.errors import InputRefused, Later, Stop
from rollbook.graph.protocol import Answer, Request, decipher

CONNECT_SECONDS = 10.0
READ_SECONDS = 120.0

UNREACHABLE = "Look whether this machine reaches the network, and try again; nothing is lost."
"""What to do when nobody listens at Microsoft's address."""


class Token(Protocol):
    """Gives access tokens."""

    def __call__(self, *, renew: bool = False) -> str:
        """The token in use; a new one if `renew`."""
        ...


class Lost(Later):
    """The connection ended before an answer came: a write may or may not have been carried out."""


class Transport:
    """Sends one request at a time a thread; may be shared by threads."""

    def __init__(self, base_url: str, token: Token, connections: int = 16, unreachable: str = UNREACHABLE) -> None:
        """`unreachable` is what to do when nobody listens at the address."""
        require_safe(base_url)
        self._unreachable = unreachable
        self._base = base_url.rstrip("/")
        self._token = token
        self._pool = urllib3.PoolManager(
            maxsize=connections,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        )

    def close(self) -> None:
        """End all connections."""
        self._pool.clear()

    def token(self) -> str:
        """The access token in use."""
        return self._token()

    def path_of(self, address: str) -> str:
        """A path below our base: of a whole address that lies there, as next links do; a path as it is."""
        return address.removeprefix(self._base)

    def send(self, request: Request) -> Answer:
        """The answer. Raises `Lost` if none came, `Stop` if nobody listens at the address."""
        answer = self._send(request, self._token())
        if answer.status == 401:
            answer = self._send(request, self._token(renew=True))
        return answer

    def _send(self, request: Request, token: str) -> Answer:
        body = None if request.body is None else orjson.dumps(request.body)
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "client-request-id": str(uuid.uuid4()),
            "x-ms-throttle-priority": "low",
            **dict(request.headers),
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            response = self._pool.request(
                request.method, self._url(request), body=body, headers=headers, redirect=False
            )
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
            raise Stop(
                f"Nothing answers at {self._base}.",
                remedy=self._unreachable,
            ) from error
        except (urllib3.exceptions.ProtocolError, urllib3.exceptions.ReadTimeoutError) as error:
            raise Lost("The connection to Microsoft 365 was lost before an answer came.") from error
        except urllib3.exceptions.HTTPError as error:
            raise Stop(f"The connection to {self._base} failed: {error}.", remedy="Check the address.") from error
        answer = decipher(response.status, dict(response.headers), response.data)
        _count(answer)
        return answer

    def _url(self, request: Request) -> str:
        """The whole address; a next link is one already, and is only followed to where we began."""
        if not request.path.startswith("http"):
            return self._base + request.path
        if urlsplit(request.path)[:2] != urlsplit(self._base)[:2]:
            raise Stop("Microsoft 365 sent a next page that lies on another host; it was not followed.")
        return request.path


REQUESTS = Counter("rollbook_graph_requests", "Answers of Microsoft Graph, those in batches one by one", ["status"])
"""Counted in this process, for whoever asks it for metrics; 429 is what Microsoft throttled."""


def _count(answer: Answer) -> None:
    inner = answer.body.get("responses") if isinstance(answer.body, dict) else None
    for status in [part.get("status") for part in inner] if isinstance(inner, list) else [answer.status]:
        REQUESTS.labels(str(status)).inc()


def require_safe(url: str) -> None:
    """Refuse an address that would send a token unencrypted over a network; http is for loopback only."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return
    host = parts.hostname or ""
    if parts.scheme != "http" or not _is_loopback(host):
        raise InputRefused(f"{url} is not encrypted and not on this machine.", remedy="Use an https address.")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
