"""`rollbook plan`: every change that would be made, with its sentence and reason. Changes nothing at Microsoft."""

from __future__ import annotations

from typing import Annotated

import typer

from rollbook.cli.console import Json, Quiet, out, print_json
from rollbook.cli.context import AsOf, InstituteName
from rollbook.words import counted

SHOWN = 40


def plan(
    institute: InstituteName = None,
    as_of: AsOf = None,
    everything: Annotated[bool, typer.Option("--all", help="Show every change.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a plan, store it as a run, and show what it would change and why."""
    from rollbook.store.setup import open_store

    open_store()  # the modules below need it
    from rollbook.acts.approvals import may_go
    from rollbook.acts.freeze import frozen
    from rollbook.acts.lost_settings import lost
    from rollbook.apply.approval import needed_role, needs_person
    from rollbook.apply.pace import sentence
    from rollbook.cli import context, listing
    from rollbook.clock import SystemClock
    from rollbook.store.changes import select
    from rollbook.store.runs import labels
    from rollbook.sync import crowded, first_look

    clock = SystemClock()
    school = context.institute(institute)
    with context.open_session(school, context.day(as_of, school, clock), clock, quiet=quiet or as_json) as session:
        made, view = session.plan()
        run = session.save(made)
        held_up = frozen(school)
        bound = session.bound(made.changes)
        warnings = [f"{path}: {said}" for path, said in lost(school, session.scope.profile)]
    look = first_look(made, view) if made.first_run else None
    full = crowded(made, view)
    called = labels(run.tenant, full["team"].to_list()) if full.height else {}
    too_full = [{"team": called.get(team, ""), "members": count} for team, count in full.iter_rows()]
    if as_json:
        found = {} if look is None else {"first_look": listing.looked(look)}
        lines = [listing.as_json(line) for line in select(run).lines()]
        waits = {"needs": needed_role(made).name.lower()} if needs_person(made) else {}
        stopped = {"frozen": held_up} if held_up else {}
        more = {"crowded": too_full, "warnings": warnings, "plan": lines}
        print_json({**listing.summary(run), **waits, **stopped, **found, "pace": bound.as_json(), **more})
        return
    listing.show_kinds(run)
    listing.show_changes(select(run), None if everything else SHOWN)
    listing.show_summary(run)
    if said := sentence(bound):
        out.print(f"  {said}", markup=False)
    for entry in too_full:
        out.print(
            f"  Look: {entry['team']} would have {counted(entry['members'], 'member')}; above 300, Assignments and the class notebook "
            "stop working in a class team.",
            markup=False,
        )
    for warning in warnings:
        out.print(f"  Look at the profile: {warning}.", markup=False)
    if look is not None:
        listing.show_look(look, None if everything else SHOWN)
    if held_up:
        out.print(f"The connection is {held_up}: nothing is written until `rollbook thaw`.", markup=False, style="bold")
    if needs_person(made):
        ahead = may_go(run).going.len()
        if ahead:
            out.print(f"{ahead:,} changes go ahead with the next rollbook sync; the others wait:")
        out.print(
            f"An {needed_role(made).label} has to agree: to all of it with rollbook apply {run.number}, or rollbook sync --approve "
            f"{run.fingerprint}; or in parts:"
        )
        listing.show_unapproved(run)
    elif made.counts["changes"]:
        out.print(f"Carry it out with: rollbook apply {run.number}")
    else:
        out.print("Nothing has to be done.")
