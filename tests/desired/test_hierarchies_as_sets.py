"""Hierarchies as sets: whatever the school, everybody is in exactly the nodes of their paths, nested or flat.

The paths are found here a second time, person by person, as product.md section 8 says it.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from dataclasses import fields, replace
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.desired.lycee import Lycee, nodes_of, profile_with
from tests.examples import examples
from tests.world import CLASS_LINKS_FROM, Tenant, told

from rollbook.desired import ManagedNodes
from rollbook.desired.hierarchies import hierarchies_in_use
from rollbook.desired.node_groups import in_nodes, pattern
from rollbook.profiles import Level
from rollbook.roster.tables import Roster

Path = tuple[tuple[str, str], ...]

places = st.sampled_from([None, "North", "South"])
grades = st.sampled_from([None, "7", "8", "10"])
streams = st.sampled_from([None, "Science", "Arts/50%"])
titles = st.sampled_from([f"K{number}" for number in range(5)])
classes = st.sets(titles, max_size=3).map(sorted)
names = st.sampled_from(["Maria", "Nikos", "Eleni", "Petros", "Anna"])
levels = st.sets(st.sampled_from([level.value for level in Level])).map(sorted)


@st.composite
def schools(draw: st.DrawFn) -> Lycee:
    """A small school in which nearly everything may be missing."""
    school = Lycee(institute=draw(st.sampled_from([None, "Lycee"])))
    for grade, level in (("7", "lower"), ("8", "lower"), ("10", None)):
        school.grade(grade, level)
    for group in ("7A", "10A"):
        school.group(group, draw(places), draw(grades))
    for number in range(5):
        school.klass(
            f"K{number}",
            draw(st.sampled_from([None, "Maths", "Art"])),
            draw(st.sets(st.sampled_from(["Autumn", "Spring"])).map(sorted)),
            group=draw(st.sampled_from([None, "7A", "10A"])),
            location=draw(places),
            grade=draw(grades),
        )
    for name in draw(st.lists(names, unique=True)):
        school.student(name, *draw(classes), stream=draw(streams), location=draw(places), grade=draw(grades))
    for name in draw(st.lists(names, unique=True)):
        school.teacher(name, *draw(classes), location=draw(places), grade=draw(grades))
    for name in draw(st.lists(st.sampled_from(["Cook", "Anna"]), unique=True)):
        school.employee(name, location=draw(places))
    for name in draw(st.lists(st.sampled_from(["Petra", "Eleni"]), unique=True)):
        school.parent(name, *draw(st.lists(names, unique=True, max_size=2)))
    for name in draw(st.lists(names, unique=True, max_size=1)):
        if any(row["given_name"] == name for row in school.tables.get("people", [])):
            school.leaves(name)
    return school


class Told:
    """The paths of a school's people, found one by one."""

    def __init__(self, roster: Roster) -> None:
        def by(table: str, key: str) -> dict[int, dict[str, Any]]:
            return {row[key]: row for row in getattr(roster, table).iter_rows(named=True)}

        self.institutes = roster.institutes.to_dicts()
        self.locations, self.grades = by("locations", "location"), by("grades", "grade")
        self.groups, self.subjects = by("groups", "group"), by("subjects", "subject")
        self.classes, self.markings = by("classes", "klass"), by("marking_periods", "marking")
        self.terms = roster.class_markings.to_dicts()
        self.people = {row["person"] for row in roster.people.iter_rows(named=True) if row["active"]}
        self.affiliations = roster.affiliations.to_dicts()
        self.learning = roster.enrolments.select("person", "klass").rows()
        self.teaching = roster.teachings.select("person", "klass").rows()
        self.families = roster.guardianships.select("child", "parent").rows()

    def affiliation(self, person: int, user_type: str) -> dict[str, Any]:
        theirs = [row for row in self.affiliations if row["person"] == person]
        return next((row for row in theirs if row["user_type"] == user_type), theirs[0])

    def paths(self, person: int, klass: int, user_type: str) -> list[dict[str, str]]:
        """Every path of somebody in a class: one for each of its terms."""
        row, own = self.classes[klass], self.affiliation(person, user_type)
        group = self.groups.get(row["group"], {"location": None, "grade": None})
        of_class = [row["grade"], group["grade"]]
        return [
            self._said(
                location=row["location"] or group["location"] or own["location"],
                grade=next(filter(None, [own["grade"], *of_class] if user_type == "student" else of_class), None),
                stream=own["stream"],
                group=row["group"],
                subject=row["subject"],
                term=term,
                period=True,
            )
            for term in [each["marking"] for each in self.terms if each["klass"] == klass] or [None]
        ]

    def _said(
        self, *, location: Any, grade: Any, stream: Any, group: Any, subject: Any, term: Any, period: bool
    ) -> dict[str, str]:
        found = {
            "institute": self.institutes[0]["sourced_id"] if self.institutes else None,
            "academic_period": "2027" if period else None,
            "location": location and self.locations[location]["sourced_id"],
            "grade": grade and self.grades[grade]["sourced_id"],
            "grade_level": grade and self.grades[grade]["level"],
            "stream": stream,
            "group": group and self.groups[group]["sourced_id"],
            "subject": subject and self.subjects[subject]["sourced_id"],
            "marking_period": term and self.markings[term]["sourced_id"],
        }
        return {level: text.replace("%", "%25").replace("/", "%2F") for level, text in found.items() if text}

    def at(self, location: Any) -> dict[str, str]:
        """The path of somebody who is only somewhere."""
        return self._said(location=location, grade=None, stream=None, group=None, subject=None, term=None, period=False)

    def everybody(self, hierarchy: str) -> dict[int, list[dict[str, str]]]:
        """All paths of whoever is in a hierarchy, by person."""
        found: dict[int, list[dict[str, str]]] = defaultdict(list)
        for kind, rows in (("student", self.learning), ("teacher", self.teaching)):
            for person, klass in rows:
                if person in self.people and hierarchy in ("general", kind):
                    found[person] += self.paths(person, klass, kind)
        if hierarchy == "general":
            for person in self.people - set(found):
                found[person] = [self.at(location) for location in self.whereabouts(person) or {None}]
        return found

    def whereabouts(self, person: int) -> set[Any]:
        """Where somebody without a class is: the first of teacher, employee, student, parent that they are decides."""
        types = {row["user_type"] for row in self.affiliations if row["person"] == person}
        if types == {"parent"}:
            children = [child for child, parent in self.families if parent == person and child in self.people]
            there = {place for child in children for place in self._of_child(child)}
            if there:
                return there
        return {row["location"] for row in self.affiliations if row["person"] == person and row["location"]}

    def _of_child(self, child: int) -> set[Any]:
        sourced = {row["sourced_id"]: key for key, row in self.locations.items()}
        inside = [klass for person, klass in self.learning if person == child]
        found = {path.get("location") for klass in inside for path in self.paths(child, klass, "student")}
        if not inside:
            return {row["location"] for row in self.affiliations if row["person"] == child and row["location"]}
        return {sourced[location] for location in found if location}


