"""`rollbook doctor`: what is wrong with this installation, and what to do."""

from __future__ import annotations

from dataclasses import asdict

import typer

from rollbook.cli.console import Json, out, print_json
from rollbook.errors import Exit

STYLES = {"ok": "green", "warning": "yellow", "wrong": "bold red"}


def doctor(as_json: Json = False) -> None:
    """Look at database, keys, disk, clock, tenants, permissions, credentials, queue: what is wrong and what to do. Changes nothing.

    Exit status 1 if something is wrong; warnings alone leave it 0.
    """
    from rollbook.store.setup import configure

    configure()
    from rollbook.acts.doctor import State, examined
    from rollbook.clock import SystemClock

    found = []
    for finding in examined(SystemClock()):
        found.append(finding)
        if not as_json:
            out.print(f"{finding.state:<8}", style=STYLES[finding.state], end="")
            out.print(f"{finding.what}: {finding.said}", markup=False)
            if finding.remedy:
                out.print(f"{'':<8}{finding.remedy}", markup=False, style="dim")
    wrong = any(finding.state == State.WRONG for finding in found)
    if as_json:
        print_json({"well": not wrong, "findings": [asdict(finding) for finding in found]})
    if wrong:
        raise typer.Exit(int(Exit.WITH_REJECTS))
