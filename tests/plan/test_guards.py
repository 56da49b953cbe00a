"""Every guard with its two thresholds, who may agree, and what it holds; and the two that look at what was read."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from tests.world import School, Tenant, told

from rollbook.apply.approval import EVERYTHING, Approval, Role, approve, cleared, needed_role, needs_person
from rollbook.cli.listing import VERDICTS
from rollbook.errors import ApprovalDue
from rollbook.plan.changes import CHANGES, ChangeVerdict, Kind, Plan
from rollbook.plan.context import SEEN_ACCOUNTS, SEEN_GROUPS, Guarding
from rollbook.plan.declines import keyed
from rollbook.plan.guards import GROUP, MOVED, REGISTER, TENANT, Evidence, judge
from rollbook.plan.sentences import HOLDS, OBJECTIONS, objection_sentence
from rollbook.profiles import Guards, parse

SIZES = pl.DataFrame(schema={"team": pl.Int64, "members": pl.Int64})


def changes(kind: Kind, count: int) -> pl.DataFrame:
    """So many planned changes of a kind, each about another subject."""
    rows = [{"seq": n, "kind": int(kind), "subject": n, "cause": 5, "verdict": 0} for n in range(1, count + 1)]
    return pl.DataFrame(rows, schema=pl.Schema(CHANGES))


def evidence(managed: int, **more: object) -> Evidence:
    return Evidence({"users": managed, "memberships": managed, "teams": managed}, SIZES, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "code", "count", "percent"),
    [
        (Kind.DISABLE_USER, "accounts-disabled", 10, 2),
        (Kind.UNLICENSE_USER, "accounts-unlicensed", 10, 2),
        (Kind.LEAVE_LICENCE_GROUP, "accounts-unlicensed", 10, 2),
        (Kind.RENAME_USER, "accounts-renamed", 20, 5),
        (Kind.CREATE_USER, "accounts-created", 200, 20),
        (Kind.REMOVE_MEMBER, "members-removed", 100, 5),
        (Kind.ARCHIVE_TEAM, "teams-archived", 5, 2),
    ],
)
def test_each_guard_asks_a_person_beyond_its_share_and_an_administrator_beyond_its_number(kind, code, count, percent):
    many, few = 1_000_000, 100 * count // percent // 2
    share = few * percent // 100

    def found(of: int, managed: int) -> list[tuple[str, bool]]:
        judged = judge(changes(kind, of), evidence(managed), Guards())
        assert judged.held.height == (of if judged.objections else 0)
        return [(each.code, each.administrator) for each in judged.objections if each.code != "teams-emptied"]

    assert found(count, many) == []
    assert found(count + 1, many) == [(code, True)]
    assert found(max(1, share), few) == []
    assert found(max(2, share + 1), few) == [(code, False)]
    assert found(1, 1) == []


def test_a_guard_says_which_limit_was_passed_and_who_has_to_agree_because_of_it():
    def said(of: int, managed: int) -> str:
        (objection,) = judge(changes(Kind.DISABLE_USER, of), evidence(managed), Guards()).objections
        return objection_sentence(objection)

    assert said(3, 60) == (
        "3 accounts would be disabled, of 60 managed: more than 2 %, so an operator has to agree (beyond 10, "
        "an institute administrator)."
    )
    assert said(11, 2_000) == (
        "11 accounts would be disabled, of 2,000 managed: more than 10, so an institute administrator has to agree."
    )


def test_the_numbers_are_settings_of_the_profile():
    strict = parse({"guards": {"accounts_disabled": {"count": 1, "percent": 0.5}}}).guards

    assert [each.limit for each in judge(changes(Kind.DISABLE_USER, 2), evidence(1_000_000), strict).objections] == [1]
    assert not judge(changes(Kind.RENAME_USER, 20), evidence(1_000_000), strict).objections


def test_percent_counts_all_that_is_managed_also_where_only_a_part_was_looked_at():
    school, tenant = a_class(), Tenant()
    tenant.apply(tenant.plan(school))
    for number in (1, 2):
        school.leaves(f"Pupil {number}")

    assert needs_person(tenant.plan(school)) == ["accounts-disabled", "members-removed"]
    tenant.guarding = Guarding(managed={"users": 1_000, "memberships": 1_000}, whole=False)
    assert needs_person(tenant.plan(school)) == []


def a_class(pupils: int = 12) -> School:
    names = [f"Pupil {n}" for n in range(1, pupils + 1)]
    return School().klass("7A Maths", teachers=["Nikos Vasilakis"], students=names)


def test_what_did_not_trip_goes_ahead_and_the_rest_waits_for_somebody_who_may():
    school, tenant = a_class(), Tenant()
    tenant.apply(tenant.plan(school))
    for number in range(1, 12):
        school.leaves(f"Pupil {number}")
    plan = tenant.plan(school.klass("7A Art", teachers=["Nikos Vasilakis"], students=["Pupil 12"]))

    going = cleared(plan, []).going
    ahead = told(replace(plan, changes=plan.changes.filter(pl.col("seq").is_in(going.implode()))))
    assert ahead[0] == "CREATE_CLASS 10002"
    assert not [line for line in ahead if line.startswith(("DISABLE", "REMOVE"))]
    # Eleven are more than ten: an operator may not.
    assert needed_role(plan) == Role.INSTITUTE_ADMIN
    with pytest.raises(ApprovalDue, match="beyond what an operator may approve: accounts-disabled \\(11\\)"):
        approve(plan, Approval(plan.fingerprint, "ole", role=Role.OPERATOR))
    with pytest.raises(ApprovalDue, match="beyond what a viewer may approve"):
        approve(plan, Approval(plan.fingerprint, "vera", role=Role.VIEWER))
    assert approve(plan, Approval(plan.fingerprint, "anna", role=Role.INSTITUTE_ADMIN)).actor == "anna"
    waived = Approval(plan.fingerprint, "anna", waived=frozenset({"accounts-disabled"}))
    left = cleared(plan, [waived]).waiting
    assert set(left["code"]) == {"members-removed", "teams-emptied"}


def test_a_register_that_shrank_holds_whatever_somebody_would_lose():
    school, tenant = a_class(), Tenant()
    tenant.apply(tenant.plan(school))
    school.leaves("Pupil 1").klass("7A Art", teachers=["Nikos Vasilakis"])
    tenant.guarding = Guarding(register={"people": 800, "classes": 50}, applied={"people": 1_000, "classes": 50})

    plan = tenant.plan(school)

    assert needs_person(plan) == [REGISTER]
    assert cleared(plan, []).waiting.height == 2
    assert objection_sentence(plan.objections[0]) == (
        "200 of 1,000 people are in the register no more; nobody loses anything because of it until an institute administrator "
        "agrees."
    )
    assert needed_role(plan) == Role.INSTITUTE_ADMIN


@pytest.mark.parametrize(("now", "asked"), [(1_000, False), (901, False), (899, True), (0, True)])
def test_a_register_is_far_smaller_beyond_a_tenth(now, asked):
    found = judge(
        changes(Kind.DISABLE_USER, 1), evidence(10, register={"people": now}, applied={"people": 1_000}), Guards()
    )

    assert [each.code for each in found.objections] == ([REGISTER] if asked else [])


def seen(tenant: Tenant) -> Guarding:
    """The tenant as it is, remembered."""
    people = [(link, each["object_id"]) for link, each in tenant.links.items() if link < 10_000]
    sizes = [
        (link, sum(row["team"] == link for row in tenant.memberships), True) for link in tenant.links if link >= 10_000
    ]
    return Guarding(
        accounts=pl.DataFrame(people, schema=pl.Schema(SEEN_ACCOUNTS), orient="row"),
        groups=pl.DataFrame(sizes, schema=pl.Schema(SEEN_GROUPS), orient="row"),
    )


def test_a_reading_without_many_accounts_lets_nothing_be_made_or_taken_away_even_if_all_is_approved():
    school, tenant = a_class(), Tenant()
    tenant.apply(tenant.plan(school))
    tenant.guarding = seen(tenant)
    school.leaves("Pupil 12").klass("7A Art", teachers=["Nikos Vasilakis"], students=["Pupil New"])
    lost = {tenant.links[link]["object_id"] for link in range(2, 7)}
    tenant.users = [user for user in tenant.users if user["object_id"] not in lost]

    plan = tenant.plan(school)

    assert TENANT in needs_person(plan)
    everything = Approval(plan.fingerprint, "anna", waived=frozenset({EVERYTHING}))
    left = plan.changes.filter(pl.col("seq").is_in(cleared(plan, [everything]).going.implode()))
    assert not set(left["kind"]) & {Kind.CREATE_USER, Kind.CREATE_CLASS, Kind.DISABLE_USER, Kind.REMOVE_MEMBER}
    looked = Approval(plan.fingerprint, "anna", waived=frozenset({TENANT}))
    assert cleared(plan, [everything, looked]).waiting.is_empty()
    with pytest.raises(ApprovalDue, match="tenant-shrank"):
        approve(plan, replace(looked, role=Role.OPERATOR))


def test_an_account_somebody_deleted_is_no_reading_that_shrank():
    school, tenant = a_class(), Tenant()
    tenant.apply(tenant.plan(school))
    tenant.guarding = seen(tenant)
    tenant.users = tenant.users[:-1]

    assert TENANT not in [each.code for each in tenant.plan(school).objections]


def test_a_group_that_reads_as_empty_is_not_filled_again_by_itself():
    school, tenant = a_class(), Tenant()
    tenant.apply(tenant.plan(school))
    tenant.guarding = seen(tenant)
    tenant.memberships = [row for row in tenant.memberships if row["relation"]]

    plan = tenant.plan(school)

    assert needs_person(plan) == [GROUP]
    assert cleared(plan, []).going.is_empty()


def test_classes_that_got_other_ids_are_asked_about():
    school, tenant = School(), Tenant()
    for number in range(1, 4):
        school.klass(f"{number}A", teachers=["Nikos Vasilakis"], students=[f"Pupil {number}"])
    tenant.apply(tenant.plan(school))
    tenant.guarding = seen(tenant)
    moved = School()
    moved.people, moved.types = school.people, school.types
    moved.classes = dict(school.classes)
    for number in range(1, 4):
        moved.klass(f"{number}A again", teachers=["Nikos Vasilakis"], students=[f"Pupil {number}"])

    plan = tenant.plan(moved)

    assert MOVED in needs_person(plan)
    held = set(plan.held.filter(pl.col("code") == MOVED)["seq"])
    assert set(plan.changes.filter(pl.col("kind") == int(Kind.CREATE_CLASS))["seq"]) <= held


def planned(plan: Plan) -> list[str]:
    return told(replace(plan, changes=plan.changes.filter(pl.col("verdict") == int(ChangeVerdict.PLANNED))))


def test_what_was_refused_is_not_asked_again_until_its_cause_changes():
    school, tenant = a_class(), Tenant()
    tenant.apply(tenant.plan(school))
    plan = tenant.plan(school.leaves("Pupil 1"))
    disabling = plan.changes.filter(pl.col("kind") == int(Kind.DISABLE_USER))
    tenant.guarding = Guarding(declined=keyed(disabling, plan.details).drop("seq"))

    again = tenant.plan(school)
    assert planned(again) == ["REMOVE_MEMBER 10001 2"]
    assert again.counts["changes"] == 1

    # Back, and gone again on another day: another cause.
    school.people["Pupil 1"]["active"] = True
    tenant.plan(school)
    school.leaves("Pupil 1")
    later = tenant.plan(school, as_of=plan.as_of.replace(day=20))
    assert planned(later) == ["DISABLE_USER 2", "REMOVE_MEMBER 10001 2"]


def test_every_objection_and_every_verdict_has_its_sentence():
    assert set(VERDICTS) == {verdict.name.lower() for verdict in ChangeVerdict}
    assert set(OBJECTIONS) - {"passwords-set", "teams-unarchived", "run-undone"} <= set(HOLDS)
