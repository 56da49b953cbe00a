"""Roles for users: the organisation's tenant of employees, where they are matched by reading and nothing is ever written."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import pytest
from tests.apply.test_corporate import Staff
from tests.apply.wire import carried_out, control
from tests.cli.inside import said
from tests.emulator.client import Client
from tests.scenarios.school import Register
from tests.scenarios.stage import FIRST_PROFILE, Calendar, Done, Stage, actions, merged, proves, roles, told
from tests.scenarios.tenant import SELECT, made_by_others
from tests.store.world import ACTOR
from tests.world import frame

from rollbook.acts import corporate, matches, profiles
from rollbook.acts.accounts import exported
from rollbook.acts.desk import held
from rollbook.acts.institutes import ensure_institute
from rollbook.acts.runs import session
from rollbook.acts.tenants import as_it_counts, corrections, locks
from rollbook.profiles import parse
from rollbook.roster.vocabulary import UserType
from rollbook.store.deliveries import Received, import_roster
from rollbook.store.models import Connection, Institute, Link, Profile

THERE = Connection.Purpose.CORPORATE
EVERYTHING = actions(employee="Create, Update, Deactivate")
"""What a profile may say of employees: all that a corporate tenant takes out of its hands, and no SSO."""


class Corporate(Staff):
    """The organisation's second tenant, with the domain staff.example, connected by the first institute's administrator."""

    def __init__(self, stage: Stage, **accounts: str) -> None:
        """Each account is given as its user name and the number the school has given to whom it belongs."""
        super().__init__(stage.tenant.running)
        self._stage = stage
        self.ids = {name: self.account(name, employeeId=number) for name, number in accounts.items()}
        corporate.connect(stage.connected(), self.credentials(), stage.author)

    def everything(self) -> list[dict[str, Any]]:
        """All accounts as the tenant tells them over HTTP."""
        client = Client(self.running, self.app, self.id)
        try:
            return client.values(f"/users?$select={SELECT}&$top=999")
        finally:
            client.close()

    def writes(self) -> list[str]:
        """What was to be written since it is there, refused or not: its application is one no other tenant consented to."""
        sent = control(self.running, "/transcript?limit=5000")["requests"]
        return [
            f"{each['method']} {each['address']}"
            for each in sent
            if each["app"] == self.app["client_id"] and each["method"] != "GET"
        ]

    def match(self, institute: Institute | None = None) -> Done:
        """One synchronization with it, to which somebody agrees, as the first institute if none is named; 0 writes are sent."""
        school, today = institute or self._stage.connected(), self._stage.today
        with session(school, today, ACTOR, Calendar(today), purpose=THERE) as opened:
            control(self.running, "/counters/reset", {})
            done = carried_out(opened)
            counted = int(control(self.running, "/counters")["writes"])
            assert counted == 0
            return told(done.plan, opened, counted)

    def linked(self) -> set[str]:
        """The ids of its accounts that are linked, whichever institute's they are."""
        return set(
            Link.objects.filter(tenant__tid=self.id, object_id__isnull=False).values_list("object_id", flat=True)
        )


def an_office(stage: Stage) -> None:
    """A teacher, a student, and two employees: Eleni, whose number is E1, and Omar, whose number is E2."""
    stage.school.teacher("Nikos Vasilakis", "7A").student("Maria Papadaki", "7A")
    stage.school.employee("Eleni Demetriou", sis_number="E1").employee("Omar Haddad", sis_number="E2")


def another_institute() -> Institute:
    """A second institute of the organisation, delivered, with one employee, whose number is X1."""
    roster = Register().teacher("Ana Sousa", "1B").employee("Jan Kowalski", sis_number="X1").roster()
    row = {"institute": 1, "sourced_id": "second", "line": 0, "name": "The Second School"}
    whole = replace(roster, institutes=frame("institutes", [row]))
    clock = Calendar(Stage.today)
    institute, source = ensure_institute(whole, "test", ACTOR, clock)
    import_roster(source, whole, Received("test", "usable", {}, [], clock.now()), accepted=True)
    return institute


