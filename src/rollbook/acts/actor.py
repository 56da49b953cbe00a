"""Who does something: the name the trail remembers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """`kind` is person, key, schedule, command-line or demo; `name` says which one; `place` where from."""

    kind: str
    name: str
    place: str = ""


DEMO = Actor("demo", "demo", "make demo")
"""Approves the demo's own first run, and says so."""


def at_the_command_line(name: str) -> Actor:
    """The person whose login name this is, at a terminal of this machine."""
    return Actor("command-line", name, "this machine")
