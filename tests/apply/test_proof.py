"""The proof: expected against actual, each deviation with one reason, the first that applies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.apply.proof import EXPECTED, GROUPS, STRANGERS, Evidence, Proof, prove
from rollbook.apply.whys import SENTENCES, SILENT, STATUSES, Why, verdict_sentence, why_sentence
from rollbook.directory.desired import OUTSIDE
from rollbook.directory.state import MEMBERSHIPS
from rollbook.plan.changes import CHANGES, Cause, ChangeVerdict, Kind

MEMBER, OWNER = 0, 1
MARIA, JAN, NIKOS, STRANGER = 1, 2, 3, None
MATHS, GRADE, LICENCES, LEFT = 100, 200, 300, 400

Relation = tuple[int, int | None, int]


def members(team: int, *people: int | None) -> list[Relation]:
    return [(team, person, MEMBER) for person in people]


@dataclass
class World:
    """A class team, and what else a test puts beside it. Everybody named has an account unless a test says otherwise."""

    expected: list[Relation] = field(default_factory=list)
    actual: list[Relation] = field(default_factory=list)
    held: list[Relation] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    groups: dict[int, dict[str, Any]] = field(default_factory=lambda: {MATHS: {}})
    accounts: tuple[int, ...] = (MARIA, JAN, NIKOS)
    keep_previous: bool = False
    strangers: list[tuple[int, str]] = field(default_factory=list)
    unmanaged: tuple[int, ...] = ()
    outside: list[Relation] = field(default_factory=list)

    def says(self, kind: Kind, subject: int, verdict: ChangeVerdict, other: int | None = None, **more: Any) -> World:
        """The plan has this change, whose verdict is now this one."""
        row = {"seq": len(self.changes) + 1, "kind": kind, "subject": subject, "object": other, "verdict": verdict}
        self.changes.append({"cause": Cause.ENROLMENT_CURRENT, **row, **more})
        return self

    def waits(self, kind: Kind, subject: int, cause: Cause, other: int | None = None) -> World:
        """The plan says that this waits."""
        return self.says(kind, subject, ChangeVerdict.WAITS, other, cause=cause)

    def proof(self) -> Proof:
        team = {"purpose": "team", "name": "7A Maths", "kind": "class", "there": True}
        team |= {"wants_team": True, "has_team": True}
        rows = [{"team": link, **team, **more} for link, more in self.groups.items()]
        wanted = [(*row, False) for row in self.expected] + [(*row, True) for row in self.held]
        inside = [(*row, "object-x" if row[1] is None else f"object-{row[1]}") for row in self.actual]
        return prove(
            Evidence(
                groups=pl.DataFrame(rows, schema=pl.Schema(GROUPS)),
                expected=pl.DataFrame(wanted, schema=pl.Schema(EXPECTED), orient="row"),
                actual=pl.DataFrame(inside, schema=pl.Schema(MEMBERSHIPS_OF_TESTS), orient="row"),
                accounts=pl.DataFrame({"user": self.accounts}, schema={"user": pl.Int64}),
                changes=pl.DataFrame(self.changes, schema=pl.Schema(CHANGES)),
                strangers=pl.DataFrame(self.strangers, schema=pl.Schema(STRANGERS), orient="row"),
                keep_previous=self.keep_previous,
                unmanaged=pl.Series(self.unmanaged, dtype=pl.Int64),
                outside=pl.DataFrame(self.outside, schema=pl.Schema(OUTSIDE), orient="row"),
            )
        )


MEMBERSHIPS_OF_TESTS = {name: MEMBERSHIPS[name] for name in ("team", "user", "relation", "user_object_id")}


def told(proof: Proof) -> list[tuple[int | None, str, str]]:
    """Who deviates, how, and why, as a person reads it without Microsoft's answer."""
    rows = proof.deviations.select("user", "status", "why", "cause").iter_rows()
    return [(user, status, why_sentence(why, cause)) for user, status, why, cause in rows]


def of_group(proof: Proof, link: int = MATHS) -> dict[str, Any]:
    (row,) = proof.groups.filter(pl.col("team") == link).to_dicts()
    return row


