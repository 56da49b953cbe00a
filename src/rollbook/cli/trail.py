"""`rollbook trail`: who did what, when, from where."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from rollbook.cli import context
from rollbook.cli.console import Json, out, print_json
from rollbook.cli.context import InstituteName

SHOWN = 40


def trail(
    action: Annotated[
        str, typer.Option("--action", help="Only what begins so: run, run.approved, account, link ...")
    ] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="So many entries, the newest.")] = SHOWN,
    institute: InstituteName = None,
    as_json: Json = False,
) -> None:
    """Show who did what, when and from where, the newest first. Ids only, no names of people; changes nothing."""
    school, _ = context.opened(institute)
    from rollbook.acts.trail import entries
    from rollbook.store.setup import explained

    with explained():
        found = entries(school, action, limit + 1)
    more, found = len(found) > limit, found[:limit]
    if as_json:
        print_json([asdict(entry) for entry in found])
        return
    for entry in found:
        place = f" from {entry.place}" if entry.place else ""
        said = "; ".join(
            f"{name} {_told(value)}" for name, value in entry.content.items() if value not in (None, "", [])
        )
        out.print(
            f"{entry.at:%Y-%m-%d %H:%M:%S}  {entry.action}  {entry.actor} ({entry.actor_kind}{place})  {said}".rstrip(),
            markup=False,
        )
    if more:
        out.print(f"... and older ones; more with --limit {limit * 10}", style="dim")
    if not found:
        out.print("Nothing of that kind is in the trail.")


def _told(value: Any) -> str:
    """A value in few words: of a long list, how long it is."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) if len(value) <= 3 else f"{len(value):,} of them"
    if isinstance(value, dict) and len(value) > 3:
        return f"{len(value):,} values"
    if isinstance(value, dict):
        return f"({', '.join(f'{name} {_told(each)}' for name, each in value.items())})"
    return str(value)
