"""`rollbook grade-levels`: which stage ("primary") each grade belongs to."""

from __future__ import annotations

from typing import Annotated

import typer

from rollbook.cli import context
from rollbook.cli.console import Json, out, print_json
from rollbook.cli.context import InstituteName

app = typer.Typer(help="Grade levels: the stage each grade belongs to.", no_args_is_help=True, rich_markup_mode=None)

Level = Annotated[str, typer.Argument(help="Name of the level, such as primary.", show_default=False)]


@app.callback()
def grade_levels() -> None:
    """Grade levels: the stage each grade belongs to."""


@app.command()
def show(institute: InstituteName = None, as_json: Json = False) -> None:
    """Show each level with its grades, and the grades that have none."""
    school, _ = context.author(institute)
    from rollbook.acts.grade_levels import levels_of

    found = levels_of(school)
    if as_json:
        print_json({"levels": found.levels, "without": found.without})
        return
    for level, grades in found.levels.items():
        out.print(f"{level}: {', '.join(grades)}", markup=False)
    if found.without:
        out.print(f"Without a level: {', '.join(found.without)}", markup=False)
    if not found.levels:
        out.print("No level yet. Make one with: rollbook grade-levels set LEVEL GRADE...")


@app.command("set")
def set_(
    level: Level,
    grades: Annotated[list[str], typer.Argument(help="All grades of the level.", show_default=False)],
    institute: InstituteName = None,
) -> None:
    """Let a level hold exactly these grades. A grade has one level: it leaves the one it had."""
    school, author = context.author(institute)
    from rollbook.acts.grade_levels import set_level

    unknown = set_level(school, level, grades, author)
    out.print(f"{level.strip()}: {', '.join(grades)}", markup=False)
    if unknown:
        out.print(f"The register has no grade {', '.join(unknown)} yet; the level counts once it has.", markup=False)


@app.command()
def remove(level: Level, institute: InstituteName = None) -> None:
    """Forget a level; its grades have none afterwards."""
    school, author = context.author(institute)
    from rollbook.acts.grade_levels import remove_level

    gone = remove_level(school, level, author)
    out.print(f"{level.strip()} is gone; without a level now: {', '.join(gone)}", markup=False)
