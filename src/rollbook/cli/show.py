"""`rollbook show`: what became of a run."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from rollbook.cli.console import Json, out, print_json
from rollbook.cli.context import InstituteName

SHOWN = 20


def show(
    run: Annotated[
        int | None, typer.Argument(help="Number of the run. Default: the newest.", show_default=False)
    ] = None,
    institute: InstituteName = None,
    everything: Annotated[bool, typer.Option("--all", help="Show every change.")] = False,
    as_json: Json = False,
) -> None:
    """Show a run: its state, what was done, what was refused and why, and the proof."""
    from rollbook.store.setup import explained, open_store

    open_store()  # the modules below need it
    from rollbook.acts.freeze import frozen
    from rollbook.cli import context, listing
    from rollbook.cli.connection import show_failing
    from rollbook.plan.changes import ChangeVerdict
    from rollbook.store.approvals import decisions_of
    from rollbook.store.changes import Selection, select
    from rollbook.store.models import Connection

    with explained():
        found = context.run_of(context.institute(institute), run)
        selection = select(found)
        if as_json:
            decided = [asdict(each) for each in decisions_of(found)]
            lines = [listing.as_json(line) for line in selection.lines()]
            print_json({**listing.summary(found), "decisions": decided, "plan": lines})
            return
        if not everything:
            # What went as planned needs no line of its own.
            rows = selection.rows.exclude(verdict=int(ChangeVerdict.DONE))
            selection = Selection(found, rows, rows.count())
        listing.show_changes(selection, None if everything else SHOWN)
        listing.show_summary(found)
        for each in decisions_of(found):
            told = (
                f"{each.decided.capitalize()} by {each.actor} ({each.role}), {each.at:%Y-%m-%d %H:%M} UTC: {each.what}"
            )
            out.print(f"  {told}", markup=False)
        listing.show_unapproved(found)
        held_up = frozen(found.institute)
        if held_up:
            out.print(f"  The connection is {held_up}.", markup=False)
        connection = Connection.objects.filter(institute=found.institute, tenant=found.tenant).first()
        if connection is not None:
            show_failing(connection)
