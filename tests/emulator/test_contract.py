"""What the product sends and what the emulator answers, held against Microsoft's own description of the calls."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator
from tests.apply.wire import connected, synchronized
from tests.store.world import a_school, deliver

from rollbook.emulator.calls.table import CALLS

BEYOND = ("/applications", "/groups/(uniqueName)", "/$batch")
"""Used but not described by the contract file (graph.md section 13.16)."""


@pytest.fixture(scope="module")
def contract(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "contract" / "graph-v1.0-subset.json").read_text())


def operation(contract: dict[str, Any], method: str, path: str) -> dict[str, Any] | None:
    """Microsoft's description of this call."""
    wanted = re.sub(r"\('([^']*)'\)", r"/\1", path.partition("?")[0])
    for template, methods in contract["paths"].items():
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", template.replace("()", "").replace("$", r"\$"))
        if re.fullmatch(pattern, wanted) and method.lower() in methods:
            return methods[method.lower()]
    return None


def test_every_call_that_is_answered_is_one_microsoft_describes(contract):
    unknown = [
        call.kind
        for call in CALLS
        if not call.kind.partition(" ")[2].startswith(BEYOND)
        and operation(contract, call.method, re.sub(r"\{relation:[^}]+\}", "members", call.kind.partition(" ")[2]))
        is None
    ]

    assert unknown == ["DELETE /groups/{id}/members/{target}"]  # section 5.2: it exists, and deletes the user


def test_what_is_exchanged_in_a_synchronization_is_as_described(contract, sqlite_store, tenant, monkeypatch):
    from rollbook.emulator.graph import Graph

    seen: list[tuple[str, str, Any, int, Any]] = []
    one = Graph._one

    def recording(self, incoming, roles, body, *ids):
        answer, closing = one(self, incoming, roles, body, *ids)
        seen.append((incoming.method, incoming.path, body, answer.status, answer.body))
        return answer, closing

    monkeypatch.setattr(Graph, "_one", recording)
    school = a_school(25)
    institute = connected(school, tenant)
    synchronized(institute)
    deliver(school.leaves("Pupil No1"))
    synchronized(institute)

    kinds = set()
    for method, path, body, status, answer in seen:
        if path.startswith("/applications"):
            continue
        described = operation(contract, method, path)
        assert described is not None, f"{method} {path}"
        assert status == described["x-documented-success-status"], f"{method} {path}: {status}"
        kinds.add(f"{method} {re.sub(r'[0-9a-f]{8}-[0-9a-f-]{27}', 'ID', path)}")
        for value, part in ((body, _request_schema(described)), (answer, _answer_schema(described, status))):
            if value is not None and part is not None:
                faults = list(
                    OAS30Validator({"allOf": [part], "components": contract["components"]}).iter_errors(value)
                )
                assert not faults, f"{method} {path}: {faults[0].message}"
    assert {
        "POST /users",
        "POST /education/classes",
        "PATCH /groups/ID",
        "POST /teams",
        "POST /users/ID/assignLicense",
    } <= kinds


def _request_schema(described: dict[str, Any]) -> Any:
    content = described.get("requestBody", {}).get("content", {})
    return content.get("application/json", {}).get("schema")


def _answer_schema(described: dict[str, Any], status: int) -> Any:
    responses = described["responses"]
    answer = responses.get(str(status)) or responses.get("2XX") or {}
    return answer.get("content", {}).get("application/json", {}).get("schema")
