"""How many examples a property gets: few in `make test`, many in `make properties`."""

from __future__ import annotations

import os

FACTOR = int(os.environ.get("ROLLBOOK_EXAMPLES", "1"))


def examples(few: int) -> int:
    """As many examples as fit into `make test`, times what a campaign asks for."""
    return few * FACTOR
