"""What goes in and out of one Graph call: the answer, the refusal.

Knows Microsoft's error envelope (graph.md sections 2.4 and 10). Knows no HTTP library and no call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .clock import iso

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, JSON value (None for an empty body, str for plain text) and extra headers of one answer."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Detail:
    """One entry of `error.details`: code, message and the property it is about."""

    code: str
    message: str
    target: str


class Refusal(Exception):
    """A call that Graph refuses: HTTP status, error code, message, details and headers such as Retry-After."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: tuple[Detail, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.headers = headers or {}


def error_body(refusal: Refusal, now: float, request_id: str, client_request_id: str) -> Record:
    """The OData error envelope of graph.md section 10 for one refusal."""
    inner: Record = {"date": iso(now)[:-1], "request-id": request_id, "client-request-id": client_request_id}
    if refusal.status == 429:
        inner = {"code": "429", "status": "429", **inner}
    error: Record = {"code": refusal.code, "message": refusal.message}
    if refusal.details:
        error["details"] = [{"code": d.code, "message": d.message, "target": d.target} for d in refusal.details]
    error["innerError"] = inner
    return {"error": error}


def bad_request(message: str, code: str = "Request_BadRequest") -> Refusal:
    """400 without details."""
    return Refusal(400, code, message)


def invalid_value(target: str, message: str) -> Refusal:
    """400 with `details[].code` InvalidValue on the property `target` (section 2.4)."""
    return Refusal(400, "Request_BadRequest", message, (Detail("InvalidValue", message, target),))


def conflict(target: str) -> Refusal:
    """400 ObjectConflict: another object already has this value (section 2.4; not a 409)."""
    message = f"Another object with the same value for property {target} already exists."
    return Refusal(400, "Request_BadRequest", message, (Detail("ObjectConflict", message, target),))


def not_found(key: str) -> Refusal:
    """404 Request_ResourceNotFound for an object id or key."""
    message = f"Resource '{key}' does not exist or one of its queried reference-property objects are not present."
    return Refusal(404, "Request_ResourceNotFound", message)


def denied(message: str = "Insufficient privileges to complete the operation.") -> Refusal:
    """403 Authorization_RequestDenied: a permission is missing or the object is protected."""
    return Refusal(403, "Authorization_RequestDenied", message)
