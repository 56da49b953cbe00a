"""`rollbook match`: matches to review, and what a person decides about them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from rollbook.cli import context
from rollbook.cli.console import Json, out, print_json
from rollbook.cli.context import Corporate, InstituteName, OfClass, Person
from rollbook.cli.link import Because, kind_of

app = typer.Typer(help="Matches that a person has to decide.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def match() -> None:
    """Matches that a person has to decide."""


@app.command("list")
def list_(institute: InstituteName = None, corporate: Corporate = False, as_json: Json = False) -> None:
    """List who waits for a decision, with the accounts that could be meant, by the newest plan."""
    school, _ = context.opened(institute)
    from rollbook.acts.matches import waiting
    from rollbook.store.setup import explained

    with explained():
        found = waiting(school, context.purpose(corporate=corporate))
    if as_json:
        print_json([asdict(entry) for entry in found])
        return
    for entry in found:
        ids = ", ".join(part for part in (entry.sourced_id, entry.number) if part)
        out.print(f"{entry.called}{f' ({ids})' if ids else ''}: {entry.reason}", style="bold", markup=False)
        for candidate in entry.candidates:
            why = "; ".join(candidate.why)
            out.print(f"  {candidate.object_id}  {candidate.name}  {candidate.display_name}  ({why})", markup=False)
        out.print(f"  Decide with: {entry.command} ACCOUNT, or --new, or --nobody", markup=False)
    out.print(f"{len(found):,} to review.")


@app.command()
def decide(
    person: Person,
    account: Annotated[
        str | None, typer.Argument(help="Object id or user name of the one that is meant.", show_default=False)
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="None is meant: let the next plan make an account.")] = False,
    nobody: Annotated[
        bool, typer.Option("--nobody", help="There is to be no account, until decided otherwise.")
    ] = False,
    because: Because = "",
    of_class: OfClass = False,
    institute: InstituteName = None,
    corporate: Corporate = False,
) -> None:
    """Decide which account is meant, or that none is. It counts at the next plan and is kept in the history."""
    if (account is not None) + new + nobody != 1:
        raise typer.BadParameter("name an ACCOUNT, or --new, or --nobody: exactly one of them")
    with context.open_desk(institute, corporate=corporate) as desk:
        from rollbook.acts.links import find_subject
        from rollbook.acts.matches import decide_account, decide_without
        from rollbook.store.models import Decision

        who = find_subject(desk.institute, person, kind_of(of_class=of_class))
        if account is None:
            decide_without(desk, who, Decision.Kind.NEW if new else Decision.Kind.NOBODY, because)
            notes = []
        else:
            notes = list(decide_account(desk, who, account, because).notes)
    what = account or ("a new one, where the profile makes them" if new else "none, until decided otherwise")
    out.print(f"{who.sourced_id}: {what}. It counts at the next plan.", markup=False)
    for note in notes:
        out.print(f"Note: {note}.", markup=False)
