"""A plain HTTP client of a tenant, emulated or real, which shares nothing with the product's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

PASSWORD = "Correct-horse-1"
ROOT = "https://graph.microsoft.com/v1.0"


@dataclass(frozen=True, slots=True)
class Target:
    """Where to go and as whom: an emulated tenant, or a real test tenant named by environment variables."""

    graph: str
    login: str
    tenant: str
    client_id: str
    client_secret: str
    domain: str
    control: str | None = None

    @classmethod
    def emulated(cls, running: Any, app: Mapping[str, Any] | None = None, tenant: str | None = None) -> Target:
        """The first app of a running emulator, or another one."""
        chosen = app or running.apps[0]
        home = tenant or chosen.get("tenant") or running.tenants[0]["id"]
        domain = next(entry["domain"] for entry in running.tenants if entry["id"] == home)
        secret = chosen["client_secret"]
        return cls(running.graph, running.login, home, chosen["client_id"], secret, domain, running.control)

    @classmethod
    def real(cls) -> Target | None:
        """The tenant that ROLLBOOK_TEST_TENANT, _CLIENT_ID, _CLIENT_SECRET and _DOMAIN name; None if they are not set."""
        names = ("TENANT", "CLIENT_ID", "CLIENT_SECRET", "DOMAIN")
        values = [os.environ.get(f"ROLLBOOK_TEST_{name}") for name in names]
        if not all(values):
            return None
        return cls(ROOT, "https://login.microsoftonline.com", *map(str, values))


class Client:
    """Calls Graph with a token of an application."""

    def __init__(self, where: Any, app: Mapping[str, Any] | None = None, tenant: str | None = None) -> None:
        self.target = where if isinstance(where, Target) else Target.emulated(where, app, tenant)
        self.session = requests.Session()
        answer = self.sign_in()
        answer.raise_for_status()
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def sign_in(self, **more: str) -> requests.Response:
        """What the token endpoint says to the application's secret."""
        form = {
            "client_id": self.target.client_id,
            "client_secret": self.target.client_secret,
            "grant_type": "client_credentials",
            "scope": "https://graph.microsoft.com/.default",
            **more,
        }
        return self.session.post(f"{self.target.login}/{self.target.tenant}/oauth2/v2.0/token", data=form)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        url = path if path.startswith("http") else f"{self.target.graph}{path}"
        return self.session.request(
            method, url, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    def control(self, call: str, body: Any = None, **fields: Any) -> Any:
        """What a control call answers; fails where it refuses."""
        answer = self.session.post(f"{self.target.control}/{call}", json=fields if body is None else body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def close(self) -> None:
        self.session.close()

    def values(self, path: str, **headers: str) -> list[dict[str, Any]]:
        """Everything a collection holds, over all its pages."""
        found: list[dict[str, Any]] = []
        while path:
            page = self("GET", path, **headers)
            assert page.status_code == 200, page.text
            found += page.json()["value"]
            path = page.json().get("@odata.nextLink", "")
        return found

    def delta(self, path: str, **headers: str) -> tuple[list[dict[str, Any]], str]:
        """Everything a delta round tells, and the link for the next one."""
        found: list[dict[str, Any]] = []
        while True:
            page = self("GET", path, **headers)
            assert page.status_code == 200, page.text
            found += page.json()["value"]
            if "@odata.deltaLink" in page.json():
                return found, page.json()["@odata.deltaLink"]
            path = page.json()["@odata.nextLink"]

    def made(self, path: str, body: dict[str, Any]) -> str:
        """The id of what a POST made."""
        answer = self("POST", path, body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def user(self, name: str, **more: Any) -> str:
        """A new user; returns the id."""
        return self.made("/users", a_user(name, self.target.domain, **more))

    def group(self, name: str, *, unified: bool = False, **more: Any) -> str:
        """A new group; returns the id."""
        return self.made("/groups", a_group(name, unified=unified, **more))

    def klass(self, name: str, **more: Any) -> str:
        """A new class; returns the id."""
        body = {"displayName": name, "mailNickname": name, "externalSource": "sis", "externalSourceDetail": "m", **more}
        return self.made("/education/classes", body)

    def relate(
        self, group: str, *, owners: list[str] | None = None, members: list[str] | None = None
    ) -> requests.Response:
        """Owners and members added in one PATCH."""
        body = {}
        for name, ids in (("owners", owners), ("members", members)):
            if ids:
                body[f"{name}@odata.bind"] = [f"{ROOT}/directoryObjects/{key}" for key in ids]
        return self("PATCH", f"/groups/{group}", body)

    def people(self, group: str, relation: str = "members") -> set[str]:
        """Ids of a group's members or owners."""
        return {entry["id"] for entry in self.values(f"/groups/{group}/{relation}")}

    def team(self, group: str, template: str = "educationClass") -> requests.Response:
        """A team asked for from a group."""
        body = {
            "template@odata.bind": f"{ROOT}/teamsTemplates('{template}')",
            "group@odata.bind": f"{ROOT}/groups('{group}')",
        }
        return self("POST", "/teams", body)

    def open_team(self, name: str = "c") -> tuple[str, str, str]:
        """An activated class team; returns group, its teacher and a pupil."""
        group, teacher, pupil = self.klass(name), self.user(f"teacher-{name}"), self.user(f"pupil-{name}")
        assert self.relate(group, owners=[teacher], members=[teacher, pupil]).status_code == 204
        assert self.license(teacher).status_code == 200
        assert self.team(group).status_code == 202
        self.control("activate", team=group)
        return group, teacher, pupil

    def roster(self, team: str) -> dict[str, list[str]]:
        """Who is on a team's roster, with their roles."""
        return {entry["userId"]: entry["roles"] for entry in self.values(f"/teams/{team}/members")}

    def sku(self, kind: str = "STUDENT") -> str:
        """The id of a product."""
        found = self("GET", "/subscribedSkus").json()["value"]
        return next(str(entry["skuId"]) for entry in found if entry["skuPartNumber"].endswith(kind))

    def license(
        self, user: str, *skus: str, remove: tuple[str, ...] = (), off: tuple[str, ...] = ()
    ) -> requests.Response:
        """Licences assigned to a user and removed, by default the student's assigned."""
        adding = skus if skus or remove else (self.sku(),)
        body = {
            "addLicenses": [{"skuId": s, "disabledPlans": list(off)} for s in adding],
            "removeLicenses": list(remove),
        }
        return self("POST", f"/users/{user}/assignLicense", body)


def a_user(name: str, domain: str = "sample-school.example", **more: Any) -> dict[str, Any]:
    """The body of a user that can be created."""
    return {
        "accountEnabled": True,
        "displayName": name,
        "mailNickname": name,
        "userPrincipalName": f"{name}@{domain}",
        "usageLocation": "GR",
        "passwordProfile": {"password": PASSWORD, "forceChangePasswordNextSignIn": True},
        **more,
    }


def a_group(name: str, *, unified: bool = False, **more: Any) -> dict[str, Any]:
    """The body of a group that can be created."""
    kinds = ["Unified"] if unified else []
    flags = {"mailEnabled": unified, "securityEnabled": not unified}
    return {"displayName": name, "mailNickname": name, "groupTypes": kinds, **flags, **more}


def refused(answer: requests.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["error"]["code"]


def detail(answer: requests.Response) -> tuple[int, str]:
    """Status, and code and target of the one detail of a refusal."""
    (found,) = answer.json()["error"]["details"]
    return answer.status_code, f"{found['code']} {found['target']}"
