"""`rollbook check`: what a roster folder or zip holds, and everything that is wrong with it. Changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rollbook.cli.console import Json, out, print_json
from rollbook.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollbook.roster.findings import Finding
    from rollbook.sources import Reading

EXITS = {"usable": Exit.OK, "usable-with-rejects": Exit.WITH_REJECTS, "refused": Exit.REFUSED}
EXAMPLES = 3


def check(
    path: Annotated[Path, typer.Argument(help="A OneRoster 1.1 folder or zip.", show_default=False)],
    institute: Annotated[str | None, typer.Option(help="Which topmost org to read, if there are several.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show every finding, not the first of each kind.")] = False,
    as_json: Json = False,
) -> None:
    """Check a roster and print rows read, accepted, rejected and every finding.

    Exit status: 0 usable, 1 usable with rejected rows, 3 refused as a whole.
    """
    from rollbook import sources

    reading = sources.read(path, institute=institute)
    if as_json:
        print_json(as_document(reading))
    else:
        show(reading, everything=everything)
    raise typer.Exit(int(EXITS[reading.verdict.value]))


def as_document(reading: Reading) -> dict[str, object]:
    """A reading as `--json` prints it."""
    files = {
        name: {"read": count.read, "accepted": count.accepted, "rejected": count.rejected}
        for name, count in reading.files.items()
    }
    return {
        "format": reading.format,
        "verdict": reading.verdict.value,
        "files": files,
        "findings": [finding.as_json() for finding in reading.findings],
    }


def show(reading: Reading, *, everything: bool) -> None:
    """A reading for people."""
    from rich.table import Table

    from rollbook import sources

    table = Table("file", "read", "accepted", "rejected", box=None, pad_edge=False)
    for name, count in reading.files.items():
        table.add_row(name, f"{count.read:,}", f"{count.accepted:,}", f"{count.rejected:,}")
    if reading.files:
        out.print(table)
        out.print()
    shown = reading.findings if everything else sources.summed(reading.findings, examples=EXAMPLES)
    tell(shown)
    out.print(f"{reading.format or 'unknown format'}: {reading.verdict.value}", style="bold")


def tell(findings: Sequence[Finding]) -> None:
    """Findings for people: how serious, where, what, and what to do."""
    for finding in findings:
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file
        times = f" ({finding.count:,} times)" if finding.count > 1 else ""
        out.print(f"{finding.severity.value:<9} {place}  {finding.message}{times}", markup=False)
        if finding.remedy:
            out.print(f"          {finding.remedy}", markup=False, style="dim")
