"""Delta: everything once, then only what changed since a link (graph.md sections 2.5, 5.3, 13.1).

A first round walks the table; later rounds walk the log of changes from the number in the link. What changes while a round is
read is told again, as documented. Links live seven days.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from ..ask import Ask
from ..tenant.lags import View
from ..tenant.links import Links
from ..tenant.tenant import Tenant
from ..wire import Answer, Record, Refusal, bad_request
from .entities import Entity
from .pages import link, refuse_unsupported, selected

PAGE = 200
RELATED_A_PAGE = 1_000
LIFETIME = 7 * 86_400
MOST_IDS = 50
REPLAYS = 0.05
_IDS = re.compile(r"\s*id\s+eq\s+'([^']+)'\s*(?:or|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Round:
    """Where a reader is: what he knew before the round, how far he got, what he will know after it.

    place: next place in the table, in a first round; None in a later one. offset: relations of that place already told.
    known: number of the change he knows everything up to. cursor: number he got to in this round. until: where the round ends.
    """

    at: float
    place: int | None
    offset: int
    known: int
    cursor: int
    until: int

    def token(self, tenant: Tenant) -> str:
        """As it stands in a link; opaque to clients."""
        kept = [tenant.id, self.at, self.place, self.offset, self.known, self.cursor, self.until]
        return base64.urlsafe_b64encode(orjson.dumps(kept)).decode()


def _read(tenant: Tenant, token: str) -> Round:
    try:
        owner, *rest = orjson.loads(base64.urlsafe_b64decode(token.encode()))
        found = Round(*rest)
    except (ValueError, TypeError):
        raise bad_request("Badly formed token.", code="BadRequest") from None
    if owner != tenant.id or found.until > tenant.changes.sequence:
        raise bad_request("The sync state generation is not found; start again without a token.", "syncStateNotFound")
    return found


def delta(
    ask: Ask, entity: Entity, related: Mapping[str, Links] | None = None, *, tells_removals: bool = True
) -> Answer:
    """One page of a delta round. `related` are the relations told beside the objects, by name (`members`)."""
    refuse_unsupported(ask, "$expand", "$top", "$orderby", "$skip", "$search")
    tenant, asked = ask.tenant, selected(ask)
    wanted = {name: links for name, links in (related or {}).items() if asked is None or name in asked}
    names = [name for name in asked if name not in (related or {})] if asked is not None else None
    entity.check_selected(tenant, names, collection=True)
    ids = _ids(ask)
    now = tenant.clock.now()
    look = _Look(ask, entity, names or None, wanted, ids, tells_removals)
    if ask.query.get("$deltatoken", ask.query.get("deltatoken")) == "latest":
        look.begin()
        return _page(ask, [], None, Round(now, None, 0, *[tenant.changes.sequence] * 3))
    token = ask.query.get("$skiptoken") or ask.query.get("$deltatoken")
    state = _read(tenant, token) if token else Round(now, 0, 0, 0, 0, tenant.changes.sequence)
    if now - state.at > LIFETIME:
        raise _expired(ask)
    if state.place is not None:
        look.begin()
    found, following, until = look.first(state) if state.place is not None else look.later(state)
    return _page(ask, found, following, Round(now, None, 0, until, until, until))


def _ids(ask: Ask) -> frozenset[str] | None:
    text = ask.query.get("$filter")
    if text is None:
        return None
    found = _IDS.findall(text)
    if not found or _IDS.sub("", text).strip():
        raise bad_request("Delta supports no other filter than on id.", code="Request_UnsupportedQuery")
    if len(found) > MOST_IDS:
        raise bad_request(f"At most {MOST_IDS} ids can be followed.", code="Request_UnsupportedQuery")
    return frozenset(found)


def _expired(ask: Ask) -> Refusal:
    """The link is too old: 410 with where to begin again, or the other documented form where the tenant is set to it."""
    message = "The delta token has expired; start again without a token."
    if ask.tenant.config.expired_delta == 410:
        again = link(ask, ("$skiptoken", "$deltatoken"))
        return Refusal(410, "resyncRequired", message, headers={"Location": again})
    return Refusal(400, "syncStateNotFound", message)


def _page(ask: Ask, found: list[Record], following: Round | None, after: Round) -> Answer:
    body: Record = {"@odata.context": f"{ask.base}/$metadata#{ask.path.strip('/').removesuffix('/delta')}/$delta"}
    old = ("$skiptoken", "$deltatoken", "deltatoken")
    if following is not None:
        body["@odata.nextLink"] = link(ask, old, skiptoken=following.token(ask.tenant))
    else:
        body["@odata.deltaLink"] = link(ask, old, deltatoken=after.token(ask.tenant))
    body["value"] = found
    minimal = "return=minimal" in ask.headers.get("prefer", "").lower()
    return Answer(200, body, {"Preference-Applied": "return=minimal"} if minimal else {})


@dataclass(frozen=True, slots=True)
class _Look:
    """One page for one reader."""

    ask: Ask
    entity: Entity
    names: Sequence[str] | None
    related: Mapping[str, Links]
    ids: frozenset[str] | None
    tells_removals: bool

    def _concerns(self, record: Record) -> bool:
        mine = self.entity.belongs is None or self.entity.belongs(record)
        return mine and (self.ids is None or record["id"] in self.ids)

    def begin(self) -> None:
        """From now on it has to be known what changes."""
        self.entity.table(self.ask.tenant).changed_since(self.ask.tenant.changes.sequence, list)
        for links in self.related.values():
            links.changed_since(self.ask.tenant.changes.sequence)

    def first(self, state: Round) -> tuple[list[Record], Round | None, int]:
        """Everything, in order of creation; a group with many relations goes on over several pages."""
        tenant, told = self.ask.tenant, 0
        found: list[Record] = []
        for place, record in self.entity.table(tenant).from_position(state.place or 0):
            if not self._concerns(record):
                continue
            if len(found) == PAGE or told >= RELATED_A_PAGE:
                return found, replace(state, place=place, offset=0), state.until
            offset = state.offset if place == state.place else 0
            kin = self._all_related(record["id"], offset)
            told += sum(map(len, kin.values()))
            found.append({**self.entity.show(tenant, record, self.names), **kin})
            if any(len(links.of(record["id"])) > offset + RELATED_A_PAGE for links in self.related.values()):
                return found, replace(state, place=place, offset=offset + RELATED_A_PAGE), state.until
        return found, None, state.until

    def _all_related(self, key: str, offset: int) -> dict[str, list[Record]]:
        """The relations of an object from one on, as many as a page holds."""
        told = {}
        for name, links in self.related.items():
            keys = list(links.of(key))[offset : offset + RELATED_A_PAGE]
            if keys:
                told[f"{name}@delta"] = [self._kin(target) for target in keys]
        return told

    def _kin(self, target: str) -> Record:
        kind = "group" if target in self.ask.tenant.groups else "user"
        return {"@odata.type": f"#microsoft.graph.{kind}", "id": target}

    def later(self, state: Round) -> tuple[list[Record], Round | None, int]:
        """What changed after `known`, each object once, in the order of its last change."""
        tenant, table = self.ask.tenant, self.entity.table(self.ask.tenant)
        lags = tenant.changes.lags
        unseen_after = tenant.clock.now() - lags.of(View.DELTA)
        last: dict[str, int] = {}
        changed: dict[str, frozenset[str] | None] = {}
        until = tenant.changes.sequence
        for number, at, key, names in table.changed_since(state.known, self._gone):
            if lags.active and at > unseen_after:
                until = min(until, number - 1)
                break
            last[key] = number
            changed[key] = (
                None if names is None or changed.get(key, names) is None else names | (changed.get(key) or names)
            )
        for links in self.related.values():
            for number, at, source, _ in links.changed_since(state.known):
                if lags.active and at > unseen_after:
                    until = min(until, number - 1)
                    break
                last[source] = max(last.get(source, 0), number)
                changed.setdefault(source, frozenset())
        found, following = self._changes(state, last, changed)
        return found, following, until

    def _changes(
        self, state: Round, last: Mapping[str, int], changed: Mapping[str, frozenset[str] | None]
    ) -> tuple[list[Record], Round | None]:
        found: list[Record] = []
        ordered = sorted((number, key) for key, number in last.items() if number > state.cursor)
        for number, key in ordered:
            if len(found) >= PAGE:
                return found, replace(state, cursor=number - 1)
            shown = self._change(key, changed[key], state.known)
            if shown is not None:
                found.append(shown)
        if len(found) > 1 and self.ask.tenant.changes.lags.chance(REPLAYS):
            found.append(found[0])
        return found, None

    def _change(self, key: str, names: frozenset[str] | None, known: int) -> Record | None:
        tenant = self.ask.tenant
        record = self.entity.table(tenant).get(key)
        if record is None:
            return self._removal(key)
        if not self._concerns(record):
            return None
        told: dict[str, Any] = {}
        for name, links in self.related.items():
            tied, cut = links.difference(key, known)
            kin = [self._kin(target) for target in tied]
            kin += [{**self._kin(target), "@removed": {"reason": "deleted"}} for target in cut]
            if kin:
                told[f"{name}@delta"] = kin
        if self.names is not None and names is not None and not told and names.isdisjoint(self.names):
            return None
        shown = self.entity.show(tenant, record, self.names)
        if "return=minimal" in self.ask.headers.get("prefer", "").lower() and names is not None:
            shown = {name: value for name, value in shown.items() if name == "id" or name in names}
        return {**shown, **told}

    def _gone(self) -> list[tuple[int, str]]:
        tenant, kind = self.ask.tenant, self.entity.table(self.ask.tenant).kind
        return [
            (r["_seq"], r["id"])
            for table in (tenant.deleted, tenant.purged)
            for r in table.values()
            if r["_kind"] == kind
        ]

    def _removal(self, key: str) -> Record | None:
        """An object that is gone: restorable (changed) or for good (deleted); education tells of no removals."""
        tenant = self.ask.tenant
        gone = tenant.deleted.get(key) or tenant.purged.get(key)
        if not self.tells_removals or gone is None or (self.ids is not None and key not in self.ids):
            return None
        return {"id": key, "@removed": {"reason": "changed" if key in tenant.deleted else "deleted"}}
