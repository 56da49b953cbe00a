"""Directory roles: who holds one, directly, through a group, or eligibly; what nobody but a higher role may touch (13.10)."""

from __future__ import annotations

from ..ask import Ask
from ..odata.pages import related
from ..tenant.tenant import Tenant
from ..wire import Answer, Record, bad_request, denied

SENSITIVE = frozenset(
    "accountEnabled mobilePhone businessPhones otherMails passwordProfile onPremisesImmutableId userPrincipalName".split()
)
"""Properties of a role holder that an application cannot change with Graph permissions alone (section 2.3)."""
MANAGE_ROLES = "RoleManagement.ReadWrite.Directory"


def holds(tenant: Tenant, user: Record) -> bool:
    """Whether a user has a directory role: assigned, eligible, or through a role-assignable group."""
    if not len(tenant.assignments) and not len(tenant.eligible):
        return False
    through = (key for links in (tenant.members, tenant.owners) for key in links.to(user["id"]))
    principals = [user["id"], *(key for key in through if (tenant.groups.get(key) or {}).get("isAssignableToRole"))]
    return any(table.find("principalId", key) for key in principals for table in (tenant.assignments, tenant.eligible))


def check_unrestricted(tenant: Tenant, record: Record) -> None:
    """403 for a member of an administrative unit with restricted management."""
    units = (tenant.units.get(key) for key in tenant.unit_members.to(record["id"]))
    if any(unit and unit.get("isMemberManagementRestricted") for unit in units):
        raise denied("Insufficient privileges: the object is in a restricted management administrative unit.")


def check_role_group(ask: Ask, group: Record) -> None:
    """403 for a change of a role-assignable group's people without the permission to manage roles."""
    if group.get("isAssignableToRole") and MANAGE_ROLES not in ask.roles:
        raise denied()


def assignments(ask: Ask) -> Answer:
    """200 with the role assignments."""
    return related(ask, list(ask.tenant.assignments.values()), _show)


def eligible(ask: Ask) -> Answer:
    """200 with the eligible assignments; 400 in a tenant without P2."""
    if not ask.tenant.config.eligible_roles:
        raise bad_request(
            "The tenant needs to have Microsoft Entra ID P2 or Governance license.", code="AadPremiumLicenseRequired"
        )
    return related(ask, list(ask.tenant.eligible.values()), _show)


def _show(record: Record, _: object) -> Record:
    return {name: value for name, value in record.items() if not name.startswith("_")}
