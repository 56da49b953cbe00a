"""Hierarchies: the nodes of the school's structure, and who belongs in which (product.md section 8).

A node is a path from the top down to one of its levels, so every path has a node for each of its levels, one below the other. Its
key says hierarchy, group type and path in the school's own ids, so that whatever is renamed stays the same node.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl

from rollbook.desired import current
from rollbook.desired.keys import escaped
from rollbook.desired.paths import Paths, distinct_pairs, entities, in_classes, in_places, together
from rollbook.desired.scope import in_scope
from rollbook.desired.whereabouts import whereabouts
from rollbook.profiles import Hierarchy, Level, Profile, levels_in_use
from rollbook.roster.tables import Roster
from rollbook.roster.vocabulary import UserType

Schema = Mapping[str, pl.DataType | type[pl.DataType]]

NODES: Schema = {
    "node": pl.Int64,  # from 0, by hierarchy and key
    "key": pl.String,  # "general/security/location:north/grade:07"
    "hierarchy": pl.String,  # general, student or teacher
    "group_type": pl.String,  # security or unified
    "level": pl.String,  # the deepest level
    "parent": pl.Int64,  # the node above; null at the top
    "depth": pl.Int64,  # 1 at the top
    "label": pl.String,  # the names on the path
    "name": pl.String,  # of the deepest level, as are the id and the code
    "id": pl.String,
    "code": pl.String,
    "department": pl.String,  # the location on the path, if it is a department
    **{str(level): pl.String for level in Level},  # what each level on the path is called; null where the path has none
    **{f"{level}_id": pl.String for level in Level},
}

BELONGING: Schema = {
    "node": pl.Int64,
    "person": pl.Int64,
    "deepest": pl.Boolean,  # no other node of theirs is below it
}

SEPARATOR = " / "
GENERAL = "general"


@dataclass(frozen=True, slots=True)
class ManagedNodes:
    """`nodes` (schema NODES) of all hierarchies, and `belonging` (schema BELONGING): everybody in each node of their paths."""

    nodes: pl.DataFrame
    belonging: pl.DataFrame

    def groupings(self) -> pl.DataFrame:
        """[key, period, sourced_id, code, label], as groups are remembered under their keys; nodes have no period."""
        return self.nodes.select(
            "key", pl.lit(0, dtype=pl.Int64).alias("period"), pl.col("id").alias("sourced_id"), "code", "label"
        )

    def counted(self) -> pl.DataFrame:
        """The nodes with the columns `people`, everybody there and below, and `direct`, those who are no deeper."""
        counts = self.belonging.group_by("node").agg(people=pl.len(), direct=pl.col("deepest").sum())
        return self.nodes.join(counts, on="node", how="left", maintain_order="left")


def managed_nodes(
    roster: Roster,
    profile: Profile,
    as_of: dt.date,
    people: pl.DataFrame,
    counting: current.Counting | None = None,
) -> ManagedNodes:
    """The nodes of a profile's hierarchies and who belongs in them; `people` [person, user_type, present] are the managed ones.

    The general hierarchy has everybody who is present, that of students whoever learns, that of teachers whoever teaches. `counting` is
    what counts on that day, if it is known already.
    """
    parts = [ManagedNodes(pl.DataFrame(schema=dict(NODES)), pl.DataFrame(schema=dict(BELONGING)))]
    in_use = hierarchies_in_use(profile)
    if not in_use:
        return parts[0]
    present = people.filter("present").select("person", "user_type")
    counting = counting or current.counting(roster, profile, as_of)
    inside = {
        UserType.STUDENT: counting.enrolments.select("person", "klass"),
        UserType.TEACHER: counting.teachings.select("person", "klass"),
    }
    classes = in_scope(roster, profile).classes
    ours = {kind: _in_scope(roster, classes, rows) for kind, rows in inside.items()}
    with ThreadPoolExecutor(1) as beside:
        # Where the others are, and where those in classes are, is asked of different tables.
        elsewhere = beside.submit(whereabouts, roster, present, inside, counting.registered)
        for name, (hierarchy, levels) in in_use.items():
            taking = ours if name == GENERAL else {UserType(name): ours[UserType(name)]}
            standing = [in_classes(roster, levels, kind, present, rows) for kind, rows in taking.items()]
            if name == GENERAL:
                standing.append(in_places(roster, levels, elsewhere.result()))
            paths = together(levels, standing)
            first = sum(part.nodes.height for part in parts)
            parts.append(_nodes(roster, (name, hierarchy.group_type), levels, paths, first))
    return ManagedNodes(pl.concat([part.nodes for part in parts]), pl.concat([part.belonging for part in parts]))


def hierarchies_in_use(profile: Profile) -> dict[str, tuple[Hierarchy, tuple[Level, ...]]]:
    """The hierarchies that have levels, with those, by name."""
    found: dict[str, Hierarchy] = dict(profile.hierarchies)
    levels = {name: levels_in_use(hierarchy, profile.teams) for name, hierarchy in found.items()}
    return {name: (found[name], chosen) for name, chosen in levels.items() if chosen}


def _in_scope(roster: Roster, classes: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows [person, klass] as far as their classes are in the profile's scope, `classes` [klass].

    Whoever has no such class stands where they would without a scope, rather than nowhere.
    """
    if classes.height == roster.classes.height:
        return rows
    about = rows.join(classes, on="klass", how="semi")
    return pl.concat([about, rows.join(about, on="person", how="anti")])


