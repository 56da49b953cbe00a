"""The Graph service: one call after the other, alone or twenty in a batch; token, route, permission, quota, handler, envelope."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from time import monotonic
from typing import Any

import orjson

from .addresses import query_options, segments
from .ask import Ask
from .batch import entries, response
from .calls import register_errands
from .calls.table import FIRST, find_call, other_methods
from .cloud import Cloud
from .counters import Counters
from .faults import CloseConnection, Fault, Faults, refusal
from .pace import Pace
from .quotas import Quotas
from .signin.access import Access, Caller
from .tenant.tenant import Tenant
from .transcript import Transcript
from .wire import Answer, Refusal, bad_request, denied, error_body

VERSION = "/v1.0"
UNLOCKED = 10_000
ONE_OBJECT = frozenset({"users", "groups", "teams", "classes", "schools", "administrativeUnits"})


@dataclass(slots=True)
class Flight:
    """One HTTP request on its way: when it came, and when its answer left (None while it has not)."""

    came: float = field(default_factory=monotonic)
    left: float | None = None
    latency: float = 0.0
    truncated: bool = False


@dataclass(slots=True)
class Incoming:
    """One HTTP request to Graph: path below the version, raw query, lower-case header names, raw body."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    host: str
    flight: Flight = field(default_factory=Flight)


@dataclass(slots=True)
class _Context:
    """What the calls of one HTTP request share."""

    caller: Caller
    request_id: str
    client_id: str
    closing: bool = False
    written: dict[str, str] = field(default_factory=dict)
    """Objects written by earlier calls of the batch, with the call's id."""


