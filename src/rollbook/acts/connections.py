"""Connecting an institute to a tenant, as far as application credentials are at hand; and opening a connection for a run."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import polars as pl
from django.db import transaction

from rollbook.acts.actor import Actor
from rollbook.apply.ports import Writer
from rollbook.clock import Clock
from rollbook.desired import TenantFacts
from rollbook.errors import InputRefused
from rollbook.graph.protocol import Item, Outcome
from rollbook.graph.reader import GraphReader
from rollbook.graph.registration import ensure_mark_property, mark_property
from rollbook.graph.throttle import Throttle
from rollbook.graph.tokens import AppTokens
from rollbook.graph.transport import UNREACHABLE, Transport
from rollbook.graph.writer import GraphWriter
from rollbook.plan.context import SEATS
from rollbook.store import trail
from rollbook.store.budget import StoreBudget
from rollbook.store.home import home
from rollbook.store.models import Connection, Institute, Secret, Tenant
from rollbook.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Credentials:
    """How an application reaches a tenant."""

    tenant: str
    client_id: str
    client_secret: str
    graph_url: str
    login_url: str
    emulated: bool
    quotas: bool = True


def connect(institute: Institute, given: Credentials, actor: Actor, clock: Clock) -> Connection:
    """The institute's connection, proven by reading the tenant; made or renewed. Raises Stop with a sentence if it fails."""
    tokens = AppTokens(given.tenant, given.client_id, given.client_secret, given.login_url)
    transport = Transport(given.graph_url, tokens)
    try:
        organization = GraphReader(transport, mark_property(given.client_id), clock).organization()
        marked = ensure_mark_property(transport, given.client_id)
    finally:
        transport.close()
        tokens.close()
    with transaction.atomic():
        tenant = tenant_of(institute, given, str(organization["displayName"]))
        connection = remember(institute, tenant, given, marked, clock)
        trail.append(
            actor_kind=actor.kind,
            actor=actor.name,
            place=actor.place,
            action="connection.proven",
            at=clock.now(),
            content={"tenant": given.tenant, "application": given.client_id},
            institute=institute,
        )
    return connection


def tenant_of(institute: Institute, given: Credentials, name: str) -> Tenant:
    """The tenant the credentials are for, known from now on. InputRefused if it belongs to another organisation."""
    tenant, _ = Tenant.objects.get_or_create(
        tid=given.tenant,
        defaults={"organisation": institute.organisation, "name": name, "emulated": given.emulated},
    )
    if tenant.organisation_id != institute.organisation_id:
        raise InputRefused(
            "The tenant belongs to another organisation of this installation.", remedy="Connect the tenant of your own."
        )
    return tenant


def remember(
    institute: Institute,
    tenant: Tenant,
    given: Credentials,
    marked: str,
    clock: Clock,
    purpose: Connection.Purpose = Connection.Purpose.MAIN,
) -> Connection:
    """The institute's connection for this purpose, made or renewed; a secret that did not change is kept as it was."""
    vault = Vault()
    old = Connection.objects.filter(institute=institute, purpose=purpose).first()
    if old is not None and old.tenant_id == tenant.pk and vault.decrypt(old.secret.ciphertext) == given.client_secret:
        secret, expires_on = old.secret, old.expires_on
    else:
        expires_on = None  # until when another one holds nobody said yet
        secret = Secret.objects.create(
            tenant=tenant,
            purpose=Secret.Purpose.CREDENTIAL,
            key_id=vault.key_id,
            ciphertext=vault.encrypt(given.client_secret),
            made_at=clock.now(),
        )
    connection, _ = Connection.objects.update_or_create(
        institute=institute,
        purpose=purpose,
        defaults={
            "tenant": tenant,
            "state": Connection.State.CONNECTED,
            "client_id": given.client_id,
            "secret": secret,
            "expires_on": expires_on,
            "graph_url": given.graph_url,
            "login_url": given.login_url,
            "mark_property": marked,
            "quotas": given.quotas,
        },
    )
    return connection


class ConnectedReader(GraphReader):
    """A GraphReader that also answers what a plan asks about the tenant as a whole (sync.TenantReader)."""

    def __init__(self, transport: Transport, marked: str, clock: Clock, throttle: Throttle | None = None) -> None:
        super().__init__(transport, marked, clock, throttle)
        self._skus: list[dict[str, Any]] | None = None

    def facts(self) -> TenantFacts:
        """Verified, managed domains that take mail; the tenant's country; licences people can have, by part number."""
        usable = [domain for domain in self.domains() if _usable(domain)]
        default = next((d["id"] for d in usable if d.get("isDefault")), None)
        if default is None:
            raise InputRefused(
                "The tenant has no default domain for new accounts that is verified, managed and takes mail.",
                remedy="Verify a domain at Microsoft, or name one in the profile.",
            )
        return TenantFacts(
            default_domain=default,
            domains=frozenset(d["id"] for d in usable),
            country=self.organization().get("countryLetterCode"),
            skus={sku["skuPartNumber"]: sku["skuId"] for sku in self._licences()},
            plans={
                sku["skuId"]: {plan["servicePlanName"]: plan["servicePlanId"] for plan in sku.get("servicePlans") or ()}
                for sku in self._licences()
            },
        )

    def seats(self) -> pl.DataFrame:
        """Free seats by licence (schema SEATS): enabled and in grace, less consumed."""
        rows = [
            (
                sku["skuId"],
                sku["prepaidUnits"]["enabled"] + sku["prepaidUnits"].get("warning", 0) - sku["consumedUnits"],
            )
            for sku in self._licences()
        ]
        return pl.DataFrame(rows, schema=pl.Schema(SEATS), orient="row")

    def _licences(self) -> list[dict[str, Any]]:
        if self._skus is None:
            self._skus = [sku for sku in self.skus() if sku.get("appliesTo") == "User"]
        return self._skus


