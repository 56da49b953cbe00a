"""Documents of older forms become today's, one step a version, so that no stored profile is ever unreadable.

`UPGRADES[n]` makes a document of version n one of version n + 1. There is one form so far, so there is no step yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Step = Callable[[dict[str, Any]], dict[str, Any]]

CURRENT = 1
UPGRADES: dict[int, Step] = {}


def upgraded(
    document: Mapping[str, Any], steps: Mapping[int, Step] = UPGRADES, current: int = CURRENT
) -> dict[str, Any]:
    """The document in today's form. One of an unknown or newer form is left as it is: validation says so."""
    found = dict(document)
    version = found.get("document_version", current)
    while isinstance(version, int) and version < current and version in steps:
        found = {**steps[version](found), "document_version": version + 1}
        version += 1
    return found
