"""What becomes of accounts over the years: leaving, coming back, names, licences - told as small school stories."""

from __future__ import annotations

import datetime as dt
import json

import polars as pl
import pytest
from tests.profiles.making import profile_with
from tests.world import AUTUMN, STUDENT_SKU, School, Tenant, told

from rollbook.desired import TenantFacts
from rollbook.errors import InputRefused
from rollbook.plan.changes import Cause, Forecast, Kind

DAY = dt.timedelta(days=1)
TWO_SKUS = TenantFacts(
    "school.example",
    frozenset({"school.example"}),
    "GR",
    {"STANDARDWOFFPACK_STUDENT": STUDENT_SKU, "STANDARDWOFFPACK_FACULTY": "sku-staff", "PREMIUM": "sku-premium"},
    {STUDENT_SKU: {"YAMMER_EDU": "plan-yammer", "TEAMS1": "plan-teams"}},
)


def a_class() -> School:
    return School().klass("7A", teachers=["Nikos Vasilakis"], students=["Maria Papadaki", "Jan Kowalski"])


def established(school, profile=None, **facts):
    tenant = Tenant()
    return tenant.apply(tenant.plan(school, profile=profile, **facts))


def values(plan, kind, side="after"):
    rows = plan.changes.filter(pl.col("kind") == int(kind)).join(plan.details, on="seq")
    return [json.loads(text) for text in rows[side]]


def cause(plan, line):
    return Cause(plan.changes["cause"][told(plan).index(line)])


def account(tenant, key):
    return next(user for user in tenant.users if user["object_id"] == tenant.links[key]["object_id"])


def test_whoever_leaves_is_disabled_when_the_grace_is_over_and_counted_from_the_day_it_was_seen():
    profile, school = profile_with(users__leaving__disable_days=7), a_class()
    tenant = established(school, profile)
    school.leaves("Maria Papadaki")

    assert "DISABLE_USER 2" not in told(tenant.plan(school, AUTUMN, profile))
    assert "DISABLE_USER 2" not in told(tenant.plan(school, AUTUMN + 6 * DAY, profile))
    plan = tenant.plan(school, AUTUMN + 7 * DAY, profile)
    assert "DISABLE_USER 2" in told(plan)
    assert plan.changes.filter(pl.col("kind") == int(Kind.DISABLE_USER))["day"].to_list() == [AUTUMN]


def test_a_grace_counts_from_the_end_of_the_enrolment_where_the_register_says_it():
    profile = profile_with(users__leaving__disable_days=7)
    school = a_class()
    tenant = established(school, profile)
    school.enrolments[0]["end"] = AUTUMN - 10 * DAY

    assert "DISABLE_USER 2" in told(tenant.plan(school, AUTUMN, profile))


def test_coming_back_within_the_grace_starts_it_anew():
    profile, school = profile_with(users__leaving__disable_days=7), a_class()
    tenant = established(school, profile)
    tenant.plan(school.leaves("Maria Papadaki"), AUTUMN, profile)
    school.people["Maria Papadaki"]["active"] = True
    tenant.plan(school, AUTUMN + 3 * DAY, profile)
    school.leaves("Maria Papadaki")

    assert "DISABLE_USER 2" not in told(tenant.plan(school, AUTUMN + 8 * DAY, profile))
    assert "DISABLE_USER 2" in told(tenant.plan(school, AUTUMN + 15 * DAY, profile))


def test_a_licence_is_taken_back_only_if_the_profile_says_so_after_its_own_grace_and_only_one_that_we_gave():
    keeps, takes = profile_with(), profile_with(users__leaving__unlicense=True)
    school = a_class()
    tenant = established(school)
    account(tenant, 2)["licences"].append("sku-of-somebody-else")
    tenant.apply(tenant.plan(school.leaves("Maria Papadaki"), AUTUMN))

    assert told(tenant.plan(school, AUTUMN + 400 * DAY, keeps)) == []
    assert told(tenant.plan(school, AUTUMN + 89 * DAY, takes)) == []
    plan = tenant.plan(school, AUTUMN + 90 * DAY, takes)
    assert told(plan) == ["UNLICENSE_USER 2"]
    assert values(plan, Kind.UNLICENSE_USER) == [{"remove": [STUDENT_SKU]}]
    tenant.apply(plan)
    assert account(tenant, 2)["licences"] == ["sku-of-somebody-else"]
    assert told(tenant.plan(school, AUTUMN + 91 * DAY, takes)) == []