def _usable(domain: Mapping[str, Any]) -> bool:
    """Whether new accounts may have names in the domain: it is verified, kept by Microsoft, and takes mail."""
    managed = domain.get("isVerified") and domain.get("authenticationType") == "Managed"
    return bool(managed and "Email" in (domain.get("supportedServices") or ()))


class DirectoryReader(ConnectedReader):
    """Reads the directory of a tenant in which nothing is made: its domains need not be ours to use, its licences not be seen."""

    def facts(self) -> TenantFacts:
        """All verified domains, also federated ones; no licences."""
        verified = [domain for domain in self.domains() if domain.get("isVerified")]
        default = next((d["id"] for d in verified if d.get("isDefault")), None)
        if default is None:
            raise InputRefused("The tenant has no verified default domain.", remedy="Verify one at Microsoft.")
        return TenantFacts(default, frozenset(d["id"] for d in verified), country=None, skus={})

    def seats(self) -> pl.DataFrame:
        """None (schema SEATS)."""
        return pl.DataFrame(schema=pl.Schema(SEATS))

    def role_holders(self) -> frozenset[str]:
        """Nobody: who holds a role does not matter where nobody is changed, so it need not be readable."""
        return frozenset()


class NoWriter:
    """Stands where a writer would, in a tenant that is only read: whoever tries to write is a defect of ours."""

    def write(
        self,
        items: Iterable[Item | None],
        on_send: Callable[[Sequence[int]], None],
        patience: float = math.inf,
    ) -> Iterator[list[tuple[int, Outcome]]]:
        """Nothing, for nothing."""
        for item in filter(None, items):
            raise RuntimeError(f"{item.request.method} was about to be sent to a tenant that is only read")
        return iter(())


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection in use: its reading side, and the means to write."""

    reader: ConnectedReader
    writer: Writer
    budget: StoreBudget | None = None  # of Microsoft's quotas; None where the tenant has none


def how_to_reach(connection: Connection) -> str:
    """What to do when nothing answers: of an emulated tenant, the command that starts it again where it was, with all it held."""
    if not connection.tenant.emulated:
        return UNREACHABLE
    # Where `rollbook demo` keeps its tenant; whoever started another one knows its file.
    kept = home() / "tenant.state"
    port = urlsplit(connection.graph_url).port
    command = ["rollbook", "emulator", "serve", "--port", str(port), "--state", str(kept) if kept.exists() else "FILE"]
    command += [] if connection.quotas else ["--quota-scale", "off", "--delays", "off"]
    told = "" if kept.exists() else " FILE is where you keep its state."
    return f"The emulated tenant is not running. Start it again, in a terminal of its own: {shlex.join(command)}{told}"


@contextmanager
def wire(connection: Connection) -> Iterator[Transport]:
    """The door to the connection's tenant while the block runs, as the application that was registered there."""
    secret = Vault().decrypt(connection.secret.ciphertext)
    remedy = how_to_reach(connection)
    tokens = AppTokens(connection.tenant.tid, connection.client_id, secret, connection.login_url, remedy)
    transport = Transport(connection.graph_url, tokens, unreachable=remedy)
    try:
        yield transport
    finally:
        transport.close()
        tokens.close()


@contextmanager
def opened(connection: Connection, clock: Clock) -> Iterator[Opened]:
    """The connection, ready to read and write while the block runs."""
    with wire(connection) as transport:
        budget = StoreBudget(connection, clock) if connection.quotas else None
        throttle = Throttle.documented(budget) if connection.quotas else Throttle.unlimited()
        try:
            if connection.purpose == Connection.Purpose.CORPORATE:
                yield Opened(DirectoryReader(transport, connection.mark_property, clock, throttle), NoWriter())
            else:
                reader = ConnectedReader(transport, connection.mark_property, clock, throttle)
                yield Opened(reader, GraphWriter(transport, throttle, clock), budget)
        finally:
            throttle.give_back()


def connection_of(institute: Institute, purpose: Connection.Purpose = Connection.Purpose.MAIN) -> Connection:
    """The institute's connection, or its organisation's corporate one. Raises InputRefused if there is none."""
    if purpose == Connection.Purpose.CORPORATE:
        found = corporate_connection(institute)
        if found is None:
            raise InputRefused(
                "The organisation has no corporate tenant.", remedy="Connect one with `rollbook corporate connect`."
            )
        return found
    connection = Connection.objects.filter(institute=institute, purpose=purpose).first()
    if connection is None:
        raise InputRefused(
            f"The institute {institute.name} is not connected to a tenant.",
            remedy="Run `rollbook demo`, which connects an emulated tenant; connecting a real one is not part of this version.",
        )
    return connection


def corporate_connection(institute: Institute) -> Connection | None:
    """The connection to the organisation's tenant of employees, also of an institute that came later; None without one."""
    connections = Connection.objects.filter(
        institute__organisation=institute.organisation_id, purpose=Connection.Purpose.CORPORATE
    )
    return connections.filter(institute=institute).first() or connections.order_by("pk").first()
