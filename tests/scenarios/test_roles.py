"""Roles for users: the domain and the licence of each user type, and what user names are made of."""

from __future__ import annotations

from typing import Any

import pytest
from tests.scenarios.stage import Stage, actions, licences, proves, roles
from tests.scenarios.tenant import SEATS, made_by_others

from rollbook.errors import InputRefused

ALL_TYPES = actions(parent="Create, Update", employee="Create, Update")


def somebody_of_each_type(stage: Stage) -> None:
    """A student, a teacher, an employee and a parent."""
    stage.school.teacher("Nikos Vasilakis", "7A").student("Maria Papadaki", "7A")
    stage.school.employee("Omar Haddad").parent("Eva Papadaki", of=["Maria Papadaki"])


def held(stage: Stage) -> dict[str, tuple[str, ...]]:
    """Who has which licences."""
    return {account.name: account.licences for account in stage.tenant.accounts()}


@proves("P64")
def test_each_user_type_has_user_names_in_a_domain_of_its_own_or_in_the_tenants(stage: Stage):
    somebody_of_each_type(stage)
    stage.tenant.control("domain", name="pupils.example")
    stage.tenant.control("domain", name="staff.example")
    stage.profile(
        users=ALL_TYPES
        | roles(
            student={"domain": "pupils.example"},
            teacher={"domain": "staff.example"},
            employee={"domain": "staff.example"},
        )
    )

    stage.synchronise()

    assert {account.user_name for account in stage.tenant.accounts()} == {
        "maria.papadaki@pupils.example",
        "nikos.vasilakis@staff.example",
        "omar.haddad@staff.example",
        "eva.papadaki@sample-school.example",
    }


@proves("P64a")
@pytest.mark.parametrize("domain", [{"verified": False}, {"federated": True}], ids=["not verified", "federated"])
def test_a_domain_that_is_not_verified_and_managed_stops_the_run_and_those_that_are_are_named(
    stage: Stage, domain: dict[str, bool]
):
    somebody_of_each_type(stage)
    stage.tenant.control("domain", name="pupils.example", **domain)
    stage.profile(users=roles(student={"domain": "pupils.example"}))

    with pytest.raises(InputRefused, match=r"student accounts the domain 'pupils\.example'") as refused:
        stage.synchronise()

    assert "sample-school.example" in refused.value.remedy
    assert stage.tenant.accounts() == []


@proves("P64a")
def test_a_domain_is_looked_at_again_in_every_run(stage: Stage):
    somebody_of_each_type(stage)
    stage.tenant.control("domain", name="pupils.example")
    stage.profile(users=roles(student={"domain": "pupils.example"}))
    stage.synchronise()
    stage.tenant.control("domain", name="pupils.example", verified=False)

    with pytest.raises(InputRefused, match=r"pupils\.example"):
        stage.synchronise()


@proves("P64b")
def test_a_domain_without_mail_stops_the_run(stage: Stage):
    somebody_of_each_type(stage)
    stage.tenant.control("domain", name="pupils.example")
    domains = stage.tenant.running.directory.domains
    domains.put(
        "pupils.example", {**domains.get("pupils.example"), "supportedServices": ["OfficeCommunicationsOnline"]}
    )
    stage.profile(users=roles(student={"domain": "pupils.example"}))

    with pytest.raises(InputRefused, match=r"pupils\.example"):
        stage.synchronise()


@proves("P64c", "P65")
def test_somebody_of_several_types_has_one_account_under_the_first_of_teacher_employee_student_parent(stage: Stage):
    stage.school.student("Maria Papadaki", "7A").teacher("Nikos Vasilakis", "7A")
    stage.school.parent("Nikos Vasilakis", of=["Maria Papadaki"]).employee("Omar Haddad").parent("Omar Haddad")
    stage.tenant.control("domain", name="parents.example")
    stage.profile(users=ALL_TYPES | roles(parent={"domain": "parents.example"}))

    stage.synchronise()

    assert held(stage) == {"Maria Papadaki": ("student",), "Nikos Vasilakis": ("staff",), "Omar Haddad": ("staff",)}
    assert stage.tenant.user_names() == {"maria.papadaki", "nikos.vasilakis", "omar.haddad"}


