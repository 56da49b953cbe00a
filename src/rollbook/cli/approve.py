"""`rollbook approve` and `rollbook refuse`: what becomes of a plan that waits for a person, whole or in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollbook.cli import context
from rollbook.cli.console import Json, out, print_json
from rollbook.cli.context import InstituteName
from rollbook.errors import Exit, InputRefused

if TYPE_CHECKING:
    from rollbook.acts.approvals import Decided

RunNumber = Annotated[
    int | None, typer.Argument(help="Number of the run. Default: the newest that waits.", show_default=False)
]
Everything = Annotated[bool, typer.Option("--all", help="All of it. Not what a doubted reading of the tenant holds.")]
AllRefused = Annotated[bool, typer.Option("--all", help="All of it that is open, also what would go ahead by itself.")]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", help="What a guard holds (accounts-disabled ...), or a kind of change (disable_user ...)."),
]
Items = Annotated[list[int] | None, typer.Option("--item", help="A single change, by its number in the plan.")]
People = Annotated[list[str] | None, typer.Option("--person", help="All about a person, by sourced id or SIS number.")]
Teams = Annotated[list[str] | None, typer.Option("--team", help="All about a class, by sourced id or code.")]


def approve(
    run: RunNumber = None,
    everything: Everything = False,
    kind: Kinds = None,
    item: Items = None,
    person: People = None,
    team: Teams = None,
    accept_reading: Annotated[
        bool, typer.Option("--accept-reading", help="The tenant really is as it was read; I looked.")
    ] = False,
    institute: InstituteName = None,
    as_json: Json = False,
) -> None:
    """Agree to a plan that waits, or to parts of it with all they need. Applies nothing: `rollbook apply` does.

    What was refused is agreed to after all if it is named one by one. Exit status 4 if your role does not reach so far, or if something
    still waits after --all: what a doubted reading of the tenant holds.
    """
    school, author = context.opened(institute)
    from rollbook.acts.approvals import Choice, agree, waiting_run
    from rollbook.store.setup import explained

    choice = Choice(
        everything,
        tuple(kind or ()),
        tuple(item or ()),
        tuple(person or ()),
        tuple(team or ()),
        accept_reading,
    )
    _something(choice.nothing)
    with explained():
        decided = agree(waiting_run(school, run), choice, author)
    _show(decided, as_json=as_json)
    raise typer.Exit(int(Exit.APPROVAL_DUE if everything and decided.waiting else Exit.OK))


def refuse(
    run: RunNumber = None,
    everything: AllRefused = False,
    kind: Kinds = None,
    item: Items = None,
    person: People = None,
    team: Teams = None,
    because: Annotated[str, typer.Option("--because", help="Why; remembered with the refusal.")] = "",
    institute: InstituteName = None,
    as_json: Json = False,
) -> None:
    """Refuse changes of a plan that waits, with whatever needs them. They are not asked again until their cause changes."""
    school, author = context.opened(institute)
    from rollbook.acts.approvals import Choice, waiting_run
    from rollbook.acts.approvals import refuse as decline
    from rollbook.store.setup import explained

    choice = Choice(everything, tuple(kind or ()), tuple(item or ()), tuple(person or ()), tuple(team or ()))
    _something(choice.nothing)
    with explained():
        decided = decline(waiting_run(school, run), choice, because, author)
    _show(decided, as_json=as_json)


def _something(nothing: bool) -> None:
    if nothing:
        raise InputRefused(
            "Say what is meant.", remedy="--all, or parts of the plan: --kind, --item, --person, --team."
        )


def as_document(decided: Decided) -> dict[str, Any]:
    """A decision as `--json` prints it."""
    return {
        "run": decided.run.number,
        "fingerprint": decided.run.fingerprint,
        "going": decided.going,
        "waiting": decided.waiting,
        "declined": decided.declined,
        "doubted": decided.doubted,
    }


def _show(decided: Decided, *, as_json: bool) -> None:
    if as_json:
        print_json(as_document(decided))
    else:
        out.print(
            f"Run {decided.run.number}: {decided.going:,} changes may be applied, {decided.waiting:,} wait for approval, "
            f"{decided.declined:,} refused."
        )
        if decided.doubted:
            out.print(
                f"{decided.doubted:,} of those that wait follow from a reading of the tenant that is doubted, and need more. Look at "
                f"the tenant; if it really is so: rollbook approve {decided.run.number} --accept-reading"
            )
        if decided.going:
            out.print(f"Carry them out with: rollbook apply {decided.run.number}")