class Graph:
    """Answers calls to all tenants."""

    def __init__(self, cloud: Cloud, access: Access, quotas: Quotas, counters: Counters, faults: Faults) -> None:
        self.cloud = cloud
        self.access = access
        self.quotas = quotas
        self.counters = counters
        self.faults = faults
        self.transcript = Transcript()
        self.pace = Pace(quotas)
        self._batches = 0
        self._writers: dict[str, Flight] = {}
        self.prepare()

    def prepare(self) -> None:
        """Have every tenant's errands done; needed whenever tenants were made anew."""
        for tenant in self.cloud.tenants.values():
            register_errands(tenant)

    def answer(self, incoming: Incoming) -> Answer:
        """The answer to one HTTP request; everything it changed is kept when this returns."""
        self.counters.requests += 1
        request_id = str(uuid.uuid4())
        client_id = incoming.headers.get("client-request-id", request_id)
        tenant: Tenant | None = None
        closing = False
        try:
            caller = self.access.accept(incoming.headers.get("authorization"))
            tenant = caller.tenant
            tenant.agenda.catch_up(tenant.clock.now())
            context = _Context(caller, request_id, client_id)
            if incoming.path == "/$batch":
                answer = self._batch(incoming, context)
            else:
                answer = self._one(incoming, _parsed(incoming.body), context, None, ())
            closing = context.closing
        except Refusal as refused:
            answer = self._refused(refused, request_id, client_id)
        finally:
            if tenant is not None:
                tenant.save()
        if closing:
            raise CloseConnection
        stamps = {
            "request-id": request_id,
            "client-request-id": client_id,
            "Date": formatdate(self.cloud.clock.now(), usegmt=True),
            "OData-Version": "4.0",
        }
        return Answer(answer.status, answer.body, {**stamps, **answer.headers})

    def _refused(self, refused: Refusal, request_id: str, client_id: str) -> Answer:
        body = error_body(refused, self.cloud.clock.now(), request_id, client_id)
        return Answer(refused.status, body, refused.headers)

    def _one(self, incoming: Incoming, body: Any, context: _Context, key: str | None, after: tuple[str, ...]) -> Answer:
        """The answer to one call; `key` is its id in a batch, `after` the ids it waited for."""
        method, tenant = incoming.method, context.caller.tenant
        came = tenant.clock.now()
        path = segments(incoming.path)
        found = find_call(method, path)
        kind = found[0].kind if found else f"{method} (unknown)"
        refused: Refusal | None = None
        fault = self.faults.take(f"{method} {incoming.path}") if self.faults.waiting else None
        headers: dict[str, str] = {}
        try:
            self._break(fault, incoming.flight)
            if fault is not None and fault.kind == "close-before":
                context.closing = True
                raise Refusal(503, "ServiceUnavailable", "The connection ended before the call was carried out.")
            if found is None:
                raise _no_such_call(incoming.path, path)
            call, parameters = found
            query = query_options(incoming.query) if incoming.query else {}
            caller = context.caller
            headers = self.quotas.spend(
                method, kind, query, caller.app["client_id"], tenant.id, len(tenant.users), parameters.get("id", "")
            )
            if caller.roles.isdisjoint(call.permissions):
                raise denied()
            if method != "GET":
                self._check_alone(incoming, path, context, key, after)
            base = f"{incoming.host}{VERSION}"
            now = tenant.clock.now()
            answer = call.handler(
                Ask(
                    method,
                    incoming.path,
                    parameters,
                    query,
                    incoming.headers,
                    body,
                    tenant,
                    caller.app,
                    caller.roles,
                    base,
                    now,
                )
            )
            if headers:
                answer = Answer(answer.status, answer.body, {**headers, **answer.headers})
        except Refusal as caught:
            refused = caught
            answer = self._refused(caught, context.request_id, context.client_id)
            if headers and refused.status != 429:
                answer = Answer(answer.status, answer.body, {**headers, **answer.headers})
        self._note(incoming, kind, answer.status, refused, context)
        if method != "GET":
            asked, said = (method, kind, incoming.path, body), (answer.status, answer.body)
            holder = (context.caller.app["client_id"], tenant.id, len(tenant.users))
            self.pace.took(asked, said, holder, (came, tenant.clock.now()), tenant.delays.settling)
        if fault is not None and fault.kind == "close-after":
            context.closing = True
        return answer

    def _note(self, incoming: Incoming, kind: str, status: int, refused: Refusal | None, context: _Context) -> None:
        self.counters.count(incoming.method, kind, f"{refused.status} {refused.code}" if refused else None)
        address = f"{incoming.path}?{incoming.query}" if incoming.query else incoming.path
        code, reason = (refused.code, refused.message) if refused else ("", "")
        now = self.cloud.clock.now()
        self.transcript.note(now, context.caller.app["client_id"], incoming.method, address, status, code, reason)

    def _break(self, fault: Fault | None, flight: Flight) -> None:
        if fault is None:
            return
        if fault.kind == "status":
            raise refusal(fault)
        if fault.kind == "truncate":
            flight.truncated = True
        flight.latency = max(flight.latency, fault.seconds)

    def _check_alone(
        self, incoming: Incoming, path: list[str], context: _Context, key: str | None, after: tuple[str, ...]
    ) -> None:
        """409 for a write to an object that another write, not yet answered, is changing; in a batch too (section 10)."""
        # Named by another key than its id, as groups(uniqueName='...'), an object stands behind the name of that key.
        named = [part for part in path if not part.startswith("(")]
        target = next((named[n + 1] for n in range(len(named) - 1) if named[n] in ONE_OBJECT), None)
        if target is None:
            return
        writer = self._writers.get(target)
        flight = incoming.flight
        busy = writer is not None and writer is not flight and (writer.left is None or writer.left > flight.came)
        if busy or (key is not None and target in context.written and context.written[target] not in after):
            message = "Error due to concurrent requests being made to the tenant. Please wait briefly and retry."
            raise Refusal(409, "Directory_ConcurrencyViolation", message)
        if key is not None:
            context.written[target] = key
        if len(self._writers) > UNLOCKED:
            self._writers = {name: held for name, held in self._writers.items() if held.left is None}
        self._writers[target] = flight

    def _batch(self, incoming: Incoming, context: _Context) -> Answer:
        """200 with one answer for each call, in any order (section 8); 400 for a batch that is none."""
        done: dict[str, Answer] = {}
        calls = entries(_parsed(incoming.body))
        waited: dict[str, tuple[str, ...]] = {}
        for key, entry in calls.items():
            needed = [str(k).casefold() for k in entry.get("dependsOn") or ()]
            waited[key] = tuple(k for each in needed for k in (each, *waited.get(each, ())))
            if any(k not in done or done[k].status >= 400 for k in needed):
                failed = Refusal(424, "FailedDependency", "A request this one depends on failed.")
                done[key] = self._refused(failed, context.request_id, context.client_id)
                continue
            path, _, query = str(entry["url"]).partition("?")
            given = entry.get("headers")
            headers = {name.lower(): str(value) for name, value in given.items()} if given else {}
            inner = Incoming(
                str(entry["method"]).upper(),
                f"/{path.lstrip('/')}",
                query,
                headers,
                b"",
                incoming.host,
                incoming.flight,
            )
            done[key] = self._one(inner, entry.get("body"), context, key, waited[key])
        answers = [response(calls[key], answer) for key, answer in done.items()]
        self._batches += 1
        turn = self._batches % len(answers)
        return Answer(200, {"responses": answers[turn:] + answers[:turn]})


def _no_such_call(address: str, path: list[str]) -> Refusal:
    if path and path[0].casefold() in FIRST and other_methods(tuple(path)):
        return Refusal(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
    return Refusal(400, "BadRequest", f"Resource not found for the segment '{address.strip('/')}'.")


def _parsed(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise bad_request("Unable to read JSON request payload.", code="BadRequest") from error
