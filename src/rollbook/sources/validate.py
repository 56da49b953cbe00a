"""Text cells -> values. Every row is accepted or rejected; every rejection says which column, which value and why. Vectorised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from rollbook.roster.findings import Finding, Severity
from rollbook.sources.columns import Column, FileSpec, Value
from rollbook.sources.decode import LINE

LONGEST = 255
"""Characters of a text that are kept (roster-formats.md section 1: longer ones may be cut)."""


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


def validate(spec: FileSpec, cells: pl.DataFrame) -> tuple[pl.DataFrame, Rejections]:
    """The rows whose own cells are right, with typed values, and what is wrong with the others. Lists become list columns."""
    found = Rejections(spec)
    _lifecycle(cells, found)
    _identity(cells, found)
    for column in spec.columns:
        cells = READERS[column.value](column, cells, found)
    return _without(cells, found), found


def follow(rows: pl.DataFrame, found: Rejections, accepted: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """The validated rows of one file whose references lead to accepted rows; what is wrong with the others goes to `found`.

    `accepted` holds [sourcedId, line] of the rows accepted so far by file, and gets those of this file added. Beside a followed
    reference stands the line it leads to, in a column named with a trailing @, so that it need not be looked up by its text
    again.
    """
    spec = found.spec
    accepted[spec.name] = rows.select("sourcedId", LINE)
    for column in spec.columns:
        if column.refers is not None:
            rows = _references(column, rows, accepted[column.refers], found)
    rows = _without(rows, found)
    accepted[spec.name] = rows.select("sourcedId", LINE)
    return rows


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
    # Hashes that all differ belong to ids that all differ, and are counted in half the time.
    if cells["sourcedId"].hash().n_unique() == cells.height:
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
    return _cut(column, cells, found)


def _cut(column: Column, cells: pl.DataFrame, found: Rejections) -> pl.DataFrame:
    """Texts no longer than LONGEST: a longer one is cut with a warning, a longer id rejects its row."""
    name = column.name
    if column.refers is not None or _longest(cells[name]) <= LONGEST:
        return cells
    long = cells.filter(pl.col(name).str.len_chars() > LONGEST)
    if name == "sourcedId":
        found.reject(long, name, "too-long", f"{name} is longer than {LONGEST} characters.", "Give it a shorter id.")
        return cells
    _warn_cut(long, column, found)
    return cells.with_columns(pl.col(name).str.slice(0, LONGEST))


def _longest(texts: pl.Series) -> int:
    """Bytes of the longest text, which are quickly told and never fewer than its characters."""
    longest = texts.str.len_bytes().max()
    return longest if isinstance(longest, int) else 0


def _warn_cut(rows: pl.DataFrame, column: Column, found: Rejections) -> None:
    said, remedy = f"{column.name} is longer than {LONGEST} characters.", "Shorten it: no more are kept."
    found.warn(rows, column.name, "too-long", said, remedy)


def _read_word(column: Column, cells: pl.DataFrame, found: Rejections) -> pl.DataFrame:
    _required(column, cells, found)
    name = column.name
    used = cells[name].unique().drop_nulls()
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
    dates = cells[name].str.to_date("%Y-%m-%d", strict=False)
    if dates.null_count() > cells[name].null_count():
        wrong = cells.filter(dates.is_null() & cells[name].is_not_null())
        complain = found.warn if column.extension else found.reject
        complain(wrong, name, "not-a-date", f"{name} {{value}} is not a date.", "Write dates as 2026-09-01.")
    return cells.with_columns(dates)


def _read_boolean(column: Column, cells: pl.DataFrame, found: Rejections) -> pl.DataFrame:
    _required(column, cells, found)
    name = column.name
    # The format's own spelling needs no looking at the words.
    true, false = cells[name] == "true", cells[name] == "false"
    if (true | false).all():
        return cells.with_columns(true.alias(name))
    used = cells[name].unique().drop_nulls()
    meant = [word for word in used if word.lower() == "true"]
    unknown = [word for word in used if word.lower() not in ("true", "false")]
    if unknown:
        found.reject(
            cells.filter(pl.col(name).is_in(unknown)),
            name,
            "not-true-or-false",
            f"{name} {{value}} is neither true nor false.",
            "Write true or false.",
        )
    return cells.with_columns(pl.col(name).is_in(meant))


def _read_list(column: Column, cells: pl.DataFrame, found: Rejections) -> pl.DataFrame:
    _required(column, cells, found)
    several = cells[column.name].str.contains(",", literal=True)
    if not several.any():
        cells = _cut(column, cells, found)
    # Nearly all cells hold one item, which needs no splitting; often no cell of a file holds more.
    single = pl.when(pl.col(column.name).is_not_null()).then(pl.concat_list(column.name))
    if not several.any():
        return cells.with_columns(single)
    items = pl.col(column.name).str.split(",").list.eval(pl.element().str.strip_chars()).list.drop_nulls()
    listed = cells.with_columns(pl.when(several).then(items).otherwise(single).alias(column.name))
    return _cut_items(column, cells, listed, found)


def _cut_items(column: Column, cells: pl.DataFrame, listed: pl.DataFrame, found: Rejections) -> pl.DataFrame:
    """The lists without an item longer than LONGEST; `cells` are the same rows before they were split."""
    name = column.name
    if column.refers is not None or _longest(cells[name]) <= LONGEST:
        return listed
    long = listed[name].list.eval(pl.element().str.len_chars() > LONGEST).list.any()
    _warn_cut(cells.filter(long), column, found)
    return listed.with_columns(pl.col(name).list.eval(pl.element().str.slice(0, LONGEST)))


def _read_identifier(column: Column, cells: pl.DataFrame, found: Rejections) -> pl.DataFrame:
    """The id of the first {Type:Id} that has one. Bare ids occur and are taken as they are; so does [], which is none."""
    name = column.name
    given = cells[name]
    if given.null_count() == cells.height:
        return cells
    typed = pl.col(name).str.extract(r"\{[^{}:]*:\s*([^{}]*[^{}\s])\s*\}")
    bare = pl.when(~pl.col(name).str.contains(r"[{}\[\]]")).then(
        pl.col(name).str.extract(r"([^,\s][^,]*[^,\s]|[^,\s])")
    )
    cells = cells.with_columns(pl.coalesce(typed, bare).alias(name))
    lost = cells.with_columns(given).filter(cells[name].is_null() & given.is_not_null() & ~given.is_in(["[]", "{}"]))
    found.warn(lost, name, "no-id", f"{name} {{value}} holds no id.", "Write ids as {Type:Id}.")
    return _cut(column, cells, found)


def _ignore(column: Column, cells: pl.DataFrame, found: Rejections) -> pl.DataFrame:
    return cells


READERS: dict[Value, Callable[[Column, pl.DataFrame, Rejections], pl.DataFrame]] = {
    Value.TEXT: _read_text,
    Value.WORD: _read_word,
    Value.DATE: _read_date,
    Value.BOOLEAN: _read_boolean,
    Value.LIST: _read_list,
    Value.IDENTIFIER: _read_identifier,
    Value.IGNORED: _ignore,
}


def _references(column: Column, rows: pl.DataFrame, known: pl.DataFrame, found: Rejections) -> pl.DataFrame:
    """A required reference that leads nowhere rejects the row; an optional one is dropped with a warning."""
    name = column.name
    remedy = f"Deliver the record in {column.refers}, or correct the reference; it may have been rejected there."
    message = f"{name} points to {{value}}, which is not in {column.refers}."
    if column.value is Value.LIST:
        return _list_references(name, rows, known.select(_target="sourcedId"), message, remedy, found)
    if column.followed:
        targets = known.rename({"sourcedId": name, LINE: f"{name}@"})
        lines = rows.select(name).join(targets, on=name, how="left", maintain_order="left")[f"{name}@"]
        rows = rows.with_columns(lines)
        unknown = rows.filter(lines.is_null()).select(name) if lines.null_count() else rows.select(name).clear()
    else:
        # Many rows lead to few records.
        unknown = rows.select(pl.col(name).unique()).join(known, left_on=name, right_on="sourcedId", how="anti")
    if unknown[name].null_count() == unknown.height:
        return rows
    lost = rows.join(unknown, on=name, how="semi")
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
