"""A partial approval never leaves a dangling change: whatever is agreed to or refused, no change is applied whose need is not."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.plan.test_plan_properties import CLASSES, school_of
from tests.world import School, Tenant, told

from rollbook.apply.approval import EVERYTHING, Approval, Cleared, cleared
from rollbook.directory.state import Relation
from rollbook.plan.changes import HELD, ChangeVerdict, Kind, Objection, Plan
from rollbook.plan.closure import needs_of

SOME = st.sets(st.integers(1, 40), max_size=8)


def part_of(plan: Plan, may: Cleared) -> Plan:
    """The plan of which only what may go is still planned."""
    going = pl.col("seq").is_in(may.going.implode())
    left = pl.when(~going & (pl.col("verdict") == int(ChangeVerdict.PLANNED))).then(int(ChangeVerdict.UNAPPROVED))
    return replace(plan, changes=plan.changes.with_columns(verdict=left.otherwise("verdict").cast(pl.UInt8)))


def holding(plan: Plan, seqs: set[int]) -> Plan:
    """The plan, no first run, some of whose changes a guard holds."""
    held = pl.DataFrame({"seq": sorted(seqs)}).with_columns(code=pl.lit("accounts-disabled")).cast(pl.Schema(HELD))
    objections = (Objection("accounts-disabled", len(seqs), 100, 10, 2.0),)
    return replace(plan, first_run=False, held=held, objections=objections)


def nothing_dangles(plan: Plan, may: Cleared, tenant: Tenant) -> None:
    """Every need of what goes goes too, what it is about is there by then, and no team is without an owner."""
    going = set(may.going)
    needs = needs_of(plan.changes)
    assert all(on in going for seq, on in needs.all_of.iter_rows() if seq in going)
    tenant.apply(part_of(plan, may))
    for change in plan.changes.filter(pl.col("seq").is_in(may.going.implode())).iter_rows(named=True):
        for link in (change["subject"], change["object"]):
            assert link is None or tenant.links[link]["object_id"]
    owned = {row["team"] for row in tenant.memberships if row["relation"] == Relation.OWNER}
    groups = {row["object_id"]: row for row in tenant.groups}
    made = {link for link, each in tenant.links.items() if each["object_id"] in groups}
    assert made <= owned
    unlicensed = {user["object_id"] for user in tenant.users if not user["licences"]}
    able = {
        row["team"]
        for row in tenant.memberships
        if row["relation"] == Relation.OWNER and tenant.links[row["user"]]["object_id"] not in unlicensed
    }
    assert {link for link in made if groups[tenant.links[link]["object_id"]].get("has_team")} <= able


@given(CLASSES, CLASSES, SOME, SOME, SOME, st.booleans())
@settings(max_examples=examples(25), deadline=None)
def test_no_change_is_applied_whose_need_is_not_and_in_the_end_all_is_as_wanted(
    before, after, held, chosen, refused, first
):
    tenant = Tenant()
    if not first:
        tenant.apply(tenant.plan(school_of(before)))
    # Whoever has every third place in a class loses it: teachers change, too.
    told_anew = school_of(before + after)
    told_anew.enrolments = [row for row in told_anew.enrolments if row["enrolment"] % 3]
    told_anew.teachings = [row for row in told_anew.teachings if row["teaching"] % 3]
    plan = tenant.plan(told_anew)
    known = set(plan.changes.filter(pl.col("verdict") == int(ChangeVerdict.PLANNED))["seq"])
    plan = holding(plan, held & known)
    approvals = [
        Approval(plan.fingerprint, "anna", waived=frozenset(), items=frozenset(chosen & known)),
        Approval(plan.fingerprint, "bela", waived=frozenset(), refused=frozenset(refused & known)),
    ]

    may = cleared(plan, approvals)
    nothing_dangles(plan, may, tenant)

    assert not set(may.going) & (refused & known)
    assert set(may.going) | set(may.waiting["seq"]) | set(may.declined) == known
    # Everything is agreed to in the end.
    for _ in range(3):
        tenant.apply(tenant.plan(told_anew))
    assert tenant.plan(told_anew).counts["changes"] == 0


def going(plan: Plan, *approvals: Approval) -> list[str]:
    """What goes, in the words of tests/world.py."""
    may = cleared(plan, approvals)
    return told(replace(plan, changes=plan.changes.filter(pl.col("seq").is_in(may.going.implode()))))


def seqs(plan: Plan, kind: Kind, subject: int) -> set[int]:
    found = plan.changes.filter(pl.col("kind") == int(kind), pl.col("subject") == subject)
    return set(found["seq"])


def a_class() -> School:
    return School().klass("7A Maths", teachers=["Nikos Vasilakis"], students=["Maria Papadaki", "Jan Kowalski"])


def some(plan: Plan, *items: int, refused: set[int] | None = None) -> Approval:
    waived = frozenset({EVERYTHING}) if refused else frozenset[str]()
    return Approval(plan.fingerprint, "anna", waived=waived, items=frozenset(items), refused=frozenset(refused or ()))


def test_of_a_first_run_one_pupil_can_be_let_in_alone_with_all_that_needs():
    plan = Tenant().plan(a_class())
    (maria,) = plan.changes.filter(pl.col("kind") == int(Kind.ADD_MEMBER), pl.col("object") == 2)["seq"]

    assert going(plan, some(plan, maria)) == [
        "CREATE_USER 1",
        "CREATE_USER 2",
        "LICENSE_USER 1",
        "CREATE_CLASS 10001",
        "ADD_OWNER 10001 1",
        "ADD_MEMBER 10001 1",
        "ADD_MEMBER 10001 2",
    ]


def test_whoever_refuses_the_only_teacher_refuses_the_class():
    plan = Tenant().plan(a_class())

    left = going(plan, some(plan, refused=seqs(plan, Kind.CREATE_USER, 1)))

    assert left == ["CREATE_USER 2", "CREATE_USER 3", "LICENSE_USER 2", "LICENSE_USER 3"]


def test_without_a_licence_for_its_owner_no_team_is_made():
    plan = Tenant().plan(a_class())

    left = going(plan, some(plan, refused=seqs(plan, Kind.LICENSE_USER, 1)))

    assert not [line for line in left if "10001" in line]


def test_the_old_teacher_stays_until_the_new_one_may_come():
    school, tenant = a_class().klass("7A Art", teachers=["Nikos Vasilakis"]), Tenant()
    tenant.apply(tenant.plan(school))
    school.drops("Nikos Vasilakis", "7A Maths").klass("7A Maths", teachers=["Eleni Roussou"])
    plan = tenant.plan(school)
    held = holding(plan, seqs(plan, Kind.CREATE_USER, 4))

    assert told(plan) == [
        "CREATE_USER 4",
        "LICENSE_USER 4",
        "ADD_OWNER 10001 4",
        "ADD_MEMBER 10001 4",
        "REMOVE_OWNER 10001 1",
        "REMOVE_MEMBER 10001 1",
    ]
    assert going(held) == []
    assert going(held, some(held, *seqs(plan, Kind.REMOVE_OWNER, 10001))) == told(plan)
