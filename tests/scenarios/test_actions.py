"""Actions: what a synchronization may do for whom, which combinations mean what, and whom it never touches."""

from __future__ import annotations

from itertools import product

import pytest
from tests.scenarios.stage import Stage, actions, proves
from tests.scenarios.tenant import made_by_others

from rollbook.acts import protection
from rollbook.profiles import suggested
from rollbook.store.models import Secret
from rollbook.store.vault import Vault

EVERYTHING = "Create, Update, Deactivate, SSO"


@proves("P48")
def test_create_makes_an_account_with_a_licence_for_a_person_who_has_none(stage: Stage):
    stage.school.student("Maria Papadaki", "7A")
    stage.profile(users=actions(student="Create"))

    stage.synchronise()

    account = stage.tenant.account("Maria Papadaki")
    assert (account.enabled, account.licences, account["employee_id"]) == (True, ("student",), "S1")


@proves("P48a")
def test_where_create_is_off_no_account_is_made(stage: Stage):
    stage.school.student("Maria Papadaki", "7A").employee("Omar Haddad")

    stage.synchronise()

    assert stage.tenant.names() == {"Maria Papadaki"}


@proves("P48a")
def test_where_create_is_off_the_plan_says_who_has_no_account_for_that_reason(stage: Stage):
    stage.school.employee("Omar Haddad")

    assert "creating is off" in stage.preview().reason("Omar Haddad")


@proves("P48b")
def test_each_new_account_has_a_password_of_its_own_kept_encrypted(stage: Stage):
    stage.school.student("Maria Papadaki", "7A").student("Jan Kowalski", "7A")
    stage.synchronise()

    kept = Secret.objects.filter(purpose="first_password")
    passwords = {Vault().decrypt(secret.ciphertext) for secret in kept}

    assert len(passwords) == 2
    assert not [secret for secret in kept if any(word.encode() in bytes(secret.ciphertext) for word in passwords)]


@proves("P48b")
def test_the_first_password_is_the_one_kept_and_has_to_be_changed_at_the_first_sign_in(stage: Stage):
    stage.school.student("Maria Papadaki", "7A")
    stage.synchronise()

    (kept,) = Secret.objects.filter(purpose="first_password")
    held = stage.tenant.running.directory.users.one("userPrincipalName", "maria.papadaki@sample-school.example")
    assert stage.tenant.password("Maria Papadaki") == Vault().decrypt(kept.ciphertext)
    assert held["_change"]


@proves("P49")
def test_update_keeps_names_and_licences_of_a_linked_account_in_step_with_the_register(stage: Stage):
    stage.school.student("Maria Papadaki", "7A")
    stage.tenant_holds(made_by_others("maria", "M. P.", employee_id="S1"))
    stage.profile(users=actions(student="Update"))

    stage.synchronise()

    account = stage.tenant.account("maria")
    assert (account.name, account["surname"], account.licences) == ("Maria Papadaki", "Papadaki", ("student",))
    assert account["usage_location"] == "GR"


@proves("P49a")
@pytest.mark.parametrize("chosen", ["SSO", "Create", "Create, Deactivate, SSO"])
def test_where_update_is_off_nothing_of_an_account_that_is_there_is_touched(stage: Stage, chosen: str):
    stage.school.student("Maria Papadaki", "7A")
    stage.tenant_holds(made_by_others("maria", "M. P.", employee_id="S1"))
    stage.profile(users=actions(student=chosen))
    before = stage.tenant.everything()

    assert stage.synchronise().writes == 0
    stage.school.changes("Maria Papadaki", family_name="Makri")
    assert stage.synchronise().writes == 0

    assert stage.tenant.everything() == before


def a_changed_teacher(stage: Stage) -> str:
    """A school whose teacher has an account and is called something else now; the account's id."""
    stage.school.teacher("Nikos Vasilakis", "7A").student("Maria Papadaki", "7A")
    stage.synchronise()
    stage.school.changes("Nikos Vasilakis", given_name="Nikolaos")
    return stage.tenant.account("Nikos Vasilakis").object_id


@proves("P49b")
@pytest.mark.parametrize("way", ["directly", "eligibly", "through a group"])
def test_whoever_holds_a_directory_role_is_not_renamed_and_not_disabled(stage: Stage, way: str):
    holder = a_changed_teacher(stage)
    if way == "through a group":
        group = {"id": "admins", "displayName": "Admins", "isAssignableToRole": True, "members": [holder]}
        stage.tenant.control("seed", groups=[group])
        holder = "admins"
    stage.tenant.control("role", principal=holder, eligible=way == "eligibly")

    done = stage.synchronise()
    assert (done.writes, "administrator role" in done.reason("Nikolaos Vasilakis")) == (0, True)
    stage.school.leaves("Nikos Vasilakis")
    stage.synchronise()

    assert stage.tenant.account("Nikos Vasilakis").enabled


