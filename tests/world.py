"""A small, readable world for the pure stations: a school in words, a tenant in frames, and what applying a plan leaves.

`School` becomes a Roster; `Tenant` holds what Microsoft would hold and can carry out a plan, so that a test can say
"the school changes, look at the second plan". Keys are small integers in the order things were named.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl

from rollbook.desired import Linked, Managed, TenantFacts, build_desired, managed_nodes, managed_people, managed_teams
from rollbook.desired.build import LINKED
from rollbook.directory.desired import Desired
from rollbook.directory.state import MEMBERSHIPS, USERS, Relation, State, as_groups
from rollbook.plan.changes import ChangeVerdict, Kind, Plan
from rollbook.plan.context import DECISIONS, GRANTED, LINKS, RESERVED, SEATS, WAITED, Context, Guarding
from rollbook.plan.make import make_plan
from rollbook.plan.match import Matched, match
from rollbook.plan.reverse import DONE, Asked, plan_undo
from rollbook.profiles import Profile, suggested
from rollbook.roster.tables import SCHEMAS as ROSTER_TABLES
from rollbook.roster.tables import Roster
from rollbook.sync import Scope, View, absences

AUTUMN = dt.date(2026, 10, 1)
BEGIN, END = dt.date(2026, 9, 1), dt.date(2027, 7, 1)
STUDENT_SKU, STAFF_SKU = "sku-student", "sku-staff"

FACTS = TenantFacts(
    default_domain="school.example",
    domains=frozenset({"school.example"}),
    country="GR",
    skus={"STANDARDWOFFPACK_STUDENT": STUDENT_SKU, "STANDARDWOFFPACK_FACULTY": STAFF_SKU},
)


def frame(table: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows of a roster table; columns that are not given are null, or 0 for lines."""
    return pl.DataFrame(rows, schema=pl.Schema(ROSTER_TABLES[table]))


@dataclass
class School:
    """A school told in sentences: `student("Maria Papadaki")`, `klass("7A Maths", teachers=["Nikos Vasilakis"], ...)`."""

    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    types: list[dict[str, Any]] = field(default_factory=list)
    classes: dict[str, int] = field(default_factory=dict)
    enrolments: list[dict[str, Any]] = field(default_factory=list)
    teachings: list[dict[str, Any]] = field(default_factory=list)
    guardians: list[dict[str, Any]] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)

    def _next(self, kind: str) -> int:
        """A number no row of this kind ever had: what was dropped does not come back as somebody else's."""
        self.told[kind] += 1
        return self.told[kind]

    def person(self, name: str, user_type: str, **columns: Any) -> int:
        """A person of a user type; naming somebody again adds the type."""
        given, _, family = name.partition(" ")
        row = self.people.setdefault(name, {"person": len(self.people) + 1})
        row |= {"given_name": given, "family_name": family or None, "active": True}
        row |= {"sourced_id": f"p{row['person']}", "line": 0, "sis_number": f"S{row['person']}"} | columns
        self.types.append({"person": row["person"], "user_type": user_type})
        return int(row["person"])

    def key(self, name: str, user_type: str) -> int:
        """The key of somebody, who is added if the school does not know the name yet."""
        known = self.people.get(name)
        return int(known["person"]) if known else self.person(name, user_type)

    def klass(
        self,
        title: str,
        teachers: list[str] | None = None,
        students: list[str] | None = None,
        *,
        begin: dt.date | None = BEGIN,
        end: dt.date | None = END,
    ) -> School:
        """A class that is its own group and subject, with these people from `begin` to `end`."""
        klass = self.classes.setdefault(title, len(self.classes) + 1)
        span = {"begin": begin, "end": end, "klass": klass, "line": 0}
        for name in teachers or []:
            number = self._next("teaching")
            row = {"teaching": number, "sourced_id": f"t{number}", "person": self.key(name, "teacher")}
            self.teachings.append(row | span | {"teacher_type": "teacher"})
        for name in students or []:
            number = self._next("enrolment")
            row = {"enrolment": number, "sourced_id": f"e{number}", "person": self.key(name, "student")}
            self.enrolments.append(row | span)
        return self

    def leaves(self, name: str) -> School:
        """Somebody is no longer active in the school."""
        self.people[name]["active"] = False
        return self

    def drops(self, name: str, title: str) -> School:
        """Somebody is no longer enrolled or teaching in a class."""
        person, klass = self.people[name]["person"], self.classes[title]
        for rows in (self.enrolments, self.teachings):
            rows[:] = [row for row in rows if (row["person"], row["klass"]) != (person, klass)]
        return self

    def roster(self) -> Roster:
        """The school as a Roster, with one school year from September to July."""
        period = {"period": 1, "sourced_id": "2027", "line": 0, "title": "2026-2027", "begin": BEGIN, "end": END}
        classes, groups, subjects = [], [], []
        for title, key in self.classes.items():
            common = {"sourced_id": f"c{key}", "line": 0, "code": f"C{key}"}
            groups.append({"group": key, "name": title, **common})
            subjects.append({"subject": key, "name": title, **common})
            link = {"klass": key, "group": key, "subject": key, "period": 1, "kind": "scheduled"}
            classes.append({"title": title, **common, **link})
        return Roster(
            academic_periods=frame("academic_periods", [period]),
            groups=frame("groups", groups),
            subjects=frame("subjects", subjects),
            classes=frame("classes", classes),
            people=frame("people", list(self.people.values())),
            affiliations=frame("affiliations", self.types),
            guardianships=frame("guardianships", self.guardians),
            enrolments=frame("enrolments", self.enrolments),
            teachings=frame("teachings", self.teachings),
        )


