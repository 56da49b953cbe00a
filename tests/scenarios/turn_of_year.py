"""The turn of the school year as somebody carries it out: asking what becomes of teams, letting one go on, archiving."""

from __future__ import annotations

from collections.abc import Callable

from tests.scenarios.stage import Stage

from rollbook.acts import rollover
from rollbook.acts.archiving import carry_out
from rollbook.acts.runs import Session
from rollbook.store.models import Run


def asked(stage: Stage) -> rollover.Request:
    """A question about the turn of the year, on the stage's day by the profile that runs."""
    return rollover.Request(stage.connected(), None, stage.today, stage.author)


def states(stage: Stage) -> dict[str, str]:
    """What becomes of each team, by what the school calls it."""
    return {line.name: line.state for line in rollover.look(asked(stage)).teams}


def goes_on(stage: Stage, old: str, new: str) -> rollover.GoingOn:
    """Somebody says that a team goes on as another one."""
    pair = rollover.going_on(asked(stage), old, new)
    with stage.desk() as desk:
        rollover.continue_team(desk, pair)
    return pair


def carried(stage: Stage, propose: Callable[[Session], Run]) -> Run:
    """Somebody archives teams, or takes them back, and agrees to the plan."""
    with stage.opened() as session:
        run = propose(session)
        carry_out(session, run, run.fingerprint)
        return run
