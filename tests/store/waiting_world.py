"""A delivered school whose first passwords wait, and what its tests look at."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

from tests.store.world import ACTOR, NOW, Frozen, a_school, a_tenant, deliver
from tests.world import School

from rollbook.acts.passwords import Request
from rollbook.acts.profiles import Author
from rollbook.roster.selection import Wanted
from rollbook.store import trail
from rollbook.store.models import (
    Connection,
    Institute,
    Link,
    NameReservation,
    PersonRecord,
    Secret,
    Tenant,
    Trail,
)
from rollbook.store.vault import Vault


class Later(Frozen):
    """A clock that stands still at another moment."""

    def __init__(self, moment: dt.datetime) -> None:
        super().__init__()
        self.moment = moment

    def now(self) -> dt.datetime:
        return self.moment


def connected(institute: Institute) -> Tenant:
    """The institute's tenant, with a connection that is never used."""
    tenant = a_tenant(institute)
    credential = Secret.objects.create(
        tenant=tenant, purpose=Secret.Purpose.CREDENTIAL, key_id="k", ciphertext=b"x", made_at=NOW
    )
    Connection.objects.create(
        institute=institute,
        tenant=tenant,
        client_id="c",
        secret=credential,
        graph_url="http://graph.example",
        login_url="http://login.example",
        mark_property="m",
    )
    return tenant


def with_password(institute: Institute, tenant: Tenant, record: PersonRecord, text: str, **link: object) -> Link:
    """A linked person whose first password waits, under the name the account was promised."""
    columns = {"object_id": f"object-{record.entity}", "origin": "made", "mark": f"mark-{record.entity}", **link}
    linked = Link.objects.create(tenant=tenant, institute=institute, kind="user", subject=record.entity, **columns)
    name = f"{record.sourced_id}@school.example"
    NameReservation.objects.create(tenant=tenant, namespace="user", folded=name, link=linked)
    vault = Vault()
    Secret.objects.create(
        tenant=tenant,
        purpose=Secret.Purpose.FIRST_PASSWORD,
        link=linked,
        key_id=vault.key_id,
        ciphertext=vault.encrypt(text),
        made_at=NOW,
    )
    return linked


def world(school: School | None = None) -> Institute:
    """A delivered school in which everybody's first password waits: Secret-p1 for p1, and so on."""
    institute, _, _ = deliver(school or a_school())
    tenant = connected(institute)
    for record in PersonRecord.objects.order_by("pk"):
        with_password(institute, tenant, record, f"Secret-{record.sourced_id}")
    return institute


def request(institute: Institute, *people: str, **named: tuple[str, ...]) -> Request:
    return Request(institute, Wanted(people=people, **named), NOW.date(), Author(ACTOR, Frozen()))


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def codes_of(path: Path) -> dict[str, str]:
    return {row["sourced_id"]: row["code"] for row in rows(path)}


def first_passwords() -> int:
    return Secret.objects.filter(purpose="first_password").count()


def last_note() -> Trail:
    entry = Trail.objects.order_by("-pk").first()
    assert entry is not None
    assert trail.first_broken() is None
    return entry
