"""One CSV file -> a frame of text cells with true line numbers. Fast for well-formed files, patient for the others."""

from __future__ import annotations

import csv
import io

import polars as pl

from rollbook.errors import DeliveryRefused
from rollbook.roster.findings import Finding, Severity
from rollbook.sources.columns import FileSpec, Value

LINE = "line"


def decode(spec: FileSpec, content: bytes) -> tuple[pl.DataFrame, list[Finding], int]:
    """The rows as text [line, column ...], findings of rows that are no rows, and how many rows were read in all.

    Columns the file lacks are null. Cells are trimmed, empty ones are null; columns nobody needs, passwords among them, are
    not kept. Raises DeliveryRefused if the file as a whole cannot be used.
    """
    header = _header(spec, content)
    wanted = [column.name for column in spec.columns if column.value is not Value.IGNORED]
    try:
        cells = _fast(header, content)
    except pl.exceptions.ComputeError:
        cells = None
    findings: list[Finding] = []
    if cells is None or not _one_row_a_line(content, cells.height):
        # Rows of another width, blank lines or line breaks in cells: rare, so they are looked at one by one.
        cells, findings = _patient(spec, header, content)
    # Large files of ids and dates hold not one blank or quote, so that none of their cells needs trimming.
    untidy = any(mark in content for mark in (b" ", b"\t", b'"'))
    columns = [_cells(cells, name, untidy=untidy) for name in wanted]
    return cells.select(pl.col(LINE).cast(pl.Int32), *columns), findings, cells.height + len(findings)


def _cells(cells: pl.DataFrame, name: str, *, untidy: bool) -> pl.Expr:
    """The trimmed cells of a column, empty ones null; columns without a single cell need no looking at."""
    if name not in cells.columns:
        return pl.lit(None, dtype=pl.String).alias(name)
    if not untidy or cells[name].null_count() == cells.height:
        return pl.col(name)
    text = pl.col(name).str.strip_chars()
    return pl.when(text.str.len_bytes() > 0).then(text).alias(name)


def _one_row_a_line(content: bytes, rows: int) -> bool:
    """Whether rows are lines, so that a row's number tells its line."""
    return rows + 1 == content.count(b"\n") + (not content.endswith(b"\n"))


def _header(spec: FileSpec, content: bytes) -> list[str]:
    """The column names, in the file's order; a repeated or empty one gets a name nobody asks for."""
    first = content[: content.find(b"\n") % (len(content) + 1)]
    if b"\0" in content[:4096]:
        raise DeliveryRefused(f"{spec.name} is not a CSV file.", remedy="Export the roster again, as CSV in UTF-8.")
    try:
        names = [name.strip() for name in next(csv.reader([first.decode("utf-8")]), [])]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DeliveryRefused(f"{spec.name} is not a CSV file in UTF-8.", remedy="Export it as UTF-8.") from error
    if ";" in first.decode() and len(names) == 1:
        raise DeliveryRefused(
            f"{spec.name} is separated by semicolons.",
            remedy="Export it with commas (Excel: CSV UTF-8, comma delimited).",
        )
    names = [_known_as(spec, name) for name in names]
    required = [column.name for column in spec.columns if column.required]
    missing = [name for name in required if name not in names]
    if missing:
        raise DeliveryRefused(
            f"{spec.name} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}.",
            remedy="Add it to the export; column names are case-sensitive.",
        )
    return [name if name and name not in names[:n] else f"\0{n}" for n, name in enumerate(names)]


def _known_as(spec: FileSpec, name: str) -> str:
    """The spec's own name of a column that goes by another of its spellings; any other name as it is."""
    for column in spec.columns:
        if (column.extension or column.spellings) and _folded(name) in map(_folded, (column.name, *column.spellings)):
            return column.name
    return name


def _folded(name: str) -> str:
    return name.lower().replace("_", "")


def _fast(header: list[str], content: bytes) -> pl.DataFrame:
    if content.find(b"\n") in (-1, len(content) - 1):
        return pl.DataFrame(schema={LINE: pl.Int32, **dict.fromkeys(header, pl.String)})
    rows = pl.read_csv(content, has_header=False, skip_rows=1, schema=dict.fromkeys(header, pl.String))
    return rows.with_row_index(LINE, offset=2)


def _patient(spec: FileSpec, header: list[str], content: bytes) -> tuple[pl.DataFrame, list[Finding]]:
    """Row by row, with the line each row begins on; rows with too many cells are rejected, blank lines are no rows."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DeliveryRefused(
            f"{spec.name} is not in UTF-8: line {line} has the byte 0x{content[error.start]:02x}.",
            remedy="Export it as UTF-8.",
        ) from error
    rows: list[list[object]] = []
    findings: list[Finding] = []
    reader = csv.reader(io.StringIO(text, newline=""))
    began = 1
    try:
        for cells in reader:
            line, began = began, reader.line_num + 1
            if line == 1 or not any(cells):
                continue
            if any(cells[len(header) :]):
                findings.append(_too_many(spec, line, len(cells), len(header)))
            else:
                rows.append(
                    [line, *(cell or None for cell in cells[: len(header)]), *[None] * (len(header) - len(cells))]
                )
    except csv.Error as error:
        raise DeliveryRefused(
            f"{spec.name} breaks off at line {reader.line_num}: {error}.", remedy="Export it again."
        ) from error
    schema = {LINE: pl.Int32, **dict.fromkeys(header, pl.String)}
    return pl.DataFrame(rows, schema=schema, orient="row"), findings


def _too_many(spec: FileSpec, line: int, cells: int, columns: int) -> Finding:
    return Finding(
        Severity.REJECTED,
        "too-many-cells",
        spec.name,
        line,
        "",
        "",
        f"The row has {cells} cells, the header {columns}.",
        "Enclose cells that hold a comma in quotes.",
    )