def _nodes(roster: Roster, kind: tuple[str, str], levels: Sequence[Level], paths: Paths, first: int) -> ManagedNodes:
    """The nodes of one hierarchy, numbered from `first`, and who belongs in them."""
    texts = _in_words(roster, levels, paths.paths)
    steps = [_step(texts, kind, levels[:length]) for length in range(1, len(levels) + 1)]
    found = pl.concat(steps).unique("key").sort("key").with_row_index("node", offset=first)
    found = found.with_columns(pl.col("node").cast(pl.Int64))
    number = found.select("node", "key")
    nodes = found.join(number.select(above="key", parent="node"), on="above", how="left", maintain_order="left")
    ends = texts.select("path", key=_key(kind, levels)).join(number, on="key").select("path", "node")
    return ManagedNodes(nodes.select(NODES.keys()).cast(pl.Schema(NODES)), _belonging(paths.people, ends, nodes))


def _in_words(roster: Roster, levels: Sequence[Level], paths: pl.DataFrame) -> pl.DataFrame:
    """[path, and for each level: its name, LEVEL_id, LEVEL_key, LEVEL_short, LEVEL_department] instead of codes."""
    texts = paths
    for level in levels:
        said = entities(roster, level).select(
            pl.col("code").alias(level),
            pl.format(f"{level}:{{}}", escaped(pl.coalesce("id", "name"))).alias(f"{level}_key"),
            *(pl.col(name).alias(f"{level}_{name}") for name in ("name", "id", "short", "department")),
        )
        texts = texts.join(said, on=level, how="left").drop(level).rename({f"{level}_name": str(level)})
    return texts


def _key(kind: tuple[str, str], levels: Sequence[Level]) -> pl.Expr:
    named = [pl.col(f"{level}_key") for level in levels]
    return pl.concat_str([*map(pl.lit, kind), *named], separator="/", ignore_nulls=True)


def _step(texts: pl.DataFrame, kind: tuple[str, str], levels: Sequence[Level]) -> pl.DataFrame:
    """The nodes, one for each path, that end on the last of these levels; `above` is the key of the one above, null at the top."""
    *higher, last = levels
    none = pl.lit(None, dtype=pl.String)
    depth = pl.sum_horizontal(pl.lit(1), *(pl.col(level).is_not_null() for level in higher))
    located = Level.LOCATION in levels
    return (
        texts.filter(pl.col(last).is_not_null())
        .with_columns(
            *(none.alias(level) for level in Level if level not in levels),
            *(none.alias(f"{level}_id") for level in Level if level not in levels),
        )
        .select(
            *(pl.lit(text).alias(name) for name, text in zip(("hierarchy", "group_type"), kind, strict=True)),
            *Level,
            *(f"{level}_id" for level in Level),
            key=_key(kind, levels),
            above=pl.when(depth > 1).then(_key(kind, higher)),
            depth=depth,
            level=pl.lit(last.value),
            label=pl.concat_str(levels, separator=SEPARATOR, ignore_nulls=True),
            name=pl.col(last),
            id=pl.col(f"{last}_id"),
            code=pl.col(f"{last}_short"),
            department=pl.col(f"{Level.LOCATION}_department") if located else none,
        )
    )


def _belonging(people: pl.DataFrame, ends: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """Everybody in every node of their paths (schema BELONGING); `ends` [path, node] are where the paths end."""
    last = distinct_pairs(people.join(ends, on="path").select("node", "person"))
    higher = distinct_pairs(last.join(_above(nodes), on="node").select("above", "person")).rename({"above": "node"})
    deepest = last.join(higher, on=["node", "person"], how="anti")
    flagged = [rows.with_columns(deepest=pl.lit(value=flag)) for rows, flag in ((deepest, True), (higher, False))]
    return pl.concat(flagged).cast(pl.Schema(BELONGING))


def _above(nodes: pl.DataFrame) -> pl.DataFrame:
    """[node, above]: every node with all of those above it."""
    parents = nodes.select("node", above="parent").drop_nulls()
    found = [parents]
    while found[-1].height:
        further = found[-1].join(parents.select(above="node", further="above"), on="above")
        found.append(further.select("node", above="further"))
    return pl.concat(found)
