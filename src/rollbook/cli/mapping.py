"""`rollbook mapping`: what mappings can use, and what those of a profile make of real people, before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from rollbook.cli.console import Json, out, print_json
from rollbook.cli.context import AsOf, InstituteName

if TYPE_CHECKING:
    from rollbook.profiles import Row

app = typer.Typer(help="Mappings: what becomes of people's properties.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def mapping() -> None:
    """Mappings: what becomes of people's properties."""


@app.command("try")
def try_(
    profile: Annotated[str, typer.Argument(help="Name of the profile.", show_default=False)],
    person: Annotated[str | None, typer.Option(help="Sourced id of one person.")] = None,
    sample: Annotated[int, typer.Option(min=1, help="How many people, spread over the register.")] = 20,
    institute: InstituteName = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Show what the mappings make of one person or some, with a warning wherever one gives no usable value."""
    from rollbook.store.setup import open_store

    open_store()  # the modules below need it
    from rollbook.acts import profiles
    from rollbook.acts.mappings import tried
    from rollbook.cli import context
    from rollbook.clock import SystemClock

    school = context.institute(institute)
    day = context.day(as_of, school, SystemClock())
    results = tried(school, profiles.find(school, profile), day, person=person, sample=sample)
    if as_json:
        print_json([{"person": r.person, "name": r.name, "values": r.values, "warnings": r.warnings} for r in results])
        return
    for result in results:
        out.print(f"{result.name} ({result.person})", style="bold", markup=False)
        for target, value in result.values.items():
            warning = result.warnings.get(target)
            shown = " ".join(part for part in (value, f"!! {warning}" if warning else "") if part)
            out.print(f"  {target}: {shown}", markup=False)


@app.command()
def properties(
    of: Annotated[str, typer.Option(help="What is mapped: people, teams, or a level such as grade.")] = "people",
    profile: Annotated[
        str | None, typer.Option(help="Name of a profile: what it maps already is marked.", show_default=False)
    ] = None,
    hierarchy: Annotated[str, typer.Option(help="Of a level: the hierarchy general, student or teacher.")] = "general",
    institute: InstituteName = None,
    as_json: Json = False,
) -> None:
    """List what mappings can use: properties of people, teams or a level, targets, functions of expressions."""
    from rollbook.profiles import mappable
    from rollbook.profiles.expressions import FUNCTIONS
    from rollbook.profiles.users import NAME_SHAPES

    kind = mappable(of)
    names = NAME_SHAPES if of == "people" else {}
    grey = {choice.target: choice.grey for choice in kind.choices(_mapped_by(profile, of, hierarchy, institute))}
    if as_json:
        targets = {
            n: {"meaning": t.meaning, "longest": t.longest, "required": t.required, "grey": grey[n]}
            for n, t in kind.targets.items()
        }
        functions = {n: {"meaning": f.meaning, "example": f.example[0]} for n, f in FUNCTIONS.items()}
        print_json(
            {
                "properties": kind.properties,
                "targets": targets,
                "locked": kind.locked,
                "functions": functions,
                "user_names": names,
            }
        )
        return
    targets_said = {
        name: f"{target.meaning} At most {target.longest} characters{f', {grey[name]}' if grey[name] else ''}."
        for name, target in kind.targets.items()
    }
    _listed(f"Properties of {kind.of}", kind.properties)
    _listed(f"Targets of {kind.into}", targets_said)
    _listed("Set elsewhere, so no mapping can", {name: f"{why}." for name, why in kind.locked.items()})
    _listed("What a user name can be made of, beside expressions", names)
    _listed(
        "Functions of expressions",
        {name: f"{each.meaning} {each.example[0]} gives {each.example[2]}" for name, each in FUNCTIONS.items()},
    )


def _listed(title: str, entries: Mapping[str, str]) -> None:
    """Print a list under its title; nothing if it is empty."""
    if entries:
        out.print(title, style="bold")
    for name, meaning in entries.items():
        out.print(f"  {name}: {meaning}", markup=False)


def _mapped_by(profile: str | None, of: str, hierarchy: str, institute: str | None) -> Mapping[str, Row]:
    """The rows a profile has about this; none where no profile is named."""
    if profile is None:
        return {}
    from rollbook.store.setup import open_store

    open_store()  # the modules below need it
    from rollbook.acts import profiles
    from rollbook.cli import context
    from rollbook.profiles import rows_of

    found = profiles.find(context.institute(institute), profile)
    return rows_of(profiles.exported(found).profile, of, hierarchy)
