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


GROUP_SELECT = (
    "id,displayName,description,mailNickname,mail,groupTypes,securityEnabled,visibility,resourceBehaviorOptions,"
    "resourceProvisioningOptions,creationOptions,uniqueName"
)
CLASS_SELECT = "id,classCode,externalId,externalName,externalSource,externalSourceDetail"
OBJECT_TYPES = {"#microsoft.graph.user": "user", "#microsoft.graph.group": "group"}


@dataclass(frozen=True, slots=True)
class Group:
    """A group as the tenant holds it.

    `kind` is class, unified or security; `behaviours` are its resourceBehaviorOptions; `locked` is whether a teacher still has to
    activate its team. `class_code`, `external_id` and `source` are empty where it is no class.
    """

    object_id: str
    name: str
    kind: str
    description: str | None
    nickname: str
    mail: str | None
    visibility: str
    behaviours: frozenset[str]
    unique_name: str | None
    has_team: bool
    archived: bool
    locked: bool
    class_code: str | None
    external_id: str | None
    source: str | None


def group_made_by_others(name: str, kind: str = "unified", **more: Any) -> dict[str, Any]:
    """A group, class or team that somebody else made, for `Stage.tenant_holds`.

    `owners` and `members` are user names without the domain, `team=True` makes it a team that is open; other properties by
    Graph's own names.
    """
    flags = {"mailEnabled": kind != "security", "securityEnabled": kind == "security"}
    whole = {"displayName": name, "groupTypes": [] if kind == "security" else ["Unified"], **flags, **more}
    whole |= {as_: [f"{who}@{DOMAIN}" for who in more.get(as_, ())] for as_ in ("owners", "members")}
    return {"_kind": kind, "visibility": "Private", **whole}


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

    def joins(self, account: str, group: str, relation: str = "member") -> None:
        """An administrator puts an account into a group by hand, as member or owner."""
        self.control("people", group=self._one(group)["id"], user=self.account(account).object_id, **{"as": relation})

    def is_taken_out(self, account: str, group: str, relation: str = "member") -> None:
        """An administrator takes an account out of a group by hand."""
        whom = {"group": self._one(group)["id"], "user": self.account(account).object_id, "as": relation}
        self.control("people", **whom, remove=True)

    def activates(self, team: str) -> None:
        """A teacher opens a class team."""
        self.control("activate", team=self._one(team)["id"])

    def edits(self, group: str, **properties: Any) -> None:
        """An administrator changes a group by hand; properties by Graph's names."""
        self.control("edit", group=self._one(group)["id"], set=properties)

    def deletes(self, group: str) -> None:
        """An administrator deletes a group by hand."""
        self.control("delete", group=self._one(group)["id"])

    def archives(self, team: str) -> None:
        """An administrator archives a team by hand."""
        assert self.graph("POST", f"/teams/{self._one(team)['id']}/archive").status_code == 202

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

    def writes(self) -> list[str]:
        """What was asked to be changed, oldest first, refused or not: "PATCH /groups/{id}"."""
        sent = control(self.running, "/transcript?limit=5000")["requests"]
        return [f"{each['method']} {each['address']}" for each in reversed(sent) if each["method"] != "GET"]

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

    def every_group(self) -> list[Group]:
        """All groups as they are."""
        return [self._group(found) for found in self._found()]

    def groups_of(self, kind: str) -> set[str]:
        """The names of all groups of a kind: class, unified or security."""
        return {group.name for group in self.every_group() if group.kind == kind}

    def group(self, name: str) -> Group:
        """The one group of this display name, object id, or mail nickname."""
        return self._group(self._one(name))

    def _found(self) -> list[dict[str, Any]]:
        return self.graph.values(f"/groups?$select={GROUP_SELECT}&$top=999")

    def _one(self, name: str) -> dict[str, Any]:
        everything = self._found()
        by = ("id", "displayName", "mailNickname")
        found = next((hits for key in by if (hits := [each for each in everything if each[key] == name])), [])
        assert len(found) == 1, f"{len(found)} groups go by {name}"
        return found[0]

    def _group(self, group: Mapping[str, Any]) -> Group:
        answer = self.graph("GET", f"/education/classes/{group['id']}?$select={CLASS_SELECT}")
        klass = answer.json() if answer.status_code == 200 else None
        team = "Team" in group["resourceProvisioningOptions"]
        opened = self.graph("GET", f"/teams/{group['id']}") if team else None
        # Whether a team is locked is told by Microsoft's beta only, and that it is archived once the team is ready.
        held = self.running.directory.groups.get(group["id"]).get("_team", {})
        return Group(
            object_id=group["id"],
            name=group["displayName"],
            kind="class" if klass else "unified" if "Unified" in group["groupTypes"] else "security",
            description=group["description"],
            nickname=group["mailNickname"],
            mail=group["mail"],
            visibility=group["visibility"],
            behaviours=frozenset(group["resourceBehaviorOptions"]),
            unique_name=group["uniqueName"],
            has_team=team,
            archived=bool(opened is not None and opened.status_code == 200 and opened.json()["isArchived"]),
            locked=bool(held.get("locked")),
            class_code=klass["classCode"] if klass else None,
            external_id=klass["externalId"] if klass else None,
            source=klass["externalSourceDetail"] if klass else None,
        )

    def members(self, group: str) -> set[str]:
        """The display names of a group's direct members, its owners and nested groups included."""
        return {entry["displayName"] for entry in self._people(group, "members")}

    def owners(self, group: str) -> set[str]:
        """The display names of a group's owners."""
        return {entry["displayName"] for entry in self._people(group, "owners")}

    def people(self, group: str) -> set[str]:
        """The display names of a group's direct members that are accounts."""
        return self._direct(group, "user")

    def nested(self, group: str) -> set[str]:
        """The names of the groups that are direct members of a group."""
        return self._direct(group, "group")

    def _direct(self, group: str, kind: str) -> set[str]:
        entries = self._people(group, "members")
        return {entry["displayName"] for entry in entries if OBJECT_TYPES[entry["@odata.type"]] == kind}

    def everybody_in(self, group: str) -> set[str]:
        """The display names of all accounts in a group or in one that is nested in it, however deep."""
        return self.people(group).union(*(self.everybody_in(inner) for inner in self.nested(group)))

    def roster(self, team: str) -> dict[str, str]:
        """Who is on a team's own roster, which Teams keeps apart from the group: owner or member by display name."""
        entries = self.graph.values(f"/teams/{self._one(team)['id']}/members")
        return {entry["displayName"]: "owner" if "owner" in entry["roles"] else "member" for entry in entries}

    def ids(self, group: str, relation: str) -> set[str]:
        """The object ids of a group's members or owners."""
        return {entry["id"] for entry in self._people(group, relation)}

    def _people(self, group: str, relation: str) -> list[dict[str, Any]]:
        return self.graph.values(f"/groups/{self._one(group)['id']}/{relation}?$top=999")

    def everything(self) -> dict[str, Any]:
        """All accounts and groups with their people, to be compared with a later look."""
        groups = {g.object_id: (g, self.members(g.object_id), self.owners(g.object_id)) for g in self.every_group()}
        return {"accounts": {a.object_id: (a, dict(a.properties)) for a in self.accounts()}, "groups": groups}


def _account(user: Mapping[str, Any], words: Mapping[str, str]) -> Account:
    return Account(
        object_id=user["id"],
        name=user["displayName"],
        user_name=user["userPrincipalName"],
        enabled=user["accountEnabled"],
        licences=tuple(sorted(words[licence["skuId"]] for licence in user["assignedLicenses"])),
        properties={ours: user.get(theirs) for ours, theirs in PROPERTIES.items()},
    )
