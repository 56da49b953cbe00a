"""What undoing a run asks of the store: the changes it carried out, and the links of everything they touched."""

from __future__ import annotations

import polars as pl

from rollbook.plan.changes import ChangeVerdict
from rollbook.plan.reverse import DONE
from rollbook.store.bulk import read_frame, table_of
from rollbook.store.models import Change, ChangeDetail, Link, Run, Tenant

LINKS = {"link": pl.Int64, "mark": pl.String, "object_id": pl.String, "adopted": pl.Boolean, "person": pl.Boolean}


def carried_out(run: Run) -> pl.DataFrame:
    """The changes that the run carried out, in their order (schema plan.reverse.DONE)."""
    statement = (
        f'SELECT c.kind, c.subject, c."object", d.before, d.after FROM {table_of(Change)} c '
        f"LEFT JOIN {table_of(ChangeDetail)} d ON d.run_id = c.run_id AND d.seq = c.seq "
        "WHERE c.run_id = %s AND c.verdict = %s ORDER BY c.seq"
    )
    return read_frame(statement, [run.pk, int(ChangeVerdict.DONE)], DONE)


def links_of(tenant: Tenant, done: pl.DataFrame) -> pl.DataFrame:
    """[link, mark, object_id, adopted, person] of everything these changes are about; `person` where it stands for one."""
    statement = (
        f"SELECT id AS link, mark, object_id, origin = '{Link.Origin.ADOPTED.value}' AS adopted, "
        f"kind = '{Link.Kind.USER.value}' AS person FROM {table_of(Link)} WHERE tenant_id = %s ORDER BY id"
    )
    about = pl.concat([done["subject"], done["object"].drop_nulls()]).unique().alias("link")
    return read_frame(statement, [tenant.pk], LINKS).join(about.to_frame(), on="link", how="semi")
