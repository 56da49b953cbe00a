"""`rollbook apply`: carry out a stored plan, after asking."""

from __future__ import annotations

from typing import Annotated

import typer

from rollbook.cli.console import Json, Quiet, out, print_json
from rollbook.cli.context import InstituteName
from rollbook.cli.sync import exit_code


def apply(
    run: Annotated[int, typer.Argument(help="Number of the run, as `rollbook plan` said.", show_default=False)],
    institute: InstituteName = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Apply exactly the plan of a run. A run that was cut off is taken up where it was.

    Where parts of it were approved or refused with `rollbook approve` and `rollbook refuse`, that is what is done.
    """
    from rollbook.store.setup import open_store

    open_store()  # the modules below need it
    from rollbook.acts.jobs import Wanted
    from rollbook.acts.runs import require_open
    from rollbook.acts.scopes import apply_planned
    from rollbook.cli import context, listing, passwords, rollover, undo
    from rollbook.cli.follow import through_worker
    from rollbook.clock import SystemClock
    from rollbook.store import approvals
    from rollbook.store.models import Job

    clock = SystemClock()
    school = context.institute(institute)
    found = context.run_of(school, run)
    of_its_own = {
        found.Purpose.PASSWORDS: passwords.confirm_and_carry_out,
        found.Purpose.ARCHIVING: rollover.confirm_and_carry_out,
        found.Purpose.UNDO: undo.confirm_and_carry_out,
    }
    if found.purpose in of_its_own:
        of_its_own[found.Purpose(found.purpose)](school, found, yes=yes, as_json=as_json, quiet=quiet)
    in_parts = approvals.of_run(found)
    if not yes:
        require_open(found)
        listing.show_summary(found)
        what = "the approved part of plan" if in_parts else "plan"
        typer.confirm(f"Apply {what} {found.fingerprint} to the tenant {found.tenant.name}?", abort=True, err=True)
    if in_parts or found.state == found.State.APPLYING:
        through_worker(school, Wanted(Job.Kind.APPLY, run=found), clock, as_json=as_json, quiet=quiet)
    with context.open_session(school, found.as_of, clock, quiet=quiet or as_json) as session:
        whole = not in_parts and found.state != found.State.APPLYING
        done = apply_planned(session, found, found.fingerprint if whole else None)
    if as_json:
        print_json(listing.summary(done.run))
    else:
        listing.show_summary(done.run)
        listing.show_unapproved(done.run)
        out.print(f"Details: rollbook show {done.run.number}")
    raise typer.Exit(int(exit_code(done)))