def test_a_tenant_that_equals_the_register_holds():
    same = [*members(MATHS, MARIA, NIKOS), (MATHS, NIKOS, OWNER)]

    proof = World(expected=same, actual=same).proof()

    assert proof.holds
    assert proof.as_json() == {"teams": 1, "groups": 0, "members_expected": 3} | dict.fromkeys(STATUSES, 0)
    assert proof.deviations.is_empty()


def test_somebody_missing_is_named_with_the_group_the_numbers_and_a_reason():
    proof = World(expected=members(MATHS, MARIA, JAN), actual=members(MATHS, MARIA)).proof()

    assert not proof.holds
    assert proof.deviations.select("team", "user", "relation", "status").rows() == [(MATHS, JAN, MEMBER, "missing")]
    row = of_group(proof)
    assert (row["purpose"], row["name"], row["expected"], row["actual"], row["missing"]) == (
        "team",
        "7A Maths",
        2,
        1,
        1,
    )


ANSWERS = {
    ChangeVerdict.PLANNED: Why.NOT_APPLIED,
    ChangeVerdict.SENT: Why.NOT_APPLIED,
    ChangeVerdict.DONE: Why.NOT_SEEN,
    ChangeVerdict.LATER: Why.PUT_OFF,
    ChangeVerdict.NEVER: Why.REFUSED,
}


@pytest.mark.parametrize(("verdict", "why"), ANSWERS.items(), ids=lambda each: each.name.lower())
def test_whoever_is_missing_after_a_change_is_told_with_what_became_of_that_change(verdict, why):
    world = World(expected=members(MATHS, MARIA))

    proof = world.says(Kind.ADD_MEMBER, MATHS, verdict, MARIA).proof()

    assert proof.deviations.select("status", "why", "seq").rows() == [("missing", why, 1)]


def test_a_change_that_was_blocked_is_told_with_the_one_it_needed():
    world = World(expected=members(MATHS, MARIA), accounts=())
    world.says(Kind.CREATE_USER, MARIA, ChangeVerdict.NEVER)
    world.says(Kind.ADD_MEMBER, MATHS, ChangeVerdict.BLOCKED, MARIA, needs_object=1)

    assert world.proof().deviations.select("status", "why", "seq").rows() == [("missing", Why.BLOCKED, 1)]


def test_whoever_no_plan_of_this_run_speaks_of_was_changed_meanwhile():
    assert "changed meanwhile" in told(World(expected=members(MATHS, MARIA)).proof())[0][2]


def test_somebody_of_the_register_who_should_not_be_there_is_extra_until_the_removal_succeeds():
    world = World(expected=members(MATHS, MARIA), actual=members(MATHS, MARIA, JAN))

    proof = world.says(Kind.REMOVE_MEMBER, MATHS, ChangeVerdict.NEVER, JAN).proof()

    assert (proof.extra, proof.holds) == (1, False)
    assert told(proof) == [(JAN, "extra", "Microsoft refused the change; see `rollbook show`")]


NODE = {"purpose": "node", "kind": "security", "wants_team": False, "has_team": False}


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (None, SENTENCES[Why.LEVEL_OFF]),
        (ChangeVerdict.PLANNED, SENTENCES[Why.LEVEL_OFF]),
        (ChangeVerdict.NEVER, SILENT[Why.REFUSED]),
    ],
)
def test_the_group_of_a_level_that_is_off_is_extra_until_it_stands_in_no_living_group_any_more(verdict, said):
    world = World(groups={GRADE: NODE}, actual=members(GRADE, LEFT), unmanaged=(LEFT,))
    if verdict is not None:
        world.says(Kind.REMOVE_MEMBER, GRADE, verdict, LEFT, cause=Cause.NOT_NESTED)

    assert told(world.proof()) == [(LEFT, "extra", said)]


def test_who_and_what_stands_there_outside_the_scope_is_kept():
    world = World(
        groups={MATHS: {}, GRADE: NODE},
        actual=[*members(MATHS, MARIA), *members(GRADE, LEFT)],
        unmanaged=(LEFT,),
        outside=[*members(MATHS, MARIA), *members(GRADE, LEFT)],
    )

    proof = world.proof()

    assert proof.holds
    assert proof.deviations.select("user", "status", "why").rows() == [
        (LEFT, "kept", Why.OUT_OF_SCOPE),
        (MARIA, "kept", Why.OUT_OF_SCOPE),
    ]


