"""Nodes as groups: how they look, what is in them, what becomes of those that are no more."""

from __future__ import annotations

import polars as pl
import pytest
from tests.desired.lycee import Lycee, nodes_of, profile_with

from rollbook.desired.node_groups import NodeGroups, abandoned, desired_groups, in_nodes, nesting_of_emptied
from rollbook.profiles import Profile, parse

LINKS_FROM = 100


def a_lycee() -> Lycee:
    school = Lycee()
    school.klass("7A Maths", "Maths", group="7A", location="North", grade="7")
    school.student("Maria", "7A Maths", grade="7").student("Nikos", "7A Maths", grade="7", stream="Science")
    return school.teacher("Eleni", "7A Maths").employee("Cook", location="North")


def links_of(school: Lycee, profile: Profile) -> pl.DataFrame:
    """Links of all nodes, numbered in the order of their keys."""
    nodes = nodes_of(school.roster(), profile).nodes
    return nodes.select("key", link=pl.col("node") + LINKS_FROM, mark=pl.format("mark-{}", "node"))


def groups_of(school: Lycee, profile: Profile) -> NodeGroups:
    return desired_groups(profile, nodes_of(school.roster(), profile), links_of(school, profile))


def relations(school: Lycee, profile: Profile) -> set[tuple[str, str, int, str]]:
    """(name of the group, name of who or what is in it, relation, reason) of everything."""
    roster = school.roster()
    managed, links = nodes_of(roster, profile), links_of(school, profile)
    users = roster.people.filter("active").select("person", user="person")
    rows = in_nodes(roster, profile, managed, links, users)
    names = dict(roster.people.select("person", "given_name").iter_rows())
    names |= dict(managed.nodes.select(pl.col("node") + LINKS_FROM, "label").iter_rows())
    told = rows.select("team", "user", "relation", pl.col("because").cast(pl.String))
    return {(names[team], names[user], relation, because) for team, user, relation, because in told.iter_rows()}


def test_a_security_group_is_nested_in_the_one_above_and_holds_the_people_who_are_no_deeper():
    assert relations(a_lycee(), profile_with(["location", "grade", "stream"])) == {
        ("North", "Cook", 0, "structure"),
        ("North", "North / 7", 0, "nested"),
        ("North / 7", "Maria", 0, "structure"),
        ("North / 7", "Eleni", 0, "structure"),
        ("North / 7", "North / 7 / Science", 0, "nested"),
        ("North / 7 / Science", "Nikos", 0, "structure"),
    }


def test_a_unified_group_is_flat_and_its_owners_are_its_members_too():
    profile = profile_with(["location", "stream"], group_type="unified", owners=["maria"])

    assert relations(a_lycee(), profile) == {
        ("North", "Cook", 0, "structure"),
        ("North", "Nikos", 0, "structure"),
        ("North", "Eleni", 0, "structure"),
        ("North", "Maria", 0, "extra_owner"),
        ("North", "Maria", 1, "extra_owner"),
        ("North / Science", "Nikos", 0, "structure"),
        ("North / Science", "Maria", 0, "extra_owner"),
        ("North / Science", "Maria", 1, "extra_owner"),
    }


def test_an_owner_who_has_left_owns_nothing():
    profile = profile_with(["location"], group_type="unified", owners=["maria"])

    assert {because for *_, because in relations(a_lycee().leaves("Maria"), profile)} == {"structure"}


def test_groups_are_called_by_their_path_and_those_of_a_user_type_say_so():
    groups = groups_of(a_lycee(), profile_with(["location", "grade"], student=["grade"])).groups

    assert groups.select("display_name", "description", "external_id").rows() == [
        ("North", "Everybody of North, as the school's register has them.", "north"),
        ("North / 7", "Everybody of North / 7, as the school's register has them.", "7"),
        ("7 (students)", "Students of 7, as the school's register has them.", "7"),
    ]


