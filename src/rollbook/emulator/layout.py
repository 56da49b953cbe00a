"""What all tenant pages have in common: the frame, addresses within a tenant, tables, forms. No script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from urllib.parse import quote, urlencode

from .tenant.tenant import Tenant

STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d6dbe1;--paper:#fff;--back:#f4f6f8;--mark:#7a4a00;--markback:#fff1d6;
--link:#0b5cad;--bad:#a40e26}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa5b1;--line:#343c46;--paper:#161b22;--back:#0d1117;--mark:#ffd58a;
--markback:#3a2a08;--link:#7ab8ff;--bad:#ff9aa2}}
*{box-sizing:border-box}body{margin:0;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back)}
.mark{background:var(--markback);color:var(--mark);padding:.4rem 1rem;font-size:.875rem}
main{max-width:68rem;margin:0 auto;padding:1rem}
a{color:var(--link)}h1{font-size:1.5rem;margin:.5rem 0 1rem}h2{font-size:1.15rem;margin:1.5rem 0 .5rem}
nav a[aria-current]{font-weight:700;text-decoration:none;color:inherit}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(8.5rem,1fr));gap:.75rem}
.card{background:var(--paper);border:1px solid var(--line);border-radius:.5rem;padding:.75rem}.card b{display:block;font-size:1.5rem}
.card a{text-decoration:none}.soft{color:var(--soft)}.bad{color:var(--bad)}
.scroll{overflow-x:auto;background:var(--paper);border:1px solid var(--line);border-radius:.5rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.45rem .75rem;border-bottom:1px solid var(--line);vertical-align:top}
td{overflow-wrap:break-word;max-width:32rem}
tr:last-child td{border-bottom:0}form{margin:0 0 1rem;display:flex;gap:.5rem;flex-wrap:wrap;align-items:end}
input,select{font:inherit;padding:.35rem .6rem;border:1px solid var(--line);border-radius:.375rem;background:var(--paper);
color:inherit;min-width:0;max-width:100%}
form.search input{flex:1 1 12rem}
button{font:inherit;padding:.35rem .9rem;border-radius:.375rem;border:1px solid var(--link);background:none;
color:var(--link);cursor:pointer}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}label{display:block;font-size:.875rem}
.switch{background:var(--paper);border:1px solid var(--line);border-radius:.5rem;padding:.75rem 1rem;margin:.75rem 0}.switch form{margin:0}
meter{width:8rem}
"""
PAGES = {
    "/": "Overview",
    "/users": "Users",
    "/groups": "Groups",
    "/teams": "Teams",
    "/activity": "Activity",
    "/switches": "Switches",
}


def frame(tenant: Tenant, title: str, content: str, asked: dict[str, str]) -> str:
    """A whole page, with the way to the others."""
    name = escape(tenant.name)
    links = "".join(
        f'<a href="{address(path, asked)}"{" aria-current=" + chr(34) + "page" + chr(34) if label == title else ""}>{label}</a>'
        for path, label in PAGES.items()
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} - {name} (emulated)</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{STYLE}</style></head><body>'
        '<div class="mark" role="note">Emulated Microsoft 365: nothing here is real, and nothing leaves this machine.</div>'
        f'<main><p class="soft">{name}</p><nav aria-label="Pages">{links}</nav>'
        f"<h1>{escape(title)}</h1>{content}</main></body></html>"
    )


def address(path: str, asked: dict[str, str], *, plain: bool = False) -> str:
    """A page of the same tenant."""
    kept: dict[str, str] = {name: asked[name] for name in ("tenant", "refused", "said") if name in asked}
    if path not in ("/activity",):
        kept.pop("refused", None)
    if not plain:
        kept.pop("said", None)
    text = f"{quote(path)}?{urlencode(kept)}" if kept else quote(path)
    return text if plain else escape(text)


def form(asked: dict[str, str], call: str, fields: str, button: str) -> str:
    """A form that turns a switch."""
    action = address("/switches", asked)
    return f'<form method="post" action="{action}"><input type="hidden" name="call" value="{call}">{fields}<button>{button}</button></form>'


def table(heads: tuple[str, ...], rows: Iterable[list[str]], *, plain: bool = True) -> str:
    """A table; cells are text unless `plain` is off, then the caller has escaped them."""
    head = "".join(f'<th scope="col">{cell}</th>' for cell in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(c) if plain else c}</td>' for c in row)}</tr>" for row in rows)
    empty = f'<tr><td colspan="{len(heads)}" class="soft">Nothing yet.</td></tr>'
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body or empty}</tbody></table></div>'