@proves("P64d")
def test_the_order_of_types_can_be_changed(stage: Stage):
    stage.school.student("Maria Papadaki", "7A").teacher("Nikos Vasilakis", "7A")
    stage.school.parent("Nikos Vasilakis", of=["Maria Papadaki"])
    stage.tenant.control("domain", name="parents.example")
    order = {"precedence": ["parent", "teacher", "employee", "student"]}
    stage.profile(users=ALL_TYPES | roles(parent={"domain": "parents.example"}) | order)

    stage.synchronise()

    assert stage.tenant.user_names() == {"maria.papadaki", "nikos.vasilakis@parents.example"}


@proves("P64e")
@pytest.mark.parametrize(
    ("given_name", "family_name", "user_name"),
    [
        ("Márïa", "Papa-Dáki", "maria.papa-daki"),
        ("Мария", "Иванова", "mariya.ivanova"),
        ("Seán", "O'Néill", "sean.oneill"),
        ("Ana Luísa", "de la Cruz", "ana-luisa.de-la-cruz"),
        ("Jr.", "Smith.", "jr.smith"),
        ("A" * 60, "B" * 60, "a" * 56),
    ],
    ids=["accents", "Cyrillic", "an apostrophe", "blanks", "dots", "too long"],
)
def test_a_user_name_has_only_what_microsoft_accepts(stage: Stage, given_name: str, family_name: str, user_name: str):
    stage.school.student("Pupil", "7A", given_name=given_name, family_name=family_name)

    stage.synchronise()

    assert stage.tenant.user_names() == {user_name}


@proves("P64f")
@pytest.mark.parametrize(
    ("language", "given_name", "family_name", "user_name"),
    [
        ("any", "Jörg", "Müßig", "jorg.mussig"),
        ("german", "Jörg", "Müßig", "joerg.muessig"),
        ("nordic", "Åsa", "Sørensen", "aasa.soerensen"),
        ("greek", "Αύγουστος", "Παπαδόπουλος", "avgoustos.papadopoulos"),
    ],
)
def test_a_name_is_written_in_latin_letters_as_the_schools_language_does(
    stage: Stage, language: str, given_name: str, family_name: str, user_name: str
):
    stage.school.student("Pupil", "7A", given_name=given_name, family_name=family_name)
    stage.profile(users={"names": {"language": language}})

    stage.synchronise()

    assert stage.tenant.user_names() == {user_name}
    assert stage.tenant.names() == {f"{given_name} {family_name}"}


@proves("P64g")
def test_equal_user_names_are_numbered_from_two_and_names_of_others_are_left_to_them(stage: Stage):
    stage.tenant_holds(made_by_others("MARIA.Papadaki", "A stranger"))
    for name in ("Maria Papadaki", "María Papadáki", "maria papadaki"):
        stage.school.student(name, "7A")

    stage.synchronise()

    assert {name.lower() for name in stage.tenant.user_names()} == {
        "maria.papadaki",
        "maria.papadaki2",
        "maria.papadaki3",
        "maria.papadaki4",
    }


@proves("P64g")
def test_a_number_does_not_collide_with_somebody_whose_name_ends_in_that_number(stage: Stage):
    stage.school.student("Maria Papadaki2", "7A").student("Maria Papadaki", "7A").student("maria papadaki", "7A")

    stage.synchronise()

    assert stage.tenant.user_names() == {"maria.papadaki2", "maria.papadaki", "maria.papadaki3"}


