"""`python -m bench [AREA ...] [--json]`: measures one area or all; exit status 1 if a target is missed.

With --json one document stands on standard output for each area asked for, and nothing else.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys

from rich.console import Console
from rich.table import Table

from bench.rows import Row

AREAS = {
    "import": "bench.importing",
    "plan": "bench.planning",
    "emulator": "bench.emulating",
    "mapping": "bench.mapping",
    "desired": "bench.desiring",
    "sync": "bench.sync",
    "retention": "bench.retention",
}


def main() -> int:
    """Measure what was asked for and print it; 0 if every target holds."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("areas", nargs="*", metavar="AREA", help=f"one of {', '.join(AREAS)}; default: all")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    asked = parser.parse_args()
    unknown = [area for area in asked.areas if area not in AREAS]
    if unknown:
        parser.error(f"no such area: {', '.join(unknown)}; there are {', '.join(AREAS)}")
    held = True
    for area in asked.areas or AREAS:
        print(f"bench: measuring {area} ...", file=sys.stderr)
        rows: list[Row] = importlib.import_module(AREAS[area]).measure()
        held &= all(row.holds for row in rows)
        if asked.json:
            print(json.dumps({"area": area, "rows": [row.as_json() for row in rows]}))
        else:
            show(area, rows)
    return 0 if held else 1


def show(area: str, rows: list[Row]) -> None:
    """The rows as a table for people."""
    table = Table("name", "value", "unit", "bound", "ratio", "target", "holds", title=area)
    for row in rows:
        target = f"{'>=' if row.floor else '<='} {row.target:g}"
        cells = (f"{row.value:.4g}", row.unit, f"{row.bound:.4g}", f"{row.ratio:.2f}", target)
        table.add_row(row.name, *cells, "yes" if row.holds else "NO")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
