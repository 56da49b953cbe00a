"""The yardstick: a synchronization as simple tools do it, one request per account, licence, class and member, through one connection.

It is told what to do by the same plan and is patient where Microsoft says so. No batches, nothing at once, no additions in bulk.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

from rollbook.clock import Clock
from rollbook.plan.changes import ChangeVerdict, Kind, Plan

GRAPH = "https://graph.microsoft.com/v1.0"
REFERENCES = {Kind.ADD_OWNER: "owners", Kind.ADD_MEMBER: "members"}

Change = tuple[Kind, int, int | None, dict[str, Any]]


class Connection:
    """One connection to the emulated tenant."""

    def __init__(self, said: dict[str, Any]) -> None:
        app = said["apps"][0]
        form = {name: app[name] for name in ("client_id", "client_secret")}
        form |= {"grant_type": "client_credentials", "scope": "https://graph.microsoft.com/.default"}
        url = f"{said['login']}/{app['tenant']}/oauth2/v2.0/token"
        with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode()) as answer:
            token = json.load(answer)["access_token"]
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._http = http.client.HTTPConnection(urllib.parse.urlsplit(said["login"]).netloc)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """The answer's body; asked again after the pause Microsoft wants."""
        while True:
            self._http.request("POST", f"/v1.0{path}", json.dumps(body), self._headers)
            answer = self._http.getresponse()
            raw = answer.read()
            if answer.status != 429:
                break
            time.sleep(float(answer.headers["Retry-After"]))  # in seconds of the wall, whatever the tenant's clock does
        if answer.status >= 400:
            raise RuntimeError(f"POST {path}: {answer.status} {raw.decode()}")
        return json.loads(raw) if raw else None


def carry_out(institute: Any, day: Any, said: dict[str, Any], clock: Clock) -> float:
    """Seconds of the tenant that all changes of a first plan take."""
    from rollbook.acts.actor import DEMO
    from rollbook.acts.runs import session

    with session(institute, day, DEMO, clock) as opened:
        plan, _ = opened.plan()
    began = clock.monotonic()
    tenant, made = Connection(said), dict[int, str]()
    for change in _changes(plan):
        _send(tenant, change, made)
    return clock.monotonic() - began


def _changes(plan: Plan) -> Iterator[Change]:
    planned = plan.changes.filter(plan.changes["verdict"] == int(ChangeVerdict.PLANNED))
    rows = planned.join(plan.details.select("seq", "after"), on="seq", how="left").sort("seq")
    for kind, subject, other, after in rows.select("kind", "subject", "object", "after").iter_rows():
        yield Kind(kind), subject, other, json.loads(after) if after else {}


def _send(tenant: Connection, change: Change, made: dict[int, str]) -> None:
    """One request. What a kind needs beside these values does not matter to how long it takes."""
    kind, subject, other, values = change
    if kind == Kind.CREATE_USER:
        body = {
            "accountEnabled": True,
            "displayName": values["display_name"],
            "mailNickname": values["mail_nickname"],
            "userPrincipalName": values["user_principal_name"],
            "usageLocation": values["usage_location"],
            "passwordProfile": {"password": "Correct-horse-1"},
        }
        made[subject] = tenant.post("/users", body)["id"]
    elif kind == Kind.LICENSE_USER:
        adding = [{"skuId": licence["sku"], "disabledPlans": licence["off"]} for licence in values["licences"]]
        tenant.post(f"/users/{made[subject]}/assignLicense", {"addLicenses": adding, "removeLicenses": []})
    elif kind == Kind.CREATE_CLASS:
        body = {"displayName": values["display_name"], "mailNickname": values["mail_nickname"]}
        made[subject] = tenant.post("/education/classes", body)["id"]
    elif kind in REFERENCES and other is not None:
        body = {"@odata.id": f"{GRAPH}/directoryObjects/{made[other]}"}
        tenant.post(f"/groups/{made[subject]}/{REFERENCES[kind]}/$ref", body)
    elif kind == Kind.CREATE_TEAM:
        template = f"{GRAPH}/teamsTemplates('educationClass')"
        body = {"template@odata.bind": template, "group@odata.bind": f"{GRAPH}/groups('{made[subject]}')"}
        tenant.post("/teams", body)
    else:
        raise RuntimeError(f"a first synchronization has no {kind.label}")
