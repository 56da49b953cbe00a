"""What a refusal for want of permission means: that the consent was taken back, or that this one object is not ours to change.

Microsoft says `403 Authorization_RequestDenied` in both cases; the roles in the token in use tell them apart (graph.md sections 1.2
and 13.13: a token may be issued without any). They are only looked into: Microsoft alone decides what a token is good for.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import Any

import jwt

from rollbook.errors import Stop, TenantError
from rollbook.graph.protocol import Request

DIRECTORY = "Directory.ReadWrite.All"

WRITERS: tuple[tuple[re.Pattern[str], str, frozenset[str]], ...] = (
    (re.compile(r"^(POST /users$|PATCH /users/)"), "User.ReadWrite.All", frozenset({DIRECTORY})),
    (
        re.compile(r"^(POST /groups$|PATCH /groups[/(])"),
        "Group.ReadWrite.All",
        frozenset({DIRECTORY, "GroupMember.ReadWrite.All"}),
    ),
    (re.compile(r"^(POST|PATCH) /education/classes"), "EduRoster.ReadWrite.All", frozenset()),
    (re.compile(r"^POST /teams$"), "Group.ReadWrite.All", frozenset({DIRECTORY, "Team.Create"})),
)
"""Of writes that a synchronization cannot do without: the permission they need, and others of which one is enough."""

DIRECTORY_READ = frozenset({"Directory.Read.All", DIRECTORY})

READERS: tuple[tuple[re.Pattern[str], str, frozenset[str]], ...] = (
    (re.compile(r"^GET /domains$"), "Domain.Read.All", DIRECTORY_READ | {"Domain.ReadWrite.All"}),
    (
        re.compile(r"^GET /organization$"),
        "Organization.Read.All",
        DIRECTORY_READ | {"Organization.ReadWrite.All", "User.Read.All"},
    ),
    (
        re.compile(r"^GET /subscribedSkus$"),
        "Organization.Read.All",
        DIRECTORY_READ
        | {"Organization.ReadWrite.All", "LicenseAssignment.Read.All", "LicenseAssignment.ReadWrite.All"},
    ),
    (re.compile(r"^GET /users(/delta)?$"), "User.ReadWrite.All", DIRECTORY_READ | {"User.Read.All"}),
    (re.compile(r"^GET /education/classes(/delta)?$"), "EduRoster.ReadWrite.All", frozenset({"EduRoster.Read.All"})),
)
"""The same of reads (graph.md section 11); of what is asked of the application, the one that covers it."""


def roles_of(token: str) -> frozenset[str]:
    """The permissions an access token says it has."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return frozenset(claims.get("roles", ()))


def withdrawn(request: Request, refused: TenantError, roles: AbstractSet[str]) -> Stop | None:
    """The stop it is when a request was refused because the consent does not cover it; None where it is about this object alone."""
    if refused.status != 403:
        return None
    facts: dict[str, Any] = {"code": refused.code, "status": 403, "request_id": refused.request_id}
    if not roles:
        return Stop(
            "The consent to our application was withdrawn: Microsoft 365 lets it do nothing any more.",
            remedy="An administrator of Microsoft 365 gives consent again. Waiting helps only where that happened minutes ago.",
            **facts,
        )
    called = f"{request.method} {request.path.partition('?')[0]}"
    for pattern, wanted, enough in (*WRITERS, *READERS):
        if pattern.search(called) and wanted not in roles and enough.isdisjoint(roles):
            done = "changed" if request.writes else "read"
            return Stop(
                f"Our application does not have the permission {wanted} (any more), so nothing of this kind can be {done}.",
                remedy="An administrator of Microsoft 365 grants it and gives consent again. Waiting does not help.",
                **facts,
            )
    return None
