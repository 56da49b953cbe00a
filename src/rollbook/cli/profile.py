"""`rollbook profile`: execution profiles - made, copied, edited as YAML, enabled, compared, restored."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rollbook.cli import context
from rollbook.cli.console import Json, out, print_json
from rollbook.cli.context import AsOf, InstituteName
from rollbook.errors import InputRefused
from rollbook.words import by_count, counted

if TYPE_CHECKING:
    from rollbook.acts.profiles import Author
    from rollbook.profiles import Difference, Exported
    from rollbook.store.models import Institute, Profile, ProfileVersion

app = typer.Typer(
    help="Execution profiles: what is synchronized, and when.", no_args_is_help=True, rich_markup_mode=None
)

Name = Annotated[str, typer.Argument(help="Name of the profile.", show_default=False)]
YamlFile = Annotated[
    Path,
    typer.Argument(help="YAML as `rollbook profile export` writes it; - for standard input.", show_default=False),
]
Begin = Annotated[str | None, typer.Option(help="First day of the synchronization period, as 2026-09-01.")]
End = Annotated[str | None, typer.Option(help="Last day of the synchronization period.")]


@app.callback()
def profile() -> None:
    """Execution profiles: what is synchronized, and when."""


def _found(name: str, institute: str | None) -> tuple[Profile, Author]:
    school, author = context.author(institute)
    from rollbook.acts import profiles

    return profiles.find(school, name), author


def _day(text: str | None, option: str) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InputRefused(f"{option} {text!r} is not a date.", remedy="Write it as 2026-09-01.") from None


def _period(found: Profile) -> str:
    if found.begin is None and found.end is None:
        return "always"
    return f"{found.begin or 'open'} to {found.end or 'open'}"


@app.command("list")
def list_(institute: InstituteName = None, as_of: AsOf = None, as_json: Json = False) -> None:
    """List the profiles with their periods and what they are today, and which one runs when."""
    school, author = context.author(institute)
    from rollbook.acts import profiles
    from rollbook.profiles import timeline

    day = context.day(as_of, school, author.clock)
    found = profiles.listed(school, day)
    stretches = timeline(profiles.slots(school))
    if as_json:
        rows = [
            {
                "name": entry.profile.name,
                "begin": entry.profile.begin,
                "end": entry.profile.end,
                "version": entry.version.number,
                "status": str(entry.standing),
            }
            for entry in found
        ]
        runs = [{"profile": s.name, "begin": s.begin, "end": s.end} for s in stretches]
        print_json({"profiles": rows, "timeline": runs})
        return
    for entry in found:
        out.print(
            f"{entry.profile.name}: {entry.standing}; {_period(entry.profile)}; version {entry.version.number}",
            markup=False,
        )
    if len(stretches) > 1:
        out.print("Which one runs when:", style="bold")
        for stretch in stretches:
            out.print(f"  {stretch.begin or 'open'} to {stretch.end or 'open'}: {stretch.name}", markup=False)


@app.command()
def show(
    name: Name,
    version: Annotated[int | None, typer.Option(help="An earlier version.")] = None,
    institute: InstituteName = None,
    as_json: Json = False,
) -> None:
    """Show a profile: its versions with author and day, and its settings with their meaning."""
    found, _ = _found(name, institute)
    from dataclasses import replace

    from rollbook.acts import profiles
    from rollbook.acts.lost_settings import lost
    from rollbook.acts.tenants import as_it_counts
    from rollbook.profiles import to_yaml, what_became

    chosen = profiles.version_of(found, version)
    history = [
        {"version": v.number, "author": v.author, "saved_at": v.saved_at, "note": v.note}
        for v in found.versions.order_by("number")
    ]
    if as_json:
        named = {"name": found.name, "begin": found.begin, "end": found.end, "version": chosen.number}
        settings = profiles.exported(found, chosen.number).profile
        more = {"locked": _locked(found.institute), "left_out": what_became(settings)}
        more["warnings"] = [f"{path}: {said}" for path, said in lost(found.institute, settings)]
        print_json({**named, "versions": history, "settings": chosen.document, **more})
        return
    for entry in history:
        out.print(
            f"version {entry['version']}: {entry['author']}, {entry['saved_at']:%Y-%m-%d %H:%M} {entry['note']}",
            markup=False,
        )
    for setting in _locked(found.institute):
        out.print(f"locked: {setting['path']} is {setting['value']}, because {setting['why']}", markup=False)
    shown = profiles.exported(found, chosen.number)
    _tell_left_out(shown)
    for path, said in lost(found.institute, shown.profile):
        out.print(f"look: {path}: {said}", markup=False)
    out.print(to_yaml(replace(shown, profile=as_it_counts(found.institute, shown.profile))), markup=False)


def _locked(school: Institute) -> list[dict[str, str]]:
    """The settings of this institute's profiles that are locked, with their values and why."""
    from rollbook.acts.tenants import locks

    return [{"path": path, "value": value, "why": why} for path, value, why in locks(school)]


