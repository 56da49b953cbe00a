"""Microsoft's quotas as a table, and what each request draws from them (graph.md section 9). Pure: counts and names only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from urllib.parse import parse_qsl

from rollbook.graph.protocol import Request

SUSTAINED = 0.83
"""Teams judges a sustained rate at about this share of the listed value (section 9.4)."""


class Scope(Enum):
    """Who shares a quota."""

    OURS = "this application in this tenant"
    APPLICATION = "this application in all tenants"
    TENANT = "all applications in this tenant"


@dataclass(frozen=True, slots=True)
class Quota:
    """`size` in `seconds`, refilled evenly; `what` completes the sentence "Microsoft allows 20 ... a second".

    `sustained` is the share of the rate that can be kept up, `at_once` the share of the size that is ever used in one burst: the
    rest is left for what reaches Microsoft later than it left here.
    """

    name: str
    size: float
    seconds: float
    scope: Scope
    what: str
    sustained: float = 1.0
    at_once: float = 0.985

    @property
    def rate(self) -> float:
        """How much comes back a second."""
        return self.size / self.seconds * self.sustained

    @property
    def burst(self) -> float:
        """How much is used at once, at most; never so little that nothing could go."""
        return max(1.0, self.size * self.at_once)


WRITES = Quota("writes", 3_000, 150, Scope.OURS, "changes of the directory")
TENANT_WRITES = Quota("tenant writes", 18_000, 300, Scope.TENANT, "changes of the directory by all applications")
APP_WRITES = Quota("app writes", 35_000, 300, Scope.APPLICATION, "changes of the directory in all tenants")
UNITS = {
    50: Quota("units S", 3_500, 10, Scope.OURS, "units of reading and writing", at_once=0.5),
    500: Quota("units M", 5_000, 10, Scope.OURS, "units of reading and writing", at_once=0.5),
}
"""By the number of users a tenant has less of."""
UNITS_LARGE = Quota("units L", 8_000, 10, Scope.OURS, "units of reading and writing", at_once=0.5)
APP_UNITS = Quota("app units", 150_000, 20, Scope.APPLICATION, "units of reading and writing in all tenants")
EDUCATION = Quota("education", 35_000, 10, Scope.OURS, "calls about classes", at_once=0.5)

SHARED = (WRITES, APP_WRITES, APP_UNITS)
"""What outlives a run, or is shared by all workers of one application over all tenants: lent to each in blocks. The application-wide
quotas of education (400,000 in 20 s), of Teams and of everything together (130,000 in 10 s) lie above these: whoever keeps these
keeps them."""


def _teams(name: str, per_second: float, what: str, seconds: float = 1.0) -> Quota:
    # Half a second's worth at once: Microsoft counts by the second, and a batch may arrive a little closer to the one before.
    return Quota(name, per_second * seconds, seconds, Scope.OURS, what, SUSTAINED, at_once=0.5)


_LOOKS = _teams("looks at teams", 30, "looks at teams")
_EACH = _teams("one team", 4, "calls about one team")
_PEOPLE = _teams("people of one team", 4 / 60, "additions to one team", 60)

_OTHER = {
    "GET": _teams("other reads of Teams", 30, "looks at teams"),
    "POST": _teams("other changes of Teams", 30, "changes of teams"),
    "PATCH": _teams("patches of Teams", 30, "changes of teams"),
    "PUT": _teams("puts of Teams", 30, "changes of teams"),
    "DELETE": _teams("removals of Teams", 15, "removals in teams"),
}
TEAM_CREATION = _teams("team creation", 10, "new teams")

_TEAMS: tuple[tuple[str, re.Pattern[str], Quota, Quota | None], ...] = (
    ("POST", re.compile(r"^/teams$"), TEAM_CREATION, None),
    ("PUT", re.compile(r"^/groups/[^/]+/team$"), _teams("teams put", 6, "new teams"), None),
    ("GET", re.compile(r"^/teams/[^/]+$|^/groups/[^/]+/team$"), _LOOKS, _EACH),
    ("PATCH", re.compile(r"^/teams/[^/]+$"), _teams("settings of teams", 30, "changes of teams"), _EACH),
    ("GET", re.compile(r"^/teams/[^/]+/members$"), _teams("rosters", 60, "rosters of teams"), _EACH),
    ("POST", re.compile(r"^/teams/[^/]+/members$"), _teams("team members", 30, "additions to teams"), _PEOPLE),
    ("POST", re.compile(r"^/teams/[^/]+/members/add$"), _teams("members in bulk", 10, "additions to teams"), _PEOPLE),
)
"""Method, path, quota over all teams, quota of each team (section 9.4)."""

_OF_TEAMS = re.compile(r"^/teams(?:/|\(|$)|^/groups/[^/]+/team$")
_OBJECT = re.compile(r"^/(?:teams|groups)[/(]'?([^/')]+)")

_UNITS_OF_READING: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"^/users$"), 2),
    (re.compile(r"^/groups/[^/]+/transitiveMembers$"), 5),
    (re.compile(r"^/groups/[^/]+/(?:members|owners)$"), 3),
    (re.compile(r"^/subscribedSkus$"), 3),
    (re.compile(r"^/users/[^/]+/(?:memberOf|transitiveMemberOf|ownedObjects|licenseDetails)$"), 2),
    (re.compile(r"^/domains/[^/]+/domainNameReferences$"), 4),
)
FEW = 20


@dataclass(frozen=True, slots=True)
class Draw:
    """What a request takes from one quota; `each` names the team whose own quota it is."""

    quota: Quota
    cost: float
    each: str = ""


@lru_cache(maxsize=4096)
def _of_call(method: str, path: str, query: str) -> tuple[Draw, ...]:
    if _OF_TEAMS.match(path):
        return _of_teams(method, path)
    units = Draw(UNITS_LARGE, _units(method, path, query))
    education = (Draw(EDUCATION, 1),) if path.startswith("/education") else ()
    if method == "GET":
        return (*education, units, Draw(APP_UNITS, units.cost))
    writes = (Draw(WRITES, 1), Draw(TENANT_WRITES, 1), Draw(APP_WRITES, 1))
    return (*writes, *education, units, Draw(APP_UNITS, units.cost))


def draws(request: Request) -> tuple[Draw, ...]:
    """All quotas a request draws from. Whether education draws on the directory's is not stated: it is assumed (section 9.3)."""
    address = request.path
    if address.startswith("http"):
        address = address.partition("/v1.0")[2]
    path, _, query = address.partition("?")
    return _of_call(request.method, path, query)


def _of_teams(method: str, path: str) -> tuple[Draw, ...]:
    for wanted, pattern, quota, each in _TEAMS:
        if method == wanted and pattern.match(path):
            found = _OBJECT.match(path)
            own = (Draw(each, 1, found[1]),) if each is not None and found is not None else ()
            return (Draw(quota, 1), *own)
    return (Draw(_OTHER[method], 1),)


def _units(method: str, path: str, query: str) -> int:
    """Resource units: the table of section 9.2 with its modifiers, never below one."""
    if method != "GET":
        return 1
    cost = next((units for pattern, units in _UNITS_OF_READING if pattern.match(path)), 1)
    options = dict(parse_qsl(query.replace("%24", "$")))
    top = options.get("$top", "")
    cost += ("$expand" in options) - ("$select" in options) - (top.isdigit() and int(top) < FEW)
    return max(1, cost)


def units_quota(users: int) -> Quota:
    """The quota of resource units of a tenant with so many users."""
    return next((quota for below, quota in UNITS.items() if users < below), UNITS_LARGE)
