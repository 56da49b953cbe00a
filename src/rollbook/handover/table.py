"""Tables for spreadsheets: UTF-8 that Excel recognises, and no cell that a spreadsheet would take for a formula. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell begins with that spreadsheets calculate, their full-width forms included (OWASP, CSV injection)."""

MARK = "\ufeff"
"""Tells Excel that the file is UTF-8."""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """The file: a header, and a line for each row."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([defused(cell) for cell in row] for row in rows)
    return (MARK + text.getvalue()).encode()


def defused(cell: str) -> str:
    """The cell, behind an apostrophe if a spreadsheet would calculate it."""
    return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA) else cell
