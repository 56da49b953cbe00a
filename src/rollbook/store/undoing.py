"""What undoing a run asks of the store: the changes it carried out, and the links of everything they touched."""

from __future__ import annotations

import polars as pl

from rollbook.plan.changes import ChangeVerdict
from rollbook.plan.reverse import DONE
from rollbook.store.bulk import read_frame, table_of
from rollbook.store.models import Change, ChangeDetail, Link, LinkHistory, Run

LINKS = {
    "link": pl.Int64,
    "mark": pl.String,
    "object_id": pl.String,
    "adopted": pl.Boolean,
    "person": pl.Boolean,
}


def carried_out(run: Run) -> pl.DataFrame:
    """The changes that the run carried out, in their order (schema plan.reverse.DONE)."""
    statement = (
        f'SELECT c.kind, c.subject, c."object", d.before, d.after FROM {table_of(Change)} c '
        f"LEFT JOIN {table_of(ChangeDetail)} d ON d.run_id = c.run_id AND d.seq = c.seq "
        "WHERE c.run_id = %s AND c.verdict = %s ORDER BY c.seq"
    )
    return read_frame(statement, [run.pk, int(ChangeVerdict.DONE)], DONE)


def links_of(run: Run, done: pl.DataFrame) -> pl.DataFrame:
    """[link, mark, object_id, adopted, person, moved] of everything these changes of the run are about.

    `person` where it stands for one, `moved` where it was linked to another object, or to none, after the run.
    """
    statement = (
        f"SELECT id, mark, object_id, CASE WHEN origin = '{Link.Origin.ADOPTED.value}' THEN 1 ELSE 0 END, "
        f"CASE WHEN kind = '{Link.Kind.USER.value}' THEN 1 ELSE 0 END FROM {table_of(Link)} WHERE tenant_id = %s ORDER BY id"
    )
    raw = {name: pl.Int64 if kind == pl.Boolean else kind for name, kind in LINKS.items()}
    found = read_frame(statement, [run.tenant_id], raw).cast(pl.Schema(LINKS))
    about = pl.concat([done["subject"], done["object"].drop_nulls()]).unique()
    ended = run.finished_at or run.started_at or run.made_at
    later = LinkHistory.objects.filter(link__tenant=run.tenant_id, at__gte=ended).exclude(run=run.pk)
    # Moments are compared here: SQLite keeps them as texts, and those of bulk statements look different.
    moved = [link for link, at in later.values_list("link_id", "at") if at > ended]
    return found.filter(pl.col("link").is_in(about.implode())).with_columns(moved=pl.col("link").is_in(moved))
