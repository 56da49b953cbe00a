"""What workers do besides synchronizations, and how often."""

from __future__ import annotations

from collections.abc import Sequence

from rollbook.acts.notices import look_for_causes
from rollbook.acts.retention import prune_aside
from rollbook.acts.telling import deliver_aside
from rollbook.acts.ticking import Chore

CHORES: Sequence[Chore] = (
    Chore("notices", 60, look_for_causes),
    Chore("telling", 10, deliver_aside),
    Chore("prune", 86_400, prune_aside),
)
"""Each is safe to be done by several workers at once, and after any other."""
