"""`rollbook held` and `rollbook release`: enrolments that the sync start date holds back, and letting them through."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from rollbook.cli import context
from rollbook.cli.console import Json, err, out, print_json
from rollbook.cli.context import AsOf, InstituteName
from rollbook.errors import InputRefused, TenantError
from rollbook.words import by_count, counted

if TYPE_CHECKING:
    from rollbook.acts.held import Held, HeldEnrolment, Request

SHOWN = 40
IN_TEAM = {True: ", in the team already", False: ", not in the team", None: ""}

People = Annotated[list[str] | None, typer.Argument(metavar="PERSON", help="Sourced ids.", show_default=False)]
Classes = Annotated[
    list[str] | None,
    typer.Option("--class", help="Enrolments in a class, by its title, code or sourced id; may be repeated."),
]
Groups = Annotated[
    list[str] | None, typer.Option("--group", help="Enrolments in a group's classes, by its name, code or sourced id.")
]


def _request(
    institute: str | None,
    as_of: str | None,
    people: list[str] | None,
    classes: list[str] | None,
    groups: list[str] | None,
) -> Request:
    school, author = context.author(institute)
    from rollbook.acts.held import Request
    from rollbook.roster.selection import Wanted

    wanted = Wanted(tuple(classes or ()), tuple(groups or ()), tuple(people or ()))
    return Request(school, wanted, context.day(as_of, school, author.clock), author)


def held(
    people: People = None,
    classes: Classes = None,
    groups: Groups = None,
    everybody: Annotated[bool, typer.Option("--all", help="Show everybody, not only the first.")] = False,
    institute: InstituteName = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """List whose enrolments are held: begun before the profile's sync start date, so nobody is added to a team by themselves."""
    request = _request(institute, as_of, people, classes, groups)
    from rollbook.acts.held import held as held_of
    from rollbook.store.setup import explained

    with explained():
        try:
            found, unseen = held_of(request, look=True), ""
        except TenantError as error:
            found, unseen = held_of(request), error.message
    if unseen:
        err.print(f"Who is in a team already is not told: {unseen}", markup=False)
    if as_json:
        print_json(_document(found))
        return
    if found.why_nothing:
        out.print(found.why_nothing, markup=False)
        return
    _print(found, None if everybody else SHOWN)


def _document(found: Held) -> dict[str, object]:
    return {
        "profile": found.profile,
        "sync_start_date": found.since,
        "held": len(found.enrolments),
        "people": found.people,
        "why_nothing": found.why_nothing or None,
        "enrolments": [_row(each) for each in found.enrolments],
    }


def _row(each: HeldEnrolment) -> dict[str, object]:
    return {
        "person": each.person,
        "name": each.name,
        "class": each.klass,
        "title": each.title,
        "begin": each.begin,
        "in_team": each.in_team,
        "reason": each.reason,
        "what_to_do": each.remedy,
    }


def _print(found: Held, limit: int | None) -> None:
    """One line an enrolment, how many there are in each class, and what to do."""
    for each in found.enrolments[:limit]:
        out.print(f"{each.title}: {each.name} ({each.person}), began {each.begin}{IN_TEAM[each.in_team]}", markup=False)
    if limit is not None and len(found.enrolments) > limit:
        out.print(f"... and {len(found.enrolments) - limit:,} more; all of them with --all or --json", style="dim")
    classes = Counter(each.title for each in found.enrolments)
    for title, count in list(classes.items())[:limit]:
        out.print(f"{count:>6,} {title}", markup=False)
    if limit is not None and len(classes) > limit:
        out.print(f"       ... in {len(classes) - limit:,} more classes", style="dim")
    told = _counted(len(found.enrolments), found.people)
    out.print(
        f"{told} held: begun before {found.since}, the sync start date of the profile {found.profile}.",
        style="bold",
        markup=False,
    )
    seats = Counter(each.in_team for each in found.enrolments)
    if seats[None] < len(found.enrolments):
        told = f"{seats[True]:,} of them {by_count(seats[True], 'is', 'are')} in the team already, {seats[False]:,} not"
        out.print(f"{told}.")
    out.print("They are not added to teams by themselves; whoever is in a team already stays until the enrolment ends.")
    out.print("Let them in with `rollbook release PERSON`, `--class`, `--group` or `--all`.", markup=False)


def _counted(enrolments: int, people: int) -> str:
    """How many enrolments of how many people, with the verb."""
    whose = counted(people, "person", "people")
    return f"{counted(enrolments, 'enrolment')} of {whose} {by_count(enrolments, 'is', 'are')}"


def release(
    people: People = None,
    classes: Classes = None,
    groups: Groups = None,
    everybody: Annotated[bool, typer.Option("--all", help="Everybody whose enrolment is held.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Hold them again.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    institute: InstituteName = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Release held enrolments, so that the next synchronization adds those people. It is remembered over later deliveries.

    What the configuration page calls Bulk Actions > Sync External Provider/Users.
    """
    request = _request(institute, as_of, people, classes, groups)
    if request.wanted.everybody != everybody:
        raise InputRefused(
            "Say whose enrolments are meant.", remedy="Name people, --class or --group, or say --all; not both."
        )
    (_undo if undo else _release)(request, ask=everybody and not yes, as_json=as_json)


def _release(request: Request, *, ask: bool, as_json: bool) -> None:
    from rollbook.acts.held import held as held_of
    from rollbook.acts.held import release as release_of
    from rollbook.store.setup import explained

    with explained():
        found = held_of(request) if ask else None
    if found is not None and found.enrolments:
        told = _counted(len(found.enrolments), found.people)
        typer.confirm(f"{told} held. Release everybody?", abort=True, err=True)
    with explained():
        done = release_of(request)
    if as_json:
        print_json({"released": done.enrolments, "people": done.people, "why_nothing": done.why_nothing or None})
    elif done.enrolments:
        out.print(f"{_counted(done.enrolments, done.people)} released.", style="bold")
        out.print("The next synchronization adds them to their teams: rollbook sync")
    else:
        out.print(done.why_nothing or "Somebody else released them at this moment.", markup=False)


def _undo(request: Request, *, ask: bool, as_json: bool) -> None:
    from rollbook.acts.held import hold_again
    from rollbook.store.setup import explained

    if ask:
        typer.confirm("Take back every release there is?", abort=True, err=True)
    with explained():
        done = hold_again(request)
    if as_json:
        print_json({"held_again": done.enrolments, "people": done.people})
    elif not done.enrolments:
        out.print("Nothing was released of them; nothing was changed.")
    else:
        out.print(f"{_counted(done.enrolments, done.people)} no longer released.", style="bold")
        out.print("A sync start date holds them again. Whoever is in a team already stays until the enrolment ends.")
