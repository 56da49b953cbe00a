"""Text cells -> values. Every row is accepted or rejected; every rejection says which column, which value and why. Vectorised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from rollbook.roster.findings import Finding, Severity
from rollbook.sources.columns import Column, FileSpec, Value
from rollbook.sources.decode import LINE


@dataclass(slots=True)
class Rejections:
    """What is wrong with the rows of one file, gathered while it is validated."""

    spec: FileSpec
    findings: list[Finding] = field(default_factory=list)
    lines: set[int] = field(default_factory=set)

    def reject(self, rows: pl.DataFrame, column: str, code: str, message: str, remedy: str) -> None:
        """Every row of `rows` is left out because of its cell in `column`; {value} in the message is the cell."""
        self._note(rows, Severity.REJECTED, column, code, message, remedy)
        self.lines.update(rows[LINE].to_list())

    def warn(self, rows: pl.DataFrame, column: str, code: str, message: str, remedy: str) -> None:
        """Every row of `rows` is accepted, but its cell in `column` is not taken over."""
        self._note(rows, Severity.WARNING, column, code, message, remedy)

    def note(self, code: str, message: str, column: str = "", count: int = 1) -> None:
        """Something about the file as a whole."""
        self.findings.append(Finding(Severity.NOTE, code, self.spec.name, 0, column, "", message, "", count))

    def _note(self, rows: pl.DataFrame, severity: Severity, column: str, code: str, message: str, remedy: str) -> None:
        for line, value in rows.select(LINE, pl.col(column).cast(pl.String)).iter_rows():
            said = message.format(value=value)
            self.findings.append(Finding(severity, code, self.spec.name, line, column, value or "", said, remedy))


def validate(spec: FileSpec, cells: pl.DataFrame, accepted: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, Rejections]:
    """The accepted rows with typed values, and what is wrong with the others.

    `accepted` holds [sourcedId, line] of the rows accepted so far by file, and gets those of this file added. Lists become
    list columns. Beside a reference stands the line it leads to, in a column named with a trailing @, so that it need not be
    looked up by its text again.
    """
    found = Rejections(spec)
    _lifecycle(cells, found)
    _identity(cells, found)
    for column in spec.columns:
        cells = READERS[column.value](column, cells, found)
    rows = _without(cells, found)
    accepted[spec.name] = rows.select("sourcedId", LINE)
    for column in spec.columns:
        if column.refers is not None:
            rows = _references(column, rows, accepted[column.refers], found)
    rows = _without(rows, found)
    accepted[spec.name] = rows.select("sourcedId", LINE)
    return rows, found


def _without(cells: pl.DataFrame, found: Rejections) -> pl.DataFrame:
    if not found.lines:
        return cells
    return cells.filter(~pl.col(LINE).is_in(sorted(found.lines)))


def _lifecycle(cells: pl.DataFrame, found: Rejections) -> None:
    """Bulk rows must leave status and dateLastModified blank; many producers fill them all the same (section 1)."""
    if cells["status"].null_count() == cells["dateLastModified"].null_count() == cells.height:
        return
    filled = cells.filter(pl.col("status").is_not_null() | pl.col("dateLastModified").is_not_null()).height
    if filled:
        message = f"status or dateLastModified is filled in {filled} rows, although this is a bulk delivery; it is not needed."
        found.note("lifecycle-in-bulk", message, "status")
    gone = cells.filter(pl.col("status").str.to_lowercase().is_in(["tobedeleted", "inactive"]))
    found.reject(
        gone,
        "status",
        "not-active",
        "The row is marked {value}, so it is not part of the register.",
        "Leave the row out of a bulk delivery, or mark it active.",
    )


def _identity(cells: pl.DataFrame, found: Rejections) -> None:
    if cells["sourcedId"].n_unique() == cells.height:
        return
    later = cells.drop_nulls("sourcedId").filter(~pl.col("sourcedId").is_first_distinct())
    found.reject(
        later,
        "sourcedId",
        "id-repeated",
        "The id {value} was used by an earlier row.",
        "Give each record an id of its own.",
    )


def _required(column: Column, cells: pl.DataFrame, found: Rejections) -> None:
    if column.required and cells[column.name].null_count():
        empty = cells.filter(pl.col(column.name).is_null())
        found.reject(empty, column.name, "empty", f"{column.name} is empty.", "Fill it in.")


def _read_text(column: Column, cells: pl.DataFrame, found: Rejections) -> pl.DataFrame:
    _required(column, cells, found)
    return cells


def _read_word(column: Column, cells: pl.DataFrame, found: Rejections) -> pl.DataFrame:
    _required(column, cells, found)
    name = column.name
    used = cells[name].drop_nulls().unique()
    folded = {word.lower(): word for word in column.words}
    known = {word: folded[word.lower()] for word in used if word.lower() in folded}
    unknown = [word for word in used if word not in known]
    if unknown:
        found.reject(
            cells.filter(pl.col(name).is_in(unknown)),
            name,
            "word-unknown",
            f"{name} {{value}} is not a word of the format.",
            f"Use one of: {', '.join(column.words)}.",
        )
    if any(word != meant for word, meant in known.items()):
        found.note(
            "word-case", f"{name} is written in another case than the format's; it is understood all the same.", name
        )
        return cells.with_columns(pl.col(name).replace_strict(known, default=None))
    return cells


def _read_date(column: Column, cells: pl.DataFrame, found: Rejections) -> pl.DataFrame:
    _required(column, cells, found)
    name = column.name
    read = cells.with_columns(pl.col(name).str.to_date("%Y-%m-%d", strict=False).alias("_date"))
    found.reject(
        read.filter(pl.col("_date").is_null() & pl.col(name).is_not_null()),
        name,
        "not-a-date",
        f"{name} {{value}} is not a date.",
        "Write dates as 2026-09-01.",
    )
    return read.with_columns(pl.col("_date").alias(name)).drop("_date")


def _read_boolean(column: Column, cells: pl.DataFrame, found: Rejections) -> pl.DataFrame:
    _required(column, cells, found)
    name = column.name
    used = cells[name].drop_nulls().unique()
    true = [word for word in used if word.lower() == "true"]
    unknown = [word for word in used if word.lower() not in ("true", "false")]
    if unknown:
        found.reject(
            cells.filter(pl.col(name).is_in(unknown)),
            name,
            "not-true-or-false",
            f"{name} {{value}} is neither true nor false.",
            "Write true or false.",
        )
    return cells.with_columns(pl.col(name).is_in(true))


def _read_list(column: Column, cells: pl.DataFrame, found: Rejections) -> pl.DataFrame:
    _required(column, cells, found)
    items = pl.col(column.name).str.split(",").list.eval(pl.element().str.strip_chars()).list.drop_nulls()
    single = ~pl.col(column.name).str.contains(",", literal=True)
    # Nearly all cells hold one item, which needs no splitting; often no cell of a file holds more.
    if not cells[column.name].str.contains(",", literal=True).any():
        return cells.with_columns(pl.when(pl.col(column.name).is_not_null()).then(pl.concat_list(column.name)))
    return cells.with_columns(pl.when(single).then(pl.concat_list(column.name)).otherwise(items).alias(column.name))


def _ignore(column: Column, cells: pl.DataFrame, found: Rejections) -> pl.DataFrame:
    return cells


READERS: dict[Value, Callable[[Column, pl.DataFrame, Rejections], pl.DataFrame]] = {
    Value.TEXT: _read_text,
    Value.WORD: _read_word,
    Value.DATE: _read_date,
    Value.BOOLEAN: _read_boolean,
    Value.LIST: _read_list,
    Value.IGNORED: _ignore,
}


def _references(column: Column, rows: pl.DataFrame, known: pl.DataFrame, found: Rejections) -> pl.DataFrame:
    """A required reference that leads nowhere rejects the row; an optional one is dropped with a warning."""
    name = column.name
    remedy = f"Deliver the record in {column.refers}, or correct the reference; it may have been rejected there."
    message = f"{name} points to {{value}}, which is not in {column.refers}."
    if column.value is Value.LIST:
        return _list_references(name, rows, known.select(_target="sourcedId"), message, remedy, found)
    targets = known.rename({"sourcedId": name, LINE: f"{name}@"})
    rows = rows.join(targets, on=name, how="left", maintain_order="left")
    lost = rows.filter(pl.col(f"{name}@").is_null() & pl.col(name).is_not_null())
    if lost.is_empty():
        return rows
    if column.required:
        found.reject(lost, name, "points-nowhere", message, remedy)
        return rows
    found.warn(lost, name, "points-nowhere", message, remedy)
    return rows.with_columns(pl.when(~pl.col(LINE).is_in(lost[LINE].to_list())).then(pl.col(name)).alias(name))


def _list_references(
    name: str, rows: pl.DataFrame, targets: pl.DataFrame, message: str, remedy: str, found: Rejections
) -> pl.DataFrame:
    items = rows.select(LINE, name).explode(name, empty_as_null=True).drop_nulls(name)
    lost = items.join(targets, left_on=name, right_on="_target", how="anti")
    if lost.is_empty():
        return rows
    left = items.join(targets, left_on=name, right_on="_target", how="semi")
    none_left = lost.join(left, on=LINE, how="anti").unique(LINE, keep="first", maintain_order=True)
    found.reject(none_left, name, "points-nowhere", message, remedy)
    found.warn(lost.join(left, on=LINE, how="semi"), name, "points-nowhere", message, remedy)
    kept = left.group_by(LINE, maintain_order=True).agg(name)
    return rows.drop(name).join(kept, on=LINE, how="left")
