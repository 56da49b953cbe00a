"""How fast the writes of a record could have been made at most: by the quotas they drew on, and one after the other on each object.

Knows accepted writes only, from the record the service keeps of itself. What a client sent in vain makes nothing faster here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from .quotas import Limit, Quotas
from .wire import Record

_NAMED = re.compile(r"^/(?:users|groups|teams|education/classes|directory/deletedItems)/([^/]+)")
_GROUP = re.compile(r"groups(?:\('|/)([^'/)]+)", re.IGNORECASE)
TEAM = "POST /teams"


@dataclass(slots=True)
class Drawn:
    """What was drawn from one quota, and how early the first of it could have been."""

    limit: Limit
    cost: float = 0.0
    earliest: float | None = None

    def seconds(self, scale: float) -> float:
        """From the first write on: what is there at once costs no time, the rest comes back at the rate of the quota."""
        size = self.limit.size * scale
        rate = size / self.limit.seconds * self.limit.sustained
        return (self.earliest or 0.0) + max(0.0, self.cost - size) / rate


@dataclass(slots=True)
class Pace:
    """The accepted writes since the last reset."""

    quotas: Quotas
    drawn: dict[tuple[str, str], Drawn] = field(default_factory=dict)
    chains: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    made: dict[str, float] = field(default_factory=dict)
    writes: int = 0
    refused: int = 0
    first: float | None = None
    last: float | None = None

    def reset(self) -> None:
        """Begin anew."""
        for held in (self.drawn, self.chains, self.made):
            held.clear()
        self.writes = self.refused = 0
        self.first = self.last = None

    def took(
        self,
        call: tuple[str, str, str, Any],
        answer: tuple[int, Any],
        holder: tuple[str, str, int],
        times: tuple[float, float],
        settling: float,
    ) -> None:
        """One write: (method, kind, path, body), (status, body), (application, tenant, its users), when it came and was answered."""
        (method, kind, path, body), (status, said), (came, left) = call, answer, times
        self.first = came if self.first is None else self.first
        if status >= 400:
            self.refused += 1
            return
        self.writes += 1
        self.last = left
        target = _target(path, kind, body, said)
        begin = self.chains[target]
        if kind == TEAM and target in self.made:
            # Microsoft makes no team of a group in its first minutes (graph.md section 7.1).
            begin = max(begin, self.made[target] + settling)
        self.chains[target] = begin + (left - came)
        if method == "POST" and kind != TEAM and isinstance(said, dict) and "id" in said:
            self.made[target] = begin
        app, tenant, users = holder
        for limit, cost, whose in self.quotas.draws(method, kind, {}, app, tenant, users, target, 1):
            drawn = self.drawn.setdefault((limit.name, whose), Drawn(limit))
            drawn.cost += cost
            drawn.earliest = begin if drawn.earliest is None else min(drawn.earliest, begin)

    def report(self) -> Record:
        """The bound in tenant seconds, what it is made of, and the seconds it really took from the first write to the last answer."""
        scale = self.quotas.scale
        held = {} if scale is None else {name: drawn.seconds(scale) for (name, _), drawn in self.drawn.items()}
        chain = max(self.chains.values(), default=0.0)
        longest = max(held, key=lambda name: held[name], default=None)
        bound = max([chain, *held.values()])
        took = 0.0 if self.first is None or self.last is None else self.last - self.first
        return {
            "writes": self.writes,
            "refused_writes": self.refused,
            "seconds": round(took, 3),
            "bound": round(bound, 3),
            "binding": longest if longest is not None and held[longest] >= chain else "writes to one object",
            "quotas": {name: round(seconds, 3) for name, seconds in held.items() if seconds > 0},
            "longest_chain": round(chain, 3),
        }


def _target(path: str, kind: str, body: Any, said: Any) -> str:
    """The object a write is about: the one it made, the one it names, or the group that becomes a team."""
    if kind == TEAM:
        found = _GROUP.search(str((body or {}).get("group@odata.bind", "")))
        return found[1] if found else path
    if isinstance(said, dict) and "id" in said:
        return str(said["id"])
    found = _NAMED.match(path)
    return found[1] if found else path
