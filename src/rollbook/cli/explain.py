"""`rollbook explain`: why an account or a team is as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollbook.cli import context
from rollbook.cli.console import Json, out, print_json
from rollbook.cli.context import AsOf, InstituteName

if TYPE_CHECKING:
    from rollbook.acts.explain import Explanation
    from rollbook.store.provenance import Event


def explain(
    who: Annotated[
        str,
        typer.Argument(
            metavar="PERSON|TEAM",
            help="A person by sourced id or SIS number; a team by id, code or name, as `rollbook rollover` names it.",
            show_default=False,
        ),
    ],
    everything: Annotated[bool, typer.Option("--all", help="All that the newest 50 runs did about it.")] = False,
    institute: InstituteName = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Explain an account or a team: the rule, the row of the register, the runs, Microsoft's answers. Changes nothing."""
    school, author = context.opened(institute)
    from rollbook.acts.explain import EVENTS
    from rollbook.acts.explain import explain as explained_by
    from rollbook.store.setup import explained

    with explained():
        day = context.day(as_of, school, author.clock)
        found = explained_by(school, who, day, None if everything or as_json else EVENTS)
    if as_json:
        print_json(_document(found))
    else:
        _print(found)


def _document(found: Explanation) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "name": found.name,
        "sourced_id": found.sourced_id,
        "facts": {
            heading: [{"fact": fact.text, "source": fact.source or None} for fact in facts]
            for heading, facts in found.parts.items()
        },
        "events": [_event(event) for event in found.events],
    }


def _event(event: Event) -> dict[str, Any]:
    line = event.line
    return {
        "run": event.run,
        "at": event.at,
        "kind": line.kind,
        "verdict": line.verdict,
        "change": line.sentence,
        "reason": line.reason,
        "hold": line.hold or None,
        "answer": line.answer or None,
    }


def _print(found: Explanation) -> None:
    out.print(f"{found.name} ({found.sourced_id})", style="bold", markup=False)
    for heading, facts in found.parts.items():
        out.print(f"{heading}:", style="bold", markup=False)
        for fact in facts:
            out.print(f"  {fact.text}{f'  [{fact.source}]' if fact.source else ''}", markup=False)
    out.print("What runs did, the newest first:" if found.events else "No run ever concerned it.", style="bold")
    for event in found.events:
        line = event.line
        held = f"; {line.hold}" if line.hold else ""
        said = f"{held}; Microsoft: {line.answer}" if line.answer else held
        out.print(
            f"  run {event.run}, {event.at:%Y-%m-%d %H:%M}, {line.verdict}: {line.sentence}: {line.reason}{said}",
            markup=False,
        )
    if found.more_events:
        out.print(f"  ... and {found.more_events:,} more; all of them with --all or --json", style="dim")