def prefixes(path: dict[str, str], chosen: list[str]) -> list[Path]:
    """A path and everything above it, of the chosen levels it has."""
    whole = tuple((level.value, path[level]) for level in Level if level in chosen and level in path)
    return [whole[:length] for length in range(1, len(whole) + 1)]


def as_path(key: str) -> Path:
    """What a key says below its hierarchy and group type."""
    return tuple((part.partition(":")[0], part.partition(":")[2]) for part in key.split("/")[2:])


def found_in(roster: Roster, profile: Any) -> dict[str, dict[Path, tuple[set[int], set[int]]]]:
    """By hierarchy and path: who is in the node, and who is deepest there."""
    managed = nodes_of(roster, profile)
    found: dict[str, dict[Path, tuple[set[int], set[int]]]] = defaultdict(dict)
    for node, key, hierarchy in managed.nodes.select("node", "key", "hierarchy").iter_rows():
        rows = managed.belonging.filter(pl.col("node") == node)
        found[hierarchy][as_path(key)] = (set(rows["person"]), set(rows.filter("deepest")["person"]))
    return found


@settings(max_examples=examples(16))
@given(schools(), levels, levels, levels)
def test_everybody_is_in_exactly_the_nodes_of_their_paths(school, general, student, teacher):
    roster = school.roster()
    found = found_in(roster, profile_with(general, student, teacher))

    for hierarchy, chosen in (("general", general), ("student", student), ("teacher", teacher)):
        expected: dict[Path, tuple[set[int], set[int]]] = {}
        for person, paths in Told(roster).everybody(hierarchy).items():
            theirs = {prefix for path in paths for prefix in prefixes(path, chosen)}
            for node in theirs:
                inside, deepest = expected.setdefault(node, (set(), set()))
                inside.add(person)
                if not any(other[: len(node)] == node for other in theirs - {node}):
                    deepest.add(person)
        assert found[hierarchy] == expected