class Registered(Protocol):
    """A school, however it is told."""

    def roster(self) -> Roster:
        """All of it."""
        ...


GROUP_LINKS_FROM = 20_000
NODE_LINKS_FROM = 30_000
CLASS_LINKS_FROM = 10_000
"""People's links equal their keys, links of classes start here: readable in a failing test."""


@dataclass
class Tenant:
    """What Microsoft holds, and what Rollbook remembers of it; `plan` looks, `apply` carries out."""

    users: list[dict[str, Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    memberships: list[dict[str, Any]] = field(default_factory=list)
    links: dict[int, dict[str, Any]] = field(default_factory=dict)
    waited: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=pl.Schema(WAITED)))
    departed: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[tuple[int, str, str]] = field(default_factory=list)
    seats: int = 1_000
    reserved: list[tuple[str, int]] = field(default_factory=list)
    granted: list[tuple[int, str]] = field(default_factory=list)
    guarding: Guarding = field(default_factory=Guarding)
    nodes: dict[str, int] = field(default_factory=dict)

    def account(self, name: str, **columns: Any) -> str:
        """An account somebody else made; returns its object id."""
        object_id = f"object-{len(self.users) + 1}"
        row = {
            "object_id": object_id,
            "user_principal_name": name,
            "account_enabled": True,
            "licences": [],
            "plans_off": [],
            "on_premises": False,
            "guest": False,
            "protected": False,
            "deleted": False,
            "restricted": False,
        }
        self.users.append(row | columns)
        return object_id

    def state(self, matched: Matched | None = None, unmanaged: Sequence[int] = ()) -> State:
        """The tenant as the reader would see it; memberships of matched teams by link, strangers with user null."""
        teams = {*matched.groups["link"], *unmanaged} if matched else set()
        users = set(matched.users["link"]) | teams if matched else set()
        members = [
            {
                "team": row["team"],
                "user": row["user"] if row["user"] in users else None,
                "relation": row["relation"],
                "user_object_id": row.get("user_object_id"),
            }
            for row in self.memberships
            if row["team"] in teams
        ]
        return State(
            users=pl.DataFrame(self.users, schema=pl.Schema(USERS)),
            groups=_as_frame(self.groups),
            memberships=pl.DataFrame(members, schema=pl.Schema(MEMBERSHIPS)),
        )

    def plan(
        self,
        school: Registered,
        as_of: dt.date = AUTUMN,
        profile: Profile | None = None,
        facts: TenantFacts = FACTS,
        seats: Sequence[tuple[str, int]] = (),
    ) -> Plan:
        """The plan that makes this tenant equal to the school; `seats` are those bought of further licences."""
        profile = profile or suggested()
        made = {key: link for key, link in self.nodes.items() if link in self.links}
        desired = desire(school, as_of, profile, facts, self.departed, self.nodes, made)
        actual = self.state()
        context = self._context(desired, as_of, seats)
        matched = match(desired, actual, context, profile)
        actual = self.state(matched, desired.unmanaged["link"].to_list())
        self._note_absences(View(desired, actual, matched), Scope("tenant", profile, 1, as_of))
        return make_plan(desired, actual, matched, context, profile)

    def _note_absences(self, view: View, scope: Scope) -> None:
        leaving, staying = absences(view, scope)
        for link, since in leaving.iter_rows():
            if link in self.links and not self.links[link].get("left_on"):
                self.links[link]["left_on"] = since
        for link in staying["link"]:
            if link in self.links:
                self.links[link]["left_on"] = None

    def _context(self, desired: Desired, as_of: dt.date, seats: Sequence[tuple[str, int]]) -> Context:
        bought = {STUDENT_SKU: self.seats, STAFF_SKU: self.seats, **dict(seats)}
        used = Counter(sku for user in self.users for sku in user["licences"])
        return Context(
            tenant="tenant",
            profile_version=1,
            as_of=as_of,
            first_run=not self.links,
            user_links=self._links(desired.state.users["link"].to_list(), of_people=True),
            group_links=self._links(desired.state.groups["link"].to_list(), of_people=False),
            user_names=pl.DataFrame(self.reserved, schema=pl.Schema(RESERVED), orient="row"),
            nicknames=pl.DataFrame(schema=pl.Schema(RESERVED)),
            seats=pl.DataFrame(
                [(sku, count - used[sku]) for sku, count in bought.items()],
                schema=pl.Schema(SEATS),
                orient="row",
            ),
            granted=pl.DataFrame(self.granted, schema=pl.Schema(GRANTED), orient="row"),
            waited=self.waited,
            decisions=pl.DataFrame(self.decisions, schema=pl.Schema(DECISIONS), orient="row"),
            guarding=self.guarding,
        )

    def _links(self, keys: list[int], *, of_people: bool) -> pl.DataFrame:
        empty = {"object_id": None, "adopted": False, "disabled_by_us": False, "left_on": None}
        # The tenant may also hold links of another institute.
        keys = sorted({*keys, *(key for key in self.links if (key < CLASS_LINKS_FROM) == of_people)})
        rows = [{"link": key, **empty, **self.links.get(key, {})} for key in keys]
        return pl.DataFrame(rows, schema=pl.Schema(LINKS))

    def apply(self, plan: Plan) -> Tenant:
        """Carry out every planned change as Microsoft would, and remember what waits."""
        values = {seq: json.loads(after) for seq, after in plan.details.select("seq", "after").iter_rows() if after}
        for change in plan.changes.iter_rows(named=True):
            if change["verdict"] == ChangeVerdict.PLANNED:
                self._carry_out(
                    Kind(change["kind"]), change["subject"], change["object"], values.get(change["seq"], {})
                )
        self.waited = plan.changes.filter(pl.col("verdict") == int(ChangeVerdict.WAITS)).select(WAITED.keys())
        return self

    def _carry_out(self, kind: Kind, subject: int, other: int | None, after: dict[str, Any]) -> None:
        if kind in (Kind.LINK_USER, Kind.LINK_GROUP):
            self.links[subject] = {"object_id": after["object_id"], "adopted": after["adopted"]}
        elif kind == Kind.CREATE_USER:
            made = self.account(**_account(after, subject))
            self.links[subject] = {"object_id": made, "disabled_by_us": not after["account_enabled"]}
        elif kind in MADE_AS:
            object_id = f"group-{subject}"
            self.groups.append({"object_id": object_id, "kind": MADE_AS[kind], "mark": f"mark-{subject}", **after})
            self.links[subject] = {"object_id": object_id}
        elif kind == Kind.LICENSE_GROUP:
            group = self._group(subject)
            group["licences"] = sorted(entry["sku"] for entry in after["licences"])
            group["plans_off"] = sorted(plan for entry in after["licences"] for plan in entry["off"])
        elif kind in (Kind.JOIN_LICENCE_GROUP, Kind.LEAVE_LICENCE_GROUP):
            self._follow(kind, subject, other)
        elif kind in RELATING:
            self._relate(kind, subject, other)
        elif kind == Kind.REMOVE_STRANGER:
            leaving = (subject, after["object_id"])
            self.memberships = [r for r in self.memberships if (r["team"], r.get("user_object_id")) != leaving]
        else:
            self._change(kind, subject, after)

    def _group(self, link: int) -> dict[str, Any]:
        (found,) = [each for each in self.groups if each["object_id"] == self.links[link]["object_id"]]
        return found

    def _follow(self, kind: Kind, group: int, user: int | None) -> None:
        """A member of a licence group, with the licences Microsoft gives or takes because of it."""
        joining = kind == Kind.JOIN_LICENCE_GROUP
        self._relate(Kind.ADD_MEMBER if joining else Kind.REMOVE_MEMBER, group, user)
        carries = set(self._group(group).get("licences", ()))
        row = next(each for each in self.users if user and each["object_id"] == self.links[user]["object_id"])
        row["licences"] = sorted({*row["licences"]} | carries if joining else {*row["licences"]} - carries)

    def _relate(self, kind: Kind, team: int, user: int | None) -> None:
        owner = kind in (Kind.ADD_OWNER, Kind.REMOVE_OWNER, Kind.DEMOTE_OWNER)
        row = {"team": team, "user": user, "relation": int(Relation.OWNER if owner else Relation.MEMBER)}
        if kind in (Kind.ADD_MEMBER, Kind.ADD_OWNER):
            assert row not in self.memberships, f"added twice: {row}"
            self.memberships.append(row)
        else:
            self.memberships.remove(row)

    def _change(self, kind: Kind, subject: int, after: dict[str, Any]) -> None:
        object_id = self.links[subject]["object_id"]
        row = next(r for r in [*self.users, *self.groups] if r["object_id"] == object_id)
        if kind == Kind.CREATE_TEAM:
            row["has_team"] = True
        elif kind in (Kind.ENABLE_USER, Kind.DISABLE_USER):
            row["account_enabled"] = kind == Kind.ENABLE_USER
            self.links[subject]["disabled_by_us"] = kind == Kind.DISABLE_USER
        elif kind == Kind.RENAME_USER:
            self.reserved.append((row["user_principal_name"].lower(), subject))
            row |= after
        elif kind == Kind.RESTORE_USER:
            row |= {"deleted": False, "user_principal_name": after["user_principal_name"] or row["user_principal_name"]}
        elif kind in (Kind.LICENSE_USER, Kind.UNLICENSE_USER):
            self._license(row, subject, after)
        else:
            row |= after

    def undo(self, plan: Plan) -> Plan:
        """The plan that undoes what carrying out `plan` did, looking at what is there now."""
        done = plan.changes.filter(pl.col("verdict") == int(ChangeVerdict.PLANNED)).join(
            plan.details.drop("subject"), on="seq", how="left"
        )
        links = [
            {
                "link": key,
                "mark": f"mark-{key}",
                "object_id": row["object_id"],
                "adopted": bool(row.get("adopted")),
                "moved": bool(row.get("moved")),
            }
            for key, row in self.links.items()
        ]
        users = pl.DataFrame(self.users, schema=pl.Schema(USERS))
        frame = pl.DataFrame(
            links,
            schema=pl.Schema(
                {name: LINKS[name] for name in ("link", "object_id", "adopted")}
                | {"mark": pl.String, "moved": pl.Boolean}
            ),
        )
        memberships = pl.DataFrame(
            [{name: row.get(name) for name in MEMBERSHIPS} for row in self.memberships], schema=pl.Schema(MEMBERSHIPS)
        )
        none = pl.DataFrame(schema={"sku": pl.String, "plan": pl.String})
        return plan_undo(
            done.select(DONE.keys()),
            frame,
            State(users, _as_frame(self.groups), memberships),
            pl.Series([], dtype=pl.String),
            Asked("tenant", 1, AUTUMN, none),
        )

    def _license(self, row: dict[str, Any], subject: int, after: dict[str, Any]) -> None:
        adding = {entry["sku"]: entry["off"] for entry in after.get("licences", [])}
        row["licences"] = sorted({*row["licences"], *adding} - {*after["remove"]})
        row["plans_off"] = sorted({*row["plans_off"], *(plan for off in adding.values() for plan in off)})
        self.granted = [each for each in self.granted if each[1] not in after["remove"] or each[0] != subject]
        self.granted += [(subject, sku) for sku in adding if (subject, sku) not in self.granted]