@proves("P49b")
@pytest.mark.parametrize("relation", ["members", "owners"])
def test_whoever_is_in_a_group_that_can_be_given_roles_is_not_changed_even_if_it_has_none(stage: Stage, relation: str):
    holder = a_changed_teacher(stage)
    group = {"displayName": "Admins", "isAssignableToRole": True, relation: [holder]}
    stage.tenant.control("seed", groups=[group])

    assert stage.synchronise().writes == 0

    assert stage.tenant.account("Nikos Vasilakis").enabled


@proves("P49c")
def test_where_roles_cannot_be_read_accounts_that_were_there_stay_as_they_are_and_new_ones_are_made(stage: Stage):
    a_changed_teacher(stage)
    app = stage.tenant.running.apps[0]["client_id"]
    blind = {"RoleManagement.Read.Directory", "Directory.Read.All"}
    roles = stage.tenant.running.directory.consents.get(app)["roles"]
    stage.tenant.control("consent", app=app, roles=[role for role in roles if role not in blind], at_once=True)
    stage.school.student("Jan Kowalski", "7A")

    done = stage.synchronise()

    assert "may not read roles" in done.reason("Nikolaos Vasilakis")
    assert stage.tenant.names() == {"Nikos Vasilakis", "Maria Papadaki", "Jan Kowalski"}


@proves("P49d")
def test_an_account_on_the_administrators_list_is_not_changed_until_it_is_taken_off(stage: Stage):
    holder = a_changed_teacher(stage)
    with stage.desk() as desk:
        protection.protect(desk, holder, "he looks after it himself")

    done = stage.synchronise()
    assert (done.writes, "`rollbook protect list`" in done.reason("Nikolaos Vasilakis")) == (0, True)
    stage.school.leaves("Nikos Vasilakis")
    stage.synchronise()
    assert stage.tenant.account("Nikos Vasilakis").enabled
    with stage.desk() as desk:
        protection.release(desk, holder)
    stage.synchronise()

    assert not stage.tenant.account(holder).enabled


@proves("P49d")
def test_somebody_on_the_administrators_list_is_matched_and_enrolled_all_the_same(stage: Stage):
    stage.tenant_holds(made_by_others("maria", "M. P.", employee_id="S2"))
    stage.school.teacher("Nikos Vasilakis", "7A").student("Maria Papadaki", "7A")
    with stage.desk() as desk:
        protection.protect(desk, "maria@sample-school.example", "she looks after it herself")

    stage.synchronise()

    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "M. P."}
    assert stage.tenant.account("maria").licences == ()


@proves("P49e")
def test_an_account_microsoft_does_not_let_us_change_is_put_on_the_list_and_left_alone_from_then_on(stage: Stage):
    holder = a_changed_teacher(stage)
    stage.tenant.refuses_changes_of(holder)

    assert stage.attempt().refused == 1
    done = stage.synchronise()

    assert (done.writes, bool(done.reason("Nikolaos Vasilakis"))) == (0, True)
    (entry,) = protection.listed(stage.institute())
    assert (entry.object_id, entry.kind) == (holder, "refused")


@proves("P49f")
def test_an_account_kept_by_the_schools_own_directory_is_linked_licensed_and_enrolled_but_not_changed(stage: Stage):
    stage.school.teacher("Nikos Vasilakis", "7A").student("Maria Papadaki", "7A")
    kept = made_by_others("maria", "M. P.", employee_id="S2", onPremisesSyncEnabled=True, usage_location="GR")
    stage.tenant_holds(kept)
    stage.synchronise()
    assert stage.tenant.account("maria").licences == ("student",)
    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "M. P."}

    stage.school.leaves("Maria Papadaki")
    stage.synchronise()

    account = stage.tenant.account("maria")
    assert (account.name, account["surname"], account.enabled) == ("M. P.", None, True)
    assert stage.tenant.members("7A") == {"Nikos Vasilakis"}


