"""`rollbook mapping`: what a profile's mappings make of real people, before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rollbook.cli.console import Json, out, print_json
from rollbook.cli.context import AsOf, InstituteName

if TYPE_CHECKING:
    from rollbook.profiles import Mapping

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
    profile: Annotated[
        str | None, typer.Option(help="Name of a profile: what it maps already is marked.", show_default=False)
    ] = None,
    institute: InstituteName = None,
    as_json: Json = False,
) -> None:
    """List what mappings can use: properties of people, targets of accounts, functions of expressions."""
    from rollbook.profiles import PROPERTIES, TARGETS
    from rollbook.profiles.expressions import FUNCTIONS
    from rollbook.profiles.mappings import LOCKED, OF_PEOPLE
    from rollbook.profiles.users import NAME_SHAPES

    grey = {choice.target: choice.grey for choice in OF_PEOPLE.choices(_mapped_by(profile, institute))}
    if as_json:
        targets = {
            n: {"meaning": t.meaning, "longest": t.longest, "required": t.required, "grey": grey[n]}
            for n, t in TARGETS.items()
        }
        functions = {n: {"meaning": f.meaning, "example": f.example[0]} for n, f in FUNCTIONS.items()}
        print_json(
            {
                "properties": PROPERTIES,
                "targets": targets,
                "locked": LOCKED,
                "functions": functions,
                "user_names": NAME_SHAPES,
            }
        )
        return
    out.print("Properties of people", style="bold")
    for name, meaning in PROPERTIES.items():
        out.print(f"  {name}: {meaning}", markup=False)
    out.print("Targets of accounts", style="bold")
    for name, target in TARGETS.items():
        why = f", {grey[name]}" if grey[name] else ""
        out.print(f"  {name}: {target.meaning} At most {target.longest} characters{why}.", markup=False)
    out.print("Set elsewhere, so no mapping can", style="bold")
    for name, why in LOCKED.items():
        out.print(f"  {name}: {why}.", markup=False)
    out.print("What a user name can be made of, beside expressions", style="bold")
    for name, meaning in NAME_SHAPES.items():
        out.print(f"  {name}: {meaning}", markup=False)
    out.print("Functions of expressions", style="bold")
    for name, function in FUNCTIONS.items():
        out.print(f"  {name}: {function.meaning} {function.example[0]} gives {function.example[2]}", markup=False)


def _mapped_by(profile: str | None, institute: str | None) -> dict[str, Mapping]:
    """The mappings of a profile; none where none is named."""
    if profile is None:
        return {}
    from rollbook.store.setup import open_store

    open_store()  # the modules below need it
    from rollbook.acts import profiles
    from rollbook.cli import context

    found = profiles.find(context.institute(institute), profile)
    return dict(profiles.exported(found).profile.users.mappings)