@settings(max_examples=examples(16))
@given(schools(), levels)
def test_nested_membership_equals_flat_membership(school, chosen):
    roster = school.roster()
    nested = relations(roster, profile_with(chosen, chosen, chosen))
    flat = relations(roster, profile_with(chosen, chosen, chosen, group_type="unified", owners=["nobody"]))

    def inside(key: str) -> set[int]:
        return {
            person for member in nested[key] for person in (inside(member) if isinstance(member, str) else [member])
        }

    assert {as_path(key): inside(key) for key in nested if key.startswith("general")} == {
        as_path(key): members for key, members in flat.items() if key.startswith("general")
    }
    assert {key.replace("security", "unified"): inside(key) for key in nested} == flat


modes = st.sampled_from(["nothing", "group", "subject"])


@settings(max_examples=examples(5), deadline=None)
@given(schools(), st.lists(st.tuples(levels, modes), min_size=2, max_size=3))
def test_nested_membership_stays_flat_membership_when_levels_are_switched_on_and_off_or_hidden(school, turns):
    tenant = Tenant()
    for chosen, mode in turns:
        synchronized(tenant, school, profile_with(chosen, teams=mode))
        everybody_moves(school)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((["institute", "grade", "group"], "nothing"), (["institute", "grade", "group"], "group")),
        ((["institute", "grade", "group"], "nothing"), (["institute", "grade"], "nothing")),
        ((["institute", "grade", "group"], "nothing"), (["institute", "group"], "nothing")),
        ((["institute", "group"], "nothing"), (["institute", "grade", "group"], "nothing")),
    ],
    ids=["hidden", "last level off", "level between off", "level between on"],
)
def test_whoever_moves_on_leaves_the_groups_above_though_a_level_is_off_by_now_and_after_it_is_on_again(before, after):
    tenant, school = Tenant(), Lycee()
    school.klass("K0", "Maths", group="7A", grade="7").klass("K1", "Maths", group="8B", grade="8")
    school.student("Maria", "K0").student("Nikos", "K1").teacher("Eleni", "K0", "K1")

    for chosen, mode in (before, after, before):
        synchronized(tenant, school, profile_with(chosen, teams=mode))
        everybody_moves(school, among=2)


def everybody_moves(school: Lycee, among: int = 5) -> None:
    """Whoever learns or teaches in a class does so in the next one."""
    for row in (*school.tables.get("enrolments", ()), *school.tables.get("teachings", ())):
        row["klass"] = row["klass"] % among + 1


