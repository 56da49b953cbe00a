"""Scoped synchronizations: each person once, one after the other, leaves nothing that a look at everything would do."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.plan.parts import Look
from tests.plan.test_plan_properties import CLASSES, school_of
from tests.plan.test_profiles_and_tenants import ACCOUNTS, FACTS, PLENTY, profiles, tenant_of
from tests.profiles.making import profile_with
from tests.world import AUTUMN, School, Tenant, told

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


def left_to_do(look: Look) -> list[str]:
    """What a look at everything would change."""
    plan = look.tenant.plan(look.school, AUTUMN, look.profile, FACTS, PLENTY)
    return [line for line in told(plan) if not line.startswith("waits")]


@given(CLASSES, CLASSES, structured(), ACCOUNTS, st.data())
@settings(max_examples=examples(5), deadline=None)
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
            look.carry_out([school.people[name]["person"]])

    assert left_to_do(look) == []


def a_look(tenant: Tenant, school: School, **profile) -> Look:
    return Look(tenant, school, profile_with(**profile), FACTS, PLENTY)


def test_a_part_plans_the_account_of_its_person_and_the_teams_they_are_in_and_nothing_else():
    school = School().klass("7A Maths", ["Nikos Vasilakis"], ["Maria Papadaki", "Jan Kowalski"])
    tenant = Tenant()
    tenant.apply(a_look(tenant, school).tenant.plan(school, AUTUMN, profile_with(), FACTS, PLENTY))
    school.klass("8B Art", ["Eleni Art"], ["Maria Papadaki", "New Pupil"]).klass("9C Music", ["Other Teacher"])

    part = a_look(tenant, school).part([school.people["New Pupil"]["person"]])

    new, art = school.people["New Pupil"]["person"], 10_000 + school.classes["8B Art"]
    assert told(part.plan) == [f"CREATE_USER {new}", f"LICENSE_USER {new}", f"waits CREATE_TEAM {art}"]
    assert part.people.to_list() == [new]


def test_owners_and_sizes_beyond_the_part_count_for_it():
    school = School().klass("7A Maths", ["Nikos Vasilakis", "Eleni Art"], ["Maria Papadaki", "Jan Kowalski"])
    tenant = Tenant()
    tenant.apply(tenant.plan(school, AUTUMN, profile_with(), FACTS, PLENTY))
    leaving = school.people["Nikos Vasilakis"]["person"]
    school.leaves("Nikos Vasilakis")

    lines = told(a_look(tenant, school).carry_out([leaving]))
    assert {"REMOVE_OWNER 10001 1", f"DISABLE_USER {leaving}"} <= set(lines)

    school.leaves("Eleni Art")
    assert "waits REMOVE_OWNER 10001 2" in told(a_look(tenant, school).carry_out([2]))


def test_what_a_part_cannot_decide_is_left_to_a_look_at_everything():
    school = School().klass("7A Maths", ["Nikos Vasilakis"], ["Maria Papadaki"])
    tenant = Tenant()
    tenant.account("somebody@school.example", employee_id="S2")
    look = a_look(tenant, school, users__match="sis_number")

    assert look.part([2]) is None
    assert look.part([1]) is not None
