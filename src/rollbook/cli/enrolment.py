"""`rollbook enrolment`: who is in which class, said by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from rollbook.cli import context
from rollbook.cli.console import out
from rollbook.cli.context import InstituteName
from rollbook.cli.person import Who

app = typer.Typer(help="Enrolments kept by hand.", no_args_is_help=True, rich_markup_mode=None)

Klass = Annotated[str, typer.Argument(metavar="CLASS", help="Id, code or title of the class.", show_default=False)]


@app.callback()
def enrolment() -> None:
    """Enrolments and teachings kept by hand: what is said here counts more than any delivery."""


@app.command()
def add(
    who: Who,
    klass: Klass,
    begin: Annotated[
        str, typer.Option(help="First day, as 2026-10-01. Default: from the start.", show_default=False)
    ] = "",
    end: Annotated[
        str, typer.Option(help="The day it ends, which is outside. Default: for good.", show_default=False)
    ] = "",
    role: Annotated[
        str,
        typer.Option(
            "--as",
            help="student, or as a teacher: teacher, assistant, special_associate, supervisor, second_supervisor, mentor.",
        ),
    ] = "student",
    institute: InstituteName = None,
) -> None:
    """Enrol somebody in a class, or let them teach it."""
    school, author = context.author(institute)
    from rollbook.acts.register import add_enrolment
    from rollbook.store.setup import explained

    day = context.day(None, school, author.clock)
    with explained():
        done = add_enrolment(school, who, klass, author, day, role=role, begin=begin, end=end)
    out.print(f"{done.person} is in {klass} as {role.lower()}.", markup=False)


@app.command()
def end(
    who: Who,
    klass: Klass,
    on: Annotated[
        str, typer.Option(help="The first day they are not in it, as 2026-10-01. Default: today.", show_default=False)
    ] = "",
    institute: InstituteName = None,
) -> None:
    """End what somebody is in a class, delivered or said by hand."""
    school, author = context.author(institute)
    from rollbook.acts.register import end_enrolment
    from rollbook.store.setup import explained

    day = context.day(None, school, author.clock)
    with explained():
        done = end_enrolment(school, who, klass, author, day, on)
    out.print(f"{done.person} is in {klass} no longer from {on.strip() or day}.", markup=False)