def written_back(stage: Stage) -> dict[str, dict[str, str]]:
    """What goes back to the school, by the number it has given."""
    text, _ = exported(stage.institute(), stage.today, None, stage.author)
    return {row["sis_number"]: row for row in csv.DictReader(io.StringIO(text))}


def of_employees(profile: Profile) -> dict[str, bool]:
    """What a profile, as it is kept, says is done for employees."""
    return dict(profiles.newest(profile).document["users"]["actions"]["employee"])


@proves("P66")
def test_one_act_connects_the_tenant_for_all_institutes_and_each_has_its_own_employees_matched_there(stage: Stage):
    an_office(stage)
    first = stage.connected()
    there = Corporate(stage, eleni="E1", jan="X1")
    second = another_institute()

    for institute in (first, second):
        there.match(institute)

    assert there.linked() == {there.ids["eleni"], there.ids["jan"]}
    assert [corporate.standing(each).linked for each in (first, second)] == [1, 1]
    assert corporate.standing(first).institutes == corporate.standing(second).institutes == [first.name, second.name]


@proves("P66")
def test_one_act_takes_the_tenant_away_from_all_institutes_and_their_settings_are_free_again(stage: Stage):
    an_office(stage)
    first = stage.connected()
    Corporate(stage, eleni="E1")
    second = another_institute()
    assert all(locks(each) for each in (first, second))

    corporate.remove(second, stage.author)

    assert not any(locks(each) for each in (first, second))
    profile = profiles.find(first, FIRST_PROFILE)
    before = profiles.exported(profile)
    wanted = parse(merged(before.profile.model_dump(mode="json"), {"users": EVERYTHING}))
    profiles.save(profile, replace(before, profile=wanted), stage.author)
    assert of_employees(profile) == {"create": True, "update": True, "deactivate": True, "sso": False}


@proves("P67")
def test_the_domain_of_employees_is_the_corporate_tenants_whatever_the_profile_says(stage: Stage):
    an_office(stage)
    stage.tenant.control("domain", name="office.example")
    settings = stage.profile(users=roles(employee={"domain": "office.example"}, teacher={"domain": "office.example"}))
    school = stage.connected()
    assert as_it_counts(school, settings).users.roles[UserType.EMPLOYEE].domain == "office.example"

    there = Corporate(stage, eleni="E1")
    stage.synchronise()
    there.match()

    counting = as_it_counts(school, settings).users.roles
    assert (counting[UserType.EMPLOYEE].domain, counting[UserType.TEACHER].domain) == (
        "staff.example",
        "office.example",
    )
    assert "users.roles.employee.domain is staff.example, because" in said("profile", "show", FIRST_PROFILE)
    assert written_back(stage)["E1"]["user_name"] == "eleni@staff.example"


@proves("P68")
def test_no_employee_gets_an_account_or_a_change_in_either_tenant_though_the_profile_was_to_do_so(stage: Stage):
    an_office(stage)
    stage.profile(users=EVERYTHING)
    stage.tenant_holds(made_by_others("e.demetriou", "Eleni D.", employee_id="E1"))
    there = Corporate(stage, eleni="E1")
    before = there.everything()

    stage.synchronise()
    there.match()

    assert stage.tenant.names() == {"Nikos Vasilakis", "Maria Papadaki", "Eleni D."}
    assert there.everything() == before
    assert (written_back(stage)["E2"]["object_id"], there.writes()) == ("", [])


@proves("P68")
def test_without_a_corporate_tenant_the_same_profile_makes_and_changes_employees_accounts(stage: Stage):
    an_office(stage)
    stage.profile(users=EVERYTHING)
    stage.tenant_holds(made_by_others("e.demetriou", "Eleni D.", employee_id="E1"))

    stage.synchronise()

    assert stage.tenant.names() == {"Nikos Vasilakis", "Maria Papadaki", "Eleni Demetriou", "Omar Haddad"}


@proves("P68", "P69a")
def test_an_employee_who_leaves_keeps_an_account_that_can_sign_in(stage: Stage):
    an_office(stage)
    stage.profile(users=EVERYTHING)
    there = Corporate(stage, eleni="E1")
    there.match()
    before = there.everything()

    stage.school.leaves("Eleni Demetriou")
    stage.on("2026-10-02").synchronise()
    done = there.match()

    assert (done.changes, there.writes()) == (0, [])
    assert there.everything() == before
    assert {user["accountEnabled"] for user in before} == {True}


