"""The cloud: several tenants, several app registrations, who consented to what. Kept in one file.

Knows identities; what is inside a tenant is the tenant's business.
"""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from collections.abc import Iterable

from .clock import Clock
from .config import Config
from .tenant.changes import Changes
from .tenant.journal import Journal, LinkRow, Row
from .tenant.lags import Lags, View
from .tenant.tables import Table
from .tenant.tenant import Tenant
from .wire import Record

GRANTED = tuple(
    "AdministrativeUnit.ReadWrite.All Application.ReadWrite.OwnedBy Directory.Read.All Domain.Read.All EduRoster.ReadWrite.All "
    "Group.Create Group.ReadBasic.All Group.ReadWrite.All GroupMember.ReadBasic.All GroupMember.ReadWrite.All "
    "LicenseAssignment.ReadWrite.All Member.Read.Hidden Organization.Read.All RoleManagement.Read.Directory Team.Create "
    "Team.ReadBasic.All TeamMember.ReadWrite.All TeamSettings.ReadWrite.All User-Mail.ReadWrite.All "
    "User-PasswordProfile.ReadWrite.All User-Phone.ReadWrite.All User.DeleteRestore.All User.EnableDisableAccount.All "
    "User.ReadWrite.All User.RevokeSessions.All".split()
)
"""What an app registration asks for unless it says otherwise: every permission of graph.md section 11, with those of section 13."""


