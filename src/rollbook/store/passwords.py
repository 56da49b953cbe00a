"""First passwords while they wait: whose they are, user names, claim codes. Set-based; what is secret leaves it encrypted only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from rollbook.store.bulk import read_frame, table_of
from rollbook.store.models import (
    Account,
    ClaimAttempt,
    ClaimCode,
    Institute,
    Link,
    NameReservation,
    PersonRecord,
    Secret,
    Tenant,
)

CHUNK = 500
FIRST, NEXT = Secret.Purpose.FIRST_PASSWORD, Secret.Purpose.NEXT_PASSWORD

WAITING: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "secret": pl.Int64,
    "link": pl.Int64,
    "person": pl.Int64,
    "since": pl.Datetime(time_zone="UTC"),
    "claimable_until": pl.Datetime(time_zone="UTC"),  # null: no claim code was made
    "changing": pl.Boolean,  # another one is being set; which of the two counts is not known yet
    "sourced_id": pl.String,
    "given": pl.String,
    "family": pl.String,
}


def waiting(tenant: Tenant, institute: Institute) -> pl.DataFrame:
    """First passwords of accounts that exist, with whose they are (schema WAITING). The newest record of a person counts."""
    newest = f"(SELECT MAX(n.since) FROM {table_of(PersonRecord)} n WHERE n.entity = r.entity)"
    statement = (
        "SELECT s.id, l.id, l.subject, s.made_at, c.expires_at, "
        f"EXISTS (SELECT 1 FROM {table_of(Secret)} n WHERE n.link_id = l.id AND n.purpose = '{NEXT}'), r.sourced_id, "
        "COALESCE(r.preferred_given_name, r.given_name, ''), COALESCE(r.preferred_family_name, r.family_name, '') "
        f"FROM {table_of(Secret)} s JOIN {table_of(Link)} l ON l.id = s.link_id "
        f"JOIN {table_of(PersonRecord)} r ON r.entity = l.subject AND r.since = {newest} "
        f"LEFT JOIN {table_of(ClaimCode)} c ON c.secret_id = s.id "
        f"WHERE s.purpose = '{FIRST}' AND s.tenant_id = %s AND l.institute_id = %s "
        f"AND l.kind = '{Link.Kind.USER}' AND l.object_id IS NOT NULL ORDER BY s.id"
    )
    raw = {**WAITING, "changing": pl.Int64}
    found = read_frame(statement, [tenant.pk, institute.pk], raw)
    return found.cast(pl.Schema(WAITING)).unique("secret", keep="last", maintain_order=True)


def user_names(tenant: Tenant, links: Sequence[int]) -> dict[int, str]:
    """The user name of each of these links, for those where one is known.

    It is what the mirror of accounts last saw, else, where a run was cut off before it could tell, the name that was promised.
    """
    wanted = ", ".join(str(int(link)) for link in links) or "0"
    schema = {"link": pl.Int64, "name": pl.String}
    promised = (
        f"SELECT link_id, folded FROM {table_of(NameReservation)} "
        f"WHERE tenant_id = %s AND namespace = '{Link.Kind.USER}' AND link_id IN ({wanted}) ORDER BY id"
    )
    seen = (
        f"SELECT link_id, user_principal_name FROM {table_of(Account)} WHERE tenant_id = %s AND link_id IN ({wanted})"
    )
    known = (read_frame(statement, [tenant.pk], schema).iter_rows() for statement in (promised, seen))
    return {link: name for rows in known for link, name in rows}


def ciphertexts(secrets: Sequence[int]) -> dict[int, bytes]:
    """What is stored of these secrets, encrypted."""
    return {
        int(key): bytes(text)
        for part in _parts(secrets)
        for key, text in Secret.objects.filter(pk__in=part).values_list("pk", "ciphertext")
    }


def forget(secrets: Sequence[int]) -> int:
    """Delete these first passwords, and their claim codes, in the transaction that is open; returns how many were there."""
    gone = 0
    for part in _parts(secrets):
        _, deleted = Secret.objects.filter(pk__in=part, purpose=FIRST).delete()
        gone += deleted.get(Secret._meta.label, 0)
    return gone


def promote(links: Sequence[int]) -> None:
    """The passwords that were being set for these links take the place of their first ones, in the transaction that is open."""
    for part in _parts(links):
        taken = Secret.objects.filter(purpose=NEXT, link_id__in=part)
        Secret.objects.filter(purpose=FIRST, link_id__in=taken.values_list("link_id", flat=True)).delete()
        taken.update(purpose=FIRST)


def drop(links: Sequence[int]) -> None:
    """Forget the passwords that were to be set for these links, in the transaction that is open."""
    for part in _parts(links):
        Secret.objects.filter(purpose=NEXT, link_id__in=part).delete()


def keep_codes(digests: Sequence[tuple[int, str]], made_at: dt.datetime, expires_at: dt.datetime) -> None:
    """Remember the claim codes of these (secret, digest) instead of earlier ones, in the transaction that is open."""
    for part in _parts([secret for secret, _ in digests]):
        ClaimCode.objects.filter(secret_id__in=part).delete()
    ClaimCode.objects.bulk_create(
        [ClaimCode(secret_id=s, digest=digest, made_at=made_at, expires_at=expires_at) for s, digest in digests],
        batch_size=CHUNK,
    )


def still_waiting(secrets: Sequence[int]) -> int:
    """How many of these first passwords wait; they are held until the transaction that is open ends."""
    held = (Secret.objects.select_for_update().filter(pk__in=part, purpose=FIRST) for part in _parts(secrets))
    return sum(len(rows) for rows in held)


def counted(beginning: str, now: dt.datetime, longest: dt.timedelta) -> ClaimAttempt:
    """A new attempt, counted before it is judged, so that many at once cannot pass together; attempts beyond `longest` go."""
    ClaimAttempt.objects.filter(at__lte=now - longest).delete()
    return ClaimAttempt.objects.create(beginning=beginning, at=now)


def attempts(since: dt.datetime, beginning: str | None = None) -> int:
    """How many attempts were counted since then, of all beginnings or of one."""
    found = ClaimAttempt.objects.filter(at__gt=since)
    return (found if beginning is None else found.filter(beginning=beginning)).count()


def claimed(digests: Sequence[str], now: dt.datetime) -> ClaimCode | None:
    """The code with one of these hashes that may be exchanged now, held until the transaction ends; None if there is none."""
    codes = ClaimCode.objects.select_for_update(of=("self",)).select_related(
        "secret__link__institute", "secret__tenant"
    )
    return codes.filter(digest__in=digests, expires_at__gt=now).first()


def being_changed(link: int) -> bool:
    """Whether a new password is being set for this link."""
    return Secret.objects.filter(purpose=NEXT, link_id=link).exists()


def _parts(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    return (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))
