"""Delta rounds: everything once, then only what changed since a link (graph.md sections 2.5, 5.3, 13.1).

A link lives seven days; when it has expired, in whichever documented form, the round begins anew by itself and says so. Replayed and
repeated entries are kept in the order they came: whoever reads them lets the last one count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rollbook.errors import Never
from rollbook.graph import codec
from rollbook.graph.protocol import Answer, Request, next_page

EXPIRED = frozenset({"syncStateNotFound", "resyncRequired"})

USERS, GROUPS, CLASSES = "users", "groups", "classes"

PATHS: Mapping[str, Callable[[str], str]] = {
    USERS: lambda marked: f"/users/delta?$select={codec.user_select(marked)}",
    GROUPS: lambda _: f"/groups/delta?$select={codec.GROUP_SELECT},members,owners",
    CLASSES: lambda _: f"/education/classes/delta?$select={codec.CLASS_SELECT}",
}
"""What is asked of each collection. Classes tell of no removals: those are seen among the groups."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round: its entries as Graph gave them, the link where the next one begins, and what was asked.

    `whole`: it began anew, so that what it does not tell is not there.
    """

    entries: list[dict[str, Any]]
    link: str
    asked: str
    whole: bool


def follow(get: Callable[[Request], Answer], asked: str, link: str | None) -> Round:
    """The round that begins at `link`; the whole of what is `asked` without one, or where it has expired."""
    if link is not None:
        try:
            return Round(*_walk(get, link), asked, whole=False)
        except Never as refused:
            if refused.status != 410 and refused.code not in EXPIRED:
                raise
    return Round(*_walk(get, asked), asked, whole=True)


def _walk(get: Callable[[Request], Answer], path: str) -> tuple[list[dict[str, Any]], str]:
    """All entries from `path` on, and the link at the end of the last page."""
    entries: list[dict[str, Any]] = []
    while True:
        answer = get(Request("GET", path))
        entries += answer.body["value"]
        following = next_page(answer)
        if following is None:
            return entries, str(answer.body["@odata.deltaLink"])
        path = following
