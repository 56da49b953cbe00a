"""`rollbook undo`: put back what a run did, after showing it and asking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from rollbook.cli import context
from rollbook.cli.console import Json, Quiet
from rollbook.cli.context import InstituteName

if TYPE_CHECKING:
    from rollbook.store.models import Institute, Run

SHOWN = 40

WHAT_UNDOING_MEANS = (
    "Nothing is deleted: accounts that the run made can no longer be used to sign in, its groups and teams stay without the people "
    "it put in. The next synchronization does the same again unless the register or the profile is changed first."
)


def undo(
    run: Annotated[int, typer.Argument(help="Number of the run, as `rollbook show` names it.", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    institute: InstituteName = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Put back what a run did, as far as nobody changed it since: a run of its own. Shows it, and asks before it does."""
    school, author = context.opened(institute)
    from rollbook.acts.undo import propose_undo
    from rollbook.cli import listing
    from rollbook.store.changes import select

    undone = context.run_of(school, run)
    day = context.day(None, school, author.clock)
    with context.open_session(school, day, author.clock, quiet=quiet or as_json) as session:
        proposed = propose_undo(session, undone)
    if not as_json:
        listing.show_changes(select(proposed), SHOWN)
    confirm_and_carry_out(school, proposed, yes=yes, as_json=as_json, quiet=quiet)


def confirm_and_carry_out(school: Institute, run: Run, *, yes: bool, as_json: bool, quiet: bool) -> NoReturn:
    """Carry out a run that undoes another, after asking whoever is at this terminal; ends the command."""
    from rollbook.acts.undo import carry_out, withdraw
    from rollbook.cli.proposed import Proposal, decide

    count = run.counts["changes"]
    what = "one change" if count == 1 else f"{count:,} changes"
    proposal = Proposal(f"Put back {what}? {WHAT_UNDOING_MEANS}", carry_out, withdraw)
    decide(school, run, proposal, yes=yes, as_json=as_json, quiet=quiet)
