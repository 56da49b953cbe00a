"""Agreeing to a plan that waits, or refusing it: whole, by what holds it, by kind, or one by one. Nothing is written at Microsoft.

What is agreed to is remembered with the run; applying it is another act. What is refused is not asked again until its cause changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
from django.db import transaction

from rollbook.acts.links import find_subject
from rollbook.acts.profiles import Author
from rollbook.apply.approval import Approval, Cleared, cleared, doubted, permit, waivable
from rollbook.errors import InputRefused
from rollbook.plan.changes import ChangeVerdict, Kind, Plan
from rollbook.plan.declines import keyed, with_declined
from rollbook.plan.guards import READINGS
from rollbook.plan.sentences import HOLDS
from rollbook.store import approvals, runs
from rollbook.store.models import Institute, Link, Run

KINDS = {kind.name.lower(): kind for kind in Kind}
OPEN = (ChangeVerdict.PLANNED, ChangeVerdict.UNAPPROVED)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which changes of a plan are meant: `everything`; those a guard holds, or of a kind (`kinds`, by either's name); single ones by
    seq; everything about people and classes, as the school's records call them. `reading`: the tenant really is as it was read.
    """

    everything: bool = False
    kinds: tuple[str, ...] = ()
    items: tuple[int, ...] = ()
    people: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    reading: bool = False

    @property
    def nothing(self) -> bool:
        """Whether nothing is meant."""
        return not (self.everything or self.kinds or self.items or self.people or self.teams or self.reading)


@dataclass(frozen=True, slots=True)
class Decided:
    """A run after a decision: how many of its changes may be applied now, wait for somebody to agree, and were refused.

    Of those that wait, `doubted` do because of a doubted reading of the tenant.
    """

    run: Run
    going: int
    waiting: int
    declined: int
    doubted: int = 0


def waiting_run(institute: Institute, number: int | None) -> Run:
    """The run of this number, or the newest, whose plan waits. InputRefused if there is none: what is being applied is decided."""
    found = Run.objects.filter(institute=institute, state__in=runs.WAITING_STATES).order_by("-number")
    run = found.first() if number is None else found.filter(number=number).first()
    if run is None:
        raise InputRefused(
            "No plan waits." if number is None else _why_not(institute, number),
            remedy="`rollbook plan` makes a new plan; `rollbook show` tells what became of the last.",
        )
    return run


def _why_not(institute: Institute, number: int) -> str:
    run = Run.objects.filter(institute=institute, number=number).first()
    if run is None:
        return f"There is no run {number}."
    newer = run.looked.get("superseded_by")
    if newer is not None:
        return f"Run {number} does not wait for anybody: it is superseded by run {newer}, whose plan counts instead."
    return f"Run {number} does not wait for anybody: it is {run.get_state_display().lower()}."


def agree(run: Run, choice: Choice, author: Author) -> Decided:
    """What was chosen may be applied, with all it needs. Raises ApprovalDue if the author's role does not reach so far.

    What was refused before is agreed to after all, if it is chosen one by one.
    """
    plan = runs.load_plan(run)
    codes, kinds = _kinds(choice)
    items = _items(run, plan, choice)
    if choice.reading:
        codes |= {each.code for each in plan.objections} & READINGS
    if choice.everything:
        codes |= waivable(plan)
    given = Approval(
        run.fingerprint,
        author.actor.name,
        role=author.actor.role,
        waived=frozenset(codes),
        kinds=frozenset(kinds),
        items=frozenset(items),
    )
    permit(plan, given)
    with transaction.atomic():
        _take_back(run, plan, items, author)
        approvals.save(run, given, author.clock.now())
        decided = _settled(run)
        _note(run, "run.approved", given, decided, author)
    return decided


def refuse(run: Run, choice: Choice, reason: str, author: Author) -> Decided:
    """What was chosen is not applied, nor what needs it, and is not asked again until its cause changes."""
    plan = runs.load_plan(run)
    codes, kinds = _kinds(choice)
    items = set(_items(run, plan, choice))
    open_ones = plan.changes.filter(pl.col("verdict").is_in([int(verdict) for verdict in OPEN]))
    items |= set(open_ones.filter(pl.col("kind").is_in(sorted(kinds)) | pl.lit(choice.everything))["seq"])
    items |= set(plan.held.filter(pl.col("code").is_in(sorted(codes)))["seq"])
    chosen = open_ones.filter(pl.col("seq").is_in(sorted(items)))
    if chosen.is_empty():
        raise InputRefused("None of the plan's open changes is meant.", remedy="`rollbook show --all` lists them.")
    refused = frozenset(chosen["seq"])
    given = Approval(run.fingerprint, author.actor.name, role=author.actor.role, waived=frozenset(), refused=refused)
    permit(plan, given)
    now = author.clock.now()
    with transaction.atomic():
        approvals.save(run, given, now)
        approvals.refuse(run, keyed(chosen, plan.details), given, reason, now)
        decided = _settled(run)
        _note(run, "run.refused", given, decided, author)
    return decided


