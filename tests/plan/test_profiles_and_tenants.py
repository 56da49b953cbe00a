"""What holds whatever the school, the profile and the tenant look like."""

from __future__ import annotations

import copy
import datetime as dt
import random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.plan.test_plan_properties import CLASSES, school_of
from tests.profiles.making import profile_with
from tests.world import AUTUMN, STUDENT_SKU, Tenant, told

from rollbook.desired import TenantFacts
from rollbook.plan.changes import ChangeVerdict, Kind

FACTS = TenantFacts(
    "school.example",
    frozenset({"school.example", "pupils.example"}),
    "GR",
    {"STANDARDWOFFPACK_STUDENT": STUDENT_SKU, "STANDARDWOFFPACK_FACULTY": "sku-staff", "PREMIUM": "sku-premium"},
    {STUDENT_SKU: {"YAMMER": "plan-yammer"}},
)
SEATS = [("sku-premium", 3)]
PLENTY = [("sku-premium", 99)]
TYPES = ("teacher", "employee", "student", "parent")
GRID = st.fixed_dictionaries(dict.fromkeys(("create", "update", "deactivate", "sso"), st.booleans()))
LICENCES = st.lists(
    st.sampled_from(
        [
            {"sku": "STANDARDWOFFPACK_STUDENT", "plans_off": ["YAMMER"]},
            {"sku": "STANDARDWOFFPACK_FACULTY"},
            {"sku": "PREMIUM", "plans_off": []},
        ]
    ),
    max_size=3,
    unique_by=lambda entry: entry["sku"],
)


@st.composite
def profiles(draw):
    by_group = draw(st.booleans())
    choice = "every" if by_group else draw(st.sampled_from(["every", "first_with_seats"]))
    roles = {
        kind: {
            "licences": draw(LICENCES),
            "licence_choice": choice,
            "domain": draw(st.sampled_from([None, "pupils.example"])),
        }
        for kind in TYPES
    }
    names = st.sampled_from(["given.family", "g.family", "{{ called_last }}", "sis_number", "username"])
    return profile_with(
        users__actions={kind: draw(GRID) for kind in TYPES},
        users__roles=roles,
        users__licences_by_group=by_group,
        users__precedence=draw(st.permutations(TYPES)),
        users__match=draw(st.sampled_from(["sis_number", "username", "email", "nothing"])),
        users__names={
            "candidates": draw(st.lists(names, min_size=1, max_size=3)),
            "rename_on_change": draw(st.booleans()),
            "longest": draw(st.sampled_from([6, 56])),
        },
        users__leaving={
            "disable_days": draw(st.sampled_from([0, 5])),
            "unlicense": draw(st.booleans()),
            "unlicense_days": 0,
        },
        users__without_enrolments=draw(st.booleans()),
        users__mappings__account_enabled={"value": draw(st.sampled_from(["active", "active_and_has_enrolments"]))},
        enrolments__keep_previous=draw(st.booleans()),
        left_out={"people": draw(st.lists(st.sampled_from(["p1", "p2"]), max_size=1)), "classes": []},
        scope={"people": draw(st.lists(st.sampled_from(["p1", "p2", "p3"]), max_size=2, unique=True))},
    )


ACCOUNTS = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(
                ["maria.papadaki@school.example", "ng@pupils.example", "s1@school.example", "x@school.example"]
            ),
            "employee_id": st.sampled_from([None, "S1", "S2", "S3"]),
            "account_enabled": st.booleans(),
            "guest": st.booleans(),
            "protected": st.booleans(),
            "on_premises": st.booleans(),
            "deleted": st.booleans(),
            "mark": st.sampled_from([None, "mark-1", "mark-2", "somebody-elses"]),
            "licences": st.sampled_from([[], [STUDENT_SKU], ["sku-other"]]),
            "display_name": st.just("As it was"),
        }
    ),
    max_size=4,
    unique_by=lambda account: account["name"],
)


def tenant_of(accounts) -> Tenant:
    tenant = Tenant()
    for account in accounts:
        tenant.account(**account)
    return tenant


