"""AADSTS faults in Microsoft's form: for the token endpoint, for redirects, for pages (graph.md section 1)."""

from __future__ import annotations

import uuid

from ..clock import iso
from ..wire import Answer, Record


class SignInFault(Exception):
    """A sign-in that is refused: OAuth error, AADSTS number, message, HTTP status at the token endpoint."""

    def __init__(self, error: str, number: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.error = error
        self.number = number
        self.message = message
        self.status = status

    @property
    def description(self) -> str:
        """As Microsoft begins it."""
        return f"AADSTS{self.number}: {self.message}"


def token_fault(fault: SignInFault, now: float, correlation: str = "") -> Answer:
    """The fault as the token endpoint tells it: with a trace of its own, and the caller's correlation, else one of its own too."""
    trace, correlation = str(uuid.uuid4()), correlation or str(uuid.uuid4())
    body: Record = {
        "error": fault.error,
        "error_description": f"{fault.description} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {iso(now)}",
        "error_codes": [fault.number],
        "timestamp": iso(now).replace("T", " "),
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": "",
    }
    return Answer(fault.status, body, {"Cache-Control": "no-store"})
