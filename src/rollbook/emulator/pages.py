"""Pages for people: what the emulated tenant holds, searchable, plainly marked as emulated. No script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from urllib.parse import quote

from .calls import education, teams
from .control import overview
from .graph import Graph
from .wire import Record

SHOWN = 100

STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d6dbe1;--paper:#fff;--back:#f4f6f8;--mark:#7a4a00;--markback:#fff1d6;
--link:#0b5cad}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa5b1;--line:#343c46;--paper:#161b22;--back:#0d1117;--mark:#ffd58a;
--markback:#3a2a08;--link:#7ab8ff}}
*{box-sizing:border-box}body{margin:0;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back)}
.mark{background:var(--markback);color:var(--mark);padding:.4rem 1rem;font-size:.875rem}
main{max-width:64rem;margin:0 auto;padding:1rem}
a{color:var(--link)}h1{font-size:1.5rem;margin:.5rem 0 1rem}h2{font-size:1.15rem}
nav a{margin-right:1rem}.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(8.5rem,1fr));gap:.75rem}
.card{background:var(--paper);border:1px solid var(--line);border-radius:.5rem;padding:.75rem}.card b{display:block;font-size:1.5rem}
.soft{color:var(--soft)}.scroll{overflow-x:auto;background:var(--paper);border:1px solid var(--line);border-radius:.5rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.45rem .75rem;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}form{margin:0 0 1rem;display:flex;gap:.5rem;flex-wrap:wrap}
input{font:inherit;padding:.35rem .6rem;border:1px solid var(--line);border-radius:.375rem;background:var(--paper);
color:inherit;min-width:0;
flex:1 1 12rem}button{font:inherit;padding:.35rem .9rem}
"""


def page(graph: Graph, path: str, search: str) -> str | None:
    """The HTML page at this path; None if there is none."""
    if path == "/":
        return _frame(graph, "Overview", _overview(graph))
    if path == "/users":
        return _frame(graph, "Users", _users(graph, search))
    if path == "/teams":
        return _frame(graph, "Teams", _teams(graph, search))
    if path.startswith("/teams/"):
        group = graph.tenant.groups.get(path.removeprefix("/teams/"))
        return None if group is None else _frame(graph, str(group["displayName"]), _team(graph, group))
    return None


def _frame(graph: Graph, title: str, content: str) -> str:
    name = escape(graph.tenant.config.tenant_name)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} - {name} (emulated)</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{STYLE}</style></head><body>'
        '<div class="mark" role="note">Emulated Microsoft 365: nothing here is real, and nothing leaves this machine.</div>'
        f'<main><nav aria-label="Pages"><a href="/">{name}</a><a href="/users">Users</a><a href="/teams">Teams</a></nav>'
        f"<h1>{escape(title)}</h1>{content}</main></body></html>"
    )


def _overview(graph: Graph) -> str:
    held = overview(graph)
    names = (
        ("users", "users"),
        ("licensed", "licensed"),
        ("groups", "groups"),
        ("classes", "classes"),
        ("teams", "teams"),
    )
    cards = "".join(f'<div class="card"><b>{held[key]:,}</b>{label}</div>' for key, label in names)
    cards += f'<div class="card"><b>{held["memberships"]:,}</b>memberships</div>'
    licences = ([part, f"{n['used']:,}", f"{n['bought'] - n['used']:,}"] for part, n in held["licences"].items())
    counted = graph.counters.report()
    calls = ([kind, f"{count:,}"] for kind, count in list(counted["by_kind"].items())[:12])
    return (
        f'<div class="cards">{cards}</div><p class="soft">Domains: {escape(", ".join(held["domains"]))}</p>'
        f"<h2>Licences</h2>{_table(('licence', 'used', 'free'), licences)}"
        f"<h2>Calls since the last reset</h2>"
        f'<p class="soft">{counted["requests"]:,} requests, {counted["writes"]:,} writes, {counted["reads"]:,} reads</p>'
        f"{_table(('call', 'times'), calls)}"
    )


def _users(graph: Graph, search: str) -> str:
    wanted = search.casefold()
    found = (
        user
        for user in graph.tenant.users.values()
        if wanted in str(user["displayName"]).casefold() or wanted in str(user["userPrincipalName"]).casefold()
    )
    parts = {sku["skuId"]: sku["skuPartNumber"] for sku in graph.tenant.skus.values()}
    rows = (
        [
            str(user["displayName"]),
            str(user["userPrincipalName"]),
            "enabled" if user["accountEnabled"] else "disabled",
            ", ".join(parts[licence["skuId"]] for licence in user["assignedLicenses"]),
        ]
        for user in _first(found)
    )
    return _search("/users", search) + _table(("name", "user name", "sign-in", "licences"), rows)


def _teams(graph: Graph, search: str) -> str:
    found = (
        group
        for group in graph.tenant.groups.values()
        if "_team" in group and search.casefold() in str(group["displayName"]).casefold()
    )
    rows = []
    for group in _first(found):
        key = group["id"]
        link = f'<a href="/teams/{quote(key)}">{escape(str(group["displayName"]))}</a>'
        owners, members = len(graph.tenant.owners.of(key)), len(graph.tenant.members.of(key))
        rows.append([link, f"{owners:,}", f"{members:,}", _state(group)])
    return _search("/teams", search) + _table(("team", "owners", "members", "state"), rows, plain=False)


def _state(group: Record) -> str:
    return "waits for a teacher to activate it" if group["_team"]["locked"] else "active"


def _team(graph: Graph, group: Record) -> str:
    tenant, key = graph.tenant, group["id"]
    owners = tenant.owners.of(key)
    rows = [
        [str(user["displayName"]), str(user["userPrincipalName"]), "owner" if user["id"] in owners else "member"]
        for target in {**owners, **tenant.members.of(key)}
        if (user := tenant.users.get(target)) is not None
    ]
    kind = "Class team" if education.is_class(group) else "Team"
    roster = len(teams.roster(tenant, group)) if "_team" in group else 0
    state = _state(group) if "_team" in group else "a group without a team"
    return (
        f'<p class="soft">{kind}, {escape(state)}. {len(rows):,} people in the group, {roster:,} on the team\'s own roster.</p>'
        f"{_table(('name', 'user name', 'role'), rows)}"
    )


def _first(found: Iterable[Record]) -> list[Record]:
    return [record for _, record in zip(range(SHOWN), found, strict=False)]


def _search(path: str, search: str) -> str:
    return (
        f'<form action="{path}" role="search"><input name="search" aria-label="Search by name" placeholder="Search by name" '
        f'value="{escape(search)}"><button>Search</button></form><p class="soft">At most {SHOWN} are shown.</p>'
    )


def _table(heads: tuple[str, ...], rows: Iterable[list[str]], *, plain: bool = True) -> str:
    """A table; cells are text unless `plain` is off, then the caller has escaped them."""
    head = "".join(f'<th scope="col">{cell}</th>' for cell in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(c) if plain else c}</td>' for c in row)}</tr>" for row in rows)
    empty = f'<tr><td colspan="{len(heads)}" class="soft">Nothing yet.</td></tr>'
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body or empty}</tbody></table></div>'
