"""Reads a tenant. A reading that may have left something out is an error: what was left out would look like deletions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import polars as pl

from rollbook.clock import Clock
from rollbook.directory.state import Relation
from rollbook.errors import Later, Never, Stop
from rollbook.graph import batch, codec, delta
from rollbook.graph.consent import roles_of, withdrawn
from rollbook.graph.protocol import Answer, Request, next_page, verdict
from rollbook.graph.throttle import Throttle
from rollbook.graph.transport import Lost, Transport

PAGE = 999
"""Microsoft's largest page of directory objects (graph.md section 2.2)."""

LANES = 4
ATTEMPTS = 6
FIRST_DELAY = 0.5

MEMBERSHIPS = {"group_object_id": pl.String, "user_object_id": pl.String, "relation": pl.UInt8}

ROSTERS = {
    "group_object_id": pl.String,
    "user_object_id": pl.String,
    "owner": pl.Boolean,
    "membership_id": pl.String,  # opaque; what a change of role addresses (graph.md section 7.3)
}

HIDDEN_MEMBERS = "Member.Read.Hidden"
"""Without this role, members of class groups are silently left out of answers (graph.md section 13.5)."""


ASSIGNED = "/roleManagement/directory/roleAssignments"
ELIGIBLE = "/roleManagement/directory/roleEligibilityScheduleInstances"
ASSIGNABLE = "/groups?$filter=isAssignableToRole%20eq%20true&$select=id"
ROLE_PATHS = (ASSIGNED, ELIGIBLE, ASSIGNABLE)
"""What says who holds a directory role."""