@app.command()
def new(name: Name, begin: Begin = None, end: End = None, institute: InstituteName = None) -> None:
    """Make a profile with the suggested settings. It is a draft until it is enabled."""
    school, author = context.author(institute)
    from rollbook.acts import profiles

    made = profiles.new(school, name, _day(begin, "--begin"), _day(end, "--end"), author)
    out.print(f"{made.name} is a draft. Let it run with: rollbook profile enable {made.name!r}", markup=False)


@app.command()
def copy(
    name: Name,
    to: Annotated[str, typer.Argument(help="Name of the new profile.", show_default=False)],
    begin: Begin = None,
    end: End = None,
    academic_period: Annotated[
        str | None,
        typer.Option(help="Sourced id of the school year; '' for whichever holds the day. Default: the same."),
    ] = None,
    institute: InstituteName = None,
) -> None:
    """Copy every setting into a new draft with dates of its own."""
    found, author = _found(name, institute)
    from rollbook.acts import profiles

    made = profiles.copy(found, to, _day(begin, "--begin"), _day(end, "--end"), academic_period, author)
    out.print(f"{made.name} is a draft with the settings of {found.name}.", markup=False)


@app.command()
def edit(
    name: Name,
    file: YamlFile,
    institute: InstituteName = None,
) -> None:
    """Save a file as the profile's next version. Refused if somebody else saved since it was exported."""
    found, author = _found(name, institute)
    from rollbook.acts import profiles

    before, given = profiles.newest(found), _read(file)
    _tell_corrections(found.institute, given)
    version = profiles.save(found, given, author)
    if version.number == before.number:
        out.print(f"{found.name}: no setting changed; name and period are as the file says.", markup=False)
        return
    _tell_differences(profiles.compare(found, before.number, version.number))
    _tell_left_out(given)
    _tell_consequences(found, before, version, author)
    enabled = "" if found.enabled_at else " It still has to be enabled."
    out.print(f"{found.name} is saved as version {version.number}.{enabled}", markup=False)


def _tell_differences(differing: Sequence[Difference]) -> None:
    """One line a setting, also of a part that came whole."""
    for each in differing:
        for line in each.lines():
            out.print(line, markup=False)


def _tell_consequences(found: Profile, before: ProfileVersion, after: ProfileVersion, author: Author) -> None:
    """Say what becomes of teams, and of groups of hierarchies, that are there and that the new version wants no longer."""
    from rollbook.acts.leaving import left_by
    from rollbook.profiles import parse, what_returns, what_stays

    old, new = parse(before.document), parse(after.document)
    for sentence in (*what_returns(old, new), *what_stays(old, new)):
        out.print(sentence, markup=False)
    left = left_by(found.institute, old, new, context.day(None, found.institute, author.clock))
    if left.teams:
        told = f"{counted(left.teams, 'team that is there is', 'teams that are there are')} no longer managed"
        seen = shlex.join(["rollbook", "teams", found.name, "--left"])
        out.print(f"{told}: nobody is added or removed, and none is deleted. See which: {seen}", markup=False)
    if left.nodes:
        told = f"{counted(left.nodes, 'group')} of hierarchies that {by_count(left.nodes, 'is', 'are')} there"
        seen = shlex.join(["rollbook", "tree", found.name])
        out.print(f"{told} will be left over, and none is deleted. See which: {seen}", markup=False)


def _tell_left_out(shown: Exported) -> None:
    """Say which levels of hierarchies are on and yet left out, and what becomes of their groups."""
    from rollbook.profiles import what_became

    for sentence in what_became(shown.profile):
        out.print(f"left out: {sentence}", markup=False)


def _tell_corrections(school: Institute, given: Exported) -> None:
    """Say what is saved otherwise than the file says, because a corporate tenant locks it."""
    from rollbook.acts.tenants import corrections
    from rollbook.profiles.corporate import WHY

    corrected = corrections(school, given.profile)
    for each in corrected:
        out.print(f"Corrected: {each}", markup=False)
    if corrected:
        out.print(f"These settings are locked, because {WHY}.", markup=False)