@proves("P64h")
def test_who_gets_which_number_is_settled_by_who_came_first_and_not_by_the_order_of_a_delivery(stage: Stage):
    stage.school.student("Maria Papadaki", "7A", sis_number="first")
    stage.synchronise()
    stage.school.student("maria papadaki", "7A", sis_number="second").student(
        "MARIA PAPADAKI", "7A", sis_number="third"
    )
    stage.school.people = dict(reversed(stage.school.people.items()))
    stage.synchronise()
    numbers = {account["employee_id"]: account.user_name.partition("@")[0] for account in stage.tenant.accounts()}
    assert numbers["first"] == "maria.papadaki"

    stage.school.people = dict(reversed(stage.school.people.items()))

    assert stage.synchronise().writes == 0


@proves("P64i")
def test_a_user_name_stays_when_its_owner_is_called_something_else(stage: Stage):
    stage.school.student("Maria Papadaki", "7A")
    stage.synchronise()

    stage.school.changes("Maria Papadaki", family_name="Makri")
    stage.synchronise()

    assert stage.tenant.account("Maria Makri").user_name == "maria.papadaki@sample-school.example"


def named(**settings: Any) -> dict[str, Any]:
    """The settings of users with these rules for user names."""
    return {"names": settings}


@proves("P64j")
def test_a_user_name_follows_a_changed_name_where_the_profile_says_so_and_the_account_stays_the_same(stage: Stage):
    stage.school.student("Maria Papadaki", "7A")
    stage.profile(users=named(rename_on_change=True))
    stage.synchronise()
    before = stage.tenant.account("Maria Papadaki").object_id

    stage.school.changes("Maria Papadaki", family_name="Makri")
    stage.synchronise()

    account = stage.tenant.account("Maria Makri")
    assert (account.object_id, account.user_name) == (before, "maria.makri@sample-school.example")
    assert stage.synchronise().changes == 0


@proves("P64j", "P64l")
def test_an_old_user_name_goes_to_nobody_else_for_its_time(stage: Stage):
    stage.school.student("Maria Papadaki", "7A")
    stage.profile(users=named(rename_on_change=True, keep_days=30))
    stage.synchronise()
    stage.school.changes("Maria Papadaki", family_name="Makri")
    stage.synchronise()
    stage.school.student("maria papadaki", "7A")
    stage.on("2026-10-30").synchronise()
    assert stage.tenant.user_names() == {"maria.makri", "maria.papadaki2"}

    stage.school.student("MARIA PAPADAKI", "7A")
    stage.on("2026-11-01").synchronise()

    assert stage.tenant.user_names() == {"maria.makri", "maria.papadaki2", "maria.papadaki"}


@proves("P64k")
def test_alternatives_are_tried_in_their_order_before_numbers(stage: Stage):
    shorter = "{{ first_letter(called_first) }}.{{ called_last }}"
    stage.profile(users=named(candidates=["given.family", shorter]))
    for name in ("Maria Papadaki", "María Papadáki", "maria papadaki"):
        stage.school.student(name, "7A")

    stage.synchronise()

    assert stage.tenant.user_names() == {"maria.papadaki", "m.papadaki", "maria.papadaki2"}


@proves("P64k")
@pytest.mark.parametrize(
    ("shape", "user_name"),
    [
        ("given.family", "maria.papadaki"),
        ("family.given", "papadaki.maria"),
        ("g.family", "m.papadaki"),
        ("given.f", "maria.p"),
        ("gfamily", "mpapadaki"),
        ("givenfamily", "mariapapadaki"),
        ("username", "mpapa"),
        ("sis_number", "s1"),
        ("{{ called_last }}-{{ grade }}", "papadaki-7"),
    ],
)
def test_a_user_name_can_have_one_of_several_shapes_or_be_an_expression(stage: Stage, shape: str, user_name: str):
    stage.school.student("Maria Papadaki", "7A", username="mpapa", grade="7")
    stage.profile(users=named(candidates=[shape]))

    stage.synchronise()

    assert stage.tenant.user_names() == {user_name}


@proves("P64k", "P64g")
def test_names_that_are_blocked_go_to_nobody(stage: Stage):
    stage.school.student("Admin", "7A").student("Head", "7A")
    stage.profile(users=named(blocked=["admin"]))

    stage.synchronise()

    assert stage.tenant.user_names() == {"admin2", "head"}


