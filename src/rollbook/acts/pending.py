"""What of a run waits for somebody to agree: how much, why, who may, and the commands that do it."""

from __future__ import annotations

from dataclasses import dataclass

from rollbook.apply.approval import FIRST_RUN, NEEDED, Role
from rollbook.plan.changes import ChangeVerdict, Objection
from rollbook.plan.guards import READINGS
from rollbook.plan.sentences import HOLDS
from rollbook.store import approvals, runs
from rollbook.store.models import Change, Run


@dataclass(frozen=True, slots=True)
class Pending:
    """Changes of a run that wait for approval: how many in all and for which reason (code of what holds them), and whose it is."""

    run: Run
    count: int
    codes: dict[str, int]
    role: Role
    verdict: str  # the word for the verdict these changes have by now

    @property
    def whom(self) -> str:
        """Who may agree to all of it, such as "an operator"."""
        return f"an {self.role.label}"

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why they wait, in words, and how many for each reason; a change may be held by several."""
        return [(HOLDS[code], count) for code, count in self.codes.items() if code in HOLDS]

    @property
    def doubted(self) -> int:
        """How many follow from a reading of the tenant that is doubted: these need more than that somebody agrees to the plan."""
        return sum(count for code, count in self.codes.items() if code in READINGS)

    @property
    def agreeing(self) -> list[str]:
        """The commands by which somebody agrees: to all of it, then to what one guard holds."""
        number = self.run.number
        if self.run.purpose != Run.Purpose.SYNCHRONIZATION:
            return [f"rollbook apply {number}"]
        guards = [code for code in self.codes if code not in READINGS | {NEEDED, FIRST_RUN}]
        every = [f"rollbook approve {number} --all"] if guards or FIRST_RUN in self.codes else []
        parts = [f"rollbook approve {number} --kind {code}" for code in guards] if len(self.codes) > 1 else []
        reading = [f"rollbook approve {number} --accept-reading"] if self.doubted else []
        return every + parts + reading


def pending(run: Run) -> Pending | None:
    """What of a run waits for somebody to agree; None where nothing does, or a newer plan superseded it."""
    if run.state not in runs.WAITING_STATES:
        return None
    count, codes, verdict = approvals.unapproved(run), approvals.counted_by_code(run), ChangeVerdict.UNAPPROVED
    whole = run.first_run or run.purpose != Run.Purpose.SYNCHRONIZATION
    if not count and whole and run.state == Run.State.APPROVAL_DUE:
        # All of it waits, and so none of it was given a verdict of its own yet.
        verdict = ChangeVerdict.PLANNED
        count = Change.objects.filter(run=run, verdict=int(verdict)).count()
        codes = {FIRST_RUN: count, **codes} if run.first_run else codes
    if not count:
        return None
    if not codes:
        codes = {FIRST_RUN if run.first_run else NEEDED: count}
    objections = [Objection(**entry) for entry in run.objections]
    beyond = any(each.administrator and (run.first_run or each.code in codes) for each in objections)
    return Pending(run, count, codes, Role.INSTITUTE_ADMIN if beyond else Role.OPERATOR, verdict.name.lower())
