"""`rollbook link`: which person or class stands for which object at Microsoft - looked at, set, undone, in bulk, rebuilt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollbook.cli import context
from rollbook.cli.console import Json, err, out, print_json
from rollbook.cli.context import Corporate, InstituteName, OfClass, Person
from rollbook.words import by_count, counted

if TYPE_CHECKING:
    from rollbook.acts.links import Shown
    from rollbook.store.models import LinkHistory

app = typer.Typer(
    help="Links between people or classes and what they are at Microsoft.", no_args_is_help=True, rich_markup_mode=None
)

SHOWN = 40
LEFT_SHOWN = 20

Because = Annotated[str, typer.Option("--because", help="Why; kept in the history.")]
TakeOver = Annotated[
    bool,
    typer.Option("--take-over", help="Also what carries a mark nobody here knows; it counts as ours from then on."),
]


@app.callback()
def link() -> None:
    """Links between people or classes and what they are at Microsoft. Nothing here writes to Microsoft."""


def kind_of(*, of_class: bool) -> str:
    """The kind of link that is meant."""
    from rollbook.store.models import Link

    return Link.Kind.TEAM.value if of_class else Link.Kind.USER.value


@app.command("list")
def list_(
    of_class: OfClass = False,
    everything: Annotated[bool, typer.Option("--all", help="Show all links.")] = False,
    institute: InstituteName = None,
    corporate: Corporate = False,
    as_json: Json = False,
) -> None:
    """List the links that hold an object."""
    school, _ = context.opened(institute)
    from rollbook.acts.links import LISTED, listed

    rows = listed(school, kind_of(of_class=of_class), context.purpose(corporate=corporate))
    if as_json:
        print_json(rows.select(LISTED).to_dicts())
        return
    for row in (rows if everything else rows.head(SHOWN)).iter_rows(named=True):
        name = row["name"] or ""
        number = row["number"] or ""
        out.print(
            f"{row['sourced_id'] or '?':<20} {number:<12} {row['object_id']}  {name} ({row['origin']})", markup=False
        )
    if not everything and rows.height > SHOWN:
        out.print(f"... and {rows.height - SHOWN:,} more; all of them with --all or --json", style="dim")
    out.print(f"{counted(rows.height, 'link')}", style="bold")


@app.command()
def show(
    person: Person,
    of_class: OfClass = False,
    institute: InstituteName = None,
    corporate: Corporate = False,
    as_json: Json = False,
) -> None:
    """Show somebody's link: the account, what was decided, and the history."""
    school, _ = context.opened(institute)
    from rollbook.acts.links import find_subject, shown

    who = find_subject(school, person, kind_of(of_class=of_class))
    found = shown(school, who, context.purpose(corporate=corporate))
    document = _document(who.sourced_id, found)
    if as_json:
        print_json(document)
        return
    out.print(f"{who.sourced_id}: {document['object_id'] or 'not linked'}", style="bold", markup=False)
    if found.account:
        state = "active" if found.account.account_enabled else "disabled"
        out.print(
            f"  {found.account.user_principal_name}, {state}, seen {found.account.seen_at:%Y-%m-%d %H:%M}", markup=False
        )
    for decision in found.decisions:
        until = f" until {decision.ended_at:%Y-%m-%d %H:%M}" if decision.ended_at else ""
        told = f"decided by {decision.actor}: {decision.kind} {decision.object_id} {decision.reason}".rstrip()
        out.print(f"  {decision.at:%Y-%m-%d %H:%M} {told}{until}", markup=False)
    for entry in found.history:
        out.print(f"  {entry.at:%Y-%m-%d %H:%M} {_told(entry)}", markup=False)


def _document(sourced_id: str, found: Shown) -> dict[str, Any]:
    account, held = found.account, found.link
    return {
        "sourced_id": sourced_id,
        "object_id": held.object_id if held else None,
        "origin": held.origin if held else None,
        "user_name": account.user_principal_name if account else None,
        "mail": account.mail if account else None,
        "account_enabled": account.account_enabled if account else None,
        "decisions": [
            {
                "decision": d.kind,
                "object_id": d.object_id or None,
                "by": d.actor,
                "at": d.at,
                "until": d.ended_at,
                "because": d.reason,
            }
            for d in found.decisions
        ],
        "history": [
            {"at": h.at, "before": h.before, "object_id": h.object_id, "by": h.actor, "run": h.run, "because": h.reason}
            for h in found.history
        ],
    }


