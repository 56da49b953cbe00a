"""One emulated tenant: its tables and links, who it is, how it is kept. Knows rows; the calls know the rules."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from ..clock import Clock, iso
from ..config import Config
from ..wire import Record
from .agenda import Agenda
from .changes import Changes
from .journal import Journal, LinkRow, Row
from .lags import Lags
from .links import Links
from .products import SKUS, sku_record
from .tables import Table

USER_INDEX = ("userPrincipalName", "mailNickname", "displayName", "mail", "employeeId", "onPremisesImmutableId")
GROUP_INDEX = ("mailNickname", "displayName", "uniqueName", "mail", "externalId")
OBJECT_TYPE = "extension_fe2174665583431c953114ff7268b7b3_Education_ObjectType"
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
"""Microsoft's id of the role, the same in every tenant."""


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds of Microsoft's own delays (graph.md sections 3, 5.2, 6, 7.1 to 7.3); all zero when switched off."""

    settling: float
    operation: float
    roster: float
    owner: float
    licences: float
    leaving: float

    @classmethod
    def scaled(cls, factor: float | None) -> Delays:
        """The documented delays times `factor`; none at all for None."""
        if factor is None:
            return cls(0, 0, 0, 0, 0, 0)
        return cls(900 * factor, 20 * factor, 86_400 * factor, 7_200 * factor, 30 * factor, 8 * factor)


