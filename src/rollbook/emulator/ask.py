"""One Graph call as its handler sees it: after sign-in, routing and parsing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .tenant.tenant import Tenant
from .wire import Record, bad_request


@dataclass(slots=True)
class Ask:
    """One Graph request after sign-in and routing; `body` is parsed JSON, header names are lower case. Nobody changes it."""

    method: str
    path: str
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    tenant: Tenant
    app: Record
    roles: frozenset[str]
    base: str
    now: float

    @property
    def app_id(self) -> str:
        """The client id of the application that asks."""
        return str(self.app["client_id"])

    def record(self) -> Record:
        """The body as a JSON object, else a 400 refusal: every write of this API takes an object."""
        if not isinstance(self.body, dict):
            raise bad_request("Empty Payload. JSON content expected.", code="BadRequest")
        return self.body