@proves("P64l")
@pytest.mark.parametrize(("day", "user_name"), [("2026-11-19", "maria.papadaki2"), ("2026-11-20", "maria.papadaki")])
def test_the_user_name_of_a_leaver_whose_account_is_gone_stays_reserved_for_its_time(
    stage: Stage, day: str, user_name: str
):
    stage.school.student("Maria Papadaki", "7A").student("Jan Kowalski", "7A")
    stage.profile(users=named(keep_days=30))
    stage.synchronise()
    stage.school.vanishes("Maria Papadaki")
    stage.on("2026-10-21").synchronise()
    stage.tenant.control("delete", user="maria.papadaki@sample-school.example", forever=True)

    stage.school.student("maria papadaki", "7A")
    stage.on(day).synchronise()

    assert stage.tenant.user_names() == {"jan.kowalski", user_name}


@proves("P64m")
def test_whoever_has_no_name_to_make_a_user_name_of_waits_and_nobody_else_does(stage: Stage):
    stage.school.student("Maria Papadaki", "7A").student("???", "7A")

    done = stage.synchronise()

    assert "no user name can be made" in done.reason("???")
    assert stage.tenant.names() == {"Maria Papadaki"}


@proves("P65")
def test_each_user_type_has_a_licence_of_its_own_or_none(stage: Stage):
    somebody_of_each_type(stage)
    stage.profile(users=ALL_TYPES | roles(employee=licences("student")))

    stage.synchronise()

    assert held(stage) == {
        "Maria Papadaki": ("student",),
        "Nikos Vasilakis": ("staff",),
        "Omar Haddad": ("student",),
        "Eva Papadaki": (),
    }


@proves("P65a")
def test_a_licence_is_used_in_the_types_country_else_in_the_tenants(stage: Stage):
    somebody_of_each_type(stage)
    stage.profile(users=roles(student={"usage_location": "CY"}))

    stage.synchronise()

    assert stage.tenant.account("Maria Papadaki")["usage_location"] == "CY"
    assert stage.tenant.account("Nikos Vasilakis")["usage_location"] == "GR"


@proves("P65b")
def test_when_licences_run_short_teachers_come_first_and_those_left_out_wait_with_an_account(stage: Stage):
    pupils = [f"Pupil {number}" for number in range(SEATS["student"])]
    stage.school.klass("7A", students=pupils, teachers=["Nikos Vasilakis", "Eleni Demetriou"])
    stage.profile(users=roles(teacher=licences("student")))

    done = stage.synchronise()

    without = {name for name, has in held(stage).items() if not has}
    assert len(stage.tenant.accounts()) == SEATS["student"] + 2
    assert len(without) == 2
    assert without < set(pupils)
    assert all("no free licence; buy seats or free some" in done.reason(name) for name in without)


@proves("P65b")
def test_when_licences_run_short_they_go_in_the_order_the_profile_sets(stage: Stage):
    pupils = [f"Pupil {number}" for number in range(SEATS["student"])]
    stage.school.klass("7A", students=pupils, teachers=["Nikos Vasilakis"])
    order = {"precedence": ["student", "teacher", "employee", "parent"]}
    stage.profile(users=roles(teacher=licences("student")) | order)

    stage.synchronise()

    assert {name for name, has in held(stage).items() if not has} == {"Nikos Vasilakis"}


@proves("P65g")
def test_a_licence_the_tenant_does_not_have_stops_the_run_and_those_it_has_are_named(stage: Stage):
    somebody_of_each_type(stage)
    stage.profile(users=roles(student={"licences": [{"sku": "M365EDU_A5_STUUSEBNFT"}]}))

    with pytest.raises(InputRefused, match="M365EDU_A5_STUUSEBNFT") as refused:
        stage.synchronise()

    assert "STANDARDWOFFPACK_STUDENT" in refused.value.remedy
    assert stage.tenant.accounts() == []
