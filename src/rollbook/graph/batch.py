"""JSON batching: up to twenty requests in one, and their answers told apart again (graph.md section 8). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rollbook.graph.protocol import Answer, Request

SIZE = 20
"""Microsoft's limit."""


def pack(requests: Sequence[Request]) -> Request:
    """One `$batch` of 1 to 20 requests, numbered from "0" in their order."""
    if not 0 < len(requests) <= SIZE:
        raise ValueError(f"a batch takes 1 to {SIZE} requests, not {len(requests)}")
    return Request("POST", "/$batch", {"requests": [_entry(n, request) for n, request in enumerate(requests)]})


def _entry(number: int, request: Request) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": str(number), "method": request.method, "url": request.path}
    headers = dict(request.headers)
    if request.body is not None:
        headers["Content-Type"] = "application/json"
        entry["body"] = request.body
    if headers:
        entry["headers"] = headers
    return entry


def unpack(answer: Answer, count: int) -> list[Answer | None]:
    """The answers in the order of the requests, whatever order they came in; None where one is missing."""
    by_id: dict[str, Mapping[str, Any]] = {entry["id"]: entry for entry in answer.body["responses"]}
    return [_answer(by_id.get(str(number))) for number in range(count)]


def _answer(entry: Mapping[str, Any] | None) -> Answer | None:
    if entry is None:
        return None
    headers = {name.lower(): str(value) for name, value in (entry.get("headers") or {}).items()}
    return Answer(int(entry["status"]), headers, entry.get("body"))
