"""What is linked at first sight and what a person has to look at, told as small school stories (product.md section 5)."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.world import School, Tenant, told

from rollbook.plan.changes import Cause, ChangeVerdict, Kind, Plan
from rollbook.plan.match import TO_REVIEW
from rollbook.plan.sentences import REASONS, WHY
from rollbook.profiles import Profile, parse, suggested


def matched_by(word: str, teams: str = "external_id") -> Profile:
    """The suggested profile with another match property."""
    document = suggested().model_dump(mode="json")
    document["users"]["match"], document["teams"]["match"] = word, teams
    return parse(document)


def a_pupil(**columns: object) -> School:
    """Maria, the only pupil, with the link 1."""
    school = School()
    school.person("Maria Papadaki", "student", **columns)
    return school


def review(plan: Plan) -> dict[int, tuple[Cause, list[dict[str, object]]]]:
    """Cause and candidates of everybody who waits for a match, by link."""
    details = dict(plan.details.select("seq", "before").iter_rows())
    linking = [int(Kind.LINK_USER), int(Kind.LINK_GROUP)]
    rows = plan.changes.filter(
        pl.col("kind").is_in(linking) & (pl.col("verdict") == int(ChangeVerdict.WAITS))
    ).iter_rows(named=True)
    return {
        row["subject"]: (Cause(row["cause"]), (json.loads(details[row["seq"]])["candidates"] or [])) for row in rows
    }


def why(plan: Plan, link: int = 1) -> list[tuple[str, list[str]]]:
    """Candidates as (object id, words)."""
    return [(str(c["object_id"]), c["why"]) for c in review(plan)[link][1]]  # type: ignore[misc]


def decided(tenant: Tenant, *rows: tuple[int, str, str]) -> Tenant:
    """The tenant with decisions (link, decision, object id)."""
    tenant.decisions = list(rows)
    return tenant


def test_one_account_with_the_sis_number_is_linked_and_shown_by_name():
    tenant = Tenant()
    tenant.account("old@school.example", employee_id="S1", display_name="Maria P.")

    plan = tenant.plan(a_pupil())
    assert told(plan)[0] == "LINK_USER 1"
    assert json.loads(plan.details["after"][0]) == {
        "object_id": "object-1",
        "adopted": True,
        "name": "old@school.example",
        "display_name": "Maria P.",
    }


def test_several_accounts_wait_with_all_of_them_as_candidates():
    tenant = Tenant()
    tenant.account("b@school.example", employee_id="S1")
    tenant.account("a@school.example", employee_id="s1", display_name="Another")

    plan = tenant.plan(a_pupil())
    assert told(plan) == ["waits LINK_USER 1"]
    cause, candidates = review(plan)[1]
    assert cause is Cause.AMBIGUOUS_MATCH
    assert candidates == [
        {"object_id": "object-2", "name": "a@school.example", "display_name": "Another", "why": ["sis_number"]},
        {"object_id": "object-1", "name": "b@school.example", "display_name": None, "why": ["sis_number"]},
    ]


def test_one_account_for_two_people_waits_for_both():
    school, tenant = a_pupil(), Tenant()
    school.person("Jan Kowalski", "student", sis_number="S1")
    tenant.account("old@school.example", employee_id="S1")

    plan = tenant.plan(school)
    assert {link: cause for link, (cause, _) in review(plan).items()} == dict.fromkeys((1, 2), Cause.AMBIGUOUS_MATCH)
    assert why(plan) == [("object-1", ["sis_number", "several"])]


def test_an_account_that_somebody_else_has_waits_and_says_so():
    school, tenant = a_pupil(), Tenant()
    tenant.links[2] = {"object_id": tenant.account("old@school.example", employee_id="S1"), "adopted": True}

    assert review(tenant.plan(school))[1][0] is Cause.MATCH_TAKEN
    assert why(tenant.plan(school)) == [("object-1", ["sis_number", "taken"])]


def test_a_guest_is_never_matched_by_any_property():
    for by, columns in (
        ("sis_number", {}),
        ("username", {"username": "old"}),
        ("email", {"email": "old@school.example"}),
    ):
        tenant = Tenant()
        tenant.account("old@school.example", employee_id="S1", guest=True)

        assert told(tenant.plan(a_pupil(**columns), profile=matched_by(by)))[0] == "CREATE_USER 1"


MAILBOX = {"account_enabled": False, "mail": "office@school.example", "licences": []}


@pytest.mark.parametrize(
    ("by", "columns", "waits"),
    [
        ("email", {"email": "office@school.example"}, True),
        ("username", {"username": "maria.papadaki"}, True),
        ("sis_number", {}, False),
    ],
)
def test_what_looks_like_a_shared_mailbox_is_linked_only_by_a_number_an_administrator_set(by, columns, waits):
    tenant = Tenant()
    tenant.account("office@school.example", employee_id="S1", **MAILBOX)
    if by == "username":
        tenant.users[0]["user_principal_name"] = "maria.papadaki@school.example"

    plan = tenant.plan(a_pupil(**columns), profile=matched_by(by))
    assert (told(plan)[0] == "waits LINK_USER 1") is waits
    if waits:
        assert review(plan)[1][0] is Cause.SHARED_MAILBOX
        assert why(plan) == [("object-1", [by, "shared"])]


@pytest.mark.parametrize("living", [{"account_enabled": True}, {"licences": ["sku"]}, {"mail": None}])
def test_a_disabled_account_is_no_shared_mailbox_for_that_alone(living):
    tenant = Tenant()
    tenant.account("office@school.example", **(MAILBOX | living))

    plan = tenant.plan(a_pupil(email="office@school.example"), profile=matched_by("email"))
    assert told(plan)[0] == "LINK_USER 1"


def test_an_account_in_a_restricted_unit_waits_whatever_found_it():
    tenant = Tenant()
    tenant.account("old@school.example", employee_id="S1", restricted=True)

    plan = tenant.plan(a_pupil())
    assert review(plan)[1][0] is Cause.RESTRICTED_UNIT
    assert why(plan) == [("object-1", ["sis_number", "restricted"])]


@pytest.mark.parametrize(("by", "waits"), [("email", True), ("sis_number", False), ("username", False)])
def test_a_protected_account_is_linked_by_itself_unless_the_owner_can_change_what_found_it(by, waits):
    tenant = Tenant()
    tenant.account("maria.papadaki@school.example", employee_id="S1", protected=True)
    school = a_pupil(email="maria.papadaki@school.example")

    plan = tenant.plan(school, profile=matched_by(by))
    assert (told(plan)[0] == "waits LINK_USER 1") is waits
    if waits:
        assert review(plan)[1][0] is Cause.PROTECTED_MATCH


def test_staff_found_by_email_waits_with_the_account_that_was_found():
    school, tenant = School(), Tenant()
    school.person("Nikos Vasilakis", "teacher", email="nikos@school.example")
    tenant.account("nikos@school.example")

    plan = tenant.plan(school, profile=matched_by("email"))
    assert review(plan)[1][0] is Cause.STAFF_BY_EMAIL
    assert why(plan) == [("object-1", ["email"])]


def test_a_refused_pair_waits_and_neither_comes_back_nor_gets_a_second_account():
    tenant = Tenant()
    tenant.account("old@school.example", employee_id="S1")
    decided(tenant, (1, "refused", "object-1"))

    plan = tenant.plan(a_pupil())
    assert told(plan) == ["waits LINK_USER 1"]
    assert review(plan)[1][0] is Cause.LINK_UNDONE
    assert why(plan) == [("object-1", ["sis_number", "undone"])]


def test_whoever_has_a_refused_pair_waits_also_when_another_account_matches_or_the_refused_one_is_gone():
    tenant = decided(Tenant(), (1, "refused", "object-9"))
    tenant.account("other@school.example", employee_id="S1")

    plan = tenant.plan(a_pupil())
    assert review(plan)[1][0] is Cause.LINK_UNDONE
    assert why(plan) == [("object-1", ["sis_number"])]


def test_a_refused_account_that_carries_the_mark_of_the_link_is_not_linked_again_either():
    tenant = decided(Tenant(), (1, "refused", "object-1"))
    tenant.account("old@school.example", mark="mark-1")

    assert told(tenant.plan(a_pupil())) == ["waits LINK_USER 1"]


def test_an_account_refused_for_one_person_is_free_for_another():
    school, tenant = a_pupil(), decided(Tenant(), (1, "refused", "object-1"))
    school.person("Maria Papadaki the other", "student", sis_number="S1")
    tenant.account("old@school.example", employee_id="S1")

    assert told(tenant.plan(school))[:2] == ["waits LINK_USER 1", "LINK_USER 2"]


def test_whoever_is_to_get_a_new_account_gets_one_whatever_matches():
    tenant = Tenant()
    tenant.account("a@school.example", employee_id="S1")
    tenant.account("b@school.example", employee_id="S1")

    plan = decided(tenant, (1, "refused", "object-1"), (1, "new", "")).plan(a_pupil())
    assert told(plan)[0] == "CREATE_USER 1"
    assert not review(plan)


def test_whoever_is_to_have_no_account_waits_without_one():
    tenant = Tenant()
    tenant.account("old@school.example", employee_id="S1")

    plan = decided(tenant, (1, "nobody", "")).plan(a_pupil())
    assert told(plan) == ["waits LINK_USER 1"]
    assert review(plan)[1] == (Cause.NOBODY, [])


def test_a_decision_about_somebody_who_is_linked_counts_no_more():
    tenant = Tenant()
    tenant.apply(tenant.plan(a_pupil()))

    assert told(decided(tenant, (1, "nobody", ""), (1, "refused", "object-1")).plan(a_pupil())) == []


def test_a_mark_that_the_sis_number_contradicts_is_looked_at():
    school, tenant = a_pupil(), Tenant()
    school.person("Jan Kowalski", "student")
    tenant.account("jan@school.example", mark="mark-1", employee_id="S2")

    plan = tenant.plan(school)
    assert {link: cause for link, (cause, _) in review(plan).items()} == {
        1: Cause.AMBIGUOUS_MATCH,
        2: Cause.MATCH_TAKEN,
    }
    assert why(plan, 1)[0][0] == why(plan, 2)[0][0] == "object-1"


def test_a_class_whose_link_was_undone_waits_like_a_person():
    school, tenant = School().klass("7A Maths", teachers=["Nikos Vasilakis"]), Tenant()
    tenant.apply(tenant.plan(school))
    group = tenant.links.pop(10_001)["object_id"]
    tenant.memberships.clear()

    plan = decided(tenant, (10_001, "refused", group)).plan(school)
    assert told(plan) == ["waits LINK_GROUP 10001"]
    assert why(plan, 10_001) == [(group, ["external_id", "undone", "marked"])]


def test_no_more_than_twenty_candidates_are_kept():
    tenant = Tenant()
    for number in range(30):
        tenant.account(f"a{number:02}@school.example", employee_id="S1")

    assert len(why(tenant.plan(a_pupil()))) == 20


def test_every_cause_of_the_review_and_every_word_of_a_candidate_has_a_sentence():
    assert all(REASONS[cause].startswith("waits: ") for cause in (*TO_REVIEW, Cause.NOBODY))
    assert {"sis_number", "username", "email", "external_id"} <= WHY.keys()


ACCOUNTS = st.lists(
    st.fixed_dictionaries(
        {
            "employee_id": st.sampled_from(["S1", "S2", "S3", None]),
            "guest": st.booleans(),
            "protected": st.booleans(),
            "restricted": st.booleans(),
            "account_enabled": st.booleans(),
            "mark": st.sampled_from(["mark-1", "mark-2", "strange", None]),
        }
    ),
    max_size=5,
)
DECISIONS = st.lists(
    st.tuples(
        st.integers(1, 3), st.sampled_from(["refused", "new", "nobody"]), st.sampled_from(["object-1", "object-2"])
    ),
    max_size=4,
)


@given(ACCOUNTS, DECISIONS)
@settings(max_examples=examples(30), deadline=None)
def test_nothing_is_linked_twice_refused_or_against_a_decision_and_nobody_gets_both(accounts, rows):
    school = School()
    for name in ("Maria A", "Jan B", "Nikos C"):
        school.person(name, "student")
    tenant = decided(Tenant(), *rows)
    for number, columns in enumerate(accounts):
        tenant.account(f"a{number}@school.example", **columns)

    plan = tenant.plan(school)
    found = {
        (row["subject"], json.loads(after)["object_id"])
        for row, after in zip(
            plan.changes.join(plan.details, on="seq", how="left").iter_rows(named=True),
            plan.changes.join(plan.details, on="seq", how="left")["after"],
            strict=True,
        )
        if row["kind"] == Kind.LINK_USER and row["verdict"] == ChangeVerdict.PLANNED
    }
    lines = told(plan)
    assert len({link for link, _ in found}) == len({key for _, key in found}) == len(found)
    assert not found & {(link, key) for link, decision, key in rows if decision == "refused"}
    for link in (1, 2, 3):
        ways = [
            line for line in lines if line in (f"LINK_USER {link}", f"CREATE_USER {link}", f"waits LINK_USER {link}")
        ]
        assert len(ways) == 1
        if any(row[:2] == (link, "nobody") for row in rows):
            assert ways == [f"waits LINK_USER {link}"]
