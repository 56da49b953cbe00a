"""The Graph service: one call after the other, alone or twenty in a batch; token, route, permission, quota, handler, envelope."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import orjson

from .addresses import query_options, segments
from .ask import Ask
from .calls.table import find_call
from .counters import Counters
from .faults import CloseConnection, Fault, Faults, refusal
from .quotas import Quotas
from .signin.tokens import SignIn
from .tenant.tenant import Tenant
from .wire import Answer, Record, Refusal, bad_request, denied, error_body

VERSION = "/v1.0"
BATCH_SIZE = 20


@dataclass(frozen=True, slots=True)
class Incoming:
    """One HTTP request to Graph: path below the version, raw query, lower-case header names, raw body."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    host: str


class Graph:
    """Answers calls of one tenant."""

    def __init__(self, tenant: Tenant, signin: SignIn, quotas: Quotas, counters: Counters, faults: Faults) -> None:
        self.tenant = tenant
        self.signin = signin
        self.quotas = quotas
        self.counters = counters
        self.faults = faults
        self.latency = 0.0

    def answer(self, incoming: Incoming) -> Answer:
        """The answer to one HTTP request; everything it changed is kept when this returns."""
        self.counters.requests += 1
        self.latency = 0.0
        request_id = str(uuid.uuid4())
        client_id = incoming.headers.get("client-request-id", request_id)
        closing = False
        try:
            roles = self.signin.accept(incoming.headers.get("authorization"))
            body = _parsed(incoming.body)
            if incoming.path == "/$batch":
                answer, closing = self._batch(incoming, roles, body, request_id, client_id)
            else:
                answer, closing = self._one(incoming, roles, body, request_id, client_id)
        except Refusal as refused:
            answer = self._refused(refused, request_id, client_id)
        finally:
            self.tenant.save()
        if closing:
            raise CloseConnection
        stamps = {
            "request-id": request_id,
            "client-request-id": client_id,
            "Date": formatdate(self.tenant.clock.now(), usegmt=True),
            "OData-Version": "4.0",
        }
        return Answer(answer.status, answer.body, {**stamps, **answer.headers})

    def _refused(self, refused: Refusal, request_id: str, client_id: str) -> Answer:
        body = error_body(refused, self.tenant.clock.now(), request_id, client_id)
        return Answer(refused.status, body, refused.headers)

    def _one(
        self, incoming: Incoming, roles: frozenset[str], body: Any, request_id: str, client_id: str
    ) -> tuple[Answer, bool]:
        """The answer to one call, and whether the connection has to end instead of telling it."""
        found = find_call(incoming.method, segments(incoming.path))
        kind = found[0].kind if found else f"{incoming.method} (unknown)"
        fault = self.faults.take(f"{incoming.method} {incoming.path}")
        if fault is not None and fault.kind == "close-before":
            raise CloseConnection
        refused: Refusal | None = None
        try:
            self._break(fault)
            if found is None:
                raise Refusal(400, "BadRequest", f"Resource not found for the segment '{incoming.path.strip('/')}'.")
            call, parameters = found
            query = query_options(incoming.query)
            self.quotas.spend(incoming.method, kind, selects="$select" in query)
            if roles.isdisjoint(call.permissions):
                raise denied()
            ask = Ask(
                incoming.method,
                incoming.path,
                parameters,
                query,
                incoming.headers,
                body,
                self.tenant,
                self.tenant.client_id,
                roles,
                f"{incoming.host}{VERSION}",
                self.tenant.clock.now(),
            )
            answer = call.handler(ask)
        except Refusal as caught:
            refused = caught
            answer = self._refused(caught, request_id, client_id)
        self.counters.count(incoming.method, kind, f"{refused.status} {refused.code}" if refused else None)
        return answer, fault is not None and fault.kind == "close-after"

    def _break(self, fault: Fault | None) -> None:
        if fault is None:
            return
        if fault.kind == "status":
            raise refusal(fault)
        self.latency = max(self.latency, fault.seconds)

    def _batch(
        self, incoming: Incoming, roles: frozenset[str], body: Any, request_id: str, client_id: str
    ) -> tuple[Answer, bool]:
        """200 with one answer for each call (section 8); 400 for a batch that is none."""
        entries = _entries(body)
        done: dict[str, Answer] = {}
        closing = False
        for key, entry in entries.items():
            needed = [str(k).casefold() for k in entry.get("dependsOn") or ()]
            if any(done[k].status >= 400 for k in needed if k in done) or any(k not in done for k in needed):
                failed = Refusal(424, "FailedDependency", "A request this one depends on failed.")
                done[key] = self._refused(failed, request_id, client_id)
                continue
            path, _, query = str(entry.get("url", "")).partition("?")
            headers = {name.lower(): str(value) for name, value in (entry.get("headers") or {}).items()}
            inner = Incoming(str(entry["method"]).upper(), f"/{path.lstrip('/')}", query, headers, b"", incoming.host)
            done[key], ends = self._one(inner, roles, entry.get("body"), request_id, client_id)
            closing = closing or ends
        return Answer(200, {"responses": [_response(entries[key], answer) for key, answer in done.items()]}), closing


def _parsed(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise bad_request("Unable to read JSON request payload.", code="BadRequest") from error


def _entries(body: Any) -> dict[str, Record]:
    """The calls of a batch by folded id; 400 for too many, none, or two of one id."""
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list) or not requests:
        raise bad_request("Invalid batch payload format.", code="BadRequest")
    if len(requests) > BATCH_SIZE:
        message = f"Number of batch request steps exceeds the maximum value of {BATCH_SIZE}."
        raise Refusal(400, "MaximumValueExceeded", message)
    entries: dict[str, Record] = {}
    for entry in requests:
        if not isinstance(entry, dict) or not {"id", "method", "url"} <= entry.keys():
            raise bad_request("Invalid batch payload format.", code="BadRequest")
        key = str(entry["id"]).casefold()
        if key in entries:
            raise bad_request(f"Request Id {entry['id']} is duplicated.", code="BadRequest")
        if str(entry["url"]).partition("?")[0].endswith("$batch"):
            raise bad_request("Batches cannot be nested.", code="BadRequest")
        if "body" in entry and "content-type" not in {name.lower() for name in entry.get("headers") or {}}:
            message = f"Write request id : {entry['id']} does not contain Content-Type header or body."
            raise bad_request(message, code="BadRequest")
        entries[key] = entry
    return entries


def _response(entry: Record, answer: Answer) -> Record:
    headers = (
        {"Content-Type": "application/json", **answer.headers} if answer.body is not None else dict(answer.headers)
    )
    response: Record = {"id": entry["id"], "status": answer.status, "headers": headers}
    if answer.body is not None:
        response["body"] = answer.body
    return response
