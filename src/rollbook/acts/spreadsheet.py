"""CSV that spreadsheets and machines read alike: a cell is never taken for a formula, and what was written is read back as it was.

A cell that begins with = + - @, a tab or a return gets an apostrophe before it, as spreadsheets themselves do; one that begins
with apostrophes before such a sign gets one more, so that taking one away again is always right.
"""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from rollbook.errors import FileInvalid, InputRefused
from rollbook.words import counted

FORMULA = r"^('*[=+\-@\t\r])"
MARKED = r"^'('*[=+\-@\t\r])"
STANDARD_INPUT = STANDARD_OUTPUT = Path("-")


def as_csv(frame: pl.DataFrame) -> str:
    """The frame as CSV text with a header; every text column is safe, an empty cell is null."""
    return frame.with_columns(pl.col(pl.String).str.replace(FORMULA, "'$1")).write_csv()


def write_file(path: Path, text: str) -> None:
    """The file, whole or not at all, readable by its owner only since it names people. InputRefused if it cannot be written."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        draft.replace(path)
    except OSError as error:
        raise InputRefused(f"{path} cannot be written: {error.strerror}.", remedy="Name another file.") from error


MARK = "\ufeff"
"""Tells Excel that a file is UTF-8; `read_file` takes it as read."""


def write_table(path: Path, text: str) -> None:
    """The same, of CSV that people open with Excel, which would take it for another encoding otherwise."""
    write_file(path, MARK + text)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns a file may have; of those in `needed`, it must have at least one of each group."""

    known: Sequence[str]
    needed: Sequence[Sequence[str]]


def read_text(path: Path) -> str:
    """The text of a file, or of standard input for -; InputRefused if it cannot be read, or is not UTF-8."""
    try:
        content = sys.stdin.buffer.read() if path == STANDARD_INPUT else path.read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise InputRefused(f"{path} cannot be read: {error.strerror}.", remedy="Name another file.") from error
    except UnicodeDecodeError as error:
        raise InputRefused(f"{path} is not UTF-8 text.", remedy="Save it as UTF-8.") from error


def read_file(path: Path, columns: Columns) -> pl.DataFrame:
    """[line, every known column] of a CSV file, blanks around cells taken away, empty cells null; `line` is where a row ends.

    Raises InputRefused if the file cannot be read, FileInvalid if its columns or the shape of its rows are wrong.
    """
    try:
        rows = list(_rows(read_text(path)))
    except csv.Error as error:
        raise InputRefused(f"{path} is no CSV: {error}.", remedy="Save it as CSV with commas.") from error
    if not rows:
        raise InputRefused(f"{path} is empty.", remedy="Begin with a line that names the columns.")
    (first, header), body = rows[0], rows[1:]
    header = [name.strip().lower() for name in header]
    refuse(path, [*_header_mistakes(first, header, columns), *_shape_mistakes(header, body)])
    schema = {"line": pl.Int64, **dict.fromkeys(header, pl.String)}
    frame = pl.DataFrame([(line, *row) for line, row in body], schema=schema, orient="row")
    missing = [pl.lit(None, dtype=pl.String).alias(name) for name in columns.known if name not in header]
    plain = pl.col(header).str.strip_chars().str.replace(MARKED, "$1").replace("", None)
    return frame.with_columns(plain).with_columns(missing).select("line", *columns.known)


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, each with the line it ends on. Semicolons serve where the first line has no comma."""
    header = text.partition("\n")[0]
    delimiter = ";" if ";" in header and "," not in header else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    for row in reader:
        if any(cell.strip() for cell in row):
            yield reader.line_num, row


def _header_mistakes(line: int, header: Sequence[str], columns: Columns) -> Iterator[tuple[int, str]]:
    for name in header:
        if name not in columns.known:
            yield line, f"there is no column {name!r}; there are {', '.join(columns.known)}"
        elif list(header).count(name) > 1:
            yield line, f"the column {name!r} is there twice"
    for group in columns.needed:
        if not set(group) & set(header):
            yield line, f"the column {' or '.join(group)} is missing"


def _shape_mistakes(header: Sequence[str], body: Sequence[tuple[int, list[str]]]) -> Iterator[tuple[int, str]]:
    for line, row in body:
        if len(row) != len(header):
            yield line, f"{len(row)} cells where the first line names {len(header)} columns"


TOLD = 50


def refuse(path: Path, mistakes: Sequence[tuple[int, str]]) -> None:
    """Raise FileInvalid with all of the mistakes (line, sentence), the first TOLD of them in its message; nothing if there is none."""
    if not mistakes:
        return
    ordered = sorted(mistakes)
    listed = "\n".join(f"line {line}: {sentence}" for line, sentence in ordered[:TOLD])
    more = f"\n... and {len(ordered) - TOLD:,} more" if len(ordered) > TOLD else ""
    raise FileInvalid(
        f"{path} has {counted(len(ordered), 'mistake')}:\n{listed}{more}",
        ordered,
        remedy="Correct them; nothing was changed.",
    )