@proves("P50")
def test_a_student_who_left_may_no_longer_sign_in_and_is_signed_out_everywhere(stage: Stage):
    stage.school.teacher("Nikos Vasilakis", "7A").student("Maria Papadaki", "7A")
    stage.synchronise()

    stage.school.leaves("Maria Papadaki")
    done = stage.synchronise()

    account = stage.tenant.account("Maria Papadaki")
    assert not account.enabled
    assert account["signed_out_at"]
    assert "Maria Papadaki may no longer sign in: is no longer current in the register, since 2026-10-01" in done.told
    assert stage.tenant.members("7A") == {"Nikos Vasilakis"}


@proves("P50", "P50c")
def test_a_student_whose_row_is_missing_from_a_delivery_is_disabled_and_not_deleted(stage: Stage):
    stage.school.teacher("Nikos Vasilakis", "7A").student("Maria Papadaki", "7A")
    stage.synchronise()

    stage.school.vanishes("Maria Papadaki")
    stage.synchronise()

    assert not stage.tenant.account("Maria Papadaki").enabled
    assert stage.tenant.members("7A") == {"Nikos Vasilakis"}


@proves("P50c")
def test_accounts_are_never_deleted_whatever_becomes_of_the_school(stage: Stage):
    stage.school.klass("7A", teachers=["Nikos Vasilakis"], students=["Maria Papadaki", "Jan Kowalski"])
    stage.synchronise()
    stage.school.leaves("Maria Papadaki").vanishes("Jan Kowalski")
    stage.synchronise()
    stage.profile(users=actions(student="", teacher=""), teams={"create": "nothing"})
    stage.on("2027-10-01").synchronise()

    assert stage.tenant.names() == {"Nikos Vasilakis", "Maria Papadaki", "Jan Kowalski"}


@proves("P50d")
@pytest.mark.parametrize("chosen", ["Create, Deactivate", "Update, Deactivate"])
@pytest.mark.parametrize("gone", ["left", "missing from the delivery"])
def test_whoever_comes_back_may_sign_in_again_where_create_or_update_is_on(stage: Stage, chosen: str, gone: str):
    stage.school.teacher("Nikos Vasilakis", "7A").student("Maria Papadaki", "7A")
    stage.synchronise()
    stage.profile(users=actions(student=chosen))
    (stage.school.leaves if gone == "left" else stage.school.vanishes)("Maria Papadaki")
    stage.on("2026-11-01").synchronise()
    assert not stage.tenant.account("Maria Papadaki").enabled

    stage.school.returns("Maria Papadaki")
    stage.on("2027-02-01").synchronise()

    assert stage.tenant.account("Maria Papadaki").enabled
    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "Maria Papadaki"}


@proves("P50d")
def test_whoever_comes_back_stays_disabled_where_only_deactivate_is_on(stage: Stage):
    stage.school.student("Maria Papadaki", "7A")
    stage.synchronise()
    stage.profile(users=actions(student="Deactivate"))

    stage.leave_and_return("Maria Papadaki")

    assert not stage.tenant.account("Maria Papadaki").enabled


@proves("P50f")
def test_an_account_that_an_administrator_disabled_stays_disabled(stage: Stage):
    stage.school.student("Maria Papadaki", "7A")
    stage.synchronise()
    user_name = stage.tenant.account("Maria Papadaki").user_name
    stage.tenant.control("edit", user=user_name, set={"accountEnabled": False})

    assert stage.synchronise().writes == 0
    stage.leave_and_return("Maria Papadaki")

    assert not stage.tenant.account("Maria Papadaki").enabled


@proves("P51", "P51a")
def test_with_sso_alone_a_person_is_linked_without_a_write_and_enrolled_once_linked(stage: Stage):
    stage.school.teacher("Nikos Vasilakis", "7A").student("Maria Papadaki", "7A").student("Jan Kowalski", "7A")
    stage.tenant_holds(made_by_others("maria", "M. P.", employee_id="S2"))
    stage.profile(users=actions(student="SSO"))
    stage.synchronise()

    assert stage.tenant.names() == {"Nikos Vasilakis", "M. P."}
    assert stage.tenant.members("7A") == {"Nikos Vasilakis", "M. P."}
    stage.tenant.control("edit", user="maria@sample-school.example", set={"employeeId": "something else"})
    assert stage.synchronise().changes == 0


