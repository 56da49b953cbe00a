"""What earlier runs did about somebody or something, as a plan asks for it: from the runs' own changes, set-based."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

from rollbook.plan.by_hand import DONE, LOOKED_AT
from rollbook.plan.changes import ChangeVerdict
from rollbook.store.bulk import read_frame, table_of
from rollbook.store.mirror import SETTLED
from rollbook.store.models import Change, ChangeDetail, Run, Tenant

FEW = 500
"""Up to this many subjects are named in the question; more are found among all."""


def done_about(tenant: Tenant, subjects: Sequence[int], at: dt.datetime | None) -> pl.DataFrame:
    """What runs of this tenant did about these links, oldest first (schema DONE); nothing is read where nobody is asked about.

    What a run did is settled once SETTLED has gone by since it ended; of one that did not end, nobody knows.
    """
    if not subjects:
        return pl.DataFrame(schema=pl.Schema(DONE))
    kinds = ", ".join(str(int(kind)) for kind in sorted(LOOKED_AT))
    named = f"AND c.subject IN ({', '.join(str(int(s)) for s in subjects)})" if len(subjects) <= FEW else ""
    statement = (
        f'SELECT c.kind, c.subject, c."object", d.after, c.run_id FROM {table_of(Change)} c '
        f"JOIN {table_of(Run)} r ON r.id = c.run_id "
        f"LEFT JOIN {table_of(ChangeDetail)} d ON d.run_id = c.run_id AND d.seq = c.seq "
        f"WHERE r.tenant_id = %s AND c.verdict = %s AND c.kind IN ({kinds}) {named} ORDER BY r.number, c.seq"
    )
    raw = {**{name: kind for name, kind in DONE.items() if name != "settled"}, "run": pl.Int64}
    found = read_frame(statement, [tenant.pk, int(ChangeVerdict.DONE)], raw)
    return found.with_columns(settled=pl.col("run").is_in(_settled(tenant, at))).select(DONE.keys())


def _settled(tenant: Tenant, at: dt.datetime | None) -> list[int]:
    """The runs that ended so long before a reading that begins at `at` that it shows what they did."""
    ended = Run.objects.filter(tenant=tenant, finished_at__isnull=False)
    return list((ended if at is None else ended.filter(finished_at__lte=at - SETTLED)).values_list("pk", flat=True))
