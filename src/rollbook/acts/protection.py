"""Accounts that are never touched: listed, added by an administrator, taken off the list again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from rollbook.acts.connections import connection_of
from rollbook.acts.desk import Desk
from rollbook.acts.links import OBJECT_ID
from rollbook.errors import InputRefused
from rollbook.store.identities import read_people
from rollbook.store.models import Account, Connection, Institute, Link, Noticed, ProtectedAccount

REASON_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of the list; user name and sourced id only where the account is linked to somebody of this institute."""

    object_id: str
    user_name: str
    sourced_id: str
    kind: str
    reason: str
    by: str
    at: dt.datetime


def listed(institute: Institute, purpose: Connection.Purpose = Connection.Purpose.MAIN) -> Sequence[Listed]:
    """Every entry of the tenant's list, the oldest first."""
    tenant = connection_of(institute, purpose).tenant
    entries = list(ProtectedAccount.objects.filter(tenant=tenant).order_by("at", "pk"))
    ids = [entry.object_id for entry in entries]
    names = dict(
        Account.objects.filter(tenant=tenant, object_id__in=ids).values_list("object_id", "user_principal_name")
    )
    holders = dict(
        Link.objects.filter(tenant=tenant, institute=institute, object_id__in=ids).values_list("object_id", "subject")
    )
    called = dict(read_people(institute).select("person", "sourced_id").iter_rows())
    return [
        Listed(
            entry.object_id,
            names.get(entry.object_id, ""),
            called.get(holders.get(entry.object_id, 0), ""),
            entry.kind,
            entry.reason,
            entry.actor,
            entry.at,
        )
        for entry in entries
    ]


def protect(desk: Desk, account: str, reason: str) -> str:
    """From now on nothing of this account is changed; its object id. InputRefused if it is not there, or nobody says why."""
    if not 0 < len(reason.strip()) <= REASON_LENGTH:
        raise InputRefused(f"Say why, in 1 to {REASON_LENGTH} characters.", remedy="Others will want to know.")
    object_id = _found(desk, account)
    author = desk.author
    with transaction.atomic():
        ProtectedAccount.objects.update_or_create(
            tenant=desk.tenant,
            object_id=object_id,
            defaults={
                "kind": ProtectedAccount.Kind.KEPT,
                "reason": reason.strip(),
                "actor": author.actor.name,
                "run": None,
                "at": author.clock.now(),
            },
        )
        Noticed.objects.create(tenant=desk.tenant, object_id=object_id)
        desk.changed("account.protected", {"object_id": object_id})
    return object_id


def release(desk: Desk, account: str) -> str:
    """The account is off the list, so the next run may change it again; its object id. InputRefused if it was not on it."""
    entries = ProtectedAccount.objects.filter(tenant=desk.tenant)
    object_id = account if OBJECT_ID.fullmatch(account) else _found(desk, account)
    with transaction.atomic():
        count, _ = entries.filter(object_id=object_id).delete()
        if not count:
            raise InputRefused(f"{account} is not on the list.", remedy="See it with `rollbook protect list`.")
        Noticed.objects.create(tenant=desk.tenant, object_id=object_id)
        desk.changed("account.released", {"object_id": object_id})
    return object_id


def _found(desk: Desk, account: str) -> str:
    is_id = bool(OBJECT_ID.fullmatch(account))
    found = desk.look([account] if is_id else [], [] if is_id else [account])
    if found.is_empty():
        raise InputRefused(f"There is no account {account} in the tenant.", remedy="Check the spelling.")
    return str(found["object_id"][0])