@pytest.mark.parametrize(
    ("settings", "behaviours", "has_team"),
    [
        ({}, [], False),
        ({"hide_in_outlook": True}, [], False),
        ({"group_type": "unified", "owners": ["maria"]}, ["WelcomeEmailDisabled"], False),
        (
            {"group_type": "unified", "owners": ["maria"], "hide_in_outlook": True, "make_team": True},
            ["HideGroupInOutlook", "WelcomeEmailDisabled"],
            True,
        ),
        ({"group_type": "unified", "owners": ["maria"], "disable_welcome_email": False}, [], False),
    ],
)
def test_the_switches_count_for_unified_groups_alone(settings, behaviours, has_team):
    (group,) = groups_of(a_lycee(), profile_with(["location"], **settings)).groups.to_dicts()

    assert (group["behaviours"], group["has_team"], group["purpose"]) == (behaviours, has_team, "node")
    assert group["kind"] == settings.get("group_type", "security")


def test_every_level_has_its_own_mappings_match_and_what_counts_on_creation_only():
    document = profile_with(["location", "grade"]).model_dump(mode="json")
    levels = document["hierarchies"]["general"]["levels"]
    levels["location"] = {
        "match": "external_id",
        "mappings": {
            "display_name": {"type": "expression", "value": "{{ hierarchy }} at {{ location }} ({{ level }})"},
            "external_id": {"value": "code"},
            "mail_nickname": {"type": "static", "value": "Everyone North"},
            "description": {"value": "location_id", "on_creation_only": True},
        },
    }
    levels["grade"]["match"] = "nothing"
    found = groups_of(a_lycee(), parse(document))

    assert found.groups["display_name"].to_list() == ["everybody at North (location)", "North / 7"]
    assert found.match_keys.rows() == [(LINKS_FROM, "external_id", "L-North")]
    assert found.creation_only.rows() == [(LINKS_FROM, "description")]
    assert found.nicknames.rows() == [(LINKS_FROM, "everyone-north"), (LINKS_FROM + 1, "north-7")]


def test_a_name_that_is_too_long_stops_that_group_and_says_so():
    school = a_lycee().employee("Clerk", location="South").renamed("locations", "South", "x" * 257)
    found = groups_of(school, profile_with(["location"], group_type="unified", owners=["maria"]))

    assert found.problems.select("target", "problem").rows() == [("display_name", "longer than 256 characters")]
    assert found.groups.filter(pl.col("link").is_in(found.problems["link"].implode()))["display_name"].to_list() == [
        None
    ]


def test_a_path_in_letters_microsoft_does_not_take_still_has_a_nickname():
    school = Lycee().employee("Cook", location="Λύκειο / Αθήνα").employee("Clerk", location="—")
    nicknames = groups_of(school, profile_with(["location"])).nicknames["base"].to_list()

    assert nicknames == ["lykeio-athina", "group"]


def test_a_node_without_people_is_emptied_and_what_was_made_for_other_settings_is_left():
    school, profile = a_lycee(), profile_with(["location", "grade"])
    keys = [
        "general/security/location:north",
        "general/security/location:south/grade:7",
        "general/security/grade:9",
        "general/unified/location:north",
        "general/security/location:north/stream:Science",
        "student/security/grade:7",
    ]
    made = pl.DataFrame({"key": keys, "link": range(len(keys))})
    gone = abandoned(profile, nodes_of(school.roster(), profile), made)

    assert gone.emptied["link"].to_list() == [1, 2]
    assert gone.left["link"].to_list() == [3, 4, 5]


def test_without_hierarchies_everything_made_for_them_is_left():
    profile = profile_with()
    made = pl.DataFrame({"key": ["general/security/location:north"], "link": [1]})
    gone = abandoned(profile, nodes_of(a_lycee().roster(), profile), made)

    assert (gone.emptied["link"].to_list(), gone.left["link"].to_list()) == ([], [1])


def test_a_node_without_people_goes_on_standing_in_the_one_above():
    links = pl.DataFrame({"key": ["general/security/location:north"], "link": [1]})
    keys = ["general/security/location:north/grade:9", "general/security/location:north/grade:9/stream:x"]
    emptied = pl.DataFrame({"key": [*keys, "general/unified/location:south/grade:9"], "link": [2, 3, 4]})

    assert nesting_of_emptied(emptied, links).select("team", "user").sort("team").rows() == [(1, 2), (2, 3)]
