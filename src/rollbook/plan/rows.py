"""How a station of the plan writes its changes down: small frames that are put in order only once, at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from rollbook.plan.changes import ChangeVerdict, Kind

ROWS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "kind": pl.UInt8,
    "subject": pl.Int64,
    "object": pl.Int64,
    "cause": pl.UInt8,
    "day": pl.Date,
    "verdict": pl.UInt8,
    "before": pl.String,
    "after": pl.String,
}


def rows(frame: pl.DataFrame, kind: Kind | pl.Expr, cause: int | pl.Expr, **columns: pl.Expr | str) -> pl.DataFrame:
    """One planned change a row of `frame` (schema ROWS); subject is its column `link` unless given."""
    return _rows(frame, kind, cause, ChangeVerdict.PLANNED, columns)


def waits(frame: pl.DataFrame, kind: Kind | pl.Expr, cause: int | pl.Expr, **columns: pl.Expr | str) -> pl.DataFrame:
    """The same, for changes that wait for a stated reason."""
    return _rows(frame, kind, cause, ChangeVerdict.WAITS, columns)


def _rows(
    frame: pl.DataFrame,
    kind: Kind | pl.Expr,
    cause: int | pl.Expr,
    verdict: ChangeVerdict,
    columns: Mapping[str, pl.Expr | str],
) -> pl.DataFrame:
    given: dict[str, pl.Expr | str] = {"subject": "link", "kind": _literal(kind), "cause": _literal(cause), **columns}
    given["verdict"] = pl.lit(int(verdict))
    chosen = [_expression(given.get(name)).cast(kind_of).alias(name) for name, kind_of in ROWS.items()]
    return frame.select(chosen)


def _literal(value: int | pl.Expr) -> pl.Expr:
    return value if isinstance(value, pl.Expr) else pl.lit(int(value))


def _expression(value: pl.Expr | str | None) -> pl.Expr:
    if value is None:
        return pl.lit(None)
    return pl.col(value) if isinstance(value, str) else value


def together(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """All rows of the parts, as one frame (schema ROWS)."""
    return pl.concat([pl.DataFrame(schema=dict(ROWS)), *parts])


def values(*names: str) -> pl.Expr:
    """The named columns of each row as one JSON object."""
    return pl.struct(*names).struct.json_encode()
