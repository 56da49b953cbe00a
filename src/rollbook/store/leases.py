"""One synchronization per tenant at a time: a lease with an epoch that grows, so that a holder who lost it notices."""

from __future__ import annotations

import datetime as dt
import os
import socket
from dataclasses import dataclass

from django.db import transaction

from rollbook.errors import LeaseLost, TenantBusy
from rollbook.store.models import Tenant, TenantLease, Worker

LIFETIME = dt.timedelta(minutes=10)

PATIENCE = dt.timedelta(seconds=15)
"""A worker that was not seen for so long is taken for dead."""

WORKER = "worker:"


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to a tenant, as long as `epoch` is the newest."""

    tenant: int
    holder: str
    epoch: int


def own_name() -> str:
    """Names this process among all that may hold a lease."""
    return f"{socket.gethostname()}:{os.getpid()}"


def acquire(tenant: Tenant, now: dt.datetime, holder: str | None = None) -> Lease:
    """The lease. Raises TenantBusy if somebody who is alive holds it."""
    holder = holder or own_name()
    with transaction.atomic():
        row, _ = TenantLease.objects.select_for_update().get_or_create(tenant=tenant)
        held = row.holder and row.holder != holder and row.expires_at is not None and row.expires_at > now
        if held and not _died(row.holder, now):
            raise TenantBusy(
                f"The tenant is being synchronized by {row.holder}.",
                remedy="Wait until it has finished; `rollbook show` tells how far it is.",
            )
        row.holder, row.epoch, row.expires_at = holder, row.epoch + 1, now + LIFETIME
        row.save()
    return Lease(tenant.pk, holder, row.epoch)


def renew(lease: Lease, now: dt.datetime) -> None:
    """Hold the lease for longer. Raises LeaseLost if somebody else took it meanwhile."""
    mine = TenantLease.objects.filter(tenant_id=lease.tenant, epoch=lease.epoch)
    if not mine.update(expires_at=now + LIFETIME):
        raise LeaseLost("Another process took over this tenant; this one stops.", remedy="Nothing needs to be done.")


def release(lease: Lease) -> None:
    """Give the lease back, if it is still ours."""
    TenantLease.objects.filter(tenant_id=lease.tenant, epoch=lease.epoch).update(holder="", expires_at=None)


def worker_name(name: str) -> str:
    """How a worker is called as a holder."""
    return WORKER + name


def _died(holder: str, now: dt.datetime) -> bool:
    """Whether the holder is a worker that was not seen for a while, or was a process of this machine that is no longer there."""
    if holder.startswith(WORKER):
        seen = Worker.objects.filter(name=holder.removeprefix(WORKER), seen_at__gte=now - PATIENCE)
        return not seen.exists()
    host, _, pid = holder.rpartition(":")
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
