"""`rollbook freeze` and `rollbook thaw`: stop every write to the tenant at once, and let them go on."""

from __future__ import annotations

from typing import Annotated

import typer

from rollbook.cli import context
from rollbook.cli.console import Json, out, print_json
from rollbook.cli.context import InstituteName


def freeze(
    because: Annotated[str, typer.Option("--because", help="Why; shown wherever a run would start.")] = "",
    institute: InstituteName = None,
    as_json: Json = False,
) -> None:
    """Stop every write at once, also of a run that is going on. Nothing is lost: the run is taken up again after `rollbook thaw`."""
    school, author = context.opened(institute)
    from rollbook.acts.freeze import freeze as stop
    from rollbook.store.freezes import said_of
    from rollbook.store.setup import explained

    with explained():
        connection = stop(school, because, author)
    if as_json:
        print_json({"tenant": connection.tenant.tid, "frozen": said_of(connection)})
        return
    out.print(
        f"{connection.tenant.name} is {said_of(connection)}. Nothing is written until `rollbook thaw`.", markup=False
    )


def thaw(institute: InstituteName = None, as_json: Json = False) -> None:
    """Let writes go on again. A run that was stopped goes on with the next `rollbook sync`."""
    school, author = context.opened(institute)
    from rollbook.acts.freeze import thaw as let_go
    from rollbook.store.setup import explained

    with explained():
        connection = let_go(school, author)
    if as_json:
        print_json({"tenant": connection.tenant.tid, "frozen": ""})
        return
    out.print(f"{connection.tenant.name} may be written to again.", markup=False)
