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
    person: Annotated[
        list[str] | None, typer.Option(help="Only this person, by sourced id or SIS number; may be said several times.")
    ] = None,
    changed: Annotated[
        bool, typer.Option("--changed", help="Only what changed, or fell due, since the last one.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Everything, the tenant read anew; tells what scoped ones missed.")
    ] = False,
    approve: Annotated[str | None, typer.Option(help="Fingerprint of the plan you agree to.")] = None,
    scheduled: Annotated[
        bool, typer.Option("--scheduled", help="A timer asks: a connection that fails is left alone for a while.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Synchronize: plan, apply what needs nobody's approval, prove. Exit status 4 where approval is due for the rest.

    Without an option everything is planned, and the tenant is read by what changed in it.
    """
    chosen = [name for name, wanted in (("--person", person), ("--changed", changed), ("--full", full)) if wanted]
    if len(chosen) > 1:
        raise typer.BadParameter(f"{' and '.join(chosen)} exclude each other")
    from rollbook.store.setup import open_store

    open_store()  # the modules below need it
    from rollbook.acts.failing import refuse_while_resting
    from rollbook.acts.scopes import synchronize_changed, synchronize_everything, synchronize_people
    from rollbook.cli import context, listing
    from rollbook.clock import SystemClock

    clock = SystemClock()
    school = context.institute(institute)
    if scheduled:
        refuse_while_resting(school, clock)
    with context.open_session(school, context.day(as_of, school, clock), clock, quiet=quiet or as_json) as session:
        if person:
            done = synchronize_people(session, person, approve)
        elif changed:
            done = synchronize_changed(session, approve)
        else:
            done = synchronize_everything(session, approve, anew=full)
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
