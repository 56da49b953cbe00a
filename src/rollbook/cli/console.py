"""How the command line speaks: results on standard output, progress and complaints on standard error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from rollbook.errors import InputRefused, RollbookError, TenantError

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def complain(error: RollbookError) -> None:
    """Say what happened and what to do, on standard error; and what Microsoft calls the request, where it answered."""
    err.print(Text.assemble(("rollbook: ", "bold red"), error.message))
    if error.remedy:
        err.print(Text.assemble(("What to do: ", "bold"), error.remedy))
    if isinstance(error, TenantError) and error.request_id:
        err.print(Text(f"For Microsoft's support: request id {error.request_id}", style="dim"))


def print_json(document: Any) -> None:
    """The document, alone on standard output."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))


def refuse_both(csv: Path | None, *, as_json: bool) -> None:
    """Raise InputRefused if JSON and CSV are asked for at once."""
    if csv is not None and as_json:
        raise InputRefused("--json and --csv cannot be had at once.", remedy="Say one of them.")


class _Rate(ProgressColumn):
    """Changes per second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


class Stages:
    """Progress of a synchronization: one bar a stage, with rate and time left."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bars: dict[str, Any] = {}

    def tell(self, stage: str) -> None:
        """A stage whose length is not known begins."""
        self._finish()
        self._bars[stage] = self._progress.add_task(stage, total=None)

    def note(self, sentence: str) -> None:
        """What is worth knowing, above the stages."""
        if sentence:
            self._progress.console.print(sentence, markup=False)

    def __call__(self, stage: str, done: int, total: int) -> None:
        """`done` of `total` are settled."""
        if stage not in self._bars:
            self._finish()
            self._bars[stage] = self._progress.add_task(stage, total=total)
        self._progress.update(self._bars[stage], completed=done, total=total)

    def _finish(self) -> None:
        for bar in self._bars.values():
            task = self._progress.tasks[bar]
            if task.total is None:
                self._progress.update(bar, total=1, completed=1)


@contextmanager
def stages(*, quiet: bool) -> Iterator[Stages]:
    """Progress bars on standard error while the block runs; none if `quiet`."""
    columns = (TextColumn("{task.description:<16}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=quiet) as progress:
        shown = Stages(progress)
        yield shown
        shown._finish()
