"""The proof: expected against actual, each deviation with one reason."""

from __future__ import annotations

import polars as pl

from rollbook.apply.proof import prove

KEYS = {"team": pl.Int64, "user": pl.Int64, "relation": pl.UInt8}
MEMBER, OWNER = 0, 1


def memberships(*rows: tuple[int, int | None, int]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=pl.Schema(KEYS), orient="row")


def proven(expected, actual, *, has_team=True, spared=(), keep_previous=False):
    teams = pl.DataFrame({"team": [1], "has_team": [has_team]})
    last_owners = pl.DataFrame(list(spared), schema={"team": pl.Int64, "user": pl.Int64}, orient="row")
    return prove(expected, actual, teams, last_owners, keep_previous=keep_previous)


def test_a_tenant_that_equals_the_register_holds():
    same = memberships((1, 7, MEMBER), (1, 8, OWNER))

    proof = proven(same, same)

    assert proof.holds
    assert proof.as_json() == {"teams": 1, "members_expected": 2, "missing": 0, "extra": 0, "pending": 0}


def test_somebody_missing_is_named_with_the_reason():
    proof = proven(memberships((1, 7, MEMBER), (1, 8, MEMBER)), memberships((1, 7, MEMBER)))

    assert not proof.holds
    assert proof.deviations.select("user", "status").rows() == [(8, "missing")]
    assert "not applied" in proof.deviations["why"][0]


def test_somebody_of_the_register_who_should_not_be_there_is_extra():
    proof = proven(memberships((1, 7, MEMBER)), memberships((1, 7, MEMBER), (1, 9, MEMBER)))

    assert (proof.extra, proof.holds) == (1, False)


def test_people_outside_the_register_are_shown_but_are_no_fault():
    proof = proven(memberships((1, 7, MEMBER)), memberships((1, 7, MEMBER), (1, None, MEMBER)))

    assert proof.holds
    assert proof.deviations["why"].to_list() == ["added by hand; people who are not in the register are left alone"]


def test_the_last_owner_who_had_to_stay_is_no_fault():
    proof = proven(memberships(), memberships((1, 7, OWNER), (1, 7, MEMBER)), spared=[(1, 7)])

    assert proof.holds
    assert set(proof.deviations["status"]) == {"kept"}


def test_previous_members_are_kept_by_rule_where_the_profile_says_so():
    proof = proven(memberships(), memberships((1, 7, MEMBER)), keep_previous=True)

    assert proof.holds
    assert proof.deviations["status"].to_list() == ["kept"]


def test_people_in_the_group_of_an_unfinished_team_are_pending():
    same = memberships((1, 7, MEMBER))

    assert proven(same, same, has_team=False).pending == 1
