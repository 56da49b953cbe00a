"""`rollbook proof`: what a run left in the tenant, group by group, and everybody who is not where the register says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from rollbook.apply.whys import STATUSES, verdict_sentence
from rollbook.cli import context
from rollbook.cli.console import Json, err, out, print_json, refuse_both
from rollbook.cli.context import InstituteName
from rollbook.errors import Exit
from rollbook.words import counted

if TYPE_CHECKING:
    from rollbook.acts.proofs import Told

SHOWN = 40


def proof(
    run: Annotated[
        int | None, typer.Argument(help="Number of the run. Default: the newest that was proven.", show_default=False)
    ] = None,
    group: Annotated[str | None, typer.Option("--group", help="Only groups whose name holds this.")] = None,
    rosters: Annotated[
        bool, typer.Option("--roster", help="Also read the teams' own rosters at Microsoft, which follow within hours.")
    ] = False,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write it as CSV; - for standard output.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show everything, not only the first.")] = False,
    institute: InstituteName = None,
    as_json: Json = False,
) -> None:
    """Prove a run: expected against actual in every team and group, each deviation with its reason. Exit status 5 if any is a fault."""
    refuse_both(csv, as_json=as_json)
    school, author = context.author(institute)
    from rollbook.acts.proofs import exported, proof_of, proven_run, with_rosters
    from rollbook.acts.spreadsheet import STANDARD_OUTPUT, write_table
    from rollbook.store.setup import explained

    with explained():
        told = proof_of(proven_run(school, run), group)
        told = with_rosters(told, author) if rosters else told
        text, rows = exported(told, author) if csv else ("", 0)
    if csv == STANDARD_OUTPUT:
        typer.echo(text, nl=False)
    elif csv is not None:
        write_table(csv, text)
        err.print(f"{counted(rows, 'row is', 'rows are')} written to {csv}.", markup=False)
    elif as_json:
        print_json(_document(told))
    else:
        _print(told, None if everything else SHOWN)
    raise typer.Exit(int(Exit.OK if told.holds else Exit.NOT_PROVEN))


def _document(told: Told) -> dict[str, Any]:
    groups = told.groups.drop("team")
    return {
        "run": told.run.number,
        "as_of": told.run.as_of,
        "proven_at": told.run.finished_at,
        "holds": told.holds,
        "expected": int(groups["expected"].sum()),
        "actual": int(groups["actual"].sum()),
        **told.numbers,
        "groups": groups.to_dicts(),
        "deviations": told.deviations.drop("team").to_dicts(),
    }


def _print(told: Told, limit: int | None) -> None:
    """A table of the groups, one line a deviation, and the verdict."""
    rows = told.groups.to_dicts()
    deviating = [row for row in rows if row["waits"] or any(row[status] for status in STATUSES)]
    shown = rows if limit is None else (deviating or rows)[:limit]
    if shown:
        out.print(_table(shown))
    if len(shown) < len(rows):
        equal = len(rows) - len(deviating)
        out.print(
            f"... {counted(len(rows), 'group')} in all, {equal:,} without any deviation; all with --all", style="dim"
        )
    for row in told.deviations.head(limit if limit is not None else told.deviations.height).to_dicts():
        who = f"{row['who']} ({row['sourced_id'] or row['object_id']})" if _id(row) else row["who"]
        out.print(f"{row['status']:<8} {row['group']}: {who}, {row['relation']}: {row['reason']}", markup=False)
    if limit is not None and told.deviations.height > limit:
        out.print(
            f"... and {told.deviations.height - limit:,} more; all of them with --all, --json or --csv", style="dim"
        )
    _verdict(told)


def _id(row: dict[str, Any]) -> bool:
    return bool(row["sourced_id"] or row["object_id"])


def _table(rows: list[dict[str, Any]]) -> Table:
    """The groups with their numbers; a kind of deviation that none of them has gets no column."""
    numbers = ["expected", "actual", *(status for status in STATUSES if any(row[status] for row in rows))]
    alike = len({row["group"] for row in rows}) < len(rows)
    table = Table(box=None, pad_edge=False)
    for name in ("group", *(["id"] if alike else []), "for"):
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right")
    table.add_column("", overflow="fold")
    for row in rows:
        named = [escape(row["group"]), *([escape(row["group_id"] or "")] if alike else []), row["purpose"]]
        numbered = [f"{row[name]:,}" if row[name] else "-" for name in numbers]
        table.add_row(*named, *numbered, escape(_state(row)))
    return table


def _state(row: dict[str, Any]) -> str:
    """What else is to be said of a group."""
    if row["waits"]:
        return str(row["waits"])
    if not row["there"]:
        return "not there"
    return "archived" if row["archived"] else ""


def _verdict(told: Told) -> None:
    groups = told.groups
    verdict = verdict_sentence(told.numbers)
    said = ", ".join(f"{groups[status].sum():,} {status}" for status in STATUSES)
    out.print(
        f"Run {told.run.number}, for {told.run.as_of}: {verdict}: {counted(groups.height, 'group')}, "
        f"{counted(int(groups['expected'].sum()), 'membership')} expected, {groups['actual'].sum():,} there; {said}",
        style="bold",
    )
