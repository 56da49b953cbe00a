"""Pages for people: what a tenant holds, searchable, what was asked of it, and the switches. Plainly marked as emulated."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from urllib.parse import parse_qs

from .calls import roster
from .control import Control, overview
from .graph import Graph
from .layout import PAGES, address, form, frame, table
from .odata.entities import is_class
from .switches import Switches
from .tenant.tenant import Tenant
from .wire import Answer, Record

SHOWN = 100


class Pages:
    """The tenant pages of one emulator."""

    def __init__(self, graph: Graph, control: Control) -> None:
        self._graph = graph
        self._switches = Switches(graph, control)

    def answer(self, method: str, path: str, query: str, body: bytes, origin: str | None, host: str) -> Answer | None:
        """The page at this path; None if there is none. Switches are posted from these pages only."""
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        tenant = self._graph.cloud.named(asked.get("tenant", "")) or next(iter(self._graph.cloud.tenants.values()))
        if method == "POST" and path == "/switches":
            if origin is not None and origin != host:
                return Answer(403, frame(tenant, "Refused", "<p>This form was not sent from this page.</p>", asked))
            return self._switches.turn(
                tenant, {n: v[0] for n, v in parse_qs(body.decode("utf-8", "replace")).items()}, asked
            )
        if method != "GET":
            return None
        pages: dict[str, Callable[[Tenant, dict[str, str]], str]] = {
            "/": self._overview,
            "/users": self._users,
            "/groups": self._groups,
            "/teams": self._teams,
            "/activity": self._activity,
            "/switches": self._switches.page,
        }
        if path in pages:
            title = PAGES[path]
            return Answer(200, frame(tenant, title, pages[path](tenant, asked), asked))
        if path.startswith(("/groups/", "/teams/")):
            group = tenant.groups.get(path.rpartition("/")[2])
            if group is not None:
                return Answer(200, frame(tenant, str(group["displayName"]), self._group(tenant, group, asked), asked))
        if path.startswith("/users/"):
            user = tenant.users.get(path.rpartition("/")[2])
            if user is not None:
                return Answer(200, frame(tenant, str(user["displayName"]), self._user(tenant, user, asked), asked))
        return None

    def _overview(self, tenant: Tenant, asked: dict[str, str]) -> str:
        held = overview(self._graph, tenant)
        names = (
            ("users", "users", "/users"),
            ("licensed", "licensed", "/users"),
            ("groups", "groups", "/groups"),
            ("classes", "classes", "/groups"),
            ("teams", "teams", "/teams"),
            ("memberships", "memberships", "/groups"),
            ("deleted", "deleted", "/activity"),
        )
        cards = "".join(
            f'<div class="card"><a href="{address(page, asked)}"><b>{held[key]:,}</b>{label}</a></div>'
            for key, label, page in names
        )
        licences = ([part, f"{n['used']:,}", f"{n['bought'] - n['used']:,}"] for part, n in held["licences"].items())
        counted = self._graph.counters.report()
        calls = ([kind, f"{count:,}"] for kind, count in list(counted["by_kind"].items())[:12])
        others = "".join(
            f'<li><a href="/?tenant={escape(other.id)}">{escape(other.name)}</a></li>'
            for other in self._graph.cloud.tenants.values()
            if other is not tenant
        )
        return (
            f'<div class="cards">{cards}</div><p class="soft">Domains: {escape(", ".join(held["domains"]))}. '
            f"Its clock: {escape(held['now'])}.</p>"
            f"<h2>Licences</h2>{table(('licence', 'used', 'free'), licences)}"
            f"<h2>Quotas in use</h2>{self._quotas(tenant)}"
            "<h2>Calls since the last reset</h2>"
            f'<p class="soft">{counted["requests"]:,} requests, {counted["writes"]:,} writes, {counted["reads"]:,} reads; '
            f"{counted['least_writes']:,} writes would have done.</p>"
            f"{table(('call', 'times'), calls)}" + (f"<h2>Other tenants</h2><ul>{others}</ul>" if others else "")
        )

    def _quotas(self, tenant: Tenant) -> str:
        if not self._graph.quotas.active:
            return '<p class="soft">Quotas are switched off.</p>'
        rows = [
            [escape(_quota(tenant, name)), _meter(used)]
            for name, used in sorted(self._graph.quotas.usage().items(), key=lambda item: -item[1])[:8]
            if used > 0
        ]
        if not rows:
            return '<p class="soft">None is in use just now.</p>'
        return table(("quota", "in use"), rows, plain=False)

    def _users(self, tenant: Tenant, asked: dict[str, str]) -> str:
        search = asked.get("search", "")
        parts = {sku["skuId"]: sku["skuPartNumber"] for sku in tenant.skus.values()}
        rows = [
            [
                f'<a href="{address("/users/" + user["id"], asked)}">{escape(str(user["displayName"]))}</a>',
                escape(str(user["userPrincipalName"])),
                "enabled" if user["accountEnabled"] else '<span class="bad">disabled</span>',
                escape(", ".join(parts[licence["skuId"]] for licence in user["assignedLicenses"])),
            ]
            for user in _first(_matching(tenant.users.values(), search, "userPrincipalName"))
        ]
        return _search("/users", search, asked) + table(("name", "user name", "sign-in", "licences"), rows, plain=False)

    def _user(self, tenant: Tenant, user: Record, asked: dict[str, str]) -> str:
        shown = [
            [name, str(value)]
            for name, value in sorted(user.items())
            if not name.startswith("_") and value not in (None, "", [], {})
        ]
        groups = [tenant.groups.get(key) for key in tenant.members.to(user["id"])]
        rows = [
            [_link(group, asked), "owner" if user["id"] in tenant.owners.of(group["id"]) else "member"]
            for group in groups
            if group is not None
        ]
        return f"{table(('property', 'value'), shown)}<h2>Groups</h2>{table(('group', 'as'), rows, plain=False)}"

    def _groups(self, tenant: Tenant, asked: dict[str, str]) -> str:
        search = asked.get("search", "")
        return _search("/groups", search, asked) + self._group_rows(tenant, tenant.groups.values(), search, asked)

    def _teams(self, tenant: Tenant, asked: dict[str, str]) -> str:
        search = asked.get("search", "")
        found = (group for group in tenant.groups.values() if "_team" in group)
        return _search("/teams", search, asked) + self._group_rows(tenant, found, search, asked)

    def _group_rows(self, tenant: Tenant, found: Iterable[Record], search: str, asked: dict[str, str]) -> str:
        rows = []
        for group in _first(_matching(found, search, "mailNickname")):
            key = group["id"]
            owners, members = len(tenant.owners.of(key)), len(tenant.members.of(key))
            rows.append([_link(group, asked), _kind(group), f"{owners:,}", f"{members:,}", _state(tenant, group)])
        return table(("name", "kind", "owners", "members", "team"), rows, plain=False)

    def _group(self, tenant: Tenant, group: Record, asked: dict[str, str]) -> str:
        owners, members = tenant.owners.of(group["id"]), tenant.members.of(group["id"])
        held = {user["id"]: owner for user, owner in roster.people(tenant, group)} if "_team" in group else {}
        rows = []
        for target in {**owners, **members, **held}:
            person = tenant.users.get(target) or tenant.groups.get(target)
            if person is None:
                continue
            inside = "owner" if target in owners else "member" if target in members else "no longer"
            seen = ("owner" if held[target] else "member") if target in held else "not yet"
            row = [str(person["displayName"]), str(person.get("userPrincipalName", "a group")), inside]
            rows.append([*row, seen] if "_team" in group else row)
        heads = ("name", "user name", "in the group")
        button = ""
        if "_team" in group and group["_team"]["locked"]:
            button = form(
                asked,
                "activate",
                f'<input type="hidden" name="team" value="{group["id"]}">',
                "Activate, as its teacher would",
            )
        return (
            f'<p class="soft">{escape(_kind(group))}; {escape(_state(tenant, group))}. In the group: {_several(len(owners), "owner")} and '
            f"{_several(len(members), 'member')}{f'; on the roster of its team: {len(held):,}' if '_team' in group else ''}.</p>"
            f"{button}{table((*heads, 'on the roster') if '_team' in group else heads, rows)}"
        )

    def _activity(self, _: Tenant, asked: dict[str, str]) -> str:
        refused = asked.get("refused") == "1"
        entries = self._graph.transcript.latest(SHOWN, refused=refused)
        rows = [
            [
                f"{entry.number:,}",
                escape(f"{entry.method} {entry.address}"),
                f'<span class="{"bad" if entry.status >= 400 else ""}">{entry.status}</span>',
                escape(f"{entry.code}: {entry.reason}" if entry.code else ""),
            ]
            for entry in entries
        ]
        other = address("/activity", asked | {"refused": "0" if refused else "1"})
        said = "Show all" if refused else "Show only what was refused"
        return (
            f'<p class="soft">The last {SHOWN} requests, the newest first. <a href="{other}">{said}</a></p>'
            f"{table(('number', 'request', 'answer', 'why'), rows, plain=False)}"
        )


def _matching(found: Iterable[Record], search: str, also: str) -> Iterable[Record]:
    wanted = search.casefold()
    return (
        record
        for record in found
        if wanted in str(record["displayName"]).casefold() or wanted in str(record.get(also)).casefold()
    )


def _link(group: Record, asked: dict[str, str]) -> str:
    where = "/teams/" if "_team" in group else "/groups/"
    return f'<a href="{address(where + group["id"], asked)}">{escape(str(group["displayName"]))}</a>'


def _kind(group: Record) -> str:
    if is_class(group):
        return "class"
    return "Microsoft 365 group" if "Unified" in group["groupTypes"] else "security group"


def _state(tenant: Tenant, group: Record) -> str:
    if "_team" not in group:
        return "no team"
    if tenant.clock.now() < group["_team"]["ready"]:
        return "is being made"
    if group["_team"]["locked"]:
        return "waits for a teacher to activate it"
    return "archived" if group["_team"].get("archived") else "active"


def _quota(tenant: Tenant, name: str) -> str:
    """What a quota limits, and for whom, without ids."""
    words = [word for word in name.split() if word.count("-") < 4]
    whom = (
        " of one application in this tenant" if "/" in name else " of this tenant" if name.endswith(tenant.id) else ""
    )
    return " ".join(words) + (whom or " of one application everywhere")


def _meter(used: float) -> str:
    return f'<meter min="0" max="1" high="0.8" value="{min(used, 1):.3f}">{used:.0%}</meter> {used:.0%}'


def _several(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _first(found: Iterable[Record]) -> list[Record]:
    return [record for _, record in zip(range(SHOWN), found, strict=False)]


def _search(path: str, search: str, asked: dict[str, str]) -> str:
    kept = f'<input type="hidden" name="tenant" value="{escape(asked["tenant"])}">' if "tenant" in asked else ""
    return (
        f'<form class="search" action="{path}" role="search">{kept}<input name="search" aria-label="Search by name" '
        f'placeholder="Search by name" value="{escape(search)}"><button>Search</button></form>'
        f'<p class="soft">At most {SHOWN} are shown.</p>'
    )
