"""One emulated tenant: its tables and links, who it is, and how it is kept. Knows rows; the calls know the rules."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from ..clock import Clock, iso
from ..config import Config
from ..wire import Record
from .changes import Changes
from .journal import Journal
from .links import Links, Span
from .tables import Table

TEAMS_PLAN = "57ff2da0-773e-42df-b2af-ffb7a2317929"
EXCHANGE_PLAN = "9aaf7827-d63c-4b61-89c3-182f06f82e5c"
SKUS = (
    ("STANDARDWOFFPACK_STUDENT", "314c4481-f395-4525-be8b-2ec4bb1e9d91", "student_seats"),
    ("STANDARDWOFFPACK_FACULTY", "94763226-9b3c-4e75-a931-5c89701abe66", "faculty_seats"),
)
"""Office 365 A1 for students and for faculty: part number, SKU id, the option that sets its seats."""

USER_INDEX = ("userPrincipalName", "mailNickname", "displayName", "mail", "employeeId")
GROUP_INDEX = ("mailNickname", "displayName", "uniqueName", "mail", "externalId")


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds of Microsoft's own delays as documented (graph.md sections 7.1 to 7.3); all zero when switched off."""

    settling: float
    operation: float
    roster: float

    @classmethod
    def scaled(cls, factor: float | None) -> Delays:
        """The documented delays times `factor`; none at all for None."""
        return cls(0, 0, 0) if factor is None else cls(900 * factor, 20 * factor, 86_400 * factor)


class Tenant:
    """The directory of one school. Ids follow from the seed, so that equal histories give equal tenants."""

    def __init__(self, config: Config, clock: Clock, journal: Journal) -> None:
        self.config = config
        self.clock = clock
        self.delays = Delays.scaled(config.delays)
        self._journal = journal
        self._draw = random.Random(f"rollbook-emulator-{config.seed}")  # noqa: S311 - ids have to be repeatable
        self.id = self.new_id()
        self.client_id = self.new_id()
        self.client_secret = f"emulated-{self.new_id()}"
        self.application_id = self.new_id()
        self.admin_password = f"Emulated-{self._draw.randrange(10**8):08}"
        self.changes = Changes(number=1)
        self.users = Table("user", self.changes, USER_INDEX)
        self.deleted = Table("deleted", self.changes)
        self.groups = Table("group", self.changes, GROUP_INDEX)
        self.skus = Table("sku", self.changes)
        self.operations = Table("operation", self.changes)
        self.extensions = Table("extension", self.changes, ("name",))
        self.starts = Table("start", self.changes)
        self.members = Links("member", self.changes)
        self.owners = Links("owner", self.changes)
        self._load()

    def _load(self) -> None:
        """What the file kept, else a new tenant with an administrator and licences."""
        kept = (self.users, self.deleted, self.groups, self.skus, self.operations, self.extensions, self.starts)
        tables = {table.kind: table for table in kept}
        links = {link.kind: link for link in (self.members, self.owners)}
        for _, kind, key, body in self._journal.records():
            if body is not None:
                tables[kind].load(key, body)
        for _, kind, source, target, since, until in self._journal.links():
            if since is not None:
                links[kind].load(source, target, Span(since, until))
        for extension in self.extensions.values():
            self.index_extension(extension["name"])
        if not len(self.skus):
            self._begin()
        # Ids given after a restart must differ from those given before it.
        self._draw = random.Random(f"{self.config.seed}-start-{len(self.starts)}")  # noqa: S311
        self.starts.put(str(len(self.starts)), {"at": self.stamp()})
        self.save()
        self.changes.new_baseline()

    def _begin(self) -> None:
        for part, sku, option in SKUS:
            seats = getattr(self.config, option)
            self.skus.put(sku, _sku(self.id, part, sku, seats))
        admin = self.new_id()
        name = f"admin@{self.config.initial_domain}"
        self.users.put(
            admin,
            {
                "id": admin,
                "userPrincipalName": name,
                "mailNickname": "admin",
                "displayName": "Emulated Administrator",
                "accountEnabled": True,
                "userType": "Member",
                "assignedLicenses": [],
                "createdDateTime": self.stamp(),
                "_admin": True,
            },
        )
        for number in range(self.config.people):
            key = self.new_id()
            record: Record = {"id": key, "displayName": f"Person {number}", "mailNickname": f"person{number}"}
            record |= {"userPrincipalName": f"person{number}@{self.config.domain}", "accountEnabled": True}
            record |= {"userType": "Member", "assignedLicenses": [], "createdDateTime": self.stamp()}
            self.users.put(key, record)

    def new_id(self) -> str:
        """A GUID nobody has."""
        return str(uuid.UUID(int=self._draw.getrandbits(128), version=4))

    def stamp(self) -> str:
        """Now, as Graph writes it."""
        return iso(self.clock.now())

    def index_extension(self, name: str) -> None:
        """Directory extensions are filterable."""
        self.users.index(name)
        self.groups.index(name)

    @property
    def domains(self) -> list[Record]:
        """The verified, managed domains; the school's own is the default and can receive mail."""
        services = ["Email", "OfficeCommunicationsOnline"]
        names = ((self.config.domain, True, False), (self.config.initial_domain, False, True))
        return [
            {
                "id": name,
                "authenticationType": "Managed",
                "isAdminManaged": True,
                "isDefault": default,
                "isInitial": initial,
                "isRoot": True,
                "isVerified": True,
                "supportedServices": services,
            }
            for name, default, initial in names
        ]

    def save(self) -> None:
        """Everything changed since the last time is on its way to the disk when this returns."""
        records, links = self.changes.unsaved()
        if records or links:
            self._journal.commit(records, links)
            self.changes.saved()

    def close(self) -> None:
        """Release the file."""
        self._journal.close()

    def consumed(self, sku: str, seats: int) -> None:
        """`seats` more (or fewer, below zero) of a licence are taken."""
        record = self.skus.get(sku)
        assert record is not None
        self.skus.put(sku, {**record, "consumedUnits": record["consumedUnits"] + seats})

    def has_teams_plan(self, user: Record) -> bool:
        """Whether a user has a licence whose Teams plan is not switched off."""
        return any(TEAMS_PLAN not in licence.get("disabledPlans", ()) for licence in user["assignedLicenses"])

    def known_skus(self) -> Iterable[str]:
        """SKU ids the tenant bought."""
        return [record["skuId"] for record in self.skus.values()]


def _sku(tenant: str, part: str, sku: str, seats: int) -> Record:
    plans = ((TEAMS_PLAN, "TEAMS1"), (EXCHANGE_PLAN, "EXCHANGE_S_STANDARD"))
    return {
        "id": f"{tenant}_{sku}",
        "accountId": tenant,
        "skuId": sku,
        "skuPartNumber": part,
        "appliesTo": "User",
        "capabilityStatus": "Enabled",
        "consumedUnits": 0,
        "prepaidUnits": {"enabled": seats, "suspended": 0, "warning": 0, "lockedOut": 0},
        "servicePlans": [
            {"servicePlanId": i, "servicePlanName": n, "provisioningStatus": "Success", "appliesTo": "User"}
            for i, n in plans
        ],
        "subscriptionIds": [],
    }