MADE_AS = {Kind.CREATE_CLASS: "class", Kind.CREATE_UNIFIED: "unified", Kind.CREATE_GROUP: "security"}
RELATING = (Kind.ADD_MEMBER, Kind.ADD_OWNER, Kind.REMOVE_MEMBER, Kind.REMOVE_OWNER, Kind.DEMOTE_OWNER)


def _as_frame(groups: list[dict[str, Any]]) -> pl.DataFrame:
    """Groups as State holds them: class groups unless they say otherwise."""
    columns = {name: [row.get(name) for row in groups] for name in {name for row in groups for name in row}}
    frame = pl.DataFrame(columns, infer_schema_length=None)
    if "kind" not in frame.columns:
        frame = frame.with_columns(kind=pl.lit("class"))
    frame = frame.with_columns(pl.col("kind").fill_null("class"))
    flags = [name for name in ("has_team", "dynamic", "on_premises") if name in frame.columns]
    lists = [name for name in ("licences", "plans_off", "behaviours") if name in frame.columns]
    empty = pl.lit([], dtype=pl.List(pl.String))
    return as_groups(
        frame.with_columns(
            *(pl.col(name).fill_null(value=False) for name in flags),
            *(pl.col(name).cast(pl.List(pl.String)).fill_null(empty) for name in lists),
        )
    )


