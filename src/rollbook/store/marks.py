"""Marks: what the objects we make carry at Microsoft, derived with a key of the installation so that they can be recognised again.

A mark is a keyed hash of the tenant, the institute, and what the school's records call the person or class (and period). It says
nothing to anybody without the key; with the key and the register, it is found again after the database was lost
(docs/decisions/0007-marks.md). A `turn` counts up where a mark is given up: each subject has as many marks as it needs.
"""

from __future__ import annotations

import hmac
import itertools
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from rollbook.store import groupings
from rollbook.store.bulk import among, read_frame, table_of
from rollbook.store.home import mark_key
from rollbook.store.identities import read_people, read_periods, read_subjects
from rollbook.store.models import Institute, Link, LinkHistory, Tenant
from rollbook.store.models.tenancy import TYPES_PER_INSTITUTE

LENGTH = 32
TURNS_RECOGNISED = 8
"""How many marks of one subject are tried when marks are recognised; more than this, nobody was ever unlinked."""

MARKS = {"subject": pl.Int64, "period": pl.Int64, "mark": pl.String}


@dataclass(frozen=True, slots=True)
class Marking:
    """Derives the marks of one institute's people or classes in one tenant."""

    key: bytes
    tenant: str
    institute: str
    kind: str

    @classmethod
    def of(cls, tenant: Tenant, institute: Institute, kind: str) -> Marking:
        """With the key of this installation."""
        return cls(mark_key().encode(), tenant.tid, institute.sourced_id, kind)

    def mark(self, name: str, turn: int) -> str:
        """The mark of what the school's records call `name`, at its turn (from 0)."""
        said = "\x1f".join((self.tenant, self.institute, self.kind, name, str(turn)))
        return hmac.digest(self.key, said.encode(), "sha256").hex()[:LENGTH]

    def marks(self, name: str | None) -> Iterator[str]:
        """The marks it can have, one after the other; of what the records do not name, random ones."""
        for turn in itertools.count():
            yield uuid.uuid4().hex if name is None else self.mark(name, turn)


def fresh_marks(tenant: Tenant, institute: Institute, kind: str, subjects: pl.DataFrame) -> pl.DataFrame:
    """[subject, period, mark] for all `subjects` [subject, period]: marks that no object and no link has or had."""
    marking, named = Marking.of(tenant, institute, kind), _named(institute, kind, subjects)
    few = None
    if named.height <= FEW:
        names = named["name"].drop_nulls()
        few = [marking.mark(name, turn) for name in names for turn in range(TURNS_RECOGNISED)]
    taken = in_use(tenant, few)
    rows = []
    for subject, period, name in named.iter_rows():
        mark = next(mark for mark in marking.marks(name) if mark not in taken)
        taken.add(mark)
        rows.append((subject, period, mark))
    return pl.DataFrame(rows, schema=MARKS, orient="row")


FEW = 1_000
"""Up to so many subjects, only the marks they can have are asked for; beyond, all there are."""


def in_use(tenant: Tenant, among_these: Sequence[str] | None = None) -> set[str]:
    """Every mark, or every one among these, that a link of the tenant has, or has given up while its object still carries it."""
    chosen, listed = ("TRUE", []) if among_these is None else among("m.mark", among_these)
    given_up = f"JOIN {table_of(Link)} l ON l.id = m.link_id WHERE l.tenant_id = %s AND m.mark IS NOT NULL"
    statement = (
        f"SELECT m.mark FROM {table_of(Link)} m WHERE +m.tenant_id = %s AND {chosen} "
        f"UNION SELECT m.mark FROM {table_of(LinkHistory)} m {given_up} AND {chosen}"
    )
    return set(read_frame(statement, [tenant.pk, *listed, tenant.pk, *listed], {"mark": pl.String})["mark"])


def recognised(tenant: Tenant, institute: Institute, kind: str, marks: Collection[str]) -> pl.DataFrame:
    """[subject, period, mark]: which of these marks belong to which people or classes of the register."""
    everybody = read_subjects(institute, kind).select("subject", "period")
    wanted, marking = set(marks), Marking.of(tenant, institute, kind)
    rows = [
        (subject, period, mark)
        for subject, period, name in _named(institute, kind, everybody).iter_rows()
        if name is not None
        for turn in range(TURNS_RECOGNISED)
        if (mark := marking.mark(name, turn)) in wanted
    ]
    return pl.DataFrame(rows, schema=MARKS, orient="row")


def _named(institute: Institute, kind: str, subjects: pl.DataFrame) -> pl.DataFrame:
    """[subject, period, name] in the order of subjects and periods; name is null for what the records do not know."""
    wanted = subjects.select("subject", "period").unique().sort("period", "subject")
    if kind == Link.Kind.LICENCE:
        return wanted.with_columns(name=(pl.col("subject") % TYPES_PER_INSTITUTE).cast(pl.String))
    if kind == Link.Kind.USER:
        few = wanted["subject"] if wanted.height <= FEW else None
        known = read_people(institute, few).select(subject="person", name="sourced_id")
        return wanted.join(known, on="subject", how="left", maintain_order="left")
    keys = groupings.known(institute, kind).select("subject", "key")
    named = wanted.join(keys, on="subject", how="left", maintain_order="left")
    periods = read_periods(institute)
    joined = named.join(periods, on="period", how="left", maintain_order="left")
    return joined.select(
        "subject", "period", name=pl.concat_str("key", pl.col("period_id").fill_null(""), separator="\x1f")
    )