class Tenant:
    """The directory of one school. Ids follow from the seed, so that equal histories give equal tenants."""

    def __init__(self, identity: Record, config: Config, clock: Clock, journal: Journal) -> None:
        """`identity` is {id, number, name, domain, initial, password}: what the cloud knows of its tenants."""
        self.id: str = identity["id"]
        self.name: str = identity["name"]
        self.domain: str = identity["domain"]
        self.initial: str = identity["initial"]
        self.admin_password: str = identity["password"]
        self.config = config
        self.clock = clock
        self.delays = Delays.scaled(config.delays)
        self._journal = journal
        number = identity["number"]
        self._draw = random.Random(f"rollbook-emulator-{config.seed}-{number}")  # noqa: S311 - ids have to be repeatable
        self.changes = Changes(number, clock.now, Lags(config.seed, config.delays))
        self._make_tables()
        self.agenda = Agenda(self.errands)

    def _make_tables(self) -> None:
        changes = self.changes
        self.users = Table("user", changes, USER_INDEX)
        self.groups = Table("group", changes, (*GROUP_INDEX, OBJECT_TYPE))
        self.units = Table("unit", changes, ("displayName", "externalId"))
        self.deleted = Table("deleted", changes, ("userPrincipalName",))
        self.purged = Table("purged", changes)
        self.skus = Table("sku", changes)
        self.operations = Table("operation", changes)
        self.extensions = Table("extension", changes, ("name",))
        self.domains = Table("domain", changes)
        self.consents = Table("consent", changes)
        self.assignments = Table("assignment", changes, ("principalId",))
        self.eligible = Table("eligible", changes, ("principalId",))
        self.rosters = Table("roster", changes)
        self.errands = Table("errand", changes)
        self.starts = Table("start", changes)
        self.members = Links("member", changes)
        self.owners = Links("owner", changes)
        self.unit_members = Links("unit-member", changes)
        self.school_classes = Links("school-class", changes)

    @property
    def tables(self) -> dict[str, Table]:
        """All tables by kind."""
        return {value.kind: value for value in vars(self).values() if isinstance(value, Table)}

    @property
    def links(self) -> dict[str, Links]:
        """All relations by kind."""
        return {value.kind: value for value in vars(self).values() if isinstance(value, Links)}

    def load(self, records: Iterable[Row], links: Iterable[LinkRow]) -> None:
        """What was kept, else a new tenant with an administrator and licences."""
        tables, relations = self.tables, self.links
        for _, kind, key, body in records:
            if body is not None:
                tables[kind].load(key, body)
                self.changes.sequence = max(self.changes.sequence, body["_seq"])
        traces = {link.traces: link for link in relations.values()}
        for _, kind, source, target, sequence in links:
            if sequence is not None:
                self.changes.sequence = max(self.changes.sequence, sequence)
                if kind in relations:
                    relations[kind].load(source, target, sequence)
                else:
                    traces[kind].load_trace(source, target, sequence)
        for extension in self.extensions.values():
            self.index_extension(extension["name"])
        if not len(self.skus):
            self._begin()
        self.agenda.load()
        # Ids given after a restart must differ from those given before it.
        started = f"{self.config.seed}-{self.changes.number}-start-{len(self.starts)}"
        self._draw = random.Random(started)  # noqa: S311
        self.starts.put(str(len(self.starts)), {"at": self.stamp()})
        self.changes.new_baseline()

    def rows(self) -> tuple[list[Row], list[LinkRow]]:
        """Everything, as the file keeps it."""
        number = self.changes.number
        records: list[Row] = [
            (number, table.kind, key, record) for table in self.tables.values() for key, record in table.items()
        ]
        links: list[LinkRow] = [
            (number, *row) for relation in self.links.values() for row in (*relation.rows(), *relation.trace_rows())
        ]
        return records, links

    def _begin(self) -> None:
        for name, default in ((self.domain, True), (self.initial, False)):
            self.domains.put(name, domain_record(name, default=default))
        for part, sku, option in SKUS:
            self.skus.put(sku, sku_record(self.id, part, sku, getattr(self.config, option)))
        admin = self.new_id()
        self.add_user(
            admin, f"admin@{self.initial}", "Emulated Administrator", _password=self.admin_password, usageLocation="GR"
        )
        assignment = self.new_id()
        self.assignments.put(
            assignment,
            {
                "id": assignment,
                "principalId": admin,
                "roleDefinitionId": GLOBAL_ADMINISTRATOR,
                "directoryScopeId": "/",
            },
        )
        for number in range(self.config.people):
            self.add_user(self.new_id(), f"person{number}@{self.domain}", f"Person {number}")

    def add_user(self, key: str, name: str, display: str, **more: object) -> Record:
        """A user with Microsoft's defaults under what is given, without any check."""
        record: Record = {
            "id": key,
            "displayName": display,
            "mailNickname": name.partition("@")[0],
            "userPrincipalName": name,
            "accountEnabled": True,
            "userType": "Member",
            "businessPhones": [],
            "otherMails": [],
            "proxyAddresses": [],
            "assignedLicenses": [],
            "licenseAssignmentStates": [],
            "createdDateTime": self.stamp(),
            **more,
        }
        self.users.put(key, record)
        return record

    def new_id(self) -> str:
        """A GUID nobody has."""
        text = f"{self._draw.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    def stamp(self) -> str:
        """Now, as Graph writes it."""
        return iso(self.clock.now())

    def index_extension(self, name: str) -> None:
        """Directory extensions are filterable."""
        for table in (self.users, self.groups, self.units):
            table.index(name)

    def knows(self, named: str) -> bool:
        """Whether the tenant goes by this id or domain."""
        return named.lower() == self.id or named.lower() in self.domains

    def save(self) -> None:
        """Everything changed since the last time is on its way to the disk when this returns."""
        records, links = self.changes.unsaved()
        if records or links:
            self._journal.commit(records, links)
            self.changes.saved()

    def consumed(self, sku: str, seats: int) -> None:
        """`seats` more (or fewer, below zero) of a licence are taken."""
        record = self.skus.get(sku)
        assert record is not None
        self.skus.put(sku, {**record, "consumedUnits": record["consumedUnits"] + seats})

    def known_skus(self) -> Iterable[str]:
        """SKU ids the tenant bought."""
        return [record["skuId"] for record in self.skus.values()]


def domain_record(name: str, *, default: bool = False, federated: bool = False, verified: bool = True) -> Record:
    """A domain as Graph lists it (section 4)."""
    return {
        "id": name,
        "authenticationType": "Federated" if federated else "Managed",
        "availabilityStatus": None,
        "isAdminManaged": True,
        "isDefault": default,
        "isInitial": ".onmicrosoft." in name,
        "isRoot": True,
        "isVerified": verified,
        "supportedServices": ["Email", "OfficeCommunicationsOnline"] if verified else [],
    }