def test_whoever_returns_is_enabled_and_licensed_again():
    profile, school = profile_with(users__leaving__unlicense=True), a_class()
    tenant = established(school, profile)
    tenant.apply(tenant.plan(school.leaves("Maria Papadaki"), AUTUMN, profile))
    tenant.apply(tenant.plan(school, AUTUMN + 100 * DAY, profile))
    school.people["Maria Papadaki"]["active"] = True

    lines = told(tenant.plan(school, AUTUMN + 120 * DAY, profile))

    assert {"ENABLE_USER 2", "LICENSE_USER 2", "ADD_MEMBER 10001 2"} <= set(lines)


def test_an_account_deleted_by_somebody_comes_back_under_its_old_name():
    school = a_class()
    tenant = established(school)
    account(tenant, 2)["deleted"] = True

    plan = tenant.plan(school)

    assert told(plan) == ["RESTORE_USER 2"]
    assert values(plan, Kind.RESTORE_USER) == [{"user_principal_name": None}]
    assert told(tenant.apply(plan).plan(school)) == []


def test_an_account_whose_old_name_is_taken_comes_back_under_another():
    school = a_class()
    tenant = established(school)
    account(tenant, 2)["deleted"] = True
    tenant.account("maria.papadaki@school.example")

    assert values(tenant.plan(school), Kind.RESTORE_USER) == [{"user_principal_name": "maria.papadaki2@school.example"}]


def test_a_deleted_account_of_somebody_who_left_stays_deleted_and_one_by_name_alone_is_never_restored():
    school = a_class()
    tenant = established(school)
    account(tenant, 2)["deleted"] = True
    assert told(tenant.plan(school.leaves("Maria Papadaki"))) == []

    stranger = Tenant()
    stranger.account("maria.papadaki@school.example", deleted=True, employee_id="S2")
    assert "CREATE_USER 2" in told(stranger.plan(a_class()))


def test_a_lost_link_to_a_deleted_account_is_found_again_by_its_mark():
    tenant = Tenant()
    tenant.account("maria.papadaki@school.example", deleted=True, mark="mark-2", display_name="Maria Papadaki")

    lines = told(tenant.plan(a_class()))

    assert {"LINK_USER 2", "RESTORE_USER 2"} <= set(lines)
    assert "CREATE_USER 2" not in lines


def test_accounts_of_the_schools_own_active_directory_are_licensed_and_enrolled_but_not_changed():
    school = a_class()
    tenant = Tenant()
    tenant.account("maria@school.example", employee_id="S2", display_name="Old Name", on_premises=True)

    plan = tenant.plan(school)

    about = [line for line in told(plan) if line.endswith(" 2")]
    assert about == ["LINK_USER 2", "waits UPDATE_USER 2", "LICENSE_USER 2", "ADD_MEMBER 10001 2"]
    assert cause(plan, "waits UPDATE_USER 2") == Cause.ON_PREMISES
    tenant.apply(plan)
    assert "DISABLE_USER 2" not in told(tenant.plan(school.leaves("Maria Papadaki")))


def test_the_second_alternative_is_taken_before_a_number():
    names = {"candidates": ["given.family", "{{ first_letter(called_first) }}.{{ called_last }}", "family.given"]}
    school = School().klass("7A", students=["Maria Papadaki", "Mara Papadaki"])
    twin = school.person("Maria  Papadaki", "student", given_name="Maria", family_name="Papadaki")
    school.klass("7A", students=["Maria  Papadaki"])
    third = school.person("Maria   Papadaki", "student", given_name="Maria", family_name="Papadaki")

    plan = Tenant().plan(school, profile=profile_with(users__names=names))

    made = {v["user_principal_name"].partition("@")[0] for v in values(plan, Kind.CREATE_USER)}
    assert (twin, third) == (3, 4)
    assert made == {"maria.papadaki", "mara.papadaki", "m.papadaki", "papadaki.maria"}