def synchronized(tenant: Tenant, school: Lycee, profile: Any) -> None:
    """One synchronization, after which everybody is where they belong, and nothing is left to do."""
    before = people_by_group(tenant)
    tenant.apply(tenant.plan(school, profile=profile))
    managed = nodes_of(school.roster(), profile)
    with_account = pl.Series([link for link in tenant.links if link < CLASS_LINKS_FROM], dtype=pl.Int64)
    belonging = managed.belonging.filter(pl.col("person").is_in(with_account.implode()))
    flat = {key: set(belonging.filter(pl.col("node") == node)["person"]) for node, key in keys_of(managed)}

    now = people_by_group(tenant)
    assert {key: everybody_in(now, key) for key in flat} == flat
    # A key with a level that is off or hidden now stands for no path any more: its group stays as it was.
    patterns = [pattern(name, *use) for name, use in hierarchies_in_use(profile).items()]
    left = {key for key in before if not any(re.match(each, key) for each in patterns)}
    assert {key: now[key] for key in left} == {key: before[key] for key in left}
    again = tenant.plan(school, profile=profile)
    assert again.counts["changes"] == 0, told(again)


def keys_of(managed: ManagedNodes) -> list[tuple[int, str]]:
    return managed.nodes.select("node", "key").rows()


def people_by_group(tenant: Tenant) -> dict[str, set[Any]]:
    """What the group of each node holds in a tenant: people as numbers, groups as keys."""
    keys = {link: key for key, link in tenant.nodes.items() if link in tenant.links}
    held: dict[str, set[Any]] = {key: set() for key in keys.values()}
    for row in tenant.memberships:
        if row["team"] in keys:
            held[keys[row["team"]]].add(keys.get(row["user"], row["user"]))
    return held


def everybody_in(held: dict[str, set[Any]], key: str) -> set[int]:
    parts = [everybody_in(held, member) if isinstance(member, str) else {member} for member in held[key]]
    return set().union(*parts)


def relations(roster: Roster, profile: Any) -> dict[str, set[Any]]:
    """What each node's group holds, by key: people as numbers, groups as keys."""
    managed = nodes_of(roster, profile)
    links = managed.nodes.select("key", link=pl.col("node") + 1_000)
    users = roster.people.filter("active").select("person", user="person")
    rows = in_nodes(roster, profile, managed, links, users)
    assert rows.select("team", "user", "relation").is_duplicated().sum() == 0
    keys = dict(links.select("link", "key").iter_rows())
    held: dict[str, set[Any]] = {key: set() for key in keys.values()}
    for team, user in rows.select("team", "user").iter_rows():
        held[keys[team]].add(keys.get(user, user))
    return held


@settings(max_examples=examples(16))
@given(schools(), levels, st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(school, chosen, chance: random.Random):
    profile = profile_with(chosen, chosen, chosen)
    roster = school.roster()
    tables = {entry.name: getattr(roster, entry.name) for entry in fields(roster)}
    mixed = {name: table[chance.sample(range(table.height), table.height)] for name, table in tables.items()}
    before, after = nodes_of(roster, profile), nodes_of(replace(roster, **mixed), profile)

    assert after.nodes.equals(before.nodes)
    assert after.belonging.sort("node", "person").equals(before.belonging.sort("node", "person"))


@settings(max_examples=examples(16))
@given(schools(), levels, levels)
def test_nobody_is_in_the_nodes_of_another_hierarchy(school, student, teacher):
    found = found_in(school.roster(), profile_with(student=student, teacher=teacher))
    told = Told(school.roster())

    def people(hierarchy: str) -> set[int]:
        return {person for inside, _ in found[hierarchy].values() for person in inside}

    assert set(found) <= {"student", "teacher"}
    assert people("student") <= {person for person, _ in told.learning}
    assert people("teacher") <= {person for person, _ in told.teaching}


@settings(max_examples=examples(16))
@given(schools(), levels)
def test_renamed_entities_keep_their_keys(school, chosen):
    profile = profile_with(chosen, chosen)
    roster = school.roster()
    before = nodes_of(roster, profile).nodes["key"]
    again = pl.lit("renamed ")
    renamed = replace(
        roster,
        **{
            name: getattr(roster, name).with_columns(pl.concat_str([again, column]).alias(column))
            for name, column in (
                ("institutes", "name"),
                ("locations", "name"),
                ("grades", "name"),
                ("groups", "name"),
                ("subjects", "name"),
                ("academic_periods", "title"),
                ("marking_periods", "title"),
            )
        },
    )

    assert nodes_of(renamed, profile).nodes["key"].equals(before)