def test_people_outside_the_register_are_shown_but_are_no_fault():
    proof = World(expected=members(MATHS, MARIA), actual=members(MATHS, MARIA, STRANGER)).proof()

    assert proof.holds
    assert proof.deviations.select("user", "object_id", "status").rows() == [(None, "object-x", "kept")]
    assert told(proof)[0][2] == "added by hand; people who are not in the register are left alone"


def test_somebody_unknown_whom_the_profile_removes_is_extra_while_they_are_there():
    world = World(actual=members(MATHS, STRANGER), strangers=[(1, "object-x")])

    proof = world.says(Kind.REMOVE_STRANGER, MATHS, ChangeVerdict.LATER).proof()

    assert (proof.extra, proof.holds) == (1, False)
    assert proof.deviations["why"].to_list() == [Why.PUT_OFF]


def test_the_last_owner_who_had_to_stay_is_no_fault():
    world = World(actual=[(MATHS, NIKOS, OWNER), (MATHS, NIKOS, MEMBER)])

    proof = world.waits(Kind.REMOVE_OWNER, MATHS, Cause.LAST_OWNER, NIKOS).proof()

    assert proof.holds
    assert set(proof.deviations["status"]) == {"kept"}
    assert "last owner" in told(proof)[0][2]


def test_previous_members_are_kept_by_rule_in_teams_and_in_teams_only():
    world = World(actual=[*members(MATHS, MARIA), *members(GRADE, MARIA)], keep_previous=True)
    world.groups[GRADE] = {"purpose": "node", "kind": "security", "wants_team": False, "has_team": False}

    proof = world.proof()

    assert proof.deviations.select("team", "status").rows() == [(GRADE, "extra"), (MATHS, "kept")]
    assert (of_group(proof)["kept"], of_group(proof, GRADE)["extra"]) == (1, 1)


def test_people_in_the_group_of_an_unfinished_team_are_pending():
    same = members(MATHS, MARIA)
    world = World(expected=same, actual=same)
    world.groups[MATHS] = {"has_team": False}

    proof = world.says(Kind.CREATE_TEAM, MATHS, ChangeVerdict.LATER).proof()

    assert (proof.pending, proof.holds) == (1, True)
    assert of_group(proof)["seq"] == 1


def test_nobody_is_pending_in_a_group_that_is_no_team_or_will_be_none():
    same = [*members(MATHS, MARIA), *members(GRADE, MARIA)]
    world = World(expected=same, actual=same)
    world.groups[GRADE] = {"purpose": "node", "wants_team": False, "has_team": False}
    world.groups[MATHS] = {"has_team": False}

    assert world.waits(Kind.CREATE_TEAM, MATHS, Cause.NO_TEACHER).proof().pending == 0
    world.changes.clear()
    assert world.says(Kind.CREATE_TEAM, MATHS, ChangeVerdict.NEVER).proof().pending == 0


def test_whoever_the_sync_start_date_holds_is_held_and_not_missing():
    proof = World(held=members(MATHS, MARIA)).proof()

    assert proof.holds
    assert told(proof) == [(MARIA, "held", "held by the sync start date; see `rollbook release`")]
    assert of_group(proof)["held"] == 1


def test_whoever_is_held_and_there_already_is_as_expected():
    assert World(held=members(MATHS, MARIA), actual=members(MATHS, MARIA)).proof().deviations.is_empty()


def test_whoever_has_no_account_waits_with_what_the_plan_says_of_it():
    world = World(expected=members(MATHS, MARIA, JAN), accounts=())

    proof = world.waits(Kind.CREATE_USER, MARIA, Cause.CREATION_OFF).proof()

    assert proof.holds
    assert told(proof) == [
        (MARIA, "waiting", "the account waits: no account, creating is off"),
        (JAN, "waiting", "has no account, and none is planned"),
    ]


