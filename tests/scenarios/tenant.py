"""The emulated tenant as its own administrator would see it: accounts made by others, and what is there afterwards.

Everything is read over HTTP by a client that shares nothing with the product's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.apply.wire import control, faults
from tests.emulator.client import Client

DOMAIN = "sample-school.example"
LICENCES = {"STANDARDWOFFPACK_STUDENT": "student", "STANDARDWOFFPACK_FACULTY": "staff"}
"""What the tenant bought, under the names the scenarios use."""

PRODUCTS = {word: part for part, word in LICENCES.items()}
"""What a profile calls them."""

SEATS = {"student": 12, "staff": 6}
"""How many of each: few, so that a small school can run out of them."""

PROPERTIES = {
    "given_name": "givenName",
    "surname": "surname",
    "employee_id": "employeeId",
    "job_title": "jobTitle",
    "department": "department",
    "company_name": "companyName",
    "street_address": "streetAddress",
    "postal_code": "postalCode",
    "city": "city",
    "state": "state",
    "country": "country",
    "usage_location": "usageLocation",
    "office_location": "officeLocation",
    "mobile_phone": "mobilePhone",
    "mail": "mail",
    "signed_out_at": "signInSessionsValidFromDateTime",
}
SELECT = ",".join(
    ("id", "displayName", "userPrincipalName", "accountEnabled", "assignedLicenses", *PROPERTIES.values())
)


@dataclass(frozen=True, slots=True)
class Account:
    """An account as the tenant holds it; other properties by name, as `account["job_title"]`."""

    object_id: str
    name: str
    user_name: str
    enabled: bool
    licences: tuple[str, ...]
    properties: Mapping[str, Any] = field(repr=False)

    def __getitem__(self, name: str) -> Any:
        """One of PROPERTIES; None where it is not set."""
        return self.properties[name]


def made_by_others(user_name: str, name: str | None = None, **more: Any) -> dict[str, Any]:
    """An account that somebody else made: `more` are properties by our names, or Graph's own."""
    whole = user_name if "@" in user_name else f"{user_name}@{DOMAIN}"
    given = {PROPERTIES.get(key, key): value for key, value in more.items()}
    return {"userPrincipalName": whole, "displayName": name or user_name, **given}


