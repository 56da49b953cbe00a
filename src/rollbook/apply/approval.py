"""Approval is a type: who agreed to exactly which content. There are no switches such as dry_run or force below the CLI."""

from __future__ import annotations

from dataclasses import dataclass

from rollbook.errors import ApprovalDue
from rollbook.plan.changes import Plan


@dataclass(frozen=True, slots=True)
class Approval:
    """`actor` agreed to the plan whose fingerprint this is; `unattended` where no person had to."""

    fingerprint: str
    actor: str
    unattended: bool = False


def needs_person(plan: Plan) -> list[str]:
    """Why a person has to agree to this plan; empty if nobody has to. An empty plan needs nobody."""
    if plan.counts["changes"] == 0:
        return []
    reasons = ["first-run"] if plan.first_run else []
    return reasons + [objection.code for objection in plan.objections]


def approve(plan: Plan, given: Approval | None) -> Approval:
    """The approval under which the plan is applied. Raises ApprovalDue if it needs a person and `given` is not for it."""
    if given is not None and given.fingerprint == plan.fingerprint:
        return given
    due = needs_person(plan)
    if not due and given is None:
        return Approval(plan.fingerprint, actor="guards", unattended=True)
    if given is not None:
        raise ApprovalDue(
            f"The approval is for plan {given.fingerprint}, but the plan is now {plan.fingerprint}.",
            plan.fingerprint,
            remedy="Look at the plan again and approve the new fingerprint.",
        )
    why = "the first run of a profile always waits for a person" if "first-run" in due else "limits were exceeded"
    raise ApprovalDue(
        f"Plan {plan.fingerprint} waits for approval: {why}.",
        plan.fingerprint,
        remedy=f"Read it with `rollbook plan`, then run `rollbook sync --approve {plan.fingerprint}`.",
    )
