"""What the product sends and what the emulator answers, held against Microsoft's own description of the calls.

The walk over all operations can be pointed at a real test tenant: ROLLBOOK_TEST_TENANT, ROLLBOOK_TEST_CLIENT_ID,
ROLLBOOK_TEST_CLIENT_SECRET, ROLLBOOK_TEST_DOMAIN (an application with the permissions of graph.md section 11).
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from openapi_schema_validator import OAS30Validator
from tests.apply.crafted import Row, a_standard_team, crafted, every_kind
from tests.apply.wire import connected, opened, synchronized
from tests.emulator.client import ROOT, Client, Target, a_group, a_user
from tests.store.world import a_school, deliver

from rollbook.emulator import Config, Emulator
from rollbook.emulator.calls.table import CALLS
from rollbook.plan.changes import Kind

BEYOND = (
    "/applications",
    "/groups/(uniqueName)",
    "/groups/{id}/assignLicense",
    "/groups/{id}/membersWithLicenseErrors",
    "/roleManagement",
    "/teams/{id}/members/",
    "/users/{id}/licenseDetails",
)
"""Used but not described by the contract file (graph.md section 13.16)."""
UNDESCRIBED = re.compile(r"/\$count$|^/education/\w+/delta$")


@pytest.fixture(scope="module")
def contract(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "contract" / "graph-v1.0-subset.json").read_text())


def template(contract: dict[str, Any], method: str, path: str) -> str | None:
    """The path Microsoft describes this call under."""
    wanted = re.sub(r"\('([^']*)'\)", r"/\1", path.partition("?")[0])
    for described in sorted(contract["paths"], key=lambda path: path.count("{")):
        methods = contract["paths"][described]
        pattern = re.sub(
            r"\{[^}]+\}", "[^/$]+", re.escape(described.replace("()", "")).replace(r"\{", "{").replace(r"\}", "}")
        )
        if re.fullmatch(pattern, wanted) and method.lower() in methods:
            return str(described)
    return None


def described_operations(contract: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Every operation with a documented success status."""
    return {
        (method.upper(), path): operation
        for path, methods in contract["paths"].items()
        for method, operation in methods.items()
        if isinstance(operation, dict) and operation.get("x-documented-success-status")
    }


def faults_of(contract: dict[str, Any], part: Any, value: Any) -> list[str]:
    """What in a value is not as the schema says."""
    checked = OAS30Validator({"allOf": [part], "components": contract["components"]}).iter_errors(value)
    return [fault.message for fault in checked]


def request_schema(operation: dict[str, Any]) -> Any:
    content = operation.get("requestBody", {}).get("content", {})
    return content.get("application/json", {}).get("schema")


def answer_schema(operation: dict[str, Any], status: int) -> Any:
    responses = operation["responses"]
    answer = responses.get(str(status)) or responses.get("2XX") or {}
    return answer.get("content", {}).get("application/json", {}).get("schema")


def test_every_call_that_is_answered_is_one_microsoft_describes(contract):
    unknown = [
        call.kind
        for call in CALLS
        if not call.kind.partition(" ")[2].startswith(BEYOND)
        and not UNDESCRIBED.search(call.kind.partition(" ")[2])
        and template(contract, call.method, _filled(call)) is None
    ]

    assert unknown == ["DELETE /groups/{id}/members/{target}"]  # section 5.2: it exists, and deletes the user


def _filled(call: Any) -> str:
    """A path of this call; of several relations the first."""
    parts = [part.partition(":")[2].strip("}").split(",")[0] if ":" in part else part for part in call.pattern]
    return "/" + "/".join("x" if part.startswith("{") else part for part in parts)


def test_every_call_microsoft_describes_is_answered_with_its_permissions(contract):
    from rollbook.emulator.calls.table import find_call

    for (method, path), operation in described_operations(contract).items():
        address = re.sub(r"\{[^}]+\}", "x", path).replace("()", "")
        found = find_call(method, address.strip("/").split("/"))
        assert found is not None, f"{method} {path}"
        permissions = operation.get("x-application-permissions") or {}
        listed = {*permissions.get("least", ()), *permissions.get("also", ())} - {"Member.Read.Hidden"}
        assert listed <= found[0].permissions, f"{method} {path}: {sorted(listed - found[0].permissions)}"