def test_blocked_names_and_a_length_of_ones_own():
    school = School().klass("7A", students=["Admin", "Bartholomaios Papadopoulos"])
    profile = profile_with(users__names={"longest": 12})

    plan = Tenant().plan(school, profile=profile)

    made = [v["user_principal_name"].partition("@")[0] for v in values(plan, Kind.CREATE_USER)]
    assert made == ["admin2", "bartholomaio"]


def test_a_name_once_given_stays_unless_the_profile_renames():
    school = a_class()
    tenant = established(school)
    school.people["Maria Papadaki"]["family_name"] = "Makri"

    assert not [line for line in told(tenant.plan(school)) if line.startswith("RENAME")]

    plan = tenant.plan(school, profile=profile_with(users__names={"rename_on_change": True}))
    assert [line for line in told(plan) if line.startswith("RENAME")] == ["RENAME_USER 2"]
    assert values(plan, Kind.RENAME_USER) == [
        {"user_principal_name": "maria.makri@school.example", "mail_nickname": "maria.makri"}
    ]


def test_a_renamed_account_keeps_its_number_and_the_old_name_goes_to_nobody_else():
    renaming = profile_with(users__names={"rename_on_change": True})
    school = a_class()
    school.person("Maria  Papadaki", "student", given_name="Maria", family_name="Papadaki")
    tenant = established(school, renaming)
    assert account(tenant, 4)["user_principal_name"] == "maria.papadaki2@school.example"
    assert told(tenant.plan(school, profile=renaming)) == []

    school.people["Maria Papadaki"]["family_name"] = "Makri"
    tenant.apply(tenant.plan(school, profile=renaming))
    school.person("Maria   Papadaki", "student", given_name="Maria", family_name="Papadaki")
    tenant.apply(tenant.plan(school, profile=renaming))

    assert account(tenant, 5)["user_principal_name"] == "maria.papadaki3@school.example"


def roles(*licences, choice="every"):
    role = {"licences": list(licences), "licence_choice": choice}
    return dict.fromkeys(("teacher", "employee", "student", "parent"), role)


def test_several_licences_are_given_in_one_change_with_plans_off():
    listed = roles({"sku": "STANDARDWOFFPACK_STUDENT", "plans_off": ["YAMMER_EDU"]}, {"sku": "PREMIUM"})
    tenant = Tenant()

    plan = tenant.plan(a_class(), profile=profile_with(users__roles=listed), facts=TWO_SKUS, seats=[("sku-premium", 1)])

    assert values(plan, Kind.LICENSE_USER)[0] == {
        "licences": [{"sku": STUDENT_SKU, "off": ["plan-yammer"]}, {"sku": "sku-premium", "off": []}],
        "remove": [],
    }
    assert [line for line in told(plan) if "LICENSE" in line] == [
        "LICENSE_USER 1",
        "LICENSE_USER 2",
        "waits LICENSE_USER 2",
        "LICENSE_USER 3",
        "waits LICENSE_USER 3",
    ]
    assert Forecast("sku-premium", "PREMIUM", 3, 1, 2) in plan.forecast


def test_the_first_licence_with_seats_goes_by_the_order_of_user_types_and_whoever_has_one_keeps_it():
    listed = roles({"sku": "PREMIUM"}, {"sku": "STANDARDWOFFPACK_STUDENT"}, choice="first_with_seats")
    profile, tenant, school = profile_with(users__roles=listed), Tenant(), a_class()

    plan = tenant.plan(school, profile=profile, facts=TWO_SKUS, seats=[("sku-premium", 1)])
    tenant.apply(plan)

    assert [account(tenant, key)["licences"] for key in (1, 2, 3)] == [["sku-premium"], [STUDENT_SKU], [STUDENT_SKU]]
    assert not [line for line in told(plan) if line.startswith("waits LICENSE")]
    assert told(tenant.plan(school, profile=profile, facts=TWO_SKUS, seats=[("sku-premium", 9)])) == []