class GraphReader:
    """The tenant's reading side. It reads as fast as `throttle` lets it; without one, as fast as it can."""

    def __init__(
        self, transport: Transport, mark_property: str, clock: Clock, throttle: Throttle | None = None
    ) -> None:
        self._transport = transport
        self._mark_property = mark_property
        self._clock = clock
        self._throttle = throttle or Throttle.unlimited()
        self._ahead: dict[str, Answer] = {}

    def read_ahead(self, paths: Sequence[str]) -> None:
        """Ask in one batch for pages that will be wanted next. What is not answered well is asked for alone in its turn, as ever."""
        requests = [Request("GET", self._transport.path_of(path)) for path in paths]
        self._admit(requests)
        try:
            outer, now = self._get(batch.pack(requests)), self._clock.monotonic()
        except (Never, Later):
            return
        for path, request, answer in zip(paths, requests, batch.unpack(outer, len(requests)), strict=True):
            if answer is not None:
                self._throttle.told(request, answer, now)
            if answer is not None and answer.status == 200:
                self._ahead[path] = answer

    def read_ahead_of_a_look(self, links: Sequence[str]) -> None:
        """What every look at a tenant begins with, in one batch: where delta rounds go on, domains, licences, and who holds roles."""
        self.read_ahead([*links, "/domains", "/organization", "/subscribedSkus", *ROLE_PATHS])

    def users(self) -> pl.DataFrame:
        """All users, the softly deleted ones among them (schema USERS), link null."""
        path = f"/users?$top={PAGE}&$select={codec.user_select(self._mark_property)}"
        protected = self.role_holders()
        found = list(self._pages(path))
        self._throttle.tenant_has(len(found))
        there = codec.users_frame(found, self._mark_property, protected)
        gone = codec.users_frame(self.deleted_users(), self._mark_property, deleted=True)
        # Lists lag apart from each other: whoever is in both was deleted, or restored, a moment ago. The next look says which.
        return pl.concat([there, gone.join(there, on="object_id", how="anti")])

    def round(self, collection: str, asked: str | None, link: str | None) -> delta.Round:
        """The delta round of a collection from `link` on; a whole one without a link, or if something else was `asked` before."""
        if collection == delta.GROUPS:
            self._require_hidden_members()
        asking = delta.PATHS[collection](self._mark_property)
        told = delta.follow(self._get_page, asking, link if asked == asking else None)
        if collection == delta.USERS and told.whole:
            self._throttle.tenant_has(len(told.entries))
        return told

    @property
    def mark_property(self) -> str:
        """The property of users that carries our mark; empty where nothing of ours is made."""
        return self._mark_property

    def deleted_users(self) -> list[dict[str, Any]]:
        """Users that can be restored. None where we may not see them: then nobody is restored, and nothing else differs."""
        select = codec.user_select(self._mark_property)
        try:
            return list(self._pages(f"/directory/deletedItems/microsoft.graph.user?$top={PAGE}&$select={select}"))
        except Never as refused:
            if refused.status != 403:
                raise
            return []

    def role_holders(self) -> frozenset[str] | None:
        """Ids of everybody who holds a directory role: directly, eligibly, or through a group. None if roles cannot be read.

        Source: graph.md section 13.10. Eligible roles exist only with P2; without it Microsoft refuses to list them.
        """
        try:
            principals = {entry["principalId"] for entry in self._pages(ASSIGNED)}
        except Never:
            return None
        try:
            principals |= {entry["principalId"] for entry in self._pages(ELIGIBLE)}
        except Never as refused:
            if refused.status not in (400, 403):
                raise
        try:
            return frozenset(principals | self._through_groups())
        except Never as refused:
            if refused.status != 403:
                raise
            return None

    def _through_groups(self) -> set[str]:
        """Ids of everybody in a group to which roles can be assigned."""
        groups = [group["id"] for group in self._pages(ASSIGNABLE)]
        paths = [f"/groups/{group}/{kind}?$select=id&$top={PAGE}" for group in groups for kind in ("members", "owners")]
        return {person["id"] for path in paths for person in self._pages(path)}

    def groups(self) -> pl.DataFrame:
        """All groups, class groups among them (schema GROUPS), link and purpose null."""
        groups = list(self._pages(f"/groups?$top={PAGE}&$select={codec.GROUP_SELECT}"))
        classes = list(self._pages(f"/education/classes?$top={PAGE}&$select={codec.CLASS_SELECT}"))
        return codec.groups_frame(groups, classes)

    def groups_by_mark(self, marks: Sequence[str]) -> pl.DataFrame:
        """The groups, no classes, that carry these marks of ours (schema GROUPS)."""
        return codec.groups_frame(self._found([codec.group_by_mark(mark) for mark in marks]), [])

    def memberships(self, object_ids: Sequence[str]) -> pl.DataFrame:
        """Owners and members of these groups: [group_object_id, user_object_id, relation]."""
        if object_ids:
            self._require_hidden_members()
        asked = [(group, relation) for group in object_ids for relation in Relation]
        paths = {Relation.MEMBER: "members", Relation.OWNER: "owners"}
        requests = [Request("GET", f"/groups/{g}/{paths[relation]}?$select=id&$top={PAGE}") for g, relation in asked]
        columns: dict[str, list[Any]] = {name: [] for name in MEMBERSHIPS}
        for (group, relation), answer, request in zip(asked, self.get_many(requests), requests, strict=True):
            if answer.status == 404:
                continue  # the group vanished since it was listed; the next look says so
            people = [entry["id"] for entry in self._entries(request, answer)]
            columns["group_object_id"] += [group] * len(people)
            columns["user_object_id"] += people
            columns["relation"] += [int(relation)] * len(people)
        return pl.DataFrame(columns, schema=pl.Schema(MEMBERSHIPS))

    def team_rosters(self, object_ids: Sequence[str]) -> pl.DataFrame:
        """Who is on the teams' own rosters: [group_object_id, user_object_id, owner, membership_id]; none where there is no team.

        A roster follows its group within hours, or a day (graph.md section 7.3); Microsoft wants it looked at once a day at most
        (section 7.2). Needs TeamMember.Read.All or more.
        """
        requests = [Request("GET", f"/teams/{group}/members?$top={PAGE}") for group in object_ids]
        rows = [
            (group, entry["userId"], "owner" in (entry.get("roles") or ()), entry["id"])
            for group, answer, request in zip(object_ids, self.get_many(requests), requests, strict=True)
            if answer.status != 404
            for entry in self._entries(request, answer)
            if entry.get("userId")
        ]
        return pl.DataFrame(rows, schema=pl.Schema(ROSTERS), orient="row")

    def archived(self, object_ids: Sequence[str]) -> frozenset[str]:
        """The ids, among these of groups, whose team is archived."""
        answers = self.get_many([codec.team_archived(group) for group in object_ids])
        teams = [answer.body for answer in answers if answer.status != 404]
        return frozenset(str(team["id"]) for team in teams if team.get("isArchived"))

    def users_by_upn(self, names: Sequence[str]) -> pl.DataFrame:
        """The users of these names that exist (schema USERS)."""
        return self._users([codec.user_by_name(name, self._mark_property) for name in names])

    def users_by_id(self, object_ids: Sequence[str]) -> pl.DataFrame:
        """The users of these ids that exist (schema USERS)."""
        return self._users(self._by_id(object_ids))

    def _by_id(self, object_ids: Sequence[str]) -> list[Request]:
        select = f"$select={codec.user_select(self._mark_property)}"
        return [Request("GET", f"/users/{object_id}?{select}") for object_id in object_ids]

    def users_and_roles(self, object_ids: Sequence[str]) -> pl.DataFrame:
        """The users of these ids that exist (schema USERS), with who of them is protected: for writes to chosen people."""
        found = self._found(self._by_id(object_ids))
        return codec.users_frame(found, self._mark_property, self.role_holders())

    def _users(self, requests: Sequence[Request]) -> pl.DataFrame:
        return codec.users_frame(self._found(requests), self._mark_property)

    def groups_by_nickname(self, nicknames: Sequence[str]) -> pl.DataFrame:
        """The groups of these mail nicknames that exist (schema GROUPS)."""
        return self._with_classes(self._found([codec.group_by_nickname(nickname) for nickname in nicknames]))

    def groups_by_id(self, object_ids: Sequence[str]) -> pl.DataFrame:
        """The groups of these ids that exist (schema GROUPS)."""
        select = f"$select={codec.GROUP_SELECT}"
        return self._with_classes(self._found([Request("GET", f"/groups/{i}?{select}") for i in object_ids]))

    def _with_classes(self, groups: Sequence[dict[str, Any]]) -> pl.DataFrame:
        select = f"$select={codec.CLASS_SELECT}"
        classes = self._found([Request("GET", f"/education/classes/{entry['id']}?{select}") for entry in groups])
        return codec.groups_frame(groups, classes)

    def organization(self) -> dict[str, Any]:
        """The tenant's own entry: id, displayName, countryLetterCode, verifiedDomains."""
        return dict(next(self._pages("/organization")))

    def domains(self) -> list[dict[str, Any]]:
        """All domains, with isVerified, isDefault, authenticationType."""
        return list(self._pages("/domains"))

    def skus(self) -> list[dict[str, Any]]:
        """All licences: skuId, skuPartNumber, consumedUnits, prepaidUnits, appliesTo, capabilityStatus."""
        return list(self._pages("/subscribedSkus"))

    def get_many(self, requests: Sequence[Request]) -> list[Answer]:
        """The answers of these reads in their order, twenty to a batch; faults other than 404 are raised."""
        if not requests:
            return []
        parts = [requests[start : start + batch.SIZE] for start in range(0, len(requests), batch.SIZE)]
        flights: list[Future[list[Answer]]] = []
        with ThreadPoolExecutor(LANES, thread_name_prefix="graph-read") as pool:
            for part in parts:
                self._admit(part, flights)
                flights.append(pool.submit(self._get_batch, part))
            return [answer for flight in flights for answer in flight.result()]

    def _admit(self, requests: Sequence[Request], flights: Sequence[Future[list[Answer]]] = ()) -> None:
        """Return when these reads may go; in the caller's thread only, because a budget may have to be asked.

        Where the quota is the limit, nothing of before is still on its way then: it might arrive together with these.
        """
        due = self._throttle.admit(requests, self._clock.monotonic())
        if due > self._clock.monotonic():
            wait(flights)
            self._clock.sleep(max(0.0, due - self._clock.monotonic()))

    def _get_batch(self, requests: Sequence[Request]) -> list[Answer]:
        answers: dict[int, Answer] = {}
        for attempt in range(ATTEMPTS):
            waiting = [n for n in range(len(requests)) if n not in answers]
            outer = self._get(batch.pack([requests[n] for n in waiting]))
            pause, now = 0.0, self._clock.monotonic()
            for n, answer in zip(waiting, batch.unpack(outer, len(waiting)), strict=True):
                delay = self._postponed(requests[n], answer)
                if answer is not None:
                    self._throttle.told(requests[n], answer, now)
                if answer is not None and delay is None:
                    answers[n] = answer
                else:
                    pause = max(pause, delay or FIRST_DELAY * 2**attempt)
            if len(answers) == len(requests):
                return [answers[n] for n in range(len(requests))]
            self._clock.sleep(pause)
        raise Later("Microsoft 365 stayed too busy to be read.", remedy="Run the synchronization again later.")

    def _postponed(self, request: Request, answer: Answer | None) -> float | None:
        """Seconds to wait before this read is asked again (0: not said); None if it needs not be asked again."""
        if answer is None:
            return 0.0
        fault = verdict(request, answer)
        if fault is None or answer.status == 404:
            return None
        if isinstance(fault, Later):
            return fault.delay or 0.0
        raise withdrawn(request, fault, self.granted()) or fault if fault.status == 403 else fault

    def _found(self, requests: Sequence[Request]) -> list[dict[str, Any]]:
        """Every object these reads found, single ones and those in lists."""
        objects: list[dict[str, Any]] = []
        for answer in self.get_many(requests):
            if answer.status != 404:
                objects += answer.body.get("value", [answer.body])
        return objects

    def _entries(self, request: Request, answer: Answer) -> Iterator[dict[str, Any]]:
        """All entries of a list whose first page is `answer`."""
        while True:
            yield from answer.body["value"]
            following = next_page(answer)
            if following is None:
                return
            answer = self._get_page(Request("GET", following, headers=request.headers))

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        request = Request("GET", path)
        yield from self._entries(request, self._get_page(request))

    def _get_page(self, request: Request) -> Answer:
        ahead = self._ahead.pop(request.path, None)
        if ahead is not None:
            return ahead
        self._admit([request])
        return self._get(request)

    def _get(self, request: Request) -> Answer:
        """The answer, repeating what Microsoft put off; any other fault is raised."""
        for attempt in range(ATTEMPTS):
            try:
                answer = self._transport.send(request)
                fault = verdict(request, answer)
            except Lost as lost:
                fault = lost
            if fault is None:
                return answer
            if not isinstance(fault, Later) or attempt == ATTEMPTS - 1:
                raise withdrawn(request, fault, self.granted()) or fault if fault.status == 403 else fault
            self._clock.sleep(fault.delay or FIRST_DELAY * 2**attempt)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def granted(self) -> frozenset[str]:
        """The permissions the token in use says it has. It is only looked into: Microsoft alone decides what it is good for."""
        return roles_of(self._transport.token())

    def _require_hidden_members(self) -> None:
        """Refuse to read memberships with a token that would leave people out without saying so."""
        if HIDDEN_MEMBERS not in self.granted():
            raise Stop(
                f"The application lacks the permission {HIDDEN_MEMBERS}, so members of class teams would be left out.",
                remedy="Grant the permission at Microsoft and give consent again.",
                code="MissingPermission",
            )