def _read(file: Path) -> Exported:
    from rollbook.acts.spreadsheet import read_text
    from rollbook.profiles import from_yaml

    return from_yaml(read_text(file))


def _called(file: Path) -> str:
    from rollbook.acts.spreadsheet import STANDARD_INPUT

    return "standard input" if file == STANDARD_INPUT else file.name


@app.command()
def enable(name: Name, institute: InstituteName = None) -> None:
    """Let a profile run in its period; says which other profile it meets."""
    found, author = _found(name, institute)
    from rollbook.acts import profiles
    from rollbook.profiles import timeline

    met = profiles.enable(found, author)
    out.print(f"{found.name} is enabled.", markup=False)
    if met:
        out.print(f"Its period meets that of {', '.join(met)}; of two, the one that starts later runs:", markup=False)
        for stretch in timeline(profiles.slots(found.institute)):
            out.print(f"  {stretch.begin or 'open'} to {stretch.end or 'open'}: {stretch.name}", markup=False)


@app.command()
def disable(name: Name, institute: InstituteName = None) -> None:
    """Let a profile run no more; its settings and history stay."""
    found, author = _found(name, institute)
    from rollbook.acts import profiles

    profiles.disable(found, author)
    out.print(f"{found.name} is disabled.", markup=False)


@app.command()
def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    institute: InstituteName = None,
) -> None:
    """Delete a profile that never ran, with all its versions."""
    found, author = _found(name, institute)
    from rollbook.acts import profiles

    if not yes:
        typer.confirm(
            f"Delete {found.name} with its {counted(found.versions.count(), 'version')}?", abort=True, err=True
        )
    profiles.delete(found, author)
    out.print(f"{found.name} is deleted.", markup=False)


@app.command()
def diff(
    name: Name,
    older: Annotated[int | None, typer.Argument(help="Default: the version before.", show_default=False)] = None,
    newer: Annotated[int | None, typer.Argument(help="Default: the newest version.", show_default=False)] = None,
    institute: InstituteName = None,
    as_json: Json = False,
) -> None:
    """Show what differs between two versions."""
    found, _ = _found(name, institute)
    from rollbook.acts import profiles

    differing = profiles.compare(found, older, newer)
    if as_json:
        print_json([{"path": d.path, "before": d.before, "after": d.after} for d in differing])
        return
    _tell_differences(differing)
    if not differing:
        out.print("They do not differ.")


@app.command()
def restore(
    name: Name,
    version: Annotated[int, typer.Argument(help="The version whose settings are to count again.", show_default=False)],
    institute: InstituteName = None,
) -> None:
    """Save an earlier version's settings as the next version."""
    found, author = _found(name, institute)
    from rollbook.acts import profiles

    before = profiles.newest(found)
    made = profiles.restore(found, version, author)
    out.print(f"The settings of version {version} count again, as version {made.number}.")
    _tell_consequences(found, before, made, author)


@app.command()
def export(
    name: Name,
    file: Annotated[
        Path | None, typer.Argument(help="The file to write. Default, and -: standard output.", show_default=False)
    ] = None,
    version: Annotated[int | None, typer.Option(help="An earlier version.")] = None,
    institute: InstituteName = None,
) -> None:
    """Write a profile as YAML, each setting with its meaning."""
    found, _ = _found(name, institute)
    from rollbook.acts import profiles
    from rollbook.acts.spreadsheet import STANDARD_OUTPUT
    from rollbook.profiles import to_yaml

    text = to_yaml(profiles.exported(found, version))
    if file is None or file == STANDARD_OUTPUT:
        typer.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputRefused(f"{file} cannot be written: {error.strerror}.", remedy="Name another file.") from error


@app.command("import")
def import_(
    file: YamlFile,
    name: Annotated[str | None, typer.Option(help="Another name than the file says.")] = None,
    institute: InstituteName = None,
) -> None:
    """Make a profile from a file; a draft until it is enabled. All mistakes of the file are told at once."""
    school, author = context.author(institute)
    from dataclasses import replace

    from rollbook.acts import profiles

    found = _read(file)
    _tell_corrections(school, found)
    _tell_left_out(found)
    made = profiles.create(school, replace(found, name=name or found.name), author, f"imported from {_called(file)}")
    out.print(f"{made.name} is a draft. Let it run with: rollbook profile enable {made.name!r}", markup=False)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a profile's settings."""
    from rollbook.profiles import Profile

    print_json(Profile.model_json_schema())
