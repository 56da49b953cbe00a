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


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Every setting that differs, in the order of the newer document."""
    return list(_between("", before, after))


def _between(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in (*after, *(name for name in before if name not in after)):
            yield from _between(f"{path}.{name}".strip("."), before.get(name), after.get(name))
    elif before != after:
        yield Difference(path, before, after)


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
