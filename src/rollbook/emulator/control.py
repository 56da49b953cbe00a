"""The control calls under /_emulator, which no tenant of Microsoft's has: counters, faults, state, health, shutdown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .faults import Fault
from .graph import Graph
from .wire import Answer, Record


class Control:
    """Answers control calls of one emulator."""

    def __init__(self, graph: Graph, shutdown: Callable[[], None]) -> None:
        self._graph = graph
        self._shutdown = shutdown
        self._calls: dict[tuple[str, str], Callable[[Any], Answer]] = {
            ("GET", "/health"): lambda _: Answer(200, {"ok": True}),
            ("GET", "/counters"): lambda _: Answer(200, graph.counters.report()),
            ("POST", "/counters/reset"): self._reset_counters,
            ("GET", "/state"): lambda _: Answer(200, overview(graph)),
            ("POST", "/faults"): self._set_faults,
            ("POST", "/activate"): self._activate,
            ("POST", "/advance"): self._advance,
            ("POST", "/edit"): self._edit,
            ("POST", "/shutdown"): self._end,
        }

    def answer(self, method: str, path: str, body: Any) -> Answer:
        """The answer to one control call; 404 for one that does not exist."""
        call = self._calls.get((method, path))
        if call is None:
            return Answer(
                404, {"error": f"no control call {method} {path}", "calls": [" ".join(k) for k in self._calls]}
            )
        try:
            answer = call(body)
        except (KeyError, TypeError, ValueError) as error:
            return Answer(400, {"error": f"{type(error).__name__}: {error}"})
        self._graph.tenant.save()
        return answer

    def _reset_counters(self, _: Any) -> Answer:
        self._graph.counters.reset()
        return Answer(200, self._graph.counters.report())

    def _set_faults(self, body: Any) -> Answer:
        faults = [Fault.read(entry) for entry in body]
        self._graph.faults.set(faults)
        return Answer(200, {"faults": len(faults)})

    def _activate(self, body: Any) -> Answer:
        """Play the teacher who activates a class team: {"team": id}."""
        groups = self._graph.tenant.groups
        record = groups.get(body["team"])
        if record is None or "_team" not in record:
            raise ValueError(f"no team {body['team']}")
        groups.put(record["id"], {**record, "_team": {**record["_team"], "locked": False}})
        return Answer(200, {"activated": record["id"]})

    def _advance(self, body: Any) -> Answer:
        """Push the emulator's clock forward: {"seconds": n}."""
        self._graph.tenant.clock.advance(float(body["seconds"]))
        return Answer(200, {"now": self._graph.tenant.stamp()})

    def _edit(self, body: Any) -> Answer:
        """Edit a user as a human administrator would, past the rules of applications: {"user": id or name, "set": {...}}."""
        users = self._graph.tenant.users
        record = users.get(body["user"]) or users.one("userPrincipalName", body["user"])
        if record is None:
            raise ValueError(f"no user {body['user']}")
        users.put(record["id"], {**record, **body["set"]})
        return Answer(200, {"edited": record["id"]})

    def _end(self, _: Any) -> Answer:
        self._shutdown()
        return Answer(200, {"ending": True})


def overview(graph: Graph) -> Record:
    """What the tenant holds, in numbers."""
    tenant = graph.tenant
    classes = [group for group in tenant.groups.values() if group.get("creationOptions") == ["classAssignments"]]
    return {
        "tenant": tenant.id,
        "name": tenant.config.tenant_name,
        "domains": [domain["id"] for domain in tenant.domains],
        "users": len(tenant.users),
        "licensed": sum(1 for user in tenant.users.values() if user["assignedLicenses"]),
        "groups": len(tenant.groups),
        "classes": len(classes),
        "teams": sum(1 for group in tenant.groups.values() if "_team" in group),
        "memberships": len(tenant.members) + len(tenant.owners),
        "licences": {
            sku["skuPartNumber"]: {"bought": sku["prepaidUnits"]["enabled"], "used": sku["consumedUnits"]}
            for sku in tenant.skus.values()
        },
    }
