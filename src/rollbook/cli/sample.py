"""`rollbook sample`: a school to try with, written as a OneRoster folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rollbook.cli.console import out
from rollbook.errors import InputRefused

SMALLEST, LARGEST = 100, 100_000


def sample(
    path: Annotated[Path, typer.Argument(help="Folder to write; it must not exist or be empty.", show_default=False)],
    people: Annotated[int, typer.Option(min=SMALLEST, max=LARGEST, help="How many people.")] = 2_000,
    seed: Annotated[int, typer.Option(help="Another seed, another school.")] = 1,
    year: Annotated[int, typer.Option(min=2000, max=2100, help="Year in which the school year begins.")] = 2026,
) -> None:
    """Write an invented school as a OneRoster 1.1 folder."""
    from rollbook import sample as schools

    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputRefused(
            f"{path} is there already and is not an empty folder; nothing was written.",
            remedy="Name a folder that does not exist yet.",
        )
    schools.write(schools.school(people, seed=seed, year=year), path)
    out.print(f"Wrote an invented school of {people:,} people to {path}. Look at it with: rollbook check {path}")
