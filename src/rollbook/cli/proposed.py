"""Runs that somebody proposed at the terminal: shown, asked about, carried out or withdrawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import typer

from rollbook.cli import context
from rollbook.cli.console import print_json
from rollbook.errors import Exit

if TYPE_CHECKING:
    from rollbook.acts.runs import Session
    from rollbook.store.models import Institute, Run


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is asked before a run is carried out, how that and the opposite is done, and what is said when something was."""

    question: str
    carry_out: Callable[[Session, Run, str], object]
    withdraw: Callable[[Run], object]
    afterwards: Callable[[], None] = lambda: None


def decide(school: Institute, run: Run, proposal: Proposal, *, yes: bool, as_json: bool, quiet: bool) -> NoReturn:
    """Carry out the run if whoever is at this terminal agrees; ends the command with its exit status."""
    from rollbook.cli import listing
    from rollbook.clock import SystemClock
    from rollbook.plan.changes import ChangeVerdict
    from rollbook.store.changes import select
    from rollbook.store.runs import verdict_counts

    if run.counts["changes"] and not yes and not _agreed(proposal.question):
        proposal.withdraw(run)
        raise typer.Abort
    with context.open_session(school, run.as_of, SystemClock(), quiet=quiet or as_json) as session:
        proposal.carry_out(session, run, run.fingerprint)
    verdicts = verdict_counts(run)
    if as_json:
        print_json({**listing.summary(run), "plan": [listing.as_json(line) for line in select(run).lines()]})
    else:
        listing.show_summary(run)
        if verdicts.get(ChangeVerdict.DONE):
            proposal.afterwards()
    good = {ChangeVerdict.DONE, ChangeVerdict.WAITS}
    raise typer.Exit(int(Exit.OK if set(verdicts) <= good else Exit.CHANGES_FAILED))


def _agreed(question: str) -> bool:
    """Whether whoever is at this terminal says yes; no answer at all, as at the end of the input or after Ctrl-C, is a no."""
    try:
        return bool(typer.confirm(question, err=True))
    except typer.Abort:
        return False
