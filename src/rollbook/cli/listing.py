"""Runs and their changes, as the command line shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.table import Table

from rollbook.apply.verdicts import said
from rollbook.apply.whys import verdict_sentence
from rollbook.cli.console import out
from rollbook.plan.changes import Objection
from rollbook.plan.sentences import objection_sentence
from rollbook.words import by_count, counted

if TYPE_CHECKING:
    from rollbook.store.changes import Line, Selection
    from rollbook.store.models import Run
    from rollbook.sync import FirstLook


def as_json(line: Line) -> dict[str, Any]:
    """One change as `--json` prints it; what Microsoft answered, and why it waits for approval, only where there is something."""
    optional = ("answer", "hold", "told", "request_id")
    return {key: value for key, value in asdict(line).items() if value or key not in optional}


def summary(run: Run) -> dict[str, Any]:
    """The run in numbers, as `--json` prints it."""
    from rollbook.store.runs import verdict_counts

    return {
        "run": run.number,
        "state": run.state,
        "scope": run.scope,
        "people": len(run.looked["people"]) if "people" in run.looked else None,
        "missed": run.looked.get("missed"),
        "supersedes": run.looked.get("supersedes"),
        "superseded_by": run.looked.get("superseded_by"),
        "fingerprint": run.fingerprint,
        "as_of": run.as_of.isoformat(),
        "first_run": run.first_run,
        **run.counts,
        "verdicts": {verdict.name.lower(): count for verdict, count in sorted(verdict_counts(run).items())},
        "forecast": run.forecast,
        "objections": [objection_sentence(Objection(**entry)) for entry in run.objections],
        "proof": run.proof,
        "stopped": run.stopped,
        "pruned_at": run.pruned_at and run.pruned_at.isoformat(timespec="seconds"),
    }


def show_changes(selection: Selection, limit: int | None) -> None:
    """The changes one below the other, the first `limit` of them."""
    for line in selection.lines(limit=limit):
        verdict = "" if line.verdict in ("planned", "waits") else f" [{line.verdict}]"
        out.print(f"{line.seq:>6}  {line.sentence}: {line.reason}{verdict}", markup=False)
        if line.hold:
            out.print(f"        {line.hold}", markup=False, style="dim")
        if line.told:
            out.print(f"        {said(line.told)}", markup=False)
        if line.answer:
            known = f" [request id {line.request_id}]" if line.request_id else ""
            out.print(f"        Microsoft: {line.answer}{known}", markup=False, style="dim")
    hidden = selection.count - (selection.count if limit is None else limit)
    if hidden > 0:
        out.print(
            f"        ... and {hidden:,} more; all of them: rollbook show {selection.run.number} --all", style="dim"
        )


VERDICTS = {
    "planned": "not carried out yet",
    "sent": "accepted, and going on at Microsoft",
    "done": "carried out",
    "waits": "for the reason that is given; nothing is wrong",
    "later": "Microsoft could not now; the next run tries again",
    "never": "Microsoft refused; somebody has to act",
    "blocked": "something it needs was not done",
    "unapproved": "waits for a person's approval, or needs what does",
    "declined": "a person refused it, or what it needs",
    "drifted": "somebody changed it in the tenant meanwhile; nothing was overwritten",
}
"""What each verdict of a change means (docs/run-lifecycle.md)."""


def told_counts(counts: Mapping[str, int]) -> str:
    """What the numbers of a plan mean: what would be carried out, what waits, and how much of that is new."""
    new, waiting = counts.get("newly_waiting", 0), counts["waiting"]
    said = f"{counted(counts['changes'] - new, 'change')} planned"
    if not waiting:
        return f"{said}, nothing waits"
    since = f"{new:,} of them not in the plan before" if new else "as in the plan before"
    return f"{said}; {counted(waiting, 'waits', 'wait')} for a stated reason, {since}"


def show_kinds(run: Run) -> None:
    """A table of what the run is about: what happens to accounts, teams, hierarchies, and how often."""
    from rollbook.store.changes import summed

    rows = summed(run)
    if not rows:
        return
    table = Table(box=None, pad_edge=False)
    for name in ("", "what"):
        table.add_column(name)
    held = any(row.unapproved for row in rows)
    for name in ("to do" if run.finished_at is None else "changes", *(["for approval"] if held else []), "waits"):
        table.add_column(name, justify="right")
    shown = ""
    for row in rows:
        cells = (
            "" if row.part == shown else row.part,
            row.act,
            *(f"{n:,}" if n else "-" for n in (row.acting, *([row.unapproved] if held else []), row.waiting)),
        )
        table.add_row(*cells)
        shown = row.part
    out.print(table)


def show_summary(run: Run) -> None:
    """The run in a few lines."""
    told = summary(run)
    out.print(
        f"Run {run.number}: {run.get_state_display().lower()}, plan {run.fingerprint}, for {run.as_of}", style="bold"
    )
    out.print(f"  {told_counts(run.counts)}{ABOUT[run.scope].format(counted(told['people'] or 0, 'person', 'people'))}")
    show_succession(told)
    if run.pruned_at:
        out.print(
            f"  Since {run.pruned_at:%Y-%m-%d} these numbers are kept, and of its changes those that plans still ask for."
        )
    if told["missed"] and told["missed"]["changes"]:
        numbers = ", ".join(map(str, told["missed"]["seqs"][:SHOWN]))
        out.print(
            f"  Scoped synchronizations missed {told['missed']['changes']:,} of these changes (numbers {numbers}). "
            "That is a defect of Rollbook: please report it.",
            style="red",
        )
    for verdict, count in told["verdicts"].items():
        out.print(f"  {count:>8,} {verdict}: {VERDICTS[verdict]}")
    for entry in run.forecast:
        if entry["needed"]:
            out.print(
                f"  licence {entry['part']}: {entry['needed']:,} needed, {entry['free']:,} free, {entry['short']:,} left out"
            )
    for objection in told["objections"]:
        out.print(f"  Look: {objection}", markup=False)
    if run.stopped:
        asked = run.stopped.get("request_id")
        known = f" [request id {asked}]" if asked else ""
        out.print(f"  Stopped: {run.stopped['message']} {run.stopped['remedy']}{known}", markup=False)
    if run.proof:
        show_proof(run, run.proof)


def show_succession(told: dict[str, Any]) -> None:
    """Which run counts instead of this one (`told` as in summary), and which approvals count no longer because of it."""
    if told["superseded_by"]:
        out.print(
            f"  Superseded by run {told['superseded_by']}: that plan counts, and approvals of this one no longer do."
        )
    lost = told["supersedes"]["approvals"] if told["supersedes"] else 0
    if lost:
        which = ", ".join(map(str, told["supersedes"]["runs"]))
        out.print(
            f"  {counted(lost, 'approval')} of run {which} no longer {by_count(lost, 'counts', 'count')}: this plan differs from the one "
            "that was approved. What was refused stays refused.",
            markup=False,
        )


SHOWN = 10

ABOUT = {
    "everything": "",
    "full": "; the tenant was read anew",
    "changed": "; for {} of whom something changed, and what depends on them",
    "people": "; for {}, and what depends on them",
}
"""What a run was about, behind its numbers."""


def show_unapproved(run: Run) -> None:
    """What to do about changes of a run that wait for approval, if some do: how many, why, who may agree, and how."""
    from rollbook.acts.pending import pending

    found = pending(run)
    if found is None:
        return
    why = ", ".join(f"{reason} ({count:,})" for reason, count in found.reasons)
    said = f"  {counted(found.count, 'change waits', 'changes wait')} for approval of {found.whom}{': ' if why else '.'}{why}"
    out.print(said, markup=False)
    for command in found.agreeing:
        out.print(f"    {command}", markup=False)
    if run.purpose == run.Purpose.SYNCHRONIZATION:
        out.print(
            "    Or to parts of it: --person, --team, --item; `rollbook refuse` takes the same. "
            f"Then: rollbook apply {run.number}",
            markup=False,
        )
    if found.doubted:
        out.print(
            f"  {found.doubted:,} of them follow from a reading of the tenant that is doubted: look at the tenant before you say that it "
            "really is so (--accept-reading).",
            markup=False,
        )


def show_proof(run: Run, proof: dict[str, int]) -> None:
    """The proof of a run in one line."""
    from rollbook.store.approvals import agreeable

    verdict = verdict_sentence(proof, agreeable(run))
    groups = f" and {counted(proof['groups'], 'group')}" if proof.get("groups") else ""
    others = "".join(f", {proof[name]:,} {word}" for name, word in APART.items() if proof.get(name))
    out.print(
        f"  {verdict}: {counted(proof['teams'], 'team')}{groups}, {counted(proof['members_expected'], 'membership')} expected, "
        f"{proof['missing']:,} missing, {proof['extra']:,} extra, {proof['pending']:,} pending at Microsoft{others}"
    )


APART = {"waiting": "waiting", "leaving": "leaving once somebody agrees", "held": "held", "kept": "kept by rule"}
"""What a proof tells apart from faults, told where there is any."""


def looked(look: FirstLook) -> dict[str, Any]:
    """What a first plan found, as `--json` prints it."""
    alone = look.left_alone.select("object_id", "user_principal_name").to_dicts()
    return {"matched": look.matched, "to_create": look.to_create, "to_review": look.to_review, "left_alone": alone}


def show_look(look: FirstLook, limit: int | None) -> None:
    """What a first plan found of the accounts that are there."""
    out.print(
        f"  First run: {look.matched:,} matched, {look.to_create:,} to create, {look.to_review:,} to review "
        f"(rollbook match list), {counted(look.left_alone.height, 'account')} left alone"
    )
    for name, shown in (
        look.left_alone.select("user_principal_name", "display_name")
        .head(limit if limit is not None else look.left_alone.height)
        .iter_rows()
    ):
        out.print(f"    left alone: {name} ({shown})", markup=False, style="dim")
