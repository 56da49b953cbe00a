"""What differs between two versions of a profile, setting by setting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting that differs: its path (`users.lead_days`), and what it was and is; None where it was not there."""

    path: str
    before: Any
    after: Any

    def __str__(self) -> str:
        """As a list shows it."""
        return f"{self.path}: {_said(self.before)} -> {_said(self.after)}"

    def lines(self) -> list[str]:
        """As a terminal shows it: a part that came or went whole, such as a level of a hierarchy, with a line for each setting in it."""
        if isinstance(self.after, Mapping) and self.before is None:
            return [f"{self.path}: (nothing) -> these settings", *(f"  {each}" for each in _leaves(self.after))]
        if isinstance(self.before, Mapping) and self.after is None:
            return [f"{self.path}: (nothing) any more"]
        return [str(self)]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Every setting that differs, in the order of the newer document."""
    return list(_between("", before, after))


def _between(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in (*after, *(name for name in before if name not in after)):
            yield from _between(f"{path}.{name}".strip("."), before.get(name), after.get(name))
    elif before != after:
        yield Difference(path, before, after)


def _leaves(part: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The settings of a part with their values; what has no part within it is one line."""
    for name, value in part.items():
        if isinstance(value, Mapping) and any(isinstance(inner, Mapping) for inner in value.values()):
            yield from _leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}: {_said(value)}"


def _said(value: Any) -> str:
    if value is None:
        return "(nothing)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_said(entry) for entry in value) or "(nothing)"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_said(inner)}" for name, inner in value.items()) + "}"
    return str(value)
