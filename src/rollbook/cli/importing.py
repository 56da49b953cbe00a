"""`rollbook import`: take a delivery into the register, all at once or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rollbook.cli.console import Json, Quiet, out, print_json, stages
from rollbook.errors import Exit
from rollbook.words import counted


def import_(
    path: Annotated[Path, typer.Argument(help="A OneRoster 1.1 folder or zip.", show_default=False)],
    institute: Annotated[str | None, typer.Option(help="Which topmost org to read, if there are several.")] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Publish although people shrank by over 10 %.")] = False,
    regroup: Annotated[
        bool, typer.Option("--regroup", help="Derive the groups of all classes anew; some get other teams.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Import a roster. Exit status: 0 published, 1 published with rejected rows, 3 refused or waiting to be accepted."""
    from rollbook.store.setup import explained, open_store

    open_store()  # the modules below need it
    from rollbook.acts.deliveries import import_delivery
    from rollbook.acts.show import Show
    from rollbook.cli.check import tell
    from rollbook.cli.context import actor
    from rollbook.clock import SystemClock
    from rollbook.sources import COMPARED, summed

    with explained(), stages(quiet=quiet or as_json) as shown:
        imported = import_delivery(
            path,
            actor(),
            SystemClock(),
            institute=institute,
            accepted=accept,
            regroup=regroup,
            show=Show(shown.tell, shown),
        )
    compared = [finding for finding in imported.reading.findings if finding.code in COMPARED]
    delivery = imported.delivery
    document = {
        "institute": imported.institute.sourced_id,
        "delivery": delivery.number,
        "state": delivery.state,
        "verdict": delivery.verdict,
        "rows": delivery.rows,
        "changed": delivery.changed,
        "findings": [finding.as_json() for finding in compared],
    }
    if as_json:
        print_json(document)
    else:
        changed = sum(delivery.changed.values())
        out.print(
            f"{imported.institute.name}: delivery {delivery.number} is {delivery.state}.", style="bold", markup=False
        )
        out.print(
            f"{counted(delivery.rows['people'], 'person', 'people')}, {counted(delivery.rows['classes'], 'class', 'classes')}, "
            f"{counted(delivery.rows['enrolments'], 'enrolment')}; {counted(changed, 'row')} new, different or gone."
        )
        tell(summed(compared))
        if delivery.state == "staged":
            out.print(
                "People shrank by over 10 %, so nothing was published. If that is right, import again with --accept."
            )
        if delivery.verdict == "usable-with-rejects":
            out.print(f"Some rows were rejected; see them with: rollbook check {path}")
    if delivery.state == "staged":
        raise typer.Exit(int(Exit.REFUSED))
    raise typer.Exit(int(Exit.WITH_REJECTS if delivery.verdict == "usable-with-rejects" else Exit.OK))
