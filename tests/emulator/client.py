"""A plain HTTP client of the emulated tenant, which shares nothing with the product's own."""

from __future__ import annotations

from typing import Any

import requests


class Client:
    """Calls Graph with a token of the emulator's application."""

    def __init__(self, tenant: Any) -> None:
        self.tenant = tenant
        app = tenant.apps[0]
        form = {
            "client_id": app["client_id"],
            "client_secret": app["client_secret"],
            "grant_type": "client_credentials",
            "scope": "https://graph.microsoft.com/.default",
        }
        self.session = requests.Session()
        answer = self.session.post(f"{tenant.login}/{app['tenant']}/oauth2/v2.0/token", data=form)
        answer.raise_for_status()
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        url = path if path.startswith("http") else f"{self.tenant.graph}{path}"
        return self.session.request(
            method, url, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    def close(self) -> None:
        self.session.close()

    def user(self, name: str, **more: Any) -> str:
        """A new user; returns the id."""
        answer = self("POST", "/users", a_user(name, **more))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def klass(self, name: str, **more: Any) -> str:
        """A new class; returns the id."""
        body = {"displayName": name, "mailNickname": name, "externalSource": "sis", "externalSourceDetail": "m", **more}
        answer = self("POST", "/education/classes", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def relate(
        self, group: str, *, owners: list[str] | None = None, members: list[str] | None = None
    ) -> requests.Response:
        """Owners and members added in one PATCH."""
        body = {}
        for name, ids in (("owners", owners), ("members", members)):
            if ids:
                body[f"{name}@odata.bind"] = [f"https://graph.microsoft.com/v1.0/directoryObjects/{key}" for key in ids]
        return self("PATCH", f"/groups/{group}", body)

    def team(self, group: str) -> requests.Response:
        """A class team asked for."""
        root = "https://graph.microsoft.com/v1.0"
        body = {
            "template@odata.bind": f"{root}/teamsTemplates('educationClass')",
            "group@odata.bind": f"{root}/groups('{group}')",
        }
        return self("POST", "/teams", body)

    def license(self, user: str) -> requests.Response:
        """The student licence assigned."""
        sku = next(s for s in self("GET", "/subscribedSkus").json()["value"] if s["skuPartNumber"].endswith("STUDENT"))
        body = {"addLicenses": [{"skuId": sku["skuId"], "disabledPlans": []}], "removeLicenses": []}
        return self("POST", f"/users/{user}/assignLicense", body)


def a_user(name: str, **more: Any) -> dict[str, Any]:
    """The body of a user that can be created."""
    return {
        "accountEnabled": True,
        "displayName": name,
        "mailNickname": name,
        "userPrincipalName": f"{name}@sample-school.example",
        "usageLocation": "GR",
        "passwordProfile": {"password": "Correct-horse-1", "forceChangePasswordNextSignIn": True},
        **more,
    }
