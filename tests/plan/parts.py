"""The small world asked by points: what a look at a part of a school needs, answered from whole frames."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl
from tests.world import AUTUMN, CLASS_LINKS_FROM, GROUP_LINKS_FROM, NODE_LINKS_FROM, School, Tenant, desire

from rollbook.desired import TenantFacts, managed_nodes, managed_people, managed_teams, near
from rollbook.directory.state import Relation
from rollbook.plan.by_hand import DONE
from rollbook.plan.changes import Plan
from rollbook.plan.context import Context, Guarding
from rollbook.profiles import Profile
from rollbook.scoped import HOLDERS, Part, World, draft_part
from rollbook.sync import Scope

MEMBERS = {"group_object_id": pl.String, "user_object_id": pl.String, "relation": pl.UInt8}


@dataclass
class Look:
    """A tenant and a school on a day, as a part of them is planned; links are those of `tests.world.desire`."""

    tenant: Tenant
    school: School
    profile: Profile
    facts_of_tenant: TenantFacts
    bought: Sequence[tuple[str, int]]
    as_of: dt.date = AUTUMN
    _known: dict[str, Any] = field(default_factory=dict)

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        """What does not change while the school stays as it is, made once."""
        if name not in self._known:
            self._known[name] = make()
        return self._known[name]

    def _rows(self) -> near.FrameRows:
        return near.FrameRows(self._once("roster", self.school.roster))

    def part(self, people: Iterable[int] = (), classes: Iterable[int] = ()) -> Part | None:
        """What a scoped synchronization of these people and classes would do; None where everything has to be looked at."""
        scope = Scope("tenant", self.profile, 1, self.as_of)
        return draft_part(scope, near.seeds(people, classes), World(self, self, self, self))

    def carry_out(self, people: Iterable[int] = (), classes: Iterable[int] = ()) -> Plan:
        """The same carried out; the whole plan where everything has to be looked at."""
        part = self.part(people, classes)
        if part is None:
            plan = self.tenant.plan(self.school, self.as_of, self.profile, self.facts_of_tenant, self.bought)
        else:
            plan = part.plan
            self.tenant._note_absences(part.view, Scope("tenant", self.profile, 1, self.as_of))
        self.tenant.apply(plan)
        return plan

    # the register

    def whole(self, table: str) -> pl.DataFrame:
        return self._rows().whole(table)

    def where(self, table: str, column: str, values: pl.Series) -> pl.DataFrame:
        return self._rows().where(table, column, values)

    def witnesses(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        return self._rows().witnesses()

    def departed(self, people: pl.Series) -> pl.DataFrame:
        return self._rows().roster.affiliations.select("person", "user_type").clear()

    def released(self) -> pl.Series:
        return pl.Series([], dtype=pl.Int64)

    # the memory

    def _subjects(self) -> pl.DataFrame:
        """[kind, link, key, period, mark] of every team and node there may be."""
        return self._once("subjects", self._all_subjects)

    def _all_subjects(self) -> pl.DataFrame:
        roster = self._rows().roster
        teams = managed_teams(roster, self.profile, self.as_of).classes.group_by("key", "period")
        of_teams = teams.agg(link=pl.col("klass").min() + CLASS_LINKS_FROM).with_columns(kind=pl.lit("team"))
        people = managed_people(roster, self.profile, self.as_of, self.departed(pl.Series([])))
        nodes = managed_nodes(roster, self.profile, self.as_of, people).groupings()
        known = self.tenant.nodes
        for key in nodes["key"]:
            known.setdefault(key, NODE_LINKS_FROM + len(known))
        rows = [("node", link, key, 0) for key, link in known.items()]
        of_nodes = pl.DataFrame(rows, schema=["kind", "link", "key", "period"], orient="row")
        of_nodes = of_nodes.cast({"kind": pl.String, "link": pl.Int64, "key": pl.String, "period": pl.Int64})
        both = [rows.select("kind", pl.col("link").cast(pl.Int64), "key", "period") for rows in (of_teams, of_nodes)]
        return pl.concat(both).with_columns(mark=pl.format("mark-{}", "link"))

    def _objects(self) -> pl.DataFrame:
        rows = [(link, held["object_id"]) for link, held in self.tenant.links.items()]
        return pl.DataFrame(rows, schema={"link": pl.Int64, "object_id": pl.String}, orient="row")

    def reserve_links(self, kind: str, subjects: pl.DataFrame) -> pl.DataFrame:
        return subjects.with_columns(link="subject", mark=pl.format("mark-{}", "subject"))

    def group_links(self, kind: str, groups: pl.DataFrame) -> pl.DataFrame:
        return groups.join(self._subjects(), on=["key", "period"]).select("key", "period", "link", "mark")

    def licence_links(self, user_types: Sequence[str]) -> pl.DataFrame:
        place = pl.int_range(pl.len(), dtype=pl.Int64) + GROUP_LINKS_FROM + 1
        kind = self.whole("affiliations").schema["user_type"]
        return pl.DataFrame({"user_type": user_types}, schema={"user_type": kind}).with_columns(
            link=place, mark=pl.format("mark-{}", place)
        )

    def holders(self, object_ids: Collection[str]) -> pl.DataFrame:
        held = self._objects().filter(pl.col("object_id").is_in(list(object_ids)))
        groups = held.join(self._subjects(), on="link").with_columns(subject="link")
        users = held.filter(pl.col("link") < CLASS_LINKS_FROM).with_columns(
            kind=pl.lit("user"), subject="link", key=pl.lit(None, pl.String), period=pl.lit(0), mark=pl.lit("")
        )
        return pl.concat([part.select(HOLDERS.keys()).cast(pl.Schema(HOLDERS)) for part in (groups, users)])

    def objects_of(self, people: pl.Series) -> list[str]:
        return self._objects().filter(pl.col("link").is_in(people.implode()))["object_id"].to_list()

    def made_teams(self, teams: pl.DataFrame) -> pl.DataFrame:
        return teams.join(self._subjects().filter(pl.col("kind") == "team"), on=["key", "period"]).join(
            self._objects(), on="link"
        )

    def _context(self) -> Context:
        desired = self._once(
            "desired",
            lambda: desire(self.school, self.as_of, self.profile, self.facts_of_tenant, None, self.tenant.nodes),
        )
        return self.tenant._context(desired, self.as_of, self.bought)

    def links_among(self, kinds: Sequence[str], links: pl.Series, object_ids: Collection[str]) -> pl.DataFrame:
        context = self._context()
        frame = context.user_links if "user" in kinds else context.group_links
        return frame.filter(
            pl.col("link").is_in(links.implode()) | pl.col("object_id").is_in(list(object_ids)).fill_null(value=False)
        )

    def names_among(self, kind: str, day: dt.date, links: pl.Series, names: Collection[str]) -> pl.DataFrame:
        reserved = self._context().user_names if kind == "user" else self._context().nicknames
        return reserved.filter(pl.col("link").is_in(links.implode()) | pl.col("folded").is_in(list(names)))

    def granted_to(self, links: pl.Series) -> pl.DataFrame:
        return self._context().granted.filter(pl.col("link").is_in(links.implode()))

    def decisions_on(self, links: pl.Series) -> pl.DataFrame:
        return self._context().decisions.filter(pl.col("link").is_in(links.implode()))

    def waited_of(self, links: pl.Series) -> pl.DataFrame:
        return self.tenant.waited.filter(pl.col("subject").is_in(links.implode()))

    def done_about(self, changes: pl.DataFrame) -> pl.DataFrame:
        return pl.DataFrame(schema=pl.Schema(DONE))

    def guarding(self, about: Sequence[int] | None = None) -> Guarding:
        managed = {"users": len(self.tenant.links), "memberships": len(self.tenant.memberships)}
        return replace(self.tenant.guarding, managed=managed, whole=False)

    def protected(self) -> pl.Series:
        return pl.Series([], dtype=pl.String)

    def first_run(self) -> bool:
        return not self.tenant.links

    # the mirror

    def users(self, object_ids: Collection[str]) -> pl.DataFrame:
        return self.tenant.state().users.filter(pl.col("object_id").is_in(list(object_ids)))

    def groups(self, object_ids: Collection[str]) -> pl.DataFrame:
        return self.tenant.state().groups.filter(pl.col("object_id").is_in(list(object_ids)))

    def _keys(self) -> list[tuple[str, str, str]]:
        """(by, key, object id) of everything that is found by something."""
        found: list[tuple[str, Any, str]] = []
        for user in self.tenant.users:
            name = user["user_principal_name"]
            values = {"name": name, "local": name.split("@")[0], "number": user.get("employee_id")}
            values |= {"mark": user.get("mark"), "mail": user.get("mail")}
            found += [(by, value, user["object_id"]) for by, value in values.items()]
        for group in self.tenant.groups:
            names = {"nickname": "mail_nickname", "display": "display_name", "external": "external_id", "mark": "mark"}
            found += [(by, group.get(column), group["object_id"]) for by, column in names.items()]
        return [(by, str(value).lower(), object_id) for by, value, object_id in found if value]

    def found(self, by: str, keys: Iterable[str]) -> list[str]:
        wanted = {key.lower() for key in keys}
        return [object_id for kind, key, object_id in self._keys() if kind == by and key in wanted]

    def taken(self, by: str, keys: Iterable[str]) -> set[str]:
        wanted = {key.lower() for key in keys}
        return {key for kind, key, _ in self._keys() if kind == by and key in wanted}

    def members(
        self,
        group_ids: Collection[str] | None = None,
        user_ids: Collection[str] | None = None,
        relation: Relation | None = None,
    ) -> pl.DataFrame:
        rows = [
            (self.tenant.links[row["team"]]["object_id"], self._object_of(row), row["relation"])
            for row in self.tenant.memberships
        ]
        frame = pl.DataFrame(rows, schema=MEMBERS, orient="row")
        for column, ids in (("group_object_id", group_ids), ("user_object_id", user_ids)):
            frame = frame if ids is None else frame.filter(pl.col(column).is_in(list(ids)))
        return frame if relation is None else frame.filter(pl.col("relation") == int(relation))

    def _object_of(self, row: dict[str, Any]) -> str:
        return str(row.get("user_object_id") or self.tenant.links[row["user"]]["object_id"])

    def count_members(self, group_ids: Collection[str]) -> pl.DataFrame:
        inside = self.members(group_ids, relation=Relation.MEMBER)
        return inside.group_by("group_object_id").agg(members=pl.len().cast(pl.Int64))

    # the tenant

    def facts(self) -> TenantFacts:
        return self.facts_of_tenant

    def seats(self) -> pl.DataFrame:
        return self._context().seats
