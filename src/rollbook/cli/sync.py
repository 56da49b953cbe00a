"""`rollbook sync`: plan, apply and prove in one go; stops where a person has to agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rollbook.cli.console import Json, Quiet, out, print_json
from rollbook.cli.context import AsOf, InstituteName
from rollbook.cli.follow import run_exit_code, through_worker
from rollbook.errors import Exit

if TYPE_CHECKING:
    from rollbook.acts.jobs import Wanted
    from rollbook.acts.runs import Synchronized
    from rollbook.store.models import Institute


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

    Without an option everything is planned, and the tenant is read by what changed in it. Where a worker is running (`rollbook serve`),
    it is asked, and followed until it has finished.
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
    if as_of is None and approve is None:
        wanted = _wanted(school, person or [], changed=changed, full=full)
        through_worker(school, wanted, clock, as_json=as_json, quiet=quiet)
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


def _wanted(school: Institute, people: list[str], *, changed: bool, full: bool) -> Wanted:
    """What a worker is asked for."""
    from rollbook.acts.jobs import Wanted
    from rollbook.acts.scopes import find_person
    from rollbook.store.models import Job

    if people:
        return Wanted(Job.Kind.PEOPLE, people=tuple(find_person(school, name) for name in people))
    return Wanted(Job.Kind.CHANGED if changed else Job.Kind.FULL if full else Job.Kind.EVERYTHING)


def exit_code(done: Synchronized) -> Exit:
    """What a finished synchronization ends the command with."""
    return run_exit_code(done.run) if done.proof.holds else Exit.NOT_PROVEN
