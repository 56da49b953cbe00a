"""Approval is a type: who agreed to what of exactly which content. There are no switches such as dry_run or force below the CLI.

What no guard holds goes ahead by itself, as far as it needs nothing that waits. What a guard holds goes once somebody who may do so
agreed: to everything, to what one guard holds, to kinds of change, or to single ones with what they need.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum

import polars as pl

from rollbook.errors import ApprovalDue, InputRefused
from rollbook.plan.changes import HELD, ChangeVerdict, Plan, nothing_held
from rollbook.plan.closure import Needs, needs_of, together_with, without
from rollbook.plan.declines import decline
from rollbook.plan.guards import READINGS
from rollbook.plan.sentences import objection_sentence
from rollbook.words import article, counted

FIRST_RUN = "first-run"
NEEDED = "needed"
"""The codes under which a change waits that no guard holds: all of a first run; what needs a change that waits."""

EVERYTHING = "*"

LOOK = (
    "Look at the tenant. If it really is so, `rollbook approve{run} --accept-reading` says it, and `rollbook apply{run}` goes on; "
    "if not, `rollbook plan` reads it again."
)
"""What to do where the reading of the tenant is doubted."""


class Role(IntEnum):
    """What somebody may do (product.md section 10), the least first."""

    VIEWER = 1
    OPERATOR = 2
    INSTITUTE_ADMIN = 3
    ORGANISATION_ADMIN = 4

    @property
    def label(self) -> str:
        """The role in plain words."""
        return self.name.lower().replace("_", " ").replace("admin", "administrator")


@dataclass(frozen=True, slots=True)
class Approval:
    """`actor`, who has this `role`, said what becomes of the plan whose fingerprint this is; `unattended` where no person had to.

    `waived` are codes of objections, EVERYTHING for all but those to the reading of the tenant; `kinds` and `items` (seqs) are changes
    agreed to whatever holds them, `refused` (seqs) those that are not to be.
    """

    fingerprint: str
    actor: str
    unattended: bool = False
    role: Role = Role.INSTITUTE_ADMIN
    waived: frozenset[str] = frozenset({EVERYTHING})
    kinds: frozenset[int] = frozenset()
    items: frozenset[int] = frozenset()
    refused: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Cleared:
    """What becomes of a plan's open changes: `going` (seqs) are applied, `waiting` (schema HELD) are not yet, `declined` (seqs) never."""

    going: pl.Series
    waiting: pl.DataFrame
    declined: pl.Series


def needs_person(plan: Plan) -> list[str]:
    """Why a person has to agree to this plan; empty if nobody has to. An empty plan needs nobody."""
    if plan.counts["changes"] == 0:
        return []
    reasons = [FIRST_RUN] if plan.first_run else []
    return reasons + [objection.code for objection in plan.objections]


def waivable(plan: Plan) -> frozenset[str]:
    """The codes that EVERYTHING stands for in this plan: all but the objections to the reading of the tenant."""
    return frozenset(needs_person(plan)) - READINGS


def needed_role(plan: Plan, codes: Collection[str] | None = None) -> Role:
    """The least role that may agree to the plan, or to what these objections hold."""
    beyond = [o for o in plan.objections if o.administrator and (codes is None or o.code in codes)]
    return Role.INSTITUTE_ADMIN if beyond else Role.OPERATOR


def approve(plan: Plan, given: Approval | None) -> Approval:
    """The approval under which the plan is applied. Raises ApprovalDue if it needs a person and `given` is not for it.

    InputRefused if `given` is for another plan, and this one needs nobody.
    """
    if given is not None and given.fingerprint == plan.fingerprint:
        permit(plan, given)
        return given
    if given is not None and not needs_person(plan):
        raise InputRefused(
            f"The approval is for plan {given.fingerprint}; the plan is now {plan.fingerprint}, and nothing of it waits for approval.",
            remedy="Run the command again without the approval.",
        )
    if given is not None:
        raise ApprovalDue(
            f"The approval is for plan {given.fingerprint}, but the plan is now {plan.fingerprint}.",
            plan.fingerprint,
            remedy="Look at the plan again and approve the new fingerprint.",
        )
    if not needs_person(plan):
        return Approval(plan.fingerprint, actor="guards", unattended=True)
    raise due(plan)


def doubted(waiting: pl.DataFrame) -> int:
    """How many changes that wait (schema HELD) do so because of a doubted reading: no approval of the plan releases them."""
    return waiting.filter(pl.col("code").is_in(sorted(READINGS)))["seq"].n_unique()