class Recorder:
    """A client that notes the operation, the status and the answer of every call."""

    PATIENCE = 1_500.0
    """Seconds a real tenant is given to replicate, settle and let us through again."""

    def __init__(self, client: Client, contract: dict[str, Any]) -> None:
        self.client = client
        self.contract = contract
        self.met: dict[tuple[str, str], int] = {}

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        answer = self._answered(method, path, body, headers)
        relative = path.removeprefix(self.client.target.graph)
        described = template(self.contract, method, relative)
        assert described is not None, f"{method} {path}"
        operation = self.contract["paths"][described][method.lower()]
        expected = operation["x-documented-success-status"]
        assert answer.status_code == expected, f"{method} {path}: {answer.status_code} {answer.text}"
        part = answer_schema(operation, answer.status_code)
        if part is not None and answer.content:
            assert not faults_of(self.contract, part, answer.json()), f"{method} {path}"
        self.met[method, described] = answer.status_code
        return answer

    def _answered(self, method: str, path: str, body: Any, headers: dict[str, str]) -> requests.Response:
        """The answer; of a real tenant the first one that is not due to its replication or its quotas."""
        until = time.monotonic() + (0 if self.client.target.control else self.PATIENCE)
        while True:
            answer = self.client(method, path, body, **headers)
            passing = answer.status_code in (403, 404, 409, 429, 503) or "don't exist" in answer.text
            if not passing or time.monotonic() >= until:
                return answer
            time.sleep(float(answer.headers.get("Retry-After", 10)))

    def made(self, path: str, body: dict[str, Any]) -> str:
        """The id of what a POST made."""
        return str(self("POST", path, body).json()["id"])


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """A real test tenant if one is named, else an emulated one."""
    real = Target.real()
    if real is not None:
        yield real
        return
    with Emulator(Config(quota_scale=None, delays=None)) as running:
        yield Target.emulated(running)


@pytest.fixture(scope="module")
def walk(contract: dict[str, Any], target: Target) -> Recorder:
    """Every operation, called once at the least, each held against its description on the way."""
    client = Client(target)
    call = Recorder(client, contract)
    mark = uuid.uuid4().hex[:8]
    people = [call.made("/users", a_user(f"{name}{mark}", target.domain)) for name in ("teacher", "pupil", "other")]
    _users(call, people, client.sku())
    klass = _education(call, people, mark, target)
    _groups(call, people, mark)
    _teams(call, klass, people)
    _units(call, people, mark)
    _leave(call, klass, people)
    client.close()
    return call


def reference(key: str, kind: str = "directoryObjects") -> dict[str, str]:
    return {"@odata.id": f"{ROOT}/{kind}/{key}"}


def _users(call: Recorder, people: list[str], sku: str) -> None:
    for path in ("/users", "/organization", "/domains", "/subscribedSkus", "/users/delta", "/groups/delta"):
        call("GET", path)
    call("GET", f"/users/{people[0]}?$select=id,employeeId,accountEnabled")
    call("PATCH", f"/users/{people[0]}", {"jobTitle": "Teacher"})
    licence = {"addLicenses": [{"skuId": sku, "disabledPlans": []}], "removeLicenses": []}
    call("POST", f"/users/{people[0]}/assignLicense", licence)
    call("POST", f"/users/{people[1]}/revokeSignInSessions")


