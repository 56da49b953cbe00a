"""Microsoft's quotas as token buckets (graph.md section 9): what is over them is answered 429 with Retry-After.

Every call draws from all buckets that concern it; the emptiest one decides. Rejected calls count as usage too. Nothing here
knows what a call does, only its kind, its application, its tenant and, for teams, which team.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .clock import Clock
from .wire import Refusal

SUSTAINED = 0.83
"""Teams judges a sustained rate at this share of what is listed (section 9.4)."""
DEEPEST = 0.8
"""Usage is told, and counted, up to 1.8 times a quota."""
TOLD_ABOVE = 0.8


@dataclass(slots=True)
class Bucket:
    """`size` tokens; `rate` of them come back each second."""

    size: float
    rate: float
    level: float
    at: float

    def take(self, cost: float, now: float) -> float:
        """Take `cost` tokens; returns 0, or the seconds until they would have been there."""
        self.level = min(self.size, self.level + (now - self.at) * self.rate) - cost
        self.at = now
        if self.level >= 0:
            return 0.0
        wait = -self.level / self.rate
        self.level = max(-self.size * DEEPEST, self.level)
        return wait

    @property
    def used(self) -> float:
        """The share of the quota in use; above 1 while calls are rejected."""
        return 1 - self.level / self.size


@dataclass(frozen=True, slots=True)
class Limit:
    """`size` in `seconds`, for each of a scope: Application, Tenant, Tenant_Application, or a team. What, for the headers."""

    name: str
    size: float
    seconds: float
    scope: str
    sort: str
    information: str
    sustained: float = 1.0


WRITE, UNITS, CPU = "WriteLimitExceeded", "ResourceUnitLimitExceeded", "CPULimitExceeded"
EVERYTHING = Limit("all", 130_000, 10, "Application", "ReadWrite", CPU)
IDENTITY_WRITES = (
    Limit("writes", 3_000, 150, "Tenant_Application", "Write", WRITE),
    Limit("tenant writes", 18_000, 300, "Tenant", "Write", WRITE),
    Limit("app writes", 35_000, 300, "Application", "Write", WRITE),
)
APP_UNITS = Limit("app units", 150_000, 20, "Application", "ReadWrite", UNITS)
UNITS_BY_SIZE = (
    (50, Limit("units S", 3_500, 10, "Tenant_Application", "ReadWrite", UNITS)),
    (500, Limit("units M", 5_000, 10, "Tenant_Application", "ReadWrite", UNITS)),
    (None, Limit("units L", 8_000, 10, "Tenant_Application", "ReadWrite", UNITS)),
)
EDUCATION = (
    Limit("education", 35_000, 10, "Tenant_Application", "ReadWrite", CPU),
    Limit("app education", 400_000, 20, "Application", "ReadWrite", CPU),
)
SIGN_IN_ACTIVITY = Limit("sign-in activity", 10, 60, "Tenant_Application", "Read", CPU)
TEAMS: dict[str, tuple[float, float, float | None]] = {
    "POST /teams": (100, 10, None),
    "PUT /groups/{id}/team": (150, 6, None),
    "GET /teams/{id}": (1_500, 30, 4),
    "GET /groups/{id}/team": (1_500, 30, 4),
    "PATCH /teams/{id}": (300, 30, 4),
    "GET /teams/{id}/members": (1_200, 60, 4),
    "POST /teams/{id}/members": (300, 30, 4 / 60),
    "POST /teams/{id}/members/add": (100, 10, 4 / 60),
    "GET": (1_500, 30, None),
    "POST": (300, 30, None),
    "PATCH": (300, 30, None),
    "PUT": (300, 30, None),
    "DELETE": (150, 15, None),
}
"""Calls a second: per application, per application and tenant, per team (section 9.4); the last five are for all others."""
COSTS: dict[str, int] = {
    "GET /users": 2,
    "GET /groups/{id}/{relation}": 3,
    "GET /subscribedSkus": 3,
    "GET /users/{id}/memberOf": 2,
    "GET /users/{id}/licenseDetails": 2,
}
FEW = 20


def resource_units(method: str, kind: str, query: dict[str, str]) -> int:
    """What a call costs: the table of section 9.2 with its modifiers, never below one."""
    cost = COSTS.get(kind, 1)
    if method == "GET" and query:
        top = query.get("$top", "")
        cost += ("$expand" in query) - ("$select" in query) - (top.isdigit() and int(top) < FEW)
    return max(1, cost)


class Quotas:
    """The quotas of everybody who calls; none of them if the scale is None."""

    def __init__(self, clock: Clock, scale: float | None) -> None:
        self._clock = clock
        self._scale = scale
        self._buckets: dict[tuple[str, str], Bucket] = {}

    @property
    def active(self) -> bool:
        """Whether quotas are kept at all."""
        return self._scale is not None

    @property
    def scale(self) -> float | None:
        """The factor on all quotas; None where none are kept."""
        return self._scale

    def forget(self) -> None:
        """All buckets are full again."""
        self._buckets.clear()

    def set_scale(self, scale: float | None) -> None:
        """Other quotas from now on; `ValueError` unless above 0 or None."""
        if scale is not None and scale <= 0:
            raise ValueError("the scale must be above 0, or null to switch quotas off")
        self._scale = scale
        self._buckets.clear()

    def usage(self) -> dict[str, float]:
        """The share in use of every bucket that was touched, by limit and holder."""
        now = self._clock.now()
        for bucket in self._buckets.values():
            bucket.take(0, now)
        return {f"{name} {holder}": round(max(0.0, bucket.used), 3) for (name, holder), bucket in self._buckets.items()}

    def spend(
        self, method: str, kind: str, query: dict[str, str], app: str, tenant: str, users: int, team: str
    ) -> dict[str, str]:
        """Count one call; returns the headers that tell of it, 429 if it is over a quota."""
        if self._scale is None:
            return {}
        now, worst, over, units = self._clock.now(), 0.0, None, resource_units(method, kind, query)
        longest = 0.0
        for limit, cost, holder in self.draws(method, kind, query, app, tenant, users, team, units):
            bucket = self._bucket(limit, holder, now)
            wait = bucket.take(cost, now)
            worst = max(worst, bucket.used)
            if wait > longest:
                longest, over = wait, limit
        headers = {"x-ms-resource-unit": str(units)} if "/teams" not in kind and "/team" not in kind else {}
        if worst > TOLD_ABOVE:
            headers["x-ms-throttle-limit-percentage"] = f"{min(worst, 1 + DEEPEST):.2f}"
        if over is not None:
            holder = {"Application": app, "Tenant": tenant}.get(over.scope, f"{app}/{tenant}")
            headers |= {
                "Retry-After": str(self._clock.wall_seconds(longest)),
                "x-ms-throttle-information": over.information,
                "x-ms-throttle-scope": f"{over.scope}/{over.sort}/{holder}",
            }
            raise Refusal(429, "TooManyRequests", f"Too many requests: {over.name}.", headers=headers)
        return headers

    def _bucket(self, limit: Limit, holder: str, now: float) -> Bucket:
        bucket = self._buckets.get((limit.name, holder))
        if bucket is None:
            size = limit.size * (self._scale or 1.0)
            rate = size / limit.seconds * limit.sustained
            bucket = self._buckets[limit.name, holder] = Bucket(max(size, 1.0), rate, max(size, 1.0), now)
        return bucket

    def draws(
        self, method: str, kind: str, query: dict[str, str], app: str, tenant: str, users: int, team: str, units: int
    ) -> Iterator[tuple[Limit, float, str]]:
        """Every limit a call draws from, how much, and whose."""
        both = f"{app}/{tenant}"
        holders = {"Application": app, "Tenant": tenant, "Tenant_Application": both}
        yield EVERYTHING, 1, app
        if kind in TEAMS or " /teams" in kind or kind.endswith("/team"):
            yield from self._team_draws(method, kind, app, both, team)
            return
        if "/education" in kind:
            yield from ((limit, 1, holders[limit.scope]) for limit in EDUCATION)
        else:
            size = next(limit for most, limit in UNITS_BY_SIZE if most is None or users < most)
            yield size, units, both
            yield APP_UNITS, units, app
        if method != "GET":
            yield from ((limit, 1, holders[limit.scope]) for limit in IDENTITY_WRITES)
        if "signInActivity" in query.get("$select", "") or "signInActivity" in query.get("$filter", ""):
            yield SIGN_IN_ACTIVITY, 1, both

    def _team_draws(self, method: str, kind: str, app: str, both: str, team: str) -> Iterator[tuple[Limit, float, str]]:
        per_app, per_tenant, per_team = TEAMS.get(kind) or TEAMS[method]
        name = kind if kind in TEAMS else f"other {method} of Teams"
        sort = "Read" if method == "GET" else "Write"
        yield Limit(f"app {name}", per_app, 1, "Application", sort, CPU, SUSTAINED), 1, app
        yield Limit(name, per_tenant, 1, "Tenant_Application", sort, CPU, SUSTAINED), 1, both
        if per_team is not None:
            seconds = 1 if per_team >= 1 else 60
            each = Limit(f"{name} of one team", per_team * seconds, seconds, "Tenant_Application", sort, CPU, SUSTAINED)
            yield each, 1, f"{both}/{team}"