def settled(tenant, school, profile, day=AUTUMN):
    """The tenant after as many synchronizations as a graceful change needs: two."""
    for _ in range(2):
        tenant.apply(tenant.plan(school, day, profile, FACTS, SEATS))
    return tenant


@given(CLASSES, CLASSES, profiles(), profiles(), ACCOUNTS)
@settings(max_examples=examples(12), deadline=None)
def test_a_second_plan_is_empty_whatever_the_school_the_profile_and_the_tenant(before, after, first, second, accounts):
    # Seats that one plan frees are given by the next: where they are short, it takes one more.
    tenant = tenant_of(accounts)
    for rows, profile in ((before, first), (before + after, first), (after, second)):
        school = school_of(rows)
        tenant.apply(tenant.plan(school, AUTUMN, profile, FACTS, PLENTY))
        if profile.users.licences_by_group:
            # Microsoft licenses members of a group minutes later; classes whose teachers waited for it follow then.
            tenant.apply(tenant.plan(school, AUTUMN, profile, FACTS, PLENTY))
        again = tenant.plan(school, AUTUMN, profile, FACTS, PLENTY)
        assert again.counts["changes"] == 0, told(again)


@given(CLASSES, profiles(), ACCOUNTS)
@settings(max_examples=examples(10), deadline=None)
def test_nothing_unowned_protected_or_unmatched_is_changed(rows, profile, accounts):
    tenant = tenant_of(accounts)
    before = copy.deepcopy(tenant.users)
    settled(tenant, school_of(rows), profile)

    owned = {link["object_id"] for link in tenant.links.values()}
    for was, now in zip(before, tenant.users, strict=False):
        untouchable = (
            was["protected"] or was["guest"] or was["mark"] == "somebody-elses" or was["object_id"] not in owned
        )
        if untouchable:
            assert now == was
        if was["on_premises"]:
            assert {**now, "licences": [], "plans_off": []} == {**was, "licences": [], "plans_off": []}


@given(CLASSES, profiles(), ACCOUNTS)
@settings(max_examples=examples(12), deadline=None)
def test_no_two_accounts_share_a_name_whatever_the_collisions(rows, profile, accounts):
    tenant = settled(tenant_of(accounts), school_of(rows), profile)

    names = [user["user_principal_name"].lower() for user in tenant.users if not user["deleted"]]
    assert len(names) == len(set(names))


@given(CLASSES, profiles(), ACCOUNTS, st.integers(0, 9))
@settings(max_examples=examples(12), deadline=None)
def test_the_order_of_rows_does_not_matter_for_any_profile_and_tenant(rows, profile, accounts, seed):
    school, shuffled = school_of(rows), school_of(rows)
    for part in (shuffled.enrolments, shuffled.teachings, shuffled.types):
        random.Random(seed).shuffle(part)
    one, other = (tenant_of(accounts).plan(each, AUTUMN, profile, FACTS, SEATS) for each in (school, shuffled))

    assert one.fingerprint == other.fingerprint


@given(CLASSES, profiles(), st.integers(0, 400))
@settings(max_examples=examples(12), deadline=None)
def test_nobody_is_ever_deleted_and_only_our_licences_are_taken_back(rows, profile, days):
    school = school_of(rows)
    tenant = settled(Tenant(), school, profile)
    for user in tenant.users:
        user["licences"] = [*user["licences"], "given-by-hand"]
    for name in school.people:
        school.leaves(name)
    count = len(tenant.users)

    plan = tenant.plan(school, AUTUMN + dt.timedelta(days=days), profile, FACTS, SEATS)
    tenant.apply(plan)

    assert len(tenant.users) == count
    assert all("given-by-hand" in user["licences"] for user in tenant.users)
    assert not {Kind.RESTORE_USER, Kind.CREATE_USER} & {
        Kind(kind)
        for kind, verdict in plan.changes.select("kind", "verdict").iter_rows()
        if verdict == ChangeVerdict.PLANNED
    }
