"""`rollbook notices`: what an administrator should know of, who else is told, and telling them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollbook.cli.console import Json, err, out, print_json
from rollbook.cli.context import InstituteName
from rollbook.errors import Exit, InputRefused
from rollbook.words import counted

if TYPE_CHECKING:
    from rollbook.acts.notice_words import Told
    from rollbook.store.models import Institute, NoticeChannel

app = typer.Typer(help="What an administrator should know of, and who is told.", rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def notices(
    given: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    institute: InstituteName = None,
    as_json: Json = False,
) -> None:
    """List what an administrator should know of: since when, what, what to do."""
    if given.invoked_subcommand is not None:
        if everything or institute is not None or as_json:
            raise typer.BadParameter("options of a command of `notices` come behind it")
        return
    from rollbook.cli import context

    school, author = context.opened(institute)
    from rollbook.acts.notice_words import told
    from rollbook.acts.notices import all_notices, look_for_causes, open_notices
    from rollbook.store.setup import explained

    with explained():
        look_for_causes(author.clock)
        found = [told(notice) for notice in (all_notices(school) if everything else open_notices(school))]
        missing = _nobody_told(school)
    if as_json:
        print_json([_row(each) for each in found])
        return
    for each in found:
        _show(each)
    if not found:
        out.print("There is nothing an administrator would have to know of.")
    for sentence in missing:
        err.print(sentence, markup=False)


def _row(each: Told) -> dict[str, Any]:
    notice = each.notice
    return {
        "number": notice.pk,
        "kind": notice.kind,
        "since": notice.raised_at.isoformat(timespec="seconds"),
        "until": notice.ended_at.isoformat(timespec="seconds") if notice.ended_at else None,
        "seen": notice.seen_at is not None,
        "said": each.said,
        "what_to_do": each.to_do,
        "content": notice.content,
    }


def _show(each: Told) -> None:
    span = f"{each.since} to {each.until}" if each.until else f"since {each.since}"
    seen = ", seen" if each.notice.seen_at and not each.until else ""
    out.print(f"{each.notice.pk}  {span}{seen}", style="dim", markup=False)
    out.print(f"   {each.said}", style="" if each.until else "bold", markup=False)
    out.print(f"   {each.over if each.until else each.to_do}", markup=False)


def _nobody_told(school: Institute) -> list[str]:
    """Why somebody who should be told of this is not."""
    from rollbook.acts import mail
    from rollbook.acts.channels import channel_of
    from rollbook.store.models import NoticeMail

    channel = channel_of(school)
    said = []
    if not channel.addresses and not channel.webhook:
        said.append("Nobody is told of this: say who with `rollbook notices settings --mail ADDRESS`.")
    if channel.addresses:
        try:
            said += [mail.UNSET] if mail.server() is None else []
        except InputRefused as error:
            said.append(f"No e-mail is sent: {error.message} {error.remedy}")
    failing = NoticeMail.objects.filter(notice__institute=school, failing_since__isnull=False)
    for address, problem in sorted(set(failing.values_list("address", "problem"))):
        said.append(f"E-mails to {address} wait: {problem}.")
    if channel.failing_since is not None:
        said.append(f"The webhook fails since {channel.failing_since:%Y-%m-%d %H:%M} UTC: {channel.problem}.")
    return said


@app.command()
def settings(
    mail: Annotated[
        list[str] | None,
        typer.Option("--mail", help="Address that is told; may be repeated. All others are not, any more."),
    ] = None,
    no_mail: Annotated[bool, typer.Option("--no-mail", help="Nobody is told by e-mail.")] = False,
    digest: Annotated[
        bool | None, typer.Option("--digest/--no-digest", help="One e-mail a day; or each at once (the default).")
    ] = None,
    hour: Annotated[int | None, typer.Option(help="Hour of the digest, where the school is.")] = None,
    webhook: Annotated[str | None, typer.Option(help="https address that is told. Prints its secret, once.")] = None,
    no_webhook: Annotated[bool, typer.Option("--no-webhook", help="No webhook is told.")] = False,
    new_secret: Annotated[
        bool, typer.Option("--new-secret", help="Make and print a new secret of the webhook.")
    ] = False,
    late_after: Annotated[
        int | None, typer.Option(help="Days without a delivery of the register that are told; 0: never.")
    ] = None,
    institute: InstituteName = None,
    as_json: Json = False,
) -> None:
    """Show or change who is told of notices, and how."""
    if (mail and no_mail) or (webhook is not None and no_webhook):
        raise typer.BadParameter("--no-mail excludes --mail, and --no-webhook excludes --webhook")
    from rollbook.cli import context

    school, author = context.opened(institute)
    from rollbook.acts.channels import Wanted, channel_of, set_channel
    from rollbook.store.setup import explained

    wanted = Wanted(
        [] if no_mail else mail, digest, hour, late_after, "" if no_webhook else webhook, new_secret=new_secret
    )
    with explained():
        channel, secret = (channel_of(school), "") if wanted == Wanted() else set_channel(school, wanted, author)
        missing = _nobody_told(school)
    if as_json:
        print_json({**_settings(channel), **({"webhook_secret": secret} if secret else {})})
        return
    _show_settings(channel)
    if secret:
        out.print(f"Its secret, which is not shown again: {secret}", markup=False)
    for sentence in missing:
        err.print(sentence, markup=False)


def _settings(channel: NoticeChannel) -> dict[str, Any]:
    return {
        "mail": channel.addresses,
        "digest": channel.digest,
        "digest_hour": channel.digest_hour,
        "late_after": channel.late_after,
        "webhook": channel.webhook or None,
    }


def _show_settings(channel: NoticeChannel) -> None:
    how = f"once a day, at {channel.digest_hour}:00" if channel.digest else "at once"
    told = f"{', '.join(channel.addresses)}, {how}" if channel.addresses else "nobody"
    days = f"after {counted(channel.late_after, 'day')}" if channel.late_after else "never"
    out.print(f"By e-mail: {told}", markup=False)
    out.print(f"By webhook: {channel.webhook or 'none'}", markup=False)
    out.print(f"A register that is not delivered is told {days}.", markup=False)


@app.command("test")
def try_(institute: InstituteName = None, as_json: Json = False) -> None:
    """Send one test message to each address and to the webhook, and say what came of it. Exit status 1 if one did not arrive."""
    from rollbook.cli import context

    school, author = context.opened(institute)
    from rollbook.acts.telling import try_channels
    from rollbook.store.setup import explained

    with explained():
        tried = try_channels(school, author)
    if as_json:
        print_json([{"to": each.where, "arrived": not each.problem, "problem": each.problem or None} for each in tried])
    for each in tried if not as_json else ():
        out.print(f"{each.where}: {each.problem or 'taken'}", markup=False)
    if not tried:
        raise InputRefused(
            "Nobody is told of notices.", remedy="Say who with `rollbook notices settings --mail ADDRESS`."
        )
    if any(each.problem for each in tried):
        raise typer.Exit(int(Exit.WITH_REJECTS))


@app.command()
def send(as_json: Json = False) -> None:
    """Look for notices and tell what is due, of all institutes, as a worker does by itself."""
    from rollbook.store.setup import open_store

    open_store()  # the modules below need it
    from rollbook.acts.notices import look_for_causes
    from rollbook.acts.telling import deliver
    from rollbook.clock import SystemClock
    from rollbook.store.setup import explained

    clock = SystemClock()
    with explained():
        look_for_causes(clock)
        done = deliver(clock)
    if as_json:
        print_json({"mails": done.mails, "events": done.events, "problems": done.problems})
        return
    out.print(f"{counted(done.mails, 'e-mail')} sent, {counted(done.events, 'event')} told to webhooks.")
    for problem in done.problems:
        err.print(f"{problem}; it is tried again.", markup=False)


@app.command()
def seen(
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="NUMBER", help="All, without one.", show_default=False)
    ] = None,
    institute: InstituteName = None,
) -> None:
    """Say that you know: the portal then shows these notices quietly, until they are over."""
    from rollbook.cli import context

    school, author = context.opened(institute)
    from rollbook.acts.notices import mark_seen
    from rollbook.store.setup import explained

    with explained():
        count = mark_seen(school, numbers or (), author.clock)
    out.print(f"{counted(count, 'notice')} marked as seen.")
