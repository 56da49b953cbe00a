"""`rollbook protect`: accounts that are never touched."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from rollbook.cli import context
from rollbook.cli.console import Json, out, print_json
from rollbook.cli.context import Corporate, InstituteName

app = typer.Typer(help="Accounts that are never touched.", no_args_is_help=True, rich_markup_mode=None)

AccountName = Annotated[str, typer.Argument(help="Object id or user name.", show_default=False)]


@app.callback()
def protect() -> None:
    """Accounts that are never touched: not disabled, renamed, licensed, no password. Administrators are so without being listed."""


@app.command("list")
def list_(institute: InstituteName = None, corporate: Corporate = False, as_json: Json = False) -> None:
    """List them: kept by an administrator, or remembered by a run because Microsoft refused a change."""
    school, _ = context.opened(institute)
    from rollbook.acts.protection import listed

    found = listed(school, context.purpose(corporate=corporate))
    if as_json:
        print_json([asdict(entry) for entry in found])
        return
    for entry in found:
        who = " ".join(part for part in (entry.user_name, f"({entry.sourced_id})" if entry.sourced_id else "") if part)
        told = f"{entry.kind} by {entry.by} {entry.at:%Y-%m-%d %H:%M}: {entry.reason}"
        out.print(f"{entry.object_id}  {who or '-'}  {told}", markup=False)
    out.print(f"{len(found):,} on the list.")
    if any(entry.kind == "refused" for entry in found):
        out.print(
            "What Microsoft refused is tried again once it is off the list: rollbook protect remove", markup=False
        )


@app.command()
def add(
    account: AccountName,
    because: Annotated[str, typer.Option("--because", help="Why; shown in the list.", show_default=False)],
    institute: InstituteName = None,
    corporate: Corporate = False,
) -> None:
    """Put an account on the list. Plans leave it alone from now on."""
    with context.open_desk(institute, corporate=corporate) as desk:
        from rollbook.acts.protection import protect as put

        object_id = put(desk, account, because)
    out.print(f"{account} ({object_id}) is never touched from now on.", markup=False)


@app.command()
def remove(account: AccountName, institute: InstituteName = None, corporate: Corporate = False) -> None:
    """Take an account off the list. The next run may change it again."""
    with context.open_desk(institute, corporate=corporate) as desk:
        from rollbook.acts.protection import release

        object_id = release(desk, account)
    out.print(f"{account} ({object_id}) is off the list; the next run may change it again.", markup=False)
