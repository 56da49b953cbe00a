"""Asking a worker for a synchronization, and following it to its end, where a worker is running."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from rollbook.cli.console import out, print_json, stages
from rollbook.errors import Exit, InputRefused, TenantError

if TYPE_CHECKING:
    from rollbook.acts.jobs import Wanted
    from rollbook.cli.console import Stages
    from rollbook.clock import Clock
    from rollbook.store.models import Institute, Job, Run

EVERY = 0.3
"""Seconds between two looks at a job that is followed."""

STATES = {
    "approval_due": Exit.APPROVAL_DUE,
    "cancelled": Exit.CHANGES_FAILED,
    "paused": Exit.BUSY,
    "waiting": Exit.CHANGES_FAILED,
    "quarantined": Exit.TENANT,
}
"""What the command ends with where the job did not come to its end."""


def through_worker(school: Institute, wanted: Wanted, clock: Clock, *, as_json: bool, quiet: bool) -> None:
    """Ask for it, show how far it is, and end the command as the job ends; returns at once where no worker is running."""
    from rollbook.acts.jobs import ask, ask_to_apply, workers
    from rollbook.cli import context

    if not workers(clock):
        return
    who, run = context.actor(), wanted.run
    job = ask(school, wanted, who, clock) if run is None else ask_to_apply(run, who, clock)
    with stages(quiet=quiet or as_json) as shown:
        _follow(job, clock, shown)
    _tell(job, as_json=as_json)


def _follow(job: Job, clock: Clock, shown: Stages) -> None:
    """Returns when nothing more happens to the job by itself soon."""
    from rollbook.store import jobs

    open_states = ("queued", *jobs.UNDER_WAY)
    told: dict[str, object] = {}
    shown.tell("queued")
    while job.state in open_states:
        clock.sleep(EVERY)
        job.refresh_from_db()
        if job.progress and job.progress != told:
            told = job.progress
            if "total" in told:
                shown(str(told["stage"]), int(job.progress["done"]), int(job.progress["total"]))
            else:
                shown.tell(str(told["stage"]))


def _tell(job: Job, *, as_json: bool) -> None:
    from rollbook.cli import listing

    if job.state == "failed" or (job.notice and job.run is None):
        notice = job.notice or {}
        kind = TenantError if job.state == "quarantined" else InputRefused
        raise kind(notice.get("message", "It failed."), remedy=notice.get("remedy", ""))
    run: Run | None = job.run
    if run is not None:
        if as_json:
            print_json({**listing.summary(run), "job": job.pk, "job_state": job.state})
        else:
            listing.show_summary(run)
            listing.show_unapproved(run)
            out.print(f"Job {job.pk}: {job.get_state_display().lower()}. Details: rollbook show {run.number}")
    code = STATES.get(job.state)
    if code is None and run is not None:
        code = run_exit_code(run)
    raise typer.Exit(int(code or Exit.OK))


def run_exit_code(run: Run) -> Exit:
    """What a run that came to its end is told with."""
    from rollbook.plan.changes import ChangeVerdict
    from rollbook.store.models import Run
    from rollbook.store.runs import verdict_counts

    if run.state == Run.State.NOT_PROVEN:
        return Exit.NOT_PROVEN
    found = set(verdict_counts(run))
    good = {ChangeVerdict.DONE, ChangeVerdict.WAITS, ChangeVerdict.DECLINED, ChangeVerdict.UNAPPROVED}
    if not found <= good:
        return Exit.CHANGES_FAILED
    return Exit.APPROVAL_DUE if ChangeVerdict.UNAPPROVED in found else Exit.OK