def due(plan: Plan, waiting: pl.DataFrame | None = None, number: int | None = None) -> ApprovalDue:
    """The error that says that the plan waits, why, and for whom, by the number of its run where it is stored as one.

    `waiting` (schema HELD) is what of it still does, if not all.
    """
    called = f"Plan {plan.fingerprint}" if number is None else f"Run {number} (plan {plan.fingerprint})"
    run = "" if number is None else f" {number}"
    if waiting is not None and waiting.height and set(waiting["code"]) <= READINGS | {NEEDED}:
        return ApprovalDue(
            f"{called} waits for an institute administrator to say that the tenant really is as it was read: "
            f"{doubted(waiting):,} of its changes follow from a reading that is doubted.",
            plan.fingerprint,
            remedy=LOOK.format(run=run),
        )
    first = FIRST_RUN in needs_person(plan)
    reasons = ["the first run of a profile always waits for a person"] if first else []
    reasons += [objection_sentence(objection).removesuffix(".") for objection in plan.objections]
    why = "; ".join(reasons) or "a person has to agree"
    changes = counted(plan.counts["changes"] - plan.counts.get("newly_waiting", 0), "change")
    who = f", of an {needed_role(plan).label}" if needed_role(plan) > Role.OPERATOR else ""
    return ApprovalDue(
        f"{called}, {changes}, waits for approval{who}: {why}.",
        plan.fingerprint,
        remedy=(
            f"`rollbook show{run} --all` names everybody it is about. Agree with `rollbook approve{run} --all`, or to parts of it (--kind, "
            f"--person, --team, --item), then `rollbook apply{run}`; or at once with `rollbook sync --approve {plan.fingerprint}`."
        ),
    )


def permit(plan: Plan, given: Approval) -> None:
    """Raises ApprovalDue if somebody of this role may not agree to what `given` releases."""
    needed = needed_role(plan) if EVERYTHING in given.waived else needed_role(plan, _released(plan, given))
    if given.role >= needed:
        return
    beyond = ", ".join(f"{each.code} ({each.count:,})" for each in plan.objections if each.administrator)
    said = f"Plan {plan.fingerprint} is beyond what {article(given.role.label)} may approve: {beyond}."
    raise ApprovalDue(
        said if needed > Role.OPERATOR else f"A {given.role.label} approves no plans.",
        plan.fingerprint,
        remedy=f"Ask an {needed.label} to run `rollbook approve`.",
    )


def _released(plan: Plan, given: Approval) -> frozenset[str]:
    """The codes of objections that `given` waives, or of which it lets something go."""
    released = _waived([given])
    if given.items or given.kinds:
        chosen = _chosen(plan, [given], needs_of(plan.changes))
        released = released | pl.col("seq").is_in(chosen.implode())
    return given.waived | frozenset(plan.held.filter(released)["code"])


def _waived(given: Sequence[Approval]) -> pl.Expr:
    """Whether an objection is waived. An objection to a reading is so only by its own name."""
    codes = frozenset().union(*(each.waived for each in given)) if given else frozenset()
    named = pl.col("code").is_in(sorted(codes - {EVERYTHING}))
    return named | ~pl.col("code").is_in(sorted(READINGS)) if EVERYTHING in codes else named


def _chosen(plan: Plan, given: Sequence[Approval], needs: Needs) -> pl.Series:
    """Seqs of changes that were agreed to by kind or one by one, with what they need."""
    items = sorted(frozenset().union(*(each.items for each in given)))
    kinds = sorted(frozenset().union(*(each.kinds for each in given)))
    named = plan.changes.filter(_open(), pl.col("seq").is_in(items) | pl.col("kind").is_in(kinds))["seq"]
    return together_with(needs, named) if named.len() else named


def _open() -> pl.Expr:
    return pl.col("verdict").is_in([int(ChangeVerdict.PLANNED), int(ChangeVerdict.UNAPPROVED)])


def cleared(plan: Plan, given: Sequence[Approval]) -> Cleared:
    """What may be applied now that these approvals of the plan were given, what still waits under which code, what was refused.

    Nothing goes whose need does not.
    """
    refused = pl.Series(sorted(frozenset().union(*(each.refused for each in given))), dtype=pl.Int32)
    changes = decline(plan.changes, refused)
    open_ones = changes.filter(_open()).select("seq")
    declined = changes.filter(pl.col("verdict") == int(ChangeVerdict.DECLINED))["seq"]
    still = _held(plan, open_ones).filter(~_waived(given))
    if still.is_empty() and declined.is_empty():
        return Cleared(open_ones["seq"], nothing_held(), declined)
    needs = needs_of(changes)
    spared = ~pl.col("seq").is_in(_chosen(plan, given, needs).implode()) | pl.col("code").is_in(sorted(READINGS))
    still = still.filter(spared)
    stopped = without(needs, pl.concat([still["seq"], declined]))
    waiting = open_ones.filter(pl.col("seq").is_in(stopped.implode()))
    told = waiting.join(still, on="seq", how="left").with_columns(pl.col("code").fill_null(NEEDED))
    return Cleared(
        going=open_ones.filter(~pl.col("seq").is_in(stopped.implode()))["seq"],
        waiting=told.select(HELD.keys()).sort("seq", "code"),
        declined=declined,
    )


def _held(plan: Plan, open_ones: pl.DataFrame) -> pl.DataFrame:
    """What holds the open changes (schema HELD): the guards, and of a first run that it is one."""
    held = plan.held.join(open_ones, on="seq", how="semi")
    counted = [each.code for each in plan.objections if each.code not in READINGS]
    if counted and plan.held.is_empty():
        # A plan from before it was remembered what its guards hold: they hold all of it.
        held = open_ones.with_columns(code=pl.lit(counted[0])).cast(pl.Schema(HELD))
    if not plan.first_run:
        return held
    return pl.concat([held, open_ones.with_columns(code=pl.lit(FIRST_RUN)).cast(pl.Schema(HELD))])
