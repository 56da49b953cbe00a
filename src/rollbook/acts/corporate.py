"""The corporate tenant: one for the employees of all institutes of an organisation, connected and removed for all of them at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db import transaction

from rollbook.acts.connections import Credentials, DirectoryReader, connection_of, remember, tenant_of
from rollbook.acts.profiles import Author
from rollbook.errors import InputRefused
from rollbook.graph.tokens import AppTokens
from rollbook.graph.transport import Transport
from rollbook.store.models import Connection, Institute, Link, Run, Tenant
from rollbook.store.review import newest_run, pending

CORPORATE = Connection.Purpose.CORPORATE


def connect(institute: Institute, given: Credentials, author: Author) -> Tenant:
    """The tenant, connected for every institute of this one's organisation, and proven by reading it. Nothing is written there.

    Raises Stop with a sentence if it cannot be read; InputRefused if it is another organisation's, or an institute's own tenant.
    """
    tokens = AppTokens(given.tenant, given.client_id, given.client_secret, given.login_url)
    transport = Transport(given.graph_url, tokens)
    try:
        reader = DirectoryReader(transport, "", author.clock)
        organization, domain = reader.organization(), reader.facts().default_domain
    finally:
        transport.close()
        tokens.close()
    with transaction.atomic():
        tenant = tenant_of(institute, replace(given, tenant=str(organization["id"])), str(organization["displayName"]))
        own = Connection.objects.filter(tenant=tenant, purpose=Connection.Purpose.MAIN).first()
        if own is not None:
            raise InputRefused(
                f"{tenant.name} is the own tenant of {own.institute.name}.",
                remedy="A corporate tenant is one that the schools do not synchronize themselves.",
            )
        Tenant.objects.filter(pk=tenant.pk).update(default_domain=domain, name=organization["displayName"])
        for each in institute.organisation.institutes.order_by("pk"):
            remember(each, tenant, given, "", author.clock, CORPORATE)
        author.note(institute, "corporate.connected", {"tenant": tenant.tid, "application": given.client_id})
    tenant.refresh_from_db()
    return tenant


def remove(institute: Institute, author: Author) -> Tenant:
    """The organisation has no corporate tenant any more; links and everything at Microsoft stay. The tenant it was."""
    tenant = connection_of(institute, CORPORATE).tenant
    with transaction.atomic():
        connections = list(
            Connection.objects.filter(institute__organisation=institute.organisation_id, purpose=CORPORATE)
        )
        for connection in connections:
            secret = connection.secret
            connection.delete()
            secret.delete()
        author.note(institute, "corporate.removed", {"tenant": tenant.tid, "connections": len(connections)})
    return tenant


@dataclass(frozen=True, slots=True)
class Standing:
    """The corporate tenant as one institute sees it: employees linked there, and waiting for a decision; the newest run."""

    tenant: Tenant
    institutes: list[str]
    linked: int
    to_review: int
    run: Run | None


def standing(institute: Institute) -> Standing:
    """What is known of the corporate tenant. InputRefused if there is none."""
    tenant = connection_of(institute, CORPORATE).tenant
    links = Link.objects.filter(tenant=tenant, institute=institute, object_id__isnull=False)
    run = newest_run(tenant, institute.pk)
    return Standing(
        tenant,
        [each.name for each in institute.organisation.institutes.order_by("name")],
        links.count(),
        len(pending(run)) if run else 0,
        run,
    )
