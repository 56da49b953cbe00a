"""Links between our subjects and Microsoft's objects, as frames."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from rollbook.store.bulk import read_frame, table_of
from rollbook.store.models import Link, Tenant

SUBJECTS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "subject": pl.Int64,
    "link": pl.Int64,
    "object_id": pl.String,
}


def linked_subjects(tenant: Tenant, kind: str) -> pl.DataFrame:
    """All links of a kind (schema SUBJECTS), object id null where nothing is made or matched yet."""
    statement = f"SELECT subject, id, object_id FROM {table_of(Link)} WHERE tenant_id = %s AND kind = %s"
    return read_frame(statement, [tenant.pk, kind], SUBJECTS)
