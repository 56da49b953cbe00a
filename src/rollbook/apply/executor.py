"""Carries out a run's open changes, so that it can be killed at any moment and taken up again.

Intent before request, answer after: an intent is committed before its batch is sent, so a run that is taken up again first asks
Microsoft what became of intents without an answer. Nothing is made twice, nothing is lost. What just happened (`Outcome`) and
what is remembered (`journal.Answer`) are two things. Stages that make and add overlap, as far as the writes do not need each other
(`needs`); what takes away begins when they are through. Teams of groups that are too young come last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rollbook.apply import journal as memory
from rollbook.apply.flow import Run
from rollbook.apply.ports import Lookup, Progress, Writer, silent
from rollbook.apply.recover import recover
from rollbook.clock import Clock
from rollbook.plan.changes import ChangeVerdict, Kind

STAGES: dict[str, tuple[Kind, ...]] = {
    "restored accounts": (Kind.RESTORE_USER,),
    "accounts": (Kind.CREATE_USER,),
    "account changes": (Kind.UPDATE_USER, Kind.ENABLE_USER, Kind.DISABLE_USER, Kind.RENAME_USER),
    "passwords": (Kind.SET_PASSWORD,),
    "licences": (Kind.LICENSE_USER, Kind.UNLICENSE_USER),
    "security groups": (Kind.CREATE_GROUP,),
    "group licences": (Kind.LICENSE_GROUP,),
    "licences by group": (Kind.JOIN_LICENCE_GROUP, Kind.LEAVE_LICENCE_GROUP),
    "groups": (Kind.CREATE_CLASS, Kind.CREATE_UNIFIED),
    "group changes": (Kind.UPDATE_CLASS, Kind.UPDATE_GROUP),
    "teams back from the archive": (Kind.UNARCHIVE_TEAM,),
    "memberships": (Kind.ADD_OWNER, Kind.ADD_MEMBER),
    "members who come back": (Kind.RETURN_STRANGER,),
    "teams": (Kind.CREATE_TEAM,),
    "removals": (Kind.REMOVE_OWNER, Kind.REMOVE_MEMBER, Kind.REMOVE_STRANGER),
    "owners who stay members": (Kind.DEMOTE_OWNER,),
    "archived teams": (Kind.ARCHIVE_TEAM,),
}
"""The stages, in order, under the names that progress shows."""

TAKING_AWAY = ("removals", "owners who stay members", "archived teams")
"""Stages that begin only once everything before them is through: a new owner before the old one leaves."""

LINKING = (Kind.LINK_USER, Kind.LINK_GROUP)

PATIENCE = 60.0
"""Seconds for which making and adding is waited for, before what takes away goes on; only new teams have to wait for longer."""

TEAMS = {"teams": STAGES["teams"]}


def unchecked(kinds: Sequence[Kind]) -> None:
    """What comes before changes where the plan was made just now: nothing has to be looked at again."""


def apply_changes(
    journal: memory.Journal,
    writer: Writer,
    lookup: Lookup,
    clock: Clock,
    mark_property: str,
    progress: Progress = silent,
    before: Callable[[Sequence[Kind]], object] = unchecked,
) -> None:
    """Give every open change of the run a final verdict. `before` is called with the kinds of changes that are about to begin.

    Raises `Stop` when no further request can succeed; everything answered until then is remembered and the run can be
    taken up again.
    """
    recover(journal, lookup)
    linking = journal.open_changes(LINKING)
    if linking.height:
        journal.close(linking["seq"].to_list(), ChangeVerdict.DONE)
    run = Run(journal, writer, lookup, clock, mark_property, progress)
    making = {stage: kinds for stage, kinds in STAGES.items() if stage not in TAKING_AWAY}
    before([kind for kinds in making.values() for kind in kinds])
    run.carry_out(making, PATIENCE)
    for stage in TAKING_AWAY:
        before(STAGES[stage])
        run.carry_out({stage: STAGES[stage]})
    run.carry_out(TEAMS)
    run.operations.settle()
