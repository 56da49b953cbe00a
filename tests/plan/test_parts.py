"""Scoped synchronizations: each person once, one after the other, leaves nothing that a look at everything would do."""

from __future__ import annotations

import polars as pl
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.plan.parts import Look
from tests.plan.test_plan_properties import CLASSES, school_of
from tests.plan.test_profiles_and_tenants import ACCOUNTS, FACTS, PLENTY, profiles, tenant_of
from tests.profiles.making import profile_with
from tests.world import AUTUMN, told

from rollbook.plan.changes import ChangeVerdict

LEVELS = st.lists(st.sampled_from(["academic_period", "group", "subject"]), unique=True)


@st.composite
def structured(draw):
    """A profile with teams of any mode and groups of the structure."""
    kind = draw(st.sampled_from(["security", "unified"]))
    hierarchy = {
        "levels": {level: {} for level in draw(LEVELS)},
        "group_type": kind,
        "owners": ["p1"] if kind == "unified" else [],
    }
    return profile_with(
        draw(profiles()),
        teams__create=draw(st.sampled_from(["nothing", "group", "subject", "group_subject"])),
        hierarchies__general=hierarchy,
    )


def planned(plan) -> list[str]:
    return told(plan) if plan.changes.filter(pl.col("verdict") == int(ChangeVerdict.PLANNED)).height else []


def left_to_do(look: Look) -> list[str]:
    plan = look.tenant.plan(look.school, AUTUMN, look.profile, FACTS, PLENTY)
    return [line for line in planned(plan) if not line.startswith("waits")]


@given(CLASSES, CLASSES, structured(), ACCOUNTS, st.data())
@settings(
    max_examples=examples(12),
    deadline=None,
    **__import__("json").loads("{}"),
    phases=[Phase.explicit, Phase.reuse, Phase.generate] if __import__("os").environ.get("NOSHRINK") else list(Phase),
)
def test_each_person_once_leaves_nothing_to_do_for_everybody(before, after, profile, accounts, data):
    tenant = tenant_of(accounts)
    school = school_of(before)
    if data.draw(st.booleans(), label="synchronized before"):
        for _ in range(2):
            tenant.apply(tenant.plan(school, AUTUMN, profile, FACTS, PLENTY))
    school = school_of(before + after)
    names = sorted(school.people)
    for name in data.draw(st.lists(st.sampled_from(names), max_size=2, unique=True), label="leaves"):
        school.leaves(name)
    for name in data.draw(st.lists(st.sampled_from(names), max_size=2, unique=True), label="drops"):
        for title in school.classes:
            school.drops(name, title)
    look = Look(tenant, school, profile, FACTS, PLENTY)

    # Microsoft licenses members of a group minutes later, so that whoever waited for it has another turn.
    for _ in range(2 if profile.users.licences_by_group else 1):
        for name in data.draw(st.permutations(names), label="order"):
            done = look.carry_out([school.people[name]["person"]])
            print("DID", name, school.people[name]["person"], look.part is None, told(done))

    print(
        "ACC",
        accounts,
        profile.users.match,
        profile.scope.people,
        profile.left_out,
        profile.teams.create,
        profile.hierarchies.general.levels.keys(),
        profile.hierarchies.general.group_type,
        profile.users.actions,
        profile.users.without_enrolments,
    )
    assert left_to_do(look) == []
