"""Who does something: the name the trail remembers."""

from __future__ import annotations

from dataclasses import dataclass

from rollbook.apply.approval import Role
from rollbook.errors import Exit, InputRefused


@dataclass(frozen=True, slots=True)
class Actor:
    """`kind` is person, key, schedule, command-line or demo; `name` says which one; `place` where from; `role` what they may do."""

    kind: str
    name: str
    place: str = ""
    role: Role = Role.INSTITUTE_ADMIN


DEMO = Actor("demo", "demo", "make demo")
"""Approves the demo's own first run, and says so."""


def at_the_command_line(name: str, role: str | None = None) -> Actor:
    """The person whose login name this is, at a terminal of this machine.

    Whoever can open the installation's database could write anything into it, so they are an institute administrator; `role` (a
    name of Role, as ROLLBOOK_ROLE says it) makes less of them, as scripts and shared terminals should be. It never makes more.
    """
    most = Role.INSTITUTE_ADMIN
    if not role:
        return Actor("command-line", name, "this machine", most)
    names = {each.name.lower(): each for each in Role}
    if role.lower() not in names:
        raise InputRefused(f"ROLLBOOK_ROLE is {role!r}, which is no role.", remedy=f"Roles are {', '.join(names)}.")
    return Actor("command-line", name, "this machine", min(most, names[role.lower()]))


class RoleTooLow(InputRefused):
    """Somebody may not do what they asked for; with the exit code of everything that waits for somebody who may."""

    exit_code = Exit.APPROVAL_DUE


def require(actor: Actor, least: Role, what: str) -> None:
    """Raises RoleTooLow if the actor may not do this."""
    if actor.role < least:
        raise RoleTooLow(
            f"{actor.name} is {actor.role.label} and may not {what}.", remedy=f"Ask an {least.label} to do it."
        )
