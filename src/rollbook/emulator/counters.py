"""How many requests came, of which kind, and how few writes would have done: computed from the state before and after."""

from __future__ import annotations

from collections import Counter
from math import ceil

from .cloud import Cloud
from .tenant.tenant import Tenant
from .wire import Record

RELATIONS = 20
UNWRITTEN = frozenset(
    "resourceProvisioningOptions renewedDateTime signInSessionsValidFromDateTime assignedLicenses licenseAssignmentStates "
    "lastPasswordChangeDateTime proxyAddresses hasMembersWithLicenseErrors licenseProcessingState".split()
)
"""Properties that change by themselves, or by a request that is counted elsewhere."""


class Counters:
    """Counts since the last reset; every request inside a batch counts, refused ones too."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.requests = 0
        self.tokens = 0
        self.by_kind: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.writes = 0
        self.reads = 0

    def reset(self) -> None:
        """Begin anew; the state of now is the baseline of `least_writes`."""
        self.requests = self.tokens = self.writes = self.reads = 0
        self.by_kind.clear()
        self.refused.clear()
        for tenant in self._cloud.tenants.values():
            tenant.changes.new_baseline()

    def count(self, method: str, kind: str, refusal: str | None) -> None:
        """One call that was answered, inside a batch or alone; `refusal` is status and code if it was refused."""
        self.by_kind[kind] += 1
        if method == "GET":
            self.reads += 1
        else:
            self.writes += 1
        if refusal is not None:
            self.refused[f"{kind}: {refusal}"] += 1

    def report(self) -> Record:
        """All counters, and the fewest writes that lead from the baseline to now."""
        return {
            "requests": self.requests,
            "writes": self.writes,
            "reads": self.reads,
            "tokens": self.tokens,
            "by_kind": dict(self.by_kind.most_common()),
            "refused": dict(self.refused.most_common()),
            "least_writes": sum(least_writes(tenant) for tenant in self._cloud.tenants.values()),
        }


def least_writes(tenant: Tenant) -> int:
    """The fewest writes that lead from the baseline to now.

    One per user, group, class and team made; one per user or group licensed directly; one per object changed or deleted
    otherwise; per group ceil(new relations / 20) less what its create could carry (20 in POST /groups, none in
    POST /education/classes); one per relation removed. Owner and member are two relations, 20 fit into one PATCH over both.
    """
    least = 0
    for (kind, key), before in tenant.changes.before.items():
        table = {"user": tenant.users, "group": tenant.groups, "unit": tenant.units}.get(kind)
        if table is not None:
            least += _object_writes(before, table.get(key))
    return least + _relation_writes(tenant)


def _object_writes(before: Record | None, after: Record | None) -> int:
    if before is None and after is None:
        return 0
    if after is None:
        return 1
    made = before is None
    old = before or {}
    names = {name for name in after.keys() | old.keys() if not name.startswith("_")} - UNWRITTEN
    changed = not made and any(after.get(name) != old.get(name) for name in (*names, "_education", "_school"))
    signed_out = not made and after.get("signInSessionsValidFromDateTime") != old.get("signInSessionsValidFromDateTime")
    return made + (_direct(after) != _direct(old)) + _team_writes(old, after) + changed + signed_out


def _direct(record: Record) -> list[Record]:
    """The licences that were written to the object itself."""
    if "licenseAssignmentStates" in record:
        states = record["licenseAssignmentStates"]
        return [{"skuId": s["skuId"], "off": s["disabledPlans"]} for s in states if s["assignedByGroup"] is None]
    return list(record.get("assignedLicenses", ()))


def _team_writes(old: Record, new: Record) -> int:
    """One for a team made, or changed otherwise than by a teacher who activates it."""
    if "_team" not in new:
        return int("_team" in old)
    alike = {"locked": False, "ready": 0}
    return int({**new["_team"], **alike} != {**old["_team"], **alike}) if "_team" in old else 1


def _relation_writes(tenant: Tenant) -> int:
    new: Counter[str] = Counter()
    least = 0
    for (kind, source), before in tenant.changes.links_before.items():
        now = tenant.links[kind].of(source).keys()
        if kind not in ("owner", "member"):
            least += len(now ^ before)
            continue
        if source not in tenant.groups:
            continue
        new[source] += len(now - before)
        # What ended because its user or group was deleted needed no write of its own.
        least += sum(target in tenant.users or target in tenant.groups for target in before - now)
    for group, count in new.items():
        record = tenant.groups.get(group)
        made = tenant.changes.before.get(("group", group), record) is None
        carried = (
            RELATIONS if made and record is not None and record.get("creationOptions") != ["classAssignments"] else 0
        )
        least += ceil(max(0, count - carried) / RELATIONS)
    return least
