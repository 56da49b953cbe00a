"""`rollbook rollover`: the end of an academic period - what ends, goes on and begins; teams going on, archived, taken back."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from rollbook.cli import context
from rollbook.cli.console import Json, Quiet, err, out, print_json, refuse_both
from rollbook.cli.context import AsOf, InstituteName
from rollbook.errors import InputRefused
from rollbook.words import counted

if TYPE_CHECKING:
    from rollbook.acts.rollover import Candidate, GoingOn, Line, Seen
    from rollbook.store.models import Institute, Run

SHOWN = 40
COLUMNS = ("state", "team", "id", "reason", "from", "archived", "goes_on_from", "students_shared", "students", "before")

WHAT_ARCHIVING_MEANS = (
    "An archived team can be read and no longer written in; everybody stays in it, nothing is deleted, and "
    "`rollbook rollover unarchive` takes it back."
)


class _ShownByDefault(TyperGroup):
    """Without the name of a command, `show` is meant: `rollbook rollover "Next year"`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments, with `show` before them where they begin with no command."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_ShownByDefault, rich_markup_mode=None)

TeamName = Annotated[
    str,
    typer.Argument(help="Sourced id, code or name; with @ and the academic period where needed.", show_default=False),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.callback()
def rollover() -> None:
    """The end of an academic period: which teams end, go on and begin; teams going on in the next one, archived, taken back."""


@app.command()
def show(
    profile: Annotated[
        str | None, typer.Argument(help="By this profile. Default: the one that runs.", show_default=False)
    ] = None,
    as_of: AsOf = None,
    everything: Annotated[bool, typer.Option("--all", help="Show all, not only the first of each.")] = False,
    as_csv: Annotated[
        Path | None, typer.Option("--csv", help="Write all as CSV to this file, - for the output.")
    ] = None,
    institute: InstituteName = None,
    as_json: Json = False,
) -> None:
    """Show what ends, goes on, begins, may be one chat, and is left over (the same as `rollbook rollover`). Changes nothing."""
    refuse_both(as_csv, as_json=as_json)
    school, author = context.opened(institute)
    from rollbook.acts.rollover import Request, look
    from rollbook.acts.spreadsheet import STANDARD_OUTPUT, write_file
    from rollbook.acts.spreadsheet import as_csv as csv_of
    from rollbook.store.setup import explained

    with explained():
        seen = look(Request(school, profile, context.day(as_of, school, author.clock), author))
    if as_json:
        print_json(_document(seen))
    elif as_csv is not None:
        text, count = csv_of(_frame(seen)), len(list(_rows(seen)))
        if as_csv == STANDARD_OUTPUT:
            typer.echo(text, nl=False)
            return
        write_file(as_csv, text)
        err.print(f"{counted(count, 'row is', 'rows are')} written to {as_csv}.", markup=False)
    else:
        _print(seen, None if everything else SHOWN)


def _document(seen: Seen) -> dict[str, Any]:
    from rollbook.desired.rollover import State

    return {
        "profile": seen.profile,
        "as_of": seen.day,
        **{state.value: [_row(line) for line in seen.of(state)] for state in State},
        "candidates": [_pair(candidate) for candidate in seen.candidates],
        "left_over": [_row(line) for line in seen.left],
    }


def _row(line: Line) -> dict[str, Any]:
    return {
        "state": line.state,
        "team": line.name,
        "id": line.handle,
        "reason": line.reason or None,
        "from": line.day,
        "archived": line.archived,
        "goes_on_from": line.after or None,
    }


def _pair(candidate: Candidate) -> dict[str, Any]:
    return {
        "state": "candidate",
        "team": candidate.new,
        "id": candidate.new_handle,
        "reason": candidate.told,
        "goes_on_from": candidate.old_handle,
        "students_shared": candidate.shared,
        "students": candidate.students,
        "before": candidate.before,
    }


def _rows(seen: Seen) -> Iterator[dict[str, Any]]:
    yield from (_row(line) for line in (*seen.teams, *seen.left))
    yield from (_pair(candidate) for candidate in seen.candidates)


def _frame(seen: Seen) -> Any:
    import polars as pl

    counts = dict.fromkeys(COLUMNS[-3:], pl.Int64)
    schema = dict.fromkeys(COLUMNS, pl.String) | {"from": pl.Date, "archived": pl.Boolean} | counts
    return pl.DataFrame([{name: row.get(name) for name in COLUMNS} for row in _rows(seen)], schema=schema)


def _print(seen: Seen, limit: int | None) -> None:
    """Each part with its lines, its count and what can be done about it."""
    from rollbook.desired.rollover import State

    ends, going_on, begins = (seen.of(state) for state in State)
    if not (seen.teams or seen.left):
        out.print(
            f"No teams: none is linked, and by the profile {seen.profile} none is wanted on {seen.day}.", markup=False
        )
        return
    _part("Ends", ends, limit)
    if any(not line.archived for line in ends):
        out.print("  They are left alone: nobody is added or removed. Archive them: rollbook rollover archive --ended")
    _part("Goes on", going_on, limit)
    archived = [line for line in going_on if line.archived]
    if archived:
        out.print(
            f"  Archived, and wanted: {len(archived):,}. They are kept in step, and stay archived until somebody says:"
        )
        out.print(f"  rollbook rollover unarchive {shlex.quote(archived[0].handle)}", markup=False)
    _part("Begins", begins, limit)
    if seen.candidates:
        out.print(f"May go on as one that begins, if a person says so: {len(seen.candidates):,}", style="bold")
        for candidate in seen.candidates[:limit]:
            out.print(f"  {candidate.new} from {candidate.old}: {candidate.told}", markup=False)
            out.print(f"    {candidate.command}", markup=False, style="dim")
        _more(seen.candidates, limit)
    if seen.left:
        _part("Groups of hierarchies listed for removal", seen.left, limit)
        out.print("  Nothing is ever deleted here; delete them at Microsoft if nobody needs them.")
    out.print(f"By the profile {seen.profile}, on {seen.day}.", markup=False)


def _part(title: str, lines: Sequence[Line], limit: int | None) -> None:
    out.print(f"{title}: {len(lines):,}", style="bold")
    for line in lines[:limit]:
        notes = [
            line.reason,
            f"from {line.day}" if line.day else "",
            f"goes on from {line.after}" if line.after else "",
        ]
        notes.append("archived" if line.archived else "")
        told = "; ".join(note for note in notes if note)
        out.print(f"  {line.name}, {line.handle}{': ' if told else ''}{told}", markup=False)
    _more(lines, limit)


def _more(rows: Sequence[object], limit: int | None) -> None:
    if limit is not None and len(rows) > limit:
        out.print(f"  ... and {len(rows) - limit:,} more; all of them with --all, --json or --csv", style="dim")


@app.command("continue")
def continue_(
    old: TeamName,
    new: TeamName,
    yes: Yes = False,
    institute: InstituteName = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Let NEW go on with the team of OLD: the same chat, files and notebook. Writes nothing at Microsoft.

    The next synchronization gives the team its new name, and the people NEW has. Undone by `rollbook rollover part NEW`.
    """
    with context.open_desk(institute, corporate=False) as desk:
        from rollbook.acts.rollover import Request, continue_team, going_on

        request = Request(desk.institute, None, context.day(as_of, desk.institute, desk.author.clock), desk.author)
        pair = going_on(request, old, new)
        if not yes:
            for sentence in pair.told:
                out.print(sentence, markup=False)
            typer.confirm(f"Let {pair.new.name} go on with the team of {pair.old.name}?", abort=True, err=True)
        continue_team(desk, pair)
    if as_json:
        print_json(_moved(pair))
        return
    out.print(f"{pair.new.name} goes on with the team of {pair.old.name}.", style="bold", markup=False)
    out.print("The next synchronization gives it its name and people: rollbook sync")


def _moved(pair: GoingOn) -> dict[str, Any]:
    held = pair.old.object_id or pair.new.object_id
    return {"old": pair.old.handle, "new": pair.new.handle, "object_id": held}


@app.command()
def part(new: TeamName, yes: Yes = False, institute: InstituteName = None, as_json: Json = False) -> None:
    """Give back the team that NEW took over; NEW gets one of its own at the next synchronization. Asks before it does."""
    with context.open_desk(institute, corporate=False) as desk:
        from rollbook.acts.rollover import part_team, parting

        pair = parting(desk, new)
        if not yes:
            typer.confirm(f"Give the team of {pair.new.name} back to {pair.old.name}?", abort=True, err=True)
        part_team(desk, pair)
    if as_json:
        print_json(_moved(pair))
        return
    out.print(f"{pair.old.name} has its team back; {pair.new.name} gets one of its own.", style="bold", markup=False)


Teams = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TEAM",
        help="Sourced ids, codes or names; with @ and the academic period where needed.",
        show_default=False,
    ),
]


@app.command()
def archive(
    teams: Teams = None,
    ended: Annotated[bool, typer.Option("--ended", help="Every team that ends.")] = False,
    left_over: Annotated[
        bool, typer.Option("--left-over", help="Every group of a hierarchy that is left over, if it is a team.")
    ] = False,
    yes: Yes = False,
    institute: InstituteName = None,
    as_of: AsOf = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Archive teams: they can be read, not written in; people stay in them; it can be taken back. Asks before it does."""
    if not (teams or ended or left_over):
        raise InputRefused("Say which teams are meant.", remedy="Name teams, or say --ended or --left-over.")
    school, author = context.opened(institute)
    from rollbook.acts.archiving import Chosen, propose_archiving

    day, chosen = context.day(as_of, school, author.clock), Chosen(tuple(teams or ()), ended, left_over)
    with context.open_session(school, day, author.clock, quiet=quiet or as_json) as session:
        run = propose_archiving(session, chosen)
    _proposed(school, run, yes=yes, as_json=as_json, quiet=quiet)


@app.command()
def unarchive(
    teams: Teams = None,
    yes: Yes = False,
    institute: InstituteName = None,
    as_of: AsOf = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Take teams back from the archive: people can write in them again. Asks before it does."""
    if not teams:
        raise InputRefused("Say which teams are meant.", remedy="Name teams, as `rollbook rollover` does.")
    school, author = context.opened(institute)
    from rollbook.acts.archiving import propose_taking_back

    day = context.day(as_of, school, author.clock)
    with context.open_session(school, day, author.clock, quiet=quiet or as_json) as session:
        run = propose_taking_back(session, teams)
    _proposed(school, run, yes=yes, as_json=as_json, quiet=quiet)


def _proposed(school: Institute, run: Run, *, yes: bool, as_json: bool, quiet: bool) -> NoReturn:
    from rollbook.cli import listing
    from rollbook.store.changes import select

    if not as_json:
        listing.show_changes(select(run), SHOWN)
    confirm_and_carry_out(school, run, yes=yes, as_json=as_json, quiet=quiet)


def confirm_and_carry_out(school: Institute, run: Run, *, yes: bool, as_json: bool, quiet: bool) -> NoReturn:
    """Archive the teams of a run, or take them back, after asking whoever is at this terminal; ends the command."""
    from rollbook.acts.archiving import carry_out, withdraw
    from rollbook.cli.proposed import Proposal, decide
    from rollbook.plan.archiving import AGREED_BY_A_PERSON
    from rollbook.plan.changes import Kind

    count = run.counts["changes"]
    what = counted(count, "team")
    archiving = {objection["code"] for objection in run.objections} == {AGREED_BY_A_PERSON[Kind.ARCHIVE_TEAM]}
    asked = f"Archive {what}? {WHAT_ARCHIVING_MEANS}" if archiving else f"Take {what} back from the archive?"
    decide(school, run, Proposal(asked, carry_out, withdraw), yes=yes, as_json=as_json, quiet=quiet)
