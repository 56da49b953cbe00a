"""What a plan contains, told as small school stories."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from tests.world import AUTUMN, FACTS, School, Tenant, told

from rollbook.errors import InputRefused
from rollbook.plan.changes import Cause, ChangeVerdict
from rollbook.profiles import parse, suggested
from rollbook.roster.vocabulary import UserType

MATHS = "7A Maths"


def a_class() -> School:
    return School().klass(MATHS, teachers=["Nikos Vasilakis"], students=["Maria Papadaki", "Jan Kowalski"])


def causes(plan) -> set[Cause]:
    waiting = plan.changes.filter(pl.col("verdict") == int(ChangeVerdict.WAITS))
    return {Cause(cause) for cause in waiting["cause"]}


def test_an_empty_tenant_gets_accounts_licences_a_class_its_people_and_a_team_in_this_order():
    plan = Tenant().plan(a_class())

    assert told(plan) == [
        "CREATE_USER 1",
        "CREATE_USER 2",
        "CREATE_USER 3",
        "LICENSE_USER 1",
        "LICENSE_USER 2",
        "LICENSE_USER 3",
        "CREATE_CLASS 10001",
        "ADD_OWNER 10001 1",
        "ADD_MEMBER 10001 1",
        "ADD_MEMBER 10001 2",
        "ADD_MEMBER 10001 3",
        "CREATE_TEAM 10001",
    ]


def test_a_second_plan_has_nothing_to_do():
    school, tenant = a_class(), Tenant()

    second = tenant.apply(tenant.plan(school)).plan(school)

    assert told(second) == []
    assert second.counts == {"changes": 0, "waiting": 0, "newly_waiting": 0}


def test_a_class_without_a_teacher_waits_and_is_counted_as_a_change_only_once():
    school, tenant = a_class().klass("7A Art", students=["Maria Papadaki"]), Tenant()

    first = tenant.plan(school)
    second = tenant.apply(first).plan(school)

    assert "waits CREATE_TEAM 10002" in told(first)
    assert first.counts["newly_waiting"] == 1
    assert told(second) == ["waits CREATE_TEAM 10002"]
    assert second.counts == {"changes": 0, "waiting": 1, "newly_waiting": 0}


def test_the_class_that_waited_is_made_once_a_teacher_is_there():
    school, tenant = a_class().klass("7A Art", students=["Maria Papadaki"]), Tenant()
    tenant.apply(tenant.plan(school))

    plan = tenant.plan(school.klass("7A Art", teachers=["Nikos Vasilakis"]))

    assert told(plan) == [
        "CREATE_CLASS 10002",
        "ADD_OWNER 10002 1",
        "ADD_MEMBER 10002 1",
        "ADD_MEMBER 10002 2",
        "CREATE_TEAM 10002",
    ]


def test_a_student_who_left_the_school_is_disabled_and_leaves_the_team_but_is_not_deleted():
    school, tenant = a_class(), Tenant()
    tenant.apply(tenant.plan(school))

    plan = tenant.plan(school.leaves("Maria Papadaki"))

    assert told(plan) == ["DISABLE_USER 2", "REMOVE_MEMBER 10001 2"]


def test_a_student_whose_row_vanished_from_the_register_is_disabled_too():
    school, tenant = a_class(), Tenant()
    tenant.apply(tenant.plan(school))

    without_maria = School().klass(MATHS, teachers=["Nikos Vasilakis"], students=["Jan Kowalski"])
    without_maria.people["Jan Kowalski"] |= school.people["Jan Kowalski"]
    without_maria.types = [{"person": 1, "user_type": "teacher"}, {"person": 3, "user_type": "student"}]
    without_maria.enrolments[0]["person"] = 3
    tenant.departed = [{"person": 2, "user_type": "student"}]

    assert told(tenant.plan(without_maria)) == ["DISABLE_USER 2", "REMOVE_MEMBER 10001 2"]


def test_a_returning_student_is_enabled_because_it_was_us_who_disabled_the_account():
    school, tenant = a_class(), Tenant()
    tenant.apply(tenant.plan(school))
    tenant.apply(tenant.plan(school.leaves("Maria Papadaki")))
    school.people["Maria Papadaki"]["active"] = True

    assert told(tenant.plan(school)) == ["ENABLE_USER 2", "ADD_MEMBER 10001 2"]


def test_an_account_somebody_else_disabled_stays_disabled_and_is_shown():
    school, tenant = a_class(), Tenant()
    tenant.apply(tenant.plan(school))
    tenant.users[1]["account_enabled"] = False

    assert told(tenant.plan(school)) == ["waits ENABLE_USER 2"]


def test_the_last_owner_is_never_removed_but_waits_for_another():
    school, tenant = a_class(), Tenant()
    tenant.apply(tenant.plan(school))

    plan = tenant.plan(school.drops("Nikos Vasilakis", MATHS))

    assert "waits REMOVE_OWNER 10001 1" in told(plan)
    assert not [line for line in told(plan) if line.startswith(("REMOVE_OWNER", "REMOVE_MEMBER 10001 1"))]
    assert causes(plan) == {Cause.LAST_OWNER}


def test_a_new_owner_comes_before_the_old_one_leaves():
    school, tenant = a_class(), Tenant()
    tenant.apply(tenant.plan(school))
    school.drops("Nikos Vasilakis", MATHS).klass(MATHS, teachers=["Eleni Demetriou"])

    lines = told(tenant.plan(school))

    assert lines.index("ADD_OWNER 10001 4") < lines.index("REMOVE_OWNER 10001 1")


def test_people_added_by_hand_are_left_alone():
    school, tenant = a_class(), Tenant()
    tenant.apply(tenant.plan(school))
    tenant.memberships.append({"team": 10001, "user": None, "relation": 0})

    assert told(tenant.plan(school)) == []


def test_name_twins_get_numbers_from_two_in_the_order_of_the_register():
    school = School().klass(MATHS, teachers=["Nikos Vasilakis"])
    school.klass(MATHS, students=["Maria Papadaki", "Maria  Papadaki", "MARIA Papadaki"])

    plan = Tenant().plan(school)

    names = plan.details.filter(pl.col("seq") <= 4)["after"].str.json_path_match("$.user_principal_name").to_list()
    assert names == [
        "nikos.vasilakis@school.example",
        "maria.papadaki@school.example",
        "maria.papadaki2@school.example",
        "maria.papadaki3@school.example",
    ]


def test_a_name_somebody_outside_the_register_has_is_not_given_again():
    tenant = Tenant()
    tenant.account("Maria.Papadaki@school.example")

    plan = tenant.plan(a_class())

    assert "maria.papadaki2@school.example" in "".join(plan.details["after"].drop_nulls())


def test_an_account_with_the_same_sis_number_is_linked_and_not_made_again():
    school, tenant = a_class(), Tenant()
    tenant.account("m.papadaki@school.example", employee_id="S2", display_name="Maria Papadaki")

    lines = told(tenant.plan(school))

    assert "LINK_USER 2" in lines
    assert "CREATE_USER 2" not in lines


def test_two_accounts_with_the_same_sis_number_wait_for_a_person():
    tenant = Tenant()
    tenant.account("a@school.example", employee_id="S2")
    tenant.account("b@school.example", employee_id="s2")

    plan = tenant.plan(a_class())

    assert "waits LINK_USER 2" in told(plan)
    assert "CREATE_USER 2" not in told(plan)
    assert causes(plan) == {Cause.AMBIGUOUS_MATCH}


def test_staff_is_not_linked_by_an_e_mail_address_but_students_are():
    school, tenant = a_class(), Tenant()
    school.people["Maria Papadaki"]["email"] = "maria@school.example"
    school.people["Nikos Vasilakis"]["email"] = "nikos@school.example"
    tenant.account("maria@school.example")
    tenant.account("nikos@school.example")
    profile = parse({"users": {"match": "email"}})

    plan = tenant.plan(school, profile=profile)

    assert {"LINK_USER 2", "waits LINK_USER 1"} <= set(told(plan))
    assert Cause.STAFF_BY_EMAIL in causes(plan)


def test_a_linked_account_that_vanished_waits_instead_of_being_made_again():
    school, tenant = a_class(), Tenant()
    tenant.apply(tenant.plan(school))
    tenant.users = [user for user in tenant.users if user["mark"] != "mark-2"]

    plan = tenant.plan(school)

    assert "waits UPDATE_USER 2" in told(plan)
    assert "CREATE_USER 2" not in told(plan)


@pytest.mark.parametrize("mark", ["foreign", None])
def test_an_account_that_lost_our_mark_is_a_conflict_and_is_touched_in_no_way(mark):
    school, tenant = a_class(), Tenant()
    tenant.apply(tenant.plan(school))
    tenant.users[1] |= {"mark": mark, "display_name": "Somebody Else", "licences": []}

    plan = tenant.plan(school.drops("Maria Papadaki", MATHS))

    assert told(plan) == ["waits UPDATE_USER 2"]
    assert causes(plan) == {Cause.FOREIGN_MARK}


def test_a_class_that_lost_our_mark_is_a_conflict_and_keeps_its_people():
    school, tenant = a_class(), Tenant()
    tenant.apply(tenant.plan(school))
    tenant.groups[0] |= {"mark": "foreign", "display_name": "Theirs", "has_team": False}

    plan = tenant.plan(school.drops("Maria Papadaki", MATHS).klass(MATHS, students=["New Pupil"]))

    assert [line for line in told(plan) if "10001" in line] == ["waits UPDATE_GROUP 10001"]


def test_when_seats_run_short_teachers_come_first_and_the_rest_waits():
    school = a_class()
    profile = parse(
        suggested().model_dump(mode="json")
        | {
            "users": suggested().users.model_dump(mode="json")
            | {"roles": {t.value: {"licences": [{"sku": "STANDARDWOFFPACK_STUDENT"}]} for t in UserType}}
        }
    )

    plan = Tenant(seats=2).plan(school, profile=profile)

    assert [line for line in told(plan) if "LICENSE" in line] == [
        "LICENSE_USER 1",
        "LICENSE_USER 2",
        "waits LICENSE_USER 3",
    ]


def test_an_employee_without_create_gets_no_account_and_it_is_said_why():
    school = a_class()
    school.person("Olga Office", "employee")

    plan = Tenant().plan(school)

    assert [line for line in told(plan) if line.endswith(" 4")] == ["waits CREATE_USER 4"]
    assert int(Cause.CREATION_OFF) in plan.changes["cause"]


def test_an_enrolment_counts_from_the_lead_days_before_it_begins():
    school = a_class().klass(MATHS, students=["Late Comer"], begin=AUTUMN + dt.timedelta(days=14))
    too_early = a_class().klass(MATHS, students=["Late Comer"], begin=AUTUMN + dt.timedelta(days=15))

    assert "ADD_MEMBER 10001 4" in told(Tenant().plan(school))
    assert "ADD_MEMBER 10001 4" not in told(Tenant().plan(too_early))


def test_the_end_day_of_an_enrolment_is_outside():
    school = a_class().klass(MATHS, students=["Short Stay"], end=AUTUMN)

    assert "ADD_MEMBER 10001 4" not in told(Tenant().plan(school))


def test_keep_previous_enrolments_removes_nobody():
    school, tenant = a_class(), Tenant()
    profile = parse({"enrolments": {"keep_previous": True}})
    tenant.apply(tenant.plan(school, profile=profile))

    assert told(tenant.plan(school.drops("Jan Kowalski", MATHS), profile=profile)) == ["DISABLE_USER 3"]


def test_a_changed_name_updates_the_account_but_keeps_the_user_name():
    school, tenant = a_class(), Tenant()
    tenant.apply(tenant.plan(school))
    school.people["Maria Papadaki"]["family_name"] = "Ioannou"

    plan = tenant.plan(school)

    assert told(plan) == ["UPDATE_USER 2"]
    assert "user_principal_name" not in plan.details["after"][0]


def test_an_account_kept_by_active_directory_is_enrolled_but_not_changed():
    school, tenant = a_class(), Tenant()
    tenant.account("m@school.example", employee_id="S2", on_premises=True, display_name="Other")
    tenant.apply(tenant.plan(school))

    assert "UPDATE_USER 2" not in told(tenant.plan(school))
    assert {"team": 10001, "user": 2, "relation": 0} in tenant.memberships


def test_the_fingerprint_is_equal_for_equal_content_and_differs_for_another_tenant_profile_or_change():
    plan = Tenant().plan(a_class())

    assert plan.fingerprint == Tenant().plan(a_class()).fingerprint
    assert plan.fingerprint != Tenant().plan(a_class().klass(MATHS, students=["One More"])).fingerprint


def test_a_change_needs_what_this_plan_makes():
    changes = Tenant().plan(a_class()).changes
    member = changes.filter((pl.col("subject") == 10001) & (pl.col("object") == 2)).row(0, named=True)
    seq = {name: row for row, name in enumerate(told(Tenant().plan(a_class())), start=1)}

    assert member["needs_subject"] == seq["CREATE_CLASS 10001"]
    assert member["needs_object"] == seq["CREATE_USER 2"]


def test_a_profile_that_names_a_foreign_domain_is_refused_with_the_ones_there_are():
    profile = parse(
        {
            "users": suggested().users.model_dump(mode="json")
            | {"roles": {t.value: {"domain": "elsewhere.example"} for t in UserType}}
        }
    )
    with pytest.raises(InputRefused, match=r"elsewhere\.example") as refused:
        Tenant().plan(a_class(), profile=profile, facts=FACTS)

    assert "school.example" in refused.value.remedy


def test_another_institute_in_the_same_tenant_is_not_touched():
    tenant = Tenant()
    tenant.apply(tenant.plan(a_class()))
    # Keys of the other institute begin after those of the first.
    other = School(people={f"gap {n}": {"person": n, "active": False} for n in range(1, 4)}, classes={"gap": 1})
    other.klass("8B Art", teachers=["Olga Petrova"], students=["Jan Nowak"])

    plan = tenant.plan(other)

    assert all(line.split()[1] in {"4", "5", "10002"} for line in told(plan)), told(plan)
    assert "CREATE_TEAM 10002" in told(plan)


# mappings


def with_mapping(**row):
    document = suggested().model_dump(mode="json")
    document["users"]["mappings"]["job_title"] = row
    return parse(document)


def test_a_mapping_that_fails_stops_that_person_and_nobody_else():
    school = School().klass("7A Maths", teachers=["Nikos Vasilakis"], students=["Maria Papadaki", "Eleni Makri"])
    school.people["Maria Papadaki"]["phone"] = "no date"
    profile = with_mapping(type="expression", value="{{ date_format(phone, '%Y') }}")
    plan = Tenant().plan(school, profile=profile)

    assert "waits UPDATE_USER 2" in told(plan)
    assert not [line for line in told(plan) if line.startswith(("CREATE_USER 2", "ADD_MEMBER 10001 2"))]
    assert {"CREATE_USER 1", "CREATE_USER 3"} <= set(told(plan))


# accounts nobody may change


def test_an_account_with_an_administrators_role_is_left_alone_in_every_way_but_may_be_in_teams():
    school, tenant = a_class(), Tenant()
    tenant.apply(tenant.plan(school))
    tenant.users[0] |= {"protected": True}
    school.people["Nikos Vasilakis"]["given_name"] = "Nikolaos"
    renamed = tenant.plan(school.klass("7A Art", teachers=["Nikos Vasilakis"]))
    left = tenant.plan(school.leaves("Nikos Vasilakis"))

    assert "waits UPDATE_USER 1" in told(renamed)
    assert causes(renamed) == {Cause.PROTECTED}
    assert "ADD_OWNER 10002 1" in told(renamed)
    assert not {"UPDATE_USER 1", "DISABLE_USER 1"} & {*told(renamed), *told(left)}


def test_a_protected_account_that_is_as_it_should_be_is_not_mentioned():
    school, tenant = a_class(), Tenant()
    tenant.apply(tenant.plan(school))
    for account in tenant.users:
        account["protected"] = True

    assert told(tenant.plan(school)) == []