def test_plans_switched_off_later_are_changed_and_plans_set_by_hand_are_left_where_the_profile_says_nothing():
    silent = profile_with(users__roles=roles({"sku": "STANDARDWOFFPACK_STUDENT"}))
    strict = profile_with(users__roles=roles({"sku": "STANDARDWOFFPACK_STUDENT", "plans_off": ["YAMMER_EDU"]}))
    school = School().klass("7A", students=["Maria"])
    tenant = Tenant()
    tenant.apply(tenant.plan(school, profile=silent, facts=TWO_SKUS))
    account(tenant, 1)["plans_off"] = ["plan-teams"]

    assert [line for line in told(tenant.plan(school, profile=silent, facts=TWO_SKUS)) if "LICENSE" in line] == []
    plan = tenant.plan(school, profile=strict, facts=TWO_SKUS)
    assert [line for line in told(plan) if "LICENSE" in line] == ["LICENSE_USER 1"]
    assert cause(plan, "LICENSE_USER 1") == Cause.LICENCE_CHANGED


def test_another_product_in_the_profile_replaces_ours_and_only_once_the_new_one_has_a_seat():
    before = profile_with(users__roles=roles({"sku": "STANDARDWOFFPACK_STUDENT"}))
    after = profile_with(users__roles=roles({"sku": "PREMIUM"}))
    school = School().klass("7A", students=["Maria", "Jan"])
    tenant = Tenant()
    tenant.apply(tenant.plan(school, profile=before, facts=TWO_SKUS))

    plan = tenant.plan(school, profile=after, facts=TWO_SKUS, seats=[("sku-premium", 1)])

    assert values(plan, Kind.LICENSE_USER) == [
        {"licences": [{"sku": "sku-premium", "off": []}], "remove": [STUDENT_SKU]}
    ]
    tenant.apply(plan)
    assert [user["licences"] for user in tenant.users] == [["sku-premium"], [STUDENT_SKU]]


def test_a_plan_that_is_no_plan_of_the_licence_is_refused_with_those_there_are():
    wrong = profile_with(users__roles=roles({"sku": "STANDARDWOFFPACK_STUDENT", "plans_off": ["SWAY"]}))

    with pytest.raises(InputRefused, match="SWAY") as refused:
        Tenant().plan(a_class(), profile=wrong, facts=TWO_SKUS)
    assert "YAMMER_EDU" in refused.value.remedy


def test_somebody_who_may_always_sign_in_is_not_disabled_without_enrolments_but_still_licensed():
    mapping = {"account_enabled": {"value": "active"}, "display_name": {"value": "name"}}
    school = a_class()
    school.person("Olga Idle", "student")

    plan = Tenant().plan(school, profile=profile_with(users__mappings=mapping))

    made = {v["display_name"]: v["account_enabled"] for v in values(plan, Kind.CREATE_USER)}
    assert made["Olga Idle"]
    assert "LICENSE_USER 4" in told(plan)


def test_whoever_is_past_the_end_of_the_registration_has_left():
    school = a_class()
    tenant = established(school)
    school.people["Maria Papadaki"]["registration_end"] = AUTUMN - 3 * DAY

    plan = tenant.plan(school)

    assert {"DISABLE_USER 2", "REMOVE_MEMBER 10001 2"} <= set(told(plan))
    assert plan.changes.filter(pl.col("kind") == int(Kind.DISABLE_USER))["day"].to_list() == [AUTUMN - 3 * DAY]


def test_an_account_made_before_the_first_enrolment_is_enabled_when_it_begins():
    school = School().klass("7A", teachers=["Nikos Vasilakis"])
    school.person("Maria Papadaki", "student")
    tenant = established(school)
    assert not account(tenant, 2)["account_enabled"]
    school.klass("7A", students=["Maria Papadaki"])

    assert {"ENABLE_USER 2", "LICENSE_USER 2", "ADD_MEMBER 10001 2"} <= set(told(tenant.plan(school)))


def test_an_account_in_a_restricted_unit_is_enrolled_and_otherwise_left_alone():
    school = a_class()
    tenant = established(school)
    account(tenant, 2)["restricted"] = True
    school.people["Maria Papadaki"]["family_name"] = "Makri"
    school.klass("7B", teachers=["Nikos Vasilakis"], students=["Maria Papadaki"])

    plan = tenant.plan(school)

    assert [line for line in told(plan) if line.endswith(" 2")] == ["waits UPDATE_USER 2", "ADD_MEMBER 10002 2"]
    assert cause(plan, "waits UPDATE_USER 2") == Cause.PROTECTED
