"""The desired state of a tenant: users, groups and memberships as the register and the profile ask for them.

Two steps, because subjects need link ids before they can be compared: `manage` says who and what is managed at all; with links for
those, `build_desired` says how they should look.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import polars as pl

from rollbook.desired import current
from rollbook.desired.held import with_held
from rollbook.desired.hierarchies import ManagedNodes, managed_nodes
from rollbook.desired.licence_groups import OF_TYPE, groups_of_licences
from rollbook.desired.mapping import fields_used, mapped, properties
from rollbook.desired.memberships import extra_owners, memberships, settled
from rollbook.desired.names import candidates, fields_read
from rollbook.desired.node_groups import (
    abandoned,
    desired_groups,
    emptied_groups,
    in_nodes,
    nesting_of_emptied,
    owners_of_emptied,
)
from rollbook.desired.outside import narrowed, nodes_of_everybody, unreached
from rollbook.desired.people import TenantFacts, licences_of, managed_people, roles_of, users
from rollbook.desired.teams import ManagedTeams, classes_of, managed_teams, teams
from rollbook.directory.desired import CREATION_ONLY, MATCH_KEYS, OUTSIDE, PEOPLE, Desired
from rollbook.directory.state import State
from rollbook.profiles import Profile
from rollbook.roster.tables import Roster

LINKED: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "key": pl.String,
    "period": pl.Int64,
    "link": pl.Int64,
    "mark": pl.String,
}


@dataclass(frozen=True, slots=True)
class Managed:
    """The teams and the nodes of hierarchies a profile is about; `counting` is what counts on the day, if it is known already."""

    teams: ManagedTeams
    nodes: ManagedNodes
    counting: current.Counting | None = None


def _none() -> pl.DataFrame:
    return pl.DataFrame(schema=pl.Schema(LINKED))


@dataclass(frozen=True, slots=True)
class Linked:
    """Links of what is managed: `people` is what `managed_people` returned plus link and mark, `teams` and `nodes` (schema LINKED)
    of what `managed_teams` and `managed_nodes` returned.

    `made_nodes` (schema LINKED) are all nodes that have a group, wanted or not; `licence_groups` [user_type, link, mark] are given
    where licences go through groups; `released` are keys of enrolments that the sync start date does not hold back any more.
    """

    people: pl.DataFrame
    teams: pl.DataFrame
    nodes: pl.DataFrame = field(default_factory=_none)
    made_nodes: pl.DataFrame = field(default_factory=_none)
    licence_groups: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=pl.Schema(OF_TYPE)))
    released: pl.Series = field(default_factory=lambda: pl.Series([], dtype=pl.Int64))


def manage(
    roster: Roster, profile: Profile, as_of: dt.date, departed: pl.DataFrame, made: pl.DataFrame | None = None
) -> tuple[pl.DataFrame, Managed]:
    """Who and what is managed on `as_of`: what `managed_people` returns, and teams and nodes.

    `departed` are as there, `made` as for `managed_teams`. Teams do not depend on who is managed, so both are found beside each other.
    """
    today = current.counting(roster, profile, as_of)
    with ThreadPoolExecutor(1) as beside:
        teams_of = beside.submit(managed_teams, roster, profile, as_of, made, today)
        people = managed_people(roster, profile, as_of, departed, today)
        nodes = managed_nodes(roster, profile, as_of, people, today)
        return people, Managed(teams_of.result(), nodes, today)


def build_desired(
    roster: Roster, profile: Profile, as_of: dt.date, facts: TenantFacts, managed: Managed, linked: Linked
) -> Desired:
    """The desired state on `as_of`. Raises InputRefused if the profile names a domain or licence the tenant does not have."""
    people = linked.people
    licences = licences_of(profile, facts)
    used = linked.licence_groups.join(licences, on="user_type", how="semi")
    with ThreadPoolExecutor(1) as beside:
        # What accounts are called, and who is where, have nothing in common: the longer one is found beside the other.
        described = beside.submit(_accounts, roster, profile, as_of, facts, people)
        team_groups, team_names, team_problems = teams(roster, profile, managed.teams, linked.teams)
        nodes = desired_groups(profile, managed.nodes, linked.nodes)
        users_of = people.filter("present").select("person", user="link")
        beyond = out_of_scope(roster, profile, as_of, managed, linked)
        gone = abandoned(profile, managed.nodes, linked.made_nodes.join(beyond.groups, on="link", how="anti"))
        emptied = gone.emptied.join(linked.made_nodes.select("link", "mark"), on="link")
        reasons = settled(
            pl.concat(
                [
                    in_teams(roster, profile, as_of, managed, linked, users_of),
                    in_nodes(roster, profile, managed.nodes, linked.nodes, users_of),
                    owners_of_emptied(roster, profile, emptied, users_of),
                    nesting_of_emptied(emptied, linked.nodes),
                ]
            )
        )
        accounts = described.result()
    return Desired(
        state=State(
            users=accounts.users,
            groups=pl.concat(
                [team_groups, nodes.groups, emptied_groups(emptied), groups_of_licences(roster, used, licences)]
            ),
            memberships=reasons.select(
                "team", "user", "relation", pl.lit(None, dtype=pl.String).alias("user_object_id")
            ),
        ),
        people=people.select(PEOPLE.keys()),
        user_names=accounts.names,
        nicknames=pl.concat([team_names, nodes.nicknames]),
        reasons=reasons,
        usernames=accounts.usernames,
        licences=licences,
        licence_groups=used.select("user_type", group="link"),
        unmapped=accounts.unmapped,
        unmapped_groups=pl.concat([failed.select("link") for failed in (team_problems, nodes.problems)])
        .unique()
        .sort("link"),
        emptied=emptied.select("link"),
        unmanaged=pl.concat([gone.left.select("link"), beyond.groups]).sort("link"),
        outside=_without(beyond.relations, reasons),
        match_keys=pl.concat([_team_keys(profile, team_groups, team_names), nodes.match_keys]),
        creation_only=pl.concat([_creation_only(profile, team_groups), nodes.creation_only]),
    )


def _without(relations: pl.DataFrame, reasons: pl.DataFrame) -> pl.DataFrame:
    """The relations (schema OUTSIDE) that no reason asks for; nearly always there are none, and a million reasons need no look."""
    return relations.join(reasons, on=list(OUTSIDE), how="anti") if relations.height else relations


@dataclass(frozen=True, slots=True)
class _Accounts:
    """How accounts should look: `users`, candidates for their `names`, `usernames` and `unmapped` as in `Desired`."""

    users: pl.DataFrame
    names: pl.DataFrame
    usernames: pl.DataFrame
    unmapped: pl.DataFrame


def _accounts(roster: Roster, profile: Profile, as_of: dt.date, facts: TenantFacts, people: pl.DataFrame) -> _Accounts:
    asked = fields_used(profile.users.mappings) | fields_read(profile) | {"username"}
    rows = properties(roster, people, as_of, asked)
    values, problems = mapped(rows, profile.users.mappings)
    return _Accounts(
        users(roster, profile, facts, people, values),
        candidates(rows, profile, people, roles_of(profile, facts)),
        people.select("person", "link")
        .join(rows.select("person", pl.col("username").str.split("@").list.first()), on="person")
        .select("link", "username"),
        people.join(problems.select("person").unique(), on="person", how="semi").select("link"),
    )


@dataclass(frozen=True, slots=True)
class OutOfScope:
    """Groups of the structure [link] that the profile's scope does not reach, and where everybody belongs whatever it is.

    The relations have the schema OUTSIDE.
    """

    groups: pl.DataFrame
    relations: pl.DataFrame


def out_of_scope(roster: Roster, profile: Profile, as_of: dt.date, managed: Managed, linked: Linked) -> OutOfScope:
    """What a narrowed scope does not reach; nothing, where the profile is about the whole school."""
    if not narrowed(roster, profile):
        return OutOfScope(linked.made_nodes.select("link").clear(), pl.DataFrame(schema=pl.Schema(OUTSIDE)))
    users_of = linked.people.filter("present").select("person", user="link")
    nodes = nodes_of_everybody(roster, profile, as_of, managed.counting)
    shared = replace(managed.teams, classes=classes_of(roster, profile, managed.teams.teams))
    whole = Managed(shared, nodes, managed.counting)
    links = pl.concat([part.select("key", "link") for part in (linked.nodes, linked.made_nodes)]).unique("key")
    found = pl.concat(
        [
            in_teams(roster, profile, as_of, whole, linked, users_of),
            in_nodes(roster, profile, nodes, links, users_of),
        ]
    )
    return OutOfScope(
        unreached(nodes, managed.nodes, linked.made_nodes).select("link"),
        found.select(OUTSIDE.keys()).cast(pl.Schema(OUTSIDE)).unique(maintain_order=True),
    )


def in_teams(
    roster: Roster, profile: Profile, as_of: dt.date, managed: Managed, linked: Linked, users_of: pl.DataFrame
) -> pl.DataFrame:
    """Who belongs in which team, and why (schema REASONS); several times for several reasons, of which `settled` leaves one."""
    since = profile.enrolments.sync_start_date
    counting = managed.counting or current.counting(roster, profile, as_of)
    enrolments = with_held(counting.enrolments, since, linked.released)
    of_class = managed.teams.classes.join(linked.teams, on=["key", "period"]).select("klass", team="link")
    extra = extra_owners(roster, profile, of_class)
    return memberships(profile, enrolments, counting.teachings, users_of, of_class, extra)


def _team_keys(profile: Profile, groups: pl.DataFrame, nicknames: pl.DataFrame) -> pl.DataFrame:
    """What teams are found by the first time (schema MATCH_KEYS)."""
    by = profile.teams.match
    keys = {
        "email": nicknames.select("link", key="base"),
        "name": groups.select("link", key="display_name"),
        "external_id": groups.select("link", key="external_id"),
    }
    if by not in keys:
        return pl.DataFrame(schema=pl.Schema(MATCH_KEYS))
    return keys[by].select("link", by=pl.lit(by), key="key")


def _creation_only(profile: Profile, groups: pl.DataFrame) -> pl.DataFrame:
    """Which attributes of teams are left alone once they are made (schema CREATION_ONLY)."""
    fixed = [target for target, mapping in profile.teams.mappings.items() if mapping.on_creation_only]
    attributes = pl.DataFrame({"attribute": fixed}, schema={"attribute": pl.String})
    return groups.select("link").join(attributes, how="cross").select(CREATION_ONLY.keys())