def test_for_whoever_a_mapping_failed_nothing_is_done_in_either_direction():
    world = World(expected=members(MATHS, MARIA), actual=members(GRADE, MARIA))
    world.groups[GRADE] = {"purpose": "node"}

    proof = world.waits(Kind.UPDATE_USER, MARIA, Cause.MAPPING_FAILED).proof()

    assert [status for _, status, _ in told(proof)] == ["waiting", "kept"]
    assert all("mapping gives no usable value" in why for _, _, why in told(proof))


def test_a_protected_account_is_a_member_like_any_other():
    world = World(expected=members(MATHS, MARIA))

    proof = world.waits(Kind.UPDATE_USER, MARIA, Cause.PROTECTED).proof()

    assert [status for _, status, _ in told(proof)] == ["missing"]


GROUP_CAUSES = {
    Cause.NO_TEACHER: (Kind.CREATE_TEAM, False),
    Cause.OWNERS_WAIT: (Kind.CREATE_TEAM, False),
    Cause.TEAM_GONE: (Kind.UPDATE_GROUP, False),
    Cause.AMBIGUOUS_MATCH: (Kind.LINK_GROUP, False),
    Cause.GROUP_MAPPING_FAILED: (Kind.UPDATE_GROUP, False),
    Cause.DYNAMIC_GROUP: (Kind.UPDATE_GROUP, True),
    Cause.KEPT_ON_PREMISES: (Kind.UPDATE_GROUP, True),
    Cause.FOREIGN_MARK: (Kind.UPDATE_GROUP, True),
}


@pytest.mark.parametrize(("cause", "how"), GROUP_CAUSES.items(), ids=lambda each: getattr(each, "name", ""))
def test_where_the_group_waits_its_people_do_and_nobody_is_a_fault(cause, how):
    kind, there = how
    world = World(expected=members(MATHS, MARIA), actual=members(MATHS, JAN) if there else [])
    world.groups[MATHS] = {"there": there, "has_team": there}

    proof = world.waits(kind, MATHS, cause).proof()

    assert proof.holds
    assert proof.deviations.filter(pl.col("user") == MARIA).select("status", "why", "cause").rows() == [
        ("waiting", Why.GROUP_WAITS, int(cause))
    ]
    assert of_group(proof)["cause"] == int(cause)
    if there:
        assert proof.deviations.filter(pl.col("user") == JAN).select("status", "why").rows() == [
            ("kept", Why.GROUP_LEFT_ALONE)
        ]


def test_a_group_with_a_failed_mapping_that_is_there_is_kept_in_step_all_the_same():
    world = World(expected=members(MATHS, MARIA))

    proof = world.waits(Kind.UPDATE_GROUP, MATHS, Cause.GROUP_MAPPING_FAILED).proof()

    assert [status for _, status, _ in told(proof)] == ["missing"]


def test_a_nested_group_is_a_member_like_a_person_and_waits_with_its_own_reason():
    world = World(expected=[(GRADE, MATHS, MEMBER)], accounts=())
    world.groups[GRADE] = {"purpose": "node", "kind": "security"}
    world.groups[MATHS] = {"purpose": "node", "there": False}
    waiting = world.waits(Kind.LINK_GROUP, MATHS, Cause.AMBIGUOUS_MATCH).proof()
    assert told(waiting) == [(MATHS, "waiting", "the group that is nested in it waits: several match; choose one")]

    world.groups[MATHS] = {"purpose": "node"}
    world.changes.clear()
    assert [status for _, status, _ in told(world.proof())] == ["missing"]
    world.actual = [(GRADE, MATHS, MEMBER)]
    assert world.proof().deviations.is_empty()


def test_an_owner_by_hand_of_a_security_group_is_left_alone():
    world = World(actual=[(GRADE, NIKOS, OWNER)])
    world.groups[GRADE] = {"purpose": "node", "kind": "security"}

    proof = world.proof()

    assert (proof.holds, proof.deviations["why"].to_list()) == (True, [Why.OWNER_BY_HAND])


def test_whoever_is_beyond_a_limit_of_microsoft_waits():
    world = World(expected=members(MATHS, MARIA))

    proof = world.waits(Kind.ADD_MEMBER, MATHS, Cause.TOO_MANY_MEMBERS, MARIA).proof()

    assert told(proof) == [(MARIA, "waiting", "Microsoft lets no team have more members")]


