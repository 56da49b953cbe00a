"""`rollbook connection`: how the connection to the tenant is, and whether it works now."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from rollbook.cli.console import Json, out, print_json
from rollbook.cli.context import Corporate, InstituteName
from rollbook.words import counted

if TYPE_CHECKING:
    from rollbook.store.models import Connection


def connection(
    institute: InstituteName = None,
    corporate: Corporate = False,
    test: Annotated[bool, typer.Option("--test", help="Try it now. Exit status 7 if it fails.")] = False,
    expires: Annotated[
        str | None,
        typer.Option("--expires", help="Day from which the credential no longer holds; told 30, 7 and 1 days before."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show how the connection to the tenant is: whether it is frozen, since when it fails, why, who acts, and when it is tried again."""
    from rollbook.cli import context

    school, author = context.opened(institute)
    from rollbook.acts.connections import connection_of
    from rollbook.acts.failing import health, set_expiry, test_connection
    from rollbook.store.setup import explained

    purpose = context.purpose(corporate=corporate)
    with explained():
        found = test_connection(school, purpose, author.actor, author.clock) if test else connection_of(school, purpose)
        if expires is not None:
            set_expiry(found, context.day(expires, school, author.clock), author.actor, author.clock)
        told = health(found)
    if as_json:
        print_json(asdict(told))
        return
    out.print(f"{told.tenant}: {told.state.lower()}", style="bold", markup=False)
    if told.frozen:
        out.print(f"  It is {told.frozen}. Nothing is written until `rollbook thaw`.", markup=False)
    if told.expires_on:
        out.print(f"  Its credential holds until {told.expires_on}.")
    show_failing(found)


def show_failing(found: Connection) -> None:
    """What is told of a connection that fails; nothing of one that works."""
    if found.failing_since is None or found.notice is None:
        return
    out.print(f"  It fails since {found.failing_since:%Y-%m-%d %H:%M} UTC, {counted(found.failures, 'time')} in a row.")
    out.print(f"  {found.notice['message']}", markup=False)
    if found.notice["remedy"]:
        out.print(f"  {found.notice['remedy']}", markup=False)
    if found.notice["request_id"]:
        out.print(f"  For Microsoft's support: request id {found.notice['request_id']}", markup=False, style="dim")
    out.print(
        f"  A schedule tries it again at {found.retry_at:%Y-%m-%d %H:%M} UTC; you may at once: rollbook connection --test"
    )