def _told(entry: LinkHistory) -> str:
    who = f"by {entry.actor}" if entry.run is None else f"by run of {entry.actor}"
    because = f" ({entry.reason})" if entry.reason else ""
    return f"{entry.before or 'nothing'} -> {entry.object_id or 'nothing'} {who}{because}"


@app.command("set")
def set_(
    person: Person,
    account: Annotated[
        str, typer.Argument(help="Object id, or user name (a class group's nickname).", show_default=False)
    ],
    because: Because = "",
    take_over: TakeOver = False,
    of_class: OfClass = False,
    institute: InstituteName = None,
    corporate: Corporate = False,
) -> None:
    """Link a person to an account (or a class to a class group). Writes nothing at Microsoft."""
    with context.open_desk(institute, corporate=corporate) as desk:
        from rollbook.acts.links import find_subject, set_link

        who = find_subject(desk.institute, person, kind_of(of_class=of_class))
        done = set_link(desk, who, account, because, take_over=take_over)
    if not done.changed:
        out.print(f"{who.sourced_id} is linked to {done.name} already.", markup=False)
        return
    before = f" (before: {done.before})" if done.before else ""
    out.print(f"{who.sourced_id} is linked to {done.name} ({done.object_id}){before}.", markup=False)
    for note in done.notes:
        out.print(f"Note: {note}.", markup=False)


@app.command()
def unlink(
    person: Person,
    because: Because = "",
    of_class: OfClass = False,
    institute: InstituteName = None,
    corporate: Corporate = False,
) -> None:
    """Undo a link. Nothing is deleted; until somebody decides, the pair is not linked again and no second account is made."""
    with context.open_desk(institute, corporate=corporate) as desk:
        from rollbook.acts.links import find_subject, undo_link

        who = find_subject(desk.institute, person, kind_of(of_class=of_class))
        object_id = undo_link(desk, who, because)
    out.print(f"{who.sourced_id} is no longer linked to {object_id}. Decide with: rollbook match decide", markup=False)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="The file to write; - for standard output.", show_default=False)],
    institute: InstituteName = None,
    corporate: Corporate = False,
) -> None:
    """Write all links as CSV; `link import` reads it back."""
    school, author = context.opened(institute)
    from rollbook.acts.linkfiles import exported
    from rollbook.acts.spreadsheet import STANDARD_OUTPUT, write_file

    text, rows = exported(school, author, context.purpose(corporate=corporate))
    if file == STANDARD_OUTPUT:
        typer.echo(text, nl=False)
        return
    write_file(file, text)
    err.print(f"{counted(rows, 'link is', 'links are')} written to {file}.", markup=False)


@app.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV: sourced_id or number, object_id or user_name; - for standard input.", show_default=False
        ),
    ],
    because: Because = "",
    take_over: TakeOver = False,
    institute: InstituteName = None,
    corporate: Corporate = False,
) -> None:
    """Set every link a file names, or none: all its mistakes are told together, with their lines."""
    with context.open_desk(institute, corporate=corporate) as desk:
        from rollbook.acts.linkfiles import import_file
        from rollbook.acts.spreadsheet import STANDARD_INPUT

        called = "standard input" if file == STANDARD_INPUT else file.name
        count = import_file(desk, file, because or f"imported from {called}", take_over=take_over)
    out.print(f"{counted(count, 'link')} changed.")


@app.command()
def rebuild(institute: InstituteName = None, corporate: Corporate = False, as_json: Json = False) -> None:
    """Remake links from the marks that objects carry in the tenant, after a lost database."""
    with context.open_desk(institute, corporate=corporate) as desk:
        from rollbook.acts.rebuild import rebuild as remake

        done = remake(desk)
    if as_json:
        left = [{"kind": kind, "name": name, "why": why} for kind, name, why in done.left]
        print_json({"made": done.made, "known": done.known, "left": left})
        return
    out.print(
        f"{counted(done.made, 'link is', 'links are')} remade, {done.known:,} {by_count(done.known, 'was', 'were')} there already, "
        f"{counted(len(done.left), 'object is', 'objects are')} left alone."
    )
    for kind, name, why in done.left[:LEFT_SHOWN]:
        out.print(f"  {kind} {name}: {why}", markup=False)
    if len(done.left) > LEFT_SHOWN:
        out.print(f"  ... and {len(done.left) - LEFT_SHOWN:,} more; all of them with --json", style="dim")
