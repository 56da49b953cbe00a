"""`rollbook passwords`: first passwords handed over on slips, in a table or for a code; new ones set."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from rollbook.cli.console import Json, Quiet, out, print_json
from rollbook.cli.context import AsOf, InstituteName
from rollbook.errors import InputRefused
from rollbook.words import by_count, counted

if TYPE_CHECKING:
    from rollbook.acts.passwords import Handed, Request, Waiting
    from rollbook.store.models import Institute, Run

app = typer.Typer(
    help="First passwords: handed over once, then gone; new ones set.", no_args_is_help=True, rich_markup_mode=None
)

SHOWN = 40

Classes = Annotated[
    list[str] | None,
    typer.Option("--class", help="A class's students, by its title, code or sourced id; may be repeated."),
]
Groups = Annotated[
    list[str] | None, typer.Option("--group", help="A group's students, by its name, code or sourced id.")
]
People = Annotated[list[str] | None, typer.Option("--person", help="One person, by sourced id.")]
Everybody = Annotated[bool, typer.Option("--all", help="Everybody whose password waits.")]
OnPaper = Annotated[str, typer.Option("--paper", help="Size of the paper: A4 or letter.")]


@app.callback()
def passwords() -> None:
    """First passwords: handed over once, then gone; new ones set."""


def _request(
    institute: str | None,
    as_of: str | None,
    classes: list[str] | None,
    groups: list[str] | None,
    people: list[str] | None,
    *,
    everybody: bool,
) -> Request:
    """Whom the options mean; raises InputRefused if they mean nobody in particular and not everybody either."""
    from rollbook.store.setup import open_store

    open_store()
    from rollbook.acts.passwords import Request
    from rollbook.acts.profiles import Author
    from rollbook.cli import context
    from rollbook.clock import SystemClock
    from rollbook.roster.selection import Wanted

    wanted = Wanted(tuple(classes or ()), tuple(groups or ()), tuple(people or ()))
    if wanted.everybody != everybody:
        raise InputRefused(
            "Say whose passwords are meant.", remedy="Name --class, --group or --person, or say --all; not both."
        )
    school, clock = context.institute(institute), SystemClock()
    return Request(school, wanted, context.day(as_of, school, clock), Author(context.actor(), clock))


@app.command("list")
def list_(
    classes: Classes = None,
    groups: Groups = None,
    people: People = None,
    everybody: Annotated[bool, typer.Option("--all", help="Show everybody, not only the first.")] = False,
    institute: InstituteName = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """List who has a password waiting to be handed over, since when, and until when a claim code is good."""
    request = _request(institute, as_of, classes, groups, people, everybody=not (classes or groups or people))
    from rollbook.acts.passwords import waiting

    found = waiting(request)
    if as_json:
        print_json({"waiting": len(found), "people": [_row(each) for each in found]})
        return
    for each in found[: None if everybody else SHOWN]:
        code = f", code good until {each.claimable_until:%Y-%m-%d}" if each.claimable_until else ""
        changing = ", being changed" if each.changing else ""
        told = f"{each.section}: {each.name} ({each.person}), since {each.since:%Y-%m-%d}{code}{changing}"
        out.print(told, markup=False)
    if len(found) > SHOWN and not everybody:
        out.print(f"... and {len(found) - SHOWN:,} more; all of them with --all or --json", style="dim")
    for section, count in Counter(each.section for each in found).items():
        out.print(f"{count:>6,} {section}", markup=False)
    out.print(
        f"{len(found):>6,} {by_count(len(found), 'password waits', 'passwords wait')} to be handed over.", style="bold"
    )


def _row(each: Waiting) -> dict[str, object]:
    return {
        "person": each.person,
        "name": each.name,
        "class": each.section,
        "since": each.since,
        "code_until": each.claimable_until,
        "changing": each.changing,
    }


def _paper(text: str) -> str:
    from rollbook.handover.sheet import Paper

    for paper in Paper:
        if text.casefold() == paper.value.casefold():
            return paper
    raise typer.BadParameter("A4 or letter", param_hint="--paper")


@app.command()
def slips(
    file: Annotated[Path, typer.Argument(help="The PDF to write.", show_default=False)],
    classes: Classes = None,
    groups: Groups = None,
    people: People = None,
    everybody: Everybody = False,
    paper: OnPaper = "A4",
    institute: InstituteName = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Print first passwords on slips, one section a class; afterwards they are nowhere but on that paper.

    Everybody is in one section: their homeroom, else the first of their classes by title, among the classes that are named.
    """
    request = _request(institute, as_of, classes, groups, people, everybody=everybody)
    from rollbook.acts.passwords import print_slips
    from rollbook.handover.sheet import Paper

    _told(print_slips(request, file, Paper(_paper(paper))), file, "passwords", as_json=as_json)


