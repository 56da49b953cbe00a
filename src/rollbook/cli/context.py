"""What the commands that use the store have in common: opening it, finding the institute, saying who acts, which day it is."""

from __future__ import annotations

import datetime as dt
import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from rollbook.acts.actor import Actor, at_the_command_line
from rollbook.cli.console import stages
from rollbook.errors import InputRefused

if TYPE_CHECKING:
    from rollbook.acts.desk import Desk
    from rollbook.acts.profiles import Author
    from rollbook.acts.runs import Session
    from rollbook.clock import Clock
    from rollbook.store.models import Connection, Institute, Run

InstituteName = Annotated[
    str | None, typer.Option("--institute", help="Sourced id of the institute; needed if there are several.")
]
Corporate = Annotated[bool, typer.Option("--corporate", help="In the organisation's tenant of employees.")]
OfClass = Annotated[
    bool, typer.Option("--class", help="It is a class or team (or a group of a hierarchy, by its key), not a person.")
]
Person = Annotated[
    str,
    typer.Argument(
        help="Sourced id or SIS number; with --class, sourced id, code or name, with @ and the academic period where needed.",
        show_default=False,
    ),
]
AsOf = Annotated[str | None, typer.Option("--as-of", help="The day that counts, as 2026-10-01. Default: today.")]


def actor() -> Actor:
    """The person at this terminal; ROLLBOOK_ROLE makes less of them than an institute administrator."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "unknown"
    return at_the_command_line(name, os.environ.get("ROLLBOOK_ROLE"))


def opened(sourced_id: str | None) -> tuple[Institute, Author]:
    """The store open, the institute named or the only one there is, and who acts on it."""
    from rollbook.store.setup import open_store

    open_store()
    from rollbook.acts.profiles import Author
    from rollbook.clock import SystemClock

    return institute(sourced_id), Author(actor(), SystemClock())


def purpose(*, corporate: bool) -> Connection.Purpose:
    """Which of an institute's tenants is meant."""
    from rollbook.store.models import Connection

    return Connection.Purpose.CORPORATE if corporate else Connection.Purpose.MAIN


@contextmanager
def open_desk(sourced_id: str | None, *, corporate: bool) -> Iterator[Desk]:
    """The institute's tenant, held for somebody who decides about links, database errors explained."""
    school, author = opened(sourced_id)
    from rollbook.acts.desk import held
    from rollbook.store.setup import explained

    with explained(), held(school, author, purpose(corporate=corporate)) as desk:
        yield desk


def institute(sourced_id: str | None) -> Institute:
    """The institute named, or the only one there is."""
    from rollbook.store.models import Institute

    found = list(Institute.objects.order_by("pk"))
    if sourced_id is not None:
        named = [entry for entry in found if entry.sourced_id == sourced_id]
        if named:
            return named[0]
    if not found:
        raise InputRefused(
            "There is no school yet.", remedy="Import one with `rollbook import PATH`, or try `rollbook demo`."
        )
    if sourced_id is None and len(found) == 1:
        return found[0]
    listed = ", ".join(f"{entry.sourced_id} ({entry.name})" for entry in found)
    said = "There are several institutes." if sourced_id is None else f"There is no institute {sourced_id!r}."
    raise InputRefused(said, remedy=f"Name one with --institute: {listed}.")


def author(sourced_id: str | None) -> tuple[Institute, Author]:
    """The institute named, or the only one there is, in the opened store; and the person at this terminal, who acts on it."""
    from rollbook.store.setup import open_store

    open_store()  # the modules below need it
    from rollbook.acts.profiles import Author
    from rollbook.clock import SystemClock

    return institute(sourced_id), Author(actor(), SystemClock())


def day(text: str | None, school: Institute, clock: Clock) -> dt.date:
    """The day that counts: the one given, else today where the institute is."""
    if text is None:
        return clock.now().astimezone(ZoneInfo(school.time_zone)).date()
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InputRefused(f"{text!r} is not a date.", remedy="Write it as 2026-10-01.") from None


def run_of(school: Institute, number: int | None) -> Run:
    """The run of this number, or the newest one."""
    from rollbook.store.models import Connection, Run

    # Runs are numbered by tenant; those of the corporate one are shown by `rollbook corporate show`.
    corporate = Connection.objects.filter(purpose=Connection.Purpose.CORPORATE).values("tenant")
    found = Run.objects.filter(institute=school).exclude(tenant__in=corporate).order_by("-number")
    run = found.first() if number is None else found.filter(number=number).first()
    if run is None:
        newest = Run.objects.filter(institute=school).exclude(tenant__in=corporate).order_by("-number").first()
        if newest is None:
            raise InputRefused("There is no run yet.", remedy="Make a plan with `rollbook plan`.")
        raise InputRefused(
            f"There is no run {number}.", remedy=f"The newest is {newest.number}: `rollbook show {newest.number}`."
        )
    return run


@contextmanager
def open_session(
    school: Institute, when: dt.date, clock: Clock, *, quiet: bool, purpose: Connection.Purpose | None = None
) -> Iterator[Session]:
    """A session of the person at this terminal, its stages shown unless `quiet`, its database errors explained."""
    from rollbook.acts.runs import session
    from rollbook.acts.show import Show
    from rollbook.store.models import Connection
    from rollbook.store.setup import explained
    from rollbook.sync import quiet as quietly

    with (
        explained(),
        stages(quiet=quiet) as shown,
        session(
            school,
            when,
            actor(),
            clock,
            Show(shown.tell, shown, quietly if quiet else shown.note),
            purpose or Connection.Purpose.MAIN,
        ) as opened,
    ):
        yield opened
