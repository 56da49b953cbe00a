"""`rollbook person`: the register kept by hand - people added, corrected, deactivated, given back to the delivery, shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollbook.cli import context
from rollbook.cli.console import Json, out, print_json
from rollbook.cli.context import InstituteName

if TYPE_CHECKING:
    from rollbook.acts.register import Shown, Typed

app = typer.Typer(help="People kept by hand.", no_args_is_help=True, rich_markup_mode=None)

Who = Annotated[str, typer.Argument(metavar="PERSON", help="Sourced id or SIS number.", show_default=False)]
Text = str | None
Texts = list[str] | None
FirstName = Annotated[Text, typer.Option("--first-name", help="First name; '' empties this and any other.")]
MiddleName = Annotated[Text, typer.Option("--middle-name", help="Middle name.")]
LastName = Annotated[Text, typer.Option("--last-name", help="Last name.")]
PreferredFirst = Annotated[Text, typer.Option("--preferred-first-name", help="The first name they go by.")]
PreferredLast = Annotated[Text, typer.Option("--preferred-last-name", help="The last name they go by.")]
Username = Annotated[Text, typer.Option("--username", help="User name in the school's system.")]
Email = Annotated[Text, typer.Option("--email", help="Contact e-mail.")]
Phone = Annotated[Text, typer.Option("--phone", help="Phone number.")]
SisNumber = Annotated[Text, typer.Option("--sis-number", help="SIS number, of nobody else.")]
ExternalId = Annotated[Text, typer.Option("--external-id", help="The id another system knows them by.")]
RegistrationEnd = Annotated[
    Text, typer.Option("--registration-end", help="Day their registration ends, as 2027-07-01.")
]
Types = Annotated[Texts, typer.Option("--type", help="student, teacher, employee, parent; repeat it for several.")]
Grade = Annotated[Text, typer.Option("--grade", help="Grade, for all their types.")]
GradeType = Annotated[Text, typer.Option("--grade-type", help="Grade type, such as full-time.")]
Stream = Annotated[Text, typer.Option("--stream", help="Stream: track or specialisation.")]
Location = Annotated[Text, typer.Option("--location", help="Location: id, code or name; '' for the institute itself.")]
Department = Annotated[Text, typer.Option("--department", help="Department: id, code or name.")]
Classes = Annotated[Texts, typer.Option("--class", help="A class they are in: id, code or title; repeat it.")]
Children = Annotated[Texts, typer.Option("--child", help="A child of theirs, who is in the register; repeat it.")]


@app.callback()
def person() -> None:
    """People kept by hand: what is said here counts more than any delivery."""


def _typed(params: dict[str, Any]) -> Typed:
    """What was typed, from the command's parameters, which are named like columns."""
    from rollbook.acts.register import LOOKED_UP, Typed
    from rollbook.sources import byhand

    columns = (*byhand.PERSON, *byhand.PLACE, *LOOKED_UP)
    texts = {name: params[name] for name in columns if params.get(name) is not None}
    return Typed(texts, params["types"] or (), params.get("classes") or (), params["children"] or ())


@app.command()
def add(
    ctx: typer.Context,
    sourced_id: Annotated[str, typer.Option("--id", help="Sourced id. Default: a new one.", show_default=False)] = "",
    given_name: FirstName = None,
    middle_name: MiddleName = None,
    family_name: LastName = None,
    preferred_given_name: PreferredFirst = None,
    preferred_family_name: PreferredLast = None,
    username: Username = None,
    email: Email = None,
    phone: Phone = None,
    sis_number: SisNumber = None,
    external_id: ExternalId = None,
    registration_end: RegistrationEnd = None,
    types: Types = None,
    grade: Grade = None,
    grade_type: GradeType = None,
    stream: Stream = None,
    location: Location = None,
    department: Department = None,
    classes: Classes = None,
    children: Children = None,
    institute: InstituteName = None,
) -> None:
    """Add somebody no delivery has. They need a first or last name and a user type."""
    school, author = context.author(institute)
    from rollbook.acts.register import add_person
    from rollbook.store.setup import explained

    with explained():
        done = add_person(school, _typed(ctx.params), author, sourced_id)
    again = " again: the same person as before, with the same account" if done.known else ""
    out.print(f"{done.person} is in the register{again}. The next synchronization sees to the rest.", markup=False)


