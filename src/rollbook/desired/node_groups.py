"""Nodes of hierarchies as groups: how each should look, who is in it, and what becomes of those nobody belongs in any more."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from rollbook.desired.hierarchies import ManagedNodes, hierarchies_in_use
from rollbook.desired.mapping import mapped
from rollbook.desired.names import nicknames, transliterated
from rollbook.directory.desired import CREATION_ONLY, MATCH_KEYS, REASONS
from rollbook.directory.state import GROUPS, Relation, as_groups
from rollbook.profiles import NODE_PROPERTIES, NODE_TARGETS, Hierarchy, Level, LevelSettings, Profile
from rollbook.roster.tables import Roster

CALLED = {"general": "everybody", "student": "students", "teacher": "teachers"}
"""Who is in a hierarchy, as the property of that name says it."""

PROBLEMS = {"link": pl.Int64, "target": pl.String, "problem": pl.String}
BASES = {"link": pl.Int64, "base": pl.String}


@dataclass(frozen=True, slots=True)
class NodeGroups:
    """The groups of nodes (schema GROUPS), nicknames still open, with what the plan needs beside them.

    `nicknames` [link, base], `match_keys` and `creation_only` are as in `Desired`; `problems` [link, target, problem] say which mappings
    give no usable value, such as a name that is too long.
    """

    groups: pl.DataFrame
    nicknames: pl.DataFrame
    problems: pl.DataFrame
    match_keys: pl.DataFrame
    creation_only: pl.DataFrame


def desired_groups(profile: Profile, managed: ManagedNodes, links: pl.DataFrame) -> NodeGroups:
    """How the groups of the nodes should look; `links` has [key, link, mark]. Every level has mappings of its own."""
    linked = managed.nodes.join(links.select("key", "link", "mark"), on="key")
    parts = [_nothing()]
    for name, (hierarchy, levels) in hierarchies_in_use(profile).items():
        for level in levels:
            nodes = linked.filter(pl.col("hierarchy") == name, pl.col("level") == level.value)
            parts.append(_of_level(hierarchy, hierarchy.levels[level], nodes))
    return NodeGroups(
        groups=pl.concat([part.groups for part in parts]).sort("link"),
        nicknames=pl.concat([part.nicknames for part in parts]).sort("link"),
        problems=pl.concat([part.problems for part in parts]).sort("link", "target"),
        match_keys=pl.concat([part.match_keys for part in parts]).sort("link"),
        creation_only=pl.concat([part.creation_only for part in parts]).sort("link", "attribute"),
    )


def _nothing() -> NodeGroups:
    return NodeGroups(
        *(pl.DataFrame(schema=dict(kind)) for kind in (GROUPS, BASES, PROBLEMS, MATCH_KEYS, CREATION_ONLY))
    )


def properties(nodes: pl.DataFrame) -> pl.DataFrame:
    """[link, every property of profiles.NODE_PROPERTIES] of `nodes` (schema NODES, with the column link)."""
    words = {level.value: level.words for level in Level}
    said = nodes.with_columns(
        pl.col("label").alias("path"),
        pl.col("level").replace_strict(words, return_dtype=pl.String),
        pl.col("hierarchy").replace_strict(CALLED, return_dtype=pl.String),
    )
    return said.select("link", *NODE_PROPERTIES)


def _of_level(hierarchy: Hierarchy, settings: LevelSettings, nodes: pl.DataFrame) -> NodeGroups:
    """The groups of the nodes of one level of one hierarchy."""
    values, problems = mapped(properties(nodes), settings.mappings, NODE_TARGETS, "link")
    made = values.join(nodes.select("link", "mark", "label"), on="link", maintain_order="left")
    groups = as_groups(
        made.select(
            "link",
            "display_name",
            "description",
            "external_id",
            "mark",
            purpose=pl.lit("node"),
            kind=pl.lit(hierarchy.group_type),
            has_team=pl.lit(hierarchy.make_team),
            behaviours=pl.lit(behaviours(hierarchy), dtype=pl.List(pl.String)),
        )
    )
    raw = made.select(pl.coalesce("mail_nickname", "label").alias("raw"))["raw"]
    bases = made.select("link", base=nicknames(transliterated(raw), "group"))
    keys = {"name": "display_name", "external_id": "external_id"}
    by = keys.get(settings.match)
    fixed = [target for target, mapping in settings.mappings.items() if mapping.on_creation_only]
    attributes = pl.DataFrame({"attribute": fixed}, schema={"attribute": pl.String})
    return NodeGroups(
        groups=groups,
        nicknames=bases,
        problems=problems,
        match_keys=groups.select("link", by=pl.lit(settings.match), key=pl.col(by) if by else pl.lit(""))
        .filter(pl.lit(by is not None))
        .cast(pl.Schema(MATCH_KEYS)),
        creation_only=groups.select("link").join(attributes, how="cross").select(CREATION_ONLY.keys()),
    )


def behaviours(hierarchy: Hierarchy) -> list[str]:
    """The resourceBehaviorOptions a group is made with, as Microsoft calls them; security groups have none (graph.md section 5.1)."""
    switches = {
        "HideGroupInOutlook": hierarchy.hide_in_outlook,
        "WelcomeEmailDisabled": hierarchy.disable_welcome_email,
    }
    unified = hierarchy.group_type == "unified"
    return [option for option, wanted in switches.items() if wanted and unified]


def in_nodes(
    roster: Roster, profile: Profile, managed: ManagedNodes, links: pl.DataFrame, users: pl.DataFrame
) -> pl.DataFrame:
    """Who and what belongs in the group of which node, and why (schema REASONS); each relation once.

    Security groups hold the people of whom they are the deepest, and the groups below them; unified ones everybody, and their owners.
    `links` has [key, link], `users` [person, user] of people who are present.
    """
    nodes = managed.nodes.join(links.select("key", team="link"), on="key").select(
        "node", "team", "parent", "hierarchy", nested=pl.col("group_type") == "security"
    )
    placed = nodes.select("node", "team", "nested")
    people = (
        managed.belonging.join(placed, on="node")
        .filter(pl.col("deepest") | ~pl.col("nested"))
        .join(users, on="person")
        .select("team", "user")
    )
    inner = nodes.filter("nested").select("parent", user="team")
    groups = inner.join(placed.select(parent="node", team="team"), on="parent").select("team", "user")
    owned = _owned(roster, profile, nodes).join(users, on="person").select("team", "user")
    return pl.concat(
        [
            _rows(people.join(owned, on=["team", "user"], how="anti"), Relation.MEMBER, "structure"),
            _rows(groups, Relation.MEMBER, "nested"),
            *(_rows(owned, relation, "extra_owner") for relation in Relation),
        ]
    )


def _owned(roster: Roster, profile: Profile, nodes: pl.DataFrame) -> pl.DataFrame:
    """[team, person]: who owns the unified groups of `nodes` [team, hierarchy, nested]."""
    found = [pl.DataFrame(schema={"team": pl.Int64, "person": pl.Int64})]
    for name, (hierarchy, _) in hierarchies_in_use(profile).items():
        owners = roster.people.filter(pl.col("sourced_id").is_in(list(hierarchy.owners))).select("person")
        teams = nodes.filter(~pl.col("nested"), pl.col("hierarchy") == name).select("team")
        found.append(teams.join(owners, how="cross"))
    return pl.concat(found)


def _rows(pairs: pl.DataFrame, relation: Relation, because: str) -> pl.DataFrame:
    """Pairs [team, user] as reasons (schema REASONS)."""
    return pairs.select(
        "team",
        "user",
        pl.lit(int(relation), dtype=pl.UInt8).alias("relation"),
        pl.lit(because, dtype=REASONS["because"]).alias("because"),
        pl.lit(None, dtype=pl.Date).alias("day"),
        pl.lit(value=False).alias("held"),
    )


@dataclass(frozen=True, slots=True)
class Abandoned:
    """Groups [key, link] made for nodes that are no more.

    `emptied` are those of hierarchies as they are: nobody belongs in them any more, so everybody leaves. `left` were made for a level
    that is off or hidden now, or for the other group type: they and their people are left as they are, and listed; only in groups that
    live on they stand no longer, or whoever moves on would keep what those give.
    """

    emptied: pl.DataFrame
    left: pl.DataFrame


def abandoned(profile: Profile, managed: ManagedNodes, made: pl.DataFrame) -> Abandoned:
    """What becomes of the groups `made` [key, link] that no node stands behind any more."""
    gone = made.join(managed.nodes, on="key", how="anti").select("key", "link")
    patterns = [pattern(name, hierarchy, levels) for name, (hierarchy, levels) in hierarchies_in_use(profile).items()]
    ours = pl.any_horizontal(pl.lit(value=False), *(pl.col("key").str.contains(each) for each in patterns))
    return Abandoned(gone.filter(ours), gone.filter(~ours))


def pattern(name: str, hierarchy: Hierarchy, levels: tuple[Level, ...]) -> str:
    """The regular expression of keys that a hierarchy with these levels can have: no id has a slash in it that is not escaped."""
    return f"^{name}/{hierarchy.group_type}(/({'|'.join(levels)}):[^/]*)+$"


def emptied_groups(emptied: pl.DataFrame) -> pl.DataFrame:
    """Groups of ours in which nobody belongs any more, `emptied` [key, link, mark], as groups of which nothing else is wanted."""
    parts = pl.col("key").str.split("/")
    return as_groups(emptied.select("link", "mark", purpose=pl.lit("node"), kind=parts.list.get(1)))


def owners_of_emptied(roster: Roster, profile: Profile, emptied: pl.DataFrame, users: pl.DataFrame) -> pl.DataFrame:
    """The owners of groups in which nobody belongs any more (schema REASONS): Microsoft leaves no group without one."""
    parts = pl.col("key").str.split("/")
    nodes = emptied.select(team="link", hierarchy=parts.list.get(0), nested=parts.list.get(1) == "security")
    owned = _owned(roster, profile, nodes).join(users, on="person").select("team", "user")
    return pl.concat([_rows(owned, relation, "extra_owner") for relation in Relation])


def nesting_of_emptied(emptied: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Security groups in which nobody belongs any more, in the ones above them (schema REASONS); `links` has [key, link].

    Where they stand does not change, and people outside a profile's scope may still be in them.
    """
    known = pl.concat([links.select("key", team="link"), emptied.select("key", team="link")])
    inner = emptied.filter(pl.col("key").str.split("/").list.get(1) == "security")
    above = inner.select(key=pl.col("key").str.replace(r"/[^/]*$", ""), user="link")
    return _rows(above.join(known, on="key").select("team", "user"), Relation.MEMBER, "nested")