class Cloud:
    """Everything one emulator holds."""

    def __init__(self, config: Config, clock: Clock, journal: Journal) -> None:
        self.config = config
        self.clock = clock
        self.journal = journal
        self.tenants: dict[str, Tenant] = {}
        self._load(journal.records(), journal.links())
        self.save()

    def _load(self, records: Iterable[Row], links: Iterable[LinkRow]) -> None:
        self.changes = Changes(0, self.clock.now, Lags(self.config.seed, None))
        self.identities = Table("tenant", self.changes)
        self.apps = Table("app", self.changes)
        self.starts = Table("start", self.changes)
        self.times = Table("time", self.changes)
        own = {table.kind: table for table in self._tables()}
        rows: defaultdict[int, list[Row]] = defaultdict(list)
        relations: defaultdict[int, list[LinkRow]] = defaultdict(list)
        for row in records:
            rows[row[0]].append(row)
        for link in links:
            relations[link[0]].append(link)
        for _, kind, key, body in rows[0]:
            if body is not None:
                own[kind].load(key, body)
                self.changes.sequence = max(self.changes.sequence, body["_seq"])
        reached = self.times.get("reached")
        if reached is not None:
            # A restart must not travel back in time: what was due, or seen, or expired, stays so.
            self.clock.catch_up(reached["now"])
        self._draw = random.Random(f"rollbook-emulator-{self.config.seed}-start-{len(self.starts)}")  # noqa: S311
        self.starts.put(str(len(self.starts)), {"at": self.clock.now()})
        self.tenants = {}
        for identity in tuple(self.identities.values()):
            self._open(identity, rows[identity["number"]], relations[identity["number"]])
        if not self.tenants:
            self._begin()

    def _tables(self) -> tuple[Table, ...]:
        return (self.identities, self.apps, self.starts, self.times)

    def remember_time(self) -> None:
        """Keep how far the clock is."""
        self.times.put("reached", {"now": self.clock.now()})

    def close(self) -> None:
        """Keep what is not kept yet, and release the file."""
        self.remember_time()
        self.save()
        self.journal.close()

    def _begin(self) -> None:
        first = self.add_tenant(self.config.domain, self.config.initial_domain, self.config.tenant_name)
        app = self.add_app(f"{self.config.tenant_name}: Rollbook (emulated)")
        self.consent(first, app["client_id"], app["required"], at=0.0)
        for number in range(2, self.config.tenants + 1):
            self.add_tenant(f"school{number}.example", f"school{number}.onmicrosoft.example", f"School {number}")

    def _open(self, identity: Record, rows: Iterable[Row], links: Iterable[LinkRow]) -> Tenant:
        tenant = Tenant(identity, self.config, self.clock, self.journal)
        tenant.load(rows, links)
        self.tenants[tenant.id] = tenant
        return tenant

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._draw.getrandbits(128), version=4))

    def add_tenant(self, domain: str, initial: str, name: str) -> Tenant:
        """A tenant with an administrator and licences; `ValueError` if its domain is taken."""
        if any(self.named(taken) for taken in (domain, initial)):
            raise ValueError(f"the domain {domain} belongs to another tenant already")
        identity: Record = {
            "id": self._new_id(),
            "number": len(self.identities) + 1,
            "name": name,
            "domain": domain.lower(),
            "initial": initial.lower(),
            "password": f"Emulated-{self._draw.randrange(10**8):08}",
        }
        self.identities.put(identity["id"], identity)
        return self._open(identity, (), ())

    def add_app(self, name: str, required: Iterable[str] = GRANTED, redirects: Iterable[str] = ()) -> Record:
        """An app registration with a secret; nobody has consented to it yet."""
        app: Record = {
            "client_id": self._new_id(),
            "object_id": self._new_id(),
            "name": name,
            "secrets": [{"value": f"emulated-{self._new_id()}", "expires": None}],
            "certificates": [],
            "redirects": list(redirects),
            "required": list(required),
        }
        self.apps.put(app["client_id"], app)
        return app

    def change_app(self, client_id: str, **values: object) -> Record:
        """Replace some of what is known of an app; `KeyError` if there is none."""
        app = self.apps.get(client_id)
        if app is None:
            raise KeyError(client_id)
        new = {**app, **values}
        self.apps.put(client_id, new)
        return new

    def named(self, name: str) -> Tenant | None:
        """The tenant of this id or domain."""
        return self.tenants.get(name.lower()) or next((t for t in self.tenants.values() if t.knows(name)), None)

    def consent(self, tenant: Tenant, client_id: str, roles: Iterable[str], at: float | None = None) -> None:
        """An administrator agrees that the app has these roles; tokens learn of it little by little."""
        given = self.clock.now() if at is None else at
        tenant.consents.put(client_id, {"id": client_id, "roles": sorted(set(roles)), "at": given})

    def withdraw(self, tenant: Tenant, client_id: str) -> None:
        """An administrator takes the consent back; tokens that were issued keep their roles until they expire."""
        if client_id in tenant.consents:
            tenant.consents.drop(client_id)

    def roles(self, tenant: Tenant, client_id: str) -> list[str] | None:
        """The roles a new token gets; none while a consent spreads; None if the app is unknown in that tenant."""
        consent = tenant.consents.get(client_id)
        if consent is None:
            return None
        spread = self.clock.now() >= consent["at"] + tenant.changes.lags.of(View.CONSENT)
        return list(consent["roles"]) if spread else []

    def save(self) -> None:
        """Keep what changed."""
        records, links = self.changes.unsaved()
        if records or links:
            self.journal.commit(records, links)
            self.changes.saved()
        for tenant in self.tenants.values():
            tenant.save()

    def snapshot(self) -> tuple[list[Row], list[LinkRow]]:
        """Everything as rows; records are never altered in place, so nothing is copied but the lists."""
        records: list[Row] = [(0, t.kind, k, r) for t in self._tables() for k, r in t.items()]
        links: list[LinkRow] = []
        for tenant in self.tenants.values():
            more, relations = tenant.rows()
            records += more
            links += relations
        return records, links

    def restore(self, snapshot: tuple[list[Row], list[LinkRow]]) -> None:
        """Everything as it was in a snapshot; an empty one begins anew, with the same ids as at the very start."""
        records, links = snapshot
        self.journal.clear()
        self.journal.commit(records, links)
        self._load(records, links)
        self.save()
