"""`rollbook teams` and `rollbook tree`: what a profile makes of the register, looked at before anything is made."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from rollbook.cli import context
from rollbook.cli.console import Json, err, out, print_json, refuse_both
from rollbook.cli.context import AsOf, InstituteName
from rollbook.errors import InputRefused
from rollbook.words import counted

if TYPE_CHECKING:
    from rollbook.acts.structure import Hierarchies, Left, Request, Team, Teams

SHOWN = 60
OWNERS_SHOWN = 3
ALIKE = (
    "Teams of one name cannot be told apart in Microsoft Teams. Give them names that differ: teams.mappings.display_name, "
    "for example the expression {{ name }} ({{ code }}); see `rollbook mapping properties`."
)
CALLED = {"general": "Everybody", "student": "Students", "teacher": "Teachers"}
KINDS = {
    "security": "security groups, each in the one above it",
    "unified": "Microsoft 365 groups, each with everybody below",
}

ProfileName = Annotated[str, typer.Argument(help="Name of the profile; it need not be enabled.", show_default=False)]
Everything = Annotated[bool, typer.Option("--all", help="Show all, not only the first.")]


def _request(profile: str, institute: str | None, as_of: str | None) -> tuple[Request, Any]:
    school, author = context.author(institute)
    from rollbook.acts.structure import Request

    return Request(school, profile, context.day(as_of, school, author.clock)), author


def teams(
    profile: ProfileName,
    left: Annotated[bool, typer.Option("--left", help="The teams that are no longer managed, and why.")] = False,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write all as CSV; - for standard output.")
    ] = None,
    everything: Everything = False,
    institute: InstituteName = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Show the teams a profile makes: names, owners, members, and what each still waits for. Changes nothing."""
    refuse_both(csv, as_json=as_json)
    request, author = _request(profile, institute, as_of)
    from rollbook.acts.spreadsheet import STANDARD_OUTPUT, write_table
    from rollbook.acts.structure import left_as_csv, teams_as_csv, teams_of
    from rollbook.store.setup import explained

    with explained():
        found = teams_of(request)
    if csv is not None:
        text, rows = (left_as_csv if left else teams_as_csv)(found)
        author.note(request.institute, "teams.exported", {"rows": rows, "left": left})
        if csv == STANDARD_OUTPUT:
            typer.echo(text, nl=False)
            return
        write_table(csv, text)
        err.print(f"{counted(rows, 'row is', 'rows are')} written to {csv}.", markup=False)
    elif as_json:
        print_json(_teams_document(found, request))
    elif left:
        _print_left(found.left, everything=everything)
        what = counted(len(found.left), "team is", "teams are")
        out.print(f"{what} no longer managed; nobody is added to them or removed from them.", style="bold")
        if found.left:
            first = shlex.quote(found.left[0].handle)
            out.print(f"Archive one: rollbook rollover archive {first}", markup=False)
            out.print(
                "Let one go on as next year's: rollbook rollover continue OLD NEW, as `rollbook rollover` proposes"
            )
    else:
        _print_teams(found, None if everything else SHOWN)


def _teams_document(found: Teams, request: Request) -> dict[str, Any]:
    return {
        "profile": found.profile,
        "as_of": request.day,
        "mode": found.mode,
        "plan": found.run,
        "teams": [_team_row(team) for team in found.teams],
        "left": [_left_row(each) for each in found.left],
    }


def _team_row(team: Team) -> dict[str, Any]:
    return {
        "team": team.name,
        "sourced_id": team.sourced_id,
        "code": team.code,
        "academic_period": team.academic_period,
        "kind": team.kind,
        "made": team.made,
        "owners": [
            {"sourced_id": each.sourced_id, "name": each.name, "waits": each.waits or None} for each in team.owners
        ],
        "members": len(team.members),
        "member_ids": team.members,
        "held": team.held,
        "waits_for": team.waits,
        "warnings": team.warnings,
    }


def _left_row(each: Left) -> dict[str, Any]:
    return {"name": each.name, "id": each.handle, "reason": each.reason, "archived": each.archived}


def _print_teams(found: Teams, limit: int | None) -> None:
    """The teams in a table, what waits first where it is cut."""
    cut = limit is not None and len(found.teams) > limit
    shown = sorted(found.teams, key=lambda team: not team.waits)[:limit] if cut else found.teams
    if shown:
        out.print(_team_table(shown))
    if cut:
        out.print(
            f"... and {len(found.teams) - len(shown):,} more; all of them with --all, --json or --csv", style="dim"
        )
    waiting = sum(1 for team in found.teams if team.waits)
    if found.mode == "nothing":
        out.print(f"By the profile {found.profile} nothing becomes a team.", markup=False)
    by = f" (what accounts wait for is by the plan of run {found.run})" if found.run else ""
    out.print(f"{counted(len(found.teams), 'team')}, {waiting:,} waiting for something{by}.", style="bold")
    if any(team.alike for team in found.teams):
        out.print(ALIKE, markup=False)
    if found.left:
        told = f"{counted(len(found.left), 'team')} there and no longer managed"
        out.print(f"{told}: rollbook teams {found.profile!r} --left", markup=False)


