"""`rollbook accounts`: who has which account at Microsoft, for people and as CSV for the school's own system."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rollbook.cli import context
from rollbook.cli.console import Json, err, out, print_json
from rollbook.cli.context import AsOf, InstituteName
from rollbook.errors import InputRefused
from rollbook.roster.vocabulary import UserType
from rollbook.words import counted

app = typer.Typer(help="Accounts at Microsoft, person by person.", no_args_is_help=True, rich_markup_mode=None)

OfType = Annotated[UserType | None, typer.Option("--type", help="Only people of this user type.")]
SHOWN = 40


@app.callback()
def accounts() -> None:
    """Accounts at Microsoft, person by person."""


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="The file to write; - for standard output.", show_default=False)],
    user_type: OfType = None,
    institute: InstituteName = None,
    as_of: AsOf = None,
) -> None:
    """Write user name, mail, object id and state of everybody as CSV, a row a person, in the order of sourced ids."""
    school, author = context.opened(institute)
    from rollbook.acts.accounts import exported
    from rollbook.acts.spreadsheet import STANDARD_OUTPUT, write_file

    text, rows = exported(school, context.day(as_of, school, author.clock), user_type, author)
    if file == STANDARD_OUTPUT:
        typer.echo(text, nl=False)
        return
    write_file(file, text)
    err.print(f"{counted(rows, 'person is', 'people are')} written to {file}.", markup=False)


@app.command("list")
def list_(
    user_type: OfType = None,
    state: Annotated[str | None, typer.Option(help="Only active, disabled, waiting or none.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show everybody.")] = False,
    institute: InstituteName = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """List people with their accounts, and why somebody has none."""
    school, author = context.opened(institute)
    import polars as pl

    from rollbook.acts.accounts import ACCOUNTS, STATES, accounts
    from rollbook.store.identities import names_of

    if state is not None and state not in STATES:
        raise InputRefused(f"There is no state {state!r}.", remedy=f"Choose one of: {', '.join(STATES)}.")
    rows = accounts(school, context.day(as_of, school, author.clock), user_type)
    rows = rows if state is None else rows.filter(pl.col("state") == state)
    if as_json:
        print_json(rows.select(ACCOUNTS.keys()).to_dicts())
        return
    shown = rows if everything else rows.head(SHOWN)
    named = names_of(school, shown["person"].to_list())
    for row in shown.iter_rows(named=True):
        account = row["user_name"] or row["object_id"] or "-"
        why = f" ({row['why']})" if row["why"] else ""
        number = row["sis_number"] or row["sourced_id"]
        name = named.get(row["person"], "")
        out.print(f"{number:<12} {name:<28} {row['user_type']:<8} {account}  {row['state']}{why}", markup=False)
    if shown.height < rows.height:
        out.print(f"... and {rows.height - shown.height:,} more; all of them with --all or --json", style="dim")
    counted = ", ".join(f"{count:,} {name}" for name, count in rows["state"].value_counts(sort=True).iter_rows())
    out.print(f"{rows.height:,} people: {counted or 'nobody'}", style="bold")
