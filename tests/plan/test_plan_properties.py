"""What holds of every plan, whatever the school and the tenant look like."""

from __future__ import annotations

import json
import random

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.world import School, Tenant, told

from rollbook.plan.changes import ChangeVerdict
from rollbook.plan.naming import pick

FIRST = ["Maria", "Jan", "Nikos", "Άννα", "Zoë", "李"]
FAMILY = ["Papadaki", "Kowalski", "Ng", "Müller", "مراد"]
NAMES = st.tuples(st.sampled_from(FIRST), st.sampled_from(FAMILY)).map(" ".join)
CLASSES = st.lists(
    st.tuples(st.sampled_from(["7A Maths", "7A Art", "8B Maths"]), st.booleans(), NAMES), min_size=1, max_size=14
)


def school_of(rows: list[tuple[str, bool, str]]) -> School:
    """A school from (class, teaches?, name); a name that occurs again is the same person."""
    school = School()
    for title, teaches, name in dict.fromkeys(rows):
        if teaches:
            school.klass(title, teachers=[f"{name} T"])
        else:
            school.klass(title, students=[name])
    return school


@given(CLASSES, CLASSES)
@settings(max_examples=examples(16), deadline=None)
def test_a_plan_after_applying_the_plan_is_empty_also_after_the_school_changed(before, after):
    tenant = Tenant()
    school = school_of(before)
    tenant.apply(tenant.plan(school))
    assert tenant.plan(school).counts["changes"] == 0

    changed = school_of(before + after)
    tenant.apply(tenant.plan(changed))
    assert tenant.plan(changed).counts["changes"] == 0


@given(CLASSES, st.integers(0, 5))
@settings(max_examples=examples(12), deadline=None)
def test_the_order_of_rows_does_not_matter(rows, seed):
    school, shuffled = school_of(rows), school_of(rows)
    for part in (shuffled.enrolments, shuffled.teachings, shuffled.types):
        random.Random(seed).shuffle(part)

    assert Tenant().plan(school).fingerprint == Tenant().plan(shuffled).fingerprint


@given(CLASSES, st.lists(st.sampled_from(["maria.papadaki", "jan.kowalski2", "Jan.Kowalski"]), max_size=3, unique=True))
@settings(max_examples=examples(12), deadline=None)
def test_no_two_accounts_share_a_name_and_strangers_are_never_touched(rows, strangers):
    tenant = Tenant()
    for name in strangers:
        tenant.account(f"{name}@school.example")
    untouched = json.dumps(tenant.users)

    tenant.apply(tenant.plan(school_of(rows)))

    names = [user["user_principal_name"].lower() for user in tenant.users]
    assert len(names) == len(set(names))
    assert json.dumps(tenant.users[: len(strangers)]) == untouched


@given(CLASSES)
@settings(max_examples=examples(12), deadline=None)
def test_no_team_is_made_without_an_owner_in_the_same_plan(rows):
    lines = told(Tenant().plan(school_of(rows)))

    made = {line.split()[1] for line in lines if line.startswith("CREATE_TEAM")}
    owned = {line.split()[1] for line in lines if line.startswith("ADD_OWNER")}
    assert made == owned


@given(CLASSES)
@settings(max_examples=examples(12), deadline=None)
def test_every_need_comes_before_what_needs_it(rows):
    changes = Tenant().plan(school_of(rows)).changes

    for column in ("needs_subject", "needs_object"):
        assert changes.filter(pl.col(column) >= pl.col("seq")).is_empty()
    assert changes.filter(pl.col("verdict") > int(ChangeVerdict.WAITS)).is_empty()


@given(
    st.lists(st.sampled_from(["a", "b", "a2", "b3"]), max_size=12),
    st.lists(st.sampled_from(["a@x", "a2@x", "b@x", "a3@x"]), unique=True),
)
@settings(max_examples=examples(100), deadline=None)
def test_picked_names_are_free_and_all_different(bases, taken):
    candidates = pl.DataFrame({"link": range(len(bases)), "base": bases}, schema={"link": pl.Int64, "base": pl.String})

    names = pick(candidates.with_columns(tail=pl.lit("@x")), pl.Series(taken, dtype=pl.String), "tail")[
        "name"
    ].to_list()

    assert len(names) == len(bases) == len(set(names))
    assert not set(names) & set(taken)