def _team_table(teams: Sequence[Team]) -> Table:
    several = len({team.academic_period for team in teams}) > 1
    table = Table(box=None, pad_edge=False)
    for name in ("team", "id", *(["period"] if several else []), "owners"):
        table.add_column(name, overflow="fold")
    table.add_column("members", justify="right")
    table.add_column("waits for", overflow="fold")
    for team in teams:
        names = [each.name for each in team.owners[:OWNERS_SHOWN]]
        more = f" and {len(team.owners) - OWNERS_SHOWN} more" if len(team.owners) > OWNERS_SHOWN else ""
        told = "\n".join([*team.waits, *(f"look: {warning}" for warning in team.warnings)])
        period = [team.academic_period or ""] if several else []
        cells = (team.name, team.sourced_id or "", *period, ", ".join(names) + more, f"{len(team.members):,}", told)
        table.add_row(*map(escape, cells))
    return table


def _print_left(left: tuple[Left, ...], *, everything: bool) -> None:
    """One line each, with what other commands take for it."""
    limit = None if everything else SHOWN
    for each in left[:limit]:
        archived = " (archived)" if each.archived else ""
        out.print(f"{each.name}, {shlex.quote(each.handle)}: {each.reason}{archived}", markup=False)
    if limit is not None and len(left) > limit:
        out.print(f"... and {len(left) - limit:,} more; all of them with --all or --json", style="dim")


def tree(
    profile: ProfileName,
    hierarchy: Annotated[
        str | None, typer.Option("--hierarchy", help=f"Only one: {', '.join(CALLED)}.", show_default=False)
    ] = None,
    people: Annotated[
        str | None, typer.Option("--people", metavar="NODE", help="Who is in a node, by its path, name or key.")
    ] = None,
    institute: InstituteName = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Show the groups a profile makes of the school's structure, with the people of each. Changes nothing."""
    if hierarchy is not None and hierarchy not in CALLED:
        raise InputRefused(f"There is no hierarchy {hierarchy!r}.", remedy=f"Choose one of: {', '.join(CALLED)}.")
    request, _ = _request(profile, institute, as_of)
    from rollbook.acts.structure import tree_of
    from rollbook.store.setup import explained

    with explained():
        found = tree_of(request)
    if people is not None:
        _tell_people(found.only(hierarchy), people, as_json=as_json)
    elif as_json:
        print_json(_tree_document(found.only(hierarchy), request))
    else:
        _print_tree(found.only(hierarchy))


def _tell_people(found: Hierarchies, text: str, *, as_json: bool) -> None:
    node = found.node(text)
    rows = found.people(node["node"]).to_dicts()
    if as_json:
        print_json({"node": node["key"], "path": node["label"], "people": rows})
        return
    for row in rows:
        below = "" if row["direct"] else " (in a node below)"
        out.print(f"{row['sourced_id']:<14} {row['name']}{below}", markup=False)
    out.print(
        f"{node['label']}: {counted(len(rows), 'person', 'people')}, {node['direct']:,} of them directly in it",
        style="bold",
        markup=False,
    )


def _tree_document(found: Hierarchies, request: Request) -> dict[str, Any]:
    paths = dict(found.tree.nodes.select("node", "key").iter_rows())
    return {
        "profile": found.profile,
        "as_of": request.day,
        "nodes": [
            {
                "key": row["key"],
                "hierarchy": row["hierarchy"],
                "group_type": row["group_type"],
                "level": row["level"],
                "path": row["label"],
                "name": row["name"],
                "parent": paths.get(row["parent"]),
                "group": row["called"],
                "people": row["people"],
                "direct": row["direct"],
                "problems": found.problems.get(row["node"], []),
                "same_name": row["same_name"],
            }
            for row in found.tree.nodes.iter_rows(named=True)
        ],
        "left_out": found.left_out,
        "left": [_left_row(each) for each in found.left],
    }


def _print_tree(found: Hierarchies) -> None:
    shown = ""
    for row in found.tree.nodes.iter_rows(named=True):
        if row["hierarchy"] != shown:
            shown = row["hierarchy"]
            out.print(f"{CALLED[shown]}: {KINDS[row['group_type']]}", style="bold")
        _print_node(row, found)
    for sentence in found.left_out:
        out.print(sentence, markup=False)
    nodes = found.tree.nodes
    if nodes.is_empty():
        out.print(f"The profile {found.profile} has no hierarchy with a level, or nobody is on any.", markup=False)
    failing, alike = len(found.problems), nodes.filter(nodes["same_name"] > 1).height
    out.print(
        f"{counted(nodes.height, 'group')}, {failing:,} without a usable value, {alike:,} called like another",
        style="bold",
    )
    if found.left:
        out.print("There, and no longer of any use for this profile:", style="bold")
        _print_left(found.left, everything=False)
        out.print(
            f"{counted(len(found.left), 'group is', 'groups are')} left over. Nothing is deleted here; "
            "delete what nobody needs at Microsoft."
        )


def _print_node(row: dict[str, Any], found: Hierarchies) -> None:
    people = counted(row["people"], "person", "people")
    direct = "" if row["direct"] == row["people"] else f", {row['direct']:,} of them directly in it"
    group = f" -> {row['called']}" if row["called"] not in (None, row["name"], row["label"]) else ""
    level = row["level"].replace("_", " ")
    indent = "  " * row["depth"]
    out.print(f"{indent}{row['name']} ({level}): {people}{direct}{group}", markup=False)
    for problem in found.problems.get(row["node"], ()):
        out.print(f"{indent}  look: no group, a mapping gives no usable value for {problem}", markup=False)
    if row["same_name"] > 1:
        out.print(f"{indent}  look: {row['same_name']} groups would be called {row['called']}", markup=False)
