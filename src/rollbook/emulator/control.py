"""The control calls under /_emulator, which no tenant of Microsoft's has: what a tester needs beside Graph itself.

`GET /_emulator` lists them with what they do. Where several tenants are there, a body's `tenant` names one; else the first is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cryptography import x509

from . import plays
from .cloud import GRANTED
from .faults import Fault
from .graph import Graph
from .signin.service import SignIn
from .tenant.journal import LinkRow, Row
from .tenant.tenant import Tenant
from .wire import Answer, Record

PLAYS: Mapping[str, Callable[[Tenant, Record], Record]] = {
    "activate": plays.activate,
    "edit": plays.edit,
    "delete": plays.delete,
    "people": plays.people,
    "rival": plays.rival,
    "role": plays.role,
    "domain": plays.domain,
    "seed": plays.seed,
}


class Control:
    """Answers control calls of one emulator."""

    def __init__(self, graph: Graph, signin: SignIn, shutdown: Callable[[], None]) -> None:
        self._graph = graph
        self._signin = signin
        self._cloud = graph.cloud
        self._shutdown = shutdown
        self._snapshots: dict[str, tuple[list[Row], list[LinkRow]]] = {}
        self._calls: dict[tuple[str, str], Callable[[Any], Answer]] = {
            ("GET", ""): self._index,
            ("GET", "/health"): self._health,
            ("GET", "/counters"): self._counters,
            ("POST", "/counters/reset"): self._reset_counters,
            ("GET", "/pace"): self._pace,
            ("GET", "/state"): self._state,
            ("GET", "/transcript"): self._transcript,
            ("GET", "/faults"): self._faults,
            ("POST", "/faults"): self._set_faults,
            ("POST", "/advance"): self._advance,
            ("POST", "/quotas"): self._set_quotas,
            ("POST", "/reset"): self._reset,
            ("POST", "/snapshot"): self._snapshot,
            ("POST", "/restore"): self._restore,
            ("POST", "/tenants"): self._add_tenant,
            ("POST", "/apps"): self._app,
            ("POST", "/consent"): self._consent,
            ("POST", "/withdraw"): self._withdraw,
            ("POST", "/conditional-access"): self._conditional_access,
            ("POST", "/keys/roll"): self._roll_keys,
            ("POST", "/shutdown"): self._end,
            **{("POST", f"/{name}"): self._play(play) for name, play in PLAYS.items()},
        }

    def answer(self, method: str, path: str, body: Any) -> Answer:
        """The answer to one control call; 404 for one that does not exist, 400 for one that makes no sense."""
        call = self._calls.get((method, path.rstrip("/")))
        if call is None:
            return Answer(404, {"error": f"no control call {method} {path}; GET /_emulator lists them"})
        try:
            answer = call(body)
        except KeyError as error:
            return Answer(400, {"error": f"{error.args[0]} is missing or unknown"})
        except (TypeError, ValueError, AttributeError) as error:
            return Answer(400, {"error": str(error)})
        self._cloud.save()
        return answer

    def _tenant(self, body: Any) -> Tenant:
        named = body.get("tenant") if isinstance(body, dict) else None
        if named is None:
            return next(iter(self._cloud.tenants.values()))
        found = self._cloud.named(str(named))
        if found is None:
            raise ValueError(f"no tenant {named}")
        return found

    def _play(self, play: Callable[[Tenant, Record], Record]) -> Callable[[Any], Answer]:
        def call(body: Any) -> Answer:
            """See plays."""
            tenant = self._tenant(body)
            tenant.agenda.catch_up(tenant.clock.now())
            return Answer(200, play(tenant, dict(body)))

        call.__doc__ = play.__doc__
        return call

    def _index(self, _: Any) -> Answer:
        """This list."""
        said = {
            f"{method} /_emulator{path}": (call.__doc__ or "").strip() for (method, path), call in self._calls.items()
        }
        return Answer(200, {"calls": said})

    def _health(self, _: Any) -> Answer:
        """Whether the emulator answers."""
        return Answer(200, {"ok": True})

    def _counters(self, _: Any) -> Answer:
        """Requests by kind, refusals, and the fewest writes that would have done."""
        return Answer(200, self._graph.counters.report())

    def _pace(self, _: Any) -> Answer:
        """Since the counters were reset: how long the accepted writes took, and how long the quotas and each object demanded."""
        return Answer(200, self._graph.pace.report())

    def _state(self, body: Any) -> Answer:
        """What a tenant holds, in numbers, and the quotas in use."""
        return Answer(200, overview(self._graph, self._tenant(body)))

    def _faults(self, _: Any) -> Answer:
        """The faults that are waiting."""
        return Answer(200, {"faults": [fault.as_json() for fault in self._graph.faults.waiting]})

    def _reset_counters(self, _: Any) -> Answer:
        """Count anew; the state of now is the baseline of least_writes."""
        self._graph.counters.reset()
        self._graph.pace.reset()
        return Answer(200, self._graph.counters.report())

    def _transcript(self, body: Any) -> Answer:
        """The last requests, newest first, each with the reason of its refusal: {"limit": 100, "refused": false}."""
        given = body or {}
        entries = self._graph.transcript.latest(int(given.get("limit", 100)), refused=bool(given.get("refused")))
        return Answer(200, {"requests": [entry.as_json() for entry in entries]})

    def _set_faults(self, body: Any) -> Answer:
        """Replace the waiting faults: [{"match": "POST /users", "kind": "status", "status": 503, "times": 1, "chance": 1}]."""
        self._graph.faults.set([Fault.read(entry) for entry in body])
        return Answer(200, {"faults": len(self._graph.faults.waiting)})

    def _advance(self, body: Any) -> Answer:
        """Push the emulator's clock forward: {"seconds": n}."""
        seconds = float(body["seconds"])
        if seconds < 0:
            raise ValueError("time goes forward only")
        self._cloud.clock.advance(seconds)
        self._cloud.remember_time()
        for tenant in self._cloud.tenants.values():
            tenant.agenda.catch_up(tenant.clock.now())
        return Answer(200, {"now": self._tenant(None).stamp()})

    def _set_quotas(self, body: Any) -> Answer:
        """Other quotas from now on: {"scale": 0.5}; null, or a scale of null, for none."""
        scale = None if body is None else body["scale"]
        self._graph.quotas.set_scale(None if scale is None else float(scale))
        return Answer(200, {"scale": scale})

    def _reset(self, _: Any) -> Answer:
        """Begin anew: as at the very first start, under the same ids."""
        return self._become(([], []))

    def _snapshot(self, body: Any) -> Answer:
        """Remember everything as it is, in memory: {"name": ...}."""
        name = str((body or {}).get("name", "default"))
        self._snapshots[name] = self._cloud.snapshot()
        records, links = self._snapshots[name]
        return Answer(200, {"snapshot": name, "records": len(records), "links": len(links)})

    def _restore(self, body: Any) -> Answer:
        """Everything as it was in a snapshot: {"name": ...}."""
        name = str((body or {}).get("name", "default"))
        if name not in self._snapshots:
            raise ValueError(f"there is no snapshot {name}")
        return self._become(self._snapshots[name])

    def _become(self, state: tuple[list[Row], list[LinkRow]]) -> Answer:
        self._cloud.restore(state)
        self._graph.prepare()
        self._graph.quotas.forget()
        self._graph.transcript.clear()
        self._signin.access.forget()
        self._graph.counters.reset()
        return Answer(200, {"tenants": list(self._cloud.tenants)})

    def _add_tenant(self, body: Any) -> Answer:
        """One more tenant: {"domain": ..., "name": ...}."""
        domain = str(body["domain"]).lower()
        initial = f"{domain.replace('.', '')}.onmicrosoft.example"
        tenant = self._cloud.add_tenant(domain, initial, str(body.get("name", domain)))
        self._graph.prepare()
        admin = {"username": f"admin@{tenant.initial}", "password": tenant.admin_password}
        return Answer(200, {"id": tenant.id, "domain": tenant.domain, "admin": admin})

    def _app(self, body: Any) -> Answer:
        """One more app registration, or a change of one: {"name", "redirects", "required", "certificates", "secrets", "client_id"}."""
        given = dict(body or {})
        for pem in given.get("certificates", ()):
            x509.load_pem_x509_certificate(str(pem).encode())
        client_id = given.pop("client_id", None)
        unknown = given.keys() - {"name", "redirects", "required", "certificates", "secrets"}
        if unknown:
            raise ValueError(f"an app has no {sorted(unknown)[0]}")
        if client_id is None:
            app = self._cloud.add_app(
                str(given.get("name", "App")), given.get("required", GRANTED), given.get("redirects", ())
            )
            client_id = app["client_id"]
        app = self._cloud.change_app(client_id, **given)
        secret = app["secrets"][0]["value"] if app["secrets"] else None
        shown = {name: value for name, value in app.items() if not name.startswith("_")}
        return Answer(200, {**shown, "client_secret": secret})

    def _consent(self, body: Any) -> Answer:
        """An administrator consents: {"app": client id, "roles": [...]}; all that the app asks for if no roles are named."""
        tenant, app = self._tenant(body), self._cloud.apps.get(body["app"])
        if app is None:
            raise ValueError(f"no app {body['app']}")
        roles = body.get("roles", app["required"])
        self._cloud.consent(tenant, app["client_id"], roles, at=0.0 if body.get("at_once") else None)
        return Answer(200, {"tenant": tenant.id, "roles": roles})

    def _withdraw(self, body: Any) -> Answer:
        """An administrator takes a consent back: {"app": client id}; tokens already issued live on."""
        tenant = self._tenant(body)
        self._cloud.withdraw(tenant, str(body["app"]))
        return Answer(200, {"tenant": tenant.id})

    def _conditional_access(self, body: Any) -> Answer:
        """What conditional access does: {"mode": "off", "block" (AADSTS53003) or "claims" (a claims challenge)}."""
        tenant, mode = self._tenant(body), body["mode"]
        if mode not in ("off", "block", "claims"):
            raise ValueError("the mode is off, block or claims")
        for chosen, held in (("block", self._signin.tokens.blocked), ("claims", self._signin.access.challenged)):
            (held.add if mode == chosen else held.discard)(tenant.id)
        return Answer(200, {"tenant": tenant.id, "mode": mode})

    def _roll_keys(self, _: Any) -> Answer:
        """A new signing key; the one before it still verifies."""
        return Answer(200, {"kid": self._signin.keys.roll()})

    def _end(self, _: Any) -> Answer:
        """Stop the emulator."""
        self._shutdown()
        return Answer(200, {"ending": True})


def overview(graph: Graph, tenant: Tenant) -> Record:
    """What a tenant holds, in numbers."""
    classes = [group for group in tenant.groups.values() if group.get("creationOptions") == ["classAssignments"]]
    return {
        "tenant": tenant.id,
        "name": tenant.name,
        "domains": [domain["id"] for domain in tenant.domains.values()],
        "now": tenant.stamp(),
        "users": len(tenant.users),
        "licensed": sum(1 for user in tenant.users.values() if user["assignedLicenses"]),
        "groups": len(tenant.groups),
        "classes": len(classes),
        "teams": sum(1 for group in tenant.groups.values() if "_team" in group),
        "memberships": len(tenant.members) + len(tenant.owners),
        "deleted": len(tenant.deleted),
        "units": len(tenant.units),
        "licences": {
            sku["skuPartNumber"]: {"bought": sku["prepaidUnits"]["enabled"], "used": sku["consumedUnits"]}
            for sku in tenant.skus.values()
        },
        "quotas": graph.quotas.usage(),
    }
