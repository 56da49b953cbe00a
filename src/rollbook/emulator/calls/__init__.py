"""WHAT GRAPH DOES: every call with its rules, and the errands that Microsoft does later."""

from __future__ import annotations

from functools import partial

from ..tenant.tenant import Tenant
from . import licences, relations, roster, teams, trash


def register_errands(tenant: Tenant) -> None:
    """Tell the tenant's agenda who does what is due later."""
    tenant.agenda.register("roster", partial(roster.settle, tenant))
    tenant.agenda.register("licences", partial(licences.settle_group, tenant))
    tenant.agenda.register("archive", partial(teams.finish_archiving, tenant))
    tenant.agenda.register("leaving", partial(relations.finish_leaving, tenant))
    tenant.agenda.register("purge", lambda errand: trash.purge(tenant, errand["object"]))
