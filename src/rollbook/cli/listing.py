"""Runs and their changes, as the command line shows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import polars as pl

from rollbook.cli.console import out
from rollbook.plan.changes import ChangeVerdict, Kind, Objection
from rollbook.plan.sentences import objection_sentence, sentence

if TYPE_CHECKING:
    from rollbook.store.models import Run


def lines(run: Run, changes: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Each change with its sentence and reason, as `--json` prints it."""
    from rollbook.store.runs import answers, labels

    named = labels(run.tenant)
    said = answers(run)
    for row in changes.iter_rows(named=True):
        told = sentence(
            row["kind"], row["cause"], _label(named, row["subject"]), _label(named, row["object"]), row["day"]
        )
        line = {
            "seq": row["seq"],
            "kind": Kind(row["kind"]).name.lower(),
            "verdict": ChangeVerdict(row["verdict"]).name.lower(),
            "sentence": told.act,
            "reason": told.reason,
        }
        if row["seq"] in said:
            line["answer"] = said[row["seq"]]
        yield line


def _label(named: dict[int, str], link: int | None) -> str:
    return "" if link is None else named.get(link) or f"#{link}"


def summary(run: Run) -> dict[str, Any]:
    """The run in numbers, as `--json` prints it."""
    from rollbook.store.runs import verdict_counts

    return {
        "run": run.number,
        "state": run.state,
        "fingerprint": run.fingerprint,
        "as_of": run.as_of.isoformat(),
        "first_run": run.first_run,
        **run.counts,
        "verdicts": {verdict.name.lower(): count for verdict, count in sorted(verdict_counts(run).items())},
        "objections": [objection_sentence(Objection(**entry)) for entry in run.objections],
        "proof": run.proof,
        "stopped": run.stopped,
    }


def show_changes(run: Run, changes: pl.DataFrame, limit: int | None) -> None:
    """The changes one below the other, the first `limit` of them."""
    for line in lines(run, changes if limit is None else changes.head(limit)):
        verdict = "" if line["verdict"] in ("planned", "waits") else f" [{line['verdict']}]"
        out.print(f"{line['seq']:>6}  {line['sentence']}: {line['reason']}{verdict}", markup=False)
        if line.get("answer"):
            out.print(f"        Microsoft: {line['answer']}", markup=False, style="dim")
    hidden = changes.height - (limit or changes.height)
    if hidden > 0:
        out.print(f"        ... and {hidden:,} more; all of them with --all or --json", style="dim")


def show_summary(run: Run) -> None:
    """The run in a few lines."""
    told = summary(run)
    out.print(
        f"Run {run.number}: {run.get_state_display().lower()}, plan {run.fingerprint}, for {run.as_of}", style="bold"
    )
    out.print(f"  {told['changes']:,} changes, {told['waiting']:,} waiting")
    for verdict, count in told["verdicts"].items():
        out.print(f"  {count:>8,} {verdict}")
    for objection in told["objections"]:
        out.print(f"  Look: {objection}", markup=False)
    if run.stopped:
        out.print(f"  Stopped: {run.stopped['message']} {run.stopped['remedy']}", markup=False)
    if run.proof:
        show_proof(run.proof)


def show_proof(proof: dict[str, int]) -> None:
    """The proof in one line."""
    verdict = "proven equal" if not proof["missing"] and not proof["extra"] else "NOT equal"
    out.print(
        f"  {verdict}: {proof['teams']:,} teams, {proof['members_expected']:,} memberships expected, "
        f"{proof['missing']:,} missing, {proof['extra']:,} extra, {proof['pending']:,} pending at Microsoft"
    )
