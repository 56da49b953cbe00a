"""`rollbook sync`: plan, apply and prove in one go; stops where a person has to agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rollbook.cli.console import Json, Quiet, out, print_json
from rollbook.cli.context import AsOf, InstituteName
from rollbook.errors import Exit

if TYPE_CHECKING:
    from rollbook.acts.runs import Synchronized


def sync(
    institute: InstituteName = None,
    as_of: AsOf = None,
    approve: Annotated[str | None, typer.Option(help="Fingerprint of the plan you agree to.")] = None,
    scheduled: Annotated[
        bool, typer.Option("--scheduled", help="A timer asks: a connection that fails is left alone for a while.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Synchronize: plan, apply what needs nobody's approval, prove. Exit status 4 where approval is due for the rest."""
    from rollbook.store.setup import open_store

    open_store()  # the modules below need it
    from rollbook.acts.failing import refuse_while_resting
    from rollbook.acts.runs import synchronize
    from rollbook.cli import context, listing
    from rollbook.clock import SystemClock

    clock = SystemClock()
    school = context.institute(institute)
    if scheduled:
        refuse_while_resting(school, clock)
    with context.open_session(school, context.day(as_of, school, clock), clock, quiet=quiet or as_json) as session:
        done = synchronize(session, approve)
    if as_json:
        print_json(listing.summary(done.run))
    else:
        listing.show_summary(done.run)
        listing.show_unapproved(done.run)
        out.print(f"Details: rollbook show {done.run.number}")
    raise typer.Exit(int(exit_code(done)))


def exit_code(done: Synchronized) -> Exit:
    """What a finished synchronization ends the command with."""
    from rollbook.plan.changes import ChangeVerdict
    from rollbook.store.runs import verdict_counts

    if not done.proof.holds:
        return Exit.NOT_PROVEN
    found = set(verdict_counts(done.run))
    good = {ChangeVerdict.DONE, ChangeVerdict.WAITS, ChangeVerdict.DECLINED, ChangeVerdict.UNAPPROVED}
    if not found <= good:
        return Exit.CHANGES_FAILED
    return Exit.APPROVAL_DUE if ChangeVerdict.UNAPPROVED in found else Exit.OK