def _account(after: dict[str, Any], link: int) -> dict[str, Any]:
    return {"name": after["user_principal_name"], "mark": f"mark-{link}", **after}


def desire(
    school: Registered,
    as_of: dt.date = AUTUMN,
    profile: Profile | None = None,
    facts: TenantFacts = FACTS,
    departed: list[dict[str, Any]] | None = None,
    node_links: dict[str, int] | None = None,
    made_nodes: dict[str, int] | None = None,
) -> Desired:
    """What the tenant should hold, with links that equal the keys of people, and of (the first class of) teams from CLASS_LINKS_FROM.

    Links of nodes are those of `node_links`, where new ones are remembered; `made_nodes` have a group.
    """
    profile, roster = profile or suggested(), school.roster()
    left = pl.DataFrame(departed or [], schema=roster.affiliations.select("person", "user_type").schema)
    people = managed_people(roster, profile, as_of, left).with_columns(
        link=pl.col("person"), mark=pl.format("mark-{}", "person")
    )
    teams = managed_teams(roster, profile, as_of)
    first = teams.classes.group_by("key", "period").agg(link=pl.col("klass").min() + CLASS_LINKS_FROM)
    team_links = first.sort("link").with_columns(mark=pl.format("mark-{}", "link"))
    types = [t for t, role in profile.users.roles.items() if role.licences] if profile.users.licences_by_group else []
    place = pl.int_range(pl.len()) + GROUP_LINKS_FROM + 1
    groups = pl.DataFrame({"user_type": types}, schema={"user_type": people.schema["user_type"]}).with_columns(
        link=place, mark=pl.format("mark-{}", place)
    )
    nodes = managed_nodes(roster, profile, as_of, people)
    known = {} if node_links is None else node_links
    for key in nodes.nodes["key"]:
        known.setdefault(key, NODE_LINKS_FROM + len(known))
    here, made = ({key: known[key] for key in keys} for keys in (nodes.nodes["key"], made_nodes or {}))
    linked = Linked(people, team_links, _node_links(here), _node_links(made), groups)
    return build_desired(roster, profile, as_of, facts, Managed(teams, nodes), linked)


def _node_links(links: dict[str, int]) -> pl.DataFrame:
    rows = [{"key": key, "period": 0, "link": link, "mark": f"mark-{link}"} for key, link in links.items()]
    return pl.DataFrame(rows, schema=pl.Schema(LINKED))


def told(plan: Plan) -> list[str]:
    """The plan in short lines such as "CREATE_USER 1" or "ADD_MEMBER 10001 2"; waiting ones start with "waits"."""
    lines = []
    for row in plan.changes.iter_rows(named=True):
        parts = [Kind(row["kind"]).name, str(row["subject"])] + ([str(row["object"])] if row["object"] else [])
        waiting = row["verdict"] == ChangeVerdict.WAITS
        lines.append(" ".join(["waits", *parts] if waiting else parts))
    return lines