def test_whoever_finds_no_seat_waits_outside_the_group_that_carries_the_licence():
    world = World(expected=members(LICENCES, MARIA))
    world.groups[LICENCES] = {"purpose": "licence", "kind": "security", "wants_team": False}

    proof = world.waits(Kind.LICENSE_USER, MARIA, Cause.NO_SEATS).proof()

    assert told(proof) == [(MARIA, "waiting", "no free licence; buy seats or free some")]
    assert (proof.as_json()["teams"], proof.as_json()["groups"]) == (1, 1)


def test_faults_come_first():
    world = World(expected=members(MATHS, MARIA), held=members(MATHS, NIKOS), actual=members(MATHS, JAN, STRANGER))

    assert [status for _, status, _ in told(world.proof())] == ["missing", "extra", "held", "kept"]


def test_every_reason_has_a_sentence():
    assert set(SENTENCES) == set(Why)
    assert all(why_sentence(why, answer="No.") and why_sentence(why, int(Cause.NO_TEACHER)) for why in Why)
    assert set(SILENT) <= set(Why)


people = st.lists(st.tuples(st.sampled_from([MATHS, GRADE]), st.integers(1, 6), st.sampled_from([MEMBER, OWNER])))


@given(expected=people, held=people, actual=people, unknown=st.integers(0, 2), keep=st.booleans(), there=st.booleans())
def test_the_numbers_of_every_group_add_up(expected, held, actual, unknown, keep, there):
    wanted = set(expected)
    world = World(
        expected=sorted(wanted),
        held=sorted(set(held) - wanted),
        actual=sorted(set(actual)) + [(MATHS, None, MEMBER)] * bool(unknown),
        keep_previous=keep,
        groups={MATHS: {}, GRADE: {"purpose": "node", "kind": "security", "there": there}},
        accounts=(1, 2, 3, 4),
    )

    proof = world.proof()

    for row in proof.groups.iter_rows(named=True):
        there_and_right = row["actual"] - row["extra"] - row["leaving"] - row["kept"]
        assert row["expected"] - row["missing"] - row["waiting"] - row["held"] == there_and_right
    key = ["team", "user", "object_id", "relation"]
    deviating = proof.deviations.filter(pl.col("status") != "pending")
    assert deviating.unique(key).height == deviating.height


def test_what_waits_for_a_person_is_no_fault_and_told_apart_from_what_a_rule_keeps():
    world = World(expected=members(MATHS, MARIA, NIKOS), actual=[*members(MATHS, JAN, 4, None), (MATHS, NIKOS, OWNER)])
    world.accounts = (MARIA, JAN, NIKOS, 4)
    world.says(Kind.ADD_MEMBER, MATHS, ChangeVerdict.UNAPPROVED, MARIA)
    world.waits(Kind.ADD_MEMBER, MATHS, Cause.TOO_MANY_GROUPS, NIKOS)
    world.says(Kind.REMOVE_MEMBER, MATHS, ChangeVerdict.UNAPPROVED, JAN)
    world.says(Kind.REMOVE_MEMBER, MATHS, ChangeVerdict.DECLINED, 4)
    world.waits(Kind.REMOVE_OWNER, MATHS, Cause.LAST_OWNER, NIKOS)

    proof = world.proof()

    assert proof.holds
    assert [(user, status) for user, status, _ in told(proof)] == [
        (MARIA, "waiting"),
        (NIKOS, "waiting"),
        (JAN, "leaving"),
        (4, "leaving"),
        (NIKOS, "kept"),
        (None, "kept"),
    ]
    numbers = proof.as_json()
    assert verdict_sentence(numbers) == (
        "proven equal but for 2 memberships that wait for approval, 1 membership of which somebody refused the change, "
        "1 membership that waits for a stated reason"
    )
    assert verdict_sentence({**numbers, "missing": 1}) == "NOT equal"
    settled = {"missing": 0, "extra": 0}
    assert verdict_sentence(settled) == "proven equal"
    assert verdict_sentence(settled, 3) == "proven equal but for 3 changes that wait for approval"
