"""`rollbook queue`: synchronizations that wait, are under way or have ended; and cancelling, pausing and resuming them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from rollbook.cli import context
from rollbook.cli.console import Json, out, print_json
from rollbook.cli.context import InstituteName

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollbook.store.models import Job

app = typer.Typer(help="Synchronizations that were asked for.", invoke_without_command=True)

Number = Annotated[str, typer.Argument(help="Number of the job, as `rollbook queue` lists it.", show_default=False)]


@app.callback()
def queue(
    called: typer.Context,
    ended: Annotated[bool, typer.Option("--all", help="Those that have ended, too.")] = False,
    as_json: Json = False,
) -> None:
    """List what waits and what is under way, in the order it is served, and the workers there are."""
    if called.invoked_subcommand is not None:
        return
    from rollbook.store.setup import open_store

    open_store()  # the modules below need it
    from rollbook.acts.jobs import workers
    from rollbook.cli.processes import CLOCK
    from rollbook.store import jobs

    found, alive = jobs.listed(ended=ended), workers(CLOCK)
    if as_json:
        print_json(
            {
                "workers": [{"name": each.name, "slots": each.slots} for each in alive],
                "jobs": [as_document(job) for job in found],
            }
        )
        return
    if not alive:
        out.print("No worker is running: nothing begins by itself. Start `rollbook serve` or `rollbook worker`.")
    if not found:
        out.print(
            "Nothing waits, and nothing is under way."
            + ("" if ended else " `rollbook queue --all` lists what has ended.")
        )
        return
    table = Table("Job", "School", "What", "Because of", "State", "Since", "Run", "Now", box=None, pad_edge=False)
    for job in found:
        table.add_row(
            str(job.pk),
            job.institute.name,
            job.get_kind_display().lower(),
            f"{job.get_cause_display()}" if job.cause != job.Cause.HAND else job.actor,
            job.get_state_display().lower(),
            f"{job.since:%Y-%m-%d %H:%M:%S}",
            str(job.run.number) if job.run else "",
            now_of(job),
        )
    out.print(table)


def now_of(job: Job) -> str:
    """What a job does, or waits for, in a few words."""
    from rollbook.store import jobs

    if job.state in jobs.UNDER_WAY and job.progress:
        told = job.progress
        return f"{told['stage']} {told['done']:,}/{told['total']:,}" if "total" in told else str(told["stage"])
    when = f"again at {job.wake_at:%H:%M:%S} UTC" if job.wake_at else ""
    why = (job.notice or {}).get("message", "")
    return f"{why} {when}".strip()


def as_document(job: Job) -> dict[str, Any]:
    """A job as `--json` prints it."""
    return {
        "job": job.pk,
        "id": str(job.public_id),
        "institute": job.institute.sourced_id,
        "kind": job.kind,
        "people": len(job.people),
        "cause": job.cause,
        "actor": job.actor,
        "state": job.state,
        "since": job.since.isoformat(),
        "wake_at": job.wake_at.isoformat() if job.wake_at else None,
        "run": job.run.number if job.run else None,
        "progress": job.progress,
        "notice": job.notice,
    }


def _changed(institute: str | None, name: str, act: str) -> None:
    school, author = context.author(institute)
    from rollbook.acts import jobs

    acts: dict[str, Callable[..., Job]] = {"cancel": jobs.cancel, "pause": jobs.pause, "resume": jobs.resume}
    job = acts[act](jobs.find(school, name), author.actor, author.clock)
    coming = job.wish and job.state not in ("cancelled", "paused")
    out.print(
        f"Job {job.pk}: {'it will ' + act + ' at its next batch' if coming else job.get_state_display().lower()}."
    )


@app.command()
def cancel(job: Number, institute: InstituteName = None) -> None:
    """Take a job out of the queue; one that is under way stops at its next batch, and what is left of it is found by the next look."""
    _changed(institute, job, "cancel")


@app.command()
def pause(job: Number, institute: InstituteName = None) -> None:
    """Pause a job at its next batch; nothing but chosen people is synchronized in its tenant until it is resumed."""
    _changed(institute, job, "pause")


@app.command()
def resume(job: Number, institute: InstituteName = None) -> None:
    """Let a job go on that is paused, or waits; at once, whatever it waited for."""
    _changed(institute, job, "resume")