def may_go(run: Run) -> Cleared:
    """What of a run may be applied now, what waits, what was refused."""
    return cleared(runs.load_plan(run), approvals.of_run(run))


def _settled(run: Run) -> Decided:
    may = may_go(run)
    approvals.settle(run, may)
    return Decided(run, may.going.len(), may.waiting["seq"].n_unique(), may.declined.len(), doubted(may.waiting))


def _kinds(choice: Choice) -> tuple[set[str], set[int]]:
    """The codes of guards and the kinds of change that are named. InputRefused for a word that is neither."""
    codes, kinds = set(), set()
    for word in choice.kinds:
        if word in HOLDS and word not in READINGS:
            codes.add(word)
        elif word.replace(" ", "_") in KINDS:
            kinds.add(int(KINDS[word.replace(" ", "_")]))
        else:
            listed = ", ".join([*(code for code in HOLDS if code not in READINGS), *KINDS])
            raise InputRefused(f"{word!r} is neither a guard nor a kind of change.", remedy=f"Name one of: {listed}.")
    return codes, kinds


def _items(run: Run, plan: Plan, choice: Choice) -> list[int]:
    """Seqs of the changes that are named one by one, or by whom they are about. InputRefused for one there is not."""
    undone = plan.changes.filter(pl.col("verdict").is_in([*(int(v) for v in OPEN), int(ChangeVerdict.DECLINED)]))
    known = set(undone["seq"])
    missing = [item for item in choice.items if item not in known]
    if missing:
        raise InputRefused(
            f"Run {run.number} has no open change {missing[0]}.", remedy="`rollbook show --all` lists them."
        )
    links = [*_links(run, Link.Kind.USER, choice.people), *_links(run, Link.Kind.TEAM, choice.teams)]
    about = undone.filter(pl.col("subject").is_in(links) | pl.col("object").is_in(links))["seq"]
    if links and about.is_empty():
        raise InputRefused("The plan has no open change about them.", remedy="`rollbook show --all` lists all changes.")
    return sorted({*choice.items, *about})


def _links(run: Run, kind: str, named: tuple[str, ...]) -> list[int]:
    subjects = [find_subject(run.institute, text, kind) for text in named]
    known = Link.objects.filter(tenant=run.tenant_id, kind=kind)
    return [link.pk for subject in subjects for link in known.filter(subject=subject.key, period=subject.period)]


def _take_back(run: Run, plan: Plan, items: list[int], author: Author) -> None:
    """Changes that were refused and are agreed to after all are open again, with what they were refused for them."""
    declined = plan.changes.filter(pl.col("verdict") == int(ChangeVerdict.DECLINED), pl.col("seq").is_in(items))
    if declined.is_empty():
        return
    approvals.end_refusals(run, keyed(declined, plan.details), author.clock.now())
    asked = (
        pl.when(pl.col("verdict") == int(ChangeVerdict.DECLINED)).then(int(ChangeVerdict.PLANNED)).otherwise("verdict")
    )
    afresh = plan.changes.with_columns(asked.cast(pl.UInt8).alias("verdict"))
    still = with_declined(afresh, plan.details, approvals.declined(run.tenant, run.institute))
    approvals.reopen(run, set(declined["seq"]), still.filter(pl.col("verdict") == int(ChangeVerdict.DECLINED))["seq"])


def _note(run: Run, action: str, given: Approval, decided: Decided, author: Author) -> None:
    content: dict[str, Any] = {
        "run": run.number,
        "fingerprint": run.fingerprint,
        "role": given.role.label,
        "waived": sorted(given.waived),
        "kinds": [Kind(kind).name.lower() for kind in sorted(given.kinds)],
        "items": len(given.items | given.refused),
        "going": decided.going,
        "waiting": decided.waiting,
        "declined": decided.declined,
    }
    author.note(run.institute, action, content)