def _education(call: Recorder, people: list[str], mark: str, target: Target) -> str:
    teacher, pupil, _ = people
    body = {"displayName": "Maths", "mailNickname": f"maths{mark}", "externalId": "M1", "externalSource": "sis"}
    klass, school = call.made("/education/classes", body), call.made("/education/schools", {"displayName": f"S{mark}"})
    learner = call.made("/education/users", a_user(f"learner{mark}", target.domain) | {"primaryRole": "student"})
    for kind, key in (("classes", klass), ("schools", school), ("users", learner)):
        call("GET", f"/education/{kind}")
        call("GET", f"/education/{kind}/{key}")
        call("PATCH", f"/education/{kind}/{key}", {"displayName": f"{kind} {mark}"})
    for name, person in (("teachers", teacher), ("members", teacher), ("members", pupil), ("members", learner)):
        call("POST", f"/education/classes/{klass}/{name}/$ref", reference(person, "education/users"))
    call("POST", f"/education/schools/{school}/classes/$ref", reference(klass, "education/classes"))
    call("POST", f"/education/schools/{school}/users/$ref", reference(learner, "education/users"))
    for path in (
        f"classes/{klass}/members",
        f"classes/{klass}/teachers",
        f"schools/{school}/classes",
        f"schools/{school}/users",
    ):
        call("GET", f"/education/{path}")
        call("GET", f"/education/{path}/$ref")
    for name in ("classes", "schools", "taughtClasses"):
        call("GET", f"/education/users/{learner}/{name}")
    call("DELETE", f"/education/classes/{klass}/members/{learner}/$ref")
    call("DELETE", f"/education/classes/{klass}/members/$ref?@id={ROOT}/education/users/{pupil}")
    call("POST", f"/education/classes/{klass}/teachers/$ref", reference(pupil, "education/users"))
    call("DELETE", f"/education/classes/{klass}/teachers/{pupil}/$ref")
    call("POST", f"/education/classes/{klass}/teachers/$ref", reference(pupil, "education/users"))
    call("DELETE", f"/education/classes/{klass}/teachers/$ref?@id={ROOT}/education/users/{pupil}")
    for name, key, kind in (("classes", klass, "classes"), ("users", learner, "users")):
        call("DELETE", f"/education/schools/{school}/{name}/{key}/$ref")
        call("POST", f"/education/schools/{school}/{name}/$ref", reference(key, f"education/{kind}"))
        call("DELETE", f"/education/schools/{school}/{name}/$ref?@id={ROOT}/education/{kind}/{key}")
    call("DELETE", f"/education/users/{learner}")
    call("DELETE", f"/education/schools/{school}")
    return klass


def _groups(call: Recorder, people: list[str], mark: str) -> None:
    teacher, pupil, other = people
    group = call.made("/groups", a_group(f"group{mark}", unified=True))
    call("GET", "/groups")
    call("GET", f"/groups/{group}")
    call("PATCH", f"/groups/{group}", {"description": "A group"})
    for name in ("owners", "members"):
        for person in people:
            call("POST", f"/groups/{group}/{name}/$ref", reference(person))
        call("GET", f"/groups/{group}/{name}")
        call("GET", f"/groups/{group}/{name}/$ref")
        call("DELETE", f"/groups/{group}/{name}/{pupil}/$ref")
        call("DELETE", f"/groups/{group}/{name}/$ref?@id={ROOT}/directoryObjects/{other}")
    call("GET", f"/users/{teacher}/memberOf")
    call("DELETE", f"/groups/{group}")
    call("GET", f"/directory/deletedItems/{group}")
    call("POST", f"/directory/deletedItems/{group}/restore")
    call("DELETE", f"/groups/{group}")
    call("DELETE", f"/directory/deletedItems/{group}")


def _teams(call: Recorder, klass: str, people: list[str]) -> None:
    client = call.client
    made = call(
        "POST",
        "/teams",
        {
            "template@odata.bind": f"{ROOT}/teamsTemplates('educationClass')",
            "group@odata.bind": f"{ROOT}/groups('{klass}')",
        },
    )
    call("GET", made.headers["Location"])
    if client.target.control:
        client.control("activate", team=klass)
    call("GET", "/teams")
    call("GET", f"/teams/{klass}")
    call("GET", f"/groups/{klass}/team")
    call("PATCH", f"/teams/{klass}", {"memberSettings": {"allowCreateUpdateChannels": False}})
    member = {"@odata.type": "#microsoft.graph.aadUserConversationMember", "roles": []}
    call("POST", f"/teams/{klass}/members", member | {"user@odata.bind": f"{ROOT}/users('{people[1]}')"})
    call(
        "POST",
        f"/teams/{klass}/members/add",
        {"values": [member | {"user@odata.bind": f"{ROOT}/users('{people[2]}')"}]},
    )
    call("GET", f"/teams/{klass}/members")
    call("POST", f"/teams/{klass}/archive")
    call("POST", f"/teams/{klass}/unarchive")
    operation = made.headers["Location"]
    call("DELETE", operation)
    call("DELETE", f"/groups/{klass}/team")
    call("PUT", f"/groups/{klass}/team", {})
    call("DELETE", f"/teams/{klass}")


