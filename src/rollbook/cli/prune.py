"""`rollbook prune`: forget what runs and deliveries left and nobody asks for any more."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from rollbook.cli.console import Json, out, print_json
from rollbook.words import counted

LARGE = 0.25
"""The share of a file from which it is worth to say that it is free."""


def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go, and how much.")] = False,
    rewrite: Annotated[
        bool,
        typer.Option(
            "--rewrite", help="Write an SQLite file anew, so that it becomes smaller; nobody can write meanwhile."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Forget changes, journals and proofs of old runs, replaced plans, findings of old deliveries. The trail stays whole.

    What is asked for again stays: runs that wait or are under way, the newest, and of what was done the last about each person and
    membership. How long everything is kept: docs/operations.md; environment variables ROLLBOOK_KEEP_... override it.
    """
    from rollbook.store.setup import explained, open_store

    open_store()
    from rollbook.acts.retention import prune as forget
    from rollbook.cli.context import actor
    from rollbook.clock import SystemClock
    from rollbook.store.keeping import described

    with explained():
        done = forget(actor(), SystemClock(), dry=dry_run, rewrite=rewrite)
    if as_json:
        found = {"dry_run": dry_run, **asdict(done.pruned), "free": round(done.free, 3)}
        print_json({**found, "settings": described(done.kept)})
        return
    would = "would be " if dry_run else ""
    runs = counted(done.pruned.runs_gone, "run")
    emptied = (
        f"{done.pruned.runs_emptied:,} {would}emptied to {'its' if done.pruned.runs_emptied == 1 else 'their'} numbers"
    )
    out.print(f"{runs} {would}deleted, {emptied}.")
    for what, count in sorted(done.pruned.rows.items(), key=lambda row: -row[1]):
        out.print(f"{count:>12,}  {what}")
    if not dry_run and not done.shrinks and done.free > LARGE:
        out.print(
            f"{done.free:.0%} of the database file are free for what comes; `rollbook prune --rewrite` makes it smaller, "
            "once, while nothing else runs."
        )
