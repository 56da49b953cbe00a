"""A load generator that is not in the way: requests are bytes made beforehand, sent over a few kept connections."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence

CONNECTIONS = 4


class Connection:
    """One kept HTTP/1.1 connection."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._left = b""

    def send(self, request: bytes) -> None:
        """Send one request."""
        self._socket.sendall(request)

    def receive(self) -> bytes:
        """The answer to the oldest request: its status line, headers and body. Raises if it is no success."""
        while b"\r\n\r\n" not in self._left:
            self._left += self._more()
        head, _, rest = self._left.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        while len(rest) < length:
            rest += self._more()
        self._left = rest[length:]
        if head[9:10] != b"2":
            raise AssertionError(head.decode() + rest[:length].decode())
        return rest[:length]

    def _more(self) -> bytes:
        found = self._socket.recv(1 << 20)
        if not found:
            raise ConnectionError("the server ended the connection")
        return found

    def close(self) -> None:
        """End the connection."""
        self._socket.close()


def request(method: str, path: str, token: str = "", body: bytes = b"") -> bytes:
    """The bytes of one request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def per_second(port: int, requests: Sequence[bytes]) -> float:
    """How many of these requests are answered in a second; all have to succeed."""
    connections = [Connection(port) for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    for start in range(0, len(requests), CONNECTIONS):
        wave = requests[start : start + CONNECTIONS]
        for connection, each in zip(connections, wave, strict=False):
            connection.send(each)
        for connection, _ in zip(connections, wave, strict=False):
            connection.receive()
    taken = time.perf_counter() - began
    for connection in connections:
        connection.close()
    return len(requests) / taken


def median_seconds(port: int, one: bytes, repeats: int = 15) -> float:
    """The median time of one request, in seconds, after three that are not counted."""
    connection = Connection(port)
    times = []
    for _ in range(repeats + 3):
        began = time.perf_counter()
        connection.send(one)
        connection.receive()
        times.append(time.perf_counter() - began)
    connection.close()
    return sorted(times[3:])[repeats // 2]