@proves("P68", "P69")
@pytest.mark.parametrize("wanted", ["Create, Update, Deactivate", "Create", "Update", "Deactivate", ""])
def test_saving_another_choice_for_employees_is_corrected_and_the_reason_is_told(stage: Stage, wanted: str):
    an_office(stage)
    Corporate(stage)
    settings = stage.profile(users=actions(employee=wanted, student="Create"))
    corrected = {str(each) for each in corrections(stage.connected(), settings)}

    profile = stage.profile_named(FIRST_PROFILE)

    assert of_employees(profile) == {"create": False, "update": False, "deactivate": False, "sso": True}
    chosen = {word.lower() for word in wanted.split(", ") if word}
    assert corrected == {
        "users.actions.employee.sso: no -> yes",
        *(f"users.actions.employee.{name}: yes -> no" for name in chosen),
    }
    assert profiles.newest(profile).document["users"]["actions"]["student"]["update"] is False
    shown = said("profile", "show", FIRST_PROFILE)
    for name, value in (("create", "no"), ("update", "no"), ("deactivate", "no"), ("sso", "yes")):
        assert f"locked: users.actions.employee.{name} is {value}, because the organisation's corporate tenant" in shown


@proves("P69")
def test_employees_matched_there_may_sign_in_with_microsoft_though_the_profile_says_they_may_not(stage: Stage):
    an_office(stage)
    stage.profile(users=EVERYTHING)
    stage.connected()
    there = Corporate(stage, eleni="E1")
    stage.synchronise()
    there.match()

    rows = written_back(stage)

    assert (rows["E1"]["sso"], rows["E1"]["object_id"]) == ("yes", there.ids["eleni"])
    assert rows["E2"]["sso"] == "no", "there is no account to sign in with"


@proves("P69a")
def test_employees_are_linked_by_reading_only_and_a_second_look_finds_nothing_to_do(stage: Stage):
    an_office(stage)
    there = Corporate(stage, eleni="E1", stranger="E9")
    before = there.everything()

    done = there.match()

    assert [line for line in done.told if line.startswith("Eleni Demetriou")]
    assert done.changes == 1
    assert there.match().changes == 0
    assert there.linked() == {there.ids["eleni"]}
    assert there.writes() == []
    assert there.everything() == before


@proves("P69a")
def test_an_account_there_is_not_renamed_when_the_register_calls_its_owner_something_else(stage: Stage):
    an_office(stage)
    there = Corporate(stage, eleni="E1")
    there.match()
    before = there.everything()

    stage.school.changes("Eleni Demetriou", family_name="Makri")
    stage.synchronise()

    assert there.match().changes == 0
    assert (there.writes(), there.everything()) == ([], before)


@proves("P69a")
def test_an_employee_whom_two_accounts_there_could_be_waits_for_a_person_who_decides(stage: Stage):
    an_office(stage)
    there = Corporate(stage, old="E1", new="E1")
    there.match()
    school = stage.connected()
    assert there.linked() == set()
    assert [entry.called for entry in matches.waiting(school, THERE)] == ["Eleni Demetriou"]

    with held(school, stage.author, THERE) as desk:
        matches.decide_account(desk, stage.person("Eleni Demetriou"), "new@staff.example")
    there.match()

    assert there.linked() == {there.ids["new"]}
    assert matches.waiting(school, THERE) == []
    assert there.writes() == []


@proves("P69a")
def test_teachers_and_students_are_not_matched_there_nor_is_an_employee_who_teaches(stage: Stage):
    an_office(stage)
    stage.school.changes("Nikos Vasilakis", sis_number="T1").changes("Maria Papadaki", sis_number="S1")
    stage.school.teacher("Eleni Demetriou", "7A")
    there = Corporate(stage, nikos="T1", maria="S1", eleni="E1", omar="E2")

    stage.synchronise()
    there.match()

    assert there.linked() == {there.ids["omar"]}
    assert stage.tenant.names() == {"Nikos Vasilakis", "Maria Papadaki", "Eleni Demetriou"}
