"""Microsoft's limits, found while planning."""

from __future__ import annotations

import polars as pl
import pytest
from tests.world import AUTUMN

from rollbook.directory.state import MEMBERSHIPS
from rollbook.plan import limits
from rollbook.plan.changes import CHANGES, DETAILS, Cause, ChangeVerdict, Kind, Plan
from rollbook.plan.limits import crowded_classes, members_afterwards

ANNA, PETER, STRANGER = 1, 2, None
RELATIONS = {"team": pl.Int64, "user": pl.Int64, "relation": pl.UInt8}


@pytest.fixture(autouse=True)
def small_limits(monkeypatch):
    """The limits as they would be for a very small school."""
    for name, most in (
        ("GROUPS_A_PERSON", 3),
        ("SECURITY_GROUPS_A_PERSON", 4),
        ("OWNERS_A_GROUP", 2),
        ("MEMBERS_A_TEAM", 5),
        ("MEMBERS_A_CLASS", 3),
    ):
        monkeypatch.setattr(limits, name, most)


def related(*rows: tuple[int, int | None, int]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=RELATIONS, orient="row")


def groups(kind: str, *links: int, has_team: bool = False) -> pl.DataFrame:
    return pl.DataFrame({"link": links, "kind": [kind] * len(links), "has_team": [has_team] * len(links)})


def beyond_limits(adding: pl.DataFrame, groups: pl.DataFrame, staying: pl.DataFrame | None = None) -> pl.DataFrame:
    """What is too much, in a tenant in which these are there already and stay."""
    return limits.beyond_limits(adding, related() if staying is None else staying, groups)


def told(found: pl.DataFrame) -> list[tuple[int, int, int, str]]:
    return [(team, user, relation, Cause(cause).name) for team, user, relation, cause in found.iter_rows()]


def test_nothing_is_beyond_a_limit_that_is_reached_exactly():
    relations = related(*((team, ANNA, 0) for team in (10, 11, 12)), (10, ANNA, 1), (10, PETER, 1))

    assert beyond_limits(relations, groups("unified", 10, 11, 12)).is_empty()


def test_somebody_in_too_many_microsoft_365_groups_is_left_out_of_the_newest_and_owners_are_counted_apart():
    relations = related(*((team, ANNA, relation) for team in (13, 10, 12, 11) for relation in (0, 1)))

    assert told(beyond_limits(relations, groups("unified", 10, 11, 12, 13))) == [
        (13, ANNA, 0, "TOO_MANY_GROUPS"),
        (13, ANNA, 1, "TOO_MANY_GROUPS"),
    ]


def test_a_group_has_only_so_many_owners():
    relations = related((10, 3, 1), (10, ANNA, 1), (10, PETER, 1))

    assert told(beyond_limits(relations, groups("unified", 10))) == [(10, 3, 1, "TOO_MANY_OWNERS")]


def test_a_team_has_only_so_many_members_and_a_group_that_is_none_has_any():
    relations = related(*((10, user, 0) for user in range(1, 8)))

    assert told(beyond_limits(relations, groups("class", 10, has_team=True))) == [
        (10, 6, 0, "TOO_MANY_MEMBERS"),
        (10, 7, 0, "TOO_MANY_MEMBERS"),
    ]
    assert beyond_limits(relations, groups("class", 10)).is_empty()


def test_whoever_is_there_already_counts_first_also_people_no_register_knows():
    owners = related((10, STRANGER, 1), (10, 9, 1))
    members = related(*((10, user, 0) for user in (STRANGER, STRANGER, 7, 8)))
    adding = related((10, ANNA, 1), (10, ANNA, 0), (10, PETER, 0))

    assert told(beyond_limits(adding, groups("class", 10, has_team=True), pl.concat([owners, members]))) == [
        (10, ANNA, 1, "TOO_MANY_OWNERS"),
        (10, PETER, 0, "TOO_MANY_MEMBERS"),
    ]


def test_groups_somebody_stays_in_count_before_those_they_would_be_added_to_and_are_never_told_themselves():
    there = related((13, ANNA, 0), (14, ANNA, 0), (15, ANNA, 0), (16, ANNA, 0))

    unified = beyond_limits(related((10, ANNA, 0)), groups("unified", 10, 13, 14, 15, 16), there)
    security = beyond_limits(related((10, ANNA, 0)), groups("security", 10, 13, 14, 15, 16), there)

    assert told(unified) == told(security) == [(10, ANNA, 0, "TOO_MANY_GROUPS")]


def test_security_groups_around_the_ones_somebody_is_in_count_once_each():
    # 10 holds 11, which holds 12 and 13; 20 holds 21.
    nesting = ((10, 11, 0), (11, 12, 0), (11, 13, 0), (20, 21, 0))
    security = groups("security", 10, 11, 12, 13, 20, 21)
    within = related(*nesting, (12, ANNA, 0), (13, ANNA, 0))
    beyond = related(*nesting, (12, ANNA, 0), (13, ANNA, 0), (21, ANNA, 0), (21, PETER, 0))

    assert beyond_limits(within, security).is_empty()
    assert told(beyond_limits(beyond, security)) == [(21, ANNA, 0, "TOO_MANY_GROUPS")]


def test_members_afterwards_are_those_who_stay_and_those_who_are_added_but_nobody_who_waits():
    changes = pl.DataFrame(
        [
            (1, int(Kind.ADD_MEMBER), 10, 3, int(ChangeVerdict.PLANNED)),
            (2, int(Kind.ADD_MEMBER), 10, 4, int(ChangeVerdict.WAITS)),
            (3, int(Kind.REMOVE_MEMBER), 10, 2, int(ChangeVerdict.PLANNED)),
        ],
        schema={name: CHANGES[name] for name in ("seq", "kind", "subject", "object", "verdict")},
        orient="row",
    )
    plan = Plan("tenant", 1, AUTUMN, changes, pl.DataFrame(schema=pl.Schema(DETAILS)), (), "", first_run=False)
    there = pl.DataFrame(
        [(10, 1, 0, "a"), (10, 2, 0, "b"), (10, None, 0, "c")], schema=pl.Schema(MEMBERSHIPS), orient="row"
    )

    assert sorted(members_afterwards(plan, there)["user"].fill_null(0)) == [0, 1, 3]


def test_a_class_team_with_too_many_members_for_assignments_is_told():
    relations = related(*((10, user, 0) for user in range(1, 5)), *((11, user, 0) for user in range(1, 4)))

    assert crowded_classes(relations, groups("class", 10, 11, has_team=True)).rows() == [(10, 4)]
    assert crowded_classes(relations, groups("unified", 10, 11, has_team=True)).is_empty()