@app.command()
def edit(
    ctx: typer.Context,
    who: Who,
    given_name: FirstName = None,
    middle_name: MiddleName = None,
    family_name: LastName = None,
    preferred_given_name: PreferredFirst = None,
    preferred_family_name: PreferredLast = None,
    username: Username = None,
    email: Email = None,
    phone: Phone = None,
    sis_number: SisNumber = None,
    external_id: ExternalId = None,
    registration_end: RegistrationEnd = None,
    types: Types = None,
    grade: Grade = None,
    grade_type: GradeType = None,
    stream: Stream = None,
    location: Location = None,
    department: Department = None,
    children: Children = None,
    active: Annotated[bool, typer.Option("--active", help="Active again after they were deactivated.")] = False,
    institute: InstituteName = None,
) -> None:
    """Correct somebody; what is not named stays. Their record is then kept by hand, whatever later deliveries say."""
    school, author = context.author(institute)
    from rollbook.acts.register import edit_person
    from rollbook.store.setup import explained

    with explained():
        done = edit_person(school, who, _typed(ctx.params), author, active=active or None)
    if not done.changed:
        out.print(f"{done.person} is like that already; nothing was changed.", markup=False)
        return
    named = ", ".join(_label(column) for column in done.changed)
    out.print(
        f"{done.person}: {named}. To let the delivery count again: rollbook person reset {done.person}", markup=False
    )


@app.command()
def deactivate(who: Who, institute: InstituteName = None) -> None:
    """Let somebody count as having left, whatever later deliveries say."""
    school, author = context.author(institute)
    from rollbook.acts.register import deactivate_person
    from rollbook.store.setup import explained

    with explained():
        done = deactivate_person(school, who, author)
    out.print(f"{done.person} counts as having left. Take it back with: rollbook person edit {done.person} --active")


@app.command()
def reset(who: Who, institute: InstituteName = None) -> None:
    """Forget all that was said by hand of somebody, enrolments included, so that the delivery counts again."""
    school, author = context.author(institute)
    from rollbook.acts.register import reset_person
    from rollbook.store.setup import explained

    with explained():
        done = reset_person(school, who, author)
    out.print(f"{done.person} is as delivered again; forgotten by hand: {', '.join(done.changed)}.", markup=False)


@app.command()
def show(who: Who, institute: InstituteName = None, as_json: Json = False) -> None:
    """Show somebody as the register has them, and what was said by hand."""
    school, _ = context.author(institute)
    from rollbook.acts.register import shown

    found = shown(school, who)
    if as_json:
        print_json(asdict(found))
        return
    _print(found)


def _label(column: str) -> str:
    """What a column is called where people read."""
    from rollbook.sources import byhand

    known = {**byhand.PERSON, **byhand.PLACE}.get(column)
    return column.replace("_", " ") if known is None else known.name


HANDS = {"no": "as delivered", "corrected": "corrected by hand", "added": "kept by hand"}


def _print(found: Shown) -> None:
    state = "active" if found.active else "not active"
    out.print(f"{found.person}: {state}, {HANDS[found.by_hand]}", style="bold", markup=False)
    for column, value in found.fields.items():
        other = f" (delivered: {found.delivered[column] or 'nothing'})" if column in found.delivered else ""
        if value is not None or other:
            out.print(f"  {_label(column)}: {value or ''}{other}", markup=False)
    for row in found.types:
        places = [
            f"{name.replace('_', ' ')} {value}"
            for name, value in row.items()
            if value and name not in ("type", "by_hand")
        ]
        hand = " (by hand)" if row["by_hand"] else ""
        out.print(f"  {', '.join([row['type'], *places])}{hand}", markup=False)
    for row in found.classes:
        span = f"from {row['begin'] or 'the start'} to {row['end'] or 'no end'}"
        hand = " (by hand)" if row["by_hand"] else ""
        out.print(f"  in {row['class']} {row['title']} as {row['as']}, {span}{hand}", markup=False)
    for label, people in (("parent of", found.children), ("child of", found.parents)):
        if people:
            out.print(f"  {label} {', '.join(people)}", markup=False)