@app.command("csv")
def csv_(
    file: Annotated[Path, typer.Argument(help="The CSV file to write.", show_default=False)],
    classes: Classes = None,
    groups: Groups = None,
    people: People = None,
    everybody: Everybody = False,
    institute: InstituteName = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Write first passwords into a CSV file; afterwards they are nowhere but in that file."""
    request = _request(institute, as_of, classes, groups, people, everybody=everybody)
    from rollbook.acts.passwords import write_table

    _told(write_table(request, file), file, "passwords", as_json=as_json)


@app.command()
def codes(
    file: Annotated[Path, typer.Argument(help="The PDF or CSV file to write.", show_default=False)],
    classes: Classes = None,
    groups: Groups = None,
    people: People = None,
    everybody: Everybody = False,
    valid_days: Annotated[int, typer.Option(help="For how many days the codes are good.")] = 30,
    where: Annotated[
        str, typer.Option(help="Where a code is exchanged, as it stands on the slips.")
    ] = "at the school office",
    paper: OnPaper = "A4",
    institute: InstituteName = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Make a code for each person, exchanged once for the password; earlier codes of theirs are void."""
    request = _request(institute, as_of, classes, groups, people, everybody=everybody)
    from rollbook.acts.claims import Terms, make_codes
    from rollbook.handover.sheet import Paper

    handed = make_codes(request, file, Terms(valid_days, where), Paper(_paper(paper)))
    _told(handed, file, "claim codes", as_json=as_json)


def _told(handed: Handed, file: Path, what: str, *, as_json: bool) -> None:
    """Say what is in the file, whose name could not be drawn, and who was left out."""
    names = [
        f"{each.what} has letters ({', '.join(each.scripts)}) that no typeface here has; "
        "Latin letters stand in their place."
        for each in handed.undrawable
    ]
    if as_json:
        counts = {"file": str(file), "count": handed.count, "sections": handed.sections}
        print_json({**counts, "undrawable": names, "left_out": handed.left_out})
        return
    for sentence in (*names, *handed.left_out):
        out.print(sentence, markup=False)
    sections = counted(handed.sections, "section")
    out.print(f"{handed.count:,} {what} in {sections}: {file}", markup=False, style="bold")
    if what == "passwords":
        out.print("They are no longer in Rollbook. Keep that file safe, and delete it when it was used.")


@app.command()
def redeem(
    code: Annotated[str, typer.Argument(help="The code, with or without hyphens.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Exchange a claim code for user name and password. They are shown this once."""
    from rollbook.store.setup import open_store

    open_store()  # the modules below need it
    from rollbook.acts.claims import redeem as exchange
    from rollbook.cli import context
    from rollbook.clock import SystemClock

    redeemed = exchange(code, context.actor(), SystemClock())
    if as_json:
        print_json({"user_name": redeemed.user_name, "password": redeemed.password})
        return
    out.print(f"User name: {redeemed.user_name}", markup=False)
    out.print(f"Password:  {redeemed.password}", markup=False, style="bold")
    out.print("It has to be changed at the first sign-in. It is not shown again.")


@app.command()
def new(
    people: People = None,
    classes: Classes = None,
    groups: Groups = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    institute: InstituteName = None,
    as_of: AsOf = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Set new first passwords at Microsoft for accounts that are there; they wait to be handed over afterwards.

    Not for accounts kept by an Active Directory or another sign-in, holders of an administrator role, or people without a
    linked account: each is left out with a sentence.
    """
    request = _request(institute, as_of, classes, groups, people, everybody=False)
    from rollbook.acts.new_passwords import propose
    from rollbook.cli import context, listing
    from rollbook.clock import SystemClock
    from rollbook.store.changes import select

    school = request.institute
    with context.open_session(school, request.day, SystemClock(), quiet=quiet or as_json) as session:
        run = propose(session, request.wanted)
    if not as_json:
        listing.show_changes(select(run), None)
    confirm_and_carry_out(school, run, yes=yes, as_json=as_json, quiet=quiet)


def confirm_and_carry_out(school: Institute, run: Run, *, yes: bool, as_json: bool, quiet: bool) -> NoReturn:
    """Set the passwords of a run after asking whoever is at this terminal; ends the command with its exit status."""
    from rollbook.acts.new_passwords import carry_out, withdraw
    from rollbook.cli.proposed import Proposal, decide

    count = run.counts["changes"]
    whose = counted(count, "person", "people")
    asked = f"Set a new password for {whose} in the tenant {run.tenant.name}? The old one stops working at once."
    handing = "Hand them over with `rollbook passwords slips`, `csv` or `codes`."
    proposal = Proposal(asked, carry_out, withdraw, lambda: out.print(handing))
    decide(school, run, proposal, yes=yes, as_json=as_json, quiet=quiet)