@proves("P51b")
def test_with_no_action_a_person_is_neither_matched_nor_made_nor_enrolled(stage: Stage):
    stage.school.teacher("Nikos Vasilakis", "7A").student("Maria Papadaki", "7A").student("Jan Kowalski", "7A")
    stage.tenant_holds(made_by_others("maria", "M. P.", employee_id="S2"))
    stage.profile(users=actions(student=""))

    done = stage.synchronise()

    assert stage.tenant.names() == {"Nikos Vasilakis", "M. P."}
    assert stage.tenant.members("7A") == {"Nikos Vasilakis"}
    assert not [line for line in done.told if line.startswith(("Maria", "Jan"))]


@proves("P52", "P53", "P54", "P55")
def test_the_example_of_the_page_does_for_each_type_what_it_says(stage: Stage):
    school = stage.school.student("Maria Papadaki", "7A").student("Jan Kowalski", "7A")
    school.teacher("Nikos Vasilakis", "7A").teacher("Eleni Demetriou", "7A").employee("Omar Haddad").employee(
        "Ines Costa"
    )
    school.parent("Eva Papadaki", of=["Maria Papadaki"])
    stage.tenant_holds(
        *(made_by_others(f"known{number}", employee_id=f"S{number}") for number in (1, 3, 5, 7)),
    )
    stage.profile(
        users=actions(student=EVERYTHING, teacher="Update, Deactivate, SSO", parent="", employee="Update, SSO")
    )

    stage.synchronise()
    assert stage.tenant.names() == {"Maria Papadaki", "Jan Kowalski", "Nikos Vasilakis", "Omar Haddad", "known7"}
    for name in ("Maria Papadaki", "Jan Kowalski", "Nikos Vasilakis", "Omar Haddad"):
        stage.school.leaves(name)
    stage.synchronise()

    disabled = {account.name for account in stage.tenant.accounts() if not account.enabled}
    assert disabled == {"Maria Papadaki", "Jan Kowalski", "Nikos Vasilakis"}


@proves("P55a")
def test_what_is_suggested_for_each_user_type():
    chosen = {
        kind.value: [name for name, on in grid.model_dump().items() if on]
        for kind, grid in suggested().users.actions.items()
    }

    assert chosen == {
        "student": ["create", "update", "deactivate", "sso"],
        "teacher": ["create", "update", "deactivate", "sso"],
        "employee": ["update", "sso"],
        "parent": [],
    }


COMBINATIONS = [
    ", ".join(name for name, on in zip(("Create", "Update", "Deactivate"), chosen, strict=True) if on)
    for chosen in product((True, False), repeat=3)
] + ["SSO"]
"""SSO adds nothing to any of these but the last, where it stands alone: that is the ninth."""


def does_what_is_chosen(stage: Stage, chosen: str) -> None:
    """New, known and leaving pupils are treated as these actions say, and in no other way."""
    create, update, deactivate = (word in chosen for word in ("Create", "Update", "Deactivate"))
    school = stage.school.teacher("Nikos Vasilakis", "7A")
    for name in ("New Pupil", "Known Pupil", "Leaving Pupil"):
        school.student(name, "7A")
    stage.tenant_holds(
        made_by_others("known", employee_id="S3"),
        made_by_others("leaving", "Leaving Pupil", given_name="Leaving", surname="Pupil", employee_id="S4"),
    )
    stage.profile(users=actions(student=chosen))
    stage.synchronise()

    known = stage.tenant.account("known")
    assert ("New Pupil" in stage.tenant.names()) == create
    assert (known.name == "Known Pupil", known.licences == ("student",)) == (update, update)
    assert (known.name in stage.tenant.members("7A")) == bool(chosen)
    school.leaves("Leaving Pupil")
    stage.synchronise()

    assert stage.tenant.account("leaving").enabled == (not deactivate)
    assert "Leaving Pupil" not in stage.tenant.members("7A")
    school.returns("Leaving Pupil")
    stage.synchronise()

    assert stage.tenant.account("leaving").enabled == (create or update or not deactivate)
    assert ("Leaving Pupil" in stage.tenant.members("7A")) == bool(chosen)


@proves("P58")
@pytest.mark.parametrize("chosen", [chosen for chosen in COMBINATIONS if "Create" in chosen or not chosen])
def test_what_is_chosen_in_the_grid_is_what_happens_and_nothing_else(stage: Stage, chosen: str):
    does_what_is_chosen(stage, chosen)


@proves("P58")
@pytest.mark.parametrize("chosen", [chosen for chosen in COMBINATIONS if "Create" not in chosen and chosen])
def test_what_is_chosen_in_the_grid_without_create_is_what_happens_and_nothing_else(stage: Stage, chosen: str):
    does_what_is_chosen(stage, chosen)
