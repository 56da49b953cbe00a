"""`rollbook corporate`: the organisation's tenant of employees - connected, looked at, matched, removed."""

from __future__ import annotations

from typing import Annotated

import typer

from rollbook.cli import context
from rollbook.cli.console import Json, Quiet, out, print_json
from rollbook.cli.context import AsOf, InstituteName
from rollbook.errors import ApprovalDue
from rollbook.words import by_count, counted

app = typer.Typer(
    help="The organisation's tenant of employees: only read, never written.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

GRAPH_URL = "https://graph.microsoft.com/v1.0"
LOGIN_URL = "https://login.microsoftonline.com"


@app.callback()
def corporate() -> None:
    """The organisation's tenant of employees. Its directory is read to match and link them; nothing is ever written there."""


@app.command()
def connect(
    tenant: Annotated[str, typer.Option(help="Tenant id, or a domain of it.", show_default=False)],
    client_id: Annotated[str, typer.Option(help="Id of the application.", show_default=False)],
    client_secret: Annotated[
        str,
        typer.Option(
            help="Its secret; asked for if it is not given.",
            envvar="ROLLBOOK_CLIENT_SECRET",
            prompt="Client secret",
            hide_input=True,
            show_default=False,
            show_envvar=True,
        ),
    ],
    graph_url: Annotated[str, typer.Option(help="Another cloud's, or an emulated one.")] = GRAPH_URL,
    login_url: Annotated[str, typer.Option(help="Another cloud's, or an emulated one.")] = LOGIN_URL,
    institute: InstituteName = None,
) -> None:
    """Connect it for every institute of the organisation. From then on employees are matched there, and their settings are locked."""
    school, author = context.opened(institute)
    from rollbook.acts.connections import Credentials
    from rollbook.acts.corporate import connect as install
    from rollbook.profiles.corporate import WHY
    from rollbook.store.setup import explained

    emulated = login_url.startswith("http://")
    given = Credentials(tenant, client_id, client_secret, graph_url, login_url, emulated=emulated, quotas=not emulated)
    with explained():
        found = install(school, given, author)
    out.print(
        f"{found.name} ({found.tid}) is the corporate tenant; employees have the domain {found.default_domain}.",
        markup=False,
    )
    out.print(f"Settings of employees are locked from now on, because {WHY}.", markup=False)
    out.print("Match them with: rollbook corporate sync")


@app.command()
def show(institute: InstituteName = None, as_json: Json = False) -> None:
    """Show the corporate tenant: whose it is, how many employees are linked there, and how many wait for a decision."""
    school, _ = context.opened(institute)
    from rollbook.acts.corporate import standing
    from rollbook.cli import listing
    from rollbook.store.setup import explained

    with explained():
        found = standing(school)
        if as_json:
            document = {
                "tenant": found.tenant.tid,
                "name": found.tenant.name,
                "domain": found.tenant.default_domain,
                "institutes": found.institutes,
                "linked": found.linked,
                "to_review": found.to_review,
                "run": listing.summary(found.run) if found.run else None,
            }
            print_json(document)
            return
        out.print(
            f"{found.tenant.name} ({found.tenant.tid}), {found.tenant.default_domain}", style="bold", markup=False
        )
        out.print(f"  for {', '.join(found.institutes)}", markup=False)
        out.print(
            f"  {counted(found.linked, 'employee')} of {school.name} {by_count(found.linked, 'is', 'are')} linked, "
            f"{found.to_review:,} to review",
            markup=False,
        )
        if found.run:
            listing.show_summary(found.run)


@app.command()
def sync(
    institute: InstituteName = None,
    as_of: AsOf = None,
    approve: Annotated[str | None, typer.Option(help="Fingerprint of the plan you agree to.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Match employees with the accounts in the corporate tenant, and link them. Writes nothing there."""
    school, author = context.opened(institute)
    from rollbook.acts.runs import synchronize
    from rollbook.cli import listing
    from rollbook.cli.sync import exit_code

    day, purpose = context.day(as_of, school, author.clock), context.purpose(corporate=True)
    try:
        with context.open_session(school, day, author.clock, quiet=quiet or as_json, purpose=purpose) as session:
            done = synchronize(session, approve)
    except ApprovalDue as due:
        remedy = f"Run `rollbook corporate sync --approve {due.fingerprint}`."
        raise ApprovalDue(due.message, due.fingerprint, remedy=remedy) from due
    if as_json:
        print_json(listing.summary(done.run))
    else:
        listing.show_summary(done.run)
        out.print("Who waits for a decision: rollbook match list --corporate")
    raise typer.Exit(int(exit_code(done)))


@app.command()
def remove(institute: InstituteName = None) -> None:
    """Take the corporate tenant away again. Links, and everything at Microsoft, stay; settings of employees are unlocked."""
    school, author = context.opened(institute)
    from rollbook.acts.corporate import remove as take_away
    from rollbook.store.setup import explained

    with explained():
        tenant = take_away(school, author)
    out.print(
        f"{tenant.name} is no longer the corporate tenant. Settings of employees can be changed again.", markup=False
    )