def _units(call: Recorder, people: list[str], mark: str) -> None:
    units = "/directory/administrativeUnits"
    unit = call.made(units, {"displayName": f"Unit {mark}"})
    call("GET", units)
    call("GET", f"{units}/{unit}")
    call("PATCH", f"{units}/{unit}", {"description": "A unit"})
    for person in people[:2]:
        call("POST", f"{units}/{unit}/members/$ref", reference(person))
    call("GET", f"{units}/{unit}/members")
    call("GET", f"{units}/{unit}/members/$ref")
    inside = {"@odata.type": "#microsoft.graph.group", **a_group(f"inside{mark}")}
    call("POST", f"{units}/{unit}/members", inside)
    call("DELETE", f"{units}/{unit}/members/{people[0]}/$ref")
    call("DELETE", f"{units}/{unit}/members/$ref?@id={ROOT}/directoryObjects/{people[1]}")
    call("DELETE", f"{units}/{unit}")


def _leave(call: Recorder, klass: str, people: list[str]) -> None:
    call("DELETE", f"/education/classes/{klass}")
    for person in people:
        call("DELETE", f"/users/{person}")


def test_every_operation_described_was_answered_with_its_documented_status(contract, walk):
    assert described_operations(contract).keys() - walk.met.keys() == set()


@pytest.fixture
def seen(monkeypatch) -> list[tuple[str, str, Any, int, Any]]:
    """Method, path, body, status and answer of every call from now on."""
    from rollbook.emulator.graph import Graph

    calls: list[tuple[str, str, Any, int, Any]] = []
    one = Graph._one

    def recording(self, incoming, body, *shared):
        answer = one(self, incoming, body, *shared)
        calls.append((incoming.method, incoming.path, body, answer.status, answer.body))
        return answer

    monkeypatch.setattr(Graph, "_one", recording)
    return calls


def as_described(contract: dict[str, Any], seen: list[tuple[str, str, Any, int, Any]], beyond: str) -> set[str]:
    """The kinds of call that were seen, each held against its description; those whose path matches `beyond` have none."""
    kinds = set()
    for method, path, body, status, answer in seen:
        described = template(contract, method, path)
        if re.match(beyond, f"{method} {path}"):
            continue
        assert described is not None, f"{method} {path}"
        operation = contract["paths"][described][method.lower()]
        documented = operation["x-documented-success-status"]
        assert documented is None or status == documented, f"{method} {path}: {status}"
        kinds.add(f"{method} {described}")
        for value, part in ((body, request_schema(operation)), (answer, answer_schema(operation, status))):
            if value is not None and part is not None:
                assert not faults_of(contract, part, value), f"{method} {path}"
    return kinds


def test_what_is_exchanged_in_a_synchronization_is_as_described(contract, sqlite_store, tenant, seen):
    school = a_school(25)
    institute = connected(school, tenant)
    synchronized(institute)
    deliver(school.leaves("Pupil No1"))
    synchronized(institute)

    assert {
        "POST /users",
        "POST /education/classes",
        "PATCH /groups/{group-id}",
        "POST /teams",
        "POST /users/{user-id}/assignLicense",
    } <= as_described(contract, seen, ".* /(applications|roleManagement)")


def test_what_is_exchanged_for_groups_teams_and_the_structure_is_as_described(contract, sqlite_store, tenant, seen):
    institute = a_standard_team(tenant)
    rows = every_kind(tenant)
    crafted(institute, *rows)
    crafted(
        institute, Row(Kind.UNARCHIVE_TEAM, rows[-1].subject), Row(Kind.REMOVE_MEMBER, rows[0].subject, rows[1].subject)
    )
    with opened(institute) as session:
        session.tenant.reader.archived([group["id"] for group in tenant.directory.groups.values() if "_team" in group])

    beyond = r".* /(applications|roleManagement)|\w+ /groups\(uniqueName=|PATCH /teams/[^/]+/members/"
    assert {
        "POST /groups",
        "PATCH /groups/{group-id}",
        "DELETE /groups/{group-id}/members/{directoryObject-id}/$ref",
        "POST /teams",
        "GET /teams/{team-id}",
        "GET /teams/{team-id}/members",
        "GET /teams/{team-id}/operations/{teamsAsyncOperation-id}",
        "POST /teams/{team-id}/archive",
        "POST /teams/{team-id}/unarchive",
    } <= as_described(contract, seen, beyond)
