"""The story for a part of the school: what seeds touch is planned as in a look at everything, and costs what the part costs.

Seeds are people, classes, teams. Their accounts are planned in every respect; teams they are in, now or from now on, with all people;
groups of the structure, and those that carry licences, only for the seeds themselves. Whatever else is needed is asked by points:
names in use, seats, members, owners. What a part cannot decide is decided by a look at everything: `draft_part` then gives nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from rollbook.desired import Linked, Managed, build_desired, counting, managed_nodes, managed_people, near
from rollbook.desired.hierarchies import ManagedNodes
from rollbook.desired.outside import narrowed
from rollbook.desired.teams import MADE, ManagedTeams, managed_teams
from rollbook.directory.desired import Desired
from rollbook.directory.state import State, guarded
from rollbook.plan.by_hand import attributed, questionable
from rollbook.plan.changes import ChangeVerdict, Kind, Plan
from rollbook.plan.context import AROUND, RESERVED, SIZES, Beyond, Context
from rollbook.plan.make import make_plan
from rollbook.plan.match import Matched, match
from rollbook.profiles import Profile
from rollbook.scoped.around import Held, bystanders, groups_near, memberships, users_near
from rollbook.scoped.ports import World
from rollbook.sync import GROUPS, NODE, TEAM, USER, Scope, Tell, View, quiet


@dataclass(frozen=True, slots=True)
class Part:
    """The plan of a part, what it was made from, and how to look at the same part again.

    `people` are whom it was about; `around` [link] have accounts and are only in groups with them.
    """

    plan: Plan
    view: View
    people: pl.Series
    around: pl.DataFrame
    wanted: Desired  # without relations of people who have no account and get none here


def draft_part(scope: Scope, wanted: near.Seeds, world: World, tell: Tell = quiet) -> Part | None:
    """The plan for what `wanted` touches; None where only a look at everything can decide. Writes nothing at Microsoft.

    That is where a person is extra owner of teams or groups by the profile, where an account or group is found by a property for the
    first time, since another person may have the same, where a group of the structure had to wait until now, and where somebody is in one
    that a narrowed scope may not reach.
    """
    tell("register")
    rows, profile = world.register, scope.profile
    people = near.with_parents(rows, wanted.people)
    if _owns_by_name(rows, profile, people):
        return None
    inside = world.memory.holders(world.mirror.members(user_ids=world.memory.objects_of(people))["group_object_id"])
    teams = inside.filter(pl.col("kind") == TEAM).select(MADE.keys())
    asked = replace(wanted, teams=pl.concat([wanted.teams, teams]).unique())
    classes = near.classes_of_teams(rows, profile, people, asked)
    made = world.memory.made_teams(classes.select(MADE.keys()).unique())
    there = world.memory.holders(world.mirror.members(group_ids=made["object_id"])["user_object_id"])
    company = there.filter(pl.col("kind") == USER)["subject"]
    part = near.gathered(rows, profile, people, classes, company)
    tell("desired")
    desired, mine = _desired(scope, part, made, inside, company, world)
    if desired.unmanaged.height and narrowed(part.roster, profile):
        return None
    tell("tenant")
    return _planned(scope, part.people, desired, mine, world, tell)


def _owns_by_name(rows: near.Rows, profile: Profile, people: pl.Series) -> bool:
    named = near.owners_by_name(profile)
    known = rows.where("people", "person", people) if named else None
    return known is not None and not named.isdisjoint(known["sourced_id"])


def _desired(
    scope: Scope, part: near.Near, made: pl.DataFrame, inside: pl.DataFrame, company: pl.Series, world: World
) -> tuple[Desired, pl.DataFrame]:
    """What the part should be, everybody in its teams included; and [link, mark] of the people it is about."""
    roster, profile, memory = part.roster, scope.profile, world.memory
    today = counting(roster, profile, scope.as_of)
    departed = world.register.departed(pl.concat([part.people, company]).unique())
    people = managed_people(roster, profile, scope.as_of, departed, today)
    teams = _of_part(managed_teams(roster, profile, scope.as_of, made, today), part)
    nodes = _around_people(managed_nodes(roster, profile, scope.as_of, people, today), part.people)
    subjects = people.select(subject="person", period=pl.lit(0, dtype=pl.Int64))
    links = memory.reserve_links(USER, subjects).select(person="subject", link="link", mark="mark")
    linked = Linked(
        people.join(links, on="person", maintain_order="left"),
        memory.group_links(TEAM, teams.teams),
        memory.group_links(NODE, nodes.groupings()),
        inside.filter(pl.col("kind") == NODE).select("key", "period", "link", "mark"),
        released=world.register.released(),
    )
    if profile.users.licences_by_group:
        licensed = [t.value for t, role in profile.users.roles.items() if role.licences]
        linked = replace(linked, licence_groups=memory.licence_links(licensed))
    facts = world.tenant.facts()
    desired = build_desired(roster, profile, scope.as_of, facts, Managed(teams, nodes, today), linked)
    mine = linked.people.filter(pl.col("person").is_in(part.people.implode())).select("link", "mark")
    return desired, mine


def _of_part(teams: ManagedTeams, part: near.Near) -> ManagedTeams:
    """Only the teams all of whose classes were read."""
    classes = teams.classes.join(part.classes.select("klass"), on="klass", how="semi", maintain_order="left")
    return ManagedTeams(
        teams.teams.join(classes, on=["key", "period"], how="semi", maintain_order="left"),
        classes,
        teams.described.join(classes, on=["key", "period"], how="semi", maintain_order="left"),
    )


def _around_people(nodes: ManagedNodes, people: pl.Series) -> ManagedNodes:
    """Only the nodes on the paths of these people, and only them in those."""
    belonging = nodes.belonging.filter(pl.col("person").is_in(people.implode()))
    return ManagedNodes(nodes.nodes.join(belonging, on="node", how="semi", maintain_order="left"), belonging)


def _planned(
    scope: Scope, people: pl.Series, whole: Desired, mine: pl.DataFrame, world: World, tell: Tell
) -> Part | None:
    memory, profile = world.memory, scope.profile
    everybody = whole.state.users.select("link", "mark")
    desired = _about(whole, mine)
    user_links = memory.links_among([USER], everybody["link"], [])
    group_links = memory.links_among(GROUPS, desired.state.groups["link"], [])
    held = Held(desired, mine, user_links, group_links)
    found, names = users_near(held, scope, world)
    users = guarded(found, memory.protected())
    groups, nicknames = groups_near(held, scope, world)
    around = bystanders(everybody.join(mine, on="link", how="anti"), whole, user_links, users)
    context = _context(scope, held, users, groups, around, world)
    context = replace(context, user_names=names, nicknames=nicknames)
    matched = match(desired, State(users, groups), context, profile)
    if _found_by_property(matched):
        return None
    tell("memberships")
    actual = State(users, groups, memberships(desired, matched, around, world.mirror))
    tell("plan")
    context = replace(context, beyond=_beyond(desired, matched, around, world))
    plan = make_plan(desired, actual, matched, context, profile)
    plan = attributed(plan, memory.done_about(questionable(plan.changes)))
    if _makes_group_of_many(plan, desired):
        return None
    view = View(desired, actual, matched)
    return Part(plan, view, people, around.select(link="user"), _with_accounts(plan, view, around))


def _about(whole: Desired, mine: pl.DataFrame) -> Desired:
    """What is desired of the people it is about; relations stay, whoever's they are."""

    def of(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.join(mine, on="link", how="semi", maintain_order="left")

    return replace(
        whole,
        state=replace(whole.state, users=of(whole.state.users)),
        people=of(whole.people),
        user_names=of(whole.user_names),
        usernames=of(whole.usernames),
        unmapped=of(whole.unmapped),
    )


def _makes_group_of_many(plan: Plan, desired: Desired) -> bool:
    """Whether a Microsoft 365 group of the structure is made: many may belong in it who waited for it."""
    nodes = desired.state.groups.filter(pl.col("purpose") == NODE).select(subject="link")
    making = plan.changes.filter(
        pl.col("kind") == int(Kind.CREATE_UNIFIED), pl.col("verdict") == int(ChangeVerdict.PLANNED)
    )
    return making.join(nodes, on="subject", how="semi").height > 0


def _found_by_property(matched: Matched) -> bool:
    """Whether something is linked by a property, not by our mark: somebody outside the part may have the same."""
    linking = matched.changes.filter(
        pl.col("kind").is_in([int(Kind.LINK_USER), int(Kind.LINK_GROUP)]),
        pl.col("verdict") == int(ChangeVerdict.PLANNED),
    )
    return linking.filter(pl.col("after").str.json_path_match("$.adopted") == "true").height > 0


def _context(
    scope: Scope, held: Held, users: pl.DataFrame, groups: pl.DataFrame, around: pl.DataFrame, world: World
) -> Context:
    memory, desired = world.memory, held.desired
    mine, wanted = held.mine["link"], desired.state.groups["link"]
    both = pl.concat([mine, wanted])
    return Context(
        tenant=scope.tenant,
        profile_version=scope.profile_version,
        as_of=scope.as_of,
        first_run=memory.first_run(),
        user_links=memory.links_among([USER], pl.concat([mine, around["user"]]), users["object_id"]),
        group_links=memory.links_among(GROUPS, wanted, groups["object_id"]),
        user_names=pl.DataFrame(schema=pl.Schema(RESERVED)),
        nicknames=pl.DataFrame(schema=pl.Schema(RESERVED)),
        seats=world.tenant.seats(),
        granted=memory.granted_to(mine),
        waited=memory.waited_of(both),
        decisions=memory.decisions_on(both),
        guarding=memory.guarding(about=both.to_list()),
    )


def _beyond(desired: Desired, matched: Matched, around: pl.DataFrame, world: World) -> Beyond:
    partly = desired.state.groups.filter(pl.col("purpose") != TEAM)
    held = matched.groups.join(partly, on="link", how="semi").select("link", group_object_id="object_id")
    sizes = world.mirror.count_members(held["group_object_id"]).join(held, on="group_object_id")
    return Beyond(
        around=around.select(AROUND.keys()),
        sizes=sizes.select("members", team="link").select(SIZES.keys()).cast(pl.Schema(SIZES)),
    )


def _with_accounts(plan: Plan, view: View, around: pl.DataFrame) -> Desired:
    """What is desired without relations of people outside who have no account: their own look gives a reason for it."""
    known = pl.concat(
        [
            view.desired.state.users.select(user="link"),
            view.desired.state.groups.select(user="link"),
            around.select("user"),
        ]
    )
    return replace(view.desired, reasons=view.desired.reasons.join(known, on="user", how="semi", maintain_order="left"))
