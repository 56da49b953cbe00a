"""Proofs of runs: written whole and in bulk, kept of the newest runs, read as frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
from django.db import transaction
from django.db.models import QuerySet

from rollbook.apply.proof import DEVIATIONS, PROVEN, Proof
from rollbook.store.bulk import insert_frame, read_frame, table_of
from rollbook.store.models import PARTS, Deviation, Institute, ProofGroup, Run, Tenant

Schema = Mapping[str, pl.DataType | type[pl.DataType]]

PROOFS_KEPT = 5
"""Of how many runs of an institute in a tenant the proofs are kept whole; the numbers stay with every run."""


def save_proof(run: Run, proof: Proof) -> None:
    """Remember every group and every deviation of a run's proof; what was proven of older runs is forgotten."""
    groups = proof.groups.with_columns(run_id=pl.lit(run.pk))
    deviations = proof.deviations.rename({"user": "member"}).with_columns(run_id=pl.lit(run.pk))
    with transaction.atomic():
        _forget(Run.objects.filter(pk=run.pk))
        insert_frame(ProofGroup, groups)
        insert_frame(Deviation, deviations)
        _forget(_proven(run.tenant_id, run.institute_id).exclude(pk__in=_newest(run)))


def _proven(tenant: int, institute: int) -> QuerySet[Run]:
    """The runs of an institute in a tenant that were proven, the newest first."""
    return Run.objects.filter(tenant=tenant, institute=institute, proof__isnull=False).order_by("-number")


def _newest(run: Run) -> list[int]:
    """The runs whose proofs are kept: this one and the newest others, of those about everything and of those about a part."""
    others = _proven(run.tenant_id, run.institute_id).exclude(pk=run.pk)
    whole, parts = others.exclude(scope__in=PARTS), others.filter(scope__in=PARTS)
    return [run.pk, *(pk for kept in (whole, parts) for pk in kept.values_list("pk", flat=True)[: PROOFS_KEPT - 1])]


def _forget(runs: QuerySet[Run]) -> None:
    for model in (ProofGroup, Deviation):
        model._default_manager.filter(run__in=runs.order_by().values("pk")).delete()


def newest_proven(tenant: Tenant, institute: Institute) -> Run | None:
    """The newest run of an institute in a tenant that was proven, of everything if there is one."""
    proven = _proven(tenant.pk, institute.pk)
    return proven.exclude(scope__in=PARTS).first() or proven.first()


def is_kept(run: Run) -> bool:
    """Whether the run's proof is there group by group; one of no group at all always is."""
    if run.proof is None:
        return False
    nothing = run.proof["teams"] == 0 and not run.proof.get("groups")
    return nothing or ProofGroup.objects.filter(run=run).exists()


def read_groups(run: Run) -> pl.DataFrame:
    """The groups of a run's proof (schema apply.proof.PROVEN), by purpose and name."""
    columns = ", ".join(PROVEN)
    return read_frame(f"SELECT {columns} FROM {table_of(ProofGroup)} WHERE run_id = %s ORDER BY id", [run.pk], PROVEN)


def read_deviations(run: Run, teams: Sequence[int] | None = None, limit: int | None = None) -> pl.DataFrame:
    """The deviations of a run's proof (schema apply.proof.DEVIATIONS), faults first: of all groups, or of these."""
    columns = ", ".join("member" if name == "user" else name for name in DEVIATIONS)
    first = "" if limit is None else f"LIMIT {int(limit)}"
    statement = f"SELECT {columns} FROM {table_of(Deviation)} WHERE run_id = %s ORDER BY id {first}"
    found = read_frame(statement, [run.pk], DEVIATIONS)
    return found if teams is None else found.filter(pl.col("team").is_in(list(teams)))