class Tenant:
    """What the tenant holds. Reading is always anew; `control` plays its people."""

    def __init__(self, running: Any) -> None:
        self.running = running
        self._client: Client | None = None

    def control(self, call: str, **body: Any) -> Any:
        """A control call of the emulator, which plays an administrator or a rival."""
        return control(self.running, f"/{call}", body)

    def wait(self, days: int) -> None:
        """Days go by at Microsoft."""
        self.control("advance", seconds=days * 86_400)
        self.close()

    def close(self) -> None:
        """Sign out: a token does not outlive the days that go by."""
        if self._client is not None:
            self._client.close()
            self._client = None

    @property
    def graph(self) -> Client:
        """A signed-in client of Graph."""
        self._client = self._client or Client(self.running)
        return self._client

    def accounts(self) -> list[Account]:
        """Every account but that of the tenant's own administrator."""
        words = {entry["skuId"]: LICENCES[entry["skuPartNumber"]] for entry in self.graph.values("/subscribedSkus")}
        found = self.graph.values(f"/users?$select={SELECT}&$top=999")
        return [_account(user, words) for user in found if not user["userPrincipalName"].startswith("admin@")]

    def account(self, name: str) -> Account:
        """The one account of this display name, object id, or user name with or without its domain."""
        found = [
            a for a in self.accounts() if name in (a.object_id, a.name, a.user_name, a.user_name.partition("@")[0])
        ]
        assert len(found) == 1, f"{len(found)} accounts go by {name}"
        return found[0]

    def plans_off(self, name: str) -> set[str]:
        """The names of the service plans that are switched off in the licences of an account."""
        products = self.graph.values("/subscribedSkus")
        called = {plan["servicePlanId"]: plan["servicePlanName"] for sku in products for plan in sku["servicePlans"]}
        held = self.graph.values(f"/users?$select=id,assignedLicenses&$filter=id eq '{self.account(name).object_id}'")
        return {called[plan] for licence in held[0]["assignedLicenses"] for plan in licence["disabledPlans"]}

    def password(self, name: str) -> str:
        """What somebody has to type to sign in, which Microsoft itself tells nobody."""
        return str(self.running.directory.users.get(self.account(name).object_id)["_password"])

    def give_licence(self, name: str, product: str) -> None:
        """An administrator gives an account a licence."""
        (sku,) = [
            each["skuId"] for each in self.graph.values("/subscribedSkus") if each["skuPartNumber"] == PRODUCTS[product]
        ]
        body = {"addLicenses": [{"skuId": sku, "disabledPlans": []}], "removeLicenses": []}
        assert self.graph("POST", f"/users/{self.account(name).object_id}/assignLicense", body).status_code == 200

    def joins(self, account: str, group: str) -> None:
        """An administrator puts an account into a group by hand."""
        (found,) = self.graph.values(f"/groups?$filter=displayName eq '{group}'&$select=id")
        self.control("people", group=found["id"], user=self.account(account).object_id)

    def refuses_changes_of(self, account: str) -> None:
        """The next change of an account is refused, as where somebody got a role after the plan was made."""
        match = f"PATCH /users/{self.account(account).object_id}"
        faults(self.running, {"match": match, "status": 403, "code": "Authorization_RequestDenied"})

    def close_off(self, account: str) -> None:
        """An administrator moves an account into a unit with restricted management, where nobody else may change it."""
        unit = self.graph.made(
            "/directory/administrativeUnits", {"displayName": "Closed", "isMemberManagementRestricted": True}
        )
        reference = {
            "@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{self.account(account).object_id}"
        }
        assert self.graph("POST", f"/directory/administrativeUnits/{unit}/members/$ref", reference).status_code == 204

    def names(self) -> set[str]:
        """The display names of all accounts."""
        return {account.name for account in self.accounts()}

    def user_names(self) -> set[str]:
        """The user names of all accounts, without the domain of the school."""
        return {account.user_name.removesuffix(f"@{DOMAIN}") for account in self.accounts()}

    def teams(self) -> set[str]:
        """The names of all teams."""
        wanted = "resourceProvisioningOptions/Any(x:x eq 'Team')"
        return {group["displayName"] for group in self.graph.values(f"/groups?$filter={wanted}&$select=displayName")}

    def groups(self) -> set[str]:
        """The names of all groups, whether teams or not."""
        return {group["displayName"] for group in self.graph.values("/groups?$select=displayName")}

    def members(self, team: str) -> set[str]:
        """The display names of a team's members, its owners included."""
        return self._people(team, "members")

    def owners(self, team: str) -> set[str]:
        """The display names of a team's owners."""
        return self._people(team, "owners")

    def _people(self, team: str, relation: str) -> set[str]:
        (group,) = self.graph.values(f"/groups?$filter=displayName eq '{team}'&$select=id")
        return {person["displayName"] for person in self.graph.values(f"/groups/{group['id']}/{relation}")}

    def everything(self) -> dict[str, Any]:
        """All accounts and teams with their people, to be compared with a later look."""
        teams = {team: (self.members(team), self.owners(team)) for team in self.teams()}
        return {"accounts": {a.object_id: (a, dict(a.properties)) for a in self.accounts()}, "teams": teams}


def _account(user: Mapping[str, Any], words: Mapping[str, str]) -> Account:
    return Account(
        object_id=user["id"],
        name=user["displayName"],
        user_name=user["userPrincipalName"],
        enabled=user["accountEnabled"],
        licences=tuple(sorted(words[licence["skuId"]] for licence in user["assignedLicenses"])),
        properties={ours: user.get(theirs) for ours, theirs in PROPERTIES.items()},
    )
